/* The HTTP client's connections. */
#include "net/http_pool.h"

#include "base/clock.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    BUCKETS = 256,
    TURNS_AT_ONCE = 8, /* libcurl may ask to be called again at once: so often before the loop has its turn */
};

/*
 * What the loop watches on one descriptor. The socket of a connection that waits to be read stays registered when libcurl loses
 * interest, because with kept connections it comes back with the next request: that saves two system calls each time. Should
 * something happen on it meanwhile (the site closes it), the registration is dropped then. Not so while it is being connected:
 * libcurl closes such a socket without telling (7.88, cf_socket_close).
 */
struct watch {
    struct event event;
    struct http_lane *lane;
    short wanted;       /* by libcurl */
    short active;       /* what the event is registered for; 0: not registered */
    bool is_connection; /* opened by http_pool_open_socket(), so its closing will be told */
};

static struct {
    struct http_pool_settings settings;
    struct http_pool *buckets[BUCKETS];
    TAILQ_HEAD(, http_pool) idle; /* longest unused first */
    size_t n_pools;
    struct loop_timer expiry;
    struct watch **watches; /* by descriptor */
    size_t n_watches;
} pools;

/* --- sockets ----------------------------------------------------------------------------------------------------------- */

static void act(struct http_lane *lane, curl_socket_t fd, int events);

static struct watch *watch_of(curl_socket_t fd)
{
    size_t index = (size_t)fd;
    if (index >= pools.n_watches) {
        size_t n = index + 64;
        struct watch **grown = realloc(pools.watches, n * sizeof(struct watch *));
        if (!grown)
            return NULL;
        memset(grown + pools.n_watches, 0, (n - pools.n_watches) * sizeof(struct watch *));
        pools.watches = grown;
        pools.n_watches = n;
    }
    if (!pools.watches[index])
        pools.watches[index] = calloc(1, sizeof **pools.watches);
    return pools.watches[index];
}

static void watch_drop(struct watch *watch)
{
    if (watch->active)
        event_del(&watch->event);
    watch->active = 0;
}

static void on_event(evutil_socket_t fd, short what, void *context)
{
    struct watch *watch = context;
    if (!watch->wanted) {
        watch_drop(watch);
        return;
    }
    act(watch->lane, fd, (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
    struct watch *watch = watch_of(fd);
    (void)easy;
    (void)socket_context;
    if (!watch)
        return 0; /* nothing will be heard of it: the request runs into its time limit */
    watch->lane = context;
    watch->wanted = 0;
    if (what == CURL_POLL_REMOVE) {
        if (!watch->is_connection || watch->active != EV_READ)
            watch_drop(watch);
        return 0;
    }
    watch->wanted = (short)((what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
    if (watch->wanted == watch->active)
        return 0;
    watch_drop(watch);
    event_assign(&watch->event, loop_base(), fd, (short)(watch->wanted | EV_PERSIST), on_event, watch);
    if (event_add(&watch->event, NULL) == 0)
        watch->active = watch->wanted;
    return 0;
}

curl_socket_t http_pool_open_socket(const struct curl_sockaddr *address)
{
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    struct watch *watch = watch_of(fd);
    if (!watch) {
        close(fd);
        return CURL_SOCKET_BAD;
    }
    watch_drop(watch);
    watch->wanted = 0;
    watch->is_connection = true;
    return fd;
}

int http_pool_close_socket(void *context, curl_socket_t fd)
{
    (void)context;
    if ((size_t)fd < pools.n_watches && pools.watches[fd]) {
        watch_drop(pools.watches[fd]);
        pools.watches[fd]->wanted = 0;
        pools.watches[fd]->is_connection = false;
    }
    return close(fd);
}

/* --- libcurl's time ---------------------------------------------------------------------------------------------------- */

static void arm(struct http_lane *lane)
{
    /* A timer that fires too early is cheaper than moving it with every request. */
    if (lane->due_ms >= lane->armed_ms)
        return;
    lane->armed_ms = lane->due_ms;
    loop_timer_set(&lane->timer, lane->due_ms - clock_monotonic_ms());
}

static void ask_when(struct http_lane *lane)
{
    long after_ms = -1;
    curl_multi_timeout(lane->multi, &after_ms);
    lane->due_ms = after_ms < 0 ? INT64_MAX : clock_monotonic_ms() + after_ms + (after_ms > 0);
}

static void read_messages(struct http_lane *lane)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(lane->multi, &left));) {
        struct http_carrier *carrier = NULL;
        CURLcode result = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &carrier);
        pools.settings.finished(carrier, result);
    }
}

static void act(struct http_lane *lane, curl_socket_t fd, int events)
{
    int running;
    for (int turn = 0; turn < TURNS_AT_ONCE; turn++) {
        curl_multi_socket_action(lane->multi, fd, events, &running);
        fd = CURL_SOCKET_TIMEOUT;
        events = 0;
        ask_when(lane);
        if (lane->due_ms > clock_monotonic_ms())
            break;
    }
    read_messages(lane);
    arm(lane);
}

/* --- lanes ------------------------------------------------------------------------------------------------------------- */

/* It is in its pool's list no more. */
static void lane_free(struct http_lane *lane)
{
    curl_multi_cleanup(lane->multi); /* closes the connections */
    loop_timer_done(&lane->timer);
    free(lane);
}

static bool is_only_lane(const struct http_lane *lane)
{
    return TAILQ_FIRST(&lane->pool->lanes) == lane && !TAILQ_NEXT(lane, link);
}

static void on_timer(void *context)
{
    struct http_lane *lane = context;
    lane->armed_ms = INT64_MAX;
    if (lane->due_ms > clock_monotonic_ms())
        arm(lane);
    else if (lane->n_used)
        act(lane, CURL_SOCKET_TIMEOUT, 0);
    else if (!is_only_lane(lane)) {
        TAILQ_REMOVE(&lane->pool->lanes, lane, link);
        lane_free(lane);
    }
}

static struct http_lane *lane_new(struct http_pool *pool)
{
    struct http_lane *lane = calloc(1, sizeof *lane);
    CURLM *multi = lane ? curl_multi_init() : NULL;
    if (!multi || !loop_timer_init(&lane->timer, on_timer, lane)) {
        curl_multi_cleanup(multi);
        free(lane);
        return NULL;
    }
    size_t max_kept = pools.settings.max_per_pool < HTTP_LANE_MAX ? pools.settings.max_per_pool : HTTP_LANE_MAX;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, lane);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)max_kept);
    lane->pool = pool;
    lane->multi = multi;
    lane->due_ms = lane->armed_ms = INT64_MAX;
    TAILQ_INSERT_HEAD(&pool->lanes, lane, link);
    return lane;
}

/* One more request in a lane with room. NULL: no memory. */
static struct http_lane *lane_take(struct http_pool *pool)
{
    struct http_lane *lane = TAILQ_FIRST(&pool->lanes);
    if ((!lane || lane->n_used == HTTP_LANE_MAX) && !(lane = lane_new(pool)))
        return NULL;
    if (++lane->n_used == HTTP_LANE_MAX) {
        TAILQ_REMOVE(&pool->lanes, lane, link);
        TAILQ_INSERT_TAIL(&pool->lanes, lane, link);
    }
    return lane;
}

static void lane_give_back(struct http_lane *lane)
{
    if (lane->n_used-- == HTTP_LANE_MAX) {
        TAILQ_REMOVE(&lane->pool->lanes, lane, link);
        TAILQ_INSERT_HEAD(&lane->pool->lanes, lane, link);
    }
    if (lane->n_used)
        return;
    lane->due_ms = is_only_lane(lane) ? INT64_MAX : clock_monotonic_ms() + pools.settings.idle_ms;
    arm(lane);
}

/* --- carriers ---------------------------------------------------------------------------------------------------------- */

static void carrier_free(struct http_carrier *carrier)
{
    curl_easy_cleanup(carrier->easy);
    curl_url_cleanup(carrier->origin);
    free(carrier);
}

static struct http_carrier *carrier_new(void)
{
    struct http_carrier *carrier = calloc(1, sizeof *carrier);
    if (!carrier)
        return NULL;
    carrier->easy = curl_easy_init();
    if (carrier->easy && curl_easy_setopt(carrier->easy, CURLOPT_PRIVATE, carrier) == CURLE_OK &&
        pools.settings.set_up(carrier))
        return carrier;
    carrier_free(carrier);
    return NULL;
}

struct http_carrier *http_pool_take(struct http_pool *pool)
{
    struct http_carrier *carrier = pool->carriers;
    if (carrier)
        pool->carriers = carrier->next;
    else if (!(carrier = carrier_new()))
        return NULL;
    carrier->error[0] = '\0';
    carrier->lane = lane_take(pool);
    if (carrier->lane)
        return carrier;
    carrier_free(carrier);
    return NULL;
}

bool http_pool_start(struct http_carrier *carrier)
{
    if (curl_multi_add_handle(carrier->lane->multi, carrier->easy) != CURLM_OK)
        return false;
    act(carrier->lane, CURL_SOCKET_TIMEOUT, 0);
    return true;
}

void http_pool_resume(struct http_carrier *carrier)
{
    struct http_lane *lane = carrier->lane;
    if (curl_easy_pause(carrier->easy, CURLPAUSE_CONT) == CURLE_OK)
        act(lane, CURL_SOCKET_TIMEOUT, 0);
}

void http_pool_stop(struct http_carrier *carrier)
{
    struct http_lane *lane = carrier->lane;
    struct http_pool *pool = lane->pool;
    curl_multi_remove_handle(lane->multi, carrier->easy);
    carrier->transfer = NULL;
    carrier->lane = NULL;
    carrier->next = pool->carriers;
    pool->carriers = carrier;
    lane_give_back(lane);
}

/* --- pools ------------------------------------------------------------------------------------------------------------- */

static struct http_pool **bucket_of(struct str key)
{
    return &pools.buckets[str_hash(key) % BUCKETS];
}

static void pool_free(struct http_pool *pool)
{
    struct http_pool **at = bucket_of(str_of(pool->key, pool->key_len));
    while (*at != pool)
        at = &(*at)->next_in_bucket;
    *at = pool->next_in_bucket;
    pools.n_pools--;
    for (struct http_carrier *carrier = pool->carriers, *next; carrier; carrier = next) {
        next = carrier->next;
        carrier_free(carrier);
    }
    for (struct http_lane *lane = TAILQ_FIRST(&pool->lanes), *next; lane; lane = next) {
        next = TAILQ_NEXT(lane, link);
        lane_free(lane);
    }
    free(pool);
}

static void drop_idle(void *context)
{
    struct http_pool *pool;
    (void)context;
    int64_t now_ms = clock_monotonic_ms();
    while ((pool = TAILQ_FIRST(&pools.idle))) {
        int64_t left_ms = pool->idle_since_ms + pools.settings.idle_ms - now_ms;
        if (left_ms > 0 && pools.n_pools <= pools.settings.max_pools) {
            loop_timer_set(&pools.expiry, left_ms);
            return;
        }
        TAILQ_REMOVE(&pools.idle, pool, in_idle);
        pool_free(pool);
    }
}

struct http_pool *http_pool_hold(struct str key)
{
    struct http_pool **bucket = bucket_of(key), *pool = *bucket;
    while (pool && !str_eq(str_of(pool->key, pool->key_len), key))
        pool = pool->next_in_bucket;
    if (pool) {
        if (pool->users++ == 0)
            TAILQ_REMOVE(&pools.idle, pool, in_idle);
        return pool;
    }
    pool = calloc(1, sizeof *pool + key.len);
    if (!pool)
        return NULL;
    pool->key_len = key.len;
    if (key.len)
        memcpy(pool->key, key.ptr, key.len);
    pool->users = 1;
    pool->slots.limit = pools.settings.max_per_pool;
    pool->slots.max_waiting = pools.settings.max_waiting;
    TAILQ_INIT(&pool->slots.waiting);
    TAILQ_INIT(&pool->lanes);
    pool->next_in_bucket = *bucket;
    *bucket = pool;
    if (++pools.n_pools > pools.settings.max_pools)
        loop_timer_set(&pools.expiry, 0);
    return pool;
}

void http_pool_let_go(struct http_pool *pool)
{
    if (--pool->users)
        return;
    if (TAILQ_EMPTY(&pools.idle))
        loop_timer_set(&pools.expiry, pools.n_pools > pools.settings.max_pools ? 0 : pools.settings.idle_ms);
    pool->idle_since_ms = clock_monotonic_ms();
    TAILQ_INSERT_TAIL(&pools.idle, pool, in_idle);
}

void http_pools_each(void (*visit)(struct http_pool *pool))
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct http_pool *pool = pools.buckets[i]; pool; pool = pool->next_in_bucket)
            visit(pool);
}

size_t http_pools_lanes(void)
{
    size_t count = 0;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct http_pool *pool = pools.buckets[i]; pool; pool = pool->next_in_bucket)
            for (struct http_lane *lane = TAILQ_FIRST(&pool->lanes); lane; lane = TAILQ_NEXT(lane, link))
                count++;
    return count;
}

size_t http_pools_watched(void)
{
    size_t count = 0;
    for (size_t i = 0; i < pools.n_watches; i++)
        count += pools.watches[i] && pools.watches[i]->active;
    return count;
}

size_t http_pools_count(void)
{
    return pools.n_pools;
}

bool http_pools_init(const struct http_pool_settings *settings)
{
    pools.settings = *settings;
    TAILQ_INIT(&pools.idle);
    return loop_timer_init(&pools.expiry, drop_idle, NULL);
}

void http_pools_done(void)
{
    for (size_t i = 0; i < BUCKETS; i++)
        while (pools.buckets[i])
            pool_free(pools.buckets[i]);
    for (size_t i = 0; i < pools.n_watches; i++) {
        if (pools.watches[i])
            watch_drop(pools.watches[i]);
        free(pools.watches[i]);
    }
    free(pools.watches);
    pools.watches = NULL;
    pools.n_watches = 0;
    loop_timer_done(&pools.expiry);
}

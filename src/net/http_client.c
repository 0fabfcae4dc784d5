/* The HTTP client: requests of calls, carried by libcurl on the loop. */
#include <sodium.h> /* before base/banned.h: it uses a banned name */

#include "net/http_client.h"

#include "net/http_budget.h"

#include "base/metrics.h"
#include "net/http_authorities.h"
#include "net/http_memory.h"
#include "net/http_transfer.h"
#include "net/loop.h"
#include "net/task.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>

enum {
    UNUSED_KEPT = 64,              /* transfers kept for reuse; more only as long as they are needed ... */
    UNUSED_DROP_MS = 5000,         /* ... and then so long ... */
    BUFFER_KEPT_BYTES = 64 * 1024, /* ... with buffers up to this size */
    READ_BYTES = 24 * 1024,        /* at once; an article fits */
    SWEEP_MIN_MS = 20,
    SWEEP_MAX_MS = 250,
    DNS_CACHE_S = 60,
    CONNECTION_MAX_IDLE_S = 90,
    CONNECTION_MAX_LIFE_S = 600,
};

static struct {
    struct http_client_settings limits;
    struct http_slots slots;        /* global */
    struct http_transfers starting; /* wait for the loop's stack */
    struct http_transfers in_flight;
    struct http_transfers unused;
    size_t n_unused, n_untouched; /* untouched: so many were never taken since dropped_ms */
    int64_t dropped_ms;
    struct event *start_event;
    bool is_open;
    unsigned generation;     /* counts http_client_init() and http_client_done() */
    struct loop_timer sweep; /* looks at the time limits of all in flight */
    int64_t sweep_at_ms;     /* INT64_MAX: not set */
    int64_t sweep_every_ms;
    struct http_client_counts counts;
} client;

static void transfer_end(struct http_transfer *transfer);

/* --- libcurl's callbacks ----------------------------------------------------------------------------------------------- */

static void note_refusal(struct http_transfer *transfer, enum egress_verdict verdict, const char *why)
{
    static const enum http_fetch_failure failures[] = {
        [EGRESS_ALLOWED] = HTTP_FETCH_OK,
        [EGRESS_REFUSED_ADDRESS] = HTTP_FETCH_REFUSED_ADDRESS,
        [EGRESS_REFUSED_LOOP] = HTTP_FETCH_REFUSED_LOOP,
        [EGRESS_REFUSED_PLAIN] = HTTP_FETCH_PLAIN_HTTP_REFUSED,
        [EGRESS_REFUSED_PORT] = HTTP_FETCH_REFUSED_PORT,
    };
    transfer->refusal = failures[verdict];
    transfer->refused_why = why;
    client.counts.refused++;
}

static curl_socket_t on_open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_carrier *carrier = context;
    struct http_transfer *transfer = carrier->transfer;
    const char *why;
    if (purpose != CURLSOCKTYPE_IPCXN || !transfer)
        return CURL_SOCKET_BAD;
    enum egress_verdict verdict = egress_judge(transfer->policy, &address->addr, transfer->is_https, &why);
    if (verdict != EGRESS_ALLOWED) {
        note_refusal(transfer, verdict, why);
        const void *bytes = address->family == AF_INET6
                                ? (const void *)&((const struct sockaddr_in6 *)(const void *)&address->addr)->sin6_addr
                                : (const void *)&((const struct sockaddr_in *)(const void *)&address->addr)->sin_addr;
        if (!inet_ntop(address->family, bytes, transfer->refused_ip, sizeof transfer->refused_ip))
            transfer->refused_ip[0] = '\0';
        return CURL_SOCKET_BAD; /* libcurl tries the name's next address */
    }
    curl_socket_t fd = http_pool_open_socket(address);
    if (fd != CURL_SOCKET_BAD) {
        transfer->sockets++;
        client.counts.connections_opened++;
    }
    return fd;
}

/* Before each request on a connection, new or kept: the last look at whom we speak to. */
static int on_connection(void *context, char *primary_ip, char *local_ip, int primary_port, int local_port)
{
    struct http_carrier *carrier = context;
    struct http_transfer *transfer = carrier->transfer;
    const char *why;
    (void)local_ip;
    (void)local_port;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {0};
    if (inet_pton(AF_INET, primary_ip, &address.v4.sin_addr) == 1) {
        address.v4.sin_family = AF_INET;
        address.v4.sin_port = htons((uint16_t)primary_port);
    } else if (inet_pton(AF_INET6, primary_ip, &address.v6.sin6_addr) == 1) {
        address.v6.sin6_family = AF_INET6;
        address.v6.sin6_port = htons((uint16_t)primary_port);
    }
    enum egress_verdict verdict = egress_judge(transfer->policy, &address.any, transfer->is_https, &why);
    if (verdict != EGRESS_ALLOWED) {
        note_refusal(transfer, verdict, why);
        transfer->failure = transfer->refusal;
        return CURL_PREREQFUNC_ABORT;
    }
    if (transfer->attempts > 0 && !transfer->is_repeatable) {
        /* libcurl wants to send a write again, because a kept connection broke: it may have been done. */
        transfer->failure = HTTP_FETCH_RESET;
        return CURL_PREREQFUNC_ABORT;
    }
    transfer->attempts++;
    transfer->activity_ms = clock_monotonic_ms();
    if (!str_to_cstr(str_from(primary_ip), transfer->primary_ip, sizeof transfer->primary_ip))
        transfer->primary_ip[0] = '\0';
    return CURL_PREREQFUNC_OK;
}

static bool set_up(struct http_carrier *carrier)
{
    CURL *easy = carrier->easy;
    CURLcode failed = CURLE_OK;
    const struct http_client_settings *limits = &client.limits;
#define SET(option, value) failed |= curl_easy_setopt(easy, option, value)
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOPROXY, "*");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L);                          /* giving up must not wait for the resolver's thread */
    SET(CURLOPT_ACCEPT_ENCODING, HTTP_REQUEST_ENCODINGS); /* libcurl refuses more than five on top of another */
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)limits->tls_ms);
    SET(CURLOPT_DNS_CACHE_TIMEOUT, (long)DNS_CACHE_S);
    SET(CURLOPT_MAXAGE_CONN, (long)CONNECTION_MAX_IDLE_S);
    SET(CURLOPT_MAXLIFETIME_CONN, (long)CONNECTION_MAX_LIFE_S);
    SET(CURLOPT_BUFFERSIZE, (long)READ_BYTES);
    SET(CURLOPT_ERRORBUFFER, carrier->error);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    SET(CURLOPT_OPENSOCKETDATA, carrier);
    SET(CURLOPT_CLOSESOCKETFUNCTION, http_pool_close_socket);
    SET(CURLOPT_PREREQFUNCTION, on_connection);
    SET(CURLOPT_PREREQDATA, carrier);
    SET(CURLOPT_HEADERFUNCTION, http_received_header);
    SET(CURLOPT_HEADERDATA, carrier);
    SET(CURLOPT_WRITEFUNCTION, http_received_body);
    SET(CURLOPT_WRITEDATA, carrier);
    SET(CURLOPT_CAINFO, NULL);
    SET(CURLOPT_CAPATH, NULL);
    SET(CURLOPT_CA_CACHE_TIMEOUT, 0L); /* else libcurl puts an empty store of its own in the place of ours */
    SET(CURLOPT_SSL_CTX_FUNCTION, http_authorities_install);
#undef SET
    return failed == CURLE_OK;
}

/* --- the life of a transfer -------------------------------------------------------------------------------------------- */

static void buf_recycle(struct buf *buf, size_t max_bytes)
{
    if (buf->capacity > BUFFER_KEPT_BYTES)
        buf_done(buf);
    buf_clear(buf);
    buf->max = max_bytes;
}

static struct http_transfer *transfer_new(void)
{
    struct http_transfer *transfer = TAILQ_FIRST(&client.unused);
    if (!transfer) {
        transfer = calloc(1, sizeof *transfer);
        if (!transfer)
            return NULL;
        buf_init_heap(&transfer->text, 0);
        buf_init_heap(&transfer->head, HTTP_FETCH_HEAD_MAX_BYTES);
        buf_init_heap(&transfer->body, 0);
        buf_init_heap(&transfer->out, HTTP_FETCH_PIECE_BYTES);
        return transfer;
    }
    TAILQ_REMOVE(&client.unused, transfer, link);
    if (--client.n_unused < client.n_untouched)
        client.n_untouched = client.n_unused;
    struct buf text = transfer->text, head = transfer->head, body = transfer->body;
    *transfer = (struct http_transfer){.text = text, .head = head, .body = body};
    buf_init_heap(&transfer->out, HTTP_FETCH_PIECE_BYTES);
    return transfer;
}

static void transfer_free(struct http_transfer *transfer)
{
    buf_done(&transfer->text);
    buf_done(&transfer->head);
    buf_done(&transfer->body);
    buf_done(&transfer->out);
    free(transfer);
}

static void wipe_text(struct http_transfer *transfer)
{
    if (transfer->text.len)
        sodium_memzero(transfer->text.ptr, transfer->text.len);
    buf_clear(&transfer->text);
}

static void give_slots(struct http_transfer *transfer)
{
    http_slots_give(&client.slots, &transfer->holds_global_slot);
    if (transfer->pool)
        http_slots_give(&transfer->pool->slots, &transfer->holds_key_slot);
}

/* Leaves whatever list it is in. On the loop's stack when it is in flight. */
static void transfer_withdraw(struct http_transfer *transfer)
{
    http_slots_leave(transfer);
    if (transfer->state == TRANSFER_STARTING) {
        TAILQ_REMOVE(&client.starting, transfer, link);
        transfer->state = TRANSFER_DONE;
    } else if (transfer->state == TRANSFER_IN_FLIGHT) {
        transfer_end(transfer);
    }
    give_slots(transfer);
    wipe_text(transfer);
}

/* The call's arena ends, on the loop's stack. */
static void transfer_release(void *object)
{
    struct http_transfer *transfer = object;
    transfer->call = NULL; /* nobody waits any more */
    http_budget_release(transfer);
    if (transfer->generation != client.generation) {
        wipe_text(transfer);
        transfer_free(transfer);
        return;
    }
    transfer_withdraw(transfer);
    if (transfer->pool)
        http_pool_let_go(transfer->pool);
    buf_recycle(&transfer->text, 0);
    buf_recycle(&transfer->head, HTTP_FETCH_HEAD_MAX_BYTES);
    buf_recycle(&transfer->body, 0);
    buf_done(&transfer->out);
    TAILQ_INSERT_HEAD(&client.unused, transfer, link);
    client.n_unused++;
}

/* Out of libcurl's hands, for whatever reason; slots are passed on, the call is woken. */
static void transfer_end(struct http_transfer *transfer)
{
    struct http_carrier *carrier = transfer->carrier;
    TAILQ_REMOVE(&client.in_flight, transfer, link);
    client.counts.in_flight--;
    metric_move(GAUGE_UPSTREAM, -1);
    transfer->state = TRANSFER_DONE;
    transfer->elapsed_ms = clock_monotonic_ms() - transfer->started_ms;
    transfer->carrier = NULL;
    if (carrier) {
        curl_easy_getinfo(carrier->easy, CURLINFO_RESPONSE_CODE, &transfer->status);
        memcpy(transfer->error, carrier->error, sizeof transfer->error);
        http_pool_stop(carrier);
    }
    http_budget_keep(transfer, transfer->failure == HTTP_FETCH_OK ? transfer->body.capacity : 0);
    wipe_text(transfer);
    give_slots(transfer);
    if (transfer->call)
        task_wake(transfer->call);
}

static void on_finished(struct http_carrier *carrier, CURLcode result)
{
    struct http_transfer *transfer = carrier->transfer;
    transfer->result = result;
    if (transfer->failure == HTTP_FETCH_OK)
        transfer->failure = http_failure_of(transfer);
    transfer_end(transfer);
}

static void transfer_give_up(struct http_transfer *transfer, enum http_fetch_failure failure)
{
    transfer->failure = failure;
    transfer_end(transfer);
}

static void sweep_by(int64_t at_ms)
{
    if (at_ms >= client.sweep_at_ms)
        return;
    client.sweep_at_ms = at_ms;
    loop_timer_set(&client.sweep, at_ms - clock_monotonic_ms());
}

static void transfer_start(struct http_transfer *transfer)
{
    int64_t now_ms = clock_monotonic_ms();
    TAILQ_INSERT_TAIL(&client.in_flight, transfer, link);
    client.counts.in_flight++;
    metric_move(GAUGE_UPSTREAM, 1);
    client.counts.started++;
    transfer->state = TRANSFER_IN_FLIGHT;
    transfer->started_ms = transfer->activity_ms = now_ms;
    transfer->deadline_ms =
        now_ms + (transfer->request->timeout_ms ? transfer->request->timeout_ms : client.limits.total_ms);
    struct http_carrier *carrier = transfer->carrier = http_pool_take(transfer->pool);
    if (!carrier) {
        transfer_give_up(transfer, HTTP_FETCH_MEMORY);
        return;
    }
    carrier->transfer = transfer;
    sweep_by(now_ms + client.sweep_every_ms);
    sweep_by(transfer->deadline_ms);
    if (!http_request_set_options(carrier->easy, transfer) || !http_pool_start(carrier))
        transfer_give_up(transfer, HTTP_FETCH_MEMORY);
}

static void start_all(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
    for (struct http_transfer *transfer; (transfer = TAILQ_FIRST(&client.starting));) {
        TAILQ_REMOVE(&client.starting, transfer, link);
        transfer_start(transfer);
    }
}

/* --- time limits ------------------------------------------------------------------------------------------------------- */

static bool is_overdue_connecting(const struct http_transfer *transfer, int64_t now_ms)
{
    curl_off_t connect_us = 0;
    int64_t age_ms = now_ms - transfer->started_ms;
    if (age_ms < client.limits.connect_ms)
        return false;
    if (age_ms >= client.limits.tls_ms)
        return true;
    curl_easy_getinfo(transfer->carrier->easy, CURLINFO_CONNECT_TIME_T, &connect_us);
    return connect_us == 0;
}

static bool is_overdue_beginning(struct http_transfer *transfer, int64_t now_ms)
{
    curl_off_t uploaded = 0;
    curl_easy_getinfo(transfer->carrier->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    if (uploaded != transfer->uploaded_bytes) {
        transfer->uploaded_bytes = uploaded;
        transfer->activity_ms = now_ms;
    }
    if (transfer->out_awaited) /* it is not the site that keeps us waiting */
        transfer->activity_ms = now_ms;
    int64_t limit_ms = transfer->request->first_byte_ms;
    return now_ms - transfer->activity_ms >= (limit_ms ? limit_ms : client.limits.first_byte_ms);
}

static bool is_too_slow(struct http_transfer *transfer, int64_t now_ms)
{
    int64_t window_ms = now_ms - transfer->window_ms;
    if (window_ms < client.limits.slow_ms)
        return false;
    size_t received = transfer->head_bytes + transfer->read_bytes + transfer->body.len;
    if (!transfer->is_held &&
        (int64_t)(received - transfer->window_bytes) * 1000 < client.limits.slow_bytes_per_s * window_ms) {
        transfer->is_slow = true;
        return true;
    }
    transfer->window_ms = now_ms;
    transfer->window_bytes = received;
    return false;
}

static void check_time(struct http_transfer *transfer, int64_t now_ms)
{
    if (transfer->attempts == 0) {
        if (now_ms >= transfer->deadline_ms || is_overdue_connecting(transfer, now_ms))
            transfer_give_up(transfer, HTTP_FETCH_TIMEOUT_CONNECT);
    } else if (now_ms >= transfer->deadline_ms ||
               (transfer->answer_began ? is_too_slow(transfer, now_ms) : is_overdue_beginning(transfer, now_ms))) {
        transfer->is_crowded = transfer->wanted_bytes > 0;
        transfer_give_up(transfer, transfer->is_crowded ? HTTP_FETCH_BUSY : HTTP_FETCH_TIMEOUT_ANSWER);
    }
}

/* What a crowd has left behind goes when nobody has needed it for a while. */
static void drop_unused(int64_t now_ms)
{
    if (now_ms - client.dropped_ms < UNUSED_DROP_MS)
        return;
    for (; client.n_untouched && client.n_unused > UNUSED_KEPT; client.n_untouched--) {
        struct http_transfer *transfer = TAILQ_LAST(&client.unused, http_transfers); /* the longest unused */
        TAILQ_REMOVE(&client.unused, transfer, link);
        client.n_unused--;
        transfer_free(transfer);
    }
    client.n_untouched = client.n_unused;
    client.dropped_ms = now_ms;
}

static void sweep(void *context)
{
    int64_t now_ms = clock_monotonic_ms();
    (void)context;
    client.sweep_at_ms = INT64_MAX;
    for (struct http_transfer *transfer = TAILQ_FIRST(&client.in_flight), *next; transfer; transfer = next) {
        next = TAILQ_NEXT(transfer, link);
        check_time(transfer, now_ms);
    }
    drop_unused(now_ms);
    if (!TAILQ_EMPTY(&client.in_flight))
        sweep_by(now_ms + client.sweep_every_ms);
    else if (client.n_unused > UNUSED_KEPT)
        sweep_by(now_ms + UNUSED_DROP_MS);
}

/* --- fetching ---------------------------------------------------------------------------------------------------------- */

static void withdraw_on_loop(void *context)
{
    struct http_transfer *transfer = context;
    if (transfer->generation == client.generation)
        transfer_withdraw(transfer);
}

static int refuse(struct call *call, struct http_fetched *ret, const char *problem)
{
    ret->failure = HTTP_FETCH_BAD_REQUEST;
    return fail(call, E_INVALID, "The request cannot be sent: %s.", problem);
}

/* Waits for slots, then for the answer; feeds the request's body meanwhile. */
static int carry(struct call *call, struct http_transfer *transfer)
{
    int error = http_slots_take(call, &transfer->pool->slots, transfer, &transfer->holds_key_slot);
    if (!error)
        error = http_slots_take(call, &client.slots, transfer, &transfer->holds_global_slot);
    if (!error && transfer->generation != client.generation)
        error = E_CANCELLED;
    if (error)
        return error;
    transfer->state = TRANSFER_STARTING;
    TAILQ_INSERT_TAIL(&client.starting, transfer, link);
    event_active(client.start_event, EV_TIMEOUT, 0);
    while (!error && transfer->state != TRANSFER_DONE) {
        if (transfer->out_awaited)
            error = http_upload_feed(call, transfer);
        else if (transfer->is_download && transfer->head_ended && transfer->status >= 200)
            break;
        else
            error = task_park(call);
    }
    return error;
}

void http_transfer_withdraw(struct call *call, struct http_transfer *transfer)
{
    if (transfer->state != TRANSFER_DONE)
        task_on_loop_stack(call, withdraw_on_loop, transfer);
}

int http_transfer_report(struct call *call, struct http_transfer *transfer, const struct url *url)
{
    return http_failure_report(call, transfer, url, &client.limits);
}

int http_transfer_perform(struct call *call, const struct http_fetch *request, bool is_download, struct url *ret_url,
                          struct http_fetched *ret, struct http_transfer **ret_transfer)
{
    struct url url;
    *ret_transfer = NULL;
    *ret = (struct http_fetched){.body = STR_EMPTY, .content_type = STR_EMPTY, .primary_ip = STR_EMPTY};
    const char *problem = http_request_check(request);
    if (problem)
        return refuse(call, ret, problem);
    if (url_parse(call->arena, request->url, &url))
        return refuse(call, ret, url.problem);

    struct http_transfer *transfer = client.is_open ? transfer_new() : NULL;
    if (!transfer) {
        ret->failure = HTTP_FETCH_MEMORY;
        return fail(call, E_UNAVAILABLE, "There is not enough memory right now. Try again.");
    }
    *ret_transfer = transfer;
    *ret_url = url;
    transfer->generation = client.generation;
    arena_defer(call->arena, transfer_release, transfer);
    transfer->call = call;
    transfer->request = request;
    transfer->policy = request->policy ? request->policy : client.limits.policy;
    transfer->is_https = url.is_https;
    transfer->is_repeatable = http_request_is_repeatable(request);
    transfer->max_body_bytes = request->max_body_bytes ? request->max_body_bytes : HTTP_FETCH_BODY_DEFAULT_BYTES;
    transfer->is_download = is_download;
    transfer->body.max = is_download ? HTTP_FETCH_PIECE_BYTES : transfer->max_body_bytes;
    transfer->content_length = SIZE_MAX;

    int error = OK;
    transfer->pool = http_pool_hold(request->pool_key);
    if (!transfer->pool || !http_request_write(transfer, request, &url)) {
        transfer->failure = HTTP_FETCH_MEMORY;
    } else if (egress_is_own_url(client.limits.policy, url.host, url.port)) {
        transfer->failure = HTTP_FETCH_REFUSED_LOOP;
        client.counts.refused++;
    } else {
        error = carry(call, transfer);
    }
    bool goes_on = is_download && !error && transfer->failure == HTTP_FETCH_OK; /* its body is still coming */
    if (!goes_on)
        http_transfer_withdraw(call, transfer);
    if (transfer->source_error)
        transfer->failure = HTTP_FETCH_SOURCE;
    else if (error == E_CANCELLED)
        transfer->failure = HTTP_FETCH_CANCELLED;
    else if (error == E_TIMEOUT) /* of the call */
        transfer->failure = transfer->started_ms == 0 ? HTTP_FETCH_BUSY
                            : transfer->attempts > 0  ? HTTP_FETCH_TIMEOUT_ANSWER
                                                      : HTTP_FETCH_TIMEOUT_CONNECT;
    http_received_fill(call, transfer, ret);
    if (transfer->source_error)
        return transfer->source_error;
    return transfer->failure == HTTP_FETCH_OK ? OK : http_transfer_report(call, transfer, &url);
}

int http_fetch(struct call *call, const struct http_fetch *request, struct http_fetched *ret)
{
    struct url url;
    struct http_transfer *transfer;
    return http_transfer_perform(call, request, false, &url, ret, &transfer);
}

bool http_client_may_pass_on(const struct url *url, const char **ret_why)
{
    return egress_host_allowed(client.limits.policy, url->host, url->port, ret_why);
}

/* --- life -------------------------------------------------------------------------------------------------------------- */

#define SET_DEFAULT(value, otherwise) ((value) = (value) ? (value) : (otherwise))

static void set_defaults(struct http_client_settings *limits)
{
    static const struct egress_policy strictest;
    if (!limits->policy)
        limits->policy = &strictest;
    SET_DEFAULT(limits->max_in_flight, 512);
    SET_DEFAULT(limits->max_in_flight_per_key, 8);
    SET_DEFAULT(limits->max_queued_per_key, 64);
    SET_DEFAULT(limits->max_answer_memory_bytes, (size_t)64 * 1024 * 1024);
    http_budget_init(limits->max_answer_memory_bytes);
    SET_DEFAULT(limits->max_pools, 512);
    SET_DEFAULT(limits->connect_ms, 5000);
    SET_DEFAULT(limits->tls_ms, 8000);
    SET_DEFAULT(limits->first_byte_ms, 20000);
    SET_DEFAULT(limits->total_ms, 30000);
    SET_DEFAULT(limits->slow_ms, 10000);
    SET_DEFAULT(limits->slow_bytes_per_s, 100);
    SET_DEFAULT(limits->idle_ms, 60000);
}

/* How often the time limits are looked at: often enough to keep the shortest of them to a tenth. */
static int64_t sweep_interval(const struct http_client_settings *limits)
{
    int64_t shortest_ms = limits->connect_ms;
    shortest_ms = limits->tls_ms < shortest_ms ? limits->tls_ms : shortest_ms;
    shortest_ms = limits->first_byte_ms < shortest_ms ? limits->first_byte_ms : shortest_ms;
    shortest_ms = limits->slow_ms < shortest_ms ? limits->slow_ms : shortest_ms;
    int64_t every_ms = shortest_ms / 10;
    return every_ms < SWEEP_MIN_MS ? SWEEP_MIN_MS : every_ms > SWEEP_MAX_MS ? SWEEP_MAX_MS : every_ms;
}

int http_client_init(const struct http_client_settings *settings)
{
    unsigned generation = client.generation;
    memset(&client, 0, sizeof client);
    client.generation = generation + 1;
    client.limits = *settings;
    set_defaults(&client.limits);
    client.slots.limit = client.limits.max_in_flight;
    client.sweep_at_ms = INT64_MAX;
    client.sweep_every_ms = sweep_interval(&client.limits);
    TAILQ_INIT(&client.slots.waiting);
    TAILQ_INIT(&client.starting);
    TAILQ_INIT(&client.in_flight);
    TAILQ_INIT(&client.unused);
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to sockets that the site has closed, and libcurl leaves that to us */
    if (!http_memory_init() || sodium_init() < 0)
        return E_UNAVAILABLE;
    int error = http_authorities_init(settings->ca_file);
    if (error)
        return error;
    struct http_pool_settings pools = {
        .max_pools = client.limits.max_pools,
        .max_per_pool = client.limits.max_in_flight_per_key,
        .max_waiting = client.limits.max_queued_per_key,
        .idle_ms = client.limits.idle_ms,
        .set_up = set_up,
        .finished = on_finished,
    };
    client.start_event = event_new(loop_base(), -1, 0, start_all, NULL);
    if (!client.start_event || !loop_timer_init(&client.sweep, sweep, NULL) || !http_pools_init(&pools))
        return E_UNAVAILABLE;
    client.is_open = true;
    return OK;
}

/* Whoever waits for a turn gets none. */
static void dismiss(struct http_slots *slots)
{
    for (struct http_transfer *transfer; (transfer = TAILQ_FIRST(&slots->waiting));) {
        http_slots_leave(transfer);
        transfer->failure = HTTP_FETCH_CANCELLED;
        task_wake(transfer->call);
    }
}

static void dismiss_pool(struct http_pool *pool)
{
    dismiss(&pool->slots);
}

void http_client_done(void)
{
    client.is_open = false;
    client.generation++;
    dismiss(&client.slots);
    http_pools_each(dismiss_pool);
    for (struct http_transfer *transfer; (transfer = TAILQ_FIRST(&client.starting));) {
        TAILQ_REMOVE(&client.starting, transfer, link);
        transfer->state = TRANSFER_DONE;
        transfer->failure = HTTP_FETCH_CANCELLED;
        task_wake(transfer->call);
    }
    for (struct http_transfer *transfer; (transfer = TAILQ_FIRST(&client.in_flight));)
        transfer_give_up(transfer, HTTP_FETCH_CANCELLED);
    http_pools_done();
    for (struct http_transfer *transfer; (transfer = TAILQ_FIRST(&client.unused));) {
        TAILQ_REMOVE(&client.unused, transfer, link);
        transfer_free(transfer);
    }
    client.n_unused = 0;
    event_free(client.start_event);
    loop_timer_done(&client.sweep);
    http_authorities_done();
    http_memory_done();
}

struct http_client_counts http_client_counts(void)
{
    client.counts.pools = http_pools_count();
    client.counts.queued = http_slots_queued();
    return client.counts;
}

/* What stands before each request to a site. */
#include "limits/gate.h"

#include "base/metrics.h"
#include "limits/table.h"
#include "net/loop.h"
#include "net/task.h"

#include <stdlib.h>

enum {
    ASK_AGAIN_MS = 20, /* how often those who wait look whether another process gave a place back */
};

struct gate_pass {
    uint64_t site_key, user_key;
    bool has_site, has_user; /* places */
    bool is_trial;           /* of the breaker */
    int64_t user_id;
    struct str host; /* the caller's */
};

static void (*on_opened)(int64_t user_id, struct str host);

void gate_on_opened(void (*opened)(int64_t user_id, struct str host))
{
    on_opened = opened;
}

/* --- those who wait, in this process ------------------------------------------------------------------------------------- */

struct waiter {
    struct waiter *next;
    struct queue *queue; /* NULL: not in one */
    struct call *call;
};

struct queue {
    struct queue *next;
    uint64_t key;
    struct waiter *first, *last;
    struct loop_timer timer;
};
static struct queue *queues;

static struct queue *queue_find(uint64_t key)
{
    struct queue *queue = queues;
    while (queue && queue->key != key)
        queue = queue->next;
    return queue;
}

static void wake_first(const struct queue *queue)
{
    if (queue && queue->first)
        task_wake(queue->first->call);
}

static void on_timer(void *context)
{
    struct queue *queue = context;
    wake_first(queue);
    loop_timer_set(&queue->timer, ASK_AGAIN_MS);
}

static struct queue *queue_get(uint64_t key)
{
    struct queue *queue = queue_find(key);
    if (queue)
        return queue;
    queue = calloc(1, sizeof *queue);
    if (!queue || !loop_timer_init(&queue->timer, on_timer, queue)) {
        free(queue);
        return NULL;
    }
    queue->key = key;
    queue->next = queues;
    queues = queue;
    loop_timer_set(&queue->timer, ASK_AGAIN_MS); /* also alone: a reload brings another process while it stands */
    return queue;
}

static void queue_free(struct queue *queue)
{
    struct queue **at = &queues;
    while (*at != queue)
        at = &(*at)->next;
    *at = queue->next;
    loop_timer_done(&queue->timer);
    free(queue);
}

static void count_waiting(uint64_t key, int change)
{
    if (!table_lock())
        return;
    metric_move(GAUGE_UPSTREAM_QUEUED, change);
    uint16_t *waiting = &table_entry(key)->waiting[table_self()];
    if (change > 0 ? *waiting < UINT16_MAX : *waiting > 0)
        *waiting = (uint16_t)(*waiting + change);
    table_unlock();
}

/* Whoever was behind it is asked to look: there may be room for both. */
static void queue_leave(struct waiter *waiter)
{
    struct queue *queue = waiter->queue;
    if (!queue)
        return;
    waiter->queue = NULL;
    struct waiter **at = &queue->first, *previous = NULL;
    while (*at != waiter) {
        previous = *at;
        at = &previous->next;
    }
    *at = waiter->next;
    if (queue->last == waiter)
        queue->last = previous;
    count_waiting(queue->key, -1);
    if (queue->first)
        wake_first(queue);
    else
        queue_free(queue);
}

static void waiter_gone(void *object)
{
    queue_leave(object);
}

static void queue_join(struct queue *queue, struct waiter *waiter)
{
    waiter->queue = queue;
    if (queue->last)
        queue->last->next = waiter;
    else
        queue->first = waiter;
    queue->last = waiter;
    count_waiting(queue->key, 1);
}

/* --- places -------------------------------------------------------------------------------------------------------------- */

/* What is asked for: a place of `key`, of which there are `limit`. */
struct wish {
    uint64_t key;
    size_t limit;
    bool asks_breaker;
    struct gate_pass *pass;
    struct str host;
};

enum outcome { TAKEN, FULL, CROWDED, CLOSED };

/* Others that wait get their part: a process that has its own takes no more meanwhile. */
static bool has_room(const struct table_entry *entry, const struct table_use *use, size_t limit)
{
    size_t own = entry->held[table_self()];
    if (own == UINT16_MAX)
        return false;
    if (!limit)
        return true;
    if (use->held >= limit)
        return false;
    size_t sharers = use->processes + (own == 0 && entry->waiting[table_self()] == 0);
    return !use->others_wait || own < (limit + sharers - 1) / sharers;
}

/* may_take false: others of this process came first. */
static enum outcome try_to_take(const struct wish *wish, bool may_take, int64_t *ret_after_ms)
{
    const struct limits_settings *limits = limits_settings();
    enum outcome outcome = TAKEN;
    if (!table_lock())
        return TAKEN;
    struct table_entry *entry = table_entry(wish->key);
    struct table_use use = table_use(entry);
    int64_t now_ms = clock_monotonic_ms();
    bool is_trial = false;
    if (!may_take || !has_room(entry, &use, wish->limit)) {
        /* No trial is begun by who cannot go, but who cannot go anyway need not wait. */
        *ret_after_ms = entry->breaker.open_until_ms - now_ms;
        outcome = wish->asks_breaker && *ret_after_ms > 0           ? CLOSED
                  : limits->queued && use.waiting >= limits->queued ? CROWDED
                                                                    : FULL;
    } else if (wish->asks_breaker && (*ret_after_ms = breaker_ask(&entry->breaker, now_ms, &is_trial)) > 0) {
        outcome = CLOSED;
    }
    if (outcome == TAKEN) {
        entry->held[table_self()]++;
        wish->pass->is_trial |= is_trial;
    }
    table_unlock();
    return outcome;
}

static int refuse(struct call *call, const struct wish *wish, enum outcome outcome, int64_t after_ms)
{
    long long after_s = (long long)(after_ms + 999) / 1000;
    metric_count(METRIC_REFUSED, outcome == CROWDED ? STR("site_queue") : STR("breaker"));
    if (outcome == CROWDED)
        return fail(
            call, E_LIMIT,
            "Too many requests to %.*s wait already. Nothing was sent. Send fewer at a time, and try again in a "
            "few seconds.",
            STR_ARG(wish->host));
    return fail(call, E_UNAVAILABLE,
                "%.*s failed again and again, so it is left alone for a while. Nothing was sent. Try again in %lld "
                "second%s.",
                STR_ARG(wish->host), after_s, after_s == 1 ? "" : "s");
}

static int wait_for(struct call *call, const struct wish *wish)
{
    int64_t after_ms = 0;
    enum outcome outcome = FULL;
    struct waiter *waiter = arena_new_of(call->arena, struct waiter);
    waiter->call = call;
    arena_defer(call->arena, waiter_gone, waiter);
    struct queue *queue = queue_get(wish->key);
    if (!queue)
        return fail(call, E_UNAVAILABLE, "There is not enough memory right now. Try again.");
    queue_join(queue, waiter);
    while (outcome == FULL || outcome == CROWDED) { /* who is in the queue stays */
        int error = task_park(call);
        if (error) {
            queue_leave(waiter);
            return error == E_TIMEOUT ? fail(call, E_TIMEOUT,
                                             "Other requests to %.*s took so long that this one did not get its turn. "
                                             "Nothing was sent. Send fewer at a time.",
                                             STR_ARG(wish->host))
                                      : error;
        }
        if (queue->first == waiter)
            outcome = try_to_take(wish, true, &after_ms);
    }
    queue_leave(waiter);
    return outcome == TAKEN ? OK : refuse(call, wish, outcome, after_ms);
}

static int take_place(struct call *call, const struct wish *wish, bool *ret_has)
{
    int64_t after_ms = 0;
    enum outcome outcome = try_to_take(wish, !queue_find(wish->key), &after_ms);
    int error = outcome == TAKEN ? OK : outcome == FULL ? wait_for(call, wish) : refuse(call, wish, outcome, after_ms);
    *ret_has = !error;
    return error;
}

static void give_back(uint64_t key, bool *has)
{
    if (!*has)
        return;
    *has = false;
    if (!table_lock())
        return;
    struct table_entry *entry = table_entry(key);
    if (entry->held[table_self()])
        entry->held[table_self()]--;
    table_unlock();
    wake_first(queue_find(key));
}

static void note(const struct gate_pass *pass, enum gate_verdict verdict)
{
    const struct limits_settings *limits = limits_settings();
    int64_t now_ms = clock_monotonic_ms();
    if (!table_lock())
        return;
    struct breaker *breaker = &table_entry(pass->site_key)->breaker;
    bool was_open = breaker->open_until_ms != 0;
    if (verdict == GATE_ANSWERED)
        breaker_answered(breaker, now_ms);
    else if (verdict == GATE_FAILED)
        breaker_failed(breaker, now_ms, pass->is_trial, limits->failures, limits->pause_ms);
    else
        breaker_unknown(breaker, pass->is_trial);
    bool is_open = breaker->open_until_ms != 0;
    table_unlock();
    if (is_open != was_open)
        metric_count(METRIC_BREAKER, is_open ? STR("opened") : STR("closed"));
    if (is_open && !was_open && on_opened)
        on_opened(pass->user_id, pass->host);
}

void gate_leave(struct gate_pass *pass, enum gate_verdict verdict)
{
    if (pass->has_site)
        note(pass, verdict);
    give_back(pass->user_key, &pass->has_user);
    give_back(pass->site_key, &pass->has_site);
}

static void leave(void *object)
{
    gate_leave(object, GATE_UNKNOWN);
}

int gate_enter(struct call *call, int64_t user_id, struct str site, struct str host, struct gate_pass **ret_pass)
{
    const struct limits_settings *limits = limits_settings();
    struct gate_pass *pass = arena_new_of(call->arena, struct gate_pass);
    *ret_pass = pass;
    if (!limits)
        return OK;
    pass->user_id = user_id;
    pass->host = host;
    pass->site_key = table_key("site", user_id, site);
    pass->user_key = table_key("user", user_id, STR_EMPTY);
    arena_defer(call->arena, leave, pass);
    struct wish of_site = {pass->site_key, limits->per_site, true, pass, host};
    struct wish of_user = {pass->user_key, limits->per_user, false, pass, host};
    /* The site's place first: those who wait for a slow site must not hold the places of its owner's others. */
    int error = take_place(call, &of_site, &pass->has_site);
    if (!error)
        error = take_place(call, &of_user, &pass->has_user);
    if (error)
        gate_leave(pass, GATE_UNKNOWN);
    return error;
}

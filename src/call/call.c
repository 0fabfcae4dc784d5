/* One unit of work. */
#include "call/call.h"

#include <pthread.h>
#include <sys/random.h>

static const char *const error_names[] = {
    "ok",        "invalid",     "unauthenticated", "denied", "not_found", "conflict", "limit",   "timeout",
    "cancelled", "unavailable", "upstream",        "egress", "crypto",    "internal", "waiting", "refused",
};

const char *error_name(int code)
{
    size_t index = code <= 0 ? (size_t)-code : ARRAY_LENGTH(error_names);
    return index < ARRAY_LENGTH(error_names) ? error_names[index] : "unknown";
}

/* Random numbers for ids, fetched many at a time: one a call would be a sixth of an empty request's system calls. */
static struct {
    uint64_t numbers[64];
    size_t n_left;
    bool fork_seen_to;
} ids;

static void forget_ids(void)
{
    ids.n_left = 0; /* a forked process must not repeat its parent's */
}

/* Not a secret, only distinct: an entropy source that is not ready yet may leave it to the clock. */
static uint64_t next_id(void)
{
    if (ids.n_left == 0) {
        if (!ids.fork_seen_to)
            ids.fork_seen_to = pthread_atfork(NULL, NULL, forget_ids) == 0;
        if (getrandom(ids.numbers, sizeof ids.numbers, GRND_NONBLOCK) != sizeof ids.numbers)
            return (uint64_t)clock_monotonic_ns();
        ids.n_left = ARRAY_LENGTH(ids.numbers);
    }
    return ids.numbers[--ids.n_left];
}

void call_init(struct call *call, struct arena *arena, int64_t timeout_ms)
{
    uint64_t id = next_id();
    *call = (struct call){.arena = arena, .deadline_ms = clock_monotonic_ms() + timeout_ms};
    for (size_t i = 0; i < CALL_ID_BYTES - 1; i++, id <<= 4)
        call->id[i] = "0123456789abcdef"[id >> 60];
}

static void release_piece(void *arena)
{
    arena_free(arena);
}

void call_init_piece(struct call *piece, struct call *whole, size_t budget_bytes)
{
    struct arena *arena = arena_new(budget_bytes);
    if (!arena)
        arena_give_up(whole->arena);
    arena_defer(whole->arena, release_piece, arena);
    arena_exhaust_with(arena, whole->arena);
    *piece = *whole;
    piece->arena = arena;
}

int fail(struct call *call, enum error code, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    call->error = code;
    call->retry_after_s = 0;
    call->error_rights = 0;
    call->error_text = str_format_list(call->arena, format, list);
    va_end(list);
    return code;
}

void fail_detail(struct call *call, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    call->error_detail = str_format_list(call->arena, format, list);
    va_end(list);
}

void call_clear_error(struct call *call)
{
    call->error = OK;
    call->error_rights = 0;
    call->error_text = STR_EMPTY;
    call->error_detail = STR_EMPTY;
    call->retry_after_s = 0;
}

int64_t call_time_left_ms(const struct call *call)
{
    int64_t left = call->deadline_ms - clock_monotonic_ms();
    return left > 0 ? left : 0;
}

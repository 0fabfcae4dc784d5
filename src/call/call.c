/* One unit of work. */
#include "call/call.h"

#include <stdio.h>
#include <sys/random.h>

static const char *const error_names[] = {
    "ok",      "invalid",   "unauthenticated", "denied",   "not_found", "conflict", "limit",
    "timeout", "cancelled", "unavailable",     "upstream", "egress",    "crypto",   "internal",
};

const char *error_name(int code)
{
    size_t index = code <= 0 ? (size_t)-code : ARRAY_LENGTH(error_names);
    return index < ARRAY_LENGTH(error_names) ? error_names[index] : "unknown";
}

void call_init(struct call *call, struct arena *arena, int64_t timeout_ms)
{
    uint64_t random_bits = 0;
    *call = (struct call){.arena = arena, .deadline_ms = clock_monotonic_ms() + timeout_ms};
    /* Not a secret, only distinct: an entropy source that is not ready yet may give zero. */
    if (getrandom(&random_bits, sizeof random_bits, GRND_NONBLOCK) != sizeof random_bits)
        random_bits = (uint64_t)clock_monotonic_ns();
    snprintf(call->id, sizeof call->id, "%016llx", (unsigned long long)random_bits);
}

int fail(struct call *call, enum error code, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    call->error = code;
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
    call->error_text = STR_EMPTY;
    call->error_detail = STR_EMPTY;
}

int64_t call_time_left_ms(const struct call *call)
{
    int64_t left = call->deadline_ms - clock_monotonic_ms();
    return left > 0 ? left : 0;
}

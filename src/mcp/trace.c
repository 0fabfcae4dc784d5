/* Trace context from a request's _meta. */
#include "mcp/trace.h"

static bool is_hex(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_is_digit(text.ptr[i]) && (text.ptr[i] < 'a' || text.ptr[i] > 'f'))
            return false;
    return true;
}

static bool is_zero(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '0')
            return false;
    return true;
}

/* version "-" trace-id "-" parent-id "-" flags; version 00 is the only one there is. */
bool trace_parent_is_good(struct str text)
{
    if (text.len != 55 || !str_starts_with(text, STR("00-")) || text.ptr[35] != '-' || text.ptr[52] != '-')
        return false;
    struct str trace = str_sub(text, 3, 32), parent = str_sub(text, 36, 16), flags = str_sub(text, 53, 2);
    return is_hex(trace) && is_hex(parent) && is_hex(flags) && !is_zero(trace) && !is_zero(parent);
}

/* Lists of key=value: visible ASCII and spaces, no more is needed of what is only handed on. */
static bool is_list(struct str text, size_t max_bytes)
{
    if (text.len == 0 || text.len > max_bytes || str_find_char(text, '=') == STR_NOT_FOUND)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < ' ' || text.ptr[i] > '~')
            return false;
    return text.ptr[0] != ' ' && text.ptr[text.len - 1] != ' ';
}

void trace_read(struct call *call, const struct json *meta)
{
    struct str parent = json_str(json_get(meta, STR("traceparent")));
    struct str state = json_str(json_get(meta, STR("tracestate")));
    struct str baggage = json_str(json_get(meta, STR("baggage")));
    if (trace_parent_is_good(parent)) {
        call->traceparent = parent;
        if (is_list(state, TRACE_STATE_MAX_BYTES)) /* means nothing without the other */
            call->tracestate = state;
    }
    if (is_list(baggage, TRACE_BAGGAGE_MAX_BYTES))
        call->baggage = baggage;
}

/* Spans of a request. */
#include <sodium.h> /* before base/banned.h: it names what is banned */

#include "net/span.h"

#include "json/json_write.h"
#include "net/otlp.h"

enum { TRACE_HEX = 32, ID_HEX = 16, PARENT_BYTES = 55, JSON_BYTES_MAX = OTLP_SPAN_BYTES_MAX };

struct attribute {
    const char *key;
    struct str text; /* ptr NULL: it is the number */
    int64_t number;
};

struct span {
    char trace[TRACE_HEX + 1], id[ID_HEX + 1], parent[ID_HEX + 1]; /* parent: empty for the first of a trace */
    enum span_kind kind;
    struct str name, error;
    int64_t begun_ns; /* on the monotonic clock */
    int64_t begun_unix_ms;
    struct attribute attributes[SPAN_ATTRIBUTES_MAX];
    size_t n_attributes;
    struct span *outer;
    struct str outer_parent; /* call->traceparent before */
    bool is_ended;
};

static int64_t percent = 100;

void span_set_percent(int64_t percent_)
{
    percent = percent_;
}

/* ---- the client's trace context */

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
bool span_parent_is_good(struct str text)
{
    if (text.len != PARENT_BYTES || !str_starts_with(text, STR("00-")) || text.ptr[35] != '-' || text.ptr[52] != '-')
        return false;
    struct str trace = str_sub(text, 3, TRACE_HEX), parent = str_sub(text, 36, ID_HEX), flags = str_sub(text, 53, 2);
    return is_hex(trace) && is_hex(parent) && is_hex(flags) && !is_zero(trace) && !is_zero(parent);
}

/* The lowest bit of the flags. */
static bool is_sampled(struct str traceparent)
{
    char last = traceparent.ptr[PARENT_BYTES - 1];
    return (last <= '9' ? last - '0' : last - 'a' + 10) & 1;
}

static void make_id(char *out, size_t digits)
{
    unsigned char bytes[TRACE_HEX / 2];
    do {
        randombytes_buf(bytes, digits / 2);
        sodium_bin2hex(out, digits + 1, bytes, digits / 2);
    } while (is_zero(str_of(out, digits)));
}

static void copy_digits(char *out, struct str digits)
{
    memcpy(out, digits.ptr, digits.len);
    out[digits.len] = '\0';
}

/* ---- the end of a span: it becomes text at once, because its call's memory goes */

static void write_key(struct json_writer *w, const char *key)
{
    json_object(w);
    json_member_str(w, "key", str_from(key));
    json_key(w, STR("value"));
    json_object(w);
}

static void write_text(struct json_writer *w, const char *key, struct str text)
{
    write_key(w, key);
    json_member_str(w, "stringValue", text);
    json_end(w);
    json_end(w);
}

/* 64-bit integers are strings in the JSON form of protobuf. */
static void write_number(struct json_writer *w, const char *key, int64_t number)
{
    char digits[24];
    write_key(w, key);
    snprintf(digits, sizeof digits, "%lld", (long long)number);
    json_member_str(w, "intValue", str_from(digits));
    json_end(w);
    json_end(w);
}

static void write_attributes(struct json_writer *w, const struct span *span)
{
    json_key(w, STR("attributes"));
    json_array(w);
    for (size_t i = 0; i < span->n_attributes; i++) {
        const struct attribute *attribute = &span->attributes[i];
        if (attribute->text.ptr)
            write_text(w, attribute->key, attribute->text);
        else
            write_number(w, attribute->key, attribute->number);
    }
    if (span->error.len)
        write_text(w, "error.type", span->error);
    json_end(w);
}

static void write_time(struct json_writer *w, const char *key, int64_t unix_ns)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", (long long)unix_ns);
    json_member_str(w, key, str_from(digits));
}

static void write_span(struct json_writer *w, const struct span *span)
{
    int64_t begun = span->begun_unix_ms * 1000000;
    json_object(w);
    json_member_str(w, "traceId", str_from(span->trace));
    json_member_str(w, "spanId", str_from(span->id));
    if (span->parent[0])
        json_member_str(w, "parentSpanId", str_from(span->parent));
    json_member_str(w, "name", span->name);
    json_member_i64(w, "kind", span->kind);
    write_time(w, "startTimeUnixNano", begun);
    write_time(w, "endTimeUnixNano", begun + clock_monotonic_ns() - span->begun_ns);
    write_attributes(w, span);
    json_key(w, STR("status"));
    json_object(w);
    if (span->error.len)
        json_member_i64(w, "code", 2);
    json_end(w);
    json_end(w);
}

static void give(struct span *span)
{
    struct buf text;
    struct json_writer w;
    if (span->is_ended)
        return;
    span->is_ended = true;
    buf_init_heap(&text, JSON_BYTES_MAX);
    json_write_init(&w, &text);
    write_span(&w, span);
    if (!buf_failed(&text))
        otlp_add(buf_str(&text));
    buf_done(&text);
}

static void abandoned(void *object)
{
    struct span *span = object;
    span_error(span, STR("abandoned"));
    give(span);
}

/* ---- */

static bool is_wanted(const struct call *call, enum span_kind kind)
{
    if (!otlp_is_on())
        return false;
    if (call->span)
        return true;
    if (kind != SPAN_SERVER)
        return false;
    if (call->traceparent.len == PARENT_BYTES)
        return is_sampled(call->traceparent);
    return percent == 100 || randombytes_uniform(100) < (uint32_t)percent;
}

struct span *span_begin(struct call *call, enum span_kind kind, struct str name)
{
    if (!is_wanted(call, kind))
        return NULL;
    struct span *span = arena_new_of(call->arena, struct span);
    *span = (struct span){.kind = kind, .begun_ns = clock_monotonic_ns(), .begun_unix_ms = clock_now_ms()};
    span->outer = call->span;
    span->outer_parent = call->traceparent;
    if (call->traceparent.len == PARENT_BYTES) {
        copy_digits(span->trace, str_sub(call->traceparent, 3, TRACE_HEX));
        copy_digits(span->parent, str_sub(call->traceparent, 36, ID_HEX));
    } else {
        make_id(span->trace, TRACE_HEX);
    }
    make_id(span->id, ID_HEX);
    span_name(span, name);
    arena_defer(call->arena, abandoned, span);
    call->span = span;
    call->traceparent = call_format(call, "00-%s-%s-01", span->trace, span->id);
    return span;
}

void span_name(struct span *span, struct str name)
{
    if (span)
        span->name = str_sub(name, 0, SPAN_NAME_BYTES_MAX);
}

static void add(struct span *span, const struct attribute *attribute)
{
    if (span && span->n_attributes < SPAN_ATTRIBUTES_MAX)
        span->attributes[span->n_attributes++] = *attribute;
}

void span_text(struct span *span, const char *key, struct str text)
{
    add(span, &(struct attribute){.key = key, .text = text.ptr ? text : STR_EMPTY});
}

void span_integer(struct span *span, const char *key, int64_t number)
{
    add(span, &(struct attribute){.key = key, .number = number});
}

void span_error(struct span *span, struct str type)
{
    if (span && !span->error.len)
        span->error = type;
}

void span_end(struct call *call, struct span *span)
{
    if (!span)
        return;
    give(span);
    call->span = span->outer;
    call->traceparent = span->outer_parent;
}

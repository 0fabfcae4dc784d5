/* Writing JSON into a buffer. */
#include "json/json_write.h"

#include "json/lex.h"
#include "json/number.h"

#include <assert.h>

void json_write_init(struct json_writer *w, struct buf *buf)
{
    *w = (struct json_writer){.buf = buf};
}

/* Notes that a value comes; true when a comma must stand before it. */
static bool next_value(struct json_writer *w)
{
    assert(w->keyed || w->depth == 0 || !(w->objects & 1));
    bool comma = w->comma;
    w->comma = true;
    w->keyed = false;
    return comma;
}

static void before_value(struct json_writer *w)
{
    if (next_value(w))
        buf_add_char(w->buf, ',');
}

static void open_bracket(struct json_writer *w, bool object)
{
    assert(w->depth < JSON_WRITE_DEPTH_MAX);
    before_value(w);
    buf_add_char(w->buf, object ? '{' : '[');
    w->objects = w->objects << 1 | object;
    w->depth++;
    w->comma = false;
}

void json_object(struct json_writer *w)
{
    open_bracket(w, true);
}

void json_array(struct json_writer *w)
{
    open_bracket(w, false);
}

void json_end(struct json_writer *w)
{
    assert(w->depth > 0 && !w->keyed);
    buf_add_char(w->buf, w->objects & 1 ? '}' : ']');
    w->objects >>= 1;
    w->depth--;
    w->comma = true;
}

/* What a character below 0x80 that is not plain becomes; the length. */
static size_t write_escape(unsigned char c, char to[6])
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[32] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    to[0] = '\\';
    to[1] = c >= 0x20 ? (char)c : letters[c];
    if (to[1])
        return 2;
    to[1] = 'u';
    to[2] = to[3] = '0';
    to[4] = hex[c >> 4];
    to[5] = hex[c & 15];
    return 6;
}

/* The sequence at *at, or U+FFFD for a byte that belongs to none; the length of what was written. */
static size_t write_utf8(const char **at, const char *end, char to[4])
{
    size_t length = utf8_sequence_length(*at, end);
    memcpy(to, length ? *at : "\xEF\xBF\xBD", length ? length : 3);
    *at += length ? length : 1;
    return length ? length : 3;
}

/* Up to 16 plain characters; how many. May write 16 bytes. */
static inline size_t copy_plain(const char *at, const char *end, char to[16])
{
    size_t left = (size_t)(end - at);
#ifdef LEX_SSE2
    if (left < 16) { /* the end of a text, and most names */
        char last[16] = {0};
        memcpy(last, at, left);
        unsigned mask = lex_special_bits(last);
        _mm_storeu_si128((__m128i *)(void *)to, lex_load(last));
        return (size_t)__builtin_ctz(mask); /* a NUL is special */
    }
    unsigned mask = lex_special_bits(at);
    _mm_storeu_si128((__m128i *)(void *)to, lex_load(at));
    return mask ? (size_t)__builtin_ctz(mask) : 16;
#else
    size_t count = (size_t)(lex_plain_portable(at, left > 16 ? at + 16 : end) - at);
    memcpy(to, at, count);
    return count;
#endif
}

enum {
    PIECE_BYTES = 512,
    STEP_BYTES = 16 + 6 + 2
}; /* what one step writes at most, and the closing quote with its colon */

/* In quotes; with a comma before and a colon behind when those are due. Collected in pieces, for one byte at a time is slow. */
static void add_quoted(struct buf *buf, bool comma, struct str text, bool colon)
{
    char piece[PIECE_BYTES] UNSET;
    size_t used = 0;
    const char *at = text.ptr, *end = at + text.len;
    if (comma)
        piece[used++] = ',';
    piece[used++] = '"';
    while (at < end) {
        if (used > PIECE_BYTES - STEP_BYTES) {
            buf_add(buf, str_of(piece, used));
            used = 0;
        }
        size_t plain = copy_plain(at, end, piece + used);
        at += plain;
        used += plain;
        if (plain == 16 || at == end)
            continue;
        if ((unsigned char)*at >= 0x80)
            used += write_utf8(&at, end, piece + used);
        else
            used += write_escape((unsigned char)*at++, piece + used);
    }
    piece[used++] = '"';
    if (colon)
        piece[used++] = ':';
    buf_add(buf, str_of(piece, used));
}

void json_key(struct json_writer *w, struct str name)
{
    assert(w->depth > 0 && (w->objects & 1) && !w->keyed);
    add_quoted(w->buf, w->comma, name, true);
    w->comma = false;
    w->keyed = true;
}

void json_string(struct json_writer *w, struct str text)
{
    add_quoted(w->buf, next_value(w), text, false);
}

void json_i64(struct json_writer *w, int64_t number)
{
    before_value(w);
    buf_add_i64(w->buf, number);
}

void json_u64(struct json_writer *w, uint64_t number)
{
    before_value(w);
    buf_add_u64(w->buf, number);
}

void json_bool_value(struct json_writer *w, bool value)
{
    before_value(w);
    buf_add(w->buf, value ? STR("true") : STR("false"));
}

void json_null_value(struct json_writer *w)
{
    before_value(w);
    buf_add(w->buf, STR("null"));
}

void json_raw_value(struct json_writer *w, struct str raw)
{
    before_value(w);
    while (raw.len) {
        size_t length = str_find_char(raw, '\n');
        struct str line = str_sub(raw, 0, length), piece;
        raw = str_from_offset(raw, length == STR_NOT_FOUND ? raw.len : length + 1);
        while (str_next(&line, '\r', &piece))
            buf_add(w->buf, piece);
    }
}

/* Recursion here and below: JSON_DEPTH_MAX levels at most, by json_parse(). */
static void add_compact(struct buf *buf, const struct json *value)
{
    bool object = value->type == JSON_OBJECT;
    if (!value->spaced) {
        buf_add(buf, value->type == JSON_MISSING ? STR("null") : json_raw(value));
        return;
    }
    buf_add_char(buf, object ? '{' : '[');
    for (size_t i = 0; i < json_count(value); i++) {
        if (object) {
            struct json_member member = json_member_at(value, i);
            add_quoted(buf, i > 0, member.name, true);
            add_compact(buf, member.value);
        } else {
            if (i > 0)
                buf_add_char(buf, ',');
            add_compact(buf, json_at(value, i));
        }
    }
    buf_add_char(buf, object ? '}' : ']');
}

void json_value(struct json_writer *w, const struct json *value)
{
    before_value(w);
    add_compact(w->buf, value);
}

void json_member_str(struct json_writer *w, const char *key, struct str text)
{
    json_key(w, str_from(key));
    json_string(w, text);
}

void json_member_i64(struct json_writer *w, const char *key, int64_t number)
{
    json_key(w, str_from(key));
    json_i64(w, number);
}

void json_member_bool(struct json_writer *w, const char *key, bool value)
{
    json_key(w, str_from(key));
    json_bool_value(w, value);
}

void json_member_null(struct json_writer *w, const char *key)
{
    json_key(w, str_from(key));
    json_null_value(w);
}

void json_member_raw(struct json_writer *w, const char *key, struct str raw)
{
    json_key(w, str_from(key));
    json_raw_value(w, raw);
}

void json_member_value(struct json_writer *w, const char *key, const struct json *value)
{
    json_key(w, str_from(key));
    json_value(w, value);
}

struct str json_quote(struct arena *arena, struct str text)
{
    struct buf buf;
    buf_init(&buf, arena, SIZE_MAX / 2); /* the arena's budget is the limit */
    add_quoted(&buf, false, text, false);
    return buf_str(&buf);
}

static void add_canonical(struct buf *buf, const struct json *value);

static void add_canonical_members(struct buf *buf, const struct json *object)
{
    uint32_t room[JSON_SMALL_OBJECT];
    const uint32_t *order = json_sorted(object, room);
    buf_add_char(buf, '{');
    for (size_t i = 0; i < json_count(object); i++) {
        struct json_member member = json_member_at(object, order[i]);
        add_quoted(buf, i > 0, member.name, true);
        add_canonical(buf, member.value);
    }
    buf_add_char(buf, '}');
}

static void add_canonical(struct buf *buf, const struct json *value)
{
    switch (value->type) {
    case JSON_OBJECT:
        add_canonical_members(buf, value);
        break;
    case JSON_ARRAY:
        buf_add_char(buf, '[');
        for (size_t i = 0; i < json_count(value); i++) {
            if (i > 0)
                buf_add_char(buf, ',');
            add_canonical(buf, json_at(value, i));
        }
        buf_add_char(buf, ']');
        break;
    case JSON_STRING:
        add_quoted(buf, false, json_str(value), false);
        break;
    case JSON_NUMBER:
        number_write_canonical(buf, json_raw(value));
        break;
    default:
        add_compact(buf, value);
    }
}

void json_canonical(struct buf *buf, const struct json *value)
{
    add_canonical(buf, value);
}

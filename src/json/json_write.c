/* Writing JSON into a buffer. */
#include "json/json_write.h"

#include "json/lex.h"
#include "json/number.h"

#include <assert.h>

void json_write_init(struct json_writer *w, struct buf *buf)
{
    *w = (struct json_writer){.buf = buf};
}

/* What must stand before a value. */
static void before_value(struct json_writer *w)
{
    assert(w->keyed || w->depth == 0 || !(w->objects & 1));
    if (w->comma)
        buf_add_char(w->buf, ',');
    w->comma = true;
    w->keyed = false;
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

static void add_escape(struct buf *buf, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[32] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    size_t length = 6;
    if (c >= 0x20 || letters[c]) {
        escape[1] = c >= 0x20 ? (char)c : letters[c];
        length = 2;
    }
    buf_add(buf, str_of(escape, length));
}

/* In quotes. */
static void add_quoted(struct buf *buf, struct str text)
{
    const char *at = text.ptr, *end = at + text.len, *begin = at; /* [begin, at) is still to be copied */
    buf_reserve(buf, text.len + 2);
    buf_add_char(buf, '"');
    while ((at = lex_plain(at, end)) < end) {
        size_t length = (unsigned char)*at >= 0x80 ? lex_utf8(at, end) : 0;
        if (length) {
            at += length;
            continue;
        }
        buf_add(buf, str_of(begin, (size_t)(at - begin)));
        if ((unsigned char)*at >= 0x80)
            buf_add(buf, STR("\xEF\xBF\xBD"));
        else
            add_escape(buf, (unsigned char)*at);
        begin = ++at;
    }
    buf_add(buf, str_of(begin, (size_t)(end - begin)));
    buf_add_char(buf, '"');
}

void json_key(struct json_writer *w, struct str name)
{
    assert(w->depth > 0 && (w->objects & 1) && !w->keyed);
    if (w->comma)
        buf_add_char(w->buf, ',');
    add_quoted(w->buf, name);
    buf_add_char(w->buf, ':');
    w->comma = false;
    w->keyed = true;
}

void json_string(struct json_writer *w, struct str text)
{
    before_value(w);
    add_quoted(w->buf, text);
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
    if (!object && value->type != JSON_ARRAY) {
        buf_add(buf, value->type == JSON_MISSING ? STR("null") : json_raw(value));
        return;
    }
    buf_add_char(buf, object ? '{' : '[');
    for (size_t i = 0; i < json_count(value); i++) {
        if (i > 0)
            buf_add_char(buf, ',');
        if (object) {
            struct json_member member = json_member_at(value, i);
            add_quoted(buf, member.name);
            buf_add_char(buf, ':');
            add_compact(buf, member.value);
        } else {
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
    add_quoted(&buf, text);
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
        if (i > 0)
            buf_add_char(buf, ',');
        add_quoted(buf, member.name);
        buf_add_char(buf, ':');
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
        add_quoted(buf, json_str(value));
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

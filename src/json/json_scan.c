/* Reading JSON without building values. */
#include "json/json_scan.h"

#include "json/lex.h"
#include "json/number.h"

/* Whether what is open, from the outermost inwards, is an object: one bit each, so 64 deep. */
struct nest {
    uint64_t objects;
    unsigned depth;
};
enum { NEST_MAX = 64 };

static bool nest_open(struct nest *nest, struct lex *lex, bool object)
{
    if (nest->depth == NEST_MAX)
        return lex_fail(lex, lex->at, E_LIMIT, "arrays and objects are nested too deep");
    nest->objects = nest->objects << 1 | object;
    nest->depth++;
    lex->at++;
    return true;
}

/* A name with its colon; *ret_name is what stands between the quotes. */
static bool skip_name(struct lex *lex, struct str *ret_name)
{
    bool escaped;
    lex_space(lex);
    if (lex_peek(lex) != '"')
        return lex_fail_unexpected(lex);
    const char *begin = ++lex->at;
    if (!lex_string(lex, &escaped))
        return false;
    *ret_name = str_of(begin, (size_t)(lex->at - begin) - 1);
    lex_space(lex);
    if (lex_peek(lex) != ':')
        return lex_fail_unexpected(lex);
    lex->at++;
    return true;
}

/* A value that is complete, or an opening bracket. */
static bool skip_begin(struct nest *nest, struct lex *lex)
{
    bool escaped;
    lex_space(lex);
    switch (lex_peek(lex)) {
    case '"':
        lex->at++;
        return lex_string(lex, &escaped);
    case '{':
        return nest_open(nest, lex, true);
    case '[':
        return nest_open(nest, lex, false);
    case 't':
        return lex_word(lex, STR("true"));
    case 'f':
        return lex_word(lex, STR("false"));
    case 'n':
        return lex_word(lex, STR("null"));
    case '-':
    case '0' ... '9':
        return lex_number(lex);
    default:
        return lex_fail_unexpected(lex);
    }
}

/*
 * Within an array or object: over its closing bracket (*ret_closed), or to the next item or the next member's value.
 * `first`: nothing was read in it yet, so no comma is due.
 */
static bool skip_between(struct lex *lex, bool object, bool first, bool *ret_closed, struct str *ret_name)
{
    lex_space(lex);
    char c = lex_peek(lex);
    *ret_closed = c == (object ? '}' : ']');
    if (*ret_closed) {
        lex->at++;
        return true;
    }
    if (!first) {
        if (c != ',')
            return lex_fail_unexpected(lex);
        lex->at++;
    }
    return object ? skip_name(lex, ret_name) : true;
}

/* Over one value, however deep. */
static bool skip_value(struct lex *lex, struct str *ret_raw)
{
    struct nest nest = {0, 0};
    struct str name;
    lex_space(lex);
    const char *begin = lex->at;
    do {
        unsigned before = nest.depth;
        if (!skip_begin(&nest, lex))
            return false;
        bool first = nest.depth > before;
        while (nest.depth > 0) {
            bool closed;
            if (!skip_between(lex, nest.objects & 1, first, &closed, &name))
                return false;
            if (!closed)
                break;
            nest.objects >>= 1;
            nest.depth--;
            first = false;
        }
    } while (nest.depth > 0);
    *ret_raw = str_of(begin, (size_t)(lex->at - begin));
    return true;
}

void json_scan_init(struct json_scan *scan, struct str text)
{
    struct lex lex = {.at = text.ptr, .end = text.ptr + text.len};
    lex_space(&lex);
    char c = lex_peek(&lex);
    *scan = (struct json_scan){
        .raw = STR_EMPTY,
        .name = STR_EMPTY,
        .at = lex.at,
        .end = lex.end,
        .object = c == '{',
        .failed = c != '{' && c != '[',
    };
    if (!scan->failed)
        scan->at++;
}

/* One item further in *lex, which stands inside the brackets. */
static bool scan_step(struct json_scan *scan, struct lex *lex)
{
    if (!skip_between(lex, scan->object, !scan->begun, &scan->ended, &scan->name))
        return false;
    scan->begun = true;
    if (!scan->ended)
        return skip_value(lex, &scan->raw);
    lex_space(lex);
    return lex->at == lex->end;
}

bool json_scan_next(struct json_scan *scan)
{
    if (scan->ended || scan->failed)
        return false;
    struct lex lex = {.at = scan->at, .end = scan->end};
    scan->failed = !scan_step(scan, &lex);
    scan->at = lex.at;
    return !scan->ended && !scan->failed;
}

bool json_scan_ok(const struct json_scan *scan)
{
    return scan->ended && !scan->failed;
}

bool json_scan_name_is(const struct json_scan *scan, struct str name)
{
    /* Nearly every name is written without escapes. */
    if (str_find_char(scan->name, '\\') == STR_NOT_FOUND)
        return str_eq(scan->name, name);
    return lex_inside_is(scan->name, name);
}

bool json_scan_member(struct str object_text, struct str name, struct str *ret_raw)
{
    struct json_scan scan;
    json_scan_init(&scan, object_text);
    while (scan.object && json_scan_next(&scan))
        if (json_scan_name_is(&scan, name)) {
            *ret_raw = scan.raw;
            return true;
        }
    return false;
}

bool json_scan_path(struct str object_text, const char *dotted, struct str *ret_raw)
{
    struct str rest = str_from(dotted), piece, raw = object_text;
    while (str_next(&rest, '.', &piece))
        if (!json_scan_member(raw, piece, &raw))
            return false;
    *ret_raw = raw;
    return true;
}

/* `raw` is one value that begins with one of `starts`. */
static bool scan_one(struct str *raw, const char *starts)
{
    struct lex lex = {.at = raw->ptr, .end = raw->ptr + raw->len};
    lex_space(&lex);
    char c = lex_peek(&lex);
    if (c == '\0' || !strchr(starts, c) || !skip_value(&lex, raw))
        return false;
    lex_space(&lex);
    return lex.at == lex.end;
}

bool json_scan_str(struct arena *arena, struct str raw, struct str *ret)
{
    if (!scan_one(&raw, "\""))
        return false;
    struct str inside = str_of(raw.ptr + 1, raw.len - 2);
    if (str_find_char(inside, '\\') != STR_NOT_FOUND) {
        char *text = arena_alloc(arena, inside.len);
        inside = str_of(text, lex_decode(inside, text));
    }
    *ret = inside;
    return true;
}

bool json_scan_i64(struct str raw, int64_t *ret)
{
    return scan_one(&raw, "-0123456789") && number_to_i64(raw, ret);
}

bool json_scan_bool(struct str raw, bool *ret)
{
    if (!scan_one(&raw, "tf"))
        return false;
    *ret = raw.ptr[0] == 't';
    return true;
}

bool json_scan_valid(struct str text)
{
    return scan_one(&text, "\"{[tfn-0123456789");
}

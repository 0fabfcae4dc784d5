/*
 * Reading JSON without building values: for a large answer of which few members are wanted. No memory is used; what comes out
 * are pieces of the source ("raw": a value as it was written).
 *
 *     struct json_scan posts;
 *     struct str title;
 *     json_scan_init(&posts, body);
 *     while (json_scan_next(&posts))
 *         if (json_scan_path(posts.raw, "title.rendered", &title) && json_scan_str(arena, title, &title)) ...
 *     if (!json_scan_ok(&posts))
 *         return fail(call, E_UPSTREAM, ...);
 *
 * Every byte that is passed over is checked as strictly as json_parse() does, with two exceptions: duplicate names are not
 * noticed (the first one counts), and bytes behind the place where a search ends are not looked at. Where both read a text,
 * both find the same. Nesting is limited to 64.
 */
#ifndef JSON_JSON_SCAN_H
#define JSON_JSON_SCAN_H

#include "base/arena.h"

struct json_scan {
    struct str raw;  /* the present item, or the present member's value */
    struct str name; /* the present member's name as written, without quotes: ask json_scan_name_is() */
    const char *at, *end;
    bool object;
    bool begun;
    bool ended;
    bool failed;
};

/* text: an array or an object; on anything else json_scan_next() is false at once, and json_scan_ok() as well. */
void json_scan_init(struct json_scan *scan, struct str text);
/* Moves to the next item or member; false at the end, and when the text is malformed. */
bool json_scan_next(struct json_scan *scan);
/* After the last json_scan_next(): the text was well-formed from its first to its last byte. */
MUST_CHECK bool json_scan_ok(const struct json_scan *scan);
bool json_scan_name_is(const struct json_scan *scan, struct str name);

/* The value of a member of an object. False: no object, no such member, or malformed on the way to it. */
MUST_CHECK bool json_scan_member(struct str object_text, struct str name, struct str *ret_raw);
/* "title.rendered": member by member (names without dots). */
MUST_CHECK bool json_scan_path(struct str object_text, const char *dotted, struct str *ret_raw);

/* What a raw value holds; false when it is of another type, or not one well-formed value. */
MUST_CHECK bool json_scan_str(struct arena *arena, struct str raw, struct str *ret);
MUST_CHECK bool json_scan_i64(struct str raw, int64_t *ret);
MUST_CHECK bool json_scan_bool(struct str raw, bool *ret);
/* One well-formed value, white space around it, and nothing else. */
MUST_CHECK bool json_scan_valid(struct str text);

#endif

/*
 * Writing JSON into a buffer. Commas and colons come by themselves; write all, then ask once with buf_failed().
 *
 *     struct json_writer w;
 *     json_write_init(&w, &buf);
 *     json_object(&w);
 *     json_member_str(&w, "name", name);
 *     json_key(&w, STR("ids"));
 *     json_array(&w);
 *     json_i64(&w, 7);
 *     json_end(&w);
 *     json_end(&w);
 *
 * What is written has no line breaks and no spaces, so one text is one line (as stdio transport and SSE need it). Invalid
 * UTF-8 in a string becomes U+FFFD, a character for a byte. Calls in an order that makes no JSON (a value without a key in an
 * object) are mistakes of ours and assert.
 */
#ifndef JSON_JSON_WRITE_H
#define JSON_JSON_WRITE_H

#include "json/json.h"

enum { JSON_WRITE_DEPTH_MAX = 64 };

struct json_writer {
    struct buf *buf;
    uint64_t objects; /* of what is open, innermost lowest: 1 object, 0 array */
    unsigned depth;
    bool comma; /* one is due before the next value or key */
    bool keyed; /* a key waits for its value */
};

void json_write_init(struct json_writer *w, struct buf *buf);

void json_object(struct json_writer *w);
void json_array(struct json_writer *w);
void json_end(struct json_writer *w); /* closes the innermost of the two */
void json_key(struct json_writer *w, struct str name);

void json_string(struct json_writer *w, struct str text);
void json_i64(struct json_writer *w, int64_t number);
void json_u64(struct json_writer *w, uint64_t number);
void json_bool_value(struct json_writer *w, bool value);
void json_null_value(struct json_writer *w);
/* `raw` must be a well-formed value; only line breaks (which can stand between its tokens) are left out. */
void json_raw_value(struct json_writer *w, struct str raw);
/* Without the source's white space, else as it was written. JSON_MISSING becomes null. */
void json_value(struct json_writer *w, const struct json *value);

/* key and value at once; `key` is a C string */
void json_member_str(struct json_writer *w, const char *key, struct str text);
void json_member_i64(struct json_writer *w, const char *key, int64_t number);
void json_member_bool(struct json_writer *w, const char *key, bool value);
void json_member_null(struct json_writer *w, const char *key);
void json_member_raw(struct json_writer *w, const char *key, struct str raw);
void json_member_value(struct json_writer *w, const char *key, const struct json *value);

/* The text in quotes, with escapes. */
struct str json_quote(struct arena *arena, struct str text);

/*
 * One text for one value, for hashes: members sorted by name (bytewise), no spaces, shortest escapes, integers in the range of
 * int64_t as digits, other numbers as digits "e" exponent (1.50 is 15e-1). Equal values (json_equal) give equal bytes.
 */
void json_canonical(struct buf *buf, const struct json *value);

#endif

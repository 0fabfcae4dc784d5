/*
 * JSON texts as a tree of constant values in an arena (RFC 8259, strict). Pure: nothing here waits or fails a call.
 *
 *     const struct json *args;
 *     struct json_error error;
 *     if (json_parse(arena, text, NULL, &args, &error) < 0)
 *         return fail(call, E_INVALID, "not JSON: %s at byte %zu", error.reason, error.offset);
 *     int64_t limit = json_i64_or(json_get(args, STR("limit")), 10);
 *     struct str title = json_str(json_path(post, "title.rendered"));
 *
 * Values point into the source text, which must live as long as they do; only strings with escapes are copied. Whatever two
 * parsers could read differently is refused: duplicate names, bytes that are not UTF-8, lone surrogates, a byte order mark,
 * bytes behind the value. U+0000 is a legal character: a string is a slice, not a C string.
 *
 * For a large answer of which few members are wanted, json/json_scan.h reads without building values.
 */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include "base/buf.h"
#include "json/json_scan.h"

enum json_type { JSON_MISSING, JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* Constant after parsing. The members are json.c's business: use the functions below. */
struct json {
    enum json_type type : 8;
    bool indexed; /* an object with so many members that they have an index by name */
    bool boolean;
    bool spaced; /* there is white space between its tokens */
    uint32_t name_len;
    const char *name; /* as member of an object */
    const char *raw;
    uint32_t raw_len;
    uint32_t count; /* bytes of a string, items of an array, members of an object */
    union {
        const char *text;            /* string */
        const struct json *children; /* array, object */
        const struct json_index *index;
    };
};

struct json_limits {
    size_t max_depth; /* nested arrays and objects; JSON_DEPTH_MAX at most, whatever is asked for */
    size_t max_bytes;
    bool reject_duplicates; /* false: all are kept in order, and json_get() finds the last one */
};

enum {
    JSON_DEPTH_DEFAULT = 64,
    JSON_DEPTH_MAX = 128,
    JSON_BYTES_DEFAULT = 16 * 1024 * 1024,
    JSON_SMALL_OBJECT = 32, /* with more members, an object has an index by name */
};
#define JSON_LIMITS_DEFAULT ((struct json_limits){JSON_DEPTH_DEFAULT, JSON_BYTES_DEFAULT, true})

struct json_error {
    size_t offset; /* of the byte that is wrong */
    const char *reason;
};

/*
 * OK, E_INVALID, or E_LIMIT (depth, size, length of a number). limits NULL: JSON_LIMITS_DEFAULT; ret_error may be NULL.
 * After a failure *ret is a JSON_MISSING value. Memory: 40 bytes a value, and the strings that have escapes.
 */
MUST_CHECK int json_parse(struct arena *arena, struct str text, const struct json_limits *limits,
                          const struct json **ret, struct json_error *ret_error);

/*
 * Never NULL: what is not there, or not in an object or array, is a value of type JSON_MISSING, so chains are safe.
 * Names are compared exactly, byte by byte.
 */
__attribute__((returns_nonnull)) const struct json *json_get(const struct json *object, struct str name);
__attribute__((returns_nonnull)) const struct json *json_at(const struct json *array, size_t index);
/* "title.rendered", "items.0.id": names (without dots in them) and array indexes. */
__attribute__((returns_nonnull)) const struct json *json_path(const struct json *value, const char *dotted);
__attribute__((returns_nonnull)) const struct json *json_path_str(const struct json *value, struct str dotted);

/* Items of an array, members of an object, else 0. */
size_t json_count(const struct json *value);

struct json_member {
    struct str name;
    const struct json *value; /* never NULL */
};
/* In the order of the source. */
struct json_member json_member_at(const struct json *object, size_t index);

static inline bool json_is(const struct json *value, enum json_type type)
{
    return value->type == type;
}

/* The word for people: "string", "number", "nothing" for JSON_MISSING. */
const char *json_type_name(enum json_type type);

struct str json_str(const struct json *value); /* STR_EMPTY when it is no string */
struct str json_str_or(const struct json *value, struct str otherwise);
/* Only an integral number in range; 5.0 and 5e0 count as 5. */
MUST_CHECK bool json_to_i64(const struct json *value, int64_t *ret);
/* False for what is no number and for 1e999: infinity never comes out. */
MUST_CHECK bool json_to_double(const struct json *value, double *ret);
int64_t json_i64_or(const struct json *value, int64_t otherwise);
bool json_bool_or(const struct json *value, bool otherwise);

/* The value's bytes in the source, as they were written; empty for JSON_MISSING. */
struct str json_raw(const struct json *value);

/* The same value: members in any order, numbers by value (1.0 equals 1), strings by text. */
bool json_equal(const struct json *a, const struct json *b);

/*
 * The places of an object's members when sorted by name, bytewise, for json_member_at(). The caller lends `room`, which is
 * used for small objects; larger ones have their index.
 */
const uint32_t *json_sorted(const struct json *object, uint32_t room[JSON_SMALL_OBJECT]);

#endif

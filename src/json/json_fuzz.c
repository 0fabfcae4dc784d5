/*
 * Any bytes: the reader agrees with jansson (where the rules are the same) on what is JSON and what it says, the scanner with
 * the reader, and what is written reads back as what it was.
 */
#include "json/json_write.h"

#include "call/call.h"

#include <setjmp.h>

/* Some of jansson's names are ours. */
#define json_object jansson_object
#define json_array jansson_array
#define json_string jansson_string
#define json_equal jansson_equal
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY JANSSON_ARRAY
#define JSON_STRING JANSSON_STRING
#define JSON_NULL JANSSON_NULL
#include <jansson.h>
#undef json_object
#undef json_array
#undef json_string
#undef json_equal
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_NULL

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition) ((condition) ? (void)0 : broken(#condition, __LINE__))

static void broken(const char *condition, int line)
{
    fprintf(stderr, "json_fuzz.c:%d: not so: %s\n", line, condition);
    abort();
}

static void compare_number(const struct json *ours, const json_t *theirs)
{
    int64_t integer;
    double real;
    if (json_is_integer(theirs)) {
        MUST(json_to_i64(ours, &integer) && integer == json_integer_value(theirs));
        MUST(json_to_double(ours, &real) && real == (double)integer);
        return;
    }
    MUST(json_is_real(theirs));
    MUST(json_to_double(ours, &real) && real == json_real_value(theirs));
    if (json_to_i64(ours, &integer))
        MUST((double)integer == real);
}

static void compare(const struct json *ours, json_t *theirs)
{
    switch (json_typeof(theirs)) {
    case JANSSON_OBJECT:
        MUST(json_is(ours, JSON_OBJECT) && json_count(ours) == json_object_size(theirs));
        for (size_t i = 0; i < json_count(ours); i++) {
            struct json_member member = json_member_at(ours, i);
            json_t *other = json_object_getn(theirs, member.name.ptr, member.name.len);
            MUST(other);
            MUST(json_get(ours, member.name) == member.value);
            compare(member.value, other);
        }
        break;
    case JANSSON_ARRAY:
        MUST(json_is(ours, JSON_ARRAY) && json_count(ours) == json_array_size(theirs));
        for (size_t i = 0; i < json_count(ours); i++)
            compare(json_at(ours, i), json_array_get(theirs, i));
        break;
    case JANSSON_STRING:
        MUST(json_is(ours, JSON_STRING));
        MUST(str_eq(json_str(ours), str_of(json_string_value(theirs), json_string_length(theirs))));
        MUST(str_is_utf8(json_str(ours)));
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        compare_number(ours, theirs);
        break;
    case JANSSON_NULL:
        MUST(json_is(ours, JSON_NULL));
        break;
    default:
        MUST(json_is(ours, JSON_BOOL) && json_bool_or(ours, false) == json_is_true(theirs));
    }
}

/* `accepted`: json_parse() took it; `limited`: it passed a limit of ours. */
static void ask_jansson(struct str text, const struct json *value, bool accepted, bool limited)
{
    json_error_t error;
    /* jansson takes a NUL byte behind the value for the end of the text. */
    if (str_find_char(text, '\0') != STR_NOT_FOUND) {
        MUST(!accepted);
        return;
    }
    json_t *theirs = json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (theirs) {
        MUST(accepted || limited);
        if (accepted)
            compare(value, theirs);
        json_decref(theirs);
        return;
    }
    /* What jansson cannot hold: integers beyond 64 bits, reals beyond double, NUL in a name. */
    enum json_error_code code = json_error_code(&error);
    MUST(!accepted || code == json_error_numeric_overflow || code == json_error_null_byte_in_key);
}

static const struct json *parse(struct arena *arena, struct str text)
{
    const struct json *value;
    MUST(json_parse(arena, text, NULL, &value, NULL) == OK);
    return value;
}

static void write_and_read(struct arena *arena, const struct json *value)
{
    struct buf compact, canonical, again;
    struct json_writer w;
    buf_init(&compact, arena, 4 << 20);
    buf_init(&canonical, arena, 4 << 20);
    buf_init(&again, arena, 4 << 20);
    json_write_init(&w, &compact);
    json_value(&w, value);
    json_canonical(&canonical, value);
    MUST(!buf_failed(&compact) && !buf_failed(&canonical));
    MUST(compact.len <= json_raw(value).len);
    MUST(!memchr(compact.ptr, '\n', compact.len) && !memchr(canonical.ptr, '\n', canonical.len));
    MUST(json_equal(value, parse(arena, buf_str(&compact))));
    const struct json *other;
    int result = json_parse(arena, buf_str(&canonical), NULL, &other, NULL);
    if (result == E_LIMIT)
        return; /* "e0" behind a number that was as long as can be */
    MUST(result == OK);
    MUST(json_equal(value, other) && json_equal(other, value));
    json_canonical(&again, other);
    MUST(str_eq(buf_str(&again), buf_str(&canonical)));
}

/* The scanner finds in a value's bytes what the reader found. */
static void scan_and_compare(struct arena *arena, const struct json *value)
{
    struct str raw = json_raw(value), text;
    int64_t a, b;
    bool boolean;
    MUST(json_scan_valid(raw));
    MUST(json_scan_str(arena, raw, &text) == json_is(value, JSON_STRING));
    MUST(!json_is(value, JSON_STRING) || str_eq(text, json_str(value)));
    MUST(json_scan_i64(raw, &a) == json_to_i64(value, &b) && (!json_to_i64(value, &b) || a == b));
    MUST(json_scan_bool(raw, &boolean) == json_is(value, JSON_BOOL));
    struct json_scan scan;
    json_scan_init(&scan, raw);
    for (size_t i = 0; i < json_count(value); i++) {
        bool object = json_is(value, JSON_OBJECT);
        struct json_member member = json_member_at(value, i);
        const struct json *child = object ? member.value : json_at(value, i);
        MUST(json_scan_next(&scan) && str_eq(scan.raw, json_raw(child)));
        if (object) {
            MUST(json_scan_name_is(&scan, member.name));
            MUST(json_scan_member(raw, member.name, &text) && str_eq(text, json_raw(child)));
        }
        scan_and_compare(arena, child);
    }
    MUST(!json_scan_next(&scan));
    MUST(json_scan_ok(&scan) == (json_is(value, JSON_OBJECT) || json_is(value, JSON_ARRAY)));
}

static jmp_buf exhausted;

static void jump(struct arena *arena, size_t size, void *context)
{
    (void)arena;
    (void)size;
    (void)context;
    longjmp(exhausted, 1);
}

/* Memory ends somewhere in the middle. */
static void parse_with_little(struct str text)
{
    struct arena *volatile arena = arena_new(text.len * 4);
    MUST(arena);
    arena_on_exhausted(arena, jump, NULL);
    if (!setjmp(exhausted)) {
        const struct json *value;
        (void)!json_parse(arena, text, NULL, &value, NULL);
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_of((const char *)data, size);
    struct arena *arena = arena_new(256 << 20);
    const struct json *value, *with_twins;
    struct json_error error;
    struct json_limits lenient = JSON_LIMITS_DEFAULT;
    lenient.reject_duplicates = false;
    MUST(arena);
    int result = json_parse(arena, text, NULL, &value, &error);
    int without_names = json_parse(arena, text, &lenient, &with_twins, NULL);
    MUST((result == OK) == (error.reason == NULL) && error.offset <= size);
    MUST(result != OK || without_names == OK);
    MUST(json_scan_valid(text) == (without_names == OK));
    ask_jansson(text, value, result == OK, result == E_LIMIT);
    if (result == OK) {
        write_and_read(arena, value);
        scan_and_compare(arena, value);
    } else {
        struct json_scan scan;
        json_scan_init(&scan, text);
        while (json_scan_next(&scan))
            continue;
        MUST(!json_scan_ok(&scan) || without_names == OK || result == E_LIMIT);
    }
    parse_with_little(text);
    arena_free(arena);
    return 0;
}

/* What the reader accepts and refuses, what comes out, and that memory ending midway costs nothing. */
#include "json/json.h"

#include "call/call.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct arena *arena;

static int new_arena(void **state)
{
    (void)state;
    arena = arena_new(64 << 20);
    return arena == NULL;
}

static int free_arena(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static const struct json *parse(struct str text)
{
    const struct json *value;
    struct json_error error;
    if (json_parse(arena, text, NULL, &value, &error) < 0)
        fail_msg("%.*s: %s at byte %zu", STR_ARG(text), error.reason, error.offset);
    return value;
}

/* Texts with a NUL in them are in test_nul(). */
static const char *const good[] = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "\"\"",
    "[]",
    "{}",
    " [ ] ",
    "\t\n\r {\r\n}\t",
    "[[]]",
    "[{}]",
    "{\"a\":[]}",
    "{\"\":0}",
    "[null,true,false,1,\"a\",[],{}]",
    "1.5",
    "-1.5e+10",
    "1E400",
    "0e0",
    "0.0",
    "1e-7",
    "[1,2]",
    "{\"a\":{\"a\":{\"a\":1}}}",
    "123456789012345678901234567890",
    "-0.0000000000000000000000000000000000000000000000000000000000000000000000000000001",
    "\"\\u0041\\n\\\"\\\\\\/\\b\\f\\r\\t\"",
    "\"\\ud83d\\ude00\"",
    "\"\\uD83D\\uDE00\"",
    "\"\\u0000\"",
    "\"\x7f\"",
    "\"\xc3\xa9\"",
    "\"\xe2\x82\xac\"",
    "\"\xf0\x9f\x98\x80\"",
    "\"\xef\xbf\xbf\"",
    "\"\xf4\x8f\xbf\xbf\"",
    "\"\xed\x9f\xbf\xee\x80\x80\"",
    "\"\\uFEFF\"",
    "\"\xef\xbb\xbf\"",
    "\"/\"",
    "\"\\u2028\"",
    "\"\xe2\x80\xa8\"",
    "{\"a\":1,\"A\":2}",
    "{\"k\":1,\"\xe2\x84\xaa\":2}", /* the Kelvin sign is not the letter k */
};

static const char *const bad[] = {
    "",
    " ",
    "[",
    "]",
    "{",
    "}",
    "[}",
    "{]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[,]",
    "[1 2]",
    "[1,,2]",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,}",
    "{,}",
    "{\"a\" 1}",
    "{a:1}",
    "{'a':1}",
    "{1:1}",
    "{null:1}",
    "{\"a\":}",
    "{\"a\"::1}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":1]",
    "[1}",
    "{[]:1}",
    "1 2",
    "[] []",
    "[]x",
    "{}}",
    "nul",
    "nulll",
    "tru",
    "True",
    "TRUE",
    "fals",
    "nan",
    "NaN",
    "Infinity",
    "-Infinity",
    "-",
    "+1",
    "01",
    "-01",
    "00",
    "1.",
    ".5",
    "-.5",
    "1.e1",
    "1e",
    "1e+",
    "1e1.5",
    "0x10",
    "1_000",
    "1a",
    "--1",
    "1,",
    "\"",
    "\"a",
    "\"a\\",
    "\"\\\"",
    "\"\\x\"",
    "\"\\u\"",
    "\"\\u00\"",
    "\"\\u00g0\"",
    "\"\\U0041\"",
    "\"\\'\"",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\udc00\\udc00\"",
    "\"\\ud800\\u0041\"",
    "\"\\ud800\\ud800\"",
    "\"\\ude00\\ud83d\"",
    "\"\\ud83dx\"",
    "\"\\ud83d\\\"",
    "\"\\u+041\"",
    "\"\\u 041\"",
    "\"\n\"",
    "\"\t\"",
    "\"\r\"",
    "\"\x01\"",
    "\"\x1f\"",
    "\"\x80\"",
    "\"\xff\"",
    "\"\xc0\x80\"",
    "\"\xc1\xbf\"",
    "\"\xc3\"",
    "\"\xe2\x82\"",
    "\"\xe0\x80\x80\"",
    "\"\xed\xa0\x80\"",
    "\"\xed\xbf\xbf\"",
    "\"\xf0\x80\x80\x80\"",
    "\"\xf4\x90\x80\x80\"",
    "\"\xf5\x80\x80\x80\"",
    "\"\xf0\x9f\x98\"",
    "\xef\xbb\xbf[]",
    "\xef\xbb\xbf",
    "[] \xef\xbb\xbf",
    "\xc2\xa0[]",
    "\v1",
    "\f1",
    "[1]//x",
    "/**/1",
    "#1",
    "{\"a\":1,\"a\":1}",
    "{\"a\":1,\"\\u0061\":2}",
    "{\"b\":{\"a\":1,\"c\":2,\"a\":3}}",
    "'a'",
    "`a`",
    "undefined",
    "\xff",
    "[\"a\",\n4\n,1,",
    "[1]\x1a",
};

static void test_accepts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        struct str text = str_from(good[i]);
        parse(text);
        assert_true(json_scan_valid(text));
    }
}

static void test_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        const struct json *value;
        struct json_error error;
        struct str text = str_from(bad[i]);
        if (json_parse(arena, text, NULL, &value, &error) != E_INVALID)
            fail_msg("accepted: %s", bad[i]);
        assert_non_null(error.reason);
        assert_true(error.offset <= text.len);
        assert_true(json_is(value, JSON_MISSING));
        /* The scanner refuses the same, but for duplicate names. */
        if (json_scan_valid(text) && !strstr(error.reason, "twice"))
            fail_msg("scanned: %s", bad[i]);
    }
}

/* Every text cut short anywhere is refused, and with any byte changed it does no harm. */
static void test_cut_and_changed(void **state)
{
    (void)state;
    struct str whole =
        STR("{\"a\": [1, -2.5e+3, \"x\\u00e9\\ud83d\\ude00\xc3\xa9\", null, true, false], \"b\": {\"c\": {}}}");
    const struct json *value;
    parse(whole);
    for (size_t length = 0; length < whole.len; length++) {
        /* An exact copy on the heap: the sanitizer sees a read behind it. */
        char *copy = malloc(length + 1);
        assert_non_null(copy);
        memcpy(copy, whole.ptr, length);
        char *exact = realloc(copy, length ? length : 1);
        assert_non_null(exact);
        assert_int_equal(json_parse(arena, str_of(exact, length), NULL, &value, NULL), E_INVALID);
        assert_false(json_scan_valid(str_of(exact, length)));
        free(exact);
    }
    char changed[128];
    for (size_t at = 0; at < whole.len; at++)
        for (int byte = 0; byte < 256; byte++) {
            memcpy(changed, whole.ptr, whole.len);
            changed[at] = (char)byte;
            struct str text = str_of(changed, whole.len);
            struct json_error error;
            bool accepted = json_parse(arena, text, NULL, &value, &error) == OK;
            if (accepted != json_scan_valid(text) && (accepted || !strstr(error.reason, "twice")))
                fail_msg("reader and scanner differ: %.*s", STR_ARG(text));
        }
}

static void test_nul(void **state)
{
    (void)state;
    const struct json *value;
    assert_int_equal(json_parse(arena, STR("\"\0\""), NULL, &value, NULL), E_INVALID);
    assert_int_equal(json_parse(arena, STR("1\0"), NULL, &value, NULL), E_INVALID);
    assert_int_equal(json_parse(arena, STR("\0"), NULL, &value, NULL), E_INVALID);
    assert_int_equal(json_parse(arena, STR("[\0]"), NULL, &value, NULL), E_INVALID);
    assert_false(json_scan_valid(STR("\0")));
    assert_true(str_eq(json_str(parse(STR("\"a\\u0000b\""))), STR("a\0b")));
}

static void test_error_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t offset;
        const char *reason;
    } cases[] = {
        {"[1,x]", 3, "unexpected character"},
        {"{\"a\":1,\"a\":2}", 11, "the object has this member's name twice"},
        {"[1", 2, "the text ends too early"},
        {"[\"\\q\"]", 2, "this escape does not exist"},
        {"\xef\xbb\xbf{}", 0, "a byte order mark is not JSON"},
        {"<br />Notice", 0, "unexpected character"},
        {"{} {}", 3, "something follows the value"},
        {"[1}", 2, "a comma or ] must follow an item"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct json *value;
        struct json_error error;
        assert_int_equal(json_parse(arena, str_from(cases[i].text), NULL, &value, &error), E_INVALID);
        assert_int_equal(error.offset, cases[i].offset);
        assert_string_equal(error.reason, cases[i].reason);
    }
}

static void test_access(void **state)
{
    (void)state;
    const struct json *post =
        parse(STR("{\"id\": 7, \"title\": {\"rendered\": \"A \\u201cB\\u201d\"}, \"tags\": [3, 5],"
                  " \"sticky\": true, \"none\": null, \"items\": [{\"id\": 1}, {\"id\": 2}]}"));
    assert_int_equal(json_count(post), 6);
    assert_int_equal(json_i64_or(json_get(post, STR("id")), -1), 7);
    assert_true(str_eq(json_str(json_path(post, "title.rendered")), STR("A \xe2\x80\x9c"
                                                                        "B\xe2\x80\x9d")));
    assert_int_equal(json_i64_or(json_at(json_get(post, STR("tags")), 1), -1), 5);
    assert_int_equal(json_i64_or(json_path(post, "items.1.id"), -1), 2);
    assert_true(json_bool_or(json_get(post, STR("sticky")), false));
    assert_true(json_is(json_get(post, STR("none")), JSON_NULL));
    /* What is not there, at every step of a chain. */
    assert_true(json_is(json_get(post, STR("ID")), JSON_MISSING));
    assert_true(json_is(json_get(post, STR("i")), JSON_MISSING));
    assert_true(json_is(json_path(post, "title.x.y.z"), JSON_MISSING));
    assert_true(json_is(json_path(post, "items.2.id"), JSON_MISSING));
    assert_true(json_is(json_path(post, "items.x.id"), JSON_MISSING));
    assert_true(json_is(json_at(post, 0), JSON_MISSING));
    assert_true(json_is(json_at(json_get(post, STR("tags")), SIZE_MAX), JSON_MISSING));
    assert_true(json_is(json_get(json_at(post, 0), STR("a")), JSON_MISSING));
    assert_true(json_is(json_member_at(post, 6).value, JSON_MISSING));
    assert_int_equal(json_count(json_get(post, STR("id"))), 0);
    /* Of another type. */
    assert_true(str_eq(json_str(json_get(post, STR("id"))), STR_EMPTY));
    assert_true(str_eq(json_str_or(json_get(post, STR("id")), STR("x")), STR("x")));
    assert_int_equal(json_i64_or(json_get(post, STR("title")), -1), -1);
    assert_false(json_bool_or(json_get(post, STR("id")), false));
    /* In the order of the source, and as it was written. */
    struct json_member member = json_member_at(post, 2);
    assert_true(str_eq(member.name, STR("tags")));
    assert_true(str_eq(json_raw(member.value), STR("[3, 5]")));
    assert_true(str_eq(json_raw(json_path(post, "title.rendered")), STR("\"A \\u201cB\\u201d\"")));
    assert_true(str_eq(json_raw(json_get(post, STR("sticky"))), STR("true")));
    assert_true(str_eq(json_raw(json_get(post, STR("x"))), STR_EMPTY));
}

static void test_strings_point_into_source(void **state)
{
    (void)state;
    struct str text = STR("[\"plain\",\"esc\\n\"]");
    const struct json *array = parse(text);
    assert_ptr_equal(json_str(json_at(array, 0)).ptr, text.ptr + 2);
    assert_true(str_eq(json_str(json_at(array, 1)), STR("esc\n")));
}

/* Strings of all lengths around the width of the vector registers, with one special character at every place. */
static void test_string_lengths(void **state)
{
    (void)state;
    static const struct {
        const char *written, *text;
    } specials[] = {{"\\\"", "\""},
                    {"\\u00e9", "\xc3\xa9"},
                    {"\xc3\xa9", "\xc3\xa9"},
                    {"\\ud83d\\ude00", "\xf0\x9f\x98\x80"},
                    {"\\\\", "\\"}};
    for (size_t length = 0; length < 70; length++)
        for (size_t at = 0; at <= length; at++)
            for (size_t i = 0; i < ARRAY_LENGTH(specials); i++) {
                struct buf written, text;
                buf_init_heap(&written, 1000);
                buf_init_heap(&text, 1000);
                buf_add_char(&written, '"');
                for (size_t j = 0; j <= length; j++) {
                    if (j == at) {
                        buf_add(&written, str_from(specials[i].written));
                        buf_add(&text, str_from(specials[i].text));
                    } else {
                        buf_add_char(&written, (char)('a' + j % 26));
                        buf_add_char(&text, (char)('a' + j % 26));
                    }
                }
                buf_add_char(&written, '"');
                assert_true(str_eq(json_str(parse(buf_str(&written))), buf_str(&text)));
                struct str scanned;
                assert_true(json_scan_str(arena, buf_str(&written), &scanned));
                assert_true(str_eq(scanned, buf_str(&text)));
                buf_done(&written);
                buf_done(&text);
            }
}

static void test_integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool fits;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"7", true, 7},
        {"-7", true, -7},
        {"5.0", true, 5},
        {"5e0", true, 5},
        {"50e-1", true, 5},
        {"0.5e1", true, 5},
        {"0.05E+2", true, 5},
        {"5.5", false, 0},
        {"5e-1", false, 0},
        {"0.0", true, 0},
        {"0e999999999999999999999", true, 0},
        {"0e-999999999999999999999", true, 0},
        {"1e18", true, 1000000000000000000},
        {"1e19", false, 0},
        {"999999999999999999", true, 999999999999999999},
        {"9223372036854775807", true, INT64_MAX},
        {"9223372036854775807.0", true, INT64_MAX},
        {"9223372036854775808", false, 0},
        {"-9223372036854775808", true, INT64_MIN},
        {"-922337203685477580.8e1", true, INT64_MIN},
        {"-9223372036854775809", false, 0},
        {"1e999999999999999999999", false, 0},
        {"1e-999999999999999999999", false, 0},
        {"9007199254740993", true, 9007199254740993},
        {"100000000000000000000e-19", true, 10},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        int64_t value = -99;
        const struct json *number = parse(str_from(cases[i].text));
        if (json_to_i64(number, &value) != cases[i].fits || (cases[i].fits && value != cases[i].value))
            fail_msg("%s", cases[i].text);
        assert_int_equal(json_i64_or(number, 42), cases[i].fits ? cases[i].value : 42);
    }
    int64_t value;
    assert_false(json_to_i64(parse(STR("\"5\"")), &value));
    assert_false(json_to_i64(parse(STR("true")), &value));
}

static void test_doubles(void **state)
{
    (void)state;
    double value;
    assert_true(json_to_double(parse(STR("1.5")), &value) && value == 1.5);
    assert_true(json_to_double(parse(STR("-0")), &value) && value == 0 && signbit(value));
    assert_true(json_to_double(parse(STR("0.1")), &value) && value == 0.1);
    assert_true(json_to_double(parse(STR("1e308")), &value) && value == 1e308);
    assert_true(json_to_double(parse(STR("1e-400")), &value) && value == 0);
    assert_true(json_to_double(parse(STR("9007199254740993")), &value) && value == 9007199254740992.0);
    assert_false(json_to_double(parse(STR("1e309")), &value));
    assert_false(json_to_double(parse(STR("-1e999")), &value));
    assert_false(json_to_double(parse(STR("99E0198950")), &value));
    assert_false(json_to_double(parse(STR("null")), &value));
}

static void test_equal(void **state)
{
    (void)state;
    assert_true(json_equal(parse(STR("{\"a\":1,\"b\":[\"x\"]}")), parse(STR("{\"b\": [\"\\u0078\"], \"a\": 1.0}"))));
    assert_true(json_equal(parse(STR("1.50")), parse(STR("15e-1"))));
    assert_true(json_equal(parse(STR("-0")), parse(STR("0.0"))));
    assert_false(json_equal(parse(STR("9007199254740993")), parse(STR("9007199254740992"))));
    assert_false(json_equal(parse(STR("{\"a\":1}")), parse(STR("{\"a\":1,\"b\":2}"))));
    assert_false(json_equal(parse(STR("{\"a\":1}")), parse(STR("{\"b\":1}"))));
    assert_false(json_equal(parse(STR("[1,2]")), parse(STR("[2,1]"))));
    assert_false(json_equal(parse(STR("[]")), parse(STR("{}"))));
    assert_false(json_equal(parse(STR("true")), parse(STR("false"))));
    assert_false(json_equal(parse(STR("\"1\"")), parse(STR("1"))));
}

static struct str nested(size_t depth, char open, char close)
{
    char *text = arena_alloc(arena, depth * 2);
    memset(text, open, depth);
    memset(text + depth, close, depth);
    return str_of(text, depth * 2);
}

static void test_depth(void **state)
{
    (void)state;
    const struct json *value;
    struct json_error error;
    assert_int_equal(json_parse(arena, nested(64, '[', ']'), NULL, &value, NULL), OK);
    assert_int_equal(json_parse(arena, nested(65, '[', ']'), NULL, &value, &error), E_LIMIT);
    assert_int_equal(error.offset, 64);
    assert_true(json_scan_valid(nested(64, '[', ']')));
    assert_false(json_scan_valid(nested(65, '[', ']')));
    assert_int_equal(json_parse(arena, nested(1000000, '[', ']'), NULL, &value, NULL), E_LIMIT);
    assert_int_equal(json_parse(arena, nested(3, '{', '}'), NULL, &value, NULL), E_INVALID);
    struct json_limits limits = {.max_depth = 2, .max_bytes = 100};
    assert_int_equal(json_parse(arena, STR("[[1]]"), &limits, &value, NULL), OK);
    assert_int_equal(json_parse(arena, STR("[[{}]]"), &limits, &value, NULL), E_LIMIT);
    limits.max_depth = SIZE_MAX;
    limits.max_bytes = SIZE_MAX;
    assert_int_equal(json_parse(arena, nested(JSON_DEPTH_MAX, '[', ']'), &limits, &value, NULL), OK);
    assert_int_equal(json_parse(arena, nested(JSON_DEPTH_MAX + 1, '[', ']'), &limits, &value, NULL), E_LIMIT);
}

static void test_sizes(void **state)
{
    (void)state;
    const struct json *value;
    struct json_limits limits = {.max_depth = 4, .max_bytes = 5};
    assert_int_equal(json_parse(arena, STR("[1,2]"), &limits, &value, NULL), OK);
    assert_int_equal(json_parse(arena, STR("[1,2] "), &limits, &value, NULL), E_LIMIT);
    char digits[500];
    memset(digits, '1', sizeof digits);
    assert_int_equal(json_parse(arena, str_of(digits, 400), NULL, &value, NULL), OK);
    assert_int_equal(json_parse(arena, str_of(digits, 401), NULL, &value, NULL), E_LIMIT);
    assert_false(json_scan_valid(str_of(digits, 401)));
    double big;
    assert_int_equal(json_parse(arena, str_of(digits, 300), NULL, &value, NULL), OK);
    assert_true(json_to_double(value, &big) && big > 1e298);
}

/* {"k0":0,"k1":1,...} with `count` members, then `more`. */
static struct str object_of(size_t count, const char *more)
{
    struct buf buf;
    buf_init(&buf, arena, 8 << 20);
    for (size_t i = 0; i < count; i++)
        buf_add_format(&buf, "%s\"k%zu\":%zu", i ? "," : "{", i, i);
    buf_add(&buf, str_from(more));
    buf_add_char(&buf, '}');
    return buf_str(&buf);
}

static void test_members(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 31, 32, 33, 34, 64, 1000};
    for (size_t c = 0; c < ARRAY_LENGTH(counts); c++) {
        size_t count = counts[c];
        const struct json *object = parse(object_of(count, "")), *value;
        assert_int_equal(json_count(object), count);
        for (size_t i = 0; i < count; i++) {
            struct str name = str_format(arena, "k%zu", i);
            assert_int_equal(json_i64_or(json_get(object, name), -1), (int64_t)i);
            assert_true(str_eq(json_member_at(object, i).name, name));
        }
        assert_true(json_is(json_get(object, STR("k")), JSON_MISSING));
        assert_true(json_is(json_get(object, STR("kk")), JSON_MISSING));
        assert_true(json_is(json_get(object, STR("")), JSON_MISSING));
        assert_true(json_equal(object, parse(object_of(count, ""))));
        /* A name that is there already: refused, or the last one wins. */
        struct json_error error;
        struct str twice = object_of(count, ",\"k0\":-5");
        assert_int_equal(json_parse(arena, twice, NULL, &value, &error), E_INVALID);
        assert_string_equal(error.reason, "the object has this member's name twice");
        struct json_limits limits = JSON_LIMITS_DEFAULT;
        limits.reject_duplicates = false;
        assert_int_equal(json_parse(arena, twice, &limits, &value, NULL), OK);
        assert_int_equal(json_count(value), count + 1);
        assert_int_equal(json_i64_or(json_get(value, STR("k0")), -1), -5);
    }
}

/* Many members, many items, deep and wide: the block grows, and nothing moves that is pointed to. */
static void test_growth(void **state)
{
    (void)state;
    const struct json *object = parse(object_of(100000, ""));
    assert_int_equal(json_i64_or(json_get(object, STR("k99999")), -1), 99999);
    struct buf buf;
    buf_init(&buf, arena, 8 << 20);
    buf_add_char(&buf, '[');
    buf_add_char(&buf, '"');
    for (int i = 0; i < 20000; i++) /* sparse at first, so that the estimate is wrong */
        buf_add_char(&buf, 'x');
    buf_add_char(&buf, '"');
    for (int i = 0; i < 50000; i++)
        buf_add_format(&buf, ",[%d,{\"a\":[]}]", i);
    buf_add_char(&buf, ']');
    const struct json *array = parse(buf_str(&buf));
    assert_int_equal(json_count(array), 50001);
    for (size_t i = 1; i <= 50000; i++) {
        const struct json *item = json_at(array, i);
        assert_int_equal(json_i64_or(json_at(item, 0), -1), (int64_t)i - 1);
        assert_true(json_is(json_path(item, "1.a"), JSON_ARRAY));
    }
}

static jmp_buf escape;

static void jump(struct arena *small, size_t size, void *context)
{
    (void)small;
    (void)size;
    (void)context;
    longjmp(escape, 1);
}

/* With any budget the reader ends by the arena's handler or is done; LeakSanitizer watches. */
static void test_memory_ends(void **state)
{
    (void)state;
    struct str text = object_of(100, ",\"text\":\"\\n\\n\\n\\n\",\"x\":[[\"\\t\"],[{\"a\\u0062\":1}]]");
    size_t ended = 0;
    for (volatile size_t budget = 0;; budget += 16) {
        struct arena *volatile small = arena_new(budget);
        assert_non_null(small);
        arena_on_exhausted(small, jump, NULL);
        if (setjmp(escape)) {
            ended++;
            arena_free(small);
            continue;
        }
        const struct json *value;
        assert_int_equal(json_parse(small, text, NULL, &value, NULL), OK);
        assert_int_equal(json_i64_or(json_path(value, "x.1.0.ab"), -1), 1);
        arena_free(small);
        break;
    }
    assert_true(ended > 100);
}

static void test_scan(void **state)
{
    (void)state;
    struct str text =
        STR(" { \"id\" : 7 , \"t\\u0069tle\":{\"rendered\":\"a\\nb\"},\"list\":[1, [2,3], {}],\"no\":false } ");
    struct str raw, string;
    int64_t number;
    bool boolean;
    assert_true(json_scan_member(text, STR("id"), &raw) && str_eq(raw, STR("7")));
    assert_true(json_scan_i64(raw, &number) && number == 7);
    assert_true(json_scan_path(text, "title.rendered", &raw) && str_eq(raw, STR("\"a\\nb\"")));
    assert_true(json_scan_str(arena, raw, &string) && str_eq(string, STR("a\nb")));
    assert_true(json_scan_member(text, STR("no"), &raw) && json_scan_bool(raw, &boolean) && !boolean);
    assert_false(json_scan_member(text, STR("t\\u0069tle"), &raw));
    assert_false(json_scan_member(text, STR("titl"), &raw));
    assert_false(json_scan_member(text, STR("t"), &raw));
    assert_false(json_scan_member(text, STR("titles"), &raw));
    assert_false(json_scan_member(text, STR("rendered"), &raw));
    assert_false(json_scan_member(text, STR("ID"), &raw));
    assert_false(json_scan_path(text, "id.x", &raw));
    assert_false(json_scan_i64(STR("\"7\""), &number));
    assert_false(json_scan_i64(STR("7 7"), &number));
    assert_false(json_scan_str(arena,
                               STR("\"a\" "
                                   "\"b\""),
                               &string));
    assert_false(json_scan_str(arena, STR("\"a"), &string));
    assert_false(json_scan_bool(STR("tru"), &boolean));

    assert_true(json_scan_member(text, STR("list"), &raw));
    struct json_scan scan;
    json_scan_init(&scan, raw);
    static const char *const items[] = {"1", "[2,3]", "{}"};
    for (size_t i = 0; i < ARRAY_LENGTH(items); i++) {
        assert_true(json_scan_next(&scan));
        assert_true(str_eq(scan.raw, str_from(items[i])));
        assert_false(json_scan_ok(&scan));
    }
    assert_false(json_scan_next(&scan));
    assert_true(json_scan_ok(&scan));
    assert_false(json_scan_next(&scan));

    json_scan_init(&scan, text);
    static const char *const names[] = {"id", "title", "list", "no"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        assert_true(json_scan_next(&scan));
        assert_true(json_scan_name_is(&scan, str_from(names[i])));
        assert_false(json_scan_name_is(&scan, STR("x")));
    }
    assert_false(json_scan_next(&scan));
    assert_true(json_scan_ok(&scan));

    static const char *const malformed[] = {"[1,2",    "[1 2]", "[1]x", "[,]",   "[1,]",         "{\"a\":1,}",
                                            "{\"a\"}", "7",     "",     "\"a\"", "[\"\\ud800\"]"};
    for (size_t i = 0; i < ARRAY_LENGTH(malformed); i++) {
        json_scan_init(&scan, str_from(malformed[i]));
        while (json_scan_next(&scan))
            continue;
        assert_false(json_scan_ok(&scan));
    }
}

static void test_what_is_not_there(void **state)
{
    const struct json *value;
    int64_t integer;
    (void)state;
    assert_int_equal(json_parse(arena, STR("{\"a\":[1,2],\"b\":[1,2,3],\"c\":[1,3]}"), NULL, &value, NULL), OK);
    assert_true(json_is(json_path_str(value, (struct str){NULL, 0}), JSON_OBJECT)); /* no path: the value itself */
    assert_true(json_is(json_member_at(json_get(value, STR("a")), 0).value, JSON_MISSING));
    assert_true(json_is(json_member_at(value, 3).value, JSON_MISSING));
    assert_false(json_equal(json_get(value, STR("a")), json_get(value, STR("b"))));
    assert_false(json_equal(json_get(value, STR("a")), json_get(value, STR("c"))));
    assert_true(json_equal(json_get(value, STR("a")), json_get(value, STR("a"))));
    assert_false(json_scan_i64(STR("1.5"), &integer));
    assert_false(json_scan_i64(STR("99999999999999999999"), &integer));
    assert_true(json_scan_i64(STR("15e1"), &integer) && integer == 150);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, new_arena, free_arena)
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_not_there),
        TEST(test_accepts),
        TEST(test_refuses),
        TEST(test_nul),
        TEST(test_cut_and_changed),
        TEST(test_error_place),
        TEST(test_access),
        TEST(test_integers),
        TEST(test_strings_point_into_source),
        TEST(test_doubles),
        TEST(test_string_lengths),
        TEST(test_equal),
        TEST(test_depth),
        TEST(test_sizes),
        TEST(test_members),
        TEST(test_growth),
        TEST(test_memory_ends),
        TEST(test_scan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

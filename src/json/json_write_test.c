/* What is written is JSON, and reads back as what it was. */
#include "json/json_write.h"

#include "call/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct arena *arena;
static struct buf buf;
static struct json_writer w;

static int start(void **state)
{
    (void)state;
    arena = arena_new(16 << 20);
    buf_init(&buf, arena, 1 << 20);
    json_write_init(&w, &buf);
    return arena == NULL;
}

static int end(void **state)
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

static void assert_written(const char *expected)
{
    assert_false(buf_failed(&buf));
    if (!str_eq(buf_str(&buf), str_from(expected)))
        fail_msg("%.*s instead of %s", STR_ARG(buf_str(&buf)), expected);
    parse(buf_str(&buf));
    buf_clear(&buf);
    json_write_init(&w, &buf);
}

static void test_structure(void **state)
{
    (void)state;
    json_object(&w);
    json_member_str(&w, "name", STR("a\"b"));
    json_member_i64(&w, "low", INT64_MIN);
    json_key(&w, STR("high"));
    json_u64(&w, UINT64_MAX);
    json_key(&w, STR("list"));
    json_array(&w);
    json_i64(&w, 1);
    json_array(&w);
    json_end(&w);
    json_object(&w);
    json_end(&w);
    json_bool_value(&w, false);
    json_null_value(&w);
    json_string(&w, STR(""));
    json_end(&w);
    json_member_bool(&w, "yes", true);
    json_member_null(&w, "nothing");
    json_member_raw(&w, "raw", STR("[1]"));
    json_member_value(&w, "value", parse(STR("{ \"x\" : [ 1 , \"\\u00e9\" ] }")));
    json_end(&w);
    assert_written("{\"name\":\"a\\\"b\",\"low\":-9223372036854775808,\"high\":18446744073709551615,"
                   "\"list\":[1,[],{},false,null,\"\"],\"yes\":true,\"nothing\":null,\"raw\":[1],"
                   "\"value\":{\"x\":[1,\"\\u00e9\"]}}");
    json_string(&w, STR("alone"));
    assert_written("\"alone\"");
    json_value(&w, json_get(parse(STR("{}")), STR("x")));
    assert_written("null");
}

static void test_strings(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *written;
    } cases[] = {
        {STR_INIT("\b\f\n\r\t\"\\/"), "\"\\b\\f\\n\\r\\t\\\"\\\\/\""},
        {STR_INIT("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\""},
        {STR_INIT("\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80"), "\"\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80\""},
        {STR_INIT("a\xff"
                  "b"),
         "\"a\xef\xbf\xbd"
         "b\""},
        {STR_INIT("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {STR_INIT("\xc3"), "\"\xef\xbf\xbd\""},
        {STR_INIT("0123456789abcdef\"0123456789abcdef\x80"), "\"0123456789abcdef\\\"0123456789abcdef\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        json_string(&w, cases[i].text);
        assert_written(cases[i].written);
        assert_true(str_eq(json_quote(arena, cases[i].text), str_from(cases[i].written)));
        json_object(&w);
        json_key(&w, cases[i].text);
        json_null_value(&w);
        json_end(&w);
        assert_false(buf_failed(&buf));
        assert_int_equal(json_count(parse(buf_str(&buf))), 1);
        buf_clear(&buf);
        json_write_init(&w, &buf);
    }
}

/* Every pair of bytes, and every byte at every place around the vector width: valid JSON, and valid text comes back. */
static void test_string_bytes(void **state)
{
    (void)state;
    char text[40];
    for (unsigned a = 0; a < 256; a++)
        for (size_t at = 0; at < sizeof text; at++) {
            memset(text, 'x', sizeof text);
            text[at] = (char)a;
            struct buf out;
            buf_init_heap(&out, 1000);
            json_write_init(&w, &out);
            json_string(&w, str_of(text, sizeof text));
            const struct json *value = parse(buf_str(&out));
            if (a < 0x80)
                assert_true(str_eq(json_str(value), str_of(text, sizeof text)));
            else
                assert_int_equal(json_str(value).len, sizeof text + 2);
            buf_done(&out);
        }
}

/* Texts longer than the piece that is collected before it goes to the buffer, in all sizes and of all kinds of characters. */
static void test_long_strings(void **state)
{
    (void)state;
    static const struct {
        const char *text, *written;
    } kinds[] = {{"x", "x"},
                 {"\n", "\\n"},
                 {"\x01", "\\u0001"},
                 {"\xc3\xa9", "\xc3\xa9"},
                 {"\xff", "\xef\xbf\xbd"},
                 {"abcdefghijklmno\x02", "abcdefghijklmno\\u0002"}};
    for (size_t kind = 0; kind < ARRAY_LENGTH(kinds); kind++) {
        struct buf text, written;
        buf_init_heap(&text, 100000);
        buf_init_heap(&written, 100000);
        for (size_t count = 0; count < 1200; count++) {
            struct buf out;
            buf_init_heap(&out, 100000);
            json_write_init(&w, &out);
            json_string(&w, buf_str(&text));
            assert_int_equal(out.len, written.len + 2);
            assert_true(str_eq(str_sub(buf_str(&out), 1, written.len), buf_str(&written)));
            assert_true(out.ptr[0] == '"' && out.ptr[out.len - 1] == '"');
            buf_done(&out);
            buf_add(&text, str_from(kinds[kind].text));
            buf_add(&written, str_from(kinds[kind].written));
        }
        buf_done(&text);
        buf_done(&written);
    }
}

static void test_one_line(void **state)
{
    (void)state;
    json_array(&w);
    json_raw_value(&w, STR("{\r\n  \"a\": 1,\n\n\r  \"b\": [\n]\n}\n"));
    json_raw_value(&w, STR("2"));
    json_value(&w, parse(STR("{\r\n  \"a\": 1,\n\n\r  \"b\": [\n]\n}\n")));
    json_end(&w);
    assert_written("[{  \"a\": 1,  \"b\": []},2,{\"a\":1,\"b\":[]}]");
}

static void test_roundtrip(void **state)
{
    (void)state;
    struct str text =
        STR("{\"a\":[1,-2.50,1e3,true,false,null,\"\\u00e9\\/\\ud83d\\ude00\"],\"\\\"\":{\"\":{}},\"c\":[[],[[]]]}");
    const struct json *value = parse(text);
    json_value(&w, value);
    struct str once = buf_str(&buf);
    assert_true(json_equal(value, parse(once)));
    assert_true(str_eq(once, text));
}

static void test_full(void **state)
{
    (void)state;
    for (size_t max = 0; max < 40; max++) {
        struct buf small;
        buf_init_heap(&small, max);
        json_write_init(&w, &small);
        json_object(&w);
        json_member_str(&w, "name", STR("0123456789\n"));
        json_member_i64(&w, "n", 12345);
        json_end(&w);
        /* {"name":"0123456789\n","n":12345} */
        assert_int_equal(buf_failed(&small), max < 33);
        assert_true(small.len <= max);
        buf_done(&small);
    }
}

static void assert_canonical(const char *text, const char *expected)
{
    struct buf out;
    buf_init(&out, arena, 1 << 20);
    json_canonical(&out, parse(str_from(text)));
    if (!str_eq(buf_str(&out), str_from(expected)))
        fail_msg("%.*s instead of %s", STR_ARG(buf_str(&out)), expected);
    assert_true(json_equal(parse(str_from(text)), parse(buf_str(&out))));
}

static void test_canonical(void **state)
{
    (void)state;
    assert_canonical(" { \"b\" : 1.0 , \"a\" : [ 1e2 , \"\\u00e9\\/\\u0041\" , null , true ] } ",
                     "{\"a\":[100,\"\xc3\xa9/A\",null,true],\"b\":1}");
    assert_canonical("{\"a\":1,\"A\":2,\"aa\":3,\"\":4}", "{\"\":4,\"A\":2,\"a\":1,\"aa\":3}");
    assert_canonical("-0.0", "0");
    assert_canonical("1.50", "15e-1");
    assert_canonical("-0.00125E1", "-125e-4");
    assert_canonical("9223372036854775808", "9223372036854775808e0");
    assert_canonical("1e30", "1e30");
    assert_canonical("10e29", "1e30");
    assert_canonical("\"\\u000a\\u0001\"", "\"\\n\\u0001\"");
    /* With many members: the same bytes whatever their order. */
    struct buf up, down, out[2];
    buf_init(&up, arena, 1 << 16);
    buf_init(&down, arena, 1 << 16);
    for (int i = 0; i < 200; i++) {
        buf_add_format(&up, "%c\"k%d\":%d", i ? ',' : '{', i, i);
        buf_add_format(&down, "%c\"k%d\":%d", i ? ',' : '{', 199 - i, 199 - i);
    }
    buf_add_char(&up, '}');
    buf_add_char(&down, '}');
    for (int i = 0; i < 2; i++) {
        buf_init(&out[i], arena, 1 << 16);
        json_canonical(&out[i], parse(buf_str(i ? &down : &up)));
    }
    assert_true(str_eq(buf_str(&out[0]), buf_str(&out[1])));
    assert_true(str_starts_with(buf_str(&out[0]), STR("{\"k0\":0,\"k1\":1,\"k10\":10,\"k100\":100,")));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(test_structure),    TEST(test_strings),   TEST(test_string_bytes), TEST(test_one_line),
        TEST(test_long_strings), TEST(test_roundtrip), TEST(test_full),         TEST(test_canonical),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

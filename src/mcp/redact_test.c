/* What of a tool's arguments may stand in the audit log. */
#include "call/call.h"
#include "mcp/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct arena *arena;

static struct str redacted(struct str text)
{
    const struct json *value;
    assert_int_equal(json_parse(arena, text, NULL, &value, NULL), OK);
    return redact_arguments(arena, value);
}

static void test_secrets(void **state)
{
    (void)state;
    struct str text = redacted(STR("{\"a\":1,\"Password\":\"x\",\"deep\":[{\"api_key\":[1,2]}],\"f\":1.5,\"t\":true}"));
    assert_string_equal(
        str_copy(arena, text).ptr,
        "{\"a\":1,\"Password\":\"[redacted]\",\"deep\":[{\"api_key\":\"[redacted]\"}],\"f\":\"1.5\",\"t\":true}");
}

static void test_long(void **state)
{
    (void)state;
    struct str body = str_of(memset(arena_alloc(arena, 5000), 'x', 5000), 5000);
    struct str text = redacted(str_format(arena, "{\"content\":\"%.*s\"}", STR_ARG(body)));
    assert_true(text.len < 300);
    assert_true(str_contains(text, STR("(5000 bytes)")));
}

/* A fuzzer's find: two long names that begin alike became one name twice. */
static void test_names_stay_apart(void **state)
{
    (void)state;
    const struct json *value;
    struct str long_name = str_of(memset(arena_alloc(arena, 90), 'n', 90), 90);
    struct str text = redacted(
        str_format(arena, "{\"%.*sa\":1,\"%.*sb\":2,\"_left_out\":3}", STR_ARG(long_name), STR_ARG(long_name)));
    assert_int_equal(json_parse(arena, text, NULL, &value, NULL), OK); /* refuses names that stand twice */
    assert_int_equal(json_count(value), 3);
}

static void test_many(void **state)
{
    (void)state;
    const struct json *value;
    struct buf out;
    buf_init(&out, arena, 1 << 20);
    buf_add(&out, STR("{\"_left_out\":0"));
    for (int i = 0; i < 1000; i++)
        buf_add_format(&out, ",\"name%d\":\"value\"", i);
    buf_add_char(&out, '}');
    struct str text = redacted(buf_str(&out));
    assert_true(text.len < 2 * REDACT_TOTAL_MAX_BYTES);
    assert_int_equal(json_parse(arena, text, NULL, &value, NULL), OK);
    assert_true(json_i64_or(json_get(value, STR("_left_out")), 0) > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_names_stay_apart),
        cmocka_unit_test(test_many),
    };
    arena = arena_new(1 << 24);
    int failed = cmocka_run_group_tests_name("redact", tests, NULL, NULL);
    arena_free(arena);
    return failed;
}

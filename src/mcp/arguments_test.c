/* Ids as numbers and as texts, and one text for the same arguments. */
#include "mcp/arguments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SCHEMA                                                                                                         \
    "{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"string\"},\"n\":{\"type\":\"integer\"},"                  \
    "\"ids\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"                                                    \
    "\"numbers\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}},\"yes\":{\"type\":\"boolean\"},"                \
    "\"set\":{\"type\":\"object\",\"additionalProperties\":true},"                                                     \
    "\"edits\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"block\":{\"type\":\"string\"}}}}}" \
    "}"

static struct call call;

static void check(const char *given, bool one_text, const char *expected)
{
    const struct json *schema, *arguments, *settled;
    assert_int_equal(json_parse(call.arena, STR(SCHEMA), NULL, &schema, NULL), OK);
    assert_int_equal(json_parse(call.arena, str_from(given), NULL, &arguments, NULL), OK);
    assert_int_equal(arguments_settle(&call, schema, arguments, one_text, "code", &settled), OK);
    assert_string_equal(str_copy(call.arena, json_raw(settled)).ptr, expected);
}

static void test_ids(void **state)
{
    (void)state;
    check("{\"id\":76}", false, "{\"id\":\"76\"}");
    check("{\"id\":-7,\"n\":\"12\"}", false, "{\"id\":\"-7\",\"n\":12}");
    check("{\"ids\":[216,\"217\"],\"numbers\":[\"1\",2]}", false, "{\"ids\":[\"216\",\"217\"],\"numbers\":[1,2]}");
    check("{\"edits\":[{\"block\":3,\"x\":4}]}", false, "{\"edits\":[{\"block\":\"3\",\"x\":4}]}");
    check("{\"id\":12345678901234567890}", false, "{\"id\":\"12345678901234567890\"}");
    /* The rest is the schema's to judge: a text that is to be found, or a title, would be another. */
    check("{\"id\":2.0}", false, "{\"id\":2.0}");
    check("{\"id\":1e3,\"ids\":[-0.0,10E1]}", false, "{\"id\":1e3,\"ids\":[-0.0,10E1]}");
    check("{\"id\":2.0}", true, "{\"id\":2.0}");
    check("{ \"id\": 1.5, \"n\": \"12 \", \"yes\": \"true\" }", false,
          "{ \"id\": 1.5, \"n\": \"12 \", \"yes\": \"true\" }");
    check("{\"set\":{\"id\":76,\"n\":\"12\"},\"other\":1}", false, "{\"set\":{\"id\":76,\"n\":\"12\"},\"other\":1}");
    check("[]", true, "[]");
}

static void test_one_text(void **state)
{
    (void)state;
    const char *expected = "{\"id\":\"7\",\"set\":{\"a\":[{\"c\":1.50,\"d\":2}],\"b\":null}}";
    check("{ \"set\": {\"b\":null, \"a\":[{\"d\":2,\"c\":1.50}]}, \"id\":7, \"code\":\"x\" }", true, expected);
    check("{\"id\":\"7\",\"set\":{\"a\":[{\"c\":1.50,\"d\":2}],\"b\":null}}", true, expected);
    check("{\"set\":{\"code\":1}}", true, "{\"set\":{\"code\":1}}"); /* not ours */
}

/* A long page written anew takes its own length, not that of the buffers it grew out of. */
static void test_memory(void **state)
{
    (void)state;
    enum { PAGE_BYTES = 256 * 1024 };
    const struct json *schema, *arguments, *settled;
    struct buf page;
    buf_init_heap(&page, PAGE_BYTES + 64);
    buf_add(&page, STR("{\"title\":\"t\",\"content\":\""));
    for (size_t i = 0; i < PAGE_BYTES; i++)
        buf_add_char(&page, 'a');
    buf_add(&page, STR("\",\"id\":7}"));
    assert_int_equal(json_parse(call.arena, STR(SCHEMA), NULL, &schema, NULL), OK);
    assert_int_equal(json_parse(call.arena, buf_str(&page), NULL, &arguments, NULL), OK);
    size_t used = arena_used(call.arena);
    assert_int_equal(arguments_settle(&call, schema, arguments, true, "code", &settled), OK);
    assert_true(arena_used(call.arena) - used < PAGE_BYTES + PAGE_BYTES / 4);
    assert_string_equal(str_copy(call.arena, json_str(json_get(settled, STR("id")))).ptr, "7");
    buf_done(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_one_text),
        cmocka_unit_test(test_memory),
    };
    call.arena = arena_new(2 * 1024 * 1024);
    int failed = cmocka_run_group_tests_name("arguments", tests, NULL, NULL);
    arena_free(call.arena);
    return failed;
}

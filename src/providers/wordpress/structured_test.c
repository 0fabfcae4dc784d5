/* JSON objects beside the text of an answer. */
#include "providers/wordpress/structured.h"

#include "call/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct arena *arena;
static struct call call;
static struct tool_context context;

static int begin(void **state)
{
    (void)state;
    arena = arena_new(16 << 20);
    call = (struct call){.arena = arena};
    context = (struct tool_context){.wants_structured = true};
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void check(struct structured *s, const char *wanted)
{
    struct tool_result result = {0};
    structured_end(s, &result);
    assert_int_equal(result.structured_json.len, strlen(wanted));
    assert_memory_equal(result.structured_json.ptr, wanted, strlen(wanted));
}

static void test_not_wanted(void **state)
{
    (void)state;
    struct tool_result result = {0};
    struct structured mark;
    context.wants_structured = false;
    struct structured *s = structured_begin(&call, &context);
    assert_null(s);
    assert_null(structured_begin(&call, NULL));
    structured_array(s, "items");
    mark = structured_mark(s);
    structured_object(s, NULL);
    structured_str(s, "a", STR("b"));
    structured_text(s, STR("a"), STR("b"));
    structured_i64(s, "c", 1);
    structured_bool(s, "d", true);
    structured_id(s, "e", 1, STR("1"));
    structured_cell(s, STR("f"), NULL, STR("x"));
    structured_item(s, STR("g"));
    structured_close(s);
    structured_back(s, &mark);
    structured_preview(&call, &context, &result);
    structured_end(s, &result);
    assert_int_equal(result.structured_json.len, 0);
}

static void test_members(void **state)
{
    (void)state;
    struct structured *s = structured_begin(&call, &context);
    structured_str(s, "empty", STR_EMPTY);
    structured_str(s, "title", STR("a \"b\"\nc"));
    structured_text(s, STR("kept"), STR_EMPTY);
    structured_i64(s, "number", -5);
    structured_bool(s, "yes", true);
    structured_id(s, "id", 12, STR("12"));
    structured_id(s, "key", 0, STR("theme//home"));
    structured_array(s, "rights");
    structured_item(s, STR("read"));
    structured_item(s, STR("draft"));
    structured_close(s);
    check(s,
          "{\"title\":\"a \\\"b\\\"\\nc\",\"kept\":\"\",\"number\":-5,\"yes\":true,\"id\":12,\"key\":\"theme//home\","
          "\"rights\":[\"read\",\"draft\"]}");
}

/* A title that looks like a number is none. */
static void test_cells(void **state)
{
    (void)state;
    const struct json *item;
    struct structured *s = structured_begin(&call, &context);
    assert_int_equal(
        json_parse(arena, STR("{\"n\":1.50,\"b\":false,\"z\":null,\"t\":\"2024\",\"l\":[1]}"), NULL, &item, NULL), OK);
    structured_cell(s, STR("n"), json_get(item, STR("n")), STR("1.50"));
    structured_cell(s, STR("b"), json_get(item, STR("b")), STR("false"));
    structured_cell(s, STR("z"), json_get(item, STR("z")), STR("null"));
    structured_cell(s, STR("t"), json_get(item, STR("t")), STR("2024"));
    structured_cell(s, STR("l"), json_get(item, STR("l")), STR("1"));
    structured_cell(s, STR("none"), json_get(item, STR("none")), STR_EMPTY);
    check(s, "{\"n\":1.50,\"b\":false,\"z\":null,\"t\":\"2024\",\"l\":\"1\",\"none\":null}");
}

static void test_hidden(void **state)
{
    (void)state;
    struct structured *s = structured_begin(&call, &context);
    structured_str(s, "title", STR("a\x1b[2J\xe2\x80\xae"));
    structured_text(s, STR("k\xe2\x80\xae"), STR("\x7f"));
    structured_array(s, "items");
    structured_item(s, STR("\xf3\xa0\x81\xa4"));
    structured_close(s);
    check(s, "{\"title\":\"a&#x1B;[2J&#x202E;\",\"k&#x202E;\":\"&#x7F;\",\"items\":[\"&#xE0064;\"]}");
}

static void test_back(void **state)
{
    (void)state;
    struct structured *s = structured_begin(&call, &context), mark;
    structured_array(s, "items");
    for (int i = 1; i <= 4; i++) {
        mark = structured_mark(s);
        structured_object(s, NULL);
        structured_i64(s, "id", i);
        structured_close(s);
        if (i % 2)
            structured_back(s, &mark);
    }
    structured_close(s);
    structured_i64(s, "total", 2);
    check(s, "{\"items\":[{\"id\":2},{\"id\":4}],\"total\":2}");
}

static void test_written(void **state)
{
    (void)state;
    struct wp_item item = {.type = {.slug = STR("post")},
                           .id = 7,
                           .key = STR("7"),
                           .status = STR("draft"),
                           .version = "123456789",
                           .link = STR("https://blog.example.com/?p=7")};
    struct wp_write write = {.change = {.number = 3, .kind = CHANGE_EDIT}};
    struct structured *s = structured_begin(&call, &context);
    structured_written(s, &write, &item);
    check(s, "{\"id\":7,\"type\":\"post\",\"status\":\"draft\",\"version\":\"123456789\","
             "\"url\":\"https://blog.example.com/?p=7\",\"undo\":3}");
    /* No number where the text says that it cannot be taken back. */
    write.change.before_lost = true;
    s = structured_begin(&call, &context);
    structured_undo(s, &write);
    check(s, "{}");
    write.change = (struct site_change){.number = 3, .kind = CHANGE_DELETE};
    s = structured_begin(&call, &context);
    structured_undo(s, &write);
    check(s, "{}");
}

static void test_too_large(void **state)
{
    (void)state;
    struct tool_result result = {0};
    struct structured *s = structured_begin(&call, &context);
    size_t size = STRUCTURED_MAX_BYTES;
    char *text = arena_alloc(arena, size);
    memset(text, 'x', size);
    structured_str(s, "content", str_of(text, size));
    structured_end(s, &result);
    assert_int_equal(result.structured_json.len, 0);
}

static void test_preview(void **state)
{
    (void)state;
    struct tool_result result = {0};
    buf_init(&result.text, arena, 1000);
    buf_add(&result.text, STR("Would change."));
    structured_preview(&call, &context, &result);
    assert_true(str_eq(result.structured_json, STR("{\"dry_run\":true,\"preview\":\"Would change.\"}")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_not_wanted, begin, end),
        cmocka_unit_test_setup_teardown(test_members, begin, end),
        cmocka_unit_test_setup_teardown(test_cells, begin, end),
        cmocka_unit_test_setup_teardown(test_hidden, begin, end),
        cmocka_unit_test_setup_teardown(test_back, begin, end),
        cmocka_unit_test_setup_teardown(test_written, begin, end),
        cmocka_unit_test_setup_teardown(test_too_large, begin, end),
        cmocka_unit_test_setup_teardown(test_preview, begin, end),
    };
    return cmocka_run_group_tests_name("structured", tests, NULL, NULL);
}

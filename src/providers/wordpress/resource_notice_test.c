/* Who is told what after which write. */
#include "providers/wordpress/resource_notice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct arena *arena;
static struct call call;
static struct str told; /* "updated wp://posts/12, list" */

static void changed(struct host *host, enum host_change change, struct str uri)
{
    (void)host;
    told = str_format(arena, "%.*s%s%s%.*s", STR_ARG(told), told.len ? ", " : "",
                      change == HOST_RESOURCE_UPDATED    ? "updated "
                      : change == HOST_RESOURCES_CHANGED ? "list"
                                                         : "?",
                      STR_ARG(uri));
}

static const struct host_functions functions = {.changed = changed};
static struct host host = {&functions};

static void assert_told(const struct wp_write *write, const char *answer_json, const char *expected)
{
    struct wp_answer answer = {0};
    told = STR_EMPTY;
    assert_int_equal(json_parse(arena, str_from(answer_json), NULL, &answer.json, NULL), OK);
    wp_tell_written(&call, &host, write, &answer);
    assert_string_equal(str_copy(arena, told).ptr, expected);
}

static const struct wp_type post = {.slug = STR_INIT("post"), .route = STR_INIT("wp/v2/posts")};
static const struct wp_item before = {
    .id = 12, .title = STR_INIT("A"), .status = STR_INIT("draft"), .slug = STR_INIT("a")};

static void test_items(void **state)
{
    struct wp_write write = {.kind = WP_WRITE_CHANGE, .type = &post, .before = &before, .route = STR("wp/v2/posts/12")};
    (void)state;
    assert_told(&write, "{\"title\":{\"raw\":\"A\"},\"status\":\"draft\",\"slug\":\"a\"}", "updated wp://posts/12");
    assert_told(&write, "{\"title\":{\"raw\":\"B\"},\"status\":\"draft\",\"slug\":\"a\"}",
                "updated wp://posts/12, list");
    assert_told(&write, "{\"title\":{\"raw\":\"A\"},\"status\":\"publish\",\"slug\":\"a\"}",
                "updated wp://posts/12, list");
    assert_told(&write, "{}", "updated wp://posts/12, list"); /* nobody knows what became of it */
    write.kind = WP_WRITE_TRASH;
    assert_told(&write, "{}", "updated wp://posts/12, list");
    write.kind = WP_WRITE_DELETE;
    assert_told(&write, "{}", "updated wp://posts/12, list");
    write = (struct wp_write){.kind = WP_WRITE_CREATE, .type = &post, .route = STR("wp/v2/posts")};
    assert_told(&write, "{}", "list");
    wp_tell_written(&call, NULL, &write, &(struct wp_answer){0}); /* nobody listens */
}

static void test_calls(void **state)
{
    static const struct {
        const char *route, *told;
    } calls[] = {
        {"wp/v2/posts/12", "updated wp://posts/12, list"},
        {"library/v1/books/7", "updated wp://books/7, list"},
        {"wp/v2/posts", "list"},
        {"wp/v2/settings", "updated wp://site"},
        {"library/v1/import", ""},
        {"wp-abilities/v1/abilities/core/do/run", ""},
        {"wp/v2/posts/", ""},
        {"12", ""},
        {"/12", ""},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(calls); i++) {
        struct wp_write write = {.kind = WP_WRITE_CALL, .route = str_from(calls[i].route)};
        assert_told(&write, "{}", calls[i].told);
    }
}

static int setup(void **state)
{
    (void)state;
    arena = arena_new(1 << 20);
    call_init(&call, arena, 1000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_items, setup, teardown),
        cmocka_unit_test_setup_teardown(test_calls, setup, teardown),
    };
    return cmocka_run_group_tests_name("resource_notice", tests, NULL, NULL);
}

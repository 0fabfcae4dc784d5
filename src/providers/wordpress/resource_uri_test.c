/* URIs of resources: what is one, in its one spelling, and what is none. */
#include "providers/wordpress/resource_uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void test_good(void **state)
{
    struct wp_uri uri;
    (void)state;
    assert_true(wp_uri_parse(STR("wp://site"), &uri));
    assert_int_equal(uri.id, 0);
    assert_int_equal(uri.collection.len, 0);
    assert_true(wp_uri_parse(STR("wp://posts/12"), &uri));
    assert_int_equal(uri.id, 12);
    assert_true(str_eq(uri.collection, STR("posts")));
    assert_true(wp_uri_parse(STR("wp://site/12"), &uri)); /* of a type that is called so */
    assert_true(wp_uri_parse(STR("wp://my-books_2/9223372036854775807"), &uri));
    assert_int_equal(uri.id, INT64_MAX);
}

static void test_bad(void **state)
{
    static const char *const bad[] = {
        "",
        "wp:",
        "wp://",
        "wp:///12",
        "wp://posts",
        "wp://posts/",
        "wp://posts/0",
        "wp://posts/012",
        "wp://posts/-1",
        "wp://posts/+1",
        "wp://posts/1.0",
        "wp://posts/ 1",
        "wp://posts/12/",
        "wp://posts/12/file",
        "wp://posts/12?_method=DELETE",
        "wp://posts/12#a",
        "wp://posts/1%32",
        "wp://posts/9223372036854775808",
        "wp://posts/../users/1",
        "wp://../1",
        "wp://wp/v2/posts/12",
        "wp://po%73ts/12",
        "wp://p\xc3\xb6sts/12",
        "WP://posts/12",
        "wp://site/",
        "wp://site?x",
        "http://posts/12",
        "file:///etc/passwd",
        "wp://posts@evil.example/1",
        "wp://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/1",
    };
    struct wp_uri uri;
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        if (wp_uri_parse(str_from(bad[i]), &uri))
            fail_msg("%s was taken for a URI", bad[i]);
    assert_false(wp_uri_parse(str_of("wp://posts/1\0", 13), &uri));
}

static void test_format(void **state)
{
    struct arena *arena = arena_new(1 << 16);
    (void)state;
    assert_true(str_eq(wp_uri_format(arena, wp_uri_collection(STR("wp/v2/posts")), 12), STR("wp://posts/12")));
    assert_true(str_eq(wp_uri_format(arena, wp_uri_collection(STR("books")), 1), STR("wp://books/1")));
    assert_int_equal(wp_uri_format(arena, STR("posts"), 0).len, 0);
    assert_int_equal(wp_uri_format(arena, STR("(?P<id>"), 3).len, 0);
    assert_int_equal(wp_uri_format(arena, wp_uri_collection(STR("wp/v2/")), 3).len, 0);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_format),
    };
    return cmocka_run_group_tests_name("resource_uri", tests, NULL, NULL);
}

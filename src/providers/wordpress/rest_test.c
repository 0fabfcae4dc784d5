/* Addresses and parameters towards WordPress: nothing a client says may change what a request does. */
#include "providers/site.h"
#include "providers/wordpress/rest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct arena *arena;
static struct call call;

static void assert_str(struct str actual, const char *expected)
{
    assert_string_equal(str_copy(arena, actual).ptr, expected);
}

static void test_url(void **state)
{
    (void)state;
    assert_str(wp_url(&call, STR("https://a.example/wp-json/"), STR("wp/v2/posts"), STR("a=b")),
               "https://a.example/wp-json/wp/v2/posts?a=b");
    assert_str(wp_url(&call, STR("https://a.example/wp-json/"), STR("wp/v2/posts"), STR_EMPTY),
               "https://a.example/wp-json/wp/v2/posts");
    /* rest_route last, so that another one before it loses */
    assert_str(
        wp_url(&call, STR("https://a.example/blog/?rest_route=/"), STR("wp/v2/posts"), STR("rest_route=%2Fx&a=b")),
        "https://a.example/blog/?rest_route=%2Fx&a=b&rest_route=/wp/v2/posts");
    assert_str(wp_url(&call, STR("https://a.example/?rest_route=/"), STR_EMPTY, STR_EMPTY),
               "https://a.example/?rest_route=/");
}

static void test_reserved(void **state)
{
    (void)state;
    static const char *const reserved[] = {
        "_method",      "_envelope",  "_jsonp",    "_fields",
        "_embed",       "_wpnonce",   "_",         "",
        "rest_route",   "REST_ROUTE", "context",   "rest.route",
        "rest route",   "rest[route", "_method[]", "X-HTTP-Method-Override",
        "a&b",          "a=b",        "a%5B",      "rest_route[]",
        "categories[]", "a\nb",       "a;b",
    };
    static const char *const fine[] = {"slug", "categories", "tax_relation", "modified_after", "my-field", "status2"};
    for (size_t i = 0; i < ARRAY_LENGTH(reserved); i++)
        assert_true(wp_name_is_reserved(str_from(reserved[i])));
    for (size_t i = 0; i < ARRAY_LENGTH(fine); i++)
        assert_false(wp_name_is_reserved(str_from(fine[i])));
}

static void test_query(void **state)
{
    (void)state;
    const struct json *value;
    struct wp_query query;
    wp_query_init(&call, &query);
    wp_query_add(&query, "search", STR("a&_method=DELETE#é"));
    wp_query_add_i64(&query, "offset", -5);
    assert_int_equal(json_parse(arena, STR("[1,\"x y\",true]"), NULL, &value, NULL), OK);
    assert_int_equal(wp_query_add_json(&call, &query, STR("tags"), value), OK);
    assert_str(buf_str(&query.text),
               "search=a%26_method%3DDELETE%23%C3%A9&offset=-5&tags%5B%5D=1&tags%5B%5D=x%20y&tags%5B%5D=true");
    assert_int_equal(json_parse(arena, STR("{\"_method\":\"DELETE\"}"), NULL, &value, NULL), OK);
    assert_int_equal(wp_query_add_json(&call, &query, STR("tags"), value), E_INVALID);
    assert_int_equal(json_parse(arena, STR("[[1]]"), NULL, &value, NULL), OK);
    assert_int_equal(wp_query_add_json(&call, &query, STR("tags"), value), E_INVALID);
}

static void test_parse(void **state)
{
    (void)state;
    const struct json *value;
    assert_int_equal(wp_parse_answer(&call, STR("\xEF\xBB\xBF{\"a\":1}"), &value), OK);
    assert_int_equal(wp_parse_answer(&call, STR("<br />\n<b>Warning</b>: x[0] in /a {b}\n[{\"a\":1}]"), &value), OK);
    assert_int_equal(json_i64_or(json_get(json_at(value, 0), STR("a")), 0), 1);
    assert_int_equal(wp_parse_answer(&call, STR("<html>no</html>"), &value), E_UPSTREAM);
    assert_true(json_is(value, JSON_MISSING));
    assert_int_equal(wp_parse_answer(&call, STR(""), &value), E_UPSTREAM);
    /* WordPress may repeat a name; that is its business */
    assert_int_equal(wp_parse_answer(&call, STR("{\"a\":1,\"a\":2}"), &value), OK);
}

static void test_open(void **state)
{
    (void)state;
    struct wp wp;
    struct site site = {.config_json =
                            STR("{\"url\":\"https://a.example/\",\"rest\":\"https://a.example/?rest_route=/\"}")};
    assert_int_equal(wp_open(&call, &site, RIGHT_READ, &wp), OK);
    assert_str(wp.rest_root, "https://a.example/?rest_route=/");
    static const struct {
        const char *config, *root;
    } earlier[] = {
        {"{\"url\":\"https://a.example\"}", "https://a.example/wp-json/"},
        {"{\"url\":\"https://a.example/wp-json\"}", "https://a.example/wp-json/"},
        {"{\"url\":\"https://a.example/wp-json/\"}", "https://a.example/wp-json/"},
        {"{\"base_url\":\"https://a.example/blog/\"}", "https://a.example/blog/wp-json/"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(earlier); i++) {
        site.config_json = str_from(earlier[i].config);
        assert_int_equal(wp_open(&call, &site, RIGHT_READ, &wp), OK);
        assert_str(wp.rest_root, earlier[i].root);
    }
    site.config_json = STR("{}");
    assert_int_equal(wp_open(&call, &site, RIGHT_READ, &wp), E_UPSTREAM);
}

static void test_origin(void **state)
{
    (void)state;
    assert_str(site_origin(STR("https://a.example:8443/x?y")), "https://a.example:8443");
    assert_str(site_origin(STR("http://a.example?x")), "http://a.example");
    assert_str(site_origin(STR("https://a.example")), "https://a.example");
    assert_str(site_origin(STR("https://a.example@evil.example/")), "");
    assert_str(site_origin(STR("https://a.example\\@evil.example/")), "");
    assert_str(site_origin(STR("ftp://a.example/")), "");
    assert_str(site_origin(STR("https://")), "");
    /* a longer name that begins the same is another origin */
    assert_false(str_eq(site_origin(STR("https://a.example")), site_origin(STR("https://a.example.evil/"))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_url),   cmocka_unit_test(test_reserved), cmocka_unit_test(test_query),
        cmocka_unit_test(test_parse), cmocka_unit_test(test_open),     cmocka_unit_test(test_origin),
    };
    arena = arena_new(1 << 22);
    call_init(&call, arena, 60000);
    int failed = cmocka_run_group_tests_name("rest", tests, NULL, NULL);
    arena_free(arena);
    return failed;
}

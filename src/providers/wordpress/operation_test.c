/* What a site's index becomes, and that a client's name and arguments reach the operation they name or none. */
#include "providers/wordpress/operation_answer.h"
#include "providers/wordpress/operation_request.h"
#include "providers/wordpress/operation_search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ARG_ID "\"id\":{\"type\":\"integer\"}"
#define STATUS "\"status\":{\"type\":\"string\",\"enum\":[\"publish\",\"draft\",\"private\"]}"

/* As WordPress writes it, with the expressions of 6.1 to 7.1. */
static const char index_text[] =
    "{\"routes\":{"
    "\"/\":{\"endpoints\":[{\"methods\":[\"GET\"],\"args\":{}}]},"
    "\"/batch/v1\":{\"endpoints\":[{\"methods\":[\"POST\"],\"args\":{\"requests\":{\"type\":\"array\"}}}]},"
    "\"/wp/v2\":{\"endpoints\":[{\"methods\":[\"GET\"],\"args\":{\"namespace\":{\"default\":\"wp/v2\"}}}]},"
    "\"/wp/v2/posts\":{\"endpoints\":[{\"methods\":[\"GET\"],\"args\":{\"context\":{\"type\":\"string\"},"
    "\"per_page\":{\"type\":\"integer\"},\"search\":{\"type\":\"string\"},\"_method\":{\"type\":\"string\"}}},"
    "{\"methods\":[\"POST\"],\"args\":{\"title\":{\"type\":\"object\",\"properties\":{\"raw\":{},\"rendered\":{"
    "\"readonly\":true}}}"
    "," STATUS ",\"meta\":{\"type\":\"object\",\"properties\":{\"isbn\":{\"type\":\"string\"}}}}}]},"
    "\"/wp/v2/posts/(?P<id>[\\\\d]+)\":{\"endpoints\":[{\"methods\":[\"GET\"],\"args\":{" ARG_ID "}},"
    "{\"methods\":[\"POST\",\"PUT\",\"PATCH\"],\"args\":{" ARG_ID ",\"title\":{\"type\":\"object\"}," STATUS "}},"
    "{\"methods\":[\"DELETE\"],\"args\":{" ARG_ID ",\"force\":{\"type\":\"boolean\",\"default\":false}}}]},"
    "\"/wp/v2/templates/(?P<parent>([^\\\\/:<>\\\\*\\\\?\\\"\\\\|]+(?:\\\\/[^\\\\/:<>\\\\*\\\\?\\\"\\\\|]+)?)[\\\\/"
    "\\\\w%-]+)/revisions\":"
    "{\"endpoints\":[{\"methods\":[\"GET\"],\"args\":{}}]},"
    "\"/wp/v2/templates/(?P<id>([^\\\\/:<>\\\\*\\\\?\\\"\\\\|]+(?:\\\\/[^\\\\/:<>\\\\*\\\\?\\\"\\\\|]+)?)[\\\\/"
    "\\\\w%-]+)\":"
    "{\"endpoints\":[{\"methods\":[\"GET\"],\"args\":{}},{\"methods\":[\"DELETE\"],\"args\":{\"force\":{\"type\":"
    "\"boolean\"}}}]},"
    "\"/wp/v2/users\":{\"endpoints\":[{\"methods\":[\"POST\"],\"args\":{\"username\":{\"type\":\"string\"}}}]},"
    "\"/wp/v2/users/(?P<id>[\\\\d]+)\":{\"endpoints\":[{\"methods\":[\"POST\",\"PUT\",\"PATCH\"],\"args\":{"
    "\"roles\":{\"type\":\"array\"},\"password\":{\"type\":\"string\"},\"description\":{\"type\":\"string\"}}}]},"
    "\"/wp/v2/users/(?P<user_id>(?:[\\\\d]+|me))/"
    "application-passwords\":{\"endpoints\":[{\"methods\":[\"GET\"],\"args\":[]},"
    "{\"methods\":[\"POST\"],\"args\":{\"name\":{\"type\":\"string\"}}}]},"
    "\"/wp/v2/settings\":{\"endpoints\":[{\"methods\":[\"GET\"],\"args\":[]},{\"methods\":[\"POST\",\"PUT\",\"PATCH\"],"
    "\"args\":{\"title\":{\"type\":\"string\"}}}]},"
    "\"/wp/v2/widgets\":{\"endpoints\":[{\"methods\":[\"GET\"],\"args\":{\"sidebar\":{\"type\":\"string\"}}},"
    "{\"methods\":[\"POST\"],\"args\":{\"id\":{\"type\":\"string\"},\"sidebar\":{\"type\":\"string\",\"required\":true}"
    ","
    "\"instance\":{\"type\":\"object\",\"properties\":{\"encoded\":{},\"raw\":{}}}}}]},"
    "\"/oembed/1.0/proxy\":{\"endpoints\":[{\"methods\":[\"GET\"],\"args\":{\"url\":{\"type\":\"string\"}}}]},"
    "\"/wp-block-editor/v1/navigation-fallback\":{\"endpoints\":[{\"methods\":[\"GET\"],\"args\":[]}]},"
    "\"/test/v1/echo\":{\"endpoints\":[{\"methods\":[\"GET\",\"POST\",\"PUT\",\"PATCH\",\"DELETE\"],"
    "\"args\":{\"msg\":{\"type\":\"string\",\"required\":true}}}]},"
    "\"/wp-abilities/v1/abilities/(?P<name>[a-zA-Z0-9\\\\-\\\\/]+?)/"
    "run\":{\"endpoints\":[{\"methods\":[\"GET\",\"POST\"],\"args\":[]}]},"
    "\"/x/v1/(unnamed|group)/a\":{\"endpoints\":[{\"methods\":[\"GET\"],\"args\":[]}]},"
    "\"/x/v1/(?P<open\":{\"endpoints\":[{\"methods\":[\"GET\"],\"args\":[]}]}"
    "}}";

static const char abilities_text[] =
    "[{\"name\":\"core/get-site-info\",\"label\":\"Get Site Information\",\"description\":\"Returns it.\","
    "\"input_schema\":{\"type\":\"object\",\"properties\":{\"fields\":{\"type\":\"array\"}}},"
    "\"meta\":{\"annotations\":{\"readonly\":true}}},"
    "{\"name\":\"shop/refund\",\"label\":\"Refund\",\"description\":\"Pays "
    "back.\",\"input_schema\":{\"type\":\"object\","
    "\"properties\":{\"order\":{\"type\":\"integer\"}},\"required\":[\"order\"]},\"meta\":{\"annotations\":{}}},"
    "{\"name\":\"shop/purge\",\"label\":\"Purge\",\"description\":\"\",\"input_schema\":{\"type\":\"string\"},"
    "\"meta\":{\"annotations\":{\"destructive\":true,\"idempotent\":true}}},"
    "{\"name\":\"../evil\",\"label\":\"\",\"description\":\"\",\"meta\":{\"annotations\":{\"readonly\":true}}}]";

static struct arena *arena;
static struct call call;
static struct operations site;

static const struct json *parse(const char *text)
{
    const struct json *value;
    struct json_limits limits = JSON_LIMITS_DEFAULT;
    assert_int_equal(json_parse(arena, str_from(text), &limits, &value, NULL), OK);
    return value;
}

static void assert_str(struct str actual, const char *expected)
{
    assert_string_equal(str_copy(arena, actual).ptr, expected);
}

static int make(const char *name, const char *args, struct operation_request *ret)
{
    static const struct json nothing = {.type = JSON_MISSING};
    return operation_request_make(&call, &site, str_from(name), args ? parse(args) : &nothing, ret);
}

static void test_build(void **state)
{
    (void)state;
    struct operation_request request;
    struct buf out;
    buf_init(&out, arena, 1000);
    for (size_t i = 0; i < site.count; i++) {
        assert_false(str_eq(site.list[i].path, STR("/wp/v2"))); /* an index of a namespace */
        assert_false(str_eq(site.list[i].path, STR("/")));
        assert_false(str_starts_with(site.list[i].path, STR("/x/v1"))); /* expressions that are no path */
        assert_false(str_contains(site.list[i].path, STR("..")));
    }
    assert_int_equal(make("POST /wp/v2/widgets", NULL, &request), OK);
    operation_write_signature(request.operation, 4, &out);
    assert_str(buf_str(&out), "POST /wp/v2/widgets (sidebar*,id,instance{encoded,raw})");
    assert_int_equal(make("GET /wp/v2/posts", NULL, &request), OK);
    buf_clear(&out);
    operation_write_signature(request.operation, 4, &out);
    assert_str(buf_str(&out), "GET /wp/v2/posts (+2)"); /* context and _method are not there at all */
    assert_int_equal(make("POST /wp/v2/posts", NULL, &request), OK);
    buf_clear(&out);
    operation_write_signature(request.operation, 0, &out);
    assert_str(buf_str(&out), "POST /wp/v2/posts (title,status,meta{isbn})");
    assert_int_equal(make("shop/refund", NULL, &request), OK);
    buf_clear(&out);
    operation_write_signature(request.operation, 4, &out);
    assert_str(buf_str(&out), "shop/refund (order*) writes: Refund");
}

static const struct operation *best(const char *query)
{
    const struct operation *found = NULL;
    unsigned most = 0;
    for (size_t i = 0; i < site.count; i++) {
        unsigned score = operation_score(&site.list[i], str_from(query));
        if (score > most) {
            most = score;
            found = &site.list[i];
        }
    }
    return found;
}

static void test_search(void **state)
{
    (void)state;
    assert_str(best("echo")->path, "/test/v1/echo");
    assert_str(best("add a widget")->path, "/wp/v2/widgets");
    assert_int_equal(best("add a widget")->methods, OPERATION_POST);
    assert_int_equal(best("delete posts")->methods, OPERATION_DELETE);
    assert_str(best("site information")->path, "core/get-site-info");
    assert_str(best("msg")->path, "/test/v1/echo");
    assert_str(best("isbn")->path, "/wp/v2/posts");
    assert_str(best("the echo of a zebra")->path, "/test/v1/echo");
    assert_null(best("zebra"));
}

static void test_paths(void **state)
{
    (void)state;
    struct operation_request request;
    assert_int_equal(make("GET /wp/v2/posts/{id}", "{\"id\":12}", &request), OK);
    assert_str(request.route, "wp/v2/posts/12");
    assert_str(buf_str(&request.query.text), "");
    assert_int_equal(make("get /WP/v2/posts/12", NULL, &request), OK);
    assert_str(request.route, "wp/v2/posts/12");
    assert_int_equal(make("GET /wp/v2/posts/12", "{\"id\":12}", &request), OK);
    assert_int_equal(make("GET /wp/v2/templates/{id}", "{\"id\":\"twentytwentyfive//home\"}", &request), OK);
    assert_str(request.route, "wp/v2/templates/twentytwentyfive//home");

    static const struct {
        const char *name, *args;
    } refused[] = {
        {"GET /wp/v2/posts/{id}", NULL},
        {"GET /wp/v2/posts/{id}", "{\"id\":\"12/revisions\"}"},
        {"GET /wp/v2/posts/{id}", "{\"id\":\"12?_method=DELETE\"}"},
        {"GET /wp/v2/posts/{id}", "{\"id\":\"../users/1\"}"},
        {"GET /wp/v2/posts/{id}", "{\"id\":\"%2e%2e\"}"},
        {"GET /wp/v2/posts/{id}", "{\"id\":\"{id}\"}"},
        {"GET /wp/v2/posts/{id}", "{\"id\":-1}"},
        {"GET /wp/v2/posts/{id}", "{\"id\":1.5}"},
        {"GET /wp/v2/posts/{id}", "{\"id\":[1]}"},
        {"GET /wp/v2/posts/{id}", "{\"id\":\"\"}"},
        {"GET /wp/v2/posts/12", "{\"id\":13}"}, /* an argument would win over the path */
        {"GET /wp/v2/posts/{parent}", "{\"parent\":1}"},
        {"GET /wp/v2/posts/{}", NULL},
        {"GET /wp/v2/posts/{", NULL},
        {"GET /wp/v2/posts?_method=DELETE", NULL},
        {"GET /wp/v2/posts&rest_route=/x", NULL},
        {"GET /wp/v2/posts#x", NULL},
        {"GET /wp/v2/posts/", NULL},
        {"GET /wp/v2/posts/../users", NULL},
        {"GET /wp/v2/./posts", NULL},
        {"GET /wp/v2/posts%2F12", NULL},
        {"GET /wp/v2/posts/12 HTTP/1.1", NULL},
        {"GET /wp/v2/posts\r\nX: y", NULL},
        {"GET //wp/v2/posts", NULL},
        {"GET wp/v2/posts", NULL},
        {"GET https://a.example/wp-json/wp/v2/posts", NULL},
        {"HEAD /wp/v2/posts", NULL},
        {"TRACE /wp/v2/posts", NULL},
        {"DELETE /wp/v2/posts", NULL},
        {"/wp/v2/posts", NULL},
        {"", NULL},
        {"GET ", NULL},
        {"core/get-site-info/run", NULL},
        {"../evil", NULL},
        /* A slash in an id that leads to another operation than the one that was named. */
        {"GET /wp/v2/templates/{id}", "{\"id\":\"a//b/revisions\"}"},
        {"GET /wp/v2/templates/{id}", "{\"id\":\"a/../../users/1\"}"},
        {"GET /wp/v2/templates/{id}", "{\"id\":\"a//b/\"}"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++)
        if (make(refused[i].name, refused[i].args, &request) == OK)
            fail_msg("%s %s", refused[i].name, refused[i].args);
}

static void test_arguments(void **state)
{
    (void)state;
    struct operation_request request;
    assert_int_equal(make("GET /wp/v2/posts", "{\"search\":\"a&_method=DELETE\"}", &request), OK);
    assert_str(buf_str(&request.query.text), "search=a%26_method%3DDELETE");
    assert_int_equal(make("POST /wp/v2/posts", "{\"title\":\"T\",\"meta\":{\"isbn\":\"1\"}}", &request), OK);
    assert_str(request.body, "{\"title\":\"T\",\"meta\":{\"isbn\":\"1\"}}");
    assert_str(buf_str(&request.query.text), "");
    /* The id of the path never travels as an argument, which would win over the path. */
    assert_int_equal(make("POST /wp/v2/posts/{id}", "{\"id\":7,\"title\":\"T\"}", &request), OK);
    assert_str(request.body, "{\"title\":\"T\"}");
    assert_int_equal(make("core/get-site-info", "{\"fields\":[\"name\",\"a&b\"]}", &request), OK);
    assert_str(request.route, "wp-abilities/v1/abilities/core/get-site-info/run");
    assert_str(buf_str(&request.query.text), "input%5Bfields%5D%5B0%5D=name&input%5Bfields%5D%5B1%5D=a%26b");
    assert_int_equal(make("shop/refund", "{\"order\":3}", &request), OK);
    assert_str(request.body, "{\"input\":{\"order\":3}}");
    assert_int_equal(make("shop/purge", "{\"input\":\"x\"}", &request), OK);
    assert_str(buf_str(&request.query.text), "input=x");
    assert_int_equal(request.method, OPERATION_DELETE);

    static const struct {
        const char *name, *args;
    } refused[] = {
        {"GET /wp/v2/posts", "{\"_method\":\"DELETE\"}"},
        {"GET /wp/v2/posts", "{\"rest_route\":\"/wp/v2/users\"}"},
        {"GET /wp/v2/posts", "{\"_envelope\":1}"},
        {"GET /wp/v2/posts", "{\"_jsonp\":\"x\"}"},
        {"GET /wp/v2/posts", "{\"context\":\"edit\"}"},
        {"GET /wp/v2/posts", "{\"nosuch\":1}"},
        {"GET /wp/v2/posts", "{\"search[]\":\"x\"}"},
        {"GET /wp/v2/posts", "{\"search\":{\"_method\":\"x\"}}"},
        {"GET /wp/v2/posts", "{\"title\":\"x\"}"},
        {"POST /wp/v2/posts", "{\"_method\":\"DELETE\"}"},
        {"POST /wp/v2/posts", "{\"title\":{\"rendered\":\"x\"}}"},
        {"POST /wp/v2/posts", "{\"id\":5}"},
        {"POST /wp/v2/posts", "{\"meta\":{\"secret\":1}}"},
        {"core/get-site-info", "{\"other\":1}"},
        {"shop/refund", "{\"_method\":\"GET\"}"},
        {"core/get-site-info", "{\"fields\":{\"x]&_method\":1}}"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++)
        assert_int_equal(make(refused[i].name, refused[i].args, &request), E_INVALID);
}

static struct operation_needs needs_of(const char *name, const char *args)
{
    struct operation_request request;
    struct operation_needs needs;
    assert_int_equal(make(name, args, &request), OK);
    operation_needs(request.operation, call_format(&call, "/%.*s", STR_ARG(request.route)), parse(args), &needs);
    return needs;
}

static void test_rights(void **state)
{
    (void)state;
    static const struct {
        const char *name, *args;
        unsigned rights; /* just enough */
        bool permanent;
    } allowed[] = {
        {"GET /wp/v2/posts", "{}", RIGHT_READ, false},
        {"GET /wp/v2/settings", "{}", RIGHT_READ, false},
        {"GET /wp/v2/widgets", "{}", RIGHT_ADMIN, false},
        {"core/get-site-info", "{}", RIGHT_READ, false},
        {"GET /oembed/1.0/proxy", "{\"url\":\"https://a.example/\"}", RIGHT_FETCH, false},
        {"POST /wp/v2/posts", "{\"title\":\"x\"}", RIGHT_DRAFT, false},
        {"PUT /wp/v2/posts/1", "{\"title\":\"x\"}", RIGHT_DRAFT, false},
        {"POST /test/v1/echo", "{\"msg\":\"x\"}", RIGHT_PUBLISH, false},
        {"POST /wp/v2/settings", "{\"title\":\"x\"}", RIGHT_ADMIN, false},
        {"POST /wp/v2/widgets", "{\"sidebar\":\"x\"}", RIGHT_ADMIN, false},
        {"POST /wp/v2/users/1", "{\"description\":\"x\"}", RIGHT_ADMIN, false},
        {"DELETE /wp/v2/posts/1", "{}", RIGHT_DELETE, false},
        {"DELETE /wp/v2/posts/1", "{\"force\":false}", RIGHT_DELETE, false},
        {"DELETE /wp/v2/posts/1", "{\"force\":true}", RIGHT_DELETE, true},
        {"DELETE /wp/v2/posts/1", "{\"force\":\"false\"}", RIGHT_DELETE, true},
        {"DELETE /wp/v2/posts/1", "{\"force\":1}", RIGHT_DELETE, true},
        {"DELETE /wp/v2/templates/a//b", "{}", RIGHT_DELETE | RIGHT_ADMIN, false},
        {"DELETE /test/v1/echo", "{\"msg\":\"x\"}", RIGHT_DELETE, true},
        {"shop/refund", "{\"order\":1}", RIGHT_PUBLISH, false},
        {"shop/purge", "{\"input\":\"x\"}", RIGHT_PUBLISH | RIGHT_DELETE, true},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(allowed); i++) {
        struct operation_needs needs = needs_of(allowed[i].name, allowed[i].args);
        assert_null(needs.refusal);
        assert_int_equal(needs.permanent, allowed[i].permanent);
        assert_true(operation_is_within(&needs, allowed[i].rights | RIGHT_READ));
        for (unsigned right = 1; right < RIGHTS_ALL; right <<= 1)
            if ((allowed[i].rights & right) && right != RIGHT_READ)
                assert_false(
                    operation_is_within(&needs, RIGHTS_ALL & ~right & ~(right == RIGHT_DRAFT ? RIGHT_PUBLISH : 0u)));
    }
    static const struct {
        const char *name, *args;
    } refused[] = {
        {"GET /wp/v2/users/me/application-passwords", "{}"},
        {"POST /wp/v2/users/1/application-passwords", "{\"name\":\"x\"}"},
        {"POST /wp/v2/Users/1/Application-Passwords", "{\"name\":\"x\"}"},
        {"POST /batch/v1", "{\"requests\":[]}"},
        {"POST /wp/v2/users", "{\"username\":\"x\"}"},
        {"POST /wp/v2/users/1", "{\"roles\":[\"administrator\"]}"},
        {"PATCH /wp/v2/users/1", "{\"password\":\"x\"}"},
        {"GET /wp-block-editor/v1/navigation-fallback", "{}"},
        {"POST /wp-abilities/v1/abilities/core/get-site-info/run", "{}"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++) {
        struct operation_needs needs = needs_of(refused[i].name, refused[i].args);
        assert_non_null(needs.refusal);
        assert_false(operation_is_within(&needs, RIGHTS_ALL));
    }
}

static void assert_answer(const char *json, const char *fields, size_t max_chars, int64_t total, const char *expected)
{
    struct tool_result result = {.structured_json = STR_EMPTY};
    struct wp_answer answer = {.status = 200, .total = total, .json = parse(json)};
    buf_init(&result.text, arena, 100000);
    operation_answer_write(&call, NULL, &answer, parse(fields), max_chars, &result);
    assert_str(buf_str(&result.text), expected);
    assert_int_equal(result.structured_json.len, 0); /* not without the option */
}

static void test_answer(void **state)
{
    (void)state;
    assert_answer("[{\"id\":1,\"title\":{\"rendered\":\"A &amp; "
                  "B\"},\"_links\":{}},{\"id\":2,\"title\":{\"rendered\":\"C\\tD\"}}]",
                  "[]", 1000, 9, "id\ttitle\n1\tA & B\n2\tC D\n2 of 9");
    assert_answer("[{\"id\":1,\"meta\":{\"a\":{\"b\":true}}}]", "[\"meta.a.b\",\"none\"]", 1000, 1,
                  "meta.a.b\tnone\ntrue\t");
    assert_answer("{\"a\":\"x\",\"b\":{\"c\": [1, 2]},\"_links\":{\"d\":1}}", "[]", 1000, -1, "a: x\nb: {\"c\":[1,2]}");
    assert_answer("{\"post\":{\"name\":\"Posts\"},\"page\":{\"name\":\"Pages\"}}", "[\"name\"]", 1000, -1,
                  "key\tname\npost\tPosts\npage\tPages");
    assert_answer("[\"a\",2]", "[]", 1000, -1, "a\n2");
    assert_answer("[]", "[]", 1000, 0, "An empty list.");
    assert_answer("true", "[]", 1000, -1, "true");
    assert_answer("{\"a\":\"1234\",\"b\":\"5678\",\"c\":\"9\"}", "[]", 18, -1,
                  "a: 1234\nb: 5678\n[cut: 15 of 20 characters shown; name fields, or raise max_chars]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_build),     cmocka_unit_test(test_search), cmocka_unit_test(test_paths),
        cmocka_unit_test(test_arguments), cmocka_unit_test(test_rights), cmocka_unit_test(test_answer),
    };
    arena = arena_new(64 << 20);
    call_init(&call, arena, 60000);
    const struct json *abilities = parse(abilities_text);
    operations_build(&call, parse(index_text), &abilities, 1, &site);
    int failed = cmocka_run_group_tests_name("operation", tests, NULL, NULL);
    arena_free(arena);
    return failed;
}

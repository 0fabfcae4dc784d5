/* Spans: which are recorded, whose child each is, what they say, and what is left out. */
#include "json/json.h"
#include "net/otlp.h"
#include "net/span.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

static struct call call;

/* What otlp_add() was given lies in its queue; here it is instead. */
static struct str given[64];
static size_t n_given;
static bool is_on;

bool otlp_is_on(void)
{
    return is_on;
}

void otlp_add(struct str span_json)
{
    assert_true(n_given < ARRAY_LENGTH(given));
    assert_true(span_json.len <= OTLP_SPAN_BYTES_MAX);
    given[n_given++] = str_copy(call.arena, span_json);
}

static int setup(void **state)
{
    (void)state;
    call_init(&call, arena_new(4 * 1024 * 1024), 60 * 1000);
    n_given = 0;
    is_on = true;
    span_set_percent(100);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(call.arena);
    return 0;
}

static const struct json *span_at(size_t i)
{
    const struct json *span;
    assert_true(i < n_given);
    assert_int_equal(json_parse(call.arena, given[i], NULL, &span, NULL), OK);
    return span;
}

static struct str member(const struct json *span, const char *name)
{
    return json_str(json_get(span, str_from(name)));
}

/* The value of an attribute, as its text; ptr NULL: there is none. */
static struct str attribute(const struct json *span, const char *key, const char *type)
{
    const struct json *all = json_get(span, STR("attributes"));
    for (size_t i = 0; i < json_count(all); i++)
        if (str_eq(json_str(json_get(json_at(all, i), STR("key"))), str_from(key)))
            return json_str(json_get(json_get(json_at(all, i), STR("value")), str_from(type)));
    return (struct str){NULL, 0};
}

static void assert_says(struct str actual, const char *expected)
{
    if (!str_eq(actual, str_from(expected)))
        fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(actual), expected);
}

static void what_is_no_trace_context(void **state)
{
    static const char *const bad[] = {
        "",
        "00-" TRACE "-" PARENT "-0",   /* short */
        "00-" TRACE "-" PARENT "-011", /* long */
        "01-" TRACE "-" PARENT "-01",  /* another version */
        "ff-" TRACE "-" PARENT "-01",  /* no version */
        "00_" TRACE "-" PARENT "-01",  /* separators */
        "00-" TRACE "_" PARENT "-01",
        "00-" TRACE "-" PARENT "_01",
        "00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01", /* upper case */
        "00-" TRACE "-b7ad6b716920333g-01",                  /* no hex */
        "00-" TRACE "-" PARENT "-0x",
        "00-00000000000000000000000000000000-" PARENT "-01", /* nothing */
        "00-" TRACE "-0000000000000000-01",
    };
    (void)state;
    assert_true(span_parent_is_good(STR("00-" TRACE "-" PARENT "-01")));
    assert_true(span_parent_is_good(STR("00-" TRACE "-" PARENT "-ff")));
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        if (span_parent_is_good(str_from(bad[i])))
            fail_msg("\"%s\" is taken", bad[i]);
}

static void nothing_while_it_is_off(void **state)
{
    (void)state;
    is_on = false;
    struct span *span = span_begin(&call, SPAN_SERVER, STR("x"));
    assert_null(span);
    span_name(span, STR("y"));
    span_text(span, "a", STR("b"));
    span_integer(span, "a", 1);
    span_error(span, STR("e"));
    span_end(&call, span);
    assert_int_equal(n_given, 0);
    assert_int_equal(call.traceparent.len, 0);
}

static void a_child_is_in_its_parent(void **state)
{
    (void)state;
    assert_null(span_begin(&call, SPAN_CLIENT, STR("alone"))); /* what we ask of others is part of something */
    struct span *outer = span_begin(&call, SPAN_SERVER, STR("tools/call"));
    struct str named = call.traceparent;
    assert_true(span_parent_is_good(named));
    struct span *inner = span_begin(&call, SPAN_CLIENT, STR("GET"));
    assert_false(str_eq(call.traceparent, named));
    span_integer(inner, "http.response.status_code", 404);
    span_text(inner, "server.address", STR("blog.example"));
    span_error(inner, STR("404"));
    span_error(inner, STR("later"));
    span_end(&call, inner);
    assert_true(str_eq(call.traceparent, named));
    span_name(outer, STR("tools/call wp_find"));
    span_end(&call, outer);
    assert_null(call.span);
    assert_int_equal(call.traceparent.len, 0);
    assert_int_equal(n_given, 2);

    const struct json *child = span_at(0), *parent = span_at(1);
    assert_true(str_eq(member(child, "traceId"), str_sub(named, 3, 32)));
    assert_true(str_eq(member(child, "traceId"), member(parent, "traceId")));
    assert_true(str_eq(member(child, "parentSpanId"), member(parent, "spanId")));
    assert_false(str_eq(member(child, "spanId"), member(parent, "spanId")));
    assert_true(json_is(json_get(parent, STR("parentSpanId")), JSON_MISSING));
    assert_says(member(parent, "name"), "tools/call wp_find");
    assert_says(attribute(child, "http.response.status_code", "intValue"), "404");
    assert_says(attribute(child, "server.address", "stringValue"), "blog.example");
    assert_says(attribute(child, "error.type", "stringValue"), "404"); /* the first stays */
    assert_null(attribute(parent, "error.type", "stringValue").ptr);
    int64_t kind = 0, code = 0, begun = 0, ended = 0;
    assert_true(json_to_i64(json_get(child, STR("kind")), &kind) && kind == 3);
    assert_true(json_to_i64(json_get(json_get(child, STR("status")), STR("code")), &code) && code == 2);
    assert_true(json_is(json_get(json_get(parent, STR("status")), STR("code")), JSON_MISSING));
    assert_true(str_to_i64(member(child, "startTimeUnixNano"), &begun) &&
                str_to_i64(member(child, "endTimeUnixNano"), &ended));
    assert_true(ended >= begun && begun / 1000000 <= clock_now_ms() && begun / 1000000 > clock_now_ms() - 60 * 1000);
}

static void the_client_decides_or_chance(void **state)
{
    (void)state;
    call.traceparent = STR("00-" TRACE "-" PARENT "-00");
    assert_null(span_begin(&call, SPAN_SERVER, STR("x"))); /* not sampled, whatever our share is */
    call.traceparent = STR("00-" TRACE "-" PARENT "-02");
    assert_null(span_begin(&call, SPAN_SERVER, STR("x")));
    span_set_percent(0);
    call.traceparent = STR_EMPTY;
    for (int i = 0; i < 100; i++)
        assert_null(span_begin(&call, SPAN_SERVER, STR("x")));
    call.traceparent = STR("00-" TRACE "-" PARENT "-0b");
    struct span *span = span_begin(&call, SPAN_SERVER, STR("x"));
    assert_non_null(span);
    span_end(&call, span);
    assert_says(member(span_at(0), "traceId"), TRACE);
    assert_says(member(span_at(0), "parentSpanId"), PARENT);
    assert_says(call.traceparent, "00-" TRACE "-" PARENT "-0b");
}

static void what_is_too_much_is_left_out(void **state)
{
    char name[2 * SPAN_NAME_BYTES_MAX], key[2 * SPAN_ATTRIBUTES_MAX][8];
    (void)state;
    memset(name, 'n', sizeof name);
    struct span *span = span_begin(&call, SPAN_SERVER, str_of(name, sizeof name));
    for (int i = 0; i < 2 * SPAN_ATTRIBUTES_MAX; i++) {
        snprintf(key[i], sizeof key[i], "k%d", i);
        span_integer(span, key[i], i);
    }
    span_end(&call, span);
    span_end(&call, span); /* once is enough */
    assert_int_equal(n_given, 1);
    assert_int_equal(member(span_at(0), "name").len, SPAN_NAME_BYTES_MAX);
    assert_int_equal(json_count(json_get(span_at(0), STR("attributes"))), SPAN_ATTRIBUTES_MAX);
    assert_says(attribute(span_at(0), "k15", "intValue"), "15");
    assert_null(attribute(span_at(0), "k16", "intValue").ptr);

    /* One whose text is beyond OTLP_SPAN_BYTES_MAX is not sent in part. */
    char *text = arena_alloc(call.arena, OTLP_SPAN_BYTES_MAX);
    memset(text, 't', OTLP_SPAN_BYTES_MAX);
    span = span_begin(&call, SPAN_SERVER, STR("x"));
    span_text(span, "a", str_of(text, OTLP_SPAN_BYTES_MAX));
    span_end(&call, span);
    assert_int_equal(n_given, 1);
}

static void one_that_nobody_ended_is_told(void **state)
{
    struct call short_one;
    (void)state;
    call_init(&short_one, arena_new(1024 * 1024), 1000);
    struct span *span = span_begin(&short_one, SPAN_SERVER, STR("gone"));
    span_text(span, "quote", STR("\"\\\n"));
    arena_free(short_one.arena);
    assert_int_equal(n_given, 1);
    assert_says(attribute(span_at(0), "error.type", "stringValue"), "abandoned");
    assert_says(attribute(span_at(0), "quote", "stringValue"), "\"\\\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_no_trace_context, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_while_it_is_off, setup, teardown),
        cmocka_unit_test_setup_teardown(a_child_is_in_its_parent, setup, teardown),
        cmocka_unit_test_setup_teardown(the_client_decides_or_chance, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_too_much_is_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_nobody_ended_is_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

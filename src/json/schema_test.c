/* Which values fit which schemas, what the message says, and that no schema or value takes long or much stack. */
#include "json/schema.h"

#include "json/json_write.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct arena *arena;
static struct call call;

static int start(void **state)
{
    (void)state;
    arena = arena_new(64 << 20);
    call_init(&call, arena, 10000);
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

/* message NULL: it fits. */
static void validate(const char *schema, const char *value, const char *message)
{
    call_clear_error(&call);
    int result = schema_validate(&call, parse(str_from(schema)), parse(str_from(value)));
    if (result != (message ? E_INVALID : OK))
        fail_msg("%s with %s: %d %.*s", schema, value, result, STR_ARG(call.error_text));
    if (message && !str_eq(call.error_text, str_from(message)))
        fail_msg("%.*s\ninstead of\n%s", STR_ARG(call.error_text), message);
}

#define TOOL                                                                                                           \
    "{\"type\":\"object\",\"properties\":{\"type\":{\"type\":\"string\",\"default\":\"post\"},\"q\":{\"type\":"        \
    "\"string\","                                                                                                      \
    "\"minLength\":2,\"maxLength\":5},\"status\":{\"type\":\"string\",\"enum\":[\"publish\",\"draft\",\"trash\"]},"    \
    "\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":100},\"ids\":{\"type\":\"array\",\"items\":{\"type\":"  \
    "\"integer\"},\"maxItems\":3,\"minItems\":1},\"per_page\":{\"type\":\"number\",\"exclusiveMinimum\":0},\"deep\":{" \
    "\"type\":"                                                                                                        \
    "\"boolean\"},\"edits\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"find\":{\"type\":"    \
    "\"string\"},"                                                                                                     \
    "\"replace\":{\"type\":\"string\"}},\"required\":[\"find\",\"replace\"],\"additionalProperties\":false}},"         \
    "\"meta\":{\"type\":"                                                                                              \
    "\"object\",\"additionalProperties\":{\"type\":[\"string\",\"null\"]}},\"any\":{}},\"required\":[\"type\"],"       \
    "\"additionalProperties\":false}"

static void test_tool(void **state)
{
    (void)state;
    static const struct {
        const char *value, *message;
    } cases[] = {
        {"{\"type\":\"post\",\"q\":\"abc\",\"status\":\"draft\",\"limit\":100,\"ids\":[1,2,3],\"per_page\":0.5,"
         "\"deep\":true,"
         "\"edits\":[{\"find\":\"a\",\"replace\":\"b\"}],\"meta\":{\"x\":\"y\",\"z\":null},\"any\":[{}]}",
         NULL},
        {"{\"type\":\"post\",\"limit\":5.0}", NULL},
        {"[]", "the value: must be an object, got an array"},
        {"{}", "type: is required, but missing"},
        {"{\"type\":\"post\",\"limit\":500}", "limit: must be at most 100, got 500"},
        {"{\"type\":\"post\",\"limit\":0}", "limit: must be at least 1, got 0"},
        {"{\"type\":\"post\",\"limit\":-1e999}", "limit: must be an integer, got -1e999"},
        {"{\"type\":\"post\",\"limit\":1.5}", "limit: must be an integer, got 1.5"},
        {"{\"type\":\"post\",\"limit\":\"5\"}", "limit: must be an integer, got a string; write it without quotes"},
        {"{\"type\":\"post\",\"limit\":\"five\"}", "limit: must be an integer, got a string"},
        {"{\"type\":\"post\",\"limit\":null}", "limit: must be an integer, got null"},
        {"{\"type\":5}", "type: must be a string, got 5; write it in quotes"},
        {"{\"type\":\"post\",\"per_page\":0}", "per_page: must be more than 0, got 0"},
        {"{\"type\":\"post\",\"per_page\":1e999}", "per_page: must be more than 0, got 1e999"},
        {"{\"type\":\"post\",\"deep\":\"true\"}", "deep: must be true or false, got a string; write it without quotes"},
        {"{\"type\":\"post\",\"q\":\"a\"}", "q: must have at least 2 characters, has 1"},
        {"{\"type\":\"post\",\"q\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"}", NULL},
        {"{\"type\":\"post\",\"q\":\"abcdef\"}", "q: must have at most 5 characters, has 6"},
        {"{\"type\":\"post\",\"ids\":7}", "ids: must be an array, got 7; put it in [ ]"},
        {"{\"type\":\"post\",\"ids\":[]}", "ids: must have at least 1 items, has 0"},
        {"{\"type\":\"post\",\"ids\":[1,2,3,4]}", "ids: must have at most 3 items, has 4"},
        {"{\"type\":\"post\",\"ids\":[1,\"x\"]}", "ids[1]: must be an integer, got a string"},
        {"{\"type\":\"post\",\"status\":\"pubish\"}",
         "status: must be one of \"publish\", \"draft\", \"trash\"; got \"pubish\"; did you mean publish?"},
        {"{\"type\":\"post\",\"status\":\"zzz\"}",
         "status: must be one of \"publish\", \"draft\", \"trash\"; got \"zzz\""},
        {"{\"type\":\"post\",\"edits\":[{\"find\":\"a\",\"replace\":\"b\"},{\"find\":\"a\",\"replce\":\"b\"}]}",
         "edits[1].replce: there is no such member; known are find, replace; did you mean replace?"},
        {"{\"type\":\"post\",\"edits\":[{\"find\":\"a\"}]}", "edits[0].replace: is required, but missing"},
        {"{\"type\":\"post\",\"meta\":{\"a\":1}}", "meta.a: must be a string or null, got 1"},
        {"{\"perPage\":5}",
         "perPage: there is no such member; known are type, q, status, limit, ids, per_page, deep, edits, "
         "meta, any; did you mean per_page?"},
        {"{\"type\":\"post\",\"search\":5}",
         "search: there is no such member; known are type, q, status, limit, ids, per_page, deep, edits, meta, any"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        validate(TOOL, cases[i].value, cases[i].message);
}

static void test_closed(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *value;
        bool fits;
    } cases[] = {
        {"{\"type\":\"object\",\"properties\":{\"a\":{}}}", "{\"a\":1}", true},
        {"{\"type\":\"object\",\"properties\":{\"a\":{}}}", "{\"b\":1}", false},
        {"{\"properties\":{\"a\":{\"items\":{\"properties\":{\"b\":{}}}}}}", "{\"a\":[{\"b\":1},{\"c\":1}]}", false},
        {"{\"properties\":{\"a\":{}},\"additionalProperties\":true}", "{\"b\":1}", true},
        {"{\"properties\":{\"a\":{}},\"additionalProperties\":{\"type\":\"integer\"}}", "{\"b\":1}", true},
        {"{\"type\":\"object\"}", "{\"b\":1}", true},
        {"{\"properties\":{\"a\":{}},\"patternProperties\":{\"^b\":{}}}", "{\"b\":1}", true},
        {"{\"properties\":{\"a\":{}},\"anyOf\":[{\"properties\":{\"b\":{}}}]}", "{\"b\":1}", true},
        {"{\"allOf\":[{\"properties\":{\"a\":{}}},{\"properties\":{\"b\":{}}}]}", "{\"a\":1,\"b\":1}", true},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        call_clear_error(&call);
        const struct json *schema = parse(str_from(cases[i].schema)), *value = parse(str_from(cases[i].value));
        if ((schema_validate_closed(&call, schema, value) == OK) != cases[i].fits)
            fail_msg("%s with %s: %.*s", cases[i].schema, cases[i].value, STR_ARG(call.error_text));
        assert_int_equal(schema_validate(&call, schema, value), OK); /* without that rule all of them fit */
    }
}

static void test_keywords(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *value, *message;
    } cases[] = {
        {"true", "1", NULL},
        {"false", "1", "the value: is not allowed here"},
        {"{}", "null", NULL},
        {"{\"const\":{\"a\":[1]}}", "{\"a\":[1.0]}", NULL},
        {"{\"const\":5}", "6", "the value: must be 5"},
        {"{\"enum\":[1,null,\"x\",[2]]}", "[2]", NULL},
        {"{\"enum\":[1,null]}", "true", "the value: must be one of 1, null; got true"},
        {"{\"type\":[\"integer\",\"null\"]}", "null", NULL},
        {"{\"type\":[\"integer\",\"null\"]}", "\"x\"", "the value: must be an integer or null, got a string"},
        {"{\"type\":\"integer\"}", "9223372036854775808", "the value: must be an integer, got 9223372036854775808"},
        {"{\"maximum\":9007199254740992}", "9007199254740993",
         "the value: must be at most 9007199254740992, got 9007199254740993"},
        {"{\"maximum\":1.5}", "1.6", "the value: must be at most 1.5, got 1.6"},
        {"{\"exclusiveMaximum\":2}", "2", "the value: must be less than 2, got 2"},
        {"{\"minimum\":5}", "\"a\"", NULL}, /* keywords of one type say nothing about others */
        {"{\"maxItems\":0}", "{\"a\":1}", NULL},
        {"{\"minProperties\":1}", "{}", "the value: must have at least 1 members, has 0"},
        {"{\"items\":false}", "[]", NULL},
        {"{\"items\":false}", "[1]", "[0]: is not allowed here"},
        {"{\"additionalProperties\":false}", "{\"a\":1}", "a: there is no such member"},
        {"{\"additionalProperties\":false,\"patternProperties\":{\"^a\":{}}}", "{\"a\":1}", NULL},
        {"{\"allOf\":[{\"minimum\":1},{\"maximum\":3}]}", "4", "the value: must be at most 3, got 4"},
        {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}", "4", NULL},
        {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}", "true",
         "the value: must be a string, got true; write it in quotes (this is form 1 of 2 that are allowed)"},
        {"{\"anyOf\":[{\"type\":\"string\"},{\"properties\":{\"a\":{\"type\":\"string\"}},\"type\":\"object\"}]}",
         "{\"a\":[]}", "a: must be a string, got an array (this is form 2 of 2 that are allowed)"},
        {"{\"oneOf\":[{\"type\":\"number\"},{\"type\":\"integer\"}]}", "4.5", NULL},
        {"{\"oneOf\":[{\"type\":\"number\"},{\"type\":\"integer\"}]}", "4",
         "the value: must fit exactly one of 2 forms, but fits 2"},
        {"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"type\":\"string\"}}}", "\"x\"", NULL},
        {"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"type\":\"string\"}}}", "[]",
         "the value: must be a string, got an array"},
        {"{\"$ref\":\"#/$defs/a~1b~0c/anyOf/1\",\"$defs\":{\"a/b~c\":{\"anyOf\":[true,{\"maximum\":1}]}}}", "2",
         "the value: must be at most 1, got 2"},
        {"{\"$ref\":\"#/$defs/b\"}", "1", "the value: its schema refers to #/$defs/b, which does not exist"},
        {"{\"$ref\":\"https://example.test/s\"}", "1",
         "the value: its schema refers to https://example.test/s, which is not within the schema"},
        {"{\"properties\":{\"child\":{\"$ref\":\"#\"},\"n\":{\"type\":\"integer\"}}}",
         "{\"child\":{\"child\":{\"n\":\"x\"}}}", "child.child.n: must be an integer, got a string"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        validate(cases[i].schema, cases[i].value, cases[i].message);
}

static void test_long_values_are_cut(void **state)
{
    (void)state;
    validate("{\"enum\":[\"a\"]}",
             "\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3"
             "\xa9\xc3\xa9"
             "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
             "\xc3\xa9"
             "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"",
             "the value: must be one of \"a\"; got "
             "\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3"
             "\xa9\xc3\xa9"
             "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
             "\xc3\xa9"
             "\xc3\xa9");
}

static int limited(const char *schema, struct str value)
{
    call_clear_error(&call);
    int result = schema_validate(&call, parse(str_from(schema)), parse(value));
    assert_true(result == OK || call.error_text.len > 0);
    return result;
}

static void test_limits(void **state)
{
    (void)state;
    /* A schema that never ends. */
    assert_int_equal(limited("{\"$ref\":\"#\"}", STR("1")), E_LIMIT);
    assert_int_equal(limited("{\"allOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}", STR("1")), E_LIMIT);
    assert_int_equal(limited("{\"anyOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}", STR("1")), E_LIMIT);
    assert_int_equal(
        limited("{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"$ref\":\"#/$defs/a\"}}}",
                STR("1")),
        E_LIMIT);
    /* A value with too much in it. */
    struct buf buf;
    buf_init(&buf, arena, 1 << 20);
    for (int i = 0; i < 90000; i++)
        buf_add(&buf, i ? STR(",1") : STR("[1"));
    buf_add_char(&buf, ']');
    assert_int_equal(limited("{\"items\":{\"type\":\"integer\"}}", buf_str(&buf)), OK);
    assert_int_equal(limited("{\"items\":{\"allOf\":[{\"type\":\"integer\"}]}}", buf_str(&buf)), E_LIMIT);
    /* Little in the value, and much in the schema that each of it is compared with: names, required ones, allowed ones. */
    static const struct {
        const char *schema, *item, *value_item;
    } dear[] = {
        {"{\"items\":{\"enum\":[", "0", "1"},
        {"{\"items\":{\"required\":[", "\"a\"", "{\"a\":1}"},
        {"{\"items\":{\"allOf\":[", "{}", "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1}"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(dear); i++)
        for (int n = 100; n <= 400; n += 300) {
            struct buf much;
            buf_clear(&buf);
            buf_init(&much, arena, 1 << 16);
            buf_add(&much, str_from(dear[i].schema));
            for (int k = 0; k < n; k++) {
                buf_add_format(&much, "%s%s", k ? "," : "", dear[i].item);
                buf_add_format(&buf, "%s%s", k ? "," : "[", dear[i].value_item);
            }
            if (i == 0)
                buf_add(&much, STR(",1"));
            buf_add(&much, STR("]}}"));
            buf_add_char(&buf, ']');
            int result = limited(str_copy_cstr(arena, buf_str(&much)), buf_str(&buf));
            if (n == 400)
                assert_int_equal(result, E_LIMIT);
        }
    /* Alternatives within alternatives: not two to the power of their depth. */
    struct buf schema;
    buf_init(&schema, arena, 1 << 16);
    for (int i = 0; i < 30; i++)
        buf_add(&schema, STR("{\"anyOf\":["));
    buf_add(&schema, STR("{\"type\":\"string\"}"));
    for (int i = 0; i < 30; i++)
        buf_add(&schema, STR("]}"));
    assert_int_equal(schema_validate(&call, parse(buf_str(&schema)), parse(STR("1"))), E_INVALID);
}

static const struct json *deep_value, *deep_schema;

static void *on_small_stack(void *context)
{
    int *result = context;
    struct buf buf;
    buf_init_heap(&buf, 1 << 20);
    json_canonical(&buf, deep_value);
    *result =
        json_equal(deep_value, deep_value) && !buf_failed(&buf) ? schema_validate(&call, deep_schema, deep_value) : 1;
    buf_done(&buf);
    return NULL;
}

/* As deep as it gets, on the stack of a task (128 KiB; net/task.h is not ours to include). */
static void test_stack(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, arena, 1 << 16);
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        buf_add(&buf, STR("{\"a\":"));
    buf_add_char(&buf, '1');
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        buf_add_char(&buf, '}');
    struct json_limits limits = JSON_LIMITS_DEFAULT;
    limits.max_depth = JSON_DEPTH_MAX;
    assert_int_equal(json_parse(arena, buf_str(&buf), &limits, &deep_value, NULL), OK);
    deep_schema = parse(STR("{\"anyOf\":[{\"properties\":{\"a\":{\"$ref\":\"#\"}}}]}"));
    pthread_attr_t attributes;
    pthread_t thread;
    int result = 1;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, (size_t)128 * 1024), 0);
    assert_int_equal(pthread_create(&thread, &attributes, on_small_stack, &result), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    assert_int_equal(result, E_LIMIT);
}

static void portable(const char *schema, const char *message)
{
    call_clear_error(&call);
    int result = schema_check_portable(&call, parse(str_from(schema)));
    if (result != (message ? E_INVALID : OK))
        fail_msg("%s: %d %.*s", schema, result, STR_ARG(call.error_text));
    if (message && !str_eq(call.error_text, str_from(message)))
        fail_msg("%.*s\ninstead of\n%s", STR_ARG(call.error_text), message);
}

static void test_portable(void **state)
{
    (void)state;
    portable("{\"type\":\"object\",\"additionalProperties\":false}", NULL);
    portable("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"enum\":[\"x\"],\"default\":\"x\"},"
             "\"b\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}},\"required\":[\"a\"]}",
             NULL);
    static const struct {
        const char *property, *message;
    } cases[] = {
        {"{}", "p: must have exactly one type"},
        {"true", "p: a schema must be an object"},
        {"{\"type\":[\"string\",\"null\"]}", "p: must have exactly one type"},
        {"{\"type\":\"string\",\"anyOf\":[]}", "p: not every client understands anyOf"},
        {"{\"$ref\":\"#\"}", "p: not every client understands $ref"},
        {"{\"type\":\"integer\",\"enum\":[1]}", "p: an enum must be a list of strings, with \"type\": \"string\""},
        {"{\"type\":\"string\",\"enum\":[]}", "p: an enum must be a list of strings, with \"type\": \"string\""},
        {"{\"type\":\"string\",\"enum\":[\"a\",1]}", "p: an enum must have strings only"},
        {"{\"type\":\"array\"}", "p.items: a schema must be an object"},
        {"{\"type\":\"array\",\"items\":{}}", "p.items: must have exactly one type"},
        {"{\"type\":\"object\"}", "p: an object without properties must say additionalProperties"},
        {"{\"type\":\"object\",\"properties\":{\"a b\":{\"type\":\"string\"}}}",
         "p.a b: a name must have 1 to 64 letters, digits, or _ - ."},
        {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},\"required\":[\"b\"]}",
         "p.b: is required, but there is no such property"},
        {"{\"type\":\"integer\",\"default\":\"1\"}", "p: must be an integer, got a string; write it without quotes"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct str schema = str_format(arena, "{\"type\":\"object\",\"properties\":{\"p\":%s}}", cases[i].property);
        portable(schema.ptr, cases[i].message);
    }
    portable("{\"type\":\"string\"}", "the value: must have type object");
    portable("[]", "the value: must have type object");
}

/* Names beyond a message, values that cannot be compared, references into nothing: the message has this in it; NULL: it fits. */
static void test_corners(void **state)
{
#define AB26                                                                                                           \
    "\"a1\",\"a2\",\"a3\",\"a4\",\"a5\",\"a6\",\"a7\",\"a8\",\"a9\",\"b1\",\"b2\",\"b3\",\"b4\",\"b5\",\"b6\",\"b7\"," \
    "\"b8\",\"b9\","                                                                                                   \
    "\"c1\",\"c2\",\"c3\",\"c4\",\"c5\",\"c6\",\"c7\",\"c8\""
    static const struct {
        const char *schema, *value, *says;
    } cases[] = {
        {"{\"enum\":[" AB26 "]}", "\"x\"", "\"c6\", ...; got"},
        {"{\"enum\":[" AB26 "]}", "7", ", ...; got 7"},
        {"{\"enum\":[1,\"two\"]}", "\"tow\"", "did you mean two?"},
        {"{\"enum\":[\"\"]}", "\"a\"", "must be one of"},
        {"{\"type\":\"number\"}", "\"-7\"", "without quotes"},
        {"{\"type\":\"number\"}", "\"seven\"", "must be a number, got a string"},
        {"{\"type\":\"number\"}", "\"\"", "must be a number, got a string"},
        {"{\"type\":\"boolean\"}", "\"false\"", "without quotes"},
        {"{\"type\":\"boolean\"}", "\"no\"", "true or false"},
        {"{\"type\":\"string\"}", "true", "in quotes"},
        {"{\"type\":\"string\"}", "null", "must be a string, got null"},
        {"{\"type\":\"array\"}", "{}", "must be an array, got an object"},
        {"{\"type\":\"array\"}", "7", "put it in [ ]"},
        {"{\"type\":\"nonsense\"}", "7", "of a type that does not exist"},
        {"{\"type\":[\"string\",\"null\"]}", "7", "a string or null"},
        {"{\"minimum\":1.5}", "1", "at least 1.5"},
        {"{\"minimum\":1}", "1.5", NULL},
        {"{\"minimum\":1e999}", "1.5", "at least 1e999"},
        {"{\"minimum\":1}", "1e999", "at least 1"}, /* no double is that large: it cannot be compared */
        {"{\"anyOf\":[{\"enum\":[1]},{\"enum\":[2]}]}", "3", "form 1 of 2"},
        {"{\"anyOf\":[{\"type\":[\"string\",\"null\"]},{\"properties\":{},\"additionalProperties\":false}]}",
         "{\"x\":1}", "(this is form"},
        {"{\"$ref\":\"x\"}", "1", "not within the schema"},
        {"{\"$ref\":\"#x\"}", "1", "not within the schema"},
        {"{\"$ref\":\"#/nothing\"}", "1", "does not exist"},
        {"{\"$ref\":\"#/a/7\",\"a\":[true]}", "1", "does not exist"},
        {"{\"$ref\":\"#/a/x\",\"a\":[true]}", "1", "does not exist"},
        {"{\"$ref\":\"#/a/0\",\"a\":[{\"type\":\"integer\"}]}", "1", NULL},
        {"{\"$ref\":\"#/a~1b/c~0d\",\"a/b\":{\"c~d\":{\"type\":\"integer\"}}}", "1", NULL},
        {"{\"properties\":{\"per_page\":{}},\"additionalProperties\":false}", "{\"per-Page\":1}",
         "did you mean per_page?"},
        {"{\"properties\":{\"abcd\":{},\"abdc\":{}},\"additionalProperties\":false}", "{\"bacd\":1}",
         "did you mean abcd?"},
        /* The nearest, wherever it stands. */
        {"{\"properties\":{\"abcdefghi\":{},\"abcdefgh\":{}},\"additionalProperties\":false}", "{\"abcdefg\":1}",
         "did you mean abcdefgh?"},
        {"{\"properties\":{\"abcdefgh\":{},\"abcdefghi\":{}},\"additionalProperties\":false}", "{\"abcdefg\":1}",
         "did you mean abcdefgh?"},
        {"{\"properties\":{\"\":{}},\"additionalProperties\":false}", "{\"a\":1}", "there is no such member"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        call_clear_error(&call);
        int result = schema_validate(&call, parse(str_from(cases[i].schema)), parse(str_from(cases[i].value)));
        if (result != (cases[i].says ? E_INVALID : OK) ||
            (cases[i].says && !str_contains(call.error_text, str_from(cases[i].says))))
            fail_msg("%s with %s: %d %.*s", cases[i].schema, cases[i].value, result, STR_ARG(call.error_text));
    }
    /* More properties than a message names. */
    struct buf schema;
    buf_init(&schema, arena, 1 << 16);
    buf_add(&schema, STR("{\"additionalProperties\":false,\"properties\":{"));
    for (int i = 0; i < 30; i++)
        buf_add_format(&schema, "%s\"p%d\":{}", i ? "," : "", i);
    buf_add(&schema, STR("}}"));
    call_clear_error(&call);
    assert_int_equal(schema_validate(&call, parse(buf_str(&schema)), parse(STR("{\"zzzzzz\":1}"))), E_INVALID);
    assert_true(str_contains(call.error_text, STR("p23, ...")));
    assert_false(str_contains(call.error_text, STR("p24")));
    /* Names that are too long, and schemas that are too deep, to be for everybody. */
    static const char *const names[] = {"a.b_c-d", "",
                                        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        call_clear_error(&call);
        assert_int_equal(
            schema_check_portable(
                &call, parse(str_format(arena, "{\"type\":\"object\",\"properties\":{\"%s\":{\"type\":\"string\"}}}",
                                        names[i]))),
            i ? E_INVALID : OK);
    }
    buf_init(&schema, arena, 1 << 16);
    for (int i = 0; i < SCHEMA_LEVELS_MAX + 1; i++)
        buf_add(&schema,
                i ? STR("{\"type\":\"array\",\"items\":") : STR("{\"type\":\"object\",\"properties\":{\"a\":"));
    buf_add(&schema, STR("{\"type\":\"string\"}"));
    for (int i = 0; i < SCHEMA_LEVELS_MAX; i++)
        buf_add_char(&schema, '}');
    buf_add(&schema, STR("}}"));
    struct json_limits limits = JSON_LIMITS_DEFAULT;
    const struct json *deep;
    limits.max_depth = JSON_DEPTH_MAX;
    assert_int_equal(json_parse(arena, buf_str(&schema), &limits, &deep, NULL), OK);
    call_clear_error(&call);
    assert_int_equal(schema_check_portable(&call, deep), E_LIMIT);
}

/* A third of the letters of the longer name may differ, each inserted, removed, replaced or swapped with its neighbour. */
static void test_how_far_a_name_may_be(void **state)
{
    static const struct {
        const char *name, *wanted;
        bool is_near;
    } cases[] = {
        {"status", "statsu", true},       {"status", "sttusa", true},       {"status", "tatsus", true},
        {"status", "xtatux", true},       {"status", "tsatux", true},       {"status", "tsauts", true},
        {"status", "tatu", true},         {"status", "sxaxux", false},      {"status", "xtautx", false},
        {"published", "pubilshde", true}, {"published", "xpubilshe", true}, {"published", "publishedabcd", true},
        {"published", "ublish", true},    {"published", "blish", false},    {"bcdefghia", "abcdefghi", true},
        {"abcde", "abccde", true},        {"abcde", "cabde", false},        {"abcd", "aabbccdd", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        call_clear_error(&call);
        struct str schema = call_format(&call, "{\"enum\":[\"%s\"]}", cases[i].name);
        struct str value = call_format(&call, "\"%s\"", cases[i].wanted);
        assert_int_equal(schema_validate(&call, parse(schema), parse(value)), E_INVALID);
        if (str_contains(call.error_text, STR("did you mean")) != cases[i].is_near)
            fail_msg("%s for %s: %.*s", cases[i].wanted, cases[i].name, STR_ARG(call.error_text));
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(test_tool),  TEST(test_closed),   TEST(test_keywords), TEST(test_long_values_are_cut),   TEST(test_limits),
        TEST(test_stack), TEST(test_portable), TEST(test_corners),  TEST(test_how_far_a_name_may_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* JSON-RPC messages are told apart, and bad ones named. */
#include "call/call.h"
#include "mcp/rpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct arena *arena;

static struct rpc_message read_text(const char *text)
{
    const struct json *value;
    assert_int_equal(json_parse(arena, str_from(text), NULL, &value, NULL), OK);
    return rpc_read(value);
}

static void test_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum rpc_kind kind;
        const char *id;
    } cases[] = {
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", RPC_REQUEST, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"a\\n\",\"method\":\"ping\",\"params\":{}}", RPC_REQUEST, "\"a\\n\""},
        {"{\"jsonrpc\":\"2.0\",\"id\":-7,\"method\":\"ping\"}", RPC_REQUEST, "-7"},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}", RPC_NOTIFICATION, ""},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", RPC_RESPONSE, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1}}", RPC_RESPONSE, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", RPC_INVALID, ""},
        {"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}", RPC_INVALID, ""},
        {"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}", RPC_INVALID, ""},
        {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", RPC_INVALID, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", RPC_INVALID, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\"}", RPC_INVALID, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}", RPC_INVALID, "1"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1}", RPC_INVALID, "1"},
        {"7", RPC_INVALID, ""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct rpc_message message = read_text(cases[i].text);
        assert_int_equal(message.kind, cases[i].kind);
        assert_true(str_eq(message.id_raw, str_from(cases[i].id)));
        assert_true((message.kind == RPC_INVALID) == (message.reason != NULL));
    }
}

static void test_long_id(void **state)
{
    (void)state;
    struct str id = str_of(memset(arena_alloc(arena, 400), 'x', 400), 400);
    struct rpc_message message =
        read_text(str_format(arena, "{\"jsonrpc\":\"2.0\",\"id\":\"%.*s\",\"method\":\"ping\"}", STR_ARG(id)).ptr);
    assert_int_equal(message.kind, RPC_INVALID);
    assert_int_equal(message.id_raw.len, 0);
}

static void test_write(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, arena, 1000);
    rpc_error(&out, STR_EMPTY, RPC_PARSE_ERROR, STR("bad \"thing\""), (struct str){NULL, 0});
    assert_string_equal(str_copy(arena, buf_str(&out)).ptr,
                        "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,\"message\":\"bad \\\"thing\\\"\"}}");
    buf_clear(&out);
    rpc_begin_result(&out, STR("\"x\""));
    rpc_end_result(&out);
    assert_string_equal(str_copy(arena, buf_str(&out)).ptr, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":{}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_long_id),
        cmocka_unit_test(test_write),
    };
    arena = arena_new(1 << 20);
    int failed = cmocka_run_group_tests_name("rpc", tests, NULL, NULL);
    arena_free(arena);
    return failed;
}

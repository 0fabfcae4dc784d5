/* requestState: what opens, and that nothing else does; session ids and trace context, which are outside bytes as well. */
#include <sodium.h> /* before base/banned.h */

#include "mcp/bus.h"
#include "mcp/session.h"
#include "mcp/state.h"
#include "mcp/trace.h"
#include "providers/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct call call;

static const struct json *parse(const char *text)
{
    const struct json *value;
    assert_int_equal(json_parse(call.arena, str_from(text), NULL, &value, NULL), OK);
    return value;
}

static struct state_place place(const char *arguments)
{
    return (struct state_place){7, STR("tools/call"), STR("delete_it"), parse(arguments)};
}

static int try_open(struct state_place where, struct str sealed, struct str *ret_plain)
{
    struct str nonce;
    return state_open(&call, &where, sealed, ret_plain, &nonce);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct str sealed, again, plain, nonce, other_nonce;
    struct state_place where = place("{\"a\":1,\"b\":[true]}");
    assert_int_equal(state_seal(&call, &where, STR("{\"round\":1}"), &sealed), OK);
    assert_int_equal(state_seal(&call, &where, STR("{\"round\":1}"), &again), OK);
    assert_false(str_eq(sealed, again));
    assert_int_equal(state_open(&call, &where, sealed, &plain, &nonce), OK);
    assert_true(str_eq(plain, STR("{\"round\":1}")));
    assert_int_equal(state_open(&call, &where, again, &plain, &other_nonce), OK);
    assert_false(str_eq(nonce, other_nonce));
    assert_int_equal(try_open(place("{ \"b\":[true], \"a\":1.0 }"), sealed, &plain), OK); /* the same value */
}

static void test_bound(void **state)
{
    (void)state;
    struct str sealed, plain;
    struct state_place where = place("{\"a\":1}"), other;
    assert_int_equal(state_seal(&call, &where, STR("{}"), &sealed), OK);
    assert_int_equal(try_open(place("{\"a\":2}"), sealed, &plain), E_INVALID);
    assert_int_equal(try_open(place("{}"), sealed, &plain), E_INVALID);
    other = where;
    other.holder = 8;
    assert_int_equal(try_open(other, sealed, &plain), E_INVALID);
    other = where;
    other.name = STR("delete_is");
    assert_int_equal(try_open(other, sealed, &plain), E_INVALID);
    other = where;
    other.method = STR("prompts/get");
    assert_int_equal(try_open(other, sealed, &plain), E_INVALID);
}

static void test_every_byte_counts(void **state)
{
    (void)state;
    struct str sealed, plain;
    struct state_place where = place("{}");
    assert_int_equal(state_seal(&call, &where, STR("{\"answers\":{}}"), &sealed), OK);
    char *bytes = (char *)(uintptr_t)sealed.ptr;
    for (size_t i = 0; i < sealed.len; i++) {
        char kept = bytes[i];
        bytes[i] = kept == 'A' ? 'B' : 'A';
        assert_int_equal(try_open(where, sealed, &plain), E_INVALID);
        bytes[i] = kept;
        assert_int_equal(try_open(where, str_sub(sealed, 0, i), &plain), E_INVALID);
    }
    assert_int_equal(try_open(where, call_format(&call, "%.*s-TAMPERED", STR_ARG(sealed)), &plain), E_INVALID);
    assert_int_equal(try_open(where, sealed, &plain), OK);
}

static void test_digest_of_nothing(void **state)
{
    (void)state;
    assert_true(str_eq(state_digest(&call, parse("{}")), state_digest(&call, json_at(parse("{}"), 0))));
    assert_false(str_eq(state_digest(&call, parse("{}")), state_digest(&call, parse("{\"a\":null}"))));
}

static void test_a_session_outlives_a_refresh(void **state)
{
    (void)state;
    struct mcp_session session, opened;
    struct principal before = {.token_id = 7, .family = STR("one")}, after = before, other = before, none = before;
    after.token_id = 8;
    other.family = STR("two");
    none.family = STR_EMPTY;
    session_make(&before, HOST_FORM, &session);
    assert_true(session_open(str_from(session.id), &before, &opened));
    assert_true(session_open(str_from(session.id), &after, &opened));
    assert_false(session_open(str_from(session.id), &other, &opened));
    assert_false(session_open(str_from(session.id), &none, &opened));
    assert_true(principal_holder(&before) < 0); /* no token's */
}

static void test_session(void **state)
{
    (void)state;
    struct principal ana = {.token_id = 7}, ben = {.token_id = 8};
    struct mcp_session session, opened;
    session_make(&ana, HOST_FORM | HOST_ROOTS, &session);
    assert_int_equal(strlen(session.id), SESSION_ID_CHARS);
    assert_true(session_open(str_from(session.id), &ana, &opened));
    assert_int_equal(opened.abilities, HOST_FORM | HOST_ROOTS);
    assert_false(session_open(str_from(session.id), &ben, &opened));
    for (size_t i = 0; i < SESSION_ID_CHARS - 1; i++) {
        struct mcp_session changed = session;
        changed.id[i] = changed.id[i] == 'A' ? 'B' : 'A';
        assert_false(session_open(str_from(changed.id), &ana, &opened));
    }
    assert_false(session_open(str_sub(str_from(session.id), 0, 66), &ana, &opened));
    assert_false(session_open(STR_EMPTY, &ana, &opened));
    assert_int_equal(session_level(&session), HOST_INFO);
    session_set_level(&session, HOST_ERROR);
    assert_int_equal(session_level(&session), HOST_ERROR);
    session_end(&session);
    assert_false(session_open(str_from(session.id), &ana, &opened));
}

static void test_session_notes_are_bounded(void **state)
{
    (void)state;
    struct principal ana = {.token_id = 7};
    struct mcp_session first, session, opened;
    session_make(&ana, HOST_FORM, &first);
    session_end(&first);
    for (int i = 0; i < SESSION_NOTES_MAX; i++) {
        session_make(&ana, HOST_FORM, &session);
        session_end(&session);
        assert_false(session_open(str_from(session.id), &ana, &opened));
    }
    /* Foreign events of any shape are no trouble. */
    bus_inject(&(struct bus_event){.topic = BUS_SESSION_LEVEL, .key = STR("x"), .number = 99});
    bus_inject(&(struct bus_event){.topic = BUS_SESSION_LEVEL, .key = str_from(session.id), .number = 99});
    assert_int_equal(session_level(&session), HOST_INFO);
}

static void read_trace(const char *parent, const char *trace_state, const char *baggage)
{
    call.traceparent = call.tracestate = call.baggage = STR_EMPTY;
    trace_read(&call,
               parse(call_format(&call, "{\"traceparent\":\"%s\",\"tracestate\":\"%s\",\"baggage\":\"%s\"}", parent,
                                 trace_state, baggage)
                         .ptr),
               NULL);
}

#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static void test_trace(void **state)
{
    (void)state;
    read_trace(PARENT, "a=1,b=2", "user=ana");
    assert_true(str_eq(call.traceparent, STR(PARENT)));
    assert_true(str_eq(call.tracestate, STR("a=1,b=2")));
    assert_true(str_eq(call.baggage, STR("user=ana")));
    static const char *const bad[] = {
        "",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333\\r\\n01",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        read_trace(bad[i], "a=1", "a=b\\r\\nX-Evil: 1");
        assert_int_equal(call.traceparent.len, 0);
        assert_int_equal(call.tracestate.len, 0);
        assert_int_equal(call.baggage.len, 0);
    }
}

static int set_up(void **state)
{
    (void)state;
    struct keyring_source source = {.key_text = STR("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")};
    struct str check, server;
    call_init(&call, arena_new(64 << 20), 100000);
    if (sodium_init() < 0)
        return -1;
    return keyring_load_master(&call, &source) || keyring_create(&call, &check, &server);
}

static int tear_down(void **state)
{
    (void)state;
    keyring_done();
    arena_free(call.arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_every_byte_counts),
        cmocka_unit_test(test_digest_of_nothing),
        cmocka_unit_test(test_session),
        cmocka_unit_test(test_a_session_outlives_a_refresh),
        cmocka_unit_test(test_session_notes_are_bounded),
        cmocka_unit_test(test_trace),
    };
    return cmocka_run_group_tests_name("state", tests, set_up, tear_down);
}

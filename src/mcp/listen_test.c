/* Streams of what changed live for days: what one event needs goes with it, and only what was asked for wakes anybody. */
#include "accounts/accounts_test_help.h"

#include "accounts/generation.h"
#include "mcp/bus.h"
#include "mcp/listen.h"
#include "net/loop.h"
#include "net/task.h"
#include "store/db_fault_test_help.h"

static const struct provider provider = {.features = PROVIDER_TOOLS_CHANGE | PROVIDER_RESOURCE_UPDATES};

static struct {
    struct call call;
    struct mcp_request request;
    struct mcp_reply reply;
    size_t n_sent;
    bool done;
} stream;

static int count_message(struct call *call, struct mcp_outlet *outlet, struct str message)
{
    (void)call;
    (void)outlet;
    assert_true(str_ends_with(message, STR("}")));
    stream.n_sent++;
    return OK;
}

static int no_sign(struct call *call, struct mcp_outlet *outlet)
{
    (void)call;
    (void)outlet;
    return OK;
}

static struct mcp_outlet outlet = {count_message, no_sign};

static void run(struct call *call, void *context)
{
    (void)context;
    listen_serve(call, &stream.request, &stream.reply);
}

static void ended(struct call *call, void *context)
{
    (void)context;
    arena_run_deferred(call->arena);
    stream.done = true;
}

static void turn_until_sent(size_t count)
{
    int64_t until_ms = clock_monotonic_ms() + 20 * 1000;
    while (stream.n_sent < count && !stream.done && clock_monotonic_ms() < until_ms)
        loop_turn();
    assert_int_equal(stream.n_sent, count);
}

/* `params` as the client sent them, by another transport than HTTP. */
static void prepare(struct fixture *f, const char *params)
{
    const struct json *parsed;
    memset(&stream, 0, sizeof stream);
    int64_t user_id = add_user(f, "ana@example.test", "+5511999990001");
    struct token_made made = add_connection(f, user_id, "site");
    const struct principal *who;
    assert_ok(&f->call, authenticate(&f->call, made.token, &who));
    assert_int_equal(json_parse(f->call.arena, str_from(params), NULL, &parsed, NULL), OK);
    stream.request = (struct mcp_request){.who = who, .bearer = made.token, .provider = &provider, .outlet = &outlet};
    stream.request.message = (struct rpc_message){
        .kind = RPC_REQUEST, .id_raw = STR("1"), .method = STR("subscriptions/listen"), .params = parsed};
    call_init(&stream.call, arena_new(16 * 1024 * 1024), 1000);
    buf_init(&stream.reply.body, stream.call.arena, 64 * 1024);
}

static void begin(struct fixture *f, const char *params)
{
    prepare(f, params);
    assert_int_equal(task_spawn(&stream.call, run, ended, NULL), OK);
}

static void end(void)
{
    stream.call.cancelled = true;
    while (!stream.done) {
        task_wake(&stream.call);
        loop_turn();
    }
    arena_free(stream.call.arena);
}

static void publish(enum bus_topic topic)
{
    bus_publish(&(struct bus_event){.topic = topic, .connection_id = stream.request.who->connection_id});
}

/* Each time the token is looked up anew, and something is told. */
static void what_an_event_needs_goes_with_it(void **state)
{
    struct fixture *f = *state;
    size_t used = 0;
    begin(f, "{\"notifications\":{\"toolsListChanged\":true}}");
    turn_until_sent(1);
    for (size_t i = 0; i < 300; i++) {
        generation_move();
        publish(BUS_TOOLS_CHANGED);
        turn_until_sent(2 + i);
        if (i == 10)
            used = arena_used(stream.call.arena);
    }
    assert_int_equal(arena_used(stream.call.arena), used);
    end();
}

static void what_was_not_asked_for_wakes_nobody(void **state)
{
    struct fixture *f = *state;
    begin(f, "{\"notifications\":{\"toolsListChanged\":true}}");
    turn_until_sent(1);
    struct db_driver driver = *f->db->driver;
    fault_driver = f->db->driver;
    driver.run = fault_run;
    f->db->driver = &driver;
    fault_left = INT_MAX;
    generation_move();
    publish(BUS_RESOURCES_CHANGED);
    publish(BUS_PROMPTS_CHANGED);
    for (int i = 0; i < 5; i++) {
        struct call pause;
        call_init(&pause, f->call.arena, 1000);
        assert_int_equal(task_sleep(&pause, 5), OK);
    }
    assert_int_equal(fault_left, INT_MAX);
    publish(BUS_TOOLS_CHANGED);
    turn_until_sent(2);
    assert_true(fault_left < INT_MAX);
    f->db->driver = fault_driver;
    end();
}

static void assert_refused(const char *says)
{
    assert_int_equal(task_spawn(&stream.call, run, ended, NULL), OK);
    while (!stream.done)
        loop_turn();
    assert_int_equal(stream.n_sent, 0);
    assert_int_equal(stream.reply.error_code, RPC_INVALID_PARAMS);
    assert_true(str_contains(buf_str(&stream.reply.body), str_from(says)));
    arena_free(stream.call.arena);
}

/* A hundred URIs of so many times that text. */
static const char *params_with(struct fixture *f, const char *text, size_t times)
{
    struct buf params;
    buf_init(&params, f->call.arena, 8 * 1024 * 1024);
    buf_add(&params, STR("{\"notifications\":{\"resourceSubscriptions\":["));
    for (int i = 0; i < LISTEN_URIS_MAX; i++) {
        buf_add_format(&params, "%s\"%d", i ? "," : "", i);
        for (size_t n = 0; n < times; n++)
            buf_add(&params, str_from(text));
        buf_add_char(&params, '"');
    }
    buf_add(&params, STR("]}}"));
    assert_false(buf_failed(&params));
    return str_copy_cstr(f->call.arena, buf_str(&params));
}

/* What lies in memory as long as the stream is small, and what cannot be said whole is not said. */
static void what_is_too_large(void **state)
{
    struct fixture *f = *state;
    size_t size = LISTEN_BODY_BYTES + 1;
    const struct http_request http = {.body = str_of(arena_alloc(f->call.arena, size), size)};
    prepare(f, "{\"notifications\":{\"toolsListChanged\":true}}");
    stream.request.http = &http;
    assert_refused("at most 65536 bytes");
}

static void what_never_matches(void **state)
{
    prepare(*state, params_with(*state, "x", 3000));
    assert_refused("at most 2048 bytes");
}

static void what_cannot_be_said_whole(void **state)
{
    prepare(*state, params_with(*state, "\\u0001", 2000));
    assert_refused("too large");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_SQLITE(what_an_event_needs_goes_with_it),
        ON_SQLITE(what_was_not_asked_for_wakes_nobody),
        ON_SQLITE(what_is_too_large),
        ON_SQLITE(what_never_matches),
        ON_SQLITE(what_cannot_be_said_whole),
    };
    return cmocka_run_group_tests(tests, test_folder_start, test_folder_stop);
}

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

/* `params` as the client sent them. */
static void begin(struct fixture *f, const char *params)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_SQLITE(what_an_event_needs_goes_with_it),
        ON_SQLITE(what_was_not_asked_for_wakes_nobody),
    };
    return cmocka_run_group_tests(tests, test_folder_start, test_folder_stop);
}

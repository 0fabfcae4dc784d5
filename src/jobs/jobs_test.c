/* Jobs: steps and what is saved of them, leases, cancelling, resuming; on both databases. */
#include "accounts/accounts_test_help.h"

#include "jobs/jobs.h"
#include "jobs/runner.h"
#include "net/task.h"
#include "store/oauth_clients.h"
#include "store/oauth_grants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum {
    PATIENCE_MS = 20 * 1000, /* for whatever must happen, and the lease of those that must not lose theirs */
    LEASE_MS = 1600,         /* of tests about losing it: a loaded machine keeps a process waiting for half a second */
    ITEMS_MAX = 32,
};

/* ---- a provider whose jobs do what a test wants */

static struct {
    int done[ITEMS_MAX];  /* how often each item was done */
    int again[ITEMS_MAX]; /* and how often it was said to be done again */
    int64_t pause_ms;     /* in each item */
    int error;            /* of the item behind the last pause */
    int under_way, most_under_way;
} world;

static int count_step(struct call *call, const struct tool_context *context, struct job_step *step)
{
    (void)context;
    world.done[step->done]++;
    world.again[step->done] += step->again;
    assert_int_equal(json_i64_or(json_get(step->state, STR("next")), 0), step->done);
    world.under_way++;
    if (world.under_way > world.most_under_way)
        world.most_under_way = world.under_way;
    int error = task_sleep(call, world.pause_ms);
    world.under_way--;
    if (error)
        return error;
    if (world.error)
        return (fail)(call, (enum error)world.error, "It cannot be done."); /* fail() is a macro of cmocka */
    step->done++;
    step->state_json = call_format(call, "{\"next\":%lld,\"secret\":\"of the site\"}", (long long)step->done);
    step->message = STR("counting");
    step->finished = step->done == step->total;
    if (step->finished)
        buf_add_format(&step->result->text, "counted to %lld", (long long)step->done);
    return OK;
}

static int greedy_step(struct call *call, const struct tool_context *context, struct job_step *step)
{
    (void)context;
    (void)step;
    for (int i = 0; i < 1024; i++)
        (void)arena_alloc(call->arena, 1024 * 1024);
    return OK;
}

static const struct job_kind kinds[] = {
    {STR_INIT("count"), RIGHT_READ, count_step},
    {STR_INIT("greedy"), RIGHT_READ, greedy_step},
    {STR_INIT("admins"), RIGHT_ADMIN, count_step},
};
static const struct provider provider = {.key = STR_INIT("wordpress"), .jobs = kinds, .n_jobs = ARRAY_LENGTH(kinds)};

static const struct provider *find_provider(struct str key)
{
    return str_eq(key, provider.key) ? &provider : NULL;
}

static struct host *open_host(struct call *call, struct jobs_run *run)
{
    (void)call;
    (void)run;
    return NULL;
}

static void tell(const struct jobs_news *news)
{
    jobs_heard(news);
}

/* ---- the bench */

struct bench {
    struct fixture *f;
    struct call *call;
    const struct principal *who;
};

static void open_runner_for(size_t max_running, int64_t lease_ms)
{
    const struct jobs_settings settings = {.lease_ms = lease_ms,
                                           .max_running = max_running,
                                           .find_provider = find_provider,
                                           .open_host = open_host,
                                           .tell = tell};
    assert_int_equal(jobs_open(&settings), OK);
}

static void open_runner(size_t max_running)
{
    open_runner_for(max_running, PATIENCE_MS);
}

static void open_bench_for(struct bench *b, void **state, int64_t lease_ms)
{
    *b = (struct bench){.f = *state};
    b->call = &b->f->call;
    memset(&world, 0, sizeof world);
    int64_t user_id = add_user(b->f, "ana@x.example", "+55 11 99999 0001");
    struct token_made made = add_connection(b->f, user_id, "blog");
    assert_ok(b->call, authenticate(b->call, made.token, &b->who));
    open_runner_for(0, lease_ms);
}

static void open_bench(struct bench *b, void **state)
{
    open_bench_for(b, state, PATIENCE_MS);
}

static void close_runner(void)
{
    jobs_stop(NULL, NULL);
    jobs_cancel_all();
    while (jobs_busy())
        loop_turn();
    jobs_close();
}

static struct str begin_kind(struct bench *b, const char *kind, int64_t total)
{
    struct str id;
    struct job_new job = {
        .kind = str_from(kind), .arguments_json = STR("{\"secret\":\"of the site\"}"), .total = total};
    assert_ok(b->call, jobs_begin(b->call, b->who, &provider, &job, 0, &id));
    assert_int_equal(id.len, JOBS_ID_CHARS);
    return id;
}

static struct str begin(struct bench *b, int64_t total)
{
    return begin_kind(b, "count", total);
}

static struct job_view look(struct bench *b, struct str id)
{
    struct job_view view;
    assert_ok(b->call, jobs_get(b->call, b->who, id, &view));
    return view;
}

static struct job_view until(struct bench *b, struct str id, const char *status)
{
    int64_t end_ms = clock_monotonic_ms() + PATIENCE_MS;
    for (;;) {
        struct job_view view = look(b, id);
        if (str_eq(view.status, str_from(status)))
            return view;
        if (view.ended || clock_monotonic_ms() > end_ms)
            fail_msg("%.*s is %.*s (%.*s), not %s", STR_ARG(id), STR_ARG(view.status), STR_ARG(view.message), status);
        assert_ok(b->call, task_sleep(b->call, 10));
    }
}

static int64_t count_rows(struct bench *b, const char *action)
{
    return sql_int(b->f, call_format(b->call, "SELECT COUNT(*) FROM mcp_audit_logs WHERE action = '%s'", action).ptr);
}

static void assert_once(int items)
{
    for (int i = 0; i < items; i++)
        if (world.done[i] != 1)
            fail_msg("item %d was done %d times", i, world.done[i]);
}

/* ---- tests */

static void test_runs_to_its_end(void **state)
{
    struct bench b;
    open_bench(&b, state);
    struct job_view view = until(&b, begin(&b, 5), JOB_COMPLETED);
    assert_text(json_str(json_get(view.result, STR("text"))), "counted to 5");
    assert_false(json_bool_or(json_get(view.result, STR("is_error")), true));
    assert_int_equal(view.done, 5);
    assert_int_equal(view.total, 5);
    assert_text(view.message, "counting");
    assert_once(5);
    assert_int_equal(count_rows(&b, "job.count.begin"), 1);
    assert_int_equal(count_rows(&b, "job.count"), 1);
    assert_int_equal(
        sql_int(b.f, "SELECT COUNT(*) FROM mcp_jobs WHERE arguments LIKE '%\"site\"%' OR state LIKE '%\"site\"%' "
                     "OR result LIKE '%counted%'"),
        0);
    assert_int_equal(sql_int(b.f, "SELECT COUNT(*) FROM mcp_jobs WHERE lease_holder IS NOT NULL"), 0);
    close_runner();
}

static void test_an_error_is_the_answer(void **state)
{
    struct bench b;
    open_bench(&b, state);
    world.error = E_UPSTREAM;
    struct job_view view = until(&b, begin(&b, 3), JOB_COMPLETED);
    assert_true(json_bool_or(json_get(view.result, STR("is_error")), false));
    assert_text(json_str(json_get(view.result, STR("text"))), "It cannot be done.");
    world.error = E_INTERNAL; /* our own mistake is none */
    view = until(&b, begin(&b, 3), JOB_FAILED);
    assert_text(view.message, "It cannot be done.");
    close_runner();
}

static void test_memory_used_up(void **state)
{
    struct bench b;
    open_bench(&b, state);
    struct job_view view = until(&b, begin_kind(&b, "greedy", 1), JOB_FAILED);
    assert_true(str_contains(view.message, STR("memory")));
    until(&b, begin(&b, 2), JOB_COMPLETED); /* the others go on */
    close_runner();
}

static void test_others_see_nothing(void **state)
{
    struct bench b;
    struct job_view view;
    const struct json *empty;
    open_bench(&b, state);
    assert_int_equal(json_parse(b.call->arena, STR("{}"), NULL, &empty, NULL), OK);
    world.pause_ms = 50;
    struct str id = begin(&b, 20);
    struct principal other = *b.who;
    other.token_id++;
    assert_int_equal(jobs_get(b.call, &other, id, &view), E_NOT_FOUND);
    assert_int_equal(jobs_cancel(b.call, &other, id), E_NOT_FOUND);
    assert_int_equal(jobs_answer(b.call, &other, id, empty, NULL), E_NOT_FOUND);
    assert_int_equal(jobs_get(b.call, b.who, STR("0123456789abcdef0123456789abcdef"), &view), E_NOT_FOUND);
    assert_int_equal(jobs_get(b.call, b.who, STR("' OR 1=1 --"), &view), E_NOT_FOUND);
    call_clear_error(b.call);
    assert_ok(b.call, jobs_cancel(b.call, b.who, id));
    until(&b, id, JOB_CANCELLED);
    close_runner();
}

/* Two access tokens of one agreement. */
static void make_family(struct bench *b, int64_t first, int64_t second)
{
    int64_t now_ms = clock_now_ms();
    const struct oauth_client_row client = {.id = STR("app"),
                                            .kind = STR(CLIENT_DYNAMIC),
                                            .name = STR("App"),
                                            .redirect_uris = STR("[]"),
                                            .grant_types = STR("authorization_code"),
                                            .auth_method = STR("none"),
                                            .mac = STR("-"),
                                            .created_at_ms = now_ms};
    const struct oauth_grant_row grant = {.id = STR("agreed"),
                                          .user_id = b->who->user_id,
                                          .client_id = client.id,
                                          .connection_id = b->who->connection_id,
                                          .connections = STR_EMPTY,
                                          .rights = STR("read"),
                                          .resource = STR("https://here.example/mcp"),
                                          .redirect_host = STR("app.example"),
                                          .mac = STR("-"),
                                          .state = STR(GRANT_ACTIVE),
                                          .created_at_ms = now_ms,
                                          .expires_at_ms = now_ms + PATIENCE_MS,
                                          .ends_at_ms = now_ms + PATIENCE_MS};
    assert_ok(b->call, store_oauth_clients_insert(b->call, &client));
    assert_ok(b->call, store_oauth_grants_insert(b->call, &grant));
    assert_ok(b->call, store_oauth_tokens_insert(b->call, first, grant.id, grant.resource));
    assert_ok(b->call, store_oauth_tokens_insert(b->call, second, grant.id, grant.resource));
}

/* Who began a job under the token before still hears of it, and can stop it. */
static void test_a_refresh_in_between(void **state)
{
    struct bench b;
    struct job_view view;
    open_bench(&b, state);
    int64_t next = add_connection(b.f, b.who->user_id, "shop").token_id;
    struct principal other = *b.who;
    other.token_id = add_connection(b.f, b.who->user_id, "news").token_id;
    world.pause_ms = 60 * 1000;
    struct str id = begin(&b, 20);
    while (!world.under_way)
        assert_ok(b.call, task_sleep(b.call, 5));
    make_family(&b, b.who->token_id, next);
    assert_ok(b.call, store_oauth_tokens_carry(b.call, b.who->token_id, next));
    assert_text(look(&b, id).status, JOB_WORKING);
    assert_int_equal(jobs_get(b.call, &other, id, &view), E_NOT_FOUND);
    assert_int_equal(jobs_cancel(b.call, &other, id), E_NOT_FOUND);
    call_clear_error(b.call);
    assert_ok(b.call, jobs_cancel(b.call, b.who, id));
    until(&b, id, JOB_CANCELLED);
    close_runner();
}

static void test_cancel(void **state)
{
    struct bench b;
    open_bench(&b, state);
    world.pause_ms = 60 * 1000; /* who did not interrupt would wait for that */
    int64_t begun_ms = clock_monotonic_ms();
    struct str ids[JOBS_PER_CONNECTION_MAX + 1];
    for (size_t i = 0; i < ARRAY_LENGTH(ids); i++)
        ids[i] = begin(&b, 10);
    assert_text(look(&b, ids[JOBS_PER_CONNECTION_MAX]).status, JOB_QUEUED); /* no more of one connection at once */
    for (size_t i = ARRAY_LENGTH(ids); i-- > 0;) {
        assert_ok(b.call, jobs_cancel(b.call, b.who, ids[i]));
        assert_ok(b.call, jobs_cancel(b.call, b.who, ids[i])); /* twice is fine */
        until(&b, ids[i], JOB_CANCELLED);
    }
    assert_true(clock_monotonic_ms() - begun_ms < PATIENCE_MS);
    assert_int_equal(count_rows(&b, "job.count"), (int)ARRAY_LENGTH(ids)); /* each ended once */
    close_runner();
}

/* The process stops, and starts again. */
static void test_stop_and_start(void **state)
{
    struct bench b;
    open_bench(&b, state);
    world.pause_ms = 30;
    struct str id = begin(&b, 12);
    while (look(&b, id).done < 3)
        assert_ok(b.call, task_sleep(b.call, 10));
    jobs_stop(NULL, NULL);
    while (jobs_busy())
        loop_turn();
    jobs_close();
    struct job_view view = look(&b, id);
    assert_text(view.status, JOB_QUEUED);
    assert_true(view.done >= 3 && view.done < 12);
    open_runner(0);
    until(&b, id, JOB_COMPLETED);
    assert_once(12); /* who stops in order does nothing twice */
    assert_int_equal(count_rows(&b, "job.count.begin"), 2);
    assert_int_equal(count_rows(&b, "job.count"), 1);
    close_runner();
}

static void wait_for_item(struct bench *b, int item)
{
    int64_t end_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (!world.done[item]) {
        assert_true(clock_monotonic_ms() < end_ms);
        assert_ok(b->call, task_sleep(b->call, 5));
    }
}

static void count_end(void *context)
{
    ++*(int *)context;
}

/* A step that the end of a process interrupts is told so, whoever takes it next; one that a request began meanwhile is handed on. */
static void test_stop_in_a_step(void **state)
{
    struct bench b;
    struct job_row row;
    bool found;
    int ends = 0;
    open_bench(&b, state);
    world.pause_ms = 60 * 1000;
    struct str id = begin(&b, 2);
    wait_for_item(&b, 0);
    jobs_stop(count_end, &ends);
    assert_int_equal(ends, 0);
    jobs_cancel_all();
    while (jobs_busy())
        loop_turn();
    assert_int_equal(ends, 1);
    int64_t now_ms = clock_now_ms();
    const struct job_claim claim = {.holder = runner_holder(),
                                    .now_ms = now_ms,
                                    .until_ms = runner_lease_end_ms(now_ms),
                                    .stale_ms = now_ms,
                                    .per_connection_max = 1};
    assert_ok(b.call, store_jobs_claim(b.call, &claim, &row, &found));
    assert_true(found);
    runner_take(&row);
    while (jobs_busy())
        loop_turn();
    assert_int_equal(ends, 2);
    assert_text(look(&b, id).status, JOB_QUEUED);
    assert_int_equal(world.done[0], 1);
    jobs_close();
    world.pause_ms = 0;
    open_runner(0);
    until(&b, id, JOB_COMPLETED);
    assert_int_equal(world.done[0], 2);
    assert_int_equal(world.again[0], 1);
    assert_int_equal(world.again[1], 0);
    close_runner();
}

/* While this process did not look, another one took the job, and died in its turn. */
static void test_lease_taken_away(void **state)
{
    struct bench b;
    open_bench_for(&b, state, LEASE_MS);
    world.pause_ms = 60;
    struct str id = begin(&b, 16);
    wait_for_item(&b, 3);
    sql(b.f, "UPDATE mcp_jobs SET lease_holder = 'dead', claims = claims + 1, lease_until = '2020-01-01 00:00:00.000'");
    until(&b, id, JOB_COMPLETED);
    /* Only the step whose end could not be saved is done again, and it is told so: the fourth, or one behind it where a loaded
       machine took longer for the statement than for a step. */
    int twice = 0;
    for (int i = 0; i < 16; i++) {
        assert_in_range(world.done[i], 1, i < 3 ? 1 : 2);
        assert_int_equal(world.again[i], world.done[i] - 1);
        twice += world.again[i];
    }
    assert_int_equal(twice, 1);
    assert_int_equal(count_rows(&b, "job.count"), 1);
    close_runner();
}

/* A holder that hears that its lease is another's stops in the middle of its step, and writes nothing. */
static void test_lease_lost_in_a_step(void **state)
{
    struct bench b;
    open_bench_for(&b, state, LEASE_MS);
    world.pause_ms = 15 * 1000;
    struct str id = begin(&b, 2);
    wait_for_item(&b, 0);
    sql(b.f,
        "UPDATE mcp_jobs SET lease_holder = 'other', claims = claims + 1, lease_until = '2099-01-01 00:00:00.000'");
    int64_t begun_ms = clock_monotonic_ms();
    while (world.under_way) {
        assert_true(clock_monotonic_ms() - begun_ms < world.pause_ms / 2);
        assert_ok(b.call, task_sleep(b.call, 5));
    }
    assert_int_equal(sql_int(b.f, "SELECT COUNT(*) FROM mcp_jobs WHERE lease_holder = 'other' AND status = 'working' "
                                  "AND done = 0 AND state IS NULL"),
                     1);
    assert_int_equal(world.done[0], 1);
    (void)id;
    close_runner();
}

/* Claimed for this process, which never heard so: whatever else it runs, the lease of what it does not run ends. */
static void test_claimed_unheard(void **state)
{
    struct bench b;
    struct job_row row;
    bool found = false;
    open_bench_for(&b, state, LEASE_MS);
    close_runner();
    open_runner_for(1, LEASE_MS);
    world.pause_ms = 600;
    begin(&b, 30);
    struct str unheard = begin(&b, 1);
    assert_text(look(&b, unheard).status, JOB_QUEUED); /* there is room for one */
    assert_ok(b.call, db_query(b.call, b.f->db, NULL,
                               "UPDATE mcp_jobs SET status = 'working', lease_holder = $1, lease_until = $2, "
                               "claims = 1, attempts = 1 WHERE id = $3",
                               DB_TEXT(runner_holder()), DB_TIME(clock_now_ms() + LEASE_MS), DB_TEXT(unheard)));
    for (int64_t end_ms = clock_monotonic_ms() + 5 * LEASE_MS; !found && clock_monotonic_ms() < end_ms;) {
        assert_ok(b.call, task_sleep(b.call, 100));
        int64_t now_ms = clock_now_ms();
        const struct job_claim claim = {.holder = STR("other"),
                                        .now_ms = now_ms,
                                        .until_ms = now_ms + PATIENCE_MS,
                                        .stale_ms = now_ms - LEASE_MS / 4,
                                        .per_connection_max = 8};
        assert_ok(b.call, store_jobs_claim(b.call, &claim, &row, &found));
    }
    assert_true(found);
    assert_int_equal(sql_int(b.f, "SELECT COUNT(*) FROM mcp_jobs WHERE lease_holder <> 'other' AND status = "
                                  "'working'"),
                     1); /* and what it runs stays its */
    close_runner();
}

/* The holder died without a word: here is who finds its job at the next start, when the lease is over and not before. */
static void test_dead_holder(void **state)
{
    struct bench b;
    open_bench_for(&b, state, LEASE_MS);
    world.pause_ms = 10 * 1000;
    struct str id = begin(&b, 2);
    wait_for_item(&b, 0);
    close_runner();
    memset(&world, 0, sizeof world);
    int64_t until_ms = clock_now_ms() + 300;
    assert_ok(b.call, db_query(b.call, b.f->db, NULL,
                               "UPDATE mcp_jobs SET status = 'working', lease_holder = 'dead', lease_until = $1, "
                               "attempts = 1",
                               DB_TIME(until_ms)));
    open_runner_for(0, LEASE_MS);
    until(&b, id, JOB_COMPLETED);
    assert_true(clock_now_ms() >= until_ms + LEASE_MS / 4);
    assert_once(2);
    assert_int_equal(world.again[0], 1);
    assert_int_equal(world.again[1], 0);
    close_runner();
}

static void test_given_up(void **state)
{
    struct bench b;
    open_bench_for(&b, state, LEASE_MS);
    world.pause_ms = 60;
    struct str id = begin(&b, 8);
    wait_for_item(&b, 1);
    assert_ok(b.call, db_query(b.call, b.f->db, NULL,
                               "UPDATE mcp_jobs SET lease_holder = 'dead', claims = claims + 1, attempts = $1, "
                               "lease_until = '2020-01-01 00:00:00.000'",
                               DB_INT(JOBS_ATTEMPTS_MAX)));
    struct job_view view = until(&b, id, JOB_FAILED);
    assert_true(str_contains(view.message, STR("given up")));
    assert_int_equal(view.done, 1);
    close_runner();
}

static void test_token_ends_it(void **state)
{
    struct bench b;
    open_bench(&b, state);
    world.pause_ms = 60;
    struct str id = begin(&b, 20);
    wait_for_item(&b, 1);
    sql(b.f, "UPDATE mcp_tokens SET revoked_at = '2020-01-01 00:00:00.000'");
    struct job_view view = until(&b, id, JOB_FAILED);
    assert_true(str_contains(view.message, STR("revoked")));
    assert_int_equal(world.done[3], 0);
    struct job_new job = {.kind = STR("admins"), .arguments_json = STR("{}"), .total = 1};
    struct str ignored;
    assert_int_equal(jobs_begin(b.call, b.who, &provider, &job, 0, &ignored), E_DENIED);
    job.kind = STR("nonsense");
    assert_int_equal(jobs_begin(b.call, b.who, &provider, &job, 0, &ignored), E_INVALID);
    call_clear_error(b.call);
    close_runner();
}

static struct str begin_as(struct bench *b, const struct principal *who, int64_t total)
{
    struct str id;
    struct job_new job = {.kind = STR("count"), .arguments_json = STR("{}"), .total = total};
    assert_ok(b->call, jobs_begin(b->call, who, &provider, &job, 0, &id));
    return id;
}

/* A token over two sites, of which the one that the job is for drops out: the token is good, the job ends all the same. */
static void test_granted_connection_rests(void **state)
{
    struct bench b;
    const struct principal *there;
    struct token_made made;
    open_bench(&b, state);
    struct token_made shop = add_connection(b.f, b.who->user_id, "shop");
    const struct token_site site = {.connection_id = shop.connection_id, .rights = RIGHT_READ};
    const struct token_new token = {.rights = RIGHT_READ, .sites = &site, .n_sites = 1};
    assert_ok(b.call, tokens_add(b.call, b.who->user_id, b.who->connection_id, &token, &made));
    assert_ok(b.call, authenticate(b.call, made.token, &b.who));
    assert_ok(b.call, principal_for(b.call, b.who, shop.connection_id, &there));
    world.pause_ms = 300;
    struct str fails = begin_as(&b, there, 20), cancelled = begin_as(&b, there, 20);
    wait_for_item(&b, 1);
    assert_ok(b.call,
              db_query(b.call, b.f->db, NULL, "UPDATE mcp_service_connections SET status = 'paused' WHERE id = $1",
                       DB_INT(shop.connection_id)));
    assert_ok(b.call, db_query(b.call, b.f->db, NULL, "UPDATE mcp_jobs SET cancel_at = $1 WHERE id = $2",
                               DB_TIME(clock_now_ms()), DB_TEXT(cancelled)));
    struct job_view view = until(&b, fails, JOB_FAILED);
    assert_true(str_contains(view.message, STR("rests")));
    until(&b, cancelled, JOB_CANCELLED);
    assert_int_equal(world.done[5], 0);
    close_runner();
}

static void test_too_many(void **state)
{
    struct bench b;
    struct str ignored;
    open_bench(&b, state);
    world.pause_ms = 1500; /* of those that begin at once */
    for (int i = 0; i < JOBS_OPEN_PER_TOKEN_MAX; i++)
        begin(&b, 1);
    struct job_new job = {.kind = STR("count"), .arguments_json = STR("{}"), .total = 1};
    assert_int_equal(jobs_begin(b.call, b.who, &provider, &job, 0, &ignored), E_LIMIT);
    call_clear_error(b.call);
    world.pause_ms = 5;
    int64_t end_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (sql_int(b.f, "SELECT COUNT(*) FROM mcp_jobs WHERE status = 'completed'") < JOBS_OPEN_PER_TOKEN_MAX) {
        assert_true(clock_monotonic_ms() < end_ms);
        assert_ok(b.call, task_sleep(b.call, 50));
    }
    assert_true(world.most_under_way <= JOBS_PER_CONNECTION_MAX);
    assert_int_equal(count_rows(&b, "job.count"), JOBS_OPEN_PER_TOKEN_MAX);
    close_runner();
}

/* Two processes that want the same: each job is one's only, and who had it before writes nothing any more. */
static void test_claims(void **state)
{
    struct bench b;
    struct job_row first, second, none;
    bool found, held, cancel;
    open_bench(&b, state);
    close_runner(); /* nobody takes them but this test */
    open_runner(1);
    jobs_stop(NULL, NULL);
    int64_t now_ms = clock_now_ms();
    struct job_row row = {.id = STR("one"),
                          .user_id = b.who->user_id,
                          .connection_id = b.who->connection_id,
                          .token_id = b.who->token_id,
                          .kind = STR("count"),
                          .status = STR(JOB_QUEUED),
                          .arguments = STR("{}"),
                          .message = STR_EMPTY,
                          .created_at_ms = now_ms,
                          .updated_at_ms = now_ms,
                          .expires_at_ms = now_ms + 60000};
    assert_ok(b.call, store_jobs_insert(b.call, &row));
    row.id = STR("two");
    assert_ok(b.call, store_jobs_insert(b.call, &row));
    struct job_claim claim = {.holder = STR("a"),
                              .now_ms = now_ms,
                              .until_ms = now_ms + 1000,
                              .stale_ms = now_ms - 250,
                              .per_connection_max = 8};
    assert_ok(b.call, store_jobs_claim(b.call, &claim, &first, &found));
    assert_true(found);
    claim.holder = STR("b");
    assert_ok(b.call, store_jobs_claim(b.call, &claim, &second, &found));
    assert_true(found);
    assert_false(str_eq(first.id, second.id));
    assert_ok(b.call, store_jobs_claim(b.call, &claim, &none, &found));
    assert_false(found);
    claim.stale_ms = now_ms + 1500; /* a's lease is over, and b's, which b renews */
    struct jobs_held renewed;
    assert_ok(b.call, store_jobs_renew(b.call, STR("b"), now_ms + 9000, &second.id, 1, &renewed));
    assert_int_equal(renewed.count, 1);
    assert_ok(b.call, store_jobs_claim(b.call, &claim, &second, &found));
    assert_true(found);
    assert_text(second.id, first.id.ptr);
    assert_int_equal(second.attempts, 2);
    first.lease_holder = STR("a");
    first.status = STR(JOB_COMPLETED);
    assert_ok(b.call, store_jobs_write(b.call, &first, &held, &cancel));
    assert_false(held);
    second.status = STR(JOB_COMPLETED);
    assert_ok(b.call, store_jobs_write(b.call, &second, &held, &cancel));
    assert_true(held);
    /* One of a connection at once. */
    claim.per_connection_max = 1;
    claim.stale_ms = now_ms - 250;
    row.id = STR("three");
    assert_ok(b.call, store_jobs_insert(b.call, &row));
    assert_ok(b.call, store_jobs_claim(b.call, &claim, &none, &found));
    assert_false(found);
    jobs_close();
}

static void test_expiry(void **state)
{
    struct bench b;
    struct job_view view;
    open_bench(&b, state);
    struct str id = begin(&b, 1);
    view = until(&b, id, JOB_COMPLETED);
    assert_true(view.expires_at_ms - view.created_at_ms >= JOBS_LIFE_MS);
    sql(b.f, "UPDATE mcp_jobs SET expires_at = '2020-01-01 00:00:00.000'");
    assert_int_equal(jobs_get(b.call, b.who, id, &view), E_NOT_FOUND);
    call_clear_error(b.call);
    assert_ok(b.call, store_jobs_prune(b.call, clock_now_ms()));
    assert_int_equal(sql_int(b.f, "SELECT COUNT(*) FROM mcp_jobs"), 0);
    close_runner();
}

/* Without jobs the database is left alone, before the first and behind the last. */
static void test_idle_is_silent(void **state)
{
    struct bench b;
    enum { SHORT_LEASE_MS = 400 }; /* it tells how long to listen; losing it does no harm */
    open_bench_for(&b, state, SHORT_LEASE_MS);
    for (int round = 0; round < 2; round++) {
        assert_ok(b.call, task_sleep(b.call, SHORT_LEASE_MS)); /* what the start and the end still look for */
        int64_t used_ms = db_used_ms(b.f->db);
        assert_ok(b.call, task_sleep(b.call, 4 * SHORT_LEASE_MS));
        assert_int_equal(db_used_ms(b.f->db), used_ms);
        if (round == 0)
            until(&b, begin(&b, 2), JOB_COMPLETED);
    }
    close_runner();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_runs_to_its_end),
        ON_BOTH(test_an_error_is_the_answer),
        ON_BOTH(test_memory_used_up),
        ON_BOTH(test_others_see_nothing),
        ON_BOTH(test_a_refresh_in_between),
        ON_BOTH(test_cancel),
        ON_BOTH(test_stop_and_start),
        ON_BOTH(test_stop_in_a_step),
        ON_BOTH(test_lease_taken_away),
        ON_BOTH(test_lease_lost_in_a_step),
        ON_BOTH(test_dead_holder),
        ON_BOTH(test_given_up),
        ON_BOTH(test_token_ends_it),
        ON_BOTH(test_too_many),
        ON_BOTH(test_claims),
        ON_BOTH(test_expiry),
        ON_BOTH(test_idle_is_silent),
        ON_BOTH(test_granted_connection_rests),
        ON_BOTH(test_claimed_unheard),
    };
    return cmocka_run_group_tests(tests, test_server_start, test_server_stop);
}

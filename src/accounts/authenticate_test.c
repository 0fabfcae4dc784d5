/* Who is calling: the cache and its times, revocation, tampering, a database that is away. */
#include "accounts/accounts_test_help.h"

#include "accounts/generation.h"
#include "crypto/token.h"
#include "net/task.h"

static int who(struct fixture *f, struct str token, const struct principal **ret)
{
    static const struct principal *unused;
    call_clear_error(&f->call);
    return authenticate(&f->call, token, ret ? ret : &unused);
}

static struct token_made ready(struct fixture *f)
{
    return add_connection(f, add_user(f, "ana@example.test", "+5511999990001"), "site");
}

static void a_principal_is_whole(void **state)
{
    struct fixture *f = *state;
    struct token_made made = ready(f);
    const struct principal *p;
    struct str plain;
    for (int round = 0; round < 2; round++) { /* looked up, cached */
        assert_ok(&f->call, who(f, made.token, &p));
        assert_int_equal(p->token_id, made.token_id);
        assert_int_equal(p->connection_id, made.connection_id);
        assert_int_equal(p->rights, RIGHT_READ | RIGHT_PUBLISH);
        assert_int_equal(p->confirm, CONFIRM_NONE);
        assert_int_equal(p->expires_at_ms, 0);
        assert_text(p->provider_key, "wordpress");
        assert_text(p->token_name, "primary");
        assert_true(str_eq(p->token_last4, made.last4));
        assert_text(p->site.name, "site");
        assert_true(str_contains(p->site.config_json, STR("https://ana.example")));
        assert_int_equal(p->site.connection_id, made.connection_id);
        assert_int_equal(p->site.user_id, p->user_id);
        assert_ok(&f->call, seal_open(&f->call, &p->site.secret, &plain));
        assert_true(str_contains(plain, STR("abcd efgh")));
    }
}

static void what_is_no_token_costs_no_query(void **state)
{
    struct fixture *f = *state;
    ready(f);
    static const char *const bad[] = {
        "", "x", "prt_pat_", "Bearer x", "' OR 1=1 --", "prt_pat_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg3U6HCi"};
    store_init(NULL); /* a query would abort */
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        assert_int_equal(who(f, str_from(bad[i]), NULL), E_UNAUTHENTICATED);
        assert_says(&f->call, "porteiro token add");
    }
    assert_int_equal(who(f, token_make(&f->call, TOKEN_ORT), NULL), E_UNAUTHENTICATED);
    assert_int_equal(who(f, token_make(&f->call, TOKEN_API), NULL), E_UNAUTHENTICATED);
    store_init(f->db);
    assert_int_equal(who(f, token_make(&f->call, TOKEN_PAT), NULL), E_UNAUTHENTICATED);
    assert_says(&f->call, "not known");
}

/* Another host's revocation: nothing moves our counter. */
static void other_hosts_are_seen_within_a_second(void **state)
{
    struct fixture *f = *state;
    struct token_made made = ready(f);
    assert_ok(&f->call, who(f, made.token, NULL));
    sql(f, "UPDATE mcp_tokens SET revoked_at = '2026-01-01 00:00:00.000'");
    int64_t since = clock_monotonic_ms();
    int cached = 0;
    while (who(f, made.token, NULL) == OK) {
        cached++;
        assert_true(clock_monotonic_ms() - since <= AUTH_FRESH_MS + 100);
        usleep(10 * 1000);
    }
    assert_true(cached > 1);
    assert_says(&f->call, "revoked");
    assert_says(&f->call, "porteiro token add");
    assert_true(str_contains(f->call.error_detail, STR("revoked")));
    /* And back: a refusal is believed for two seconds. */
    sql(f, "UPDATE mcp_tokens SET revoked_at = NULL");
    assert_int_equal(who(f, made.token, NULL), E_UNAUTHENTICATED);
    usleep((AUTH_NEGATIVE_MS + 50) * 1000);
    assert_ok(&f->call, who(f, made.token, NULL));
}

static void this_host_sees_it_at_once(void **state)
{
    struct fixture *f = *state;
    struct token_made made = ready(f);
    assert_ok(&f->call, who(f, made.token, NULL));
    for (int i = 0; i < 20; i++) {
        assert_ok(&f->call, connections_pause(&f->call, USER_ANY, made.connection_id));
        assert_int_equal(who(f, made.token, NULL), E_DENIED);
        assert_ok(&f->call, connections_resume(&f->call, USER_ANY, made.connection_id));
        assert_ok(&f->call, who(f, made.token, NULL));
    }
}

/* The counter is shared by processes. */
static void processes_share_the_counter(void **state)
{
    struct fixture *f = *state;
    assert_ok(&f->call, generation_open(&f->call, str_from(test_folder)));
    uint64_t before = generation_now();
    pid_t child = fork();
    if (child == 0) {
        generation_close();
        if (generation_open(&f->call, str_from(test_folder)))
            _exit(1);
        for (int i = 0; i < 1000; i++)
            generation_move();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(generation_now() == before + 1000);
    char path[64];
    struct stat file;
    snprintf(path, sizeof path, "%s/generation", test_folder);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 077, 0);
    unlink(path);
}

static void edited_rows_widen_nothing(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct token_made made = ready(f), other, second;
    struct token_new token = {.rights = RIGHTS_ALL, .expires_at_ms = clock_now_ms() + 3600 * 1000};
    assert_ok(call, tokens_add(call, USER_ANY, made.connection_id, &token, &other));
    second = add_connection(f, 1, "second");
    static const char *const edits[][2] = {
        {"UPDATE mcp_token_details SET rights = 'read,publish,admin' WHERE token_id = 1",
         "UPDATE mcp_token_details SET rights = 'read,publish' WHERE token_id = 1"},
        {"UPDATE mcp_token_details SET confirm = 'human' WHERE token_id = 1",
         "UPDATE mcp_token_details SET confirm = 'none' WHERE token_id = 1"},
        {"UPDATE mcp_token_details SET mac = '' WHERE token_id = 1", NULL},
        {"UPDATE mcp_token_details SET rights = d.rights, mac = d.mac FROM "
         "(SELECT rights, mac FROM mcp_token_details WHERE token_id = 2) d WHERE token_id = 1",
         NULL},
        {"UPDATE mcp_tokens SET connection_id = 2 WHERE id = 1",
         "UPDATE mcp_tokens SET connection_id = 1 WHERE id = 1"},
        {"UPDATE mcp_tokens SET expires_at = '2099-01-01 00:00:00.000' WHERE id = 1",
         "UPDATE mcp_tokens SET expires_at = NULL WHERE id = 1"},
    };
    assert_int_equal(made.token_id, 1);
    assert_int_equal(second.connection_id, 2);
    struct str mac = sql_text(f, "SELECT mac FROM mcp_token_details WHERE token_id = 1");
    for (size_t i = 0; i < ARRAY_LENGTH(edits); i++) {
        sql(f, edits[i][0]);
        authenticate_done();
        assert_int_equal(who(f, made.token, NULL), E_UNAUTHENTICATED);
        assert_true(str_contains(call->error_detail, STR("MAC")));
        assert_ok(call, db_query(call, f->db, NULL,
                                 "UPDATE mcp_token_details SET mac = $1, rights = 'read,publish' WHERE token_id = 1",
                                 DB_TEXT(mac)));
        if (edits[i][1])
            sql(f, edits[i][1]);
        authenticate_done();
        assert_ok(call, who(f, made.token, NULL));
    }
    /* An expired token is not prolonged. */
    sql(f, "UPDATE mcp_tokens SET expires_at = '2099-01-01 00:00:00.000' WHERE id = 2");
    assert_int_equal(who(f, other.token, NULL), E_UNAUTHENTICATED);
    /* Somebody else's hash in this row: his token does not get its rights. */
    struct str mine = token_make(call, TOKEN_PAT);
    char hash[MAC_HEX_BYTES];
    token_hash(mine, hash);
    assert_ok(call, db_query(call, f->db, NULL, "UPDATE mcp_tokens SET token_hash = $1 WHERE id = 1",
                             DB_TEXT(str_from(hash))));
    assert_int_equal(who(f, mine, NULL), E_UNAUTHENTICATED);
    assert_true(str_contains(call->error_detail, STR("MAC")));
    /* A row without details (the earlier system's) is good for nothing, nor is the connection's mirror alone. */
    sql(f, "DELETE FROM mcp_token_details WHERE token_id = 1");
    authenticate_done();
    assert_int_equal(who(f, mine, NULL), E_UNAUTHENTICATED);
    sql(f, "DELETE FROM mcp_tokens");
    authenticate_done();
    assert_int_equal(who(f, second.token, NULL), E_UNAUTHENTICATED);
}

static void a_database_that_is_away_is_a_pause(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct token_made made = ready(f), second = add_connection(f, 1, "second");
    struct db *gone;
    assert_ok(call, who(f, made.token, NULL));
    assert_ok(call, db_open(call, STR("postgres://nobody@127.0.0.1:27499/none?connect_timeout=2"), &gone));
    usleep((AUTH_FRESH_MS + 50) * 1000);
    store_init(gone);
    int64_t start = clock_monotonic_ms();
    for (int i = 0; i < 100; i++)
        assert_ok(call, who(f, made.token, NULL));
    assert_true(clock_monotonic_ms() - start < 1000 + AUTH_QUERY_MS);
    assert_int_equal(who(f, second.token, NULL), E_UNAVAILABLE); /* nothing is known of it */
    assert_ok(call, who(f, made.token, NULL));
    generation_move(); /* somebody revoked something just before: then an old answer is worth nothing */
    assert_int_equal(who(f, made.token, NULL), E_UNAVAILABLE);
    store_init(f->db);
    db_close(gone);
    assert_ok(call, who(f, made.token, NULL));
    assert_ok(call, who(f, second.token, NULL));
}

static void last_use_is_written_now_and_then(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct token_made made = ready(f);
    struct token_row row;
    for (int i = 0; i < 50; i++)
        assert_ok(call, who(f, made.token, NULL));
    assert_ok(call, store_tokens_get(call, USER_ANY, made.token_id, &row));
    assert_int_equal(row.last_used_at_ms, 0);
    assert_ok(call, authenticate_flush(call));
    assert_ok(call, store_tokens_get(call, USER_ANY, made.token_id, &row));
    assert_in_range(row.last_used_at_ms, clock_now_ms() - 10 * 1000, clock_now_ms());
    sql(f, "UPDATE mcp_token_details SET last_used_at = NULL");
    for (int i = 0; i < 50; i++)
        assert_ok(call, who(f, made.token, NULL));
    assert_ok(call, authenticate_flush(call)); /* the same minute */
    assert_ok(call, store_tokens_get(call, USER_ANY, made.token_id, &row));
    assert_int_equal(row.last_used_at_ms, 0);
    /* By itself as well. */
    authenticate_done();
    assert_ok(call, who(f, made.token, NULL));
    assert_ok(call, task_sleep(call, AUTH_TOUCH_DELAY_MS + 500));
    assert_ok(call, store_tokens_get(call, USER_ANY, made.token_id, &row));
    assert_true(row.last_used_at_ms > 0);
}

static void guesses_do_not_push_out_the_good(void **state)
{
    struct fixture *f = *state;
    struct token_made made = ready(f);
    assert_ok(&f->call, who(f, made.token, NULL));
    for (int i = 0; i < 2 * AUTH_CACHE_BAD_ENTRIES; i++)
        assert_int_equal(who(f, token_make(&f->call, TOKEN_PAT), NULL), E_UNAUTHENTICATED);
    struct db *db = f->db;
    usleep(1000);
    assert_ok(&f->call, who(f, made.token, NULL));
    store_init(NULL);
    int error = who(f, made.token, NULL); /* aborts if it asks */
    store_init(db);
    assert_int_equal(error, OK);
}

/* ---- many calls at once */

static struct str shared_token;
static int n_running, n_refused;

static void call_task(struct call *call, void *context)
{
    const struct principal *p;
    (void)context;
    if (authenticate(call, shared_token, &p) || p->token_id != 1)
        n_refused++;
}

static void call_ended(struct call *call, void *context)
{
    (void)context;
    arena_free(call->arena);
    n_running--;
}

static void many_calls_of_one_token(void **state)
{
    struct fixture *f = *state;
    enum { CALLS = 200 };
    static struct call calls[CALLS];
    shared_token = ready(f).token;
    n_refused = 0;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < CALLS; i++) {
            call_init(&calls[i], arena_new(1024 * 1024), 30 * 1000);
            n_running++;
            assert_int_equal(task_spawn(&calls[i], call_task, call_ended, NULL), OK);
        }
        if (round == 1)
            authenticate_done(); /* while they wait for the database */
        while (n_running)
            loop_turn();
        usleep(800 * 1000);
    }
    assert_int_equal(n_refused, 0);
}

/* Told, not judged: the figure depends on the machine. */
static void what_the_hot_path_costs(void **state)
{
    struct fixture *f = *state;
    enum { ROUNDS = 500, CALLS = 100 };
    struct token_made made = ready(f);
    const struct principal *p;
    int64_t best = INT64_MAX;
    struct arena *arena = arena_new(64 * 1024), *before = f->call.arena;
    assert_ok(&f->call, who(f, made.token, &p));
    for (int round = 0; round < ROUNDS; round++) {
        f->call.arena = arena;
        assert_ok(&f->call, who(f, made.token, &p));
        int64_t start = clock_monotonic_ns();
        for (int k = 0; k < CALLS; k++)
            if (authenticate(&f->call, made.token, &p))
                fail_msg("refused");
        int64_t spent = clock_monotonic_ns() - start;
        best = spent < best ? spent : best;
        assert_true(arena_used(arena) <= (CALLS + 1) * 64);
        arena_reset(arena);
        f->call.arena = before;
    }
    arena_free(arena);
    print_message("authenticate() from the cache: %lld ns\n", (long long)(best / CALLS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(a_principal_is_whole),
        ON_SQLITE(what_is_no_token_costs_no_query),
        ON_BOTH(other_hosts_are_seen_within_a_second),
        ON_BOTH(this_host_sees_it_at_once),
        ON_SQLITE(processes_share_the_counter),
        ON_BOTH(edited_rows_widen_nothing),
        ON_BOTH(a_database_that_is_away_is_a_pause),
        ON_BOTH(last_use_is_written_now_and_then),
        ON_SQLITE(guesses_do_not_push_out_the_good),
        ON_BOTH(many_calls_of_one_token),
        ON_SQLITE(what_the_hot_path_costs),
    };
    return cmocka_run_group_tests(tests, test_server_start, test_server_stop);
}

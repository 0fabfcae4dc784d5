/*
 * The driver's contract, on SQLite always and on PostgreSQL with the server that tests/database/cluster.sh starts: the same
 * statements, the same answers. A missing PostgreSQL is a failure.
 */
#include "net/helper.h"
#include "net/loop.h"
#include "net/task.h"
#include "store/db.h"
#include "store/db_test_help.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cmocka.h>

static void call_begin(struct call *call)
{
    call_init(call, arena_new(64 * 1024 * 1024), 20 * 1000);
}

static void call_end(struct call *call)
{
    arena_free(call->arena);
}

static int setup(void **state, enum db_kind kind)
{
    struct fixture *fixture = fixture_new(kind, 64 * 1024 * 1024, 20 * 1000);
    *state = fixture;
    assert_ok(&fixture->call, db_begin(&fixture->call, fixture->db));
    const char *table =
        kind == DB_SQLITE
            ? "CREATE TABLE parent (id integer PRIMARY KEY AUTOINCREMENT, name text NOT NULL UNIQUE);"
              "CREATE TABLE thing (id integer PRIMARY KEY AUTOINCREMENT, parent_id integer REFERENCES parent (id)"
              " ON DELETE CASCADE, name text, small integer, big integer, enabled integer, at text, data text)"
            : "CREATE TABLE parent (id serial PRIMARY KEY, name varchar(40) NOT NULL UNIQUE);"
              "CREATE TABLE thing (id serial PRIMARY KEY, parent_id integer REFERENCES parent (id)"
              " ON DELETE CASCADE, name text, small integer, big bigint, enabled boolean, at timestamp, data jsonb)";
    assert_ok(&fixture->call, db_script(&fixture->call, fixture->db, str_from(table)));
    assert_ok(&fixture->call, db_commit(&fixture->call, fixture->db));
    return 0;
}

static int teardown(void **state)
{
    fixture_free(fixture_end_call(state));
    return 0;
}

/* ---- values ----------------------------------------------------------------------------------------------------------- */

static void values_survive(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct db_rows rows;
    assert_ok(call, db_query(call, f->db, &rows,
                             "INSERT INTO thing (name, small, big, enabled, at, data) VALUES ($1, $2, $3, $4, $5, $6) "
                             "RETURNING id",
                             DB_TEXT(STR("Olá 'you' \"$2\"; --")), DB_INT(-7), DB_INT(INT64_MAX), DB_BOOL(true),
                             DB_TIME(1763897007693), DB_TEXT(STR("{\"a\": [1, \"b\"]}"))));
    assert_int_equal(rows.n_rows, 1);
    assert_int_equal(db_changes(&rows), 1);
    int64_t id = db_int(&rows, 0, 0);
    assert_true(id > 0);
    assert_ok(call,
              db_query(call, f->db, &rows,
                       "SELECT name, small, big, enabled, at, data, parent_id, data ->> 'a' FROM thing WHERE id = $1",
                       DB_INT(id)));
    assert_int_equal(rows.n_rows, 1);
    assert_int_equal(rows.n_columns, 8);
    assert_text(db_text(&rows, 0, 0), "Olá 'you' \"$2\"; --");
    assert_int_equal(db_int(&rows, 0, 1), -7);
    assert_true(db_int(&rows, 0, 2) == INT64_MAX);
    assert_true(db_bool(&rows, 0, 3));
    assert_true(db_time_ms(&rows, 0, 4) == 1763897007693);
    assert_text(db_text(&rows, 0, 5), "{\"a\": [1, \"b\"]}");
    assert_true(db_is_null(&rows, 0, 6));
    assert_int_equal(db_int(&rows, 0, 6), 0);
    assert_text(db_text(&rows, 0, 6), "");
    assert_false(db_is_null(&rows, 0, 0));
    assert_int_equal(rows.cells[0].ptr[rows.cells[0].len], '\0');
}

static void nulls_and_empty_texts_differ(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct db_rows rows;
    assert_ok(call, db_query(call, f->db, NULL, "INSERT INTO thing (name, small, enabled, at) VALUES ($1, $2, $3, $4)",
                             DB_NULL, DB_NULL, DB_NULL, DB_NULL));
    assert_ok(call, db_query(call, f->db, NULL, "INSERT INTO thing (name, enabled) VALUES ($1, $2)", DB_TEXT(STR_EMPTY),
                             DB_BOOL(false)));
    assert_ok(call, db_query(call, f->db, &rows, "SELECT name, enabled, small, at FROM thing ORDER BY id"));
    assert_int_equal(rows.n_rows, 2);
    for (size_t column = 0; column < 4; column++)
        assert_true(db_is_null(&rows, 0, column));
    assert_false(db_is_null(&rows, 1, 0));
    assert_false(db_is_null(&rows, 1, 1));
    assert_false(db_bool(&rows, 1, 1));
    assert_int_equal(db_time_ms(&rows, 0, 3), 0);
}

/* The index of a SQLite parameter is its first appearance; ours is its number. */
static void parameters_go_by_number(void **state)
{
    struct fixture *f = *state;
    struct db_rows rows;
    assert_ok(&f->call, db_query(&f->call, f->db, &rows,
                                 "SELECT CAST($2 AS text), CAST($1 AS text), CAST($2 AS text) || CAST($1 AS text)",
                                 DB_TEXT(STR("one")), DB_TEXT(STR("two"))));
    assert_text(db_text(&rows, 0, 0), "two");
    assert_text(db_text(&rows, 0, 1), "one");
    assert_text(db_text(&rows, 0, 2), "twoone");
}

static void fractions_of_any_length_are_read(void **state)
{
    struct fixture *f = *state;
    struct db_rows rows;
    static const int64_t times[] = {1763897007000, 1763897007500, 1763897007690, 1763897007001};
    for (size_t i = 0; i < ARRAY_LENGTH(times); i++)
        assert_ok(&f->call, db_query(&f->call, f->db, NULL, "INSERT INTO thing (at) VALUES ($1)", DB_TIME(times[i])));
    assert_ok(&f->call,
              db_query(&f->call, f->db, &rows, "SELECT at FROM thing WHERE at >= $1 ORDER BY id", DB_TIME(times[0])));
    assert_int_equal(rows.n_rows, ARRAY_LENGTH(times));
    for (size_t i = 0; i < ARRAY_LENGTH(times); i++)
        assert_true(db_time_ms(&rows, i, 0) == times[i]);
}

static void changes_are_counted(void **state)
{
    struct fixture *f = *state;
    struct db_rows rows;
    for (int i = 0; i < 5; i++)
        assert_ok(&f->call, db_query(&f->call, f->db, NULL, "INSERT INTO thing (small) VALUES ($1)", DB_INT(i)));
    assert_ok(&f->call, db_query(&f->call, f->db, &rows, "UPDATE thing SET name = 'x' WHERE small >= $1", DB_INT(2)));
    assert_int_equal(db_changes(&rows), 3);
    assert_int_equal(rows.n_rows, 0);
    assert_ok(&f->call, db_query(&f->call, f->db, &rows, "DELETE FROM thing WHERE small = $1", DB_INT(99)));
    assert_int_equal(db_changes(&rows), 0);
    assert_ok(&f->call, db_query(&f->call, f->db, &rows, "SELECT small FROM thing LIMIT $1", DB_INT(4)));
    assert_int_equal(db_changes(&rows), 4);
}

static void a_large_result_is_whole(void **state)
{
    struct fixture *f = *state;
    struct db_rows rows;
    enum { LENGTH = 300000 };
    char *text = arena_alloc(f->call.arena, LENGTH);
    memset(text, 'x', LENGTH);
    assert_ok(&f->call, db_query(&f->call, f->db, NULL, "INSERT INTO thing (name) VALUES ($1), ($1), ($1)",
                                 DB_TEXT(str_of(text, LENGTH))));
    assert_ok(&f->call, db_query(&f->call, f->db, &rows, "SELECT name, id FROM thing"));
    assert_int_equal(rows.n_rows, 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(str_eq(db_text(&rows, i, 0), str_of(text, LENGTH)));
}

/* ---- errors ----------------------------------------------------------------------------------------------------------- */

static void failures_have_their_codes(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct db *db = f->db;
    assert_ok(call, db_query(call, db, NULL, "INSERT INTO parent (name) VALUES ($1)", DB_TEXT(STR("a"))));
    assert_int_equal(db_query(call, db, NULL, "INSERT INTO parent (name) VALUES ($1)", DB_TEXT(STR("a"))), E_CONFLICT);
    assert_int_equal(db_query(call, db, NULL, "INSERT INTO thing (parent_id) VALUES ($1)", DB_INT(12345)), E_NOT_FOUND);
    assert_int_equal(db_query(call, db, NULL, "INSERT INTO parent (name) VALUES ($1)", DB_NULL), E_INTERNAL);
    assert_int_equal(db_query(call, db, NULL, "SELECT secret_column FROM thing"), E_INTERNAL);
    assert_false(str_contains(call->error_text, STR("secret_column")));
    assert_true(str_contains(call->error_detail, STR("secret_column")));
    assert_int_equal(db_query(call, db, NULL, "SELECT 1 FROM thing WHERE id = $1"), E_INTERNAL);
    assert_int_equal(db_query(call, db, NULL, "SELECT 1", DB_INT(1)), E_INTERNAL);
    assert_int_equal(db_query(call, db, NULL, "SELECT 1; SELECT 2"), E_INTERNAL);
    assert_int_equal(db_query(call, db, NULL, "SELECT \"no such name\" FROM thing"), E_INTERNAL);
    assert_int_equal(db_query(call, db, NULL, "INSERT INTO thing (name) VALUES ($1)", DB_TEXT(str_of("a\0b", 3))),
                     E_INVALID);
    assert_int_equal(db_query(call, db, NULL, "INSERT INTO thing (name) VALUES ($1)", DB_TEXT(STR("\xff\xfe"))),
                     E_INVALID);
    assert_int_equal(db_script(call, db, STR("DROP TABLE thing")), E_INTERNAL);
    /* and the connection is still good */
    assert_ok(call, db_query(call, db, NULL, "SELECT 1 FROM thing"));
}

static void a_cast_in_the_parameter_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(db_query(&f->call, f->db, NULL, "SELECT $1::text", DB_TEXT(STR("x"))), E_INTERNAL);
}

static void a_slow_statement_ends_at_the_deadline(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    int64_t began_ms = clock_monotonic_ms(), deadline_ms = call->deadline_ms;
    call->deadline_ms = began_ms + 300;
    int error = db_query(call, f->db, NULL,
                         "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) "
                         "SELECT count(*) FROM n");
    assert_int_equal(error, E_TIMEOUT);
    assert_in_range(clock_monotonic_ms() - began_ms, 250, 2000);
    call->deadline_ms = deadline_ms;
    assert_ok(call, db_query(call, f->db, NULL, "SELECT 1"));
}

/* ---- transactions ----------------------------------------------------------------------------------------------------- */

static int64_t count_things(struct fixture *f)
{
    struct call call;
    struct db_rows rows;
    call_begin(&call);
    assert_ok(&call, db_query(&call, f->db, &rows, "SELECT count(*) FROM thing"));
    int64_t count = db_int(&rows, 0, 0);
    call_end(&call);
    return count;
}

static void insert_thing(struct fixture *f, struct call *call)
{
    assert_ok(call, db_query(call, f->db, NULL, "INSERT INTO thing (name) VALUES ($1)", DB_TEXT(STR("t"))));
}

static void transactions_end_as_told(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    assert_ok(call, db_begin(call, f->db));
    insert_thing(f, call);
    assert_int_equal(count_things(f), 0); /* others do not see it, and need not wait */
    assert_int_equal(db_begin(call, f->db), E_INTERNAL);
    assert_ok(call, db_commit(call, f->db));
    assert_int_equal(count_things(f), 1);
    assert_ok(call, db_begin(call, f->db));
    insert_thing(f, call);
    assert_ok(call, db_rollback(call, f->db));
    assert_int_equal(count_things(f), 1);
    assert_int_equal(db_commit(call, f->db), E_INTERNAL);
    assert_ok(call, db_rollback(call, f->db));
}

static void an_open_transaction_ends_with_its_call(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 10; i++) { /* more often than there are connections */
        struct call call;
        call_begin(&call);
        assert_ok(&call, db_begin(&call, f->db));
        insert_thing(f, &call);
        call_end(&call);
    }
    assert_int_equal(count_things(f), 0);
    insert_thing(f, &f->call);
    assert_int_equal(count_things(f), 1);
}

static void a_failed_statement_spoils_the_transaction(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    assert_ok(call, db_begin(call, f->db));
    insert_thing(f, call);
    assert_int_equal(db_query(call, f->db, NULL, "SELECT nothing FROM thing"), E_INTERNAL);
    assert_int_equal(db_query(call, f->db, NULL, "SELECT 1"), E_INTERNAL);
    assert_int_equal(db_commit(call, f->db), E_INTERNAL);
    assert_int_equal(count_things(f), 0);
    assert_ok(call, db_begin(call, f->db));
    insert_thing(f, call);
    assert_ok(call, db_commit(call, f->db));
    assert_int_equal(count_things(f), 1);
}

static void post_thing(struct fixture *f, struct call *call, enum db_post how, const char *name)
{
    assert_ok(call, db_post(call, f->db, how, "UPDATE thing SET name = 'u' WHERE name = $1", DB_TEXT(str_from(name))));
}

static void what_is_posted_goes_with_what_follows(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct db_rows rows;
    assert_int_equal(db_post(call, f->db, DB_POST, "DELETE FROM thing"), E_INTERNAL); /* no transaction */

    /* before a statement, in its order, and with the one before it in hand */
    assert_ok(call, db_begin(call, f->db));
    assert_ok(call,
              db_post(call, f->db, DB_POST, "INSERT INTO parent (name) VALUES ($1) RETURNING id", DB_TEXT(STR("p"))));
    assert_ok(call, db_post(call, f->db, DB_POST, "INSERT INTO thing (parent_id, name) VALUES ($1, 't')", DB_POSTED));
    assert_ok(call, db_query(call, f->db, &rows, "SELECT p.name FROM thing t JOIN parent p ON p.id = t.parent_id"));
    assert_int_equal(rows.n_rows, 1);
    assert_text(db_text(&rows, 0, 0), "p");
    assert_int_equal(count_things(f), 0);
    post_thing(f, call, DB_POST_MUST_CHANGE, "t");
    assert_ok(call, db_commit(call, f->db));
    assert_ok(call, db_query(call, f->db, &rows, "SELECT name FROM thing"));
    assert_text(db_text(&rows, 0, 0), "u");

    /* nothing but what is posted; nothing at all; what is posted and then taken back */
    assert_ok(call, db_begin(call, f->db));
    assert_ok(call, db_post(call, f->db, DB_POST, "INSERT INTO thing (name) VALUES ('v')"));
    assert_ok(call, db_commit(call, f->db));
    assert_ok(call, db_begin(call, f->db));
    assert_ok(call, db_commit(call, f->db));
    assert_ok(call, db_begin(call, f->db));
    assert_ok(call, db_post(call, f->db, DB_POST, "DELETE FROM thing"));
    assert_ok(call, db_rollback(call, f->db));
    assert_int_equal(count_things(f), 2);
}

static void what_is_posted_fails_the_transaction(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    insert_thing(f, call);
    assert_ok(call, db_begin(call, f->db));
    post_thing(f, call, DB_POST, "nobody");
    post_thing(f, call, DB_POST, "t");
    post_thing(f, call, DB_POST_MUST_CHANGE, "nobody");
    assert_int_equal(db_commit(call, f->db), E_CONFLICT);
    assert_int_equal(db_commit(call, f->db), E_INTERNAL); /* it is over */

    assert_ok(call, db_begin(call, f->db));
    insert_thing(f, call);
    assert_ok(call, db_post(call, f->db, DB_POST, "INSERT INTO thing (parent_id) VALUES ($1)", DB_INT(4711)));
    assert_int_equal(db_query(call, f->db, NULL, "SELECT 1"), E_NOT_FOUND);
    assert_int_equal(db_post(call, f->db, DB_POST, "DELETE FROM thing"), E_INTERNAL);
    assert_int_equal(db_commit(call, f->db), E_INTERNAL);

    assert_ok(call, db_begin(call, f->db));
    assert_int_equal(db_post(call, f->db, DB_POST, "DELETE FROM thing WHERE name = $1", DB_TEXT(STR("\xff"))),
                     E_INVALID);
    assert_int_equal(db_commit(call, f->db), E_INTERNAL);
    assert_int_equal(count_things(f), 1);

    /* a call that ends with it gives the connection back */
    for (int i = 0; i < 10; i++) {
        struct call ends;
        call_begin(&ends);
        assert_ok(&ends, db_begin(&ends, f->db));
        assert_ok(&ends, db_post(&ends, f->db, DB_POST, "DELETE FROM thing"));
        call_end(&ends);
    }
    struct db_rows rows;
    assert_ok(call, db_query(call, f->db, &rows, "SELECT name FROM thing"));
    assert_int_equal(rows.n_rows, 1);
    assert_text(db_text(&rows, 0, 0), "t");
}

static void deletion_cascades(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct db_rows rows;
    assert_ok(call, db_query(call, f->db, &rows, "INSERT INTO parent (name) VALUES ('p') RETURNING id"));
    assert_ok(call,
              db_query(call, f->db, NULL, "INSERT INTO thing (parent_id) VALUES ($1)", DB_INT(db_int(&rows, 0, 0))));
    assert_ok(call, db_query(call, f->db, NULL, "DELETE FROM parent"));
    assert_int_equal(count_things(f), 0);
}

/* ---- tasks ------------------------------------------------------------------------------------------------------------ */

enum { TASKS = 60, TURNS = 10 };

struct worker {
    struct fixture *fixture;
    struct call call;
    int error;
    bool *all_ended;
    size_t *n_running;
};

static int add_one(struct worker *worker)
{
    struct call *call = &worker->call;
    struct db *db = worker->fixture->db;
    struct db_rows rows;
    int error = db_begin(call, db);
    if (!error)
        error = db_query(call, db, &rows, "UPDATE thing SET big = big + 1 RETURNING big");
    if (!error && rows.n_rows != 1)
        error = E_INTERNAL;
    if (!error)
        error = db_commit(call, db);
    if (!error)
        error = db_query(call, db, &rows, "SELECT big FROM thing");
    return error;
}

static void worker_run(struct call *call, void *context)
{
    struct worker *worker = context;
    (void)call;
    for (int turn = 0; turn < TURNS && !worker->error; turn++)
        worker->error = add_one(worker);
}

static void worker_ended(struct call *call, void *context)
{
    struct worker *worker = context;
    (void)call;
    --*worker->n_running;
}

static void run_workers(struct fixture *f, struct worker *workers, size_t count, void (*run)(struct call *, void *))
{
    size_t n_running = count;
    for (size_t i = 0; i < count; i++) {
        workers[i] = (struct worker){.fixture = f, .n_running = &n_running};
        call_begin(&workers[i].call);
    }
    for (size_t i = 0; i < count; i++)
        assert_int_equal(task_spawn(&workers[i].call, run, worker_ended, &workers[i]), OK);
    while (n_running)
        loop_turn();
}

static void many_tasks_share_the_connections(void **state)
{
    struct fixture *f = *state;
    static struct worker workers[TASKS];
    struct db_rows rows;
    assert_ok(&f->call, db_query(&f->call, f->db, NULL, "INSERT INTO thing (big) VALUES (0)"));
    run_workers(f, workers, TASKS, worker_run);
    for (size_t i = 0; i < TASKS; i++) {
        assert_ok(&workers[i].call, workers[i].error);
        call_end(&workers[i].call);
    }
    assert_ok(&f->call, db_query(&f->call, f->db, &rows, "SELECT big FROM thing"));
    assert_int_equal(db_int(&rows, 0, 0), TASKS * TURNS);
}

static void worker_hold(struct call *call, void *context)
{
    struct worker *worker = context;
    worker->error = db_begin(call, worker->fixture->db);
    if (!worker->error)
        worker->error = db_query(call, worker->fixture->db, NULL, "INSERT INTO thing (big) VALUES (1)");
    if (!worker->error)
        worker->error = task_sleep(call, 400);
    /* ends with its transaction open */
}

static void worker_wait(struct call *call, void *context)
{
    struct worker *worker = context;
    call->deadline_ms = clock_monotonic_ms() + 100;
    worker->error = db_begin(call, worker->fixture->db);
}

static void worker_hold_or_wait(struct call *call, void *context)
{
    struct worker *worker = context;
    bool holds = worker->call.id[0] == 'h';
    (holds ? worker_hold : worker_wait)(call, context);
}

static void waiting_for_a_connection_ends_at_the_deadline(void **state)
{
    struct fixture *f = *state;
    static struct worker workers[DB_POSTGRES_LINKS + 1];
    size_t n_holders = db_kind(f->db) == DB_SQLITE ? 1 : DB_POSTGRES_LINKS;
    size_t n_running = n_holders + 1;
    for (size_t i = 0; i < n_running; i++) {
        workers[i] = (struct worker){.fixture = f, .n_running = &n_running};
        call_begin(&workers[i].call);
        workers[i].call.id[0] = i < n_holders ? 'h' : 'w';
    }
    for (size_t i = 0; i <= n_holders; i++)
        assert_int_equal(task_spawn(&workers[i].call, worker_hold_or_wait, worker_ended, &workers[i]), OK);
    while (n_running)
        loop_turn();
    assert_int_equal(workers[n_holders].error, E_TIMEOUT);
    for (size_t i = 0; i <= n_holders; i++) {
        if (i < n_holders)
            assert_ok(&workers[i].call, workers[i].error);
        call_end(&workers[i].call);
    }
    assert_int_equal(count_things(f), 0);
    insert_thing(f, &f->call); /* the links are whole again */
}

static void worker_exhaust(struct call *call, void *context)
{
    struct worker *worker = context;
    struct db_rows rows;
    worker->error = db_begin(call, worker->fixture->db);
    for (;;)
        worker->error = db_query(call, worker->fixture->db, &rows, "SELECT name FROM thing");
}

/* A call that runs out of memory in the middle of a result gives everything back. */
static void an_exhausted_call_gives_its_connection_back(void **state)
{
    struct fixture *f = *state;
    static struct worker workers[8];
    char text[2000];
    memset(text, 'x', sizeof text);
    assert_ok(&f->call, db_query(&f->call, f->db, NULL, "INSERT INTO thing (name) VALUES ($1)",
                                 DB_TEXT(str_of(text, sizeof text))));
    size_t n_running = ARRAY_LENGTH(workers);
    for (size_t i = 0; i < ARRAY_LENGTH(workers); i++) {
        workers[i] = (struct worker){.fixture = f, .n_running = &n_running};
        call_init(&workers[i].call, arena_new(16000 + i * 100), 20000);
        assert_int_equal(task_spawn(&workers[i].call, worker_exhaust, worker_ended, &workers[i]), OK);
    }
    while (n_running) {
        loop_turn();
        for (size_t i = 0; i < ARRAY_LENGTH(workers); i++)
            if (!workers[i].call.task && workers[i].call.arena) { /* the owner frees an ended call's arena */
                assert_int_equal(workers[i].call.error, E_UNAVAILABLE);
                arena_free(workers[i].call.arena);
                workers[i].call.arena = NULL;
            }
    }
    assert_int_equal(count_things(f), 1);
    insert_thing(f, &f->call);
}

static void a_cancelled_call_may_still_write(void **state)
{
    struct fixture *f = *state;
    f->call.cancelled = true;
    insert_thing(f, &f->call);
    assert_int_equal(count_things(f), 1);
}

/* ---- PostgreSQL's connections ------------------------------------------------------------------------------------- */

static void kill_backends(struct fixture *f)
{
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '%s'",
             f->database.name);
    test_postgres_exec("postgres", sql);
}

static void a_closed_idle_connection_is_replaced(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++) {
        insert_thing(f, &f->call);
        kill_backends(f);
    }
    insert_thing(f, &f->call); /* writes too: nothing had been sent on the dead one */
    kill_backends(f);
    assert_ok(&f->call, db_begin(&f->call, f->db));
    insert_thing(f, &f->call);
    assert_ok(&f->call, db_commit(&f->call, f->db));
    assert_int_equal(count_things(f), 5);
}

/* Ends its own backend in the middle of the statement, the first time. */
static const char suicide[] =
    "SELECT CASE WHEN nextval('attempts') = 1 THEN pg_terminate_backend(pg_backend_pid()) END, "
    "pg_sleep(0.1)";

static void a_read_that_broke_is_tried_again_once(void **state)
{
    struct fixture *f = *state;
    struct db_rows rows;
    assert_ok(&f->call, db_query(&f->call, f->db, NULL, "CREATE SEQUENCE attempts"));
    assert_ok(&f->call, db_query(&f->call, f->db, &rows, suicide));
    assert_int_equal(rows.n_rows, 1);
    assert_ok(&f->call, db_query(&f->call, f->db, &rows, "SELECT last_value FROM attempts"));
    assert_int_equal(db_int(&rows, 0, 0), 2);
}

static void a_write_that_broke_is_not_repeated(void **state)
{
    struct fixture *f = *state;
    assert_ok(&f->call, db_query(&f->call, f->db, NULL, "CREATE SEQUENCE attempts"));
    assert_int_equal(db_query(&f->call, f->db, NULL,
                              "INSERT INTO thing (small) SELECT 1 FROM (SELECT pg_terminate_backend(pg_backend_pid()), "
                              "pg_sleep(0.1), nextval('attempts')) AS x"),
                     E_UNAVAILABLE);
    assert_true(str_contains(f->call.error_detail, STR("57P01")));
    assert_int_equal(count_things(f), 0);
}

static void a_transaction_that_broke_is_over(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    assert_ok(call, db_begin(call, f->db));
    insert_thing(f, call);
    kill_backends(f);
    assert_int_equal(db_query(call, f->db, NULL, "SELECT 1"), E_UNAVAILABLE);
    assert_int_equal(db_query(call, f->db, NULL, "SELECT 1"), E_INTERNAL);
    assert_int_equal(db_commit(call, f->db), E_INTERNAL);
    assert_int_equal(count_things(f), 0);
    assert_ok(call, db_begin(call, f->db));
    insert_thing(f, call);
    kill_backends(f);
    assert_int_equal(db_commit(call, f->db), E_UNAVAILABLE);
    assert_int_equal(count_things(f), 0);
}

static void a_statement_given_up_is_cancelled_on_the_server(void **state)
{
    struct fixture *f = *state;
    struct call *call = &f->call;
    struct db_rows rows = {0};
    int64_t deadline_ms = call->deadline_ms;
    call->deadline_ms = clock_monotonic_ms() + 200;
    assert_int_equal(db_query(call, f->db, NULL, "SELECT pg_sleep(30)"), E_TIMEOUT);
    call->deadline_ms = deadline_ms;
    for (int i = 0; i < 50; i++) {
        assert_ok(call, db_query(call, f->db, &rows,
                                 "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(30)'"));
        if (db_int(&rows, 0, 0) == 0)
            return;
        usleep(20000);
    }
    fail_msg("the statement still runs");
}

static void sessions_speak_utc_and_iso(void **state)
{
    struct fixture *f = *state;
    struct db_rows rows;
    char sql[200];
    snprintf(sql, sizeof sql, "ALTER DATABASE %s SET datestyle = 'German'", f->database.name);
    test_postgres_exec("postgres", sql);
    kill_backends(f);
    assert_ok(&f->call, db_query(&f->call, f->db, NULL, "INSERT INTO thing (at) VALUES (now())"));
    assert_ok(&f->call, db_query(&f->call, f->db, &rows, "SELECT at FROM thing"));
    assert_in_range(db_time_ms(&rows, 0, 0), clock_now_ms() - 60000, clock_now_ms() + 60000);
}

static void a_server_that_is_down_is_said(void **state)
{
    struct call call;
    struct db *db;
    (void)state;
    call_begin(&call);
    assert_ok(&call, db_open(&call, STR("postgres://user:topsecret@127.0.0.1:1/none"), &db));
    assert_int_equal(db_query(&call, db, NULL, "SELECT 1"), E_UNAVAILABLE);
    assert_false(str_contains(call.error_text, STR("127.0.0.1")));
    assert_true(str_contains(call.error_detail, STR("127.0.0.1")));
    assert_false(str_contains(call.error_detail, STR("topsecret")));
    assert_int_equal(db_begin(&call, db), E_UNAVAILABLE);
    call_end(&call);
    db_close(db);
}

/* A backlog that accepts and never answers. */
static void a_server_that_hangs_is_given_up(void **state)
{
    struct call call;
    struct db *db;
    char url[100];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)state;
    for (uint16_t port = 27599; port > 27500; port--) {
        address.sin_port = htons(port);
        if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0)
            break;
    }
    assert_int_equal(listen(fd, 5), 0);
    snprintf(url, sizeof url, "postgres://user@127.0.0.1:%d/none?connect_timeout=2", ntohs(address.sin_port));
    call_begin(&call);
    assert_ok(&call, db_open(&call, str_from(url), &db));
    int64_t began_ms = clock_monotonic_ms();
    assert_int_equal(db_query(&call, db, NULL, "SELECT 1"), E_UNAVAILABLE);
    assert_in_range(clock_monotonic_ms() - began_ms, 1000, 4000);
    call_end(&call);
    db_close(db);
    close(fd);
}

/* ---- opening ---------------------------------------------------------------------------------------------------------- */

static void bad_urls_are_refused(void **state)
{
    struct call call;
    struct db *db = NULL;
    (void)state;
    call_begin(&call);
    assert_int_equal(db_open(&call, STR(""), &db), E_INVALID);
    assert_int_equal(db_open(&call, STR("sqlite:"), &db), E_INVALID);
    assert_int_equal(db_open(&call, STR("mysql://localhost/x"), &db), E_INVALID);
    assert_int_equal(db_open(&call, STR("postgres://127.0.0.1/%zz"), &db), E_INVALID);
    assert_int_equal(db_open(&call, STR("postgres://127.0.0.1/x?nonsense=1"), &db), E_INVALID);
    assert_int_equal(db_open(&call, STR("sqlite:/nonexistent/folder/file.db"), &db), E_UNAVAILABLE);
    assert_int_equal(db_open(&call, STR("sqlite:/etc/passwd"), &db), E_UNAVAILABLE); /* not a database */
    assert_null(db);
    call_end(&call);
}

static void the_sqlite_file_is_private(void **state)
{
    struct fixture *f = *state;
    struct stat status;
    insert_thing(f, &f->call);
    const char *suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < ARRAY_LENGTH(suffixes); i++) {
        const char *path = str_format(f->call.arena, "%s%s", f->database.url + strlen("sqlite:"), suffixes[i]).ptr;
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
}

int main(void)
{
    umask(0022);
    const struct CMUnitTest tests[] = {
        ON_BOTH(values_survive),
        ON_BOTH(nulls_and_empty_texts_differ),
        ON_BOTH(parameters_go_by_number),
        ON_BOTH(fractions_of_any_length_are_read),
        ON_BOTH(changes_are_counted),
        ON_BOTH(a_large_result_is_whole),
        ON_BOTH(failures_have_their_codes),
        ON_BOTH(a_slow_statement_ends_at_the_deadline),
        ON_BOTH(transactions_end_as_told),
        ON_BOTH(an_open_transaction_ends_with_its_call),
        ON_BOTH(a_failed_statement_spoils_the_transaction),
        ON_BOTH(what_is_posted_goes_with_what_follows),
        ON_BOTH(what_is_posted_fails_the_transaction),
        ON_BOTH(deletion_cascades),
        ON_BOTH(many_tasks_share_the_connections),
        ON_BOTH(waiting_for_a_connection_ends_at_the_deadline),
        ON_BOTH(an_exhausted_call_gives_its_connection_back),
        ON_BOTH(a_cancelled_call_may_still_write),
        ON_SQLITE(a_cast_in_the_parameter_is_refused),
        ON_POSTGRES(a_closed_idle_connection_is_replaced),
        ON_POSTGRES(a_read_that_broke_is_tried_again_once),
        ON_POSTGRES(a_write_that_broke_is_not_repeated),
        ON_POSTGRES(a_transaction_that_broke_is_over),
        ON_POSTGRES(a_statement_given_up_is_cancelled_on_the_server),
        ON_POSTGRES(sessions_speak_utc_and_iso),
        cmocka_unit_test(a_server_that_is_down_is_said),
        cmocka_unit_test(a_server_that_hangs_is_given_up),
        ON_SQLITE(the_sqlite_file_is_private),
        cmocka_unit_test(bad_urls_are_refused),
    };
    return cmocka_run_group_tests(tests, test_server_start, test_server_stop);
}

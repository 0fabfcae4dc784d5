/*
 * For the store's unit tests: databases that are made for one test, on SQLite and on a PostgreSQL server that is started for
 * the test program (tests/database/cluster.sh) and ends with it.
 */
#ifndef STORE_DB_TEST_HELP_H
#define STORE_DB_TEST_HELP_H

#include "net/loop.h"
#include "store/db.h"

#include <libpq-fe.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char test_folder[] = "/tmp/porteiro-store-XXXXXX";
static char test_server[128]; /* postgres://postgres@127.0.0.1:PORT */

/* Runs tests/database/cluster.sh and returns the first line it writes. */
static void test_cluster(char *first_line, size_t size, const char *action, const char *owner)
{
    static const char script[] = "tests/database/cluster.sh";
    char folder[64];
    int ends[2], status;
    snprintf(folder, sizeof folder, "%s/cluster", test_folder);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl(script, script, action, folder, owner, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t got; length < size - 1 && (got = read(ends[0], first_line + length, size - 1 - length)) > 0;)
        length += (size_t)got;
    first_line[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status != 0)
        fail_msg("%s %s failed", script, action);
    char *end = strchr(first_line, '\n');
    if (end)
        *end = '\0';
}

static __attribute__((unused)) int test_server_start(void **state)
{
    char owner[16];
    (void)state;
    assert_true(loop_init());
    assert_non_null(mkdtemp(test_folder));
    chmod(test_folder, 0755);
    snprintf(owner, sizeof owner, "%d", (int)getpid());
    test_cluster(test_server, sizeof test_server, "start", owner);
    return 0;
}

static __attribute__((unused)) int test_server_stop(void **state)
{
    char ignored[16];
    (void)state;
    test_cluster(ignored, sizeof ignored, "stop", NULL);
    rmdir(test_folder);
    loop_done();
    return 0;
}

/* The same for a program that needs SQLite only. */
static __attribute__((unused)) int test_folder_start(void **state)
{
    (void)state;
    assert_true(loop_init());
    assert_non_null(mkdtemp(test_folder));
    return 0;
}

static __attribute__((unused)) int test_folder_stop(void **state)
{
    (void)state;
    rmdir(test_folder);
    loop_done();
    return 0;
}

struct test_database {
    enum db_kind kind;
    char name[48];
    char url[256];
};

/* SQL straight to the server, past the code under test. */
static __attribute__((unused)) void test_postgres_exec(const char *database, const char *sql)
{
    char url[256];
    snprintf(url, sizeof url, "%s/%s", test_server, database);
    PGconn *connection = PQconnectdb(url);
    if (PQstatus(connection) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(connection));
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(connection));
    PQclear(result);
    PQfinish(connection);
}

static __attribute__((unused)) void test_database_new(struct test_database *database, enum db_kind kind)
{
    static int number;
    database->kind = kind;
    snprintf(database->name, sizeof database->name, "t%d", ++number);
    if (kind == DB_SQLITE) {
        snprintf(database->url, sizeof database->url, "sqlite:%s/%s.db", test_folder, database->name);
        return;
    }
    char sql[128];
    snprintf(sql, sizeof sql, "CREATE DATABASE %s", database->name);
    test_postgres_exec("postgres", sql);
    snprintf(database->url, sizeof database->url, "%s/%s", test_server, database->name);
}

static __attribute__((unused)) void test_database_done(struct test_database *database)
{
    if (database->kind == DB_POSTGRES) {
        char sql[128];
        snprintf(sql, sizeof sql, "DROP DATABASE %s WITH (FORCE)", database->name);
        test_postgres_exec("postgres", sql);
        return;
    }
    const char *suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < ARRAY_LENGTH(suffixes); i++) {
        char path[300];
        snprintf(path, sizeof path, "%s%s", database->url + strlen("sqlite:"), suffixes[i]);
        unlink(path);
    }
}

/* What one test works with: a database of its own and a command's call. */
struct fixture {
    struct test_database database;
    struct call call;
    struct db *db;
};

#define assert_ok(call, expression)                                                                                    \
    do {                                                                                                               \
        int result_ = (expression);                                                                                    \
        if (result_)                                                                                                   \
            fail_msg("%s: %s: %.*s (%.*s)", #expression, error_name(result_), STR_ARG((call)->error_text),             \
                     STR_ARG((call)->error_detail));                                                                   \
    } while (0)

static __attribute__((unused)) void assert_text(struct str actual, const char *expected)
{
    if (!str_eq(actual, str_from(expected)))
        fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(actual), expected);
}

static __attribute__((unused)) struct fixture *fixture_new(enum db_kind kind, size_t arena_bytes, int time_ms)
{
    struct fixture *f = calloc(1, sizeof *f);
    test_database_new(&f->database, kind);
    call_init(&f->call, arena_new(arena_bytes), time_ms);
    assert_ok(&f->call, db_open(&f->call, str_from(f->database.url), &f->db));
    return f;
}

/* Its call has ended by then (fixture_end_call), while what it still had to give back was there. */
static __attribute__((unused)) void fixture_free(struct fixture *f)
{
    db_close(f->db);
    test_database_done(&f->database);
    free(f);
}

static __attribute__((unused)) struct fixture *fixture_end_call(void **state)
{
    struct fixture *f = *state;
    arena_free(f->call.arena);
    return f;
}

/* SQL past the code under test. */
static __attribute__((unused)) void sql(struct fixture *f, const char *text)
{
    assert_ok(&f->call, db_query(&f->call, f->db, NULL, text));
}

static __attribute__((unused)) struct str sql_text(struct fixture *f, const char *text)
{
    struct db_rows rows;
    assert_ok(&f->call, db_query(&f->call, f->db, &rows, text));
    assert_int_equal(rows.n_rows, 1);
    return db_text(&rows, 0, 0);
}

static __attribute__((unused)) int64_t sql_int(struct fixture *f, const char *text)
{
    struct db_rows rows;
    assert_ok(&f->call, db_query(&f->call, f->db, &rows, text));
    assert_int_equal(rows.n_rows, 1);
    return db_int(&rows, 0, 0);
}

/* A test program says what stands in its database and what ends with it; each test is run on both kinds. */
static int setup(void **state, enum db_kind kind);
static int teardown(void **state);

static __attribute__((unused)) int setup_sqlite(void **state)
{
    return setup(state, DB_SQLITE);
}

static __attribute__((unused)) int setup_postgres(void **state)
{
    return setup(state, DB_POSTGRES);
}

/* clang-format off */
#define ON_SQLITE(test) {#test " (SQLite)", test, setup_sqlite, teardown, NULL}
#define ON_POSTGRES(test) {#test " (PostgreSQL)", test, setup_postgres, teardown, NULL}
#define ON_BOTH(test) ON_SQLITE(test), ON_POSTGRES(test)
/* clang-format on */

#endif

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

#endif

/* When a PostgreSQL server must prove who it is; what is believed of one that leaves. */
#include "net/loop.h"
#include "store/db_driver.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static void expect(const char *url, const char *mode)
{
    struct db_postgres_tls tls = db_postgres_tls(url);
    if (mode ? !tls.mode || strcmp(tls.mode, mode) != 0 : tls.mode != NULL)
        fail_msg("%s: %s, not %s", url, tls.mode ? tls.mode : "nothing", mode ? mode : "nothing");
}

static void servers_elsewhere_show_a_certificate(void **state)
{
    (void)state;
    unsetenv("PGSSLMODE");
    unsetenv("PGSSLROOTCERT");
    expect("postgres://a:b@db.example.com/x", "verify-full");
    expect("postgresql://a@10.0.0.7:5433/x", "verify-full");
    expect("postgres://a@127.0.0.1,db.example.com/x", "verify-full");
    expect("postgres://a@/x?hostaddr=192.0.2.1", "verify-full");
    expect("postgres://a@localhost.example.com/x", "verify-full");
    assert_non_null(db_postgres_tls("postgres://a@db.example.com/x?sslmode=verify-full").root);
}

static void this_machine_and_what_is_said_stay_as_they_are(void **state)
{
    (void)state;
    expect("postgres://a@127.0.0.1/x", NULL);
    expect("postgres://a@localhost:5433/x", NULL);
    expect("postgres://a@[::1]/x", NULL);
    expect("postgres://a@/x?host=/var/run/postgresql", NULL);
    expect("postgres:///x", NULL);
    expect("postgres://a@db.example.com/x?sslmode=disable", NULL);
    expect("postgres://a@db.example.com/x?sslmode=require", NULL);
    expect("not a URL", NULL);
    assert_null(db_postgres_tls("postgres://a@db.example.com/x?sslmode=require").root);
    setenv("PGSSLMODE", "require", 1);
    expect("postgres://a@db.example.com/x", NULL);
    unsetenv("PGSSLMODE");
}

/* ---- a server of ours: it does every statement, and leaves while it answers the one that it was told to leave at */

#define FAREWELL "SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0"

static struct {
    pthread_t thread;
    int listener, port;
    const char *leaves_at; /* the statement */
    bool is_done;          /* then: its tag comes before the farewell */
    bool hangs;            /* there is no farewell, and no end */
    int connections, statements;
} server;

static bool read_all(int fd, void *to, size_t size)
{
    for (char *at = to; size;) {
        ssize_t got = read(fd, at, size);
        if (got <= 0)
            return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

static void send_message(int fd, char kind, const void *body, size_t len)
{
    char text[256] = {kind};
    uint32_t size = htonl((uint32_t)len + 4);
    memcpy(text + 1, &size, sizeof size);
    memcpy(text + 5, body, len);
    (void)!write(fd, text, len + 5);
}

/* Body of a message; 0: the client has gone. */
static size_t read_message(int fd, bool has_kind, char *ret_kind, char *body, size_t room)
{
    uint32_t size;
    *ret_kind = ' ';
    if ((has_kind && !read_all(fd, ret_kind, 1)) || !read_all(fd, &size, sizeof size))
        return 0;
    size_t len = ntohl(size) - 4;
    return len <= room && read_all(fd, body, len) ? len + 1 : 0;
}

static void answer(int fd, const char *sql)
{
    bool leaves = server.leaves_at && strcmp(sql, server.leaves_at) == 0;
    server.statements++;
    send_message(fd, '1', "", 0);
    send_message(fd, '2', "", 0);
    send_message(fd, 'n', "", 0);
    if (!leaves || server.is_done)
        send_message(fd, 'C', sql, strlen(sql) + 1);
    if (!leaves) {
        send_message(fd, 'Z', "I", 1);
        return;
    }
    server.leaves_at = NULL;
    if (server.hangs)
        return;
    send_message(fd, 'E', FAREWELL, sizeof FAREWELL);
    shutdown(fd, SHUT_RDWR);
}

static void serve_connection(int fd)
{
    char kind, body[1024], sql[1024] = "";
    if (!read_message(fd, false, &kind, body, sizeof body))
        return;
    server.connections++;
    send_message(fd, 'R', "\0\0\0", 4);
    send_message(fd, 'Z', "I", 1);
    while (read_message(fd, true, &kind, body, sizeof body)) {
        if (kind == 'P')
            snprintf(sql, sizeof sql, "%s", body + 1); /* behind the empty name */
        if (kind == 'S')
            answer(fd, sql);
    }
}

static void *serve(void *context)
{
    (void)context;
    for (int fd; (fd = accept(server.listener, NULL, NULL)) >= 0; close(fd))
        serve_connection(fd);
    return NULL;
}

static void start_server(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    memset(&server, 0, sizeof server);
    server.listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server.listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server.listener, 8), 0);
    assert_int_equal(getsockname(server.listener, (struct sockaddr *)&address, &len), 0);
    server.port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
}

/* A transaction through it, in which it leaves so; then a statement that finds it well again. */
static int commit_while_it_leaves(const char *at, bool is_done, bool hangs, bool *ret_rolled_back)
{
    struct call call;
    struct db *db;
    char url[128];
    assert_true(loop_init());
    start_server();
    call_init(&call, arena_new(1024 * 1024), 5000);
    snprintf(url, sizeof url, "postgres://a@127.0.0.1:%d/x?sslmode=disable", server.port);
    assert_int_equal(db_open(&call, str_from(url), &db), OK);
    assert_int_equal(db_begin(&call, db), OK);
    assert_int_equal(db_query(&call, db, NULL, "INSERT 0 1"), OK);
    server.leaves_at = at;
    server.is_done = is_done;
    server.hangs = hangs;
    call.deadline_ms = clock_monotonic_ms() + (hangs ? 200 : 5000);
    int error = db_commit(&call, db);
    *ret_rolled_back = db_was_rolled_back(&call);
    call_clear_error(&call);
    call.deadline_ms = clock_monotonic_ms() + 5000;
    assert_int_equal(db_query(&call, db, NULL, "INSERT 0 2"), OK);
    assert_int_equal(server.connections, 2);
    assert_int_equal(server.statements, 4);
    db_close(db);
    shutdown(server.listener, SHUT_RDWR);
    pthread_join(server.thread, NULL);
    close(server.listener);
    arena_free(call.arena);
    loop_done();
    return error;
}

static void what_was_committed_before_the_server_left_is_committed(void **state)
{
    bool rolled_back;
    (void)state;
    assert_int_equal(commit_while_it_leaves("COMMIT", true, false, &rolled_back), OK);
    assert_int_equal(commit_while_it_leaves("COMMIT", true, true, &rolled_back), OK);
    assert_int_equal(commit_while_it_leaves("COMMIT", false, false, &rolled_back), E_UNAVAILABLE);
    assert_true(rolled_back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_elsewhere_show_a_certificate),
        cmocka_unit_test(this_machine_and_what_is_said_stay_as_they_are),
        cmocka_unit_test(what_was_committed_before_the_server_left_is_committed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

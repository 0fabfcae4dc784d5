/* LISTEN and NOTIFY. A notice is "ORIGIN TEXT". */
#include <sodium.h> /* before base/banned.h: it names what is banned */

#include "store/notices.h"

#include "base/log.h"
#include "net/loop.h"
#include "store/db_driver.h"

#include <event2/event.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define CHANNEL "porteiro"

enum support { UNKNOWN, SUPPORTED, MISSING };

/* On a thread of its own: name lookup, TLS and passwords block. */
struct attempt {
    struct loop_post post;
    PGconn *connection;
    bool good, refused; /* refused: connected, but there is no LISTEN */
    bool abandoned;     /* notices_done() came first */
    char url[];
};

static struct {
    struct db *db;
    char *url;
    char origin[NOTICES_ORIGIN_BYTES];
    enum support support;
    void (*heard)(struct str text);
    PGconn *connection; /* NULL: not listening */
    struct event *readable;
    struct attempt *attempt;
    struct loop_timer retry;
    bool has_retry, had_connection;
    int64_t wait_ms, used_ms; /* used_ms: when the connection last had a sign of life */
    int64_t lost_ms;          /* while the database may sleep: since when; 0: it does not */
} notices;

/* ---- sending */

static bool is_supported(struct call *call)
{
    struct db_rows rows;
    if (notices.support == UNKNOWN) {
        if (db_query(call, notices.db, &rows, "SELECT 1 FROM pg_proc WHERE proname = 'pg_notify'")) {
            call_clear_error(call);
            return false; /* asked again next time */
        }
        notices.support = rows.n_rows ? SUPPORTED : MISSING;
    }
    return notices.support == SUPPORTED;
}

void notices_send(struct call *call, struct str text)
{
    if (!notices.db || db_kind(notices.db) != DB_POSTGRES || text.len > NOTICE_MAX_BYTES - NOTICES_ORIGIN_BYTES)
        return;
    if (is_supported(call) && db_query(call, notices.db, NULL, "SELECT pg_notify('" CHANNEL "', $1)",
                                       DB_TEXT(call_format(call, "%s %.*s", notices.origin, STR_ARG(text))))) {
        log_warning("other nodes could not be told of a change: %.*s %.*s", STR_ARG(call->error_text),
                    STR_ARG(call->error_detail));
        call_clear_error(call);
    }
}

/* ---- listening */

static void start_attempt(void);

static void close_connection(void)
{
    if (notices.readable)
        event_free(notices.readable);
    PQfinish(notices.connection);
    notices.readable = NULL;
    notices.connection = NULL;
}

static void try_later(void)
{
    notices.wait_ms = notices.wait_ms ? 2 * notices.wait_ms : NOTICES_RETRY_MS;
    if (notices.wait_ms > NOTICES_RETRY_MAX_MS)
        notices.wait_ms = NOTICES_RETRY_MAX_MS;
    loop_timer_set(&notices.retry, notices.lost_ms ? NOTICES_RETRY_MS : notices.wait_ms);
}

static void on_retry(void *context)
{
    (void)context;
    if (notices.lost_ms && db_used_ms(notices.db) <= notices.lost_ms)
        loop_timer_set(&notices.retry, NOTICES_RETRY_MS); /* still asleep: a look at our own memory costs it nothing */
    else
        start_attempt();
}

static void lost(void)
{
    int64_t now_ms = clock_monotonic_ms(), used_ms = db_used_ms(notices.db);
    if (used_ms < notices.used_ms)
        used_ms = notices.used_ms;
    notices.lost_ms = now_ms - used_ms > NOTICES_ASLEEP_MS ? now_ms : 0;
    notices.wait_ms = 0;
    close_connection();
    try_later();
}

static void hear(const PGnotify *notice)
{
    struct str text = str_from(notice->extra), origin = str_sub(text, 0, str_find_char(text, ' '));
    notices.used_ms = clock_monotonic_ms();
    if (origin.len < text.len && !str_eq(origin, str_from(notices.origin)))
        notices.heard(str_from_offset(text, origin.len + 1));
}

static void take_notices(void)
{
    PGnotify *notice;
    while ((notice = PQnotifies(notices.connection))) {
        hear(notice);
        PQfreemem(notice);
    }
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
    bool good = PQconsumeInput(notices.connection) == 1;
    take_notices();
    if (!good || PQstatus(notices.connection) != CONNECTION_OK)
        lost();
}

static void ignore_notice(void *context, const char *message)
{
    (void)context;
    (void)message;
}

static void *connect_main(void *context)
{
    struct attempt *attempt = context;
    /* What stands before dbname yields to the URL. A dead line is found by the kernel: that is no query. */
    static const char *const names[] = {
        "connect_timeout", "keepalives_idle", "gssencmode", "fallback_application_name", "client_encoding", "sslmode",
        "sslrootcert",     "dbname",          NULL};
    const struct db_postgres_tls tls = db_postgres_tls(attempt->url);
    const char *const values[] = {"5", "60", "disable", "porteiro", "UTF8", tls.mode, tls.root, attempt->url, NULL};
    attempt->connection = PQconnectdbParams(names, values, 1);
    if (PQstatus(attempt->connection) == CONNECTION_OK) {
        PQsetNoticeProcessor(attempt->connection, ignore_notice, NULL);
        PGresult *result = PQexec(attempt->connection, "LISTEN " CHANNEL);
        attempt->good = PQresultStatus(result) == PGRES_COMMAND_OK;
        attempt->refused = !attempt->good && PQstatus(attempt->connection) == CONNECTION_OK;
        PQclear(result);
    }
    loop_post(&attempt->post);
    return NULL;
}

static void take_connection(PGconn *connection)
{
    notices.connection = connection;
    notices.used_ms = clock_monotonic_ms();
    notices.readable = event_new(loop_base(), PQsocket(connection), EV_READ | EV_PERSIST, on_readable, NULL);
    if (!notices.readable || event_add(notices.readable, NULL) != 0 || PQsetnonblocking(connection, 1) != 0) {
        lost();
        return;
    }
    notices.wait_ms = 0;
    notices.lost_ms = 0;
    notices.had_connection = true;
    notices.heard(STR_EMPTY); /* the first time, too: since somebody wanted to hear, something may have happened */
    take_notices();           /* what came with the answer to LISTEN */
}

static void on_attempted(void *context)
{
    struct attempt *attempt = context;
    if (!attempt->abandoned)
        notices.attempt = NULL;
    if (attempt->abandoned || !attempt->good) {
        PQfinish(attempt->connection);
        if (attempt->refused)
            log_info("this database has no LISTEN: changes on other nodes are noticed when they are asked for");
        else if (!attempt->abandoned)
            try_later();
    } else {
        take_connection(attempt->connection);
    }
    free(attempt);
}

static void start_attempt(void)
{
    size_t size = strlen(notices.url) + 1;
    struct attempt *attempt = calloc(1, sizeof *attempt + size);
    pthread_t thread;
    sigset_t all, before;
    if (!attempt) {
        try_later();
        return;
    }
    memcpy(attempt->url, notices.url, size);
    attempt->post = (struct loop_post){.run = on_attempted, .context = attempt};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread, NULL, connect_main, attempt);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        free(attempt);
        try_later();
        return;
    }
    pthread_detach(thread);
    notices.attempt = attempt;
}

void notices_listen(void (*heard)(struct str text))
{
    if (notices.heard || !notices.db || db_kind(notices.db) != DB_POSTGRES)
        return;
    notices.has_retry = loop_timer_init(&notices.retry, on_retry, NULL);
    if (!notices.has_retry)
        return;
    notices.heard = heard;
    start_attempt();
}

bool notices_are_starting(void)
{
    return notices.attempt && !notices.had_connection;
}

bool notices_are_heard(void)
{
    return notices.connection != NULL;
}

/* ---- the beginning and the end */

void notices_init(struct db *db, struct str direct_url, struct str origin)
{
    unsigned char random[(NOTICES_ORIGIN_BYTES - 1) / 2];
    notices_done();
    notices.url = strndup(direct_url.ptr, direct_url.len);
    notices.db = notices.url ? db : NULL;
    if (str_to_cstr(origin, notices.origin, sizeof notices.origin) && origin.len)
        return;
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(notices.origin, sizeof notices.origin, random, sizeof random);
}

void notices_done(void)
{
    if (notices.attempt)
        notices.attempt->abandoned = true; /* its thread frees it by way of the loop, or the process's end does */
    close_connection();
    if (notices.has_retry)
        loop_timer_done(&notices.retry);
    if (notices.url)
        sodium_memzero(notices.url, strlen(notices.url));
    free(notices.url);
    memset(&notices, 0, sizeof notices);
}

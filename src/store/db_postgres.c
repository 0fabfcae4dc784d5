/*
 * PostgreSQL, or what speaks its protocol: a few connections, each asynchronous on the loop. Statements are unnamed and
 * parameterised, and nothing is left in a session, so that a pooler may stand between (PgBouncer, Neon).
 *
 *     CLOSED --connect on a helper thread--> IDLE --send--> RUNNING --all results read--> IDLE
 *        ^                                                     |
 *        +-------------- connection broken, or given up at the deadline
 *
 * An idle connection is not listened to: when the server closes it (a hoster's scale to zero), the next statement notices.
 * libpq calls that may do TLS run on the loop's stack, which is roomy.
 */
#include "net/helper.h"
#include "net/loop.h"
#include "net/task.h"
#include "store/db_driver.h"

#include <event2/event.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    INT8_OID = 20,
    SQLSTATE_BYTES = 6,
};

#define STRINGIFY(x) #x
#define TO_STRING(x) STRINGIFY(x)

struct postgres_link {
    struct db_link link;
    PGconn *connection; /* NULL: closed */
    struct event *readable, *writable;
    struct call *call; /* waits for the running statement */
    PGresult *result;  /* of the running statement: the first that failed, else the last */
    bool ended;        /* it has ended, or the connection broke */
    bool broken;
};

struct postgres_db {
    struct db db;
    struct helper *helper; /* for connecting, which blocks: name lookup, TLS, passwords */
    struct postgres_link links[DB_POSTGRES_LINKS];
    char url[];
};

static struct postgres_link *postgres_link_of(struct db_link *link)
{
    return (struct postgres_link *)(void *)link;
}

/* ---- closing ---------------------------------------------------------------------------------------------------------- */

static void close_connection(void *context)
{
    struct postgres_link *link = context;
    if (link->readable)
        event_free(link->readable);
    if (link->writable)
        event_free(link->writable);
    PQclear(link->result);
    PQfinish(link->connection);
    link->readable = link->writable = NULL;
    link->result = NULL;
    link->connection = NULL;
}

static void *cancel_main(void *context)
{
    char ignored[256];
    PQcancel(context, ignored, sizeof ignored);
    PQfreeCancel(context);
    return NULL;
}

/* Tells the server that nobody waits for the statement any more. PQcancel() connects anew and blocks: not our thread. */
static void cancel_statement(void *context)
{
    struct postgres_link *link = context;
    PGcancel *cancel = PQgetCancel(link->connection);
    pthread_t thread;
    sigset_t all, before;
    if (!cancel)
        return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&thread, NULL, cancel_main, cancel) == 0)
        pthread_detach(thread);
    else
        PQfreeCancel(cancel);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- outcomes --------------------------------------------------------------------------------------------------------- */

static enum error error_of(const char *state)
{
    static const struct {
        const char *prefix;
        enum error error;
    } table[] = {
        {"23505", E_CONFLICT},    {"23503", E_NOT_FOUND},   {"22021", E_INVALID},     {"57014", E_TIMEOUT},
        {"40", E_UNAVAILABLE}, /* lost against another transaction */
        {"55P03", E_UNAVAILABLE}, {"08P01", E_INTERNAL},    {"08", E_UNAVAILABLE},    {"53", E_UNAVAILABLE},
        {"57P", E_UNAVAILABLE},   {"58", E_UNAVAILABLE},    {"25006", E_UNAVAILABLE}, /* a standby */
        {"28", E_UNAVAILABLE},    {"3D000", E_UNAVAILABLE},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(table); i++)
        if (strncmp(state, table[i].prefix, strlen(table[i].prefix)) == 0)
            return table[i].error;
    return E_INTERNAL;
}

static void set_connection_error(struct postgres_link *link, struct db_outcome *outcome)
{
    db_outcome_set(outcome, E_UNAVAILABLE, "%s", PQerrorMessage(link->connection));
    outcome->lost = true;
}

/*
 * What the server itself undid: lost against another transaction (40001, 40P01), or it is going away (57P01 to 57P03). After a
 * broken connection (08) only a read may be tried again: nobody knows whether a write was done.
 */
static void judge_state(const char *state, struct db_outcome *outcome)
{
    static const char *const undone[] = {"40001", "40P01", "57P01", "57P02", "57P03"};
    for (size_t i = 0; i < ARRAY_LENGTH(undone); i++)
        outcome->rolled_back |= strcmp(state, undone[i]) == 0;
    if (strncmp(state, "08", 2) == 0 || strncmp(state, "57P", 3) == 0)
        outcome->lost = true;
}

/* Only the message: the "detail" of a unique violation holds the value. */
static void set_result_error(const PGresult *result, struct db_outcome *outcome)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (!state)
        db_outcome_set(outcome, E_INTERNAL, "%s", PQresultErrorMessage(result));
    else
        db_outcome_set(outcome, error_of(state), "%s: %s", state, message ? message : "");
    if (state)
        judge_state(state, outcome);
}

/* ---- connecting ------------------------------------------------------------------------------------------------------- */

struct connecting {
    const char *url;
    PGconn *connection;
};

static void ignore_notice(void *context, const char *message)
{
    (void)context;
    (void)message;
}

/* ---- TLS */

static bool is_this_machine(struct str hosts)
{
    struct str host;
    while (str_next(&hosts, ',', &host))
        if (host.len && host.ptr[0] != '/' && !str_eq(host, STR("localhost")) && !str_starts_with(host, STR("127.")) &&
            !str_eq(host, STR("::1")))
            return false;
    return true;
}

static const char *option_of(const PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword; options++)
        if (strcmp(options->keyword, keyword) == 0)
            return options->val && options->val[0] ? options->val : NULL;
    return NULL;
}

struct db_postgres_tls db_postgres_tls(const char *url)
{
    static const char bundle[] = "/etc/ssl/certs/ca-certificates.crt"; /* libpq before 16 does not know the system's */
    struct db_postgres_tls tls = {NULL, NULL};
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    if (!options)
        return tls;
    const char *mode = option_of(options, "sslmode"), *host = option_of(options, "host");
    if (!host)
        host = option_of(options, "hostaddr");
    if (!mode)
        mode = getenv("PGSSLMODE");
    if (!mode && host && !is_this_machine(str_from(host)))
        mode = tls.mode = "verify-full";
    if (mode && strncmp(mode, "verify-", 7) == 0 && !getenv("PGSSLROOTCERT") && access(bundle, R_OK) == 0)
        tls.root = bundle;
    PQconninfoFree(options);
    return tls;
}

static void work_connect(void *context)
{
    struct connecting *connecting = context;
    /* What stands before dbname yields to the URL. */
    static const char *const names[] = {
        "connect_timeout", "gssencmode", "fallback_application_name", "client_encoding", "sslmode", "sslrootcert",
        "dbname",          NULL,
    };
    const struct db_postgres_tls tls = db_postgres_tls(connecting->url);
    const char *const values[] = {
        TO_STRING(5), "disable", "porteiro", "UTF8", tls.mode, tls.root, connecting->url, NULL,
    };
    _Static_assert(DB_CONNECT_TIMEOUT_S == 5, "connect_timeout above");
    connecting->connection = PQconnectdbParams(names, values, 1);
}

static void on_readable(evutil_socket_t fd, short what, void *context);
static void on_writable(evutil_socket_t fd, short what, void *context);

static bool make_events(struct postgres_link *link)
{
    int fd = PQsocket(link->connection);
    link->readable = event_new(loop_base(), fd, EV_READ | EV_PERSIST, on_readable, link);
    link->writable = event_new(loop_base(), fd, EV_WRITE, on_writable, link);
    return link->readable && link->writable && PQsetnonblocking(link->connection, 1) == 0;
}

static bool connect_link(struct call *call, struct postgres_link *link, struct db_outcome *outcome)
{
    struct postgres_db *db = (struct postgres_db *)(void *)link->link.db;
    struct connecting connecting = {.url = db->url};
    helper_run(call, db->helper, work_connect, &connecting);
    link->connection = connecting.connection;
    if (!link->connection || PQstatus(link->connection) != CONNECTION_OK) {
        db_outcome_set(outcome, E_UNAVAILABLE, "%s", link->connection ? PQerrorMessage(link->connection) : "no memory");
        task_on_loop_stack(call, close_connection, link);
        return false;
    }
    PQsetNoticeProcessor(link->connection, ignore_notice, NULL);
    if (make_events(link))
        return true;
    db_outcome_set(outcome, E_UNAVAILABLE, "no memory for the connection's events");
    task_on_loop_stack(call, close_connection, link);
    return false;
}

/* An idle connection has nothing to say, unless it is a farewell. */
static bool has_gone(const struct postgres_link *link)
{
    struct pollfd state = {.fd = PQsocket(link->connection), .events = POLLIN};
    return PQstatus(link->connection) != CONNECTION_OK || poll(&state, 1, 0) != 0;
}

/* ---- one statement ---------------------------------------------------------------------------------------------------- */

static void statement_ended(struct postgres_link *link, bool broken)
{
    event_del(link->readable);
    event_del(link->writable);
    link->broken = broken;
    link->ended = true;
    if (link->call)
        task_wake(link->call);
}

static bool is_success(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

static void keep_result(struct postgres_link *link, PGresult *result)
{
    if (link->result && !is_success(link->result)) {
        PQclear(result);
        return;
    }
    PQclear(link->result);
    link->result = result;
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct postgres_link *link = context;
    (void)fd;
    (void)what;
    if (!PQconsumeInput(link->connection)) {
        /* The server may have said why before it hung up. */
        while (!link->result && !PQisBusy(link->connection)) {
            PGresult *last = PQgetResult(link->connection);
            if (!last)
                break;
            keep_result(link, last);
        }
        statement_ended(link, true);
        return;
    }
    while (!PQisBusy(link->connection)) {
        PGresult *result = PQgetResult(link->connection);
        if (!result) {
            /* Only now is a write committed; a farewell behind it is no concern of this statement. */
            statement_ended(link, !is_success(link->result) && PQstatus(link->connection) != CONNECTION_OK);
            return;
        }
        ExecStatusType status = PQresultStatus(result);
        keep_result(link, result);
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
            statement_ended(link, true); /* no statement of ours copies */
            return;
        }
    }
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
    struct postgres_link *link = context;
    (void)fd;
    (void)what;
    int left = PQflush(link->connection);
    if (left < 0)
        statement_ended(link, true);
    else if (left > 0)
        event_add(link->writable, NULL);
}

struct sending {
    struct postgres_link *link;
    const struct db_request *request;
    bool sent;
};

/* Integers are sent as bigint, so that `$1` means the same number everywhere; the rest takes its type from its place. */
static int send_query(PGconn *connection, const struct db_request *request)
{
    Oid types[DB_PARAMS_MAX];
    for (size_t i = 0; i < request->n_params; i++)
        types[i] = request->params[i].type == DB_PARAM_INT ? INT8_OID : 0;
    return PQsendQueryParams(connection, request->sql.ptr, (int)request->n_params, types, request->texts, NULL, NULL,
                             0);
}

static void send_request(void *context)
{
    struct sending *sending = context;
    struct postgres_link *link = sending->link;
    int accepted = sending->request->is_script ? PQsendQuery(link->connection, sending->request->sql.ptr)
                                               : send_query(link->connection, sending->request);
    int left = accepted ? PQflush(link->connection) : -1;
    sending->sent =
        left >= 0 && event_add(link->readable, NULL) == 0 && (left == 0 || event_add(link->writable, NULL) == 0);
}

static void copy_result(const PGresult *result, struct db_raw *raw)
{
    int rows = PQntuples(result), columns = PQnfields(result);
    uint64_t changes;
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++)
            db_raw_add(raw, PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column),
                       PQgetisnull(result, row, column));
    raw->n_rows = (size_t)rows;
    raw->n_columns = (size_t)columns;
    raw->changes = str_to_u64(str_from(PQcmdTuples((PGresult *)(uintptr_t)result)), &changes) ? (int64_t)changes : 0;
}

static void take_outcome(struct postgres_link *link, struct db_raw *raw, struct db_outcome *outcome)
{
    if (link->result && is_success(link->result))
        copy_result(link->result, raw);
    else if (link->result)
        set_result_error(link->result, outcome);
    else
        set_connection_error(link, outcome);
    if (link->broken) {
        outcome->lost = true;
        if (!outcome->error)
            db_outcome_set(outcome, E_UNAVAILABLE, "the connection broke");
        outcome->error = E_UNAVAILABLE;
    }
    PQclear(link->result);
    link->result = NULL;
}

static void run_on_connection(struct call *call, struct postgres_link *link, const struct db_request *request,
                              struct db_raw *raw, struct db_outcome *outcome)
{
    struct sending sending = {link, request, false};
    link->call = call;
    link->ended = link->broken = false;
    task_on_loop_stack(call, send_request, &sending);
    if (!sending.sent)
        set_connection_error(link, outcome);
    else if (db_wait(call, &link->ended, request->deadline_ms))
        take_outcome(link, raw, outcome);
    else {
        task_on_loop_stack(call, cancel_statement, link);
        db_outcome_set(outcome, E_TIMEOUT, "the deadline passed while the statement ran");
    }
    link->call = NULL;
    if (outcome->lost || !link->ended)
        task_on_loop_stack(call, close_connection, link);
}

static void postgres_run(struct call *call, struct db_link *base, const struct db_request *request, struct db_raw *raw,
                         struct db_outcome *outcome)
{
    struct postgres_link *link = postgres_link_of(base);
    if (link->connection && has_gone(link))
        task_on_loop_stack(call, close_connection, link);
    if (!link->connection && request->in_transaction) {
        if (str_eq(request->sql, STR("ROLLBACK")))
            return; /* the transaction went with its connection */
        db_outcome_set(outcome, E_UNAVAILABLE, "the connection broke, and the transaction with it");
        outcome->lost = true;
        return;
    }
    if (clock_monotonic_ms() >= request->deadline_ms) {
        db_outcome_set(outcome, E_TIMEOUT, "the deadline passed before the statement began");
        return;
    }
    if (link->connection || connect_link(call, link, outcome))
        run_on_connection(call, link, request, raw, outcome);
}

/* ---- the database ----------------------------------------------------------------------------------------------------- */

static void postgres_reset(struct db_link *base)
{
    close_connection(postgres_link_of(base));
}

static void postgres_close(struct db *base)
{
    struct postgres_db *db = (struct postgres_db *)(void *)base;
    helper_free(db->helper);
    for (size_t i = 0; i < DB_POSTGRES_LINKS; i++) {
        close_connection(&db->links[i]);
        db_link_done(&db->links[i].link);
    }
    free(db);
}

static const struct db_driver driver = {
    .begin = "BEGIN",
    .begin_snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    .run = postgres_run,
    .reset = postgres_reset,
    .close = postgres_close,
};

static int check_url(struct call *call, const char *url)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &message);
    if (options) {
        PQconninfoFree(options);
        return OK;
    }
    /* libpq's message may repeat the URL, and with it the password: not shown. */
    PQfreemem(message);
    return fail(
        call, E_INVALID,
        "DATABASE_URL is not one PostgreSQL understands. It looks like "
        "postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=require, special characters as %%40 and the like.");
}

/*
 * Every session speaks ISO dates and UTC, as startup parameters: the two that every pooler passes on. libpq takes them from
 * the environment only; changed once, before the first thread that connects looks at it.
 */
static void set_session_defaults(void)
{
    static bool is_set;
    if (is_set)
        return;
    setenv("PGDATESTYLE", "ISO", 1);
    setenv("PGTZ", "UTC", 1);
    is_set = true;
}

int db_postgres_open(struct call *call, struct str url, struct db **ret_db)
{
    int error = check_url(call, str_copy_cstr(call->arena, url));
    if (error)
        return error;
    struct postgres_db *db = calloc(1, sizeof *db + url.len + 1);
    if (!db)
        return fail(call, E_UNAVAILABLE, "There is no memory to open the database.");
    set_session_defaults();
    memcpy(db->url, url.ptr, url.len);
    db->db.kind = DB_POSTGRES;
    db->db.driver = &driver;
    db->db.read_pool = db->db.write_pool = &db->db.pools[0];
    db->helper = helper_new(1);
    bool complete = db->helper != NULL;
    for (size_t i = 0; complete && i < DB_POSTGRES_LINKS; i++)
        complete = db_link_add(&db->db, db->db.write_pool, &db->links[i].link);
    if (!complete) {
        postgres_close(&db->db);
        return fail(call, E_UNAVAILABLE, "There is no thread or no memory to open the database.");
    }
    *ret_db = &db->db;
    return OK;
}

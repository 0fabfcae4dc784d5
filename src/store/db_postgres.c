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
#include "base/log.h"
#include "net/helper.h"
#include "net/loop.h"
#include "net/task.h"
#include "store/db_driver.h"
#include "store/postgres_attempt.h"

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
    /* See "does the server answer?": who waits hears within a second. */
    SILENT_MS = 300, /* a statement may be without doubts arising; then for longer and longer */
    SILENT_MAX_MS = 10 * 1000,
    ANSWER_MS = 550,  /* to answer when asked */
    LATE_MS = 50,     /* for an answer that lies there already to be seen */
    CONNECT_MS = 850, /* to connect */
    RESTED_MS = 60 * 1000,
    QUESTIONS_MAX = 4, /* at once, when they hang */
    QUESTION_EVERY_MS = 1000,
    QUESTION_AGAIN_MS = 250, /* after one that failed */
};

#define SILENT "the server does not answer"

struct postgres_link {
    struct db_link link;
    PGconn *connection; /* NULL: closed */
    struct event *readable, *writable;
    struct call *call; /* waits for the running statement */
    PGresult *result;  /* of the running statement: the first that failed or tells of a commit, else the last */
    bool ended;        /* it has ended, or the connection broke */
    bool broken;
    bool leaves;                      /* the server took its leave behind a commit */
    bool asks;                        /* for no statement of its own, but whether the server answers */
    struct postgres_attempt *attempt; /* to connect, under way */
    char problem[256];                /* of the last one */
};

struct postgres_db {
    struct db db;
    struct helper *helper;             /* for connecting, which blocks: name lookup, TLS, passwords */
    struct postgres_attempt *attempts; /* that have not ended */
    size_t n_questions;                /* of them, whether the server answers */
    int64_t question_begun_ms, question_ended_ms;
    int64_t answered_ms; /* when it last did */
    int64_t connect_ms;  /* how long the last good connection took to make */
    bool is_doubted, is_certain, is_down;
    struct loop_timer doubt; /* when that ends, it is down */
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
    const struct postgres_db *db = (struct postgres_db *)(void *)link->link.db;
    db_outcome_set(outcome, E_UNAVAILABLE, "%s", db->is_down ? SILENT : PQerrorMessage(link->connection));
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

static void statement_ended(struct postgres_link *link, bool broken)
{
    if (link->connection) {
        event_del(link->readable);
        event_del(link->writable);
    }
    link->broken = broken;
    link->ended = true;
    if (link->call)
        task_wake(link->call);
}

/* ---- does the server answer? --------------------------------------------------------------------------------------------
 *
 * A connection that broke is seen at once. A server that hangs, or a network that is cut, says nothing: then a statement would wait
 * as long as its call may take. So when a statement has been silent for a moment, the server is asked on another connection; if that
 * is silent too, the server is down: all who wait are told, and others are refused at once, until one of them finds it well again.
 * A statement that is only slow, or waits for a lock, is not disturbed. Nothing is asked unless somebody wants something.
 */

/*
 * What the last connection took is the measure for how quick this server is. After a rest it gets its time: a hoster may have put it
 * to sleep, and waking takes seconds.
 */
static int64_t patience(const struct postgres_db *db, int64_t at_least_ms)
{
    int64_t longest_ms = DB_CONNECT_TIMEOUT_S * 1000, wished_ms = 3 * db->connect_ms;
    if (!db->answered_ms || clock_monotonic_ms() - db->answered_ms > RESTED_MS)
        return longest_ms;
    wished_ms = wished_ms > at_least_ms ? wished_ms : at_least_ms;
    return wished_ms < longest_ms ? wished_ms : longest_ms;
}

static void note_answer(struct postgres_db *db)
{
    db->answered_ms = clock_monotonic_ms();
    if (db->is_doubted)
        loop_timer_clear(&db->doubt);
    if (db->is_down)
        log_info("the database answers again");
    db->is_doubted = db->is_down = false;
}

static void note_attempt(struct postgres_db *db, const struct postgres_attempt *attempt)
{
    struct postgres_attempt **at = &db->attempts;
    while (*at != attempt)
        at = &(*at)->next;
    *at = attempt->next;
    if (attempt->answered)
        note_answer(db);
    if (!attempt->problem[0])
        db->connect_ms = attempt->took_ms;
}

static void declare_down(struct postgres_db *db)
{
    if (!db->is_down)
        log_warning("the database does not answer: requests that need it are refused until it does");
    db->is_down = true;
    db->is_doubted = false;
    for (size_t i = 0; i < DB_POSTGRES_LINKS; i++) {
        struct postgres_link *link = &db->links[i];
        if (link->call && !link->ended)
            statement_ended(link, true);
        else if (!link->call)
            close_connection(link); /* whatever it would say is older than the outage */
    }
}

static void declare_down_by(void *db)
{
    declare_down(db);
}

/* The answer may lie there already, and it is us who are late: the loop first looks at all that has come. */
static void doubt_is_over(void *context)
{
    struct postgres_db *db = context;
    if (db->is_certain) {
        declare_down(db);
        return;
    }
    db->is_certain = true;
    loop_timer_set(&db->doubt, LATE_MS);
}

static void question_ended(struct postgres_attempt *attempt)
{
    struct postgres_db *db = attempt->context;
    db->n_questions--;
    db->question_ended_ms = clock_monotonic_ms();
    note_attempt(db, attempt);
    for (size_t i = 0; i < DB_POSTGRES_LINKS; i++)
        if (db->links[i].asks)
            statement_ended(&db->links[i], false);
    postgres_attempt_free(attempt);
}

/* To connect for a link, or, for none, to ask whether the server answers. */
static struct postgres_attempt *begin_attempt(struct postgres_db *db, struct postgres_link *link,
                                              void (*ended)(struct postgres_attempt *attempt))
{
    struct postgres_attempt *attempt = postgres_attempt_start(db->helper, db->url, !link, ended, db, link);
    if (attempt) {
        attempt->next = db->attempts;
        db->attempts = attempt;
    }
    return attempt;
}

/* True: a new question is on its way. One that hangs does not keep the next one back for long. */
static bool ask_server(struct postgres_db *db)
{
    int64_t now_ms = clock_monotonic_ms();
    if (db->n_questions ? db->n_questions == QUESTIONS_MAX || now_ms - db->question_begun_ms < QUESTION_EVERY_MS
                        : now_ms - db->question_ended_ms < QUESTION_AGAIN_MS)
        return false;
    if (!begin_attempt(db, NULL, question_ended))
        return false;
    db->question_begun_ms = now_ms;
    db->n_questions++;
    return true;
}

static void begin_doubt(struct postgres_db *db)
{
    if (!db->is_doubted)
        loop_timer_set(&db->doubt, patience(db, ANSWER_MS));
    db->is_certain = db->is_certain && db->is_doubted;
    db->is_doubted = true;
    (void)ask_server(db);
}

/* While it is down: one of those who come asks, and waits for the answer; false for all others. */
static bool find_well(struct call *call, struct postgres_link *link, int64_t deadline_ms)
{
    struct postgres_db *db = (struct postgres_db *)(void *)link->link.db;
    int64_t until_ms = clock_monotonic_ms() + ANSWER_MS;
    if (!ask_server(db))
        return false;
    link->call = call;
    link->ended = false;
    link->asks = true;
    (void)db_wait(call, &link->ended, until_ms < deadline_ms ? until_ms : deadline_ms);
    link->call = NULL;
    link->asks = false;
    return !db->is_down;
}

static void refuse(struct call *call, struct postgres_link *link, const struct db_request *request,
                   struct db_outcome *outcome)
{
    if (request->in_transaction) {
        task_on_loop_stack(call, close_connection, link);
        outcome->lost = true;
        if (str_eq(request->sql, STR("ROLLBACK")))
            return; /* the transaction went with its connection */
    }
    db_outcome_set(outcome, E_UNAVAILABLE, SILENT);
}

/* ---- connecting ------------------------------------------------------------------------------------------------------- */

static void on_readable(evutil_socket_t fd, short what, void *context);
static void on_writable(evutil_socket_t fd, short what, void *context);

static bool make_events(struct postgres_link *link)
{
    int fd = PQsocket(link->connection);
    link->readable = event_new(loop_base(), fd, EV_READ | EV_PERSIST, on_readable, link);
    link->writable = event_new(loop_base(), fd, EV_WRITE, on_writable, link);
    return link->readable && link->writable && PQsetnonblocking(link->connection, 1) == 0;
}

static void link_attempt_ended(struct postgres_attempt *attempt)
{
    struct postgres_link *link = attempt->owner;
    note_attempt(attempt->context, attempt);
    if (link) {
        link->connection = attempt->connection;
        attempt->connection = NULL;
        memcpy(link->problem, attempt->problem, sizeof link->problem);
        link->attempt = NULL;
        link->ended = true;
        task_wake(link->call);
    }
    postgres_attempt_free(attempt);
}

/* False: it did not come in time; should it come later, it tells that the server is well. */
static bool await_attempt(struct call *call, struct postgres_link *link, int64_t deadline_ms,
                          struct db_outcome *outcome)
{
    struct postgres_db *db = (struct postgres_db *)(void *)link->link.db;
    int64_t until_ms = clock_monotonic_ms() + patience(db, CONNECT_MS);
    link->call = call;
    (void)db_wait(call, &link->ended, until_ms < deadline_ms ? until_ms : deadline_ms);
    link->call = NULL;
    if (!link->attempt)
        return true;
    link->attempt->owner = NULL;
    link->attempt = NULL;
    if (until_ms < deadline_ms)
        task_on_loop_stack(call, declare_down_by, db);
    db_outcome_set(outcome, until_ms < deadline_ms ? E_UNAVAILABLE : E_TIMEOUT, SILENT);
    return false;
}

static bool connect_link(struct call *call, struct postgres_link *link, struct db_outcome *outcome, int64_t deadline_ms)
{
    struct postgres_db *db = (struct postgres_db *)(void *)link->link.db;
    link->ended = false;
    link->attempt = begin_attempt(db, link, link_attempt_ended);
    if (!link->attempt) {
        db_outcome_set(outcome, E_UNAVAILABLE, "no memory");
        return false;
    }
    if (!await_attempt(call, link, deadline_ms, outcome))
        return false;
    if (link->problem[0]) {
        db_outcome_set(outcome, E_UNAVAILABLE, "%s", link->problem);
        task_on_loop_stack(call, close_connection, link);
        return false;
    }
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

static bool is_success(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/*
 * The tag of COMMIT is the truth, whatever comes behind it: it is sent when the commit is done, and a server that shuts down may say so
 * before the end of the exchange. Other tags say nothing of the kind: a statement of its own is committed behind them.
 */
static bool tells_of_commit(PGresult *result)
{
    return PQresultStatus(result) == PGRES_COMMAND_OK && strcmp(PQcmdStatus(result), "COMMIT") == 0;
}

static void keep_result(struct postgres_link *link, PGresult *result)
{
    if (link->result && (!is_success(link->result) || tells_of_commit(link->result))) {
        link->leaves |= !is_success(result);
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
        types[i] = request->params[i].type == DB_PARAM_INT || request->params[i].type == DB_PARAM_POSTED ? INT8_OID : 0;
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
    if (link->result)
        note_answer((struct postgres_db *)(void *)link->link.db);
    if (link->result && is_success(link->result))
        copy_result(link->result, raw);
    else if (link->result)
        set_result_error(link->result, outcome);
    else
        set_connection_error(link, outcome);
    outcome->lost |= link->broken || link->leaves;
    if (link->broken && !(link->result && tells_of_commit(link->result))) {
        if (!outcome->error)
            db_outcome_set(outcome, E_UNAVAILABLE, "the connection broke");
        outcome->error = E_UNAVAILABLE;
    }
    PQclear(link->result);
    link->result = NULL;
}

static bool await_end(struct call *call, struct postgres_link *link, int64_t deadline_ms)
{
    int64_t pause_ms = SILENT_MS;
    for (;;) {
        int64_t until_ms = clock_monotonic_ms() + pause_ms;
        if (db_wait(call, &link->ended, until_ms < deadline_ms ? until_ms : deadline_ms))
            return true;
        if (until_ms >= deadline_ms)
            return false;
        begin_doubt((struct postgres_db *)(void *)link->link.db);
        pause_ms = pause_ms * 3 < SILENT_MAX_MS ? pause_ms * 3 : SILENT_MAX_MS;
    }
}

static void run_on_connection(struct call *call, struct postgres_link *link, const struct db_request *request,
                              struct db_raw *raw, struct db_outcome *outcome)
{
    struct sending sending = {link, request, false};
    link->call = call;
    link->ended = link->broken = link->leaves = false;
    task_on_loop_stack(call, send_request, &sending);
    if (!sending.sent)
        set_connection_error(link, outcome);
    else if (await_end(call, link, request->deadline_ms) || (link->result && tells_of_commit(link->result)))
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
    const struct postgres_db *db = (struct postgres_db *)(void *)base->db;
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
    if (db->is_down && !find_well(call, link, request->deadline_ms)) {
        refuse(call, link, request, outcome);
        return;
    }
    if (link->connection || connect_link(call, link, outcome, request->deadline_ms))
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
    helper_free(db->helper); /* waits for attempts; their end is posted, and must find nothing of ours */
    for (struct postgres_attempt *attempt = db->attempts; attempt; attempt = attempt->next)
        attempt->ended = postgres_attempt_free;
    loop_timer_done(&db->doubt);
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
    db->helper = helper_new(DB_POSTGRES_LINKS + QUESTIONS_MAX);
    bool complete = db->helper && loop_timer_init(&db->doubt, doubt_is_over, db);
    for (size_t i = 0; complete && i < DB_POSTGRES_LINKS; i++)
        complete = db_link_add(&db->db, db->db.write_pool, &db->links[i].link);
    if (!complete) {
        postgres_close(&db->db);
        return fail(call, E_UNAVAILABLE, "There is no thread or no memory to open the database.");
    }
    *ret_db = &db->db;
    return OK;
}

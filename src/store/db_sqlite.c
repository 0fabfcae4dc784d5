/*
 * SQLite: two connections to one file, each with a thread of its own. One writes and holds transactions, one reads beside it
 * (WAL), so that a lookup does not wait for another call's commit to reach the disk.
 */
#include "net/helper.h"
#include "net/loop.h"
#include "store/db_driver.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    STATEMENTS_KEPT = 64,   /* prepared, by hash of their text */
    PROGRESS_STEPS = 10000, /* how often a running statement looks at its deadline: about every 0.1 ms */
    BUSY_SLEEP_MAX_MS = 20,
    PATH_BYTES_MAX = 4096,
};

struct statement {
    char *sql;
    size_t sql_len;
    sqlite3_stmt *handle;
    bool in_order; /* its parameters appear as $1, $2, ... */
};

struct sqlite_link {
    struct db_link link;
    struct helper *helper;
    sqlite3 *handle;
    bool reads_only;
    bool rollback_first; /* a transaction is open that nobody owns any more */
    int64_t deadline_ms; /* of what runs now */
    struct statement kept[STATEMENTS_KEPT];
};

struct sqlite_db {
    struct db db;
    char path[PATH_BYTES_MAX];
    struct sqlite_link writer, reader;
};

/* What goes to the thread and comes back. */
struct job {
    struct sqlite_link *link;
    const struct db_request *request;
    struct db_raw *raw;
    struct db_outcome *outcome;
};

static struct sqlite_link *sqlite_link_of(struct db_link *link)
{
    return (struct sqlite_link *)(void *)link;
}

/* ---- on the link's thread --------------------------------------------------------------------------------------------- */

static enum error error_of(int code)
{
    switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return E_CONFLICT;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        return E_NOT_FOUND;
    default:
        break;
    }
    switch (code & 0xff) {
    case SQLITE_INTERRUPT:
        return E_TIMEOUT;
    case SQLITE_TOOBIG:
        return E_LIMIT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_NOMEM:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return E_UNAVAILABLE;
    default:
        return E_INTERNAL;
    }
}

static void set_error(struct sqlite_link *link, struct db_outcome *outcome)
{
    int code = sqlite3_extended_errcode(link->handle);
    db_outcome_set(outcome, error_of(code), "sqlite %d: %s", code, sqlite3_errmsg(link->handle));
}

static int on_progress(void *context)
{
    const struct sqlite_link *link = context;
    return clock_monotonic_ms() >= link->deadline_ms;
}

static int on_busy(void *context, int count)
{
    const struct sqlite_link *link = context;
    if (clock_monotonic_ms() >= link->deadline_ms)
        return 0;
    int sleep_ms = count < BUSY_SLEEP_MAX_MS ? count + 1 : BUSY_SLEEP_MAX_MS;
    if (count * BUSY_SLEEP_MAX_MS > DB_SQLITE_BUSY_MS)
        return 0;
    usleep((useconds_t)sleep_ms * 1000);
    return 1;
}

/*
 * By name: SQLite numbers $1, $2 by their first appearance. 0: a name that is no number (`$1::text` is one name to SQLite, and
 * would silently be NULL).
 */
static uint64_t param_number(sqlite3_stmt *handle, int index)
{
    const char *name = sqlite3_bind_parameter_name(handle, index);
    uint64_t number;
    return name && name[0] == '$' && str_to_u64(str_from(name + 1), &number) ? number : 0;
}

static bool params_in_order(sqlite3_stmt *handle)
{
    int index = sqlite3_bind_parameter_count(handle);
    while (index > 0 && param_number(handle, index) == (uint64_t)index)
        index--;
    return index == 0;
}

static const struct statement *prepare(struct sqlite_link *link, struct str sql, struct db_outcome *outcome)
{
    struct statement *kept = &link->kept[str_hash(sql) % STATEMENTS_KEPT];
    if (kept->handle && str_eq(str_of(kept->sql, kept->sql_len), sql))
        return kept;
    sqlite3_stmt *handle = NULL;
    const char *tail = NULL;
    if (sqlite3_prepare_v3(link->handle, sql.ptr, (int)sql.len + 1, SQLITE_PREPARE_PERSISTENT, &handle, &tail) !=
        SQLITE_OK) {
        set_error(link, outcome);
        return NULL;
    }
    char *copy = handle ? strdup(sql.ptr) : NULL;
    if (!copy || !str_is_empty(str_trim(str_from(tail)))) {
        db_outcome_set(outcome, E_INTERNAL, handle ? "more than one statement in one query" : "an empty statement");
        sqlite3_finalize(handle);
        free(copy);
        return NULL;
    }
    sqlite3_finalize(kept->handle);
    free(kept->sql);
    *kept = (struct statement){copy, sql.len, handle, params_in_order(handle)};
    return kept;
}

static int bind_posted(sqlite3_stmt *handle, int index, const struct db_raw *before)
{
    int64_t value;
    if (!before || !before->n_cells || !str_to_i64(str_of(before->text, before->cells[0].len), &value))
        return sqlite3_bind_null(handle, index);
    return sqlite3_bind_int64(handle, index, value);
}

static int bind_one(sqlite3_stmt *handle, int index, const struct db_param *param, const char *text,
                    const struct db_raw *before)
{
    switch (param->type) {
    case DB_PARAM_TEXT:
        return sqlite3_bind_text64(handle, index, param->text.ptr ? param->text.ptr : "", param->text.len,
                                   SQLITE_STATIC, SQLITE_UTF8);
    case DB_PARAM_INT:
    case DB_PARAM_BOOL:
        return sqlite3_bind_int64(handle, index, param->integer);
    case DB_PARAM_TIME:
        return sqlite3_bind_text(handle, index, text, -1, SQLITE_STATIC);
    case DB_PARAM_POSTED:
        return bind_posted(handle, index, before);
    default:
        return sqlite3_bind_null(handle, index);
    }
}

/* A name that is no number and a parameter that does not occur are refused, as PostgreSQL refuses them. */
static bool bind_all(struct sqlite_link *link, const struct statement *statement, const struct db_request *request,
                     const struct db_raw *before, struct db_outcome *outcome)
{
    int count = sqlite3_bind_parameter_count(statement->handle);
    if ((size_t)count != request->n_params) {
        db_outcome_set(outcome, E_INTERNAL, "%zu parameters for a statement with %d", request->n_params, count);
        return false;
    }
    for (int index = 1; index <= count; index++) {
        uint64_t number = statement->in_order ? (uint64_t)index : param_number(statement->handle, index);
        if (number < 1 || number > request->n_params) {
            db_outcome_set(outcome, E_INTERNAL, "parameter %s is not $1 to $%zu",
                           sqlite3_bind_parameter_name(statement->handle, index), request->n_params);
            return false;
        }
        if (bind_one(statement->handle, index, &request->params[number - 1], request->texts[number - 1], before) !=
            SQLITE_OK) {
            set_error(link, outcome);
            return false;
        }
    }
    return true;
}

static void add_row(sqlite3_stmt *handle, struct db_raw *raw)
{
    int columns = sqlite3_column_count(handle);
    for (int column = 0; column < columns; column++) {
        bool is_null = sqlite3_column_type(handle, column) == SQLITE_NULL;
        const char *text = (const char *)sqlite3_column_text(handle, column);
        db_raw_add(raw, text, (size_t)sqlite3_column_bytes(handle, column), is_null || !text);
    }
    raw->n_columns = (size_t)columns;
    raw->n_rows++;
}

static void run_statement(struct sqlite_link *link, const struct db_request *request, const struct db_raw *before,
                          struct db_raw *raw, struct db_outcome *outcome)
{
    const struct statement *statement = prepare(link, request->sql, outcome);
    if (!statement)
        return;
    sqlite3_stmt *handle = statement->handle;
    if (bind_all(link, statement, request, before, outcome)) {
        raw->n_columns = (size_t)sqlite3_column_count(handle);
        int code;
        while ((code = sqlite3_step(handle)) == SQLITE_ROW && !raw->failed)
            add_row(handle, raw);
        if (code != SQLITE_DONE && code != SQLITE_ROW)
            set_error(link, outcome);
        raw->changes = sqlite3_stmt_readonly(handle) ? (int64_t)raw->n_rows : sqlite3_changes64(link->handle);
    }
    sqlite3_reset(handle);
    sqlite3_clear_bindings(handle);
}

static void run_script(struct sqlite_link *link, struct str sql, struct db_outcome *outcome)
{
    if (sqlite3_exec(link->handle, sql.ptr, NULL, NULL, NULL) != SQLITE_OK)
        set_error(link, outcome);
}

/* What has to go before the request. */
static void run_posted(struct sqlite_link *link, const struct db_request *request, struct db_outcome *outcome)
{
    struct db_raw none = {0};
    const struct db_raw *before = NULL;
    if (request->begin) {
        run_statement(link, &(struct db_request){.sql = str_from(request->begin)}, NULL, &none, outcome);
        db_raw_done(&none);
    }
    for (struct db_posted *posted = request->posted; posted && !outcome->error; posted = posted->next) {
        run_statement(link, &posted->request, before, &posted->raw, outcome);
        before = &posted->raw;
        if (!outcome->error && posted->must_change && !posted->raw.changes)
            db_outcome_unchanged(outcome);
    }
}

static void work_run(void *context)
{
    struct job *job = context;
    struct sqlite_link *link = job->link;
    link->deadline_ms = job->request->deadline_ms;
    if (link->rollback_first && !sqlite3_get_autocommit(link->handle))
        sqlite3_exec(link->handle, "ROLLBACK", NULL, NULL, NULL);
    link->rollback_first = false;
    /* A full disk may have ended the transaction already. */
    if (str_eq(job->request->sql, STR("ROLLBACK")) && sqlite3_get_autocommit(link->handle))
        return;
    run_posted(link, job->request, job->outcome);
    if (job->outcome->error)
        return;
    if (job->request->is_script)
        run_script(link, job->request->sql, job->outcome);
    else
        run_statement(link, job->request, NULL, job->raw, job->outcome);
}

/* Changing to WAL does not ask the busy handler, and several programs may open a new file at once. */
static bool set_wal(struct sqlite_link *link, struct db_outcome *outcome)
{
    int code;
    while ((code = sqlite3_exec(link->handle, "PRAGMA journal_mode = WAL", NULL, NULL, NULL)) == SQLITE_BUSY &&
           clock_monotonic_ms() < link->deadline_ms)
        usleep(BUSY_SLEEP_MAX_MS * 1000);
    if (code != SQLITE_OK)
        set_error(link, outcome);
    return code == SQLITE_OK;
}

static void work_open(void *context)
{
    struct job *job = context;
    struct sqlite_link *link = job->link;
    struct sqlite_db *db = (struct sqlite_db *)(void *)link->link.db;
    link->deadline_ms = clock_monotonic_ms() + DB_SQLITE_BUSY_MS;
    if (!link->reads_only)
        helper_stays_behind(); /* a batch of the audit log is work for many milliseconds */
    /* The file may hold secrets: its mode must not depend on the umask. The -wal and -shm files take over its mode. */
    int fd = open(db->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    if (fd < 0 && errno != EEXIST) {
        db_outcome_set(job->outcome, E_UNAVAILABLE, "%s: %s", db->path, strerror(errno));
        return;
    }
    if (sqlite3_open_v2(db->path, &link->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                        NULL) != SQLITE_OK) {
        db_outcome_set(job->outcome, E_UNAVAILABLE, "%s: %s", db->path,
                       link->handle ? sqlite3_errmsg(link->handle) : "no memory");
        return;
    }
    sqlite3_busy_handler(link->handle, on_busy, link);
    sqlite3_progress_handler(link->handle, PROGRESS_STEPS, on_progress, link);
    sqlite3_db_config(link->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(link->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL); /* "x" is a column here as it is in PostgreSQL */
    sqlite3_db_config(link->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    if (!set_wal(link, job->outcome))
        return;
    if (sqlite3_exec(link->handle,
                     link->reads_only
                         ? "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF"
                         : "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF",
                     NULL, NULL, NULL) != SQLITE_OK)
        set_error(link, job->outcome);
}

static void work_close(struct sqlite_link *link)
{
    for (size_t i = 0; i < STATEMENTS_KEPT; i++) {
        sqlite3_finalize(link->kept[i].handle);
        free(link->kept[i].sql);
    }
    sqlite3_close(link->handle); /* an open transaction is rolled back */
}

/* ---- on the loop's thread --------------------------------------------------------------------------------------------- */

static void sqlite_run(struct call *call, struct db_link *link, const struct db_request *request, struct db_raw *raw,
                       struct db_outcome *outcome)
{
    struct job job = {sqlite_link_of(link), request, raw, outcome};
    if (clock_monotonic_ms() >= request->deadline_ms)
        db_outcome_set(outcome, E_TIMEOUT, "the deadline passed before the statement began");
    else
        helper_run(call, job.link->helper, work_run, &job);
}

/* The link is not in use, so its thread does not look at this now. */
static void sqlite_reset(struct db_link *link)
{
    sqlite_link_of(link)->rollback_first = true;
}

static void link_close(struct sqlite_link *link)
{
    helper_free(link->helper);
    work_close(link);
    db_link_done(&link->link);
}

static void sqlite_close(struct db *base)
{
    struct sqlite_db *db = (struct sqlite_db *)(void *)base;
    link_close(&db->reader);
    link_close(&db->writer); /* last, so that it folds the WAL back into the file */
    free(db);
}

static const struct db_driver driver = {
    .begin = "BEGIN IMMEDIATE",
    .begin_snapshot = "BEGIN",
    .takes_posted = true,
    .run = sqlite_run,
    .reset = sqlite_reset,
    .close = sqlite_close,
};

static bool link_open(struct call *call, struct sqlite_db *db, struct db_pool *pool, struct sqlite_link *link,
                      struct db_outcome *outcome)
{
    struct job job = {.link = link, .outcome = outcome};
    link->helper = helper_new(1);
    if (!link->helper || !db_link_add(&db->db, pool, &link->link)) {
        db_outcome_set(outcome, E_UNAVAILABLE, "no thread or no memory");
        return false;
    }
    helper_run(call, link->helper, work_open, &job);
    return outcome->error == OK;
}

int db_sqlite_open(struct call *call, struct str path, struct db **ret_db)
{
    struct db_outcome outcome = {0};
    struct sqlite_db *db = calloc(1, sizeof *db);
    if (!db)
        return fail(call, E_UNAVAILABLE, "There is no memory to open the database.");
    db->db.kind = DB_SQLITE;
    db->db.driver = &driver;
    db->db.write_pool = &db->db.pools[0];
    db->db.read_pool = &db->db.pools[1];
    db->reader.reads_only = true;
    if (!str_to_cstr(path, db->path, sizeof db->path)) {
        free(db);
        return fail(call, E_INVALID, "The path of the SQLite file is too long.");
    }
    if (!link_open(call, db, db->db.write_pool, &db->writer, &outcome) ||
        !link_open(call, db, db->db.read_pool, &db->reader, &outcome)) {
        sqlite_close(&db->db);
        fail_detail(call, "database: %s", outcome.detail);
        return fail(call, E_UNAVAILABLE, "The SQLite file cannot be opened: %s.", outcome.detail);
    }
    *ret_db = &db->db;
    return OK;
}

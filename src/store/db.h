/*
 * The database: one SQL text for SQLite and PostgreSQL behind a thin driver. All SQL is in this folder.
 *
 *     struct db_rows rows;
 *     int error = db_query(call, db, &rows, "SELECT id, name FROM mcp_users WHERE email = $1", DB_TEXT(email));
 *     if (error)
 *         return error;
 *     if (rows.n_rows == 0)
 *         return fail(call, E_NOT_FOUND, "...");
 *     int64_t id = db_int(&rows, 0, 0);
 *
 * Rules for the SQL text, so that it means the same on both:
 *   - parameters are $1, $2, ...; one may occur several times, and all that are given must occur. Never `$1::text`.
 *   - CAST only to text or integer; no ILIKE, interval, unnest, FOR UPDATE, now(). RETURNING, ON CONFLICT and ->> are fine.
 *   - write every timestamp yourself with DB_TIME(clock_now_ms()); compare timestamps with DB_TIME parameters only.
 *   - a lone parameter needs a type: CAST($1 AS text). Integers are 64 bits wide to PostgreSQL.
 *
 * Errors, all recorded with fail(): E_UNAVAILABLE (the database is down, full or locked for too long), E_CONFLICT (a unique
 * index has that value already), E_NOT_FOUND (a foreign key points at nothing: its row is gone), E_TIMEOUT (the call's
 * deadline), E_INVALID (a text parameter with a NUL or bad UTF-8), E_LIMIT (a result beyond DB_RESULT_BYTES_MAX),
 * E_INTERNAL (our own mistake). The client's text never shows anything of the statement; call->error_detail has the
 * database's own message.
 *
 * A statement that has begun is not given up because the client has gone (call->cancelled): it is short, and the record of
 * an action must still be written. The deadline holds: for the wait for a free connection and for the statement.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "call/call.h"

struct db;      /* a pool of connections to one database; lives as long as the process */
struct db_link; /* one connection */

enum db_kind { DB_SQLITE, DB_POSTGRES };

enum {
    DB_PARAMS_MAX = 160,
    DB_RESULT_BYTES_MAX = 32 * 1024 * 1024,
    DB_POSTGRES_LINKS = 4,        /* connections a process keeps to PostgreSQL */
    DB_CONNECT_TIMEOUT_S = 5,     /* PostgreSQL; `connect_timeout` in the URL overrides it */
    DB_SQLITE_BUSY_MS = 5 * 1000, /* longest wait for another process's write lock */
};

/* ---- parameters: made with these macros only */

enum db_param_type { DB_PARAM_NULL, DB_PARAM_TEXT, DB_PARAM_INT, DB_PARAM_BOOL, DB_PARAM_TIME, DB_PARAM_POSTED };

struct db_param {
    enum db_param_type type;
    struct str text;
    int64_t integer;
};

#define DB_NULL ((struct db_param){.type = DB_PARAM_NULL})
#define DB_TEXT(s) ((struct db_param){.type = DB_PARAM_TEXT, .text = (s)})
#define DB_INT(i) ((struct db_param){.type = DB_PARAM_INT, .integer = (i)})
#define DB_BOOL(b) ((struct db_param){.type = DB_PARAM_BOOL, .integer = (b) ? 1 : 0})
/* UTC milliseconds since 1970, stored as 'YYYY-MM-DD HH:MM:SS.mmm'. */
#define DB_TIME(unix_ms) ((struct db_param){.type = DB_PARAM_TIME, .integer = (unix_ms)})
/* Of db_post() only: the first cell, an integer, of what the statement posted right before it returned. */
#define DB_POSTED ((struct db_param){.type = DB_PARAM_POSTED})
/* NULL for a slice without bytes behind it ({NULL, 0}), and for 0 as id or time. */
static inline struct db_param db_text_or_null(struct str s)
{
    return s.ptr ? DB_TEXT(s) : DB_NULL;
}
static inline struct db_param db_int_or_null(int64_t i)
{
    return i ? DB_INT(i) : DB_NULL;
}
static inline struct db_param db_time_or_null(int64_t unix_ms)
{
    return unix_ms ? DB_TIME(unix_ms) : DB_NULL;
}

/* ---- opening */

/*
 * url: postgres://..., postgresql://... (libpq's options; a name without options is enough), or sqlite:PATH, whose file is
 * made with mode 0600 when it is not there. May wait. PostgreSQL is first connected to by the first statement, so that
 * opening succeeds while the server is down. It starts threads: after a fork, open anew. E_INVALID (the URL), E_UNAVAILABLE
 * (the file).
 */
MUST_CHECK int db_open(struct call *call, struct str url, struct db **ret_db);

/* On the loop's stack or in a command, when no call uses the database any more. NULL is fine. */
void db_close(struct db *db);

enum db_kind db_kind(const struct db *db);
/* When this process last had a statement run, on the monotonic clock; 0: never. */
int64_t db_used_ms(const struct db *db);

/* ---- statements: may wait */

struct db_rows {
    size_t n_rows;
    size_t n_columns;
    int64_t changes;   /* db_changes() */
    struct str *cells; /* row by row, in the call's arena, each with a NUL behind it; ptr NULL is the database's NULL */
};

/* db_query(call, db, ret_rows, sql, struct db_param...): one statement. ret_rows may be NULL, and is untouched on failure. */
#define db_query(call, db, ret_rows, sql, ...)                                                                         \
    db_query_params((call), (db), (ret_rows), (sql), ((const struct db_param[]){DB_NULL, ##__VA_ARGS__}) + 1,          \
                    sizeof((const struct db_param[]){DB_NULL, ##__VA_ARGS__}) / sizeof(struct db_param) - 1)

MUST_CHECK int db_query_params(struct call *call, struct db *db, struct db_rows *ret_rows, const char *sql,
                               const struct db_param *params, size_t n_params);

/* Several statements without parameters or results, in an open transaction: for migrations. */
MUST_CHECK int db_script(struct call *call, struct db *db, struct str sql);

/* ---- transactions
 *
 * db_begin() binds one connection to this call: its statements run in the transaction until db_commit() or db_rollback().
 * When the call ends before that, it is rolled back, so that `return fail(...)` in between is right. Not nested. SQLite takes
 * the write lock at once. Between the two wait for nothing but the database, and use no other call's database work: it could
 * wait for this connection.
 *
 * After a failed statement the transaction is lost on both engines: further statements fail, and so does db_commit().
 *
 * On SQLite each statement is a turn of another thread. A transaction begins with its first statement's, and what is only written
 * goes with the next one or the commit (db_post()), so that one which only writes takes a single turn.
 */
MUST_CHECK int db_begin(struct call *call, struct db *db);
MUST_CHECK int db_commit(struct call *call, struct db *db);

/*
 * One statement of the open transaction whose result nobody wants, run before the next one or by the commit, which fail as it fails.
 * DB_POST_MUST_CHANGE: it fails, with E_CONFLICT, when it changes no row. Does not wait.
 */
enum db_post { DB_POST, DB_POST_MUST_CHANGE };
#define db_post(call, db, how, sql, ...)                                                                               \
    db_post_params((call), (db), (how), (sql), ((const struct db_param[]){DB_NULL, ##__VA_ARGS__}) + 1,                \
                   sizeof((const struct db_param[]){DB_NULL, ##__VA_ARGS__}) / sizeof(struct db_param) - 1)
MUST_CHECK int db_post_params(struct call *call, struct db *db, enum db_post how, const char *sql,
                              const struct db_param *params, size_t n_params);

/*
 * The same for reading only: all statements see the database as it is now, for as long as it takes, and nobody who writes waits.
 * On SQLite the process's one reading connection is taken meanwhile.
 */
MUST_CHECK int db_begin_snapshot(struct call *call, struct db *db);
/*
 * After a failed transaction: the server undid it because another one came first, or because it is going away. It may be begun
 * again from the start. Single statements are tried again by themselves.
 */
bool db_was_rolled_back(const struct call *call);

int db_rollback(struct call *call, struct db *db); /* also when none is open; its error is seldom of interest */

/* ---- results. Of a NULL: empty text, 0, false; ask db_is_null() where that matters. */

bool db_is_null(const struct db_rows *rows, size_t row, size_t column);
struct str db_text(const struct db_rows *rows, size_t row, size_t column);
int64_t db_int(const struct db_rows *rows, size_t row, size_t column);
bool db_bool(const struct db_rows *rows, size_t row, size_t column);       /* t, true, 1 */
int64_t db_time_ms(const struct db_rows *rows, size_t row, size_t column); /* UTC; any length of fraction */

/* Rows inserted, updated or deleted (without cascades); of a query, its rows. */
static inline int64_t db_changes(const struct db_rows *rows)
{
    return rows->changes;
}

#endif

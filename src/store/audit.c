/* The rows of mcp_audit_logs, mcp_audit_index and mcp_audit_heads. */
#include "store/audit.h"

#include "base/buf.h"

int store_audit_heads(struct call *call, struct audit_heads *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows, "SELECT writer, seq, hash FROM mcp_audit_heads ORDER BY writer");
    if (error)
        return error;
    *ret = (struct audit_heads){rows.n_rows, arena_array_of(call->arena, struct audit_head, rows.n_rows)};
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[i] = (struct audit_head){db_text(&rows, i, 0), db_int(&rows, i, 1), db_text(&rows, i, 2)};
    return OK;
}

int store_audit_head(struct call *call, struct str writer, struct audit_head *ret, bool *ret_found)
{
    struct db_rows rows;
    int error =
        db_query(call, store_db(), &rows, "SELECT seq, hash FROM mcp_audit_heads WHERE writer = $1", DB_TEXT(writer));
    if (error)
        return error;
    *ret_found = rows.n_rows > 0;
    if (*ret_found)
        *ret = (struct audit_head){writer, db_int(&rows, 0, 0), db_text(&rows, 0, 1)};
    return OK;
}

int store_audit_take(struct call *call, struct str writer, int64_t count, struct audit_head *ret_before)
{
    enum { TRIES = 3 }; /* of two programs that begin the same chain at once, one finds the other's row */
    struct db_rows rows;
    int64_t now = clock_now_ms();
    for (int i = 0; i < TRIES; i++) {
        int error = db_query(call, store_db(), &rows,
                             "UPDATE mcp_audit_heads SET seq = seq + $2, updated_at = $3 WHERE writer = $1 "
                             "RETURNING seq, hash",
                             DB_TEXT(writer), DB_INT(count), DB_TIME(now));
        if (error)
            return error;
        if (rows.n_rows) {
            *ret_before = (struct audit_head){writer, db_int(&rows, 0, 0) - count, db_text(&rows, 0, 1)};
            return OK;
        }
        error = db_query(call, store_db(), NULL,
                         "INSERT INTO mcp_audit_heads (writer, seq, hash, updated_at) VALUES ($1, 0, '', $2) "
                         "ON CONFLICT (writer) DO NOTHING",
                         DB_TEXT(writer), DB_TIME(now));
        if (error)
            return error;
    }
    return fail(call, E_UNAVAILABLE, "The audit log cannot be written right now. Try again.");
}

int store_audit_set_head(struct call *call, struct str writer, struct str hash)
{
    return db_post(call, store_db(), DB_POST, "UPDATE mcp_audit_heads SET hash = $1 WHERE writer = $2", DB_TEXT(hash),
                   DB_TEXT(writer));
}

int store_audit_post(struct call *call, const struct audit_head *head, struct str new_hash, const struct audit_new *row)
{
    int error =
        db_post(call, store_db(), DB_POST_MUST_CHANGE,
                "UPDATE mcp_audit_heads SET seq = $3, hash = $4, updated_at = $5 WHERE writer = $1 AND seq = $2 AND "
                "hash = $6",
                DB_TEXT(head->writer), DB_INT(head->seq), DB_INT(head->seq + 1), DB_TEXT(new_hash),
                DB_TIME(clock_now_ms()), DB_TEXT(head->hash));
    if (!error)
        error = db_post(call, store_db(), DB_POST,
                        "INSERT INTO mcp_audit_logs (user_id, connection_id, action, data, created_at) VALUES ((SELECT "
                        "id FROM mcp_users WHERE id = $1), (SELECT id FROM mcp_service_connections WHERE id = $2), $3, "
                        "$4, $5) RETURNING id",
                        db_int_or_null(row->user_id), db_int_or_null(row->connection_id), DB_TEXT(row->action),
                        DB_TEXT(row->data_json), DB_TIME(row->created_at_ms));
    if (!error)
        error = db_post(call, store_db(), DB_POST,
                        "INSERT INTO mcp_audit_index (audit_id, user_id, connection_id, created_at) VALUES ($1, $2, "
                        "$3, $4)",
                        DB_POSTED, db_int_or_null(row->user_id), db_int_or_null(row->connection_id),
                        DB_TIME(row->created_at_ms));
    return error;
}

/* ---- inserting many rows with few statements */

enum {
    LOG_PARAMS = 5,
    INDEX_PARAMS = 4,
};
_Static_assert(STORE_AUDIT_ROWS_A_STATEMENT *LOG_PARAMS <= DB_PARAMS_MAX, "they fit");

/* The statement for many rows is kept. */
static const char *insert_sql(struct call *call, const char **kept, const char *head, const char *row_format,
                              size_t n_params, size_t count, const char *tail)
{
    struct buf sql;
    if (count == STORE_AUDIT_ROWS_A_STATEMENT && *kept)
        return *kept;
    buf_init(&sql, call->arena, 64 * 1024);
    buf_add(&sql, str_from(head));
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_add_char(&sql, ',');
        /* '#' and a letter stand for a parameter of this row. */
        for (const char *at = row_format; *at; at++) {
            if (*at == '#') {
                at++;
                buf_add_char(&sql, '$');
                buf_add_u64(&sql, i * n_params + (size_t)(*at - 'a') + 1);
            } else {
                buf_add_char(&sql, *at);
            }
        }
    }
    buf_add(&sql, str_from(tail));
    buf_add_char(&sql, '\0');
    if (count == STORE_AUDIT_ROWS_A_STATEMENT)
        *kept = strdup(sql.ptr); /* NULL: next time again */
    return sql.ptr;
}

/* An id that is gone by now has become NULL. */
static bool is_id(const struct db_rows *rows, size_t row, size_t column, int64_t id)
{
    return db_is_null(rows, row, column) || db_int(rows, row, column) == id;
}

/*
 * Which of the events is the row `at` of what was inserted? RETURNING promises no order, though all engines have one, so we
 * look at all that the index will say of it: two events that are alike in that may change places.
 */
static const struct audit_new *take_event(const struct audit_new *events, size_t count, bool *taken,
                                          const struct db_rows *inserted, size_t at)
{
    for (size_t k = 0; k < count; k++) {
        size_t i = (at + k) % count;
        if (taken[i] || db_time_ms(inserted, at, 3) != events[i].created_at_ms ||
            !is_id(inserted, at, 1, events[i].user_id) || !is_id(inserted, at, 2, events[i].connection_id))
            continue;
        taken[i] = true;
        return &events[i];
    }
    return NULL;
}

static int insert_some(struct call *call, const struct audit_new *rows, size_t count)
{
    static const char *kept_log, *kept_index;
    struct db_param *params = arena_array_of(call->arena, struct db_param, count * LOG_PARAMS);
    bool taken[STORE_AUDIT_ROWS_A_STATEMENT] = {false};
    struct db_rows inserted;
    for (size_t i = 0; i < count; i++) {
        struct db_param *p = params + i * LOG_PARAMS;
        p[0] = db_int_or_null(rows[i].user_id);
        p[1] = db_int_or_null(rows[i].connection_id);
        p[2] = DB_TEXT(rows[i].action);
        p[3] = DB_TEXT(rows[i].data_json);
        p[4] = DB_TIME(rows[i].created_at_ms);
    }
    const char *sql = insert_sql(
        call, &kept_log, "INSERT INTO mcp_audit_logs (user_id, connection_id, action, data, created_at) VALUES ",
        "((SELECT id FROM mcp_users WHERE id = #a),(SELECT id FROM mcp_service_connections WHERE id = #b),#c,#d,#e)",
        LOG_PARAMS, count, " RETURNING id, user_id, connection_id, created_at");
    int error = db_query_params(call, store_db(), &inserted, sql, params, count * LOG_PARAMS);
    if (error)
        return error;

    for (size_t i = 0; i < inserted.n_rows; i++) {
        const struct audit_new *row = take_event(rows, count, taken, &inserted, i);
        struct db_param *p = params + i * INDEX_PARAMS;
        if (!row)
            return fail(call, E_INTERNAL, "The audit log cannot be written.");
        p[0] = DB_INT(db_int(&inserted, i, 0));
        p[1] = db_int_or_null(row->user_id);
        p[2] = db_int_or_null(row->connection_id);
        p[3] = DB_TIME(row->created_at_ms);
    }
    sql = insert_sql(call, &kept_index,
                     "INSERT INTO mcp_audit_index (audit_id, user_id, connection_id, created_at) VALUES ",
                     "(#a,#b,#c,#d)", INDEX_PARAMS, count, "");
    return db_post_params(call, store_db(), DB_POST, sql, params, count * INDEX_PARAMS);
}

int store_audit_insert(struct call *call, const struct audit_new *rows, size_t count)
{
    for (size_t done = 0; done < count; done += STORE_AUDIT_ROWS_A_STATEMENT) {
        size_t some = count - done < STORE_AUDIT_ROWS_A_STATEMENT ? count - done : STORE_AUDIT_ROWS_A_STATEMENT;
        int error = insert_some(call, rows + done, some);
        if (error)
            return error;
    }
    return OK;
}

/* ---- reading */

#define COLUMNS "l.id, l.user_id, l.connection_id, l.action, l.data, l.created_at"

static struct audit_rows rows_of(struct call *call, const struct db_rows *rows)
{
    struct audit_rows audit = {rows->n_rows, arena_array_of(call->arena, struct audit_row, rows->n_rows)};
    for (size_t i = 0; i < rows->n_rows; i++)
        audit.items[i] = (struct audit_row){
            .id = db_int(rows, i, 0),
            .user_id = db_int(rows, i, 1),
            .connection_id = db_int(rows, i, 2),
            .action = db_text(rows, i, 3),
            .data_json = db_text(rows, i, 4),
            .created_at_ms = db_time_ms(rows, i, 5),
        };
    return audit;
}

#define FILTER                                                                                                         \
    " AND l.id < $2 AND l.created_at >= $3 "                                                                           \
    "AND substr(l.action, 1, length(CAST($4 AS text))) = CAST($4 AS text) ORDER BY l.id DESC LIMIT $5"
#define THROUGH_INDEX "SELECT " COLUMNS " FROM mcp_audit_index i JOIN mcp_audit_logs l ON l.id = i.audit_id "

int store_audit_list(struct call *call, const struct audit_query *query, struct audit_rows *ret)
{
    struct db_rows rows;
    const char *sql = "SELECT " COLUMNS " FROM mcp_audit_logs l WHERE $1 = 0" FILTER;
    int64_t who = 0, limit = query->limit > 0 ? query->limit : AUDIT_LIMIT_DEFAULT;
    if (query->connection_id) {
        who = query->connection_id;
        sql = THROUGH_INDEX "WHERE i.connection_id = $1" FILTER;
        if (query->user_id)
            sql = THROUGH_INDEX "WHERE i.connection_id = $1 AND i.user_id = $6" FILTER;
    } else if (query->user_id) {
        who = query->user_id;
        sql = THROUGH_INDEX "WHERE i.user_id = $1" FILTER;
    }
    const struct db_param params[] = {
        DB_INT(who),
        DB_INT(query->before_id > 0 ? query->before_id : INT64_MAX),
        DB_TIME(query->since_ms),
        DB_TEXT(query->action_prefix.ptr ? query->action_prefix : STR_EMPTY),
        DB_INT(limit < AUDIT_LIMIT_MAX ? limit : AUDIT_LIMIT_MAX),
        DB_INT(query->user_id),
    };
    bool with_both = query->connection_id && query->user_id;
    int error = db_query_params(call, store_db(), &rows, sql, params, ARRAY_LENGTH(params) - (with_both ? 0 : 1));
    if (!error)
        *ret = rows_of(call, &rows);
    return error;
}

/*
 * `what`: each call with the words it is counted by. What 95 of 100 calls took at most is the time at that place of their order;
 * calls of which no time is known stand last.
 */
#define WORDS "on_day, connection_id, action, token_id, came_to"
#define CALLS(what)                                                                                                    \
    "(SELECT " what ", i.connection_id, COALESCE(l.data ->> 'outcome', '') AS came_to, "                               \
    "CAST(l.data ->> 'ms' AS integer) AS ms, CAST(l.data ->> 'bytes' AS integer) AS bytes "                            \
    "FROM mcp_audit_index i JOIN mcp_audit_logs l ON l.id = i.audit_id WHERE i.user_id = $1 AND "                      \
    "i.created_at >= $2 AND l.action LIKE 'tool.%' AND l.action NOT LIKE '%.intent') one "
#define COUNTED(what)                                                                                                  \
    "SELECT " WORDS ", count(*), count(ms), COALESCE(sum(ms), 0), COALESCE(max(ms), 0), count(bytes), "                \
    "COALESCE(sum(bytes), 0), COALESCE(max(CASE WHEN place = (95 * timed + 99 - (95 * timed + 99) % 100) / 100 THEN "  \
    "ms END), 0) "                                                                                                     \
    "FROM (SELECT one.*, count(ms) OVER (PARTITION BY " WORDS ") AS timed, "                                           \
    "row_number() OVER (PARTITION BY " WORDS " ORDER BY ms IS NULL, ms) AS place FROM " CALLS(what) ") placed "        \
                                                                                                    "GROUP BY " WORDS  \
                                                                                                    " ORDER BY " WORDS

int store_audit_count(struct call *call, int64_t user_id, int64_t since_ms, bool by_token, struct audit_counts *ret)
{
    struct db_rows rows;
    int error = by_token ? db_query(call, store_db(), &rows,
                                    COUNTED("CAST('' AS text) AS on_day, CAST('tool.' AS text) AS action, "
                                            "CAST(l.data -> 'chain' ->> 'token' AS integer) AS token_id"),
                                    DB_INT(user_id), DB_TIME(since_ms))
                         : db_query(call, store_db(), &rows,
                                    COUNTED("substr(CAST(i.created_at AS text), 1, 10) AS on_day, l.action, "
                                            "CAST(NULL AS integer) AS token_id"),
                                    DB_INT(user_id), DB_TIME(since_ms));
    if (error)
        return error;
    *ret = (struct audit_counts){rows.n_rows, arena_array_of(call->arena, struct audit_count, rows.n_rows)};
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[i] = (struct audit_count){.day = db_text(&rows, i, 0),
                                             .connection_id = db_int(&rows, i, 1),
                                             .action = db_text(&rows, i, 2),
                                             .token_id = db_is_null(&rows, i, 3) ? 0 : db_int(&rows, i, 3),
                                             .outcome = db_text(&rows, i, 4),
                                             .count = db_int(&rows, i, 5),
                                             .timed = db_int(&rows, i, 6),
                                             .ms_total = db_int(&rows, i, 7),
                                             .ms_max = db_int(&rows, i, 8),
                                             .sized = db_int(&rows, i, 9),
                                             .bytes_total = db_int(&rows, i, 10),
                                             .ms_p95 = db_int(&rows, i, 11)};
    return OK;
}

int store_audit_newest(struct call *call, int64_t *ret_id)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows, "SELECT max(id) FROM mcp_audit_logs");
    if (!error)
        *ret_id = db_int(&rows, 0, 0);
    return error;
}

int store_audit_after(struct call *call, int64_t after_id, int64_t limit, struct audit_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " COLUMNS " FROM mcp_audit_logs l WHERE l.id > $1 ORDER BY l.id LIMIT $2",
                         DB_INT(after_id), DB_INT(limit));
    if (!error)
        *ret = rows_of(call, &rows);
    return error;
}

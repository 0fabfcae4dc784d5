/* The rows of mcp_sessions. */
#include "store/sessions.h"

#define COLUMNS                                                                                                        \
    "s.id, s.user_id, s.kind, s.name, s.address, s.agent, s.created_at, s.proved_at, s.seen_at, s.expires_at"
/* The same for RETURNING, where SQLite knows no other name of the table. */
#define RETURNED_COLUMNS "id, user_id, kind, name, address, agent, created_at, proved_at, seen_at, expires_at"
enum { N_COLUMNS = 10 };

static struct session_row row_at(const struct db_rows *rows, size_t row)
{
    return (struct session_row){
        .id = db_text(rows, row, 0),
        .user_id = db_int(rows, row, 1),
        .kind = db_text(rows, row, 2),
        .name = db_text(rows, row, 3),
        .token_hash = STR_EMPTY,
        .address = db_text(rows, row, 4),
        .agent = db_text(rows, row, 5),
        .created_at_ms = db_time_ms(rows, row, 6),
        .proved_at_ms = db_time_ms(rows, row, 7),
        .seen_at_ms = db_time_ms(rows, row, 8),
        .expires_at_ms = db_time_ms(rows, row, 9),
    };
}

static int no_session(struct call *call)
{
    return fail(call, E_NOT_FOUND, "There is no such login.");
}

int store_sessions_insert(struct call *call, const struct session_row *row)
{
    return db_query(call, store_db(), NULL,
                    "INSERT INTO mcp_sessions (id, user_id, kind, name, token_hash, address, agent, created_at, "
                    "proved_at, seen_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $8, $9)",
                    DB_TEXT(row->id), DB_INT(row->user_id), DB_TEXT(row->kind), DB_TEXT(row->name),
                    DB_TEXT(row->token_hash), DB_TEXT(row->address), DB_TEXT(row->agent), DB_TIME(row->created_at_ms),
                    db_time_or_null(row->expires_at_ms));
}

int store_sessions_facts(struct call *call, struct str token_hash, struct session_facts *ret)
{
    struct db_rows rows;
    int error =
        db_query(call, store_db(), &rows,
                 "SELECT " COLUMNS ", u.name, u.email, u.phone, u.created_at, u.updated_at, p.is_admin, p.language, "
                 "p.email_confirmed_at, p.stopped_at, p.totp_since FROM mcp_sessions s "
                 "JOIN mcp_users u ON u.id = s.user_id LEFT JOIN mcp_user_profiles p ON p.user_id = s.user_id "
                 "WHERE s.token_hash = $1",
                 DB_TEXT(token_hash));
    if (error)
        return error;
    if (rows.n_rows == 0)
        return no_session(call);
    *ret = (struct session_facts){
        .session = row_at(&rows, 0),
        .user = {.id = db_int(&rows, 0, 1),
                 .name = db_text(&rows, 0, N_COLUMNS),
                 .email = db_text(&rows, 0, N_COLUMNS + 1),
                 .phone = db_text(&rows, 0, N_COLUMNS + 2),
                 .password_hash = STR_EMPTY,
                 .created_at_ms = db_time_ms(&rows, 0, N_COLUMNS + 3),
                 .updated_at_ms = db_time_ms(&rows, 0, N_COLUMNS + 4)},
        .profile = {.is_admin = db_bool(&rows, 0, N_COLUMNS + 5),
                    .language = db_is_null(&rows, 0, N_COLUMNS + 6) ? STR_EMPTY : db_text(&rows, 0, N_COLUMNS + 6),
                    .email_confirmed_at_ms = db_time_ms(&rows, 0, N_COLUMNS + 7),
                    .stopped_at_ms = db_time_ms(&rows, 0, N_COLUMNS + 8),
                    .totp_since_ms = db_time_ms(&rows, 0, N_COLUMNS + 9)},
    };
    return OK;
}

int store_sessions_list(struct call *call, int64_t user_id, struct str kind, struct session_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " COLUMNS " FROM mcp_sessions s WHERE s.user_id = $1 AND (CAST($2 AS text) = '' OR "
                         "s.kind = CAST($2 AS text)) ORDER BY s.created_at DESC, s.id",
                         DB_INT(user_id), DB_TEXT(kind));
    if (error)
        return error;
    *ret = (struct session_rows){rows.n_rows, arena_array_of(call->arena, struct session_row, rows.n_rows)};
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[i] = row_at(&rows, i);
    return OK;
}

int store_sessions_count(struct call *call, int64_t user_id, struct str kind, int64_t *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows, "SELECT count(*) FROM mcp_sessions WHERE user_id = $1 AND kind = $2",
                         DB_INT(user_id), DB_TEXT(kind));
    if (!error)
        *ret = db_int(&rows, 0, 0);
    return error;
}

int store_sessions_addresses(struct call *call, int64_t user_id, struct str **ret, size_t *ret_count)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT DISTINCT address FROM mcp_sessions WHERE user_id = $1 AND kind = 'session' "
                         "AND address <> ''",
                         DB_INT(user_id));
    if (error)
        return error;
    *ret = arena_array_of(call->arena, struct str, rows.n_rows);
    *ret_count = rows.n_rows;
    for (size_t i = 0; i < rows.n_rows; i++)
        (*ret)[i] = db_text(&rows, i, 0);
    return OK;
}

int store_sessions_seen(struct call *call, struct str id, int64_t now_ms)
{
    return db_query(call, store_db(), NULL, "UPDATE mcp_sessions SET seen_at = $1 WHERE id = $2", DB_TIME(now_ms),
                    DB_TEXT(id));
}

int store_sessions_proved(struct call *call, struct str id, int64_t now_ms)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows, "UPDATE mcp_sessions SET proved_at = $1 WHERE id = $2",
                         DB_TIME(now_ms), DB_TEXT(id));
    return error ? error : db_changes(&rows) == 0 ? no_session(call) : OK;
}

int store_sessions_delete(struct call *call, int64_t user_id, struct str id, struct session_row *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "DELETE FROM mcp_sessions WHERE id = $1 AND user_id = $2 RETURNING " RETURNED_COLUMNS,
                         DB_TEXT(id), DB_INT(user_id));
    if (!error && rows.n_rows == 0)
        return no_session(call);
    if (!error)
        *ret = row_at(&rows, 0);
    return error;
}

int store_sessions_delete_others(struct call *call, int64_t user_id, struct str kind, struct str keep_id,
                                 int64_t *ret_count)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "DELETE FROM mcp_sessions WHERE user_id = $1 AND id <> $2 AND "
                         "(CAST($3 AS text) = '' OR kind = CAST($3 AS text))",
                         DB_INT(user_id), DB_TEXT(keep_id), DB_TEXT(kind));
    if (!error)
        *ret_count = db_changes(&rows);
    return error;
}

int store_sessions_forget(struct call *call, int64_t seen_before_ms, int64_t now_ms)
{
    return db_query(call, store_db(), NULL,
                    "DELETE FROM mcp_sessions WHERE expires_at < $1 OR (kind = 'session' AND seen_at < $2)",
                    DB_TIME(now_ms), DB_TIME(seen_before_ms));
}

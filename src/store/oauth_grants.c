/* The rows of mcp_oauth_grants, _codes, _refresh_tokens and _tokens. */
#include "store/oauth_grants.h"

#include "store/connections.h"

/* ---- what people agreed to */

#define COLUMNS                                                                                                        \
    "g.id, g.user_id, g.client_id, g.connection_id, g.connections, g.rights, g.resource, g.redirect_host, g.mac, "     \
    "g.state, g.created_at, g.used_at, g.expires_at, g.ends_at, o.name, o.kind, c.name, "                              \
    "(SELECT max(d.last_used_at) FROM mcp_oauth_tokens ot JOIN mcp_token_details d ON d.token_id = ot.token_id "       \
    "WHERE ot.grant_id = g.id)"
#define TABLES                                                                                                         \
    " FROM mcp_oauth_grants g JOIN mcp_oauth_clients o ON o.id = g.client_id "                                         \
    "JOIN mcp_service_connections c ON c.id = g.connection_id "

static struct oauth_grant_row grant_at(const struct db_rows *rows, size_t row)
{
    int64_t given = db_time_ms(rows, row, 11), called = db_time_ms(rows, row, 17);
    return (struct oauth_grant_row){
        .id = db_text(rows, row, 0),
        .user_id = db_int(rows, row, 1),
        .client_id = db_text(rows, row, 2),
        .connection_id = db_int(rows, row, 3),
        .connections = db_text(rows, row, 4),
        .rights = db_text(rows, row, 5),
        .resource = db_text(rows, row, 6),
        .redirect_host = db_text(rows, row, 7),
        .mac = db_text(rows, row, 8),
        .state = db_text(rows, row, 9),
        .created_at_ms = db_time_ms(rows, row, 10),
        .used_at_ms = given,
        .expires_at_ms = db_time_ms(rows, row, 12),
        .ends_at_ms = db_time_ms(rows, row, 13),
        .client_name = db_text(rows, row, 14),
        .client_kind = db_text(rows, row, 15),
        .connection_name = db_text(rows, row, 16),
        .last_used_at_ms = called > given ? called : given,
    };
}

int store_oauth_grants_insert(struct call *call, const struct oauth_grant_row *row)
{
    return db_query(
        call, store_db(), NULL,
        "INSERT INTO mcp_oauth_grants (id, user_id, client_id, connection_id, connections, rights, resource, "
        "redirect_host, mac, state, created_at, used_at, expires_at, ends_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        DB_TEXT(row->id), DB_INT(row->user_id), DB_TEXT(row->client_id), DB_INT(row->connection_id),
        DB_TEXT(row->connections), DB_TEXT(row->rights), DB_TEXT(row->resource), DB_TEXT(row->redirect_host),
        DB_TEXT(row->mac), DB_TEXT(row->state), DB_TIME(row->created_at_ms), db_time_or_null(row->used_at_ms),
        DB_TIME(row->expires_at_ms), DB_TIME(row->ends_at_ms));
}

static int no_grant(struct call *call)
{
    return fail(call, E_NOT_FOUND, "There is no such app.");
}

int store_oauth_grants_get(struct call *call, int64_t user_id, struct str id, struct oauth_grant_row *ret)
{
    struct db_rows rows;
    int error =
        db_query(call, store_db(), &rows, "SELECT " COLUMNS TABLES "WHERE g.id = $1 AND ($2 = -1 OR g.user_id = $2)",
                 DB_TEXT(id), DB_INT(user_id));
    if (!error && rows.n_rows == 0)
        return no_grant(call);
    if (!error)
        *ret = grant_at(&rows, 0);
    return error;
}

int store_oauth_grants_list(struct call *call, int64_t user_id, struct str client_id, int64_t now_ms,
                            struct oauth_grant_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " COLUMNS TABLES "WHERE g.user_id = $1 AND g.state = 'active' AND g.expires_at > $2 "
                         "AND (CAST($3 AS text) = '' OR g.client_id = CAST($3 AS text)) "
                         "ORDER BY g.created_at DESC, g.id",
                         DB_INT(user_id), DB_TIME(now_ms), DB_TEXT(client_id));
    if (error)
        return error;
    *ret = (struct oauth_grant_rows){rows.n_rows, arena_array_of(call->arena, struct oauth_grant_row, rows.n_rows)};
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[i] = grant_at(&rows, i);
    return OK;
}

int store_oauth_grants_use(struct call *call, struct str id, int64_t now_ms, int64_t expires_at_ms, struct str mac)
{
    return db_query(
        call, store_db(), NULL,
        "UPDATE mcp_oauth_grants SET state = 'active', used_at = $2, expires_at = $3, mac = $4 WHERE id = $1",
        DB_TEXT(id), DB_TIME(now_ms), DB_TIME(expires_at_ms), DB_TEXT(mac));
}

int store_oauth_grants_end(struct call *call, struct str id, struct str by, int64_t *ret_count)
{
    struct db_rows rows;
    int64_t now_ms = clock_now_ms();
    int error = db_query(call, store_db(), &rows,
                         "UPDATE mcp_oauth_grants SET state = 'ended', ended_at = $2, ended_by = $3, mac = '' "
                         "WHERE id = $1 AND state <> 'ended'",
                         DB_TEXT(id), DB_TIME(now_ms), DB_TEXT(by));
    if (error)
        return error;
    *ret_count = db_changes(&rows);
    return db_query(call, store_db(), NULL,
                    "UPDATE mcp_tokens SET revoked_at = $2 WHERE revoked_at IS NULL AND id IN "
                    "(SELECT token_id FROM mcp_oauth_tokens WHERE grant_id = $1)",
                    DB_TEXT(id), DB_TIME(now_ms));
}

int store_oauth_grants_end_of_token(struct call *call, int64_t token_id, struct str by)
{
    struct db_rows rows;
    int64_t ended;
    int error = db_query(call, store_db(), &rows, "SELECT grant_id FROM mcp_oauth_tokens WHERE token_id = $1",
                         DB_INT(token_id));
    return error || rows.n_rows == 0 ? error : store_oauth_grants_end(call, db_text(&rows, 0, 0), by, &ended);
}

/* ---- codes */

int store_oauth_codes_insert(struct call *call, const struct oauth_code_row *row)
{
    return db_query(
        call, store_db(), NULL,
        "INSERT INTO mcp_oauth_codes (code_hash, grant_id, redirect_uri, challenge, created_at, expires_at, mac) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        DB_TEXT(row->hash), DB_TEXT(row->grant_id), DB_TEXT(row->redirect_uri), DB_TEXT(row->challenge),
        DB_TIME(row->created_at_ms), DB_TIME(row->expires_at_ms), DB_TEXT(row->mac));
}

int store_oauth_codes_get(struct call *call, struct str hash, struct oauth_code_row *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT code_hash, grant_id, redirect_uri, challenge, created_at, expires_at, used_at, mac "
                         "FROM mcp_oauth_codes WHERE code_hash = $1",
                         DB_TEXT(hash));
    if (error)
        return error;
    if (rows.n_rows == 0)
        return fail(call, E_NOT_FOUND, "There is no such code.");
    *ret = (struct oauth_code_row){
        .hash = db_text(&rows, 0, 0),
        .grant_id = db_text(&rows, 0, 1),
        .redirect_uri = db_text(&rows, 0, 2),
        .challenge = db_text(&rows, 0, 3),
        .created_at_ms = db_time_ms(&rows, 0, 4),
        .expires_at_ms = db_time_ms(&rows, 0, 5),
        .used_at_ms = db_time_ms(&rows, 0, 6),
        .mac = db_text(&rows, 0, 7),
    };
    return OK;
}

int store_oauth_codes_use(struct call *call, struct str hash, int64_t now_ms, bool *ret_first)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "UPDATE mcp_oauth_codes SET used_at = $2 WHERE code_hash = $1 AND used_at IS NULL",
                         DB_TEXT(hash), DB_TIME(now_ms));
    if (!error)
        *ret_first = db_changes(&rows) > 0;
    return error;
}

/* ---- refresh tokens */

int store_oauth_refresh_insert(struct call *call, const struct oauth_refresh_row *row)
{
    return db_query(call, store_db(), NULL,
                    "INSERT INTO mcp_oauth_refresh_tokens (token_hash, grant_id, created_at, mac) "
                    "VALUES ($1, $2, $3, $4)",
                    DB_TEXT(row->hash), DB_TEXT(row->grant_id), DB_TIME(row->created_at_ms), DB_TEXT(row->mac));
}

int store_oauth_refresh_get(struct call *call, struct str hash, struct oauth_refresh_row *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT token_hash, grant_id, created_at, used_at, next_token_id, mac "
                         "FROM mcp_oauth_refresh_tokens WHERE token_hash = $1",
                         DB_TEXT(hash));
    if (error)
        return error;
    if (rows.n_rows == 0)
        return fail(call, E_NOT_FOUND, "There is no such refresh token.");
    *ret = (struct oauth_refresh_row){
        .hash = db_text(&rows, 0, 0),
        .grant_id = db_text(&rows, 0, 1),
        .created_at_ms = db_time_ms(&rows, 0, 2),
        .used_at_ms = db_time_ms(&rows, 0, 3),
        .next_token_id = db_int(&rows, 0, 4),
        .mac = db_text(&rows, 0, 5),
    };
    return OK;
}

int store_oauth_refresh_use(struct call *call, struct str hash, int64_t now_ms, int64_t next_token_id)
{
    return db_query(call, store_db(), NULL,
                    "UPDATE mcp_oauth_refresh_tokens SET used_at = $2, next_token_id = $3 WHERE token_hash = $1",
                    DB_TEXT(hash), DB_TIME(now_ms), DB_INT(next_token_id));
}

/* ---- access tokens */

int store_oauth_tokens_insert(struct call *call, int64_t token_id, struct str grant_id, struct str resource)
{
    return db_query(call, store_db(), NULL,
                    "INSERT INTO mcp_oauth_tokens (token_id, grant_id, resource) VALUES ($1, $2, $3)", DB_INT(token_id),
                    DB_TEXT(grant_id), DB_TEXT(resource));
}

int store_oauth_tokens_find(struct call *call, struct str token_hash, int64_t *ret_token_id, struct str *ret_grant_id)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT ot.token_id, ot.grant_id FROM mcp_oauth_tokens ot "
                         "JOIN mcp_tokens t ON t.id = ot.token_id WHERE t.token_hash = $1",
                         DB_TEXT(token_hash));
    if (!error && rows.n_rows == 0)
        return fail(call, E_NOT_FOUND, "There is no such access token.");
    if (!error) {
        *ret_token_id = db_int(&rows, 0, 0);
        *ret_grant_id = db_text(&rows, 0, 1);
    }
    return error;
}

int store_oauth_grants_of_token(struct call *call, int64_t token_id, struct oauth_grant_row *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " COLUMNS TABLES "JOIN mcp_oauth_tokens t ON t.grant_id = g.id WHERE t.token_id = $1",
                         DB_INT(token_id));
    if (!error && rows.n_rows == 0)
        return no_grant(call);
    if (!error)
        *ret = grant_at(&rows, 0);
    return error;
}

int store_oauth_tokens_before(struct call *call, struct str grant_id, int64_t token_id, int64_t *ret_token_id)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT max(token_id) FROM mcp_oauth_tokens WHERE grant_id = $1 AND token_id < $2",
                         DB_TEXT(grant_id), DB_INT(token_id));
    if (!error)
        *ret_token_id = db_int(&rows, 0, 0);
    return error;
}

int store_oauth_tokens_carry(struct call *call, int64_t from_token_id, int64_t to_token_id)
{
    int error = db_query(call, store_db(), NULL, "UPDATE mcp_jobs SET token_id = $2 WHERE token_id = $1",
                         DB_INT(from_token_id), DB_INT(to_token_id));
    return error ? error
                 : db_query(call, store_db(), NULL, "UPDATE mcp_confirmations SET token_id = $2 WHERE token_id = $1",
                            DB_INT(from_token_id), DB_INT(to_token_id));
}

int store_oauth_tokens_thin(struct call *call, struct str grant_id, int64_t keep)
{
    return db_query(call, store_db(), NULL,
                    "DELETE FROM mcp_tokens WHERE id IN (SELECT token_id FROM mcp_oauth_tokens WHERE grant_id = $1 "
                    "ORDER BY token_id DESC LIMIT 1000 OFFSET $2) "
                    "AND NOT EXISTS (SELECT 1 FROM mcp_jobs j WHERE j.token_id = mcp_tokens.id)",
                    DB_TEXT(grant_id), DB_INT(keep));
}

/* ---- forgetting */

static int forget(struct call *call, const char *sql, int64_t before_ms)
{
    return db_query(call, store_db(), NULL, sql, DB_TIME(before_ms));
}

int store_oauth_forget(struct call *call, int64_t tokens_before_ms, int64_t rest_before_ms)
{
    int error = forget(call,
                       "DELETE FROM mcp_tokens WHERE expires_at < $1 AND id IN (SELECT token_id FROM mcp_oauth_tokens) "
                       "AND NOT EXISTS (SELECT 1 FROM mcp_jobs j WHERE j.token_id = mcp_tokens.id)",
                       tokens_before_ms);
    if (!error)
        error =
            forget(call, "DELETE FROM mcp_oauth_grants WHERE state = 'pending' AND expires_at < $1", tokens_before_ms);
    if (!error)
        error = forget(call, "DELETE FROM mcp_oauth_codes WHERE expires_at < $1", rest_before_ms);
    if (!error)
        error = forget(call,
                       "DELETE FROM mcp_oauth_grants WHERE expires_at < $1 AND NOT EXISTS "
                       "(SELECT 1 FROM mcp_oauth_tokens ot WHERE ot.grant_id = mcp_oauth_grants.id)",
                       rest_before_ms);
    return error ? error : forget(call, "DELETE FROM mcp_oauth_refresh_tokens WHERE used_at < $1", rest_before_ms);
}

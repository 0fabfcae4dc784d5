/* The rows of mcp_tokens and mcp_token_details. */
#include "store/tokens.h"

#define TOKEN_COLUMNS                                                                                                  \
    "t.id, t.connection_id, c.user_id, t.token_hash, d.token_id, "                                                     \
    "CASE WHEN c.token_hash = t.token_hash THEN 1 ELSE 0 END, d.name, d.last4, d.rights, d.confirm, d.mac, "           \
    "t.created_at, t.expires_at, t.revoked_at, d.last_used_at, d.options, ot.resource, ot.grant_id"
#define TOKEN_TABLES                                                                                                   \
    " FROM mcp_tokens t JOIN mcp_service_connections c ON c.id = t.connection_id "                                     \
    "LEFT JOIN mcp_token_details d ON d.token_id = t.id LEFT JOIN mcp_oauth_tokens ot ON ot.token_id = t.id "
enum { N_TOKEN_COLUMNS = 18 };

static struct token_row row_at(const struct db_rows *rows, size_t row)
{
    return (struct token_row){
        .id = db_int(rows, row, 0),
        .connection_id = db_int(rows, row, 1),
        .user_id = db_int(rows, row, 2),
        .token_hash = db_text(rows, row, 3),
        .has_details = !db_is_null(rows, row, 4),
        .is_primary = db_int(rows, row, 5) != 0,
        .name = db_text(rows, row, 6),
        .last4 = db_text(rows, row, 7),
        .rights = db_text(rows, row, 8),
        .confirm = db_text(rows, row, 9),
        .mac = db_text(rows, row, 10),
        .created_at_ms = db_time_ms(rows, row, 11),
        .expires_at_ms = db_time_ms(rows, row, 12),
        .revoked_at_ms = db_time_ms(rows, row, 13),
        .last_used_at_ms = db_time_ms(rows, row, 14),
        .options = db_text(rows, row, 15),
        .audience = db_text(rows, row, 16),
        .family = db_text(rows, row, 17),
    };
}

/* One query for all of them; both lists have the newest token first. */
static int add_sites(struct call *call, int64_t user_id, int64_t connection_id, struct token_rows *tokens)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT g.token_id, g.alias FROM mcp_token_grants g JOIN mcp_tokens t ON t.id = g.token_id "
                         "JOIN mcp_service_connections c ON c.id = t.connection_id "
                         "WHERE ($1 = -1 OR c.user_id = $1) AND ($2 = 0 OR t.connection_id = $2) ORDER BY g.token_id "
                         "DESC, CASE WHEN g.connection_id = t.connection_id THEN 0 ELSE 1 END, g.alias",
                         DB_INT(user_id), DB_INT(connection_id));
    for (size_t row = 0, i = 0; !error && row < rows.n_rows; row++) {
        while (i < tokens->count && tokens->items[i].id > db_int(&rows, row, 0))
            i++;
        if (i == tokens->count || tokens->items[i].id != db_int(&rows, row, 0))
            continue;
        struct str *sites = &tokens->items[i].sites, alias = db_text(&rows, row, 1);
        *sites = sites->len ? call_format(call, "%.*s,%.*s", STR_ARG(*sites), STR_ARG(alias)) : alias;
    }
    return error;
}

int store_tokens_list(struct call *call, int64_t user_id, int64_t connection_id, struct token_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " TOKEN_COLUMNS TOKEN_TABLES
                         "WHERE ($1 = -1 OR c.user_id = $1) AND ($2 = 0 OR t.connection_id = $2) ORDER BY t.id DESC",
                         DB_INT(user_id), DB_INT(connection_id));
    if (error)
        return error;
    *ret = (struct token_rows){rows.n_rows, arena_array_of(call->arena, struct token_row, rows.n_rows)};
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[i] = row_at(&rows, i);
    return add_sites(call, user_id, connection_id, ret);
}

int store_tokens_count_live(struct call *call, int64_t connection_id, int64_t *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT count(*) FROM mcp_tokens t WHERE t.connection_id = $1 AND t.revoked_at IS NULL "
                         "AND NOT EXISTS (SELECT 1 FROM mcp_oauth_tokens ot WHERE ot.token_id = t.id)",
                         DB_INT(connection_id));
    if (!error)
        *ret = db_int(&rows, 0, 0);
    return error;
}

int store_tokens_get(struct call *call, int64_t user_id, int64_t id, struct token_row *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " TOKEN_COLUMNS TOKEN_TABLES "WHERE t.id = $1 AND ($2 = -1 OR c.user_id = $2)",
                         DB_INT(id), DB_INT(user_id));
    if (!error && rows.n_rows == 0)
        return fail(call, E_NOT_FOUND, "There is no token %lld.", (long long)id);
    if (!error)
        *ret = row_at(&rows, 0);
    return error;
}

int store_tokens_primary(struct call *call, int64_t connection_id, struct token_row *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " TOKEN_COLUMNS TOKEN_TABLES "WHERE c.id = $1 AND t.token_hash = c.token_hash",
                         DB_INT(connection_id));
    if (!error && rows.n_rows == 0)
        return fail(call, E_NOT_FOUND, "The connection has no token of its own.");
    if (!error)
        *ret = row_at(&rows, 0);
    return error;
}

int store_tokens_insert(struct call *call, int64_t connection_id, struct str token_hash, int64_t expires_at_ms,
                        int64_t *ret_id)
{
    struct db_rows rows;
    int error =
        db_query(call, store_db(), &rows,
                 "INSERT INTO mcp_tokens (connection_id, token_hash, expires_at, created_at) "
                 "VALUES ($1, $2, $3, $4) RETURNING id",
                 DB_INT(connection_id), DB_TEXT(token_hash), db_time_or_null(expires_at_ms), DB_TIME(clock_now_ms()));
    if (!error)
        *ret_id = db_int(&rows, 0, 0);
    return error;
}

int store_tokens_insert_details(struct call *call, const struct token_row *token)
{
    return db_query(call, store_db(), NULL,
                    "INSERT INTO mcp_token_details (token_id, name, last4, rights, confirm, mac, options) "
                    "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                    DB_INT(token->id), DB_TEXT(token->name), DB_TEXT(token->last4), DB_TEXT(token->rights),
                    DB_TEXT(token->confirm), DB_TEXT(token->mac), DB_TEXT(token->options));
}

int store_tokens_set_expiry(struct call *call, int64_t id, int64_t expires_at_ms, struct str mac)
{
    int error = db_query(call, store_db(), NULL, "UPDATE mcp_tokens SET expires_at = $1 WHERE id = $2",
                         DB_TIME(expires_at_ms), DB_INT(id));
    return error ? error
                 : db_query(call, store_db(), NULL, "UPDATE mcp_token_details SET mac = $1 WHERE token_id = $2",
                            DB_TEXT(mac), DB_INT(id));
}

int store_tokens_revoke(struct call *call, int64_t id, int64_t *ret_count)
{
    struct db_rows rows;
    int error =
        db_query(call, store_db(), &rows, "UPDATE mcp_tokens SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL",
                 DB_TIME(clock_now_ms()), DB_INT(id));
    if (!error)
        *ret_count = db_changes(&rows);
    return error;
}

int store_tokens_revoke_all(struct call *call, int64_t connection_id, int64_t *ret_count)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "UPDATE mcp_tokens SET revoked_at = $1 WHERE connection_id = $2 AND revoked_at IS NULL",
                         DB_TIME(clock_now_ms()), DB_INT(connection_id));
    if (!error)
        *ret_count = db_changes(&rows);
    return error;
}

int store_tokens_touch(struct call *call, int64_t id, int64_t used_at_ms)
{
    return db_query(call, store_db(), NULL,
                    "UPDATE mcp_token_details SET last_used_at = $1 "
                    "WHERE token_id = $2 AND (last_used_at IS NULL OR last_used_at < $1)",
                    DB_TIME(used_at_ms), DB_INT(id));
}

#define FACTS                                                                                                          \
    "SELECT " TOKEN_COLUMNS ", p.key, c.status, c.name, c.config_json, c.secret_json, k.wrapped, "                     \
    "COALESCE(p.enabled, true), up.stopped_at, "                                                                       \
    "CASE WHEN EXISTS (SELECT 1 FROM mcp_token_grants g WHERE g.token_id = t.id) THEN 1 ELSE 0 END" TOKEN_TABLES       \
    "JOIN mcp_service_providers p ON p.id = c.provider_id "                                                            \
    "LEFT JOIN mcp_data_keys k ON k.id = 'user:' || c.user_id "                                                        \
    "LEFT JOIN mcp_user_profiles up ON up.user_id = c.user_id "

static int read_facts(struct call *call, const char *sql, struct db_param which, struct token_facts *ret)
{
    struct db_rows rows;
    *ret = (struct token_facts){0};
    int error = db_query(call, store_db(), &rows, sql, which);
    if (error || rows.n_rows == 0)
        return error;
    *ret = (struct token_facts){
        .found = true,
        .token = row_at(&rows, 0),
        .provider_key = db_text(&rows, 0, N_TOKEN_COLUMNS),
        .status = db_text(&rows, 0, N_TOKEN_COLUMNS + 1),
        .connection_name = db_text(&rows, 0, N_TOKEN_COLUMNS + 2),
        .config_json = db_text(&rows, 0, N_TOKEN_COLUMNS + 3),
        .secret_json = db_text(&rows, 0, N_TOKEN_COLUMNS + 4),
        .wrapped_key = db_text(&rows, 0, N_TOKEN_COLUMNS + 5),
        .provider_enabled = db_bool(&rows, 0, N_TOKEN_COLUMNS + 6),
        .is_stopped = !db_is_null(&rows, 0, N_TOKEN_COLUMNS + 7),
        .has_grants = db_int(&rows, 0, N_TOKEN_COLUMNS + 8) != 0,
    };
    return OK;
}

int store_tokens_facts(struct call *call, struct str token_hash, struct token_facts *ret)
{
    return read_facts(call, FACTS "WHERE t.token_hash = $1", DB_TEXT(token_hash), ret);
}

int store_tokens_facts_of(struct call *call, int64_t token_id, struct token_facts *ret)
{
    return read_facts(call, FACTS "WHERE t.id = $1", DB_INT(token_id), ret);
}

/* The rows of mcp_service_connections. */
#include "store/connections.h"

/* USER_ANY is -1. */
#define OWNED_BY(parameter) " AND (" parameter " = -1 OR c.user_id = " parameter ")"
#define UPDATE_OWNED_BY(parameter) " AND (" parameter " = -1 OR user_id = " parameter ")"

#define SELECT_CONNECTIONS                                                                                             \
    "SELECT c.id, c.user_id, u.email, p.key, c.name, c.status, c.config_json, c.token_hash, c.token_last4, "           \
    "c.token_created_at, c.created_at, c.updated_at, k.checked_at, k.ok, k.error_code, k.error_text, k.latency_ms, "   \
    "k.site_name, k.site_version, k.site_user, k.site_role, k.details "                                                \
    "FROM mcp_service_connections c JOIN mcp_users u ON u.id = c.user_id "                                             \
    "JOIN mcp_service_providers p ON p.id = c.provider_id "                                                            \
    "LEFT JOIN mcp_connection_checks k ON k.connection_id = c.id "

static struct connection_row row_at(const struct db_rows *rows, size_t row)
{
    return (struct connection_row){
        .id = db_int(rows, row, 0),
        .user_id = db_int(rows, row, 1),
        .user_email = db_text(rows, row, 2),
        .provider_key = db_text(rows, row, 3),
        .name = db_text(rows, row, 4),
        .status = db_text(rows, row, 5),
        .config_json = db_text(rows, row, 6),
        .token_hash = db_text(rows, row, 7),
        .token_last4 = db_text(rows, row, 8),
        .token_created_at_ms = db_time_ms(rows, row, 9),
        .created_at_ms = db_time_ms(rows, row, 10),
        .updated_at_ms = db_time_ms(rows, row, 11),
        .check =
            {
                .found = !db_is_null(rows, row, 12),
                .checked_at_ms = db_time_ms(rows, row, 12),
                .ok = db_bool(rows, row, 13),
                .error_code = db_text(rows, row, 14),
                .error_text = db_text(rows, row, 15),
                .latency_ms = db_int(rows, row, 16),
                .site_name = db_text(rows, row, 17),
                .site_version = db_text(rows, row, 18),
                .site_user = db_text(rows, row, 19),
                .site_role = db_text(rows, row, 20),
                .details_json = db_text(rows, row, 21),
            },
    };
}

static int missing(struct call *call, int64_t id)
{
    return fail(call, E_NOT_FOUND, "There is no connection %lld.", (long long)id);
}

int store_connections_list(struct call *call, int64_t user_id, struct connection_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows, SELECT_CONNECTIONS "WHERE c.id > 0" OWNED_BY("$1") " ORDER BY c.id",
                         DB_INT(user_id));
    if (error)
        return error;
    *ret = (struct connection_rows){rows.n_rows, arena_array_of(call->arena, struct connection_row, rows.n_rows)};
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[i] = row_at(&rows, i);
    return OK;
}

int store_connections_uses(struct call *call, int64_t user_id, struct connection_uses *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT u.id, max(u.used_at) FROM (SELECT c.id, d.last_used_at AS used_at "
                         "FROM mcp_service_connections c JOIN mcp_tokens t ON t.connection_id = c.id "
                         "JOIN mcp_token_details d ON d.token_id = t.id WHERE d.last_used_at IS NOT NULL" OWNED_BY("$1")
                         /* Access tokens of apps go soon after their hour; what they came of stays. */
                         " UNION ALL SELECT c.id, g.used_at FROM mcp_service_connections c "
                         "JOIN mcp_oauth_grants g ON g.connection_id = c.id WHERE g.used_at IS NOT NULL" OWNED_BY(
                             "$1") ") u GROUP BY u.id",
                         DB_INT(user_id));
    if (error)
        return error;
    *ret = (struct connection_uses){rows.n_rows, arena_array_of(call->arena, struct connection_use, rows.n_rows + 1)};
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[i] = (struct connection_use){db_int(&rows, i, 0), db_time_ms(&rows, i, 1)};
    return OK;
}

int store_connections_get(struct call *call, int64_t user_id, int64_t id, struct connection_row *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows, SELECT_CONNECTIONS "WHERE c.id = $1" OWNED_BY("$2"), DB_INT(id),
                         DB_INT(user_id));
    if (!error && rows.n_rows == 0)
        return missing(call, id);
    if (!error)
        *ret = row_at(&rows, 0);
    return error;
}

int store_connections_count(struct call *call, int64_t user_id, struct str name, int64_t *ret_all, int64_t *ret_of_name)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT count(*), COALESCE(sum(CASE WHEN name = $2 THEN 1 ELSE 0 END), 0) "
                         "FROM mcp_service_connections WHERE user_id = $1",
                         DB_INT(user_id), DB_TEXT(name));
    if (error)
        return error;
    *ret_all = db_int(&rows, 0, 0);
    *ret_of_name = db_int(&rows, 0, 1);
    return OK;
}

int store_connections_secret(struct call *call, int64_t user_id, int64_t id, struct connection_secret *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT c.user_id, c.name, c.config_json, c.secret_json, k.wrapped, p.key "
                         "FROM mcp_service_connections c JOIN mcp_service_providers p ON p.id = c.provider_id "
                         "LEFT JOIN mcp_data_keys k ON k.id = 'user:' || c.user_id "
                         "WHERE c.id = $1" OWNED_BY("$2"),
                         DB_INT(id), DB_INT(user_id));
    if (error)
        return error;
    if (rows.n_rows == 0)
        return missing(call, id);
    *ret = (struct connection_secret){
        .user_id = db_int(&rows, 0, 0),
        .name = db_text(&rows, 0, 1),
        .config_json = db_text(&rows, 0, 2),
        .secret_json = db_text(&rows, 0, 3),
        .wrapped_key = db_text(&rows, 0, 4),
        .provider_key = db_text(&rows, 0, 5),
    };
    return OK;
}

int store_connections_insert(struct call *call, int64_t user_id, int64_t provider_id, struct str name,
                             struct str config_json, struct str token_hash, int64_t *ret_id)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "INSERT INTO mcp_service_connections (user_id, provider_id, name, status, config_json, "
                         "secret_json, token_hash, token_created_at, created_at, updated_at) "
                         "VALUES ($1, $2, $3, 'active', $4, '{}', $5, $6, $6, $6) RETURNING id",
                         DB_INT(user_id), DB_INT(provider_id), DB_TEXT(name), DB_TEXT(config_json), DB_TEXT(token_hash),
                         DB_TIME(clock_now_ms()));
    if (!error)
        *ret_id = db_int(&rows, 0, 0);
    return error;
}

/* One column of one connection; the column is one of our own constants. */
static int set_column(struct call *call, const char *sql, int64_t user_id, int64_t id, struct str value)
{
    struct db_rows rows;
    int error =
        db_query(call, store_db(), &rows, sql, DB_TEXT(value), DB_TIME(clock_now_ms()), DB_INT(id), DB_INT(user_id));
    return error ? error : db_changes(&rows) == 0 ? missing(call, id) : OK;
}
#define SET_COLUMN(column)                                                                                             \
    "UPDATE mcp_service_connections SET " column " = $1, updated_at = $2 WHERE id = $3" UPDATE_OWNED_BY("$4")

int store_connections_set_secret(struct call *call, int64_t user_id, int64_t id, struct str secret_json)
{
    return set_column(call, SET_COLUMN("secret_json"), user_id, id, secret_json);
}

int store_connections_set_config(struct call *call, int64_t user_id, int64_t id, struct str config_json)
{
    return set_column(call, SET_COLUMN("config_json"), user_id, id, config_json);
}

int store_connections_set_name(struct call *call, int64_t user_id, int64_t id, struct str name)
{
    return set_column(call, SET_COLUMN("name"), user_id, id, name);
}

int store_connections_set_status(struct call *call, int64_t user_id, int64_t id, const char *from, const char *to,
                                 bool *ret_changed)
{
    struct db_rows rows;
    int error =
        db_query(call, store_db(), &rows,
                 "UPDATE mcp_service_connections SET status = $1, updated_at = $2 "
                 "WHERE id = $3 AND status <> '" CONNECTION_REVOKED "' "
                 "AND (CAST($5 AS text) = '' OR status = CAST($5 AS text))" UPDATE_OWNED_BY("$4"),
                 DB_TEXT(str_from(to)), DB_TIME(clock_now_ms()), DB_INT(id), DB_INT(user_id), DB_TEXT(str_from(from)));
    if (!error)
        *ret_changed = db_changes(&rows) > 0;
    return error;
}

int store_connections_set_token(struct call *call, int64_t id, struct str token_hash, struct str last4)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "UPDATE mcp_service_connections SET token_hash = $1, token_last4 = $2, token_created_at = $3, "
                         "updated_at = $3 WHERE id = $4",
                         DB_TEXT(token_hash), db_text_or_null(last4), DB_TIME(clock_now_ms()), DB_INT(id));
    return error ? error : db_changes(&rows) == 0 ? missing(call, id) : OK;
}

int store_connections_delete(struct call *call, int64_t user_id, int64_t id)
{
    struct db_rows rows;
    int error =
        db_query(call, store_db(), &rows, "DELETE FROM mcp_service_connections WHERE id = $1" UPDATE_OWNED_BY("$2"),
                 DB_INT(id), DB_INT(user_id));
    return error ? error : db_changes(&rows) == 0 ? missing(call, id) : OK;
}

int store_connections_sealed(struct call *call, int64_t after_id, int64_t limit, struct connection_secrets *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT c.id, c.user_id, c.secret_json, k.wrapped FROM mcp_service_connections c "
                         "LEFT JOIN mcp_data_keys k ON k.user_id = c.user_id WHERE c.id > $1 ORDER BY c.id LIMIT $2",
                         DB_INT(after_id), DB_INT(limit));
    if (error)
        return error;
    *ret = (struct connection_secrets){rows.n_rows, arena_array_of(call->arena, struct connection_sealed, rows.n_rows)};
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[i] = (struct connection_sealed){db_int(&rows, i, 0), db_int(&rows, i, 1), db_text(&rows, i, 2),
                                                   db_text(&rows, i, 3)};
    return OK;
}

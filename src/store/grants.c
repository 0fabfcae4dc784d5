/* The rows of mcp_token_grants. */
#include "store/grants.h"

int store_grants_of(struct call *call, int64_t token_id, struct grant_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT g.connection_id, g.alias, g.rights, g.mac, p.key, c.status, c.name, c.config_json, "
                         "c.secret_json, COALESCE(p.enabled, true) FROM mcp_token_grants g "
                         "JOIN mcp_tokens t ON t.id = g.token_id "
                         "JOIN mcp_service_connections home ON home.id = t.connection_id "
                         "JOIN mcp_service_connections c ON c.id = g.connection_id AND c.user_id = home.user_id "
                         "JOIN mcp_service_providers p ON p.id = c.provider_id WHERE g.token_id = $1 "
                         "ORDER BY CASE WHEN g.connection_id = t.connection_id THEN 0 ELSE 1 END, g.alias",
                         DB_INT(token_id));
    if (error)
        return error;
    *ret = (struct grant_rows){rows.n_rows, arena_array_of(call->arena, struct grant_row, rows.n_rows)};
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[i] = (struct grant_row){
            .connection_id = db_int(&rows, i, 0),
            .alias = db_text(&rows, i, 1),
            .rights = db_text(&rows, i, 2),
            .mac = db_text(&rows, i, 3),
            .provider_key = db_text(&rows, i, 4),
            .status = db_text(&rows, i, 5),
            .name = db_text(&rows, i, 6),
            .config_json = db_text(&rows, i, 7),
            .secret_json = db_text(&rows, i, 8),
            .provider_enabled = db_bool(&rows, i, 9),
        };
    return OK;
}

int store_grants_insert(struct call *call, int64_t token_id, const struct grant_row *grant)
{
    return db_query(call, store_db(), NULL,
                    "INSERT INTO mcp_token_grants (token_id, connection_id, alias, rights, mac) "
                    "VALUES ($1, $2, $3, $4, $5)",
                    DB_INT(token_id), DB_INT(grant->connection_id), DB_TEXT(grant->alias), DB_TEXT(grant->rights),
                    DB_TEXT(grant->mac));
}

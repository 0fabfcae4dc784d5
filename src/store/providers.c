/* The rows of mcp_service_providers. */
#include "store/providers.h"

#define COLUMNS "id, key, name, version, COALESCE(enabled, true), created_at, updated_at"

static struct provider_row row_at(const struct db_rows *rows, size_t row)
{
    return (struct provider_row){
        .id = db_int(rows, row, 0),
        .key = db_text(rows, row, 1),
        .name = db_text(rows, row, 2),
        .version = db_text(rows, row, 3),
        .enabled = db_bool(rows, row, 4),
        .created_at_ms = db_time_ms(rows, row, 5),
        .updated_at_ms = db_time_ms(rows, row, 6),
    };
}

static int unknown(struct call *call, struct str key)
{
    return fail(call, E_NOT_FOUND, "There is no provider '%.*s'.", STR_ARG(key));
}

int store_providers_list(struct call *call, struct provider_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows, "SELECT " COLUMNS " FROM mcp_service_providers ORDER BY key");
    if (error)
        return error;
    *ret = (struct provider_rows){rows.n_rows, arena_array_of(call->arena, struct provider_row, rows.n_rows)};
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[i] = row_at(&rows, i);
    return OK;
}

int store_providers_by_key(struct call *call, struct str key, struct provider_row *ret)
{
    struct db_rows rows;
    int error =
        db_query(call, store_db(), &rows, "SELECT " COLUMNS " FROM mcp_service_providers WHERE key = $1", DB_TEXT(key));
    if (!error && rows.n_rows == 0)
        return unknown(call, key);
    if (!error)
        *ret = row_at(&rows, 0);
    return error;
}

int store_providers_put(struct call *call, struct str key, struct str name, struct str version)
{
    return db_query(call, store_db(), NULL,
                    "INSERT INTO mcp_service_providers (key, name, enabled, version, created_at, updated_at) "
                    "VALUES ($1, $2, $3, $4, $5, $5) "
                    "ON CONFLICT (key) DO UPDATE SET name = excluded.name, version = excluded.version, "
                    "updated_at = excluded.updated_at",
                    DB_TEXT(key), DB_TEXT(name), DB_BOOL(true), db_text_or_null(version), DB_TIME(clock_now_ms()));
}

int store_providers_set_enabled(struct call *call, struct str key, bool enabled)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "UPDATE mcp_service_providers SET enabled = $1, updated_at = $2 WHERE key = $3",
                         DB_BOOL(enabled), DB_TIME(clock_now_ms()), DB_TEXT(key));
    return error ? error : db_changes(&rows) == 0 ? unknown(call, key) : OK;
}

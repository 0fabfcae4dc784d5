/* The rows of mcp_oauth_clients. */
#include "store/oauth_clients.h"

#define COLUMNS                                                                                                        \
    "id, kind, name, redirect_uris, grant_types, auth_method, secret_hash, connection_id, rights, made_by, mac, "      \
    "created_at, used_at, fresh_until"

static struct oauth_client_row row_at(const struct db_rows *rows, size_t row)
{
    return (struct oauth_client_row){
        .id = db_text(rows, row, 0),
        .kind = db_text(rows, row, 1),
        .name = db_text(rows, row, 2),
        .redirect_uris = db_text(rows, row, 3),
        .grant_types = db_text(rows, row, 4),
        .auth_method = db_text(rows, row, 5),
        .secret_hash = db_is_null(rows, row, 6) ? (struct str){NULL, 0} : db_text(rows, row, 6),
        .connection_id = db_int(rows, row, 7),
        .rights = db_is_null(rows, row, 8) ? (struct str){NULL, 0} : db_text(rows, row, 8),
        .made_by = db_int(rows, row, 9),
        .mac = db_text(rows, row, 10),
        .created_at_ms = db_time_ms(rows, row, 11),
        .used_at_ms = db_time_ms(rows, row, 12),
        .fresh_until_ms = db_time_ms(rows, row, 13),
    };
}

int store_oauth_clients_get(struct call *call, struct str id, struct oauth_client_row *ret)
{
    struct db_rows rows;
    int error =
        db_query(call, store_db(), &rows, "SELECT " COLUMNS " FROM mcp_oauth_clients WHERE id = $1", DB_TEXT(id));
    if (!error && rows.n_rows == 0)
        return fail(call, E_NOT_FOUND, "There is no such client.");
    if (!error)
        *ret = row_at(&rows, 0);
    return error;
}

int store_oauth_clients_list(struct call *call, struct str kind, struct oauth_client_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " COLUMNS " FROM mcp_oauth_clients WHERE kind = $1 ORDER BY created_at DESC, id",
                         DB_TEXT(kind));
    if (error)
        return error;
    *ret = (struct oauth_client_rows){rows.n_rows, arena_array_of(call->arena, struct oauth_client_row, rows.n_rows)};
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[i] = row_at(&rows, i);
    return OK;
}

#define INSERT                                                                                                         \
    "INSERT INTO mcp_oauth_clients (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"

static int insert(struct call *call, const char *sql, const struct oauth_client_row *row)
{
    return db_query(call, store_db(), NULL, sql, DB_TEXT(row->id), DB_TEXT(row->kind), DB_TEXT(row->name),
                    DB_TEXT(row->redirect_uris), DB_TEXT(row->grant_types), DB_TEXT(row->auth_method),
                    db_text_or_null(row->secret_hash), db_int_or_null(row->connection_id), db_text_or_null(row->rights),
                    db_int_or_null(row->made_by), DB_TEXT(row->mac), DB_TIME(row->created_at_ms),
                    db_time_or_null(row->used_at_ms), db_time_or_null(row->fresh_until_ms));
}

int store_oauth_clients_insert(struct call *call, const struct oauth_client_row *row)
{
    return insert(call, INSERT, row);
}

int store_oauth_clients_put_document(struct call *call, const struct oauth_client_row *row)
{
    return insert(call,
                  INSERT " ON CONFLICT (id) DO UPDATE SET name = $3, redirect_uris = $4, grant_types = $5, mac = $11, "
                         "fresh_until = $14 WHERE mcp_oauth_clients.kind = 'document'",
                  row);
}

int store_oauth_clients_used(struct call *call, struct str id, int64_t now_ms)
{
    return db_query(call, store_db(), NULL, "UPDATE mcp_oauth_clients SET used_at = $1 WHERE id = $2", DB_TIME(now_ms),
                    DB_TEXT(id));
}

/* Access tokens are rows of mcp_tokens, which know nothing of clients. */
static int delete_tokens(struct call *call, struct str id)
{
    return db_query(call, store_db(), NULL,
                    "DELETE FROM mcp_tokens WHERE id IN (SELECT ot.token_id FROM mcp_oauth_tokens ot "
                    "JOIN mcp_oauth_grants g ON g.id = ot.grant_id WHERE g.client_id = $1)",
                    DB_TEXT(id));
}

int store_oauth_clients_delete(struct call *call, struct str id, struct str kind)
{
    struct db_rows rows;
    int error = delete_tokens(call, id);
    if (!error)
        error = db_query(call, store_db(), &rows, "DELETE FROM mcp_oauth_clients WHERE id = $1 AND kind = $2",
                         DB_TEXT(id), DB_TEXT(kind));
    if (!error && db_changes(&rows) == 0)
        return fail(call, E_NOT_FOUND, "There is no such client.");
    return error;
}

#define UNUSED "kind = 'dynamic' AND used_at IS NULL"

int store_oauth_clients_forget_unused(struct call *call, int64_t made_before_ms, int64_t keep)
{
    return db_query(call, store_db(), NULL,
                    "DELETE FROM mcp_oauth_clients WHERE " UNUSED " AND (created_at < $1 OR id IN (SELECT id FROM "
                    "mcp_oauth_clients WHERE " UNUSED " ORDER BY created_at DESC, id LIMIT 1000 OFFSET $2))",
                    DB_TIME(made_before_ms), DB_INT(keep));
}

int store_oauth_clients_forget_idle(struct call *call, int64_t used_before_ms)
{
    return db_query(call, store_db(), NULL,
                    "DELETE FROM mcp_oauth_clients WHERE kind IN ('dynamic', 'document') "
                    "AND COALESCE(used_at, fresh_until, created_at) < $1 AND (fresh_until IS NULL OR fresh_until < $1) "
                    "AND NOT EXISTS (SELECT 1 FROM mcp_oauth_grants g WHERE g.client_id = mcp_oauth_clients.id)",
                    DB_TIME(used_before_ms));
}

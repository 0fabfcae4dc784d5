/* The rows of mcp_uploads. */
#include "store/uploads.h"

#define COLUMNS "id, user_id, connection_id, token_id, link_hash, arguments, mac, state, created_at, expires_at"

int store_uploads_insert(struct call *call, const struct upload_row *row, int64_t forget_ms)
{
    int error = db_query(call, store_db(), NULL, "DELETE FROM mcp_uploads WHERE token_id = $1 AND expires_at < $2",
                         DB_INT(row->token_id), DB_TIME(forget_ms));
    if (error)
        return error;
    return db_query(call, store_db(), NULL,
                    "INSERT INTO mcp_uploads (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                    DB_TEXT(row->id), DB_INT(row->user_id), DB_INT(row->connection_id), DB_INT(row->token_id),
                    DB_TEXT(row->link_hash), DB_TEXT(row->arguments), DB_TEXT(row->mac), DB_TEXT(row->state),
                    DB_TIME(row->created_at_ms), DB_TIME(row->expires_at_ms));
}

int store_uploads_count_open(struct call *call, int64_t token_id, int64_t now_ms, int64_t *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT COUNT(*) FROM mcp_uploads WHERE token_id = $1 AND state = 'open' AND expires_at > $2",
                         DB_INT(token_id), DB_TIME(now_ms));
    *ret = error ? 0 : db_int(&rows, 0, 0);
    return error;
}

int store_uploads_find(struct call *call, struct str link_hash, struct upload_row *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows, "SELECT " COLUMNS " FROM mcp_uploads WHERE link_hash = $1",
                         DB_TEXT(link_hash));
    if (error)
        return error;
    if (rows.n_rows == 0)
        return fail(call, E_NOT_FOUND, "This upload link is not known here.");
    *ret = (struct upload_row){
        .id = db_text(&rows, 0, 0),
        .user_id = db_int(&rows, 0, 1),
        .connection_id = db_int(&rows, 0, 2),
        .token_id = db_int(&rows, 0, 3),
        .link_hash = db_text(&rows, 0, 4),
        .arguments = db_text(&rows, 0, 5),
        .mac = db_text(&rows, 0, 6),
        .state = db_text(&rows, 0, 7),
        .created_at_ms = db_time_ms(&rows, 0, 8),
        .expires_at_ms = db_time_ms(&rows, 0, 9),
    };
    return OK;
}

int store_uploads_take(struct call *call, struct str id, int64_t now_ms, bool *ret_done)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "UPDATE mcp_uploads SET state = 'used', used_at = $2 WHERE id = $1 AND state = 'open' AND "
                         "expires_at > $2",
                         DB_TEXT(id), DB_TIME(now_ms));
    *ret_done = !error && db_changes(&rows) == 1;
    return error;
}

int store_uploads_end(struct call *call, struct str id, struct str state, int64_t item_id, int64_t now_ms)
{
    return db_query(call, store_db(), NULL,
                    "UPDATE mcp_uploads SET state = $2, item_id = $3, ended_at = $4 WHERE id = $1 AND state = 'used'",
                    DB_TEXT(id), DB_TEXT(state), db_int_or_null(item_id), DB_TIME(now_ms));
}

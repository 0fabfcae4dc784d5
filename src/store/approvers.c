/* The rows of mcp_whatsapp_approvers and mcp_whatsapp_approvals. */
#include "store/approvers.h"

#define COLUMNS "user_id, connection_id, phone, code_hash, code_until, tries, verified_at"

static void read_approver(const struct db_rows *rows, struct approver_row *ret, bool *ret_found)
{
    *ret_found = rows->n_rows > 0;
    if (!*ret_found)
        return;
    *ret = (struct approver_row){
        .user_id = db_int(rows, 0, 0),
        .connection_id = db_int(rows, 0, 1),
        .phone = db_text(rows, 0, 2),
        .code_hash = db_is_null(rows, 0, 3) ? (struct str){NULL, 0} : db_text(rows, 0, 3),
        .code_until_ms = db_is_null(rows, 0, 4) ? 0 : db_time_ms(rows, 0, 4),
        .tries = db_int(rows, 0, 5),
        .verified_at_ms = db_is_null(rows, 0, 6) ? 0 : db_time_ms(rows, 0, 6),
    };
}

int store_approvers_set(struct call *call, const struct approver_row *row, int64_t now_ms)
{
    return db_query(call, store_db(), NULL,
                    "INSERT INTO mcp_whatsapp_approvers (user_id, connection_id, phone, code_hash, code_until, tries, "
                    "verified_at, created_at) VALUES ($1, $2, $3, $4, $5, 0, NULL, $6) ON CONFLICT (user_id) DO UPDATE "
                    "SET connection_id = $2, phone = $3, code_hash = $4, code_until = $5, tries = 0, "
                    "verified_at = NULL, created_at = $6",
                    DB_INT(row->user_id), DB_INT(row->connection_id), DB_TEXT(row->phone), DB_TEXT(row->code_hash),
                    DB_TIME(row->code_until_ms), DB_TIME(now_ms));
}

int store_approvers_get(struct call *call, int64_t user_id, struct approver_row *ret, bool *ret_found)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows, "SELECT " COLUMNS " FROM mcp_whatsapp_approvers WHERE user_id = $1",
                         DB_INT(user_id));
    *ret_found = false;
    if (!error)
        read_approver(&rows, ret, ret_found);
    return error;
}

/* The connection is the owner's own: a number at somebody else's says nothing. */
int store_approvers_by_phone(struct call *call, int64_t connection_id, struct str phone, struct approver_row *ret,
                             bool *ret_found)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT a.user_id, a.connection_id, a.phone, a.code_hash, a.code_until, a.tries, "
                         "a.verified_at FROM mcp_whatsapp_approvers a JOIN mcp_service_connections c ON "
                         "c.id = a.connection_id AND c.user_id = a.user_id WHERE a.connection_id = $1 AND "
                         "a.phone = $2 AND a.verified_at IS NOT NULL",
                         DB_INT(connection_id), DB_TEXT(phone));
    *ret_found = false;
    if (!error)
        read_approver(&rows, ret, ret_found);
    return error;
}

int store_approvers_verify(struct call *call, int64_t user_id, struct str code_hash, int64_t tries_max, int64_t now_ms,
                           bool *ret_done)
{
    struct db_rows rows;
    *ret_done = false;
    /* Counted before it is compared: many at once have no more tries than one after another. */
    int error = db_query(call, store_db(), &rows,
                         "UPDATE mcp_whatsapp_approvers SET tries = tries + 1 WHERE user_id = $1 AND tries < $2 AND "
                         "code_hash IS NOT NULL AND code_until > $3 RETURNING user_id",
                         DB_INT(user_id), DB_INT(tries_max), DB_TIME(now_ms));
    if (error || rows.n_rows == 0)
        return error;
    error = db_query(call, store_db(), &rows,
                     "UPDATE mcp_whatsapp_approvers SET verified_at = $3, code_hash = NULL WHERE user_id = $1 AND "
                     "code_hash = $2 RETURNING user_id",
                     DB_INT(user_id), DB_TEXT(code_hash), DB_TIME(now_ms));
    *ret_done = !error && rows.n_rows > 0;
    return error;
}

int store_approvers_delete(struct call *call, int64_t user_id)
{
    return db_query(call, store_db(), NULL, "DELETE FROM mcp_whatsapp_approvers WHERE user_id = $1", DB_INT(user_id));
}

int store_approvals_insert(struct call *call, const struct approval_row *row, int64_t now_ms)
{
    return db_query(call, store_db(), NULL,
                    "INSERT INTO mcp_whatsapp_approvals (confirmation_id, user_id, connection_id, phone, code_hash, "
                    "created_at) VALUES ($1, $2, $3, $4, $5, $6)",
                    DB_TEXT(row->confirmation_id), DB_INT(row->user_id), DB_INT(row->connection_id),
                    DB_TEXT(row->phone), DB_TEXT(row->code_hash), DB_TIME(now_ms));
}

int store_approvals_set_message(struct call *call, struct str confirmation_id, struct str message_id)
{
    return db_query(call, store_db(), NULL,
                    "UPDATE mcp_whatsapp_approvals SET message_id = $2 WHERE confirmation_id = $1",
                    DB_TEXT(confirmation_id), DB_TEXT(message_id));
}

int store_approvals_find(struct call *call, int64_t connection_id, struct str phone, struct str message_id,
                         struct str code_hash, struct approval_row *ret, bool *ret_found)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT confirmation_id, user_id FROM mcp_whatsapp_approvals WHERE connection_id = $1 AND "
                         "phone = $2 AND (code_hash = $4 OR (message_id = $3 AND $3 <> '')) ORDER BY created_at DESC "
                         "LIMIT 1",
                         DB_INT(connection_id), DB_TEXT(phone), DB_TEXT(message_id), DB_TEXT(code_hash));
    *ret_found = !error && rows.n_rows > 0;
    if (*ret_found)
        *ret = (struct approval_row){.confirmation_id = db_text(&rows, 0, 0), .user_id = db_int(&rows, 0, 1)};
    return error;
}

int store_approvals_delete(struct call *call, struct str confirmation_id)
{
    return db_query(call, store_db(), NULL, "DELETE FROM mcp_whatsapp_approvals WHERE confirmation_id = $1",
                    DB_TEXT(confirmation_id));
}

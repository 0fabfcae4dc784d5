/* The rows of mcp_proofs. */
#include "store/proofs.h"

#define COLUMNS "id, user_id, kind, value, created_at, expires_at"
#define LIVES "(expires_at IS NULL OR expires_at > $3)"

static struct proof_row row_at(const struct db_rows *rows, size_t row)
{
    return (struct proof_row){
        .id = db_text(rows, row, 0),
        .user_id = db_int(rows, row, 1),
        .kind = db_text(rows, row, 2),
        .hash = STR_EMPTY,
        .value = db_text(rows, row, 3),
        .created_at_ms = db_time_ms(rows, row, 4),
        .expires_at_ms = db_time_ms(rows, row, 5),
    };
}

static int one_of(struct call *call, int error, const struct db_rows *rows, struct proof_row *ret)
{
    if (!error && rows->n_rows == 0)
        return fail(call, E_NOT_FOUND, "This link or code was used already, is too old, or never was one.");
    if (!error)
        *ret = row_at(rows, 0);
    return error;
}

int store_proofs_insert(struct call *call, const struct proof_row *row)
{
    return db_query(call, store_db(), NULL,
                    "INSERT INTO mcp_proofs (id, user_id, kind, proof_hash, value, created_at, expires_at) "
                    "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                    DB_TEXT(row->id), db_int_or_null(row->user_id), DB_TEXT(row->kind), DB_TEXT(row->hash),
                    DB_TEXT(row->value), DB_TIME(row->created_at_ms), db_time_or_null(row->expires_at_ms));
}

int store_proofs_use(struct call *call, struct str kind, struct str hash, int64_t now_ms, struct proof_row *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "DELETE FROM mcp_proofs WHERE kind = $1 AND proof_hash = $2 AND " LIVES " RETURNING " COLUMNS,
                         DB_TEXT(kind), DB_TEXT(hash), DB_TIME(now_ms));
    return one_of(call, error, &rows, ret);
}

int store_proofs_look(struct call *call, struct str kind, struct str hash, int64_t now_ms, struct proof_row *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " COLUMNS " FROM mcp_proofs WHERE kind = $1 AND proof_hash = $2 AND " LIVES,
                         DB_TEXT(kind), DB_TEXT(hash), DB_TIME(now_ms));
    return one_of(call, error, &rows, ret);
}

int store_proofs_list(struct call *call, int64_t user_id, struct str kind, int64_t now_ms, struct proof_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " COLUMNS " FROM mcp_proofs WHERE COALESCE(user_id, 0) = $1 AND kind = $2 AND " LIVES
                         " ORDER BY created_at DESC, id",
                         DB_INT(user_id), DB_TEXT(kind), DB_TIME(now_ms));
    if (error)
        return error;
    *ret = (struct proof_rows){rows.n_rows, arena_array_of(call->arena, struct proof_row, rows.n_rows)};
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[i] = row_at(&rows, i);
    return OK;
}

int store_proofs_delete(struct call *call, struct str kind, struct str id)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows, "DELETE FROM mcp_proofs WHERE kind = $1 AND id = $2", DB_TEXT(kind),
                         DB_TEXT(id));
    return error ? error : db_changes(&rows) == 0 ? fail(call, E_NOT_FOUND, "There is no such invitation.") : OK;
}

int store_proofs_delete_all(struct call *call, int64_t user_id, struct str kind)
{
    return db_query(call, store_db(), NULL, "DELETE FROM mcp_proofs WHERE COALESCE(user_id, 0) = $1 AND kind = $2",
                    DB_INT(user_id), DB_TEXT(kind));
}

int store_proofs_forget(struct call *call, int64_t user_id, struct str kind, int64_t now_ms)
{
    return db_query(call, store_db(), NULL,
                    "DELETE FROM mcp_proofs WHERE user_id = $1 AND kind = $2 AND expires_at <= $3", DB_INT(user_id),
                    DB_TEXT(kind), DB_TIME(now_ms));
}

int store_proofs_forget_expired(struct call *call, int64_t now_ms)
{
    return db_query(call, store_db(), NULL, "DELETE FROM mcp_proofs WHERE expires_at <= $1", DB_TIME(now_ms));
}

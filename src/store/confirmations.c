/* The rows of mcp_confirmations. */
#include "store/confirmations.h"

#define COLUMNS                                                                                                        \
    "id, user_id, connection_id, token_id, kind, tool, digest, what, proof, state, created_at, expires_at, "           \
    "decided_at, "                                                                                                     \
    "difference_sealed"

static struct confirmation_row read_row(const struct db_rows *rows, size_t i)
{
    return (struct confirmation_row){
        .id = db_text(rows, i, 0),
        .user_id = db_int(rows, i, 1),
        .connection_id = db_int(rows, i, 2),
        .token_id = db_int(rows, i, 3),
        .kind = db_text(rows, i, 4),
        .tool = db_text(rows, i, 5),
        .digest = db_text(rows, i, 6),
        .what = db_text(rows, i, 7),
        .state = db_text(rows, i, 9),
        .created_at_ms = db_time_ms(rows, i, 10),
        .expires_at_ms = db_time_ms(rows, i, 11),
        .decided_at_ms = db_is_null(rows, i, 12) ? 0 : db_time_ms(rows, i, 12),
        .difference_sealed = db_is_null(rows, i, 13) ? (struct str){NULL, 0} : db_text(rows, i, 13),
    };
}

int store_confirmations_insert(struct call *call, const struct confirmation_row *row, int64_t forget_ms)
{
    int error =
        db_query(call, store_db(), NULL, "DELETE FROM mcp_confirmations WHERE token_id = $1 AND expires_at < $2",
                 DB_INT(row->token_id), DB_TIME(forget_ms));
    if (error)
        return error;
    return db_query(call, store_db(), NULL,
                    "INSERT INTO mcp_confirmations (" COLUMNS ") "
                    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
                    DB_TEXT(row->id), DB_INT(row->user_id), DB_INT(row->connection_id), DB_INT(row->token_id),
                    DB_TEXT(row->kind), DB_TEXT(row->tool), DB_TEXT(row->digest), DB_TEXT(row->what),
                    db_text_or_null(row->proof), DB_TEXT(row->state), DB_TIME(row->created_at_ms),
                    DB_TIME(row->expires_at_ms), db_time_or_null(row->decided_at_ms),
                    db_text_or_null(row->difference_sealed));
}

int store_confirmations_use_code(struct call *call, const struct confirmation_row *row, int64_t now_ms, bool *ret_done)
{
    struct db_rows rows;
    int error =
        db_query(call, store_db(), &rows,
                 "UPDATE mcp_confirmations SET state = 'used', decided_at = $5 WHERE token_id = $1 AND "
                 "digest = $2 AND tool = $3 AND proof = $4 AND kind = 'code' AND state = 'pending' AND "
                 "expires_at > $5",
                 DB_INT(row->token_id), DB_TEXT(row->digest), DB_TEXT(row->tool), DB_TEXT(row->proof), DB_TIME(now_ms));
    *ret_done = !error && db_changes(&rows) == 1;
    return error;
}

int store_confirmations_use_approval(struct call *call, const struct confirmation_row *row, int64_t now_ms,
                                     bool *ret_done)
{
    struct db_rows rows;
    /* The state is asked again outside: of two at once, one changes a row. */
    int error = db_query(call, store_db(), &rows,
                         "UPDATE mcp_confirmations SET state = 'used' WHERE state = 'approved' AND id = (SELECT id "
                         "FROM mcp_confirmations WHERE token_id = $1 AND digest = $2 AND tool = $3 AND kind = 'human' "
                         "AND state = 'approved' AND expires_at > $4 ORDER BY created_at LIMIT 1)",
                         DB_INT(row->token_id), DB_TEXT(row->digest), DB_TEXT(row->tool), DB_TIME(now_ms));
    *ret_done = !error && db_changes(&rows) == 1;
    return error;
}

int store_confirmations_state(struct call *call, const struct confirmation_row *row, int64_t now_ms,
                              struct str *ret_state)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT state FROM mcp_confirmations WHERE token_id = $1 AND digest = $2 AND tool = $3 AND "
                         "kind = 'human' AND state <> 'used' AND expires_at > $4 ORDER BY created_at DESC LIMIT 1",
                         DB_INT(row->token_id), DB_TEXT(row->digest), DB_TEXT(row->tool), DB_TIME(now_ms));
    *ret_state = !error && rows.n_rows ? db_text(&rows, 0, 0) : STR_EMPTY;
    return error;
}

int store_confirmations_count_pending(struct call *call, int64_t token_id, int64_t now_ms, int64_t *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT COUNT(*) FROM mcp_confirmations WHERE token_id = $1 AND state = 'pending' AND "
                         "expires_at > $2",
                         DB_INT(token_id), DB_TIME(now_ms));
    *ret = error ? 0 : db_int(&rows, 0, 0);
    return error;
}

int store_confirmations_list(struct call *call, int64_t user_id, int64_t now_ms, struct confirmation_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " COLUMNS " FROM mcp_confirmations WHERE kind = 'human' AND expires_at > $1 AND "
                         "($2 = -1 OR user_id = $2) ORDER BY created_at, id",
                         DB_TIME(now_ms), DB_INT(user_id));
    if (error)
        return error;
    ret->count = rows.n_rows;
    ret->items = arena_array_of(call->arena, struct confirmation_row, rows.n_rows);
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[i] = read_row(&rows, i);
    return OK;
}

int store_confirmations_decide(struct call *call, int64_t user_id, struct str id, struct str state, int64_t now_ms,
                               struct confirmation_row *ret)
{
    struct db_rows rows;
    int error =
        db_query(call, store_db(), &rows,
                 "UPDATE mcp_confirmations SET state = $3, decided_at = $4 WHERE id = $1 AND kind = 'human' AND "
                 "state = 'pending' AND expires_at > $4 AND ($2 = -1 OR user_id = $2) RETURNING " COLUMNS,
                 DB_TEXT(id), DB_INT(user_id), DB_TEXT(state), DB_TIME(now_ms));
    if (error)
        return error;
    if (rows.n_rows == 0)
        return fail(call, E_NOT_FOUND, "There is no action of this id that waits for an approval.");
    *ret = read_row(&rows, 0);
    return OK;
}

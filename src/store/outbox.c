/* The rows of mcp_outbox. */
#include "store/outbox.h"

int store_outbox_insert(struct call *call, const struct outbox_row *row)
{
    return db_query(call, store_db(), NULL,
                    "INSERT INTO mcp_outbox (id, user_id, kind, mail_sealed, attempts, next_at, created_at) "
                    "VALUES ($1, $2, $3, $4, 0, $5, $6)",
                    DB_TEXT(row->id), DB_INT(row->user_id), DB_TEXT(row->kind), DB_TEXT(row->mail_sealed),
                    DB_TIME(row->next_at_ms), DB_TIME(clock_now_ms()));
}

#define COLUMNS "id, user_id, kind, mail_sealed, attempts, next_at, created_at"

static int next_due(struct call *call, struct outbox_row *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT next_at FROM mcp_outbox WHERE sent_at IS NULL ORDER BY next_at LIMIT 1");
    if (!error)
        *ret = (struct outbox_row){.next_at_ms = rows.n_rows ? db_time_ms(&rows, 0, 0) : 0};
    return error;
}

int store_outbox_claim(struct call *call, int64_t now_ms, int64_t until_ms, struct outbox_row *ret, bool *ret_found)
{
    struct db_rows rows;
    /* Of two that want the same row, the second finds next_at moved and gets nothing. */
    int error =
        db_query(call, store_db(), &rows,
                 "UPDATE mcp_outbox SET next_at = $1, attempts = attempts + 1 WHERE id = (SELECT id FROM mcp_outbox "
                 "WHERE sent_at IS NULL AND next_at <= $2 ORDER BY next_at, id LIMIT 1) AND next_at <= $2 "
                 "RETURNING " COLUMNS,
                 DB_TIME(until_ms), DB_TIME(now_ms));
    if (error)
        return error;
    *ret_found = rows.n_rows > 0;
    if (rows.n_rows == 0)
        return next_due(call, ret);
    *ret = (struct outbox_row){.id = db_text(&rows, 0, 0),
                               .user_id = db_int(&rows, 0, 1),
                               .kind = db_text(&rows, 0, 2),
                               .mail_sealed = db_text(&rows, 0, 3),
                               .attempts = db_int(&rows, 0, 4),
                               .next_at_ms = db_time_ms(&rows, 0, 5),
                               .created_at_ms = db_time_ms(&rows, 0, 6)};
    return OK;
}

int store_outbox_sent(struct call *call, struct str id, int64_t now_ms)
{
    return db_query(call, store_db(), NULL,
                    "UPDATE mcp_outbox SET sent_at = $1, problem = NULL, mail_sealed = '' WHERE id = $2",
                    DB_TIME(now_ms), DB_TEXT(id));
}

int store_outbox_failed(struct call *call, struct str id, struct str problem, int64_t next_at_ms)
{
    if (next_at_ms)
        return db_query(call, store_db(), NULL, "UPDATE mcp_outbox SET next_at = $1, problem = $2 WHERE id = $3",
                        DB_TIME(next_at_ms), DB_TEXT(problem), DB_TEXT(id));
    return db_query(call, store_db(), NULL,
                    "UPDATE mcp_outbox SET sent_at = $1, problem = $2, mail_sealed = '' WHERE id = $3",
                    DB_TIME(clock_now_ms()), DB_TEXT(problem), DB_TEXT(id));
}

int store_outbox_forget(struct call *call, int64_t before_ms)
{
    return db_query(call, store_db(), NULL, "DELETE FROM mcp_outbox WHERE sent_at < $1", DB_TIME(before_ms));
}

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

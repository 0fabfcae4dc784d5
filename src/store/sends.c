/* The rows of mcp_whatsapp_sends, mcp_whatsapp_pace and mcp_whatsapp_optouts. */
#include "store/sends.h"

#define COLUMNS                                                                                                        \
    "id, user_id, connection_id, token_id, recipient, send_key, digest, kind, state, holder, until, message_id, "      \
    "problem, created_at, started_at, ended_at"

static struct str text_or_none(const struct db_rows *rows, size_t row, size_t column)
{
    return db_is_null(rows, row, column) ? (struct str){NULL, 0} : db_text(rows, row, column);
}

static int64_t time_or_none(const struct db_rows *rows, size_t row, size_t column)
{
    return db_is_null(rows, row, column) ? 0 : db_time_ms(rows, row, column);
}

static struct send_row read_row(const struct db_rows *rows, size_t i)
{
    return (struct send_row){
        .id = db_text(rows, i, 0),
        .user_id = db_int(rows, i, 1),
        .connection_id = db_int(rows, i, 2),
        .token_id = db_int(rows, i, 3),
        .recipient = db_text(rows, i, 4),
        .send_key = db_text(rows, i, 5),
        .digest = db_text(rows, i, 6),
        .kind = db_text(rows, i, 7),
        .state = db_text(rows, i, 8),
        .holder = text_or_none(rows, i, 9),
        .until_ms = time_or_none(rows, i, 10),
        .message_id = text_or_none(rows, i, 11),
        .problem = text_or_none(rows, i, 12),
        .created_at_ms = db_time_ms(rows, i, 13),
        .started_at_ms = time_or_none(rows, i, 14),
        .ended_at_ms = time_or_none(rows, i, 15),
    };
}

static void read_rows(struct call *call, const struct db_rows *rows, struct send_rows *ret)
{
    ret->count = rows->n_rows;
    ret->items = arena_array_of(call->arena, struct send_row, rows->n_rows);
    for (size_t i = 0; i < rows->n_rows; i++)
        ret->items[i] = read_row(rows, i);
}

int store_sends_insert(struct call *call, const struct send_row *row, bool *ret_new)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "INSERT INTO mcp_whatsapp_sends (id, user_id, connection_id, token_id, recipient, send_key, "
                         "digest, kind, state, holder, until, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, "
                         "'waiting', $9, $10, $11) ON CONFLICT (connection_id, send_key) DO NOTHING RETURNING id",
                         DB_TEXT(row->id), DB_INT(row->user_id), DB_INT(row->connection_id), DB_INT(row->token_id),
                         DB_TEXT(row->recipient), DB_TEXT(row->send_key), DB_TEXT(row->digest), DB_TEXT(row->kind),
                         DB_TEXT(row->holder), DB_TIME(row->until_ms), DB_TIME(row->created_at_ms));
    *ret_new = !error && rows.n_rows > 0;
    return error;
}

int store_sends_by_key(struct call *call, int64_t connection_id, struct str key, struct send_row *ret, bool *ret_found)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " COLUMNS " FROM mcp_whatsapp_sends WHERE connection_id = $1 AND send_key = $2",
                         DB_INT(connection_id), DB_TEXT(key));
    *ret_found = !error && rows.n_rows > 0;
    if (*ret_found)
        *ret = read_row(&rows, 0);
    return error;
}

int store_sends_reclaim(struct call *call, const struct send_row *row, int64_t now_ms, bool *ret_done)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "UPDATE mcp_whatsapp_sends SET state = 'waiting', holder = $2, until = $3, token_id = $5, "
                         "created_at = $4, started_at = NULL, ended_at = NULL, problem = NULL WHERE id = $1 AND "
                         "(state = 'failed' OR (state = 'waiting' AND until < $4)) RETURNING id",
                         DB_TEXT(row->id), DB_TEXT(row->holder), DB_TIME(row->until_ms), DB_TIME(now_ms),
                         DB_INT(row->token_id));
    *ret_done = !error && rows.n_rows > 0;
    return error;
}

int store_sends_go(struct call *call, const struct send_row *row, int64_t now_ms, bool *ret_done)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "UPDATE mcp_whatsapp_sends SET state = 'sending', started_at = $3, until = $4 WHERE id = $1 "
                         "AND state = 'waiting' AND holder = $2 AND until > $3 AND NOT EXISTS (SELECT 1 FROM "
                         "mcp_whatsapp_optouts o WHERE o.connection_id = mcp_whatsapp_sends.connection_id AND "
                         "o.recipient = mcp_whatsapp_sends.recipient) RETURNING id",
                         DB_TEXT(row->id), DB_TEXT(row->holder), DB_TIME(now_ms), DB_TIME(row->until_ms));
    *ret_done = !error && rows.n_rows > 0;
    return error;
}

int store_sends_end(struct call *call, struct str id, struct str holder, struct str state, struct str message_id,
                    struct str problem, int64_t now_ms)
{
    return db_query(call, store_db(), NULL,
                    "UPDATE mcp_whatsapp_sends SET state = $2, message_id = $3, problem = $4, ended_at = $5, "
                    "holder = NULL WHERE id = $1 AND holder = $6 AND state IN ('waiting', 'sending')",
                    DB_TEXT(id), DB_TEXT(state), db_text_or_null(message_id), db_text_or_null(problem), DB_TIME(now_ms),
                    DB_TEXT(holder));
}

int store_sends_found(struct call *call, int64_t connection_id, struct str id, struct str message_id, int64_t now_ms)
{
    return db_query(call, store_db(), NULL,
                    "UPDATE mcp_whatsapp_sends SET state = 'sent', message_id = $3, ended_at = $4, problem = NULL, "
                    "holder = NULL WHERE id = $1 AND connection_id = $2 AND state IN ('unknown', 'sending') AND "
                    "message_id IS NULL",
                    DB_TEXT(id), DB_INT(connection_id), DB_TEXT(message_id), DB_TIME(now_ms));
}

int store_sends_recognise(struct call *call, const struct send_row *row, int64_t now_ms, bool *ret_done)
{
    struct db_rows rows;
    int error = db_query(
        call, store_db(), &rows,
        "UPDATE mcp_whatsapp_sends SET state = 'sent', message_id = $3, ended_at = $4, problem = NULL, "
        "holder = NULL WHERE id = $1 AND connection_id = $2 AND state IN ('unknown', 'sending') AND message_id "
        "IS NULL AND NOT EXISTS (SELECT 1 FROM mcp_whatsapp_sends o WHERE o.connection_id = $2 AND "
        "o.recipient = $5 AND o.id <> $1 AND (o.message_id = $3 OR (o.state = 'sending' AND o.digest = $6 "
        "AND o.until > $4))) RETURNING id",
        DB_TEXT(row->id), DB_INT(row->connection_id), DB_TEXT(row->message_id), DB_TIME(now_ms),
        DB_TEXT(row->recipient), DB_TEXT(row->digest));
    *ret_done = !error && rows.n_rows > 0;
    return error;
}

int store_sends_undelivered(struct call *call, int64_t connection_id, struct str message_id, struct str problem)
{
    return db_query(call, store_db(), NULL,
                    "UPDATE mcp_whatsapp_sends SET problem = $3 WHERE connection_id = $1 AND message_id = $2 AND "
                    "state = 'sent'",
                    DB_INT(connection_id), DB_TEXT(message_id), DB_TEXT(problem));
}

int store_sends_count_recipients(struct call *call, int64_t connection_id, struct str recipient, int64_t since_ms,
                                 int64_t *ret_others, bool *ret_known)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT COUNT(DISTINCT recipient), COALESCE(MAX(CASE WHEN recipient = $2 THEN 1 ELSE 0 END), "
                         "0) FROM mcp_whatsapp_sends WHERE connection_id = $1 AND created_at > $3 AND "
                         "state <> 'failed'",
                         DB_INT(connection_id), DB_TEXT(recipient), DB_TIME(since_ms));
    if (error)
        return error;
    *ret_known = db_int(&rows, 0, 1) > 0;
    *ret_others = db_int(&rows, 0, 0) - (*ret_known ? 1 : 0);
    return OK;
}

int store_sends_count_of_token(struct call *call, const struct send_row *row, struct str keys, int64_t since_ms,
                               int64_t *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT COUNT(*) FROM mcp_whatsapp_sends WHERE connection_id IN (SELECT id FROM "
                         "mcp_service_connections WHERE user_id = $1) AND created_at > $4 AND state <> 'failed' AND "
                         "(token_id = $2 OR send_key LIKE $3 || '%')",
                         DB_INT(row->user_id), DB_INT(row->token_id), DB_TEXT(keys), DB_TIME(since_ms));
    *ret = error ? 0 : db_int(&rows, 0, 0);
    return error;
}

/* What its message came to, as webhooks told. */
#define OF_MESSAGE(column)                                                                                             \
    "(SELECT m." column " FROM mcp_whatsapp_messages m WHERE m.connection_id = mcp_whatsapp_sends.connection_id AND "  \
    "m.message_id = mcp_whatsapp_sends.message_id)"

int store_sends_list(struct call *call, int64_t user_id, int64_t connection_id, int64_t before_ms, struct str before_id,
                     int64_t limit, struct send_rows *ret)
{
    enum { STATUS = 16, STATUS_AT };
    struct db_rows rows;
    int error =
        db_query(call, store_db(), &rows,
                 "SELECT " COLUMNS ", " OF_MESSAGE("status") ", " OF_MESSAGE(
                     "status_at") " FROM "
                                  "mcp_whatsapp_sends WHERE connection_id = $1 AND ($2 = -1 OR user_id = $2) AND "
                                  "created_at <= $3 AND (created_at < $3 OR ($5 <> '' AND id > $5)) ORDER BY "
                                  "created_at DESC, id LIMIT $4",
                 DB_INT(connection_id), DB_INT(user_id), DB_TIME(before_ms), DB_INT(limit), DB_TEXT(before_id));
    if (error)
        return error;
    read_rows(call, &rows, ret);
    for (size_t i = 0; i < ret->count; i++) {
        ret->items[i].delivery = text_or_none(&rows, i, STATUS);
        ret->items[i].delivery_at_ms = time_or_none(&rows, i, STATUS_AT);
    }
    return OK;
}

int store_sends_of_person(struct call *call, int64_t user_id, int64_t connection_id, struct str person,
                          struct send_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " COLUMNS " FROM mcp_whatsapp_sends WHERE ($1 = -1 OR user_id = $1) AND ($2 = 0 OR "
                         "connection_id = $2) AND recipient = $3 ORDER BY created_at, id",
                         DB_INT(user_id), DB_INT(connection_id), DB_TEXT(person));
    if (!error)
        read_rows(call, &rows, ret);
    return error;
}

int store_sends_forget(struct call *call, int64_t before_ms)
{
    return db_query(call, store_db(), NULL, "DELETE FROM mcp_whatsapp_sends WHERE created_at < $1", DB_TIME(before_ms));
}

/* ---- pace */

int store_pace_take(struct call *call, int64_t connection_id, struct str lane, int64_t now_us, int64_t every_us,
                    int64_t latest_us, int64_t *ret_slot_us, bool *ret_taken)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "INSERT INTO mcp_whatsapp_pace (connection_id, lane, next_us) VALUES ($1, $2, $3) "
                         "ON CONFLICT (connection_id, lane) DO UPDATE SET next_us = $4 + CASE WHEN "
                         "mcp_whatsapp_pace.next_us > $5 THEN mcp_whatsapp_pace.next_us ELSE $5 END "
                         "WHERE mcp_whatsapp_pace.next_us <= $6 RETURNING next_us",
                         DB_INT(connection_id), DB_TEXT(lane), DB_INT(now_us + every_us), DB_INT(every_us),
                         DB_INT(now_us), DB_INT(latest_us));
    if (error)
        return error;
    *ret_taken = rows.n_rows > 0;
    if (*ret_taken) {
        *ret_slot_us = db_int(&rows, 0, 0) - every_us;
        return OK;
    }
    error = db_query(call, store_db(), &rows,
                     "SELECT next_us FROM mcp_whatsapp_pace WHERE connection_id = $1 AND lane = $2",
                     DB_INT(connection_id), DB_TEXT(lane));
    *ret_slot_us = !error && rows.n_rows ? db_int(&rows, 0, 0) : latest_us;
    return error;
}

int store_pace_move(struct call *call, int64_t connection_id, struct str lane, int64_t from_us, int64_t to_us)
{
    return db_query(call, store_db(), NULL,
                    "UPDATE mcp_whatsapp_pace SET next_us = $4 WHERE connection_id = $1 AND lane = $2 AND next_us = $3",
                    DB_INT(connection_id), DB_TEXT(lane), DB_INT(from_us), DB_INT(to_us));
}

int store_pace_forget(struct call *call, int64_t before_us)
{
    return db_query(call, store_db(), NULL, "DELETE FROM mcp_whatsapp_pace WHERE next_us < $1", DB_INT(before_us));
}

/* ---- opt-outs */

int store_optouts_add(struct call *call, int64_t user_id, int64_t connection_id, const struct optout_row *row,
                      bool *ret_changed)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "INSERT INTO mcp_whatsapp_optouts (connection_id, recipient, reason, created_at) SELECT id, "
                         "$3, $4, $5 FROM mcp_service_connections WHERE id = $1 AND ($2 = -1 OR user_id = $2) "
                         "ON CONFLICT (connection_id, recipient) DO NOTHING RETURNING recipient",
                         DB_INT(connection_id), DB_INT(user_id), DB_TEXT(row->recipient), DB_TEXT(row->reason),
                         DB_TIME(row->created_at_ms));
    *ret_changed = !error && rows.n_rows > 0;
    if (error || *ret_changed)
        return error;
    return db_query(call, store_db(), NULL,
                    "UPDATE mcp_whatsapp_optouts SET created_at = $4 WHERE connection_id = $1 AND recipient = $2 AND "
                    "created_at < $4 AND connection_id IN (SELECT id FROM mcp_service_connections WHERE $3 = -1 OR "
                    "user_id = $3)",
                    DB_INT(connection_id), DB_TEXT(row->recipient), DB_INT(user_id), DB_TIME(row->created_at_ms));
}

int store_optouts_remove(struct call *call, int64_t user_id, int64_t connection_id, struct str recipient,
                         int64_t until_ms, bool *ret_changed)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "DELETE FROM mcp_whatsapp_optouts WHERE connection_id = $1 AND recipient = $2 AND "
                         "created_at <= $4 AND connection_id IN (SELECT id FROM mcp_service_connections WHERE $3 = -1 "
                         "OR user_id = $3)",
                         DB_INT(connection_id), DB_TEXT(recipient), DB_INT(user_id), DB_TIME(until_ms));
    *ret_changed = !error && db_changes(&rows) > 0;
    return error;
}

int store_optouts_has(struct call *call, int64_t connection_id, struct str recipient, bool *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT 1 FROM mcp_whatsapp_optouts WHERE connection_id = $1 AND recipient = $2",
                         DB_INT(connection_id), DB_TEXT(recipient));
    *ret = !error && rows.n_rows > 0;
    return error;
}

int store_optouts_list(struct call *call, int64_t user_id, int64_t connection_id, struct optout_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT o.recipient, o.reason, o.created_at FROM mcp_whatsapp_optouts o JOIN "
                         "mcp_service_connections c ON c.id = o.connection_id WHERE o.connection_id = $1 AND "
                         "($2 = -1 OR c.user_id = $2) ORDER BY o.created_at, o.recipient",
                         DB_INT(connection_id), DB_INT(user_id));
    if (error)
        return error;
    ret->count = rows.n_rows;
    ret->items = arena_array_of(call->arena, struct optout_row, rows.n_rows);
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[i] = (struct optout_row){db_text(&rows, i, 0), db_text(&rows, i, 1), db_time_ms(&rows, i, 2)};
    return OK;
}

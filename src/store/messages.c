/* The rows of mcp_whatsapp_chats, mcp_whatsapp_messages and mcp_events. */
#include "store/messages.h"

#include <assert.h>

#include "store/sends.h"

int store_events_take(struct call *call, int64_t connection_id, struct str event, const char *kind, int64_t now_ms,
                      bool *ret_new)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "INSERT INTO mcp_events (connection_id, event, kind, created_at) VALUES ($1, $2, $3, $4) "
                         "ON CONFLICT (connection_id, event) DO NOTHING RETURNING event",
                         DB_INT(connection_id), DB_TEXT(event), DB_TEXT(str_from(kind)), DB_TIME(now_ms));
    *ret_new = !error && rows.n_rows > 0;
    return error;
}

int store_events_forget(struct call *call, int64_t before_ms)
{
    return db_query(call, store_db(), NULL, "DELETE FROM mcp_events WHERE created_at < $1", DB_TIME(before_ms));
}

/* ---- chats */

#define CHAT_COLUMNS "connection_id, chat, user_id, name_sealed, unread, archived, last_at, inbound_at"

static struct str text_or_none(const struct db_rows *rows, size_t row, size_t column)
{
    return db_is_null(rows, row, column) ? (struct str){NULL, 0} : db_text(rows, row, column);
}

static int64_t time_or_none(const struct db_rows *rows, size_t row, size_t column)
{
    return db_is_null(rows, row, column) ? 0 : db_time_ms(rows, row, column);
}

static struct chat_row read_chat(const struct db_rows *rows, size_t i)
{
    return (struct chat_row){
        .connection_id = db_int(rows, i, 0),
        .chat = db_text(rows, i, 1),
        .user_id = db_int(rows, i, 2),
        .name_sealed = text_or_none(rows, i, 3),
        .unread = db_int(rows, i, 4),
        .archived = db_bool(rows, i, 5),
        .last_at_ms = db_time_ms(rows, i, 6),
        .inbound_at_ms = time_or_none(rows, i, 7),
    };
}

static void read_chats(struct call *call, const struct db_rows *rows, struct chat_rows *ret)
{
    ret->count = rows->n_rows;
    ret->items = arena_array_of(call->arena, struct chat_row, rows->n_rows);
    for (size_t i = 0; i < rows->n_rows; i++)
        ret->items[i] = read_chat(rows, i);
}

int store_chats_touch(struct call *call, const struct chat_row *row)
{
    return db_query(
        call, store_db(), NULL,
        "INSERT INTO mcp_whatsapp_chats (" CHAT_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
        "ON CONFLICT (connection_id, chat) DO UPDATE SET name_sealed = COALESCE($4, mcp_whatsapp_chats.name_sealed), "
        "unread = mcp_whatsapp_chats.unread + $5, "
        "last_at = CASE WHEN mcp_whatsapp_chats.last_at < $7 THEN $7 ELSE mcp_whatsapp_chats.last_at END, "
        "inbound_at = CASE WHEN mcp_whatsapp_chats.inbound_at IS NULL OR mcp_whatsapp_chats.inbound_at < $8 "
        "THEN COALESCE($8, mcp_whatsapp_chats.inbound_at) ELSE mcp_whatsapp_chats.inbound_at END",
        DB_INT(row->connection_id), DB_TEXT(row->chat), DB_INT(row->user_id), db_text_or_null(row->name_sealed),
        DB_INT(row->unread), DB_BOOL(row->archived), DB_TIME(row->last_at_ms), db_time_or_null(row->inbound_at_ms));
}

int store_chats_list(struct call *call, int64_t user_id, int64_t connection_id, bool unread_only, bool archived,
                     int64_t before_ms, struct str before_chat, int64_t limit, struct chat_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " CHAT_COLUMNS " FROM mcp_whatsapp_chats WHERE connection_id = $1 AND user_id = $2 "
                         "AND unread >= $3 AND archived = $4 AND last_at <= $5 AND (last_at < $5 OR ($7 <> '' AND "
                         "chat > $7)) ORDER BY last_at DESC, chat LIMIT $6",
                         DB_INT(connection_id), DB_INT(user_id), DB_INT(unread_only ? 1 : 0), DB_BOOL(archived),
                         DB_TIME(before_ms), DB_INT(limit), DB_TEXT(before_chat));
    if (!error)
        read_chats(call, &rows, ret);
    return error;
}

int store_chats_get(struct call *call, int64_t user_id, int64_t connection_id, struct str chat, struct chat_row *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " CHAT_COLUMNS
                         " FROM mcp_whatsapp_chats WHERE connection_id = $1 AND chat = $2 AND user_id = $3",
                         DB_INT(connection_id), DB_TEXT(chat), DB_INT(user_id));
    if (error)
        return error;
    if (rows.n_rows == 0)
        return fail(call, E_NOT_FOUND, "There is no conversation with %.*s here.", STR_ARG(str_sub(chat, 0, 100)));
    *ret = read_chat(&rows, 0);
    return OK;
}

static int change_chat(struct call *call, struct db_rows *rows, int error, struct str chat)
{
    if (!error && db_changes(rows) == 0)
        return fail(call, E_NOT_FOUND, "There is no conversation with %.*s here.", STR_ARG(str_sub(chat, 0, 100)));
    return error;
}

int store_chats_read(struct call *call, int64_t user_id, int64_t connection_id, struct str chat)
{
    struct db_rows rows;
    int error =
        db_query(call, store_db(), &rows,
                 "UPDATE mcp_whatsapp_chats SET unread = 0 WHERE connection_id = $1 AND chat = $2 AND user_id = $3",
                 DB_INT(connection_id), DB_TEXT(chat), DB_INT(user_id));
    return change_chat(call, &rows, error, chat);
}

int store_chats_archive(struct call *call, int64_t user_id, int64_t connection_id, struct str chat, bool archived)
{
    struct db_rows rows;
    int error =
        db_query(call, store_db(), &rows,
                 "UPDATE mcp_whatsapp_chats SET archived = $4 WHERE connection_id = $1 AND chat = $2 AND user_id = $3",
                 DB_INT(connection_id), DB_TEXT(chat), DB_INT(user_id), DB_BOOL(archived));
    return change_chat(call, &rows, error, chat);
}

/* ---- messages */

#define MESSAGE_COLUMNS                                                                                                \
    "id, user_id, connection_id, chat, message_id, sender, outgoing, kind, status, content_sealed, sent_at, "          \
    "status_at, created_at"

static struct message_row read_message(const struct db_rows *rows, size_t i)
{
    return (struct message_row){
        .id = db_text(rows, i, 0),
        .user_id = db_int(rows, i, 1),
        .connection_id = db_int(rows, i, 2),
        .chat = db_text(rows, i, 3),
        .message_id = db_text(rows, i, 4),
        .sender = db_text(rows, i, 5),
        .outgoing = db_bool(rows, i, 6),
        .kind = db_text(rows, i, 7),
        .status = db_text(rows, i, 8),
        .content_sealed = text_or_none(rows, i, 9),
        .sent_at_ms = db_time_ms(rows, i, 10),
        .status_at_ms = time_or_none(rows, i, 11),
        .created_at_ms = db_time_ms(rows, i, 12),
    };
}

static void read_messages(struct call *call, const struct db_rows *rows, struct message_rows *ret)
{
    ret->count = rows->n_rows;
    ret->items = arena_array_of(call->arena, struct message_row, rows->n_rows);
    for (size_t i = 0; i < rows->n_rows; i++)
        ret->items[i] = read_message(rows, i);
}

int store_messages_insert(struct call *call, const struct message_row *row, bool *ret_new)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "INSERT INTO mcp_whatsapp_messages (" MESSAGE_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, "
                         "$8, $9, $10, $11, $12, $13) ON CONFLICT (connection_id, message_id) DO NOTHING RETURNING id",
                         DB_TEXT(row->id), DB_INT(row->user_id), DB_INT(row->connection_id), DB_TEXT(row->chat),
                         DB_TEXT(row->message_id), DB_TEXT(row->sender), DB_BOOL(row->outgoing), DB_TEXT(row->kind),
                         DB_TEXT(row->status), db_text_or_null(row->content_sealed), DB_TIME(row->sent_at_ms),
                         db_time_or_null(row->status_at_ms), DB_TIME(row->created_at_ms));
    *ret_new = !error && rows.n_rows > 0;
    return error;
}

/* A status gives way only to one of a higher rank. */
#define RANK(status)                                                                                                   \
    "CASE " status " WHEN 'sent' THEN 1 WHEN 'delivered' THEN 2 WHEN 'failed' THEN 2 WHEN 'read' THEN 3 ELSE 0 END"

int store_messages_status(struct call *call, int64_t connection_id, struct str message_id, struct str status,
                          int64_t at_ms, struct str *ret_chat)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "UPDATE mcp_whatsapp_messages SET status = $3, status_at = $4 WHERE connection_id = $1 AND "
                         "message_id = $2 AND outgoing = $5 AND " RANK("status") " < " RANK("$3") " RETURNING chat",
                         DB_INT(connection_id), DB_TEXT(message_id), DB_TEXT(status), DB_TIME(at_ms), DB_BOOL(true));
    *ret_chat = !error && rows.n_rows ? db_text(&rows, 0, 0) : STR_EMPTY;
    return error;
}

/*
 * Statuses may come before the message that they are about is kept: the row of mcp_events that is named after the message is where
 * the two meet. Who comes second waits for the other's transaction and sees what it left.
 */
int store_statuses_leave(struct call *call, int64_t connection_id, struct str meeting, struct str status, int64_t at_ms)
{
    return db_query(
        call, store_db(), NULL,
        "INSERT INTO mcp_events (connection_id, event, kind, created_at) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (connection_id, event) DO UPDATE SET kind = excluded.kind, created_at = "
        "excluded.created_at WHERE mcp_events.kind <> 'kept' AND " RANK("mcp_events.kind") " < " RANK("excluded.kind"),
        DB_INT(connection_id), DB_TEXT(meeting), DB_TEXT(status), DB_TIME(at_ms));
}

int store_statuses_meet(struct call *call, int64_t connection_id, struct str meeting, int64_t now_ms,
                        struct str *ret_status, int64_t *ret_at_ms)
{
    struct db_rows rows;
    bool is_first;
    *ret_status = STR_EMPTY;
    int error = store_events_take(call, connection_id, meeting, "kept", now_ms, &is_first);
    if (error || is_first)
        return error;
    error =
        db_query(call, store_db(), &rows,
                 "SELECT kind, created_at FROM mcp_events WHERE connection_id = $1 AND event = $2 AND kind <> 'kept'",
                 DB_INT(connection_id), DB_TEXT(meeting));
    if (error || !rows.n_rows)
        return error;
    *ret_status = db_text(&rows, 0, 0);
    *ret_at_ms = db_time_ms(&rows, 0, 1);
    return OK;
}

int store_messages_statuses(struct call *call, int64_t user_id, int64_t connection_id, const struct str *ids,
                            size_t n_ids, struct message_rows *ret)
{
    enum { FIXED = 3 };
    struct db_param params[FIXED + STATUSES_ASKED_MAX] = {DB_INT(connection_id), DB_INT(user_id), DB_BOOL(true)};
    struct db_rows rows;
    assert(n_ids <= STATUSES_ASKED_MAX);
    for (size_t i = 0; i < STATUSES_ASKED_MAX; i++) /* one text for any number of them: no message has an empty id */
        params[FIXED + i] = DB_TEXT(i < n_ids ? ids[i] : STR_EMPTY);
    int error = db_query_params(
        call, store_db(), &rows,
        "SELECT message_id, status, status_at FROM mcp_whatsapp_messages WHERE connection_id = $1 AND user_id = $2 AND "
        "outgoing = $3 AND message_id IN ($4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, "
        "$20, $21, $22, $23)",
        params, ARRAY_LENGTH(params));
    if (error)
        return error;
    ret->count = rows.n_rows;
    ret->items = arena_array_of(call->arena, struct message_row, rows.n_rows);
    for (size_t i = 0; i < rows.n_rows; i++)
        ret->items[i] = (struct message_row){.message_id = db_text(&rows, i, 0),
                                             .status = db_text(&rows, i, 1),
                                             .status_at_ms = time_or_none(&rows, i, 2)};
    return OK;
}

int store_messages_list(struct call *call, int64_t user_id, int64_t connection_id, struct str chat, int64_t before_ms,
                        struct str before_id, int64_t limit, struct message_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " MESSAGE_COLUMNS " FROM mcp_whatsapp_messages WHERE connection_id = $1 AND "
                         "user_id = $2 AND ($3 = '' OR chat = $3) AND sent_at <= $4 AND (sent_at < $4 OR ($6 <> '' AND "
                         "message_id > $6)) "
                         "ORDER BY sent_at DESC, message_id LIMIT $5",
                         DB_INT(connection_id), DB_INT(user_id), DB_TEXT(chat), DB_TIME(before_ms), DB_INT(limit),
                         DB_TEXT(before_id));
    if (!error)
        read_messages(call, &rows, ret);
    return error;
}

int store_messages_get(struct call *call, int64_t user_id, int64_t connection_id, struct str message_id,
                       struct message_row *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " MESSAGE_COLUMNS
                         " FROM mcp_whatsapp_messages WHERE connection_id = $1 AND message_id = $2 AND user_id = $3",
                         DB_INT(connection_id), DB_TEXT(message_id), DB_INT(user_id));
    if (error)
        return error;
    if (rows.n_rows == 0)
        return fail(call, E_NOT_FOUND, "There is no message of the id %.*s here.",
                    STR_ARG(str_sub(message_id, 0, 200)));
    *ret = read_message(&rows, 0);
    return OK;
}

int store_messages_forget(struct call *call, int64_t before_ms, int64_t *ret_count)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows, "DELETE FROM mcp_whatsapp_messages WHERE created_at < $1",
                         DB_TIME(before_ms));
    *ret_count = error ? 0 : db_changes(&rows);
    if (!error)
        error =
            db_query(call, store_db(), NULL, "DELETE FROM mcp_whatsapp_chats WHERE last_at < $1", DB_TIME(before_ms));
    return error;
}

/* ---- one person */

#define OF_PERSON "($1 = -1 OR user_id = $1) AND ($2 = 0 OR connection_id = $2)"

int store_person_messages(struct call *call, int64_t user_id, int64_t connection_id, struct str person,
                          struct message_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " MESSAGE_COLUMNS " FROM mcp_whatsapp_messages WHERE " OF_PERSON
                         " AND (chat = $3 OR sender = $3) ORDER BY connection_id, sent_at, id",
                         DB_INT(user_id), DB_INT(connection_id), DB_TEXT(person));
    if (!error)
        read_messages(call, &rows, ret);
    return error;
}

int store_person_chats(struct call *call, int64_t user_id, int64_t connection_id, struct str person,
                       struct chat_rows *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT " CHAT_COLUMNS " FROM mcp_whatsapp_chats WHERE " OF_PERSON
                         " AND chat = $3 ORDER BY connection_id",
                         DB_INT(user_id), DB_INT(connection_id), DB_TEXT(person));
    if (!error)
        read_chats(call, &rows, ret);
    return error;
}

/* Questions for a yes name the number as the model typed it, or as it is kept. */
#define ASKED_OF_PERSON                                                                                                \
    OF_PERSON                                                                                                          \
    " AND tool LIKE 'wa@_%' ESCAPE '@' AND replace(replace(replace(replace(replace(what, ' ', ''), '-', ''), "         \
    "'(', ''), ')', ''), '.', '') LIKE '%' || $3 || '%'"

int store_person_erase(struct call *call, int64_t user_id, int64_t connection_id, struct str person,
                       struct person_counts *ret)
{
    static const char *const statements[] = {
        "DELETE FROM mcp_whatsapp_messages WHERE " OF_PERSON " AND (chat = $3 OR sender = $3)",
        "DELETE FROM mcp_whatsapp_chats WHERE " OF_PERSON " AND chat = $3",
        "DELETE FROM mcp_whatsapp_sends WHERE " OF_PERSON " AND recipient = $3",
        "DELETE FROM mcp_whatsapp_pace WHERE lane IN ($3, '" SENDS_LANE_LEFT "' || $3) AND connection_id IN "
        "(SELECT id FROM mcp_service_connections WHERE ($1 = -1 OR user_id = $1) AND ($2 = 0 OR id = $2))",
        "DELETE FROM mcp_whatsapp_approvals WHERE " OF_PERSON " AND phone = $3",
        /* What still waits cannot be agreed to unseen. What was used stays without its words: else it could be used again. */
        "DELETE FROM mcp_confirmations WHERE state = 'pending' AND " ASKED_OF_PERSON,
        "UPDATE mcp_confirmations SET what = '' WHERE " ASKED_OF_PERSON,
    };
    int64_t questions;
    int64_t *counts[] = {&ret->messages, &ret->chats, &ret->sends, &ret->pace, &ret->approvals, &questions, &questions};
    for (size_t i = 0; i < ARRAY_LENGTH(statements); i++) {
        struct db_rows rows;
        int error =
            db_query(call, store_db(), &rows, statements[i], DB_INT(user_id), DB_INT(connection_id), DB_TEXT(person));
        if (error)
            return error;
        *counts[i] = db_changes(&rows);
    }
    return OK;
}

/* One person's data: shown, and erased. */
#include "messages/messages.h"

#include "audit/audit.h"
#include "crypto/keyring.h"
#include "json/json_write.h"
#include "store/connections.h"
#include "store/keys.h"
#include "store/messages.h"
#include "store/sends.h"

static void write_time(struct json_writer *w, const char *name, int64_t at_ms)
{
    char text[CLOCK_TEXT_BYTES];
    clock_format(at_ms, text);
    if (at_ms)
        json_member_str(w, name, str_from(text));
}

/* Everything of the row that is not another person's. What does not open is told, not hidden. */
static int write_message(struct call *call, const struct message_row *row, struct json_writer *w)
{
    struct str wrapped, plain = STR("null");
    struct seal_place place = {
        .owner = row->user_id,
        .table = STR("mcp_whatsapp_messages"),
        .row = call_format(call, "%lld/%.*s", (long long)row->connection_id, STR_ARG(row->id)),
        .column = STR("content_sealed"),
    };
    int error = store_keys_of_user(call, row->user_id, &wrapped);
    if (error)
        return error;
    if (row->content_sealed.ptr && seal_open_at(call, &place, wrapped, row->content_sealed, &plain)) {
        call_clear_error(call);
        plain = STR("\"cannot be opened\"");
    }
    json_object(w);
    json_member_i64(w, "connection_id", row->connection_id);
    json_member_str(w, "chat", row->chat);
    json_member_str(w, "message_id", row->message_id);
    json_member_bool(w, "outgoing", row->outgoing);
    json_member_str(w, "kind", row->kind);
    json_member_str(w, "status", row->status);
    write_time(w, "sent_at", row->sent_at_ms);
    json_member_raw(w, "content", plain);
    json_end(w);
    return OK;
}

static int write_messages(struct call *call, int64_t user_id, int64_t connection_id, struct str person,
                          struct json_writer *w)
{
    struct message_rows rows;
    int error = store_person_messages(call, user_id, connection_id, person, &rows);
    if (error)
        return error;
    json_key(w, STR("messages"));
    json_array(w);
    for (size_t i = 0; i < rows.count && !error; i++)
        error = write_message(call, &rows.items[i], w);
    json_end(w);
    return error;
}

static int write_chats(struct call *call, int64_t user_id, int64_t connection_id, struct str person,
                       struct json_writer *w)
{
    struct chat_rows rows;
    int error = store_person_chats(call, user_id, connection_id, person, &rows);
    if (error)
        return error;
    json_key(w, STR("chats"));
    json_array(w);
    for (size_t i = 0; i < rows.count; i++) {
        json_object(w);
        json_member_i64(w, "connection_id", rows.items[i].connection_id);
        json_member_i64(w, "unread", rows.items[i].unread);
        write_time(w, "last_at", rows.items[i].last_at_ms);
        write_time(w, "inbound_at", rows.items[i].inbound_at_ms);
        json_end(w);
    }
    json_end(w);
    return OK;
}

static int write_sends(struct call *call, int64_t user_id, int64_t connection_id, struct str person,
                       struct json_writer *w)
{
    struct send_rows rows;
    int error = store_sends_of_person(call, user_id, connection_id, person, &rows);
    if (error)
        return error;
    json_key(w, STR("sends"));
    json_array(w);
    for (size_t i = 0; i < rows.count; i++) {
        json_object(w);
        json_member_i64(w, "connection_id", rows.items[i].connection_id);
        json_member_str(w, "kind", rows.items[i].kind);
        json_member_str(w, "state", rows.items[i].state);
        if (rows.items[i].message_id.len)
            json_member_str(w, "message_id", rows.items[i].message_id);
        write_time(w, "created_at", rows.items[i].created_at_ms);
        json_end(w);
    }
    json_end(w);
    return OK;
}

struct str person_digest(struct call *call, struct str person)
{
    char digest[MAC_HEX_BYTES];
    keyring_mac(KEYRING_AUDIT, call_format(call, "person|%.*s", STR_ARG(person)), digest);
    return call_format(call, "%.32s", digest);
}

static int record(struct call *call, int64_t user_id, int64_t connection_id, const char *action, struct str person,
                  struct str more)
{
    const struct audit_event event = {
        .user_id = user_id == USER_ANY ? 0 : user_id,
        .connection_id = connection_id,
        .action = str_from(action),
        .data_json =
            call_format(call, "{\"person_mac\":\"%.*s\"%.*s}", STR_ARG(person_digest(call, person)), STR_ARG(more)),
    };
    return audit_record(call, &event);
}

int person_export(struct call *call, int64_t user_id, int64_t connection_id, struct str person, struct buf *out)
{
    struct json_writer w;
    json_write_init(&w, out);
    json_object(&w);
    json_member_str(&w, "person", person);
    int error = write_chats(call, user_id, connection_id, person, &w);
    if (!error)
        error = write_messages(call, user_id, connection_id, person, &w);
    if (!error)
        error = write_sends(call, user_id, connection_id, person, &w);
    if (error)
        return error;
    json_end(&w);
    if (!buf_failed(out) && (error = record(call, user_id, connection_id, "messages.export_person", person, STR_EMPTY)))
        return error;
    return buf_failed(out) ? fail(call, E_LIMIT, "There is too much of this person for one export.") : OK;
}

static int erase(struct call *call, int64_t user_id, int64_t connection_id, struct str person,
                 struct person_counts *ret)
{
    int error = store_person_erase(call, user_id, connection_id, person, ret);
    if (error)
        return error;
    return record(call, user_id, connection_id, "messages.erase_person", person,
                  call_format(call, ",\"messages\":%lld,\"chats\":%lld,\"sends\":%lld", (long long)ret->messages,
                              (long long)ret->chats, (long long)ret->sends));
}

int person_erase(struct call *call, int64_t user_id, int64_t connection_id, struct str person,
                 struct person_counts *ret)
{
    bool mine;
    *ret = (struct person_counts){0};
    int error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, erase(call, user_id, connection_id, person, ret));
}

/* Conversations and what was said in them. */
#include "messages/messages.h"

#include "base/log.h"
#include "crypto/sha256.h"
#include "crypto/token.h"
#include "json/json_write.h"
#include "store/messages.h"
#include "store/sends.h"

enum { ID_CHARS = 20, CONTENT_MAX_BYTES = 3 * MESSAGE_TEXT_MAX_BYTES, FORGET_EVERY_MS = 60 * 60 * 1000 };
#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

static struct messages_here *here_of(struct messages *messages)
{
    return (struct messages_here *)messages;
}

/* ---- sealing */

static struct seal_place place_of(struct call *call, int64_t user_id, int64_t connection_id, const char *table,
                                  struct str id, const char *column)
{
    return (struct seal_place){
        .owner = user_id,
        .table = str_from(table),
        .row = call_format(call, "%lld/%.*s", (long long)connection_id, STR_ARG(id)),
        .column = str_from(column),
    };
}

static int seal_name(struct call *call, const struct messages_here *here, struct str chat, struct str name,
                     struct str *ret)
{
    struct seal_place place =
        place_of(call, here->user_id, here->connection_id, "mcp_whatsapp_chats", chat, "name_sealed");
    *ret = (struct str){NULL, 0};
    return name.len ? seal_make_at(call, &place, here->wrapped_key, str_sub(name, 0, 200), ret) : OK;
}

static struct str open_name(struct call *call, const struct messages_here *here, const struct chat_row *row)
{
    struct str name;
    struct seal_place place =
        place_of(call, here->user_id, here->connection_id, "mcp_whatsapp_chats", row->chat, "name_sealed");
    if (!row->name_sealed.ptr || seal_open_at(call, &place, here->wrapped_key, row->name_sealed, &name)) {
        call_clear_error(call);
        return STR_EMPTY;
    }
    return name;
}

static struct str content_of(struct call *call, const struct message *message)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, CONTENT_MAX_BYTES);
    json_write_init(&w, &text);
    json_object(&w);
    json_member_str(&w, "message", message->id);
    json_member_str(&w, "sender", message->sender);
    json_member_str(&w, "name", str_sub(message->name, 0, 200));
    json_member_str(&w, "text", str_sub(message->text, 0, MESSAGE_TEXT_MAX_BYTES));
    if (message->media_id.len)
        json_member_str(&w, "media", str_sub(message->media_id, 0, 512));
    if (message->reply_to.len)
        json_member_str(&w, "reply_to", str_sub(message->reply_to, 0, MESSAGE_ID_MAX_BYTES));
    json_end(&w);
    return buf_str(&text);
}

/* A row whose columns were edited does not pass for another message: what is sealed names it. */
static int open_message(struct call *call, const struct messages_here *here, const struct message_row *row,
                        struct message *ret)
{
    struct seal_place place =
        place_of(call, here->user_id, here->connection_id, "mcp_whatsapp_messages", row->id, "content_sealed");
    const struct json *content;
    struct str plain = STR("{}");
    *ret = (struct message){
        .id = row->message_id,
        .chat = row->chat,
        .sender = row->sender,
        .outgoing = row->outgoing,
        .kind = row->kind,
        .status = row->status,
        .at_ms = row->sent_at_ms,
        .status_at_ms = row->status_at_ms,
    };
    int error =
        row->content_sealed.ptr ? seal_open_at(call, &place, here->wrapped_key, row->content_sealed, &plain) : OK;
    if (error)
        return error;
    if (json_parse(call->arena, plain, NULL, &content, NULL) ||
        (row->content_sealed.ptr && !str_eq(json_str(json_get(content, STR("message"))), row->message_id)))
        return fail(call, E_CRYPTO, "A kept message was changed in the database; it is not shown.");
    ret->name = json_str(json_get(content, STR("name")));
    ret->text = json_str(json_get(content, STR("text")));
    ret->media_id = json_str(json_get(content, STR("media")));
    ret->reply_to = json_str(json_get(content, STR("reply_to")));
    return OK;
}

/* ---- taking */

/* Where a message that goes out and what is told of it find each other, whichever comes first. */
static struct str meeting_of(struct call *call, struct str message_id)
{
    char *digest = arena_alloc(call->arena, SHA256_HEX_BYTES);
    sha256_hex(call_format(call, "status of %.*s", STR_ARG(message_id)), digest);
    return str_from(digest);
}

static int set_status(struct call *call, const struct messages_here *here, const struct message_status *given,
                      struct str *ret_chat)
{
    int error = store_messages_status(call, here->connection_id, given->id, given->status, given->at_ms, ret_chat);
    if (!error && str_eq(given->status, STR("failed")))
        error = store_sends_undelivered(call, here->connection_id, given->id,
                                        given->problem.len ? given->problem : STR("not delivered"));
    return error;
}

/* What was told of it before it was kept. */
static int catch_up(struct call *call, const struct messages_here *here, const struct message *message)
{
    struct message_status early = {.id = message->id};
    struct str chat;
    int error = store_statuses_meet(call, here->connection_id, meeting_of(call, message->id), clock_now_ms(),
                                    &early.status, &early.at_ms);
    return error || !early.status.len ? error : set_status(call, here, &early, &chat);
}

static int keep(struct call *call, const struct messages_here *here, const struct message *message, bool *ret_new)
{
    struct message_row row = {
        .id = token_word(call, ID_CHARS),
        .user_id = here->user_id,
        .connection_id = here->connection_id,
        .chat = message->chat,
        .message_id = message->id,
        .sender = message->sender,
        .outgoing = message->outgoing,
        .kind = message->kind,
        .status = message->status,
        .sent_at_ms = message->at_ms,
        .status_at_ms = message->status_at_ms,
        .created_at_ms = clock_now_ms(),
    };
    struct chat_row chat = {
        .connection_id = here->connection_id,
        .user_id = here->user_id,
        .chat = message->chat,
        .unread = message->outgoing ? 0 : 1,
        .last_at_ms = message->at_ms,
        .inbound_at_ms = message->outgoing ? 0 : message->at_ms,
    };
    struct seal_place place =
        place_of(call, here->user_id, here->connection_id, "mcp_whatsapp_messages", row.id, "content_sealed");
    bool mine;
    int error = seal_make_at(call, &place, here->wrapped_key, content_of(call, message), &row.content_sealed);
    /* In a group the sender's name is not the chat's. */
    if (!error)
        error = seal_name(call, here, chat.chat, str_eq(message->sender, message->chat) ? message->name : STR_EMPTY,
                          &chat.name_sealed);
    if (!error)
        error = store_begin(call, &mine);
    if (error)
        return error;
    error = store_messages_insert(call, &row, ret_new);
    if (!error && *ret_new)
        error = store_chats_touch(call, &chat);
    if (!error && *ret_new && message->outgoing)
        error = catch_up(call, here, message);
    return store_end(call, mine, error);
}

static bool is_sane(const struct message *message)
{
    return message->id.len && message->id.len <= MESSAGE_ID_MAX_BYTES && message->chat.len &&
           message->chat.len <= MESSAGE_ADDRESS_MAX_BYTES && message->sender.len <= MESSAGE_ADDRESS_MAX_BYTES;
}

static int take(struct call *call, struct messages *messages, const struct message *message, bool *ret_new)
{
    *ret_new = false;
    /* From tomorrow, too: a clock that is wrong by hours would hide all that comes after it. */
    int64_t now_ms = clock_now_ms();
    if (!is_sane(message))
        return fail(call, E_INVALID, "The message has no id or no sender.");
    if (message->at_ms < now_ms - MESSAGES_EVENT_DAYS * DAY_MS || message->at_ms > now_ms + DAY_MS)
        return fail(call, E_INVALID, "The message is from a time that is too far away.");
    return keep(call, here_of(messages), message, ret_new);
}

static int status(struct call *call, struct messages *messages, const struct message_status *given, bool *ret_new)
{
    const struct messages_here *here = here_of(messages);
    struct str chat;
    int error = OK;
    *ret_new = false;
    if (!given->id.len || given->id.len > MESSAGE_ID_MAX_BYTES || given->at_ms > clock_now_ms() + DAY_MS)
        return fail(call, E_INVALID, "The status names no message, or is from a time that is too far away.");
    if (given->send_id.len)
        error = store_sends_found(call, here->connection_id, given->send_id, given->id, clock_now_ms());
    if (!error)
        error = set_status(call, here, given, &chat);
    /* Known already, or of a message that is not kept yet. That it was sent, its row will say by itself. */
    if (!error && !chat.len && !str_eq(given->status, STR("sent"))) {
        error =
            store_statuses_leave(call, here->connection_id, meeting_of(call, given->id), given->status, given->at_ms);
        if (!error)
            error = set_status(call, here, given, &chat);
    }
    *ret_new = !error && chat.len > 0;
    return error;
}

/* ---- showing */

static int64_t before_or_all(int64_t before_ms)
{
    return before_ms ? before_ms : clock_now_ms() + 2 * DAY_MS;
}

static struct chat chat_of(struct call *call, const struct messages_here *here, const struct chat_row *row)
{
    return (struct chat){
        .chat = row->chat,
        .name = open_name(call, here, row),
        .unread = row->unread,
        .last_at_ms = row->last_at_ms,
        .inbound_at_ms = row->inbound_at_ms,
        .archived = row->archived,
    };
}

static int chats(struct call *call, struct messages *messages, const struct chat_query *query, struct chat_list *ret)
{
    const struct messages_here *here = here_of(messages);
    struct chat_rows rows;
    size_t limit = query->limit && query->limit < MESSAGES_LISTED_MAX ? query->limit : MESSAGES_LISTED_MAX;
    int error = store_chats_list(call, here->user_id, here->connection_id, query->unread_only, query->archived,
                                 before_or_all(query->before_ms), query->before_id, (int64_t)limit + 1, &rows);
    if (error)
        return error;
    ret->has_more = rows.count > limit;
    ret->splits = ret->has_more && rows.items[limit].last_at_ms == rows.items[limit - 1].last_at_ms;
    ret->count = ret->has_more ? limit : rows.count;
    ret->items = arena_array_of(call->arena, struct chat, ret->count);
    for (size_t i = 0; i < ret->count; i++)
        ret->items[i] = chat_of(call, here, &rows.items[i]);
    return OK;
}

static int chat(struct call *call, struct messages *messages, struct str name, struct chat *ret, bool *ret_found)
{
    const struct messages_here *here = here_of(messages);
    struct chat_row row;
    int error = store_chats_get(call, here->user_id, here->connection_id, name, &row);
    *ret_found = !error;
    *ret = (struct chat){.chat = name};
    if (error == E_NOT_FOUND) {
        call_clear_error(call);
        return OK;
    }
    if (!error)
        *ret = chat_of(call, here, &row);
    return error;
}

/* Opens what fits; those that do not open are left out and said in the log. */
static void add_opened(struct call *call, const struct messages_here *here, const struct message_rows *rows,
                       struct str search, size_t limit, struct message_list *ret)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct message message;
        if (open_message(call, here, &rows->items[i], &message)) {
            log_warning("call %s: message %.*s of connection %lld: %.*s", call->id, STR_ARG(rows->items[i].id),
                        (long long)here->connection_id, STR_ARG(call->error_text));
            call_clear_error(call);
            continue;
        }
        if (search.len && !str_contains_nocase(message.text, search))
            continue;
        if (ret->count == limit) {
            ret->has_more = true;
            ret->splits = limit && message.at_ms == ret->items[limit - 1].at_ms;
            return;
        }
        ret->items[ret->count++] = message;
    }
}

static int list_around(struct call *call, const struct messages_here *here, const struct message_query *query,
                       size_t limit, struct message_list *ret)
{
    struct message_row middle;
    struct message_rows rows;
    int error = store_messages_get(call, here->user_id, here->connection_id, query->around, &middle);
    if (!error)
        error = store_messages_list(call, here->user_id, here->connection_id, middle.chat, before_or_all(0), STR_EMPTY,
                                    MESSAGES_SEARCHED_MAX, &rows);
    if (error)
        return error;
    size_t at = 0;
    while (at < rows.count && !str_eq(rows.items[at].message_id, query->around))
        at++;
    if (at == rows.count)
        return fail(call, E_NOT_FOUND, "The message is not among the newest %d of its conversation.",
                    MESSAGES_SEARCHED_MAX);
    size_t first = at > limit / 2 ? at - limit / 2 : 0;
    if (first < rows.count)
        rows.items += first, rows.count -= first;
    add_opened(call, here, &rows, STR_EMPTY, limit, ret);
    return OK;
}

static int list(struct call *call, struct messages *messages, const struct message_query *query,
                struct message_list *ret)
{
    const struct messages_here *here = here_of(messages);
    struct message_rows rows;
    size_t limit = query->limit && query->limit < MESSAGES_LISTED_MAX ? query->limit : MESSAGES_LISTED_MAX;
    *ret = (struct message_list){.items = arena_array_of(call->arena, struct message, limit)};
    if (query->around.len)
        return list_around(call, here, query, limit, ret);
    int64_t wanted = query->search.len ? MESSAGES_SEARCHED_MAX : (int64_t)limit + 1;
    int error = store_messages_list(call, here->user_id, here->connection_id, query->chat,
                                    before_or_all(query->before_ms), query->before_id, wanted, &rows);
    if (!error)
        add_opened(call, here, &rows, query->search, limit, ret);
    return error;
}

static void tell_status(struct message *message, const struct message_rows *rows)
{
    struct str told = STR("sent");
    for (size_t i = 0; i < rows->count; i++) {
        if (!str_eq(rows->items[i].message_id, message->id))
            continue;
        told = rows->items[i].status;
        message->status_at_ms = rows->items[i].status_at_ms;
    }
    if (!str_eq(told, STR("sent")) || !str_eq(message->status, STR("failed")))
        message->status = told;
}

static int tell_statuses(struct call *call, struct messages *messages, struct message *items, size_t n)
{
    const struct messages_here *here = here_of(messages);
    struct str ids[STATUSES_ASKED_MAX];
    struct message_rows rows;
    for (size_t first = 0; first < n; first += STATUSES_ASKED_MAX) {
        size_t n_ids = 0, end = first + STATUSES_ASKED_MAX < n ? first + STATUSES_ASKED_MAX : n;
        for (size_t i = first; i < end; i++)
            if (items[i].outgoing)
                ids[n_ids++] = items[i].id;
        int error = n_ids ? store_messages_statuses(call, here->user_id, here->connection_id, ids, n_ids, &rows) : OK;
        if (error)
            return error;
        for (size_t i = first; i < end; i++)
            if (items[i].outgoing)
                tell_status(&items[i], &rows);
    }
    return OK;
}

static int mark_read(struct call *call, struct messages *messages, struct str name)
{
    const struct messages_here *here = here_of(messages);
    return store_chats_read(call, here->user_id, here->connection_id, name);
}

static int archive(struct call *call, struct messages *messages, struct str name, bool archived)
{
    const struct messages_here *here = here_of(messages);
    return store_chats_archive(call, here->user_id, here->connection_id, name, archived);
}

static int opt_out(struct call *call, struct messages *messages, struct str who, bool out, int64_t at_ms,
                   struct str reason)
{
    const struct messages_here *here = here_of(messages);
    bool changed;
    return optout_set(call, here->user_id, here->connection_id, who,
                      &(struct optout_wish){.out = out, .at_ms = at_ms, .reason = reason}, &changed);
}

static int is_opted_out(struct call *call, struct messages *messages, struct str who, bool *ret)
{
    return store_optouts_has(call, here_of(messages)->connection_id, who, ret);
}

struct messages *messages_of(struct call *call, const struct site *site, int64_t token_id, int64_t holder)
{
    static const struct messages_functions functions = {
        .take = take,
        .status = status,
        .chats = chats,
        .chat = chat,
        .list = list,
        .tell_statuses = tell_statuses,
        .mark_read = mark_read,
        .archive = archive,
        .send_begin = sending_begin,
        .send_go = sending_go,
        .send_recognise = sending_recognise,
        .send_end = sending_end,
        .opt_out = opt_out,
        .is_opted_out = is_opted_out,
    };
    struct messages_here *here = arena_new_of(call->arena, struct messages_here);
    *here = (struct messages_here){
        .base = {&functions},
        .user_id = site->user_id,
        .connection_id = site->connection_id,
        .token_id = token_id,
        .holder = holder,
        .wrapped_key = site->secret.wrapped_key,
    };
    return &here->base;
}

/* ---- events, and forgetting */

int messages_event(struct call *call, int64_t connection_id, const char *kind, struct str what, bool *ret_new)
{
    char digest[SHA256_HEX_BYTES];
    sha256_hex(what, digest);
    return store_events_take(call, connection_id, str_from(digest), kind, clock_now_ms(), ret_new);
}

void messages_forget_old(struct call *call)
{
    static int64_t next_ms;
    int64_t count, now_ms = clock_now_ms();
    if (clock_monotonic_ms() < next_ms)
        return;
    next_ms = clock_monotonic_ms() + FORGET_EVERY_MS;
    int error = store_events_forget(call, now_ms - MESSAGES_EVENT_DAYS * DAY_MS);
    if (!error)
        error = store_messages_forget(call, now_ms - MESSAGES_DAYS * DAY_MS, &count);
    if (!error)
        error = store_sends_forget(call, now_ms - MESSAGES_SEND_DAYS * DAY_MS);
    if (!error)
        error = store_pace_forget(call, (now_ms - DAY_MS) * 1000);
    if (error) {
        log_warning("call %s: old messages could not be forgotten: %.*s", call->id, STR_ARG(call->error_text));
        call_clear_error(call);
    }
}

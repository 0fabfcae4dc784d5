/* /api/connections/{id}/chats, templates, sends, optouts, people */
#include "web/api_messages.h"

#include "accounts/connect_state.h"
#include "accounts/connections.h"
#include "messages/messages.h"
#include "store/messages.h"
#include "store/sends.h"

enum { LIMIT_DEFAULT = 50, EXPORT_BYTES_MAX = API_ANSWER_BYTES_MAX };

#define NULL_OR_INTEGER "{\"type\":[\"integer\",\"null\"]}"
#define LIMIT_SCHEMA "{\"type\":\"integer\",\"minimum\":1,\"maximum\":200}"
#define BEFORE_SCHEMA "{\"type\":\"string\",\"maxLength\":40}"
#define BEFORE_MEANING "A time, as items have it: only what is older."
#define BEFORE_ID_SCHEMA "{\"type\":\"string\",\"maxLength\":256}"
#define BEFORE_ID_MEANING "With before, the item that had that time: those of the same time that come behind it, too."
#define PAGE_SCHEMA(item)                                                                                              \
    "{\"type\":\"object\",\"properties\":{\"items\":{\"type\":\"array\",\"items\":" item "},\"more\":" API_BOOLEAN     \
    "},\"required\":[\"items\",\"more\"]}"

static int open_desk(struct call *call, const struct api *api, struct connect_desk *ret)
{
    int64_t id;
    int error = api_id(call, api, &id);
    return error ? error : connect_conversations(call, api->person.user_id, id, ret);
}

/* The service does not take the password any more: as when a tool finds that out. */
static int note_refusal(struct call *call, const struct connect_desk *desk, int error)
{
    struct str text = call->error_text;
    if (error != E_REFUSED)
        return error;
    if (connections_refused(call, &desk->site, text) != OK)
        call_clear_error(call);
    return fail(call, E_REFUSED, "%.*s", STR_ARG(text));
}

static int read_before(struct call *call, const struct api *api, int64_t *ret_ms, struct str *ret_id)
{
    struct str before = api_query(call, api, "before"), id = api_query(call, api, "before_id");
    *ret_ms = 0;
    *ret_id = id.ptr ? id : STR_EMPTY;
    if (before.ptr && !clock_parse(before, ret_ms))
        return fail(call, E_INVALID, "before must be a time, as 2026-01-31T13:00:00Z.");
    return OK;
}

/* What pages of a connection begin with. */
static int open_page(struct call *call, const struct api *api, struct connect_desk *ret, int64_t *ret_before_ms,
                     struct str *ret_before_id)
{
    int error = open_desk(call, api, ret);
    return error ? error : read_before(call, api, ret_before_ms, ret_before_id);
}

/* One person at a connection, as typed. */
static int open_person(struct call *call, const struct api *api, struct str typed, struct connect_desk *ret,
                       struct str *ret_person)
{
    int error = open_desk(call, api, ret);
    return error ? error : ret->conversations->person(call, typed, ret_person);
}

static bool flag(struct call *call, const struct api *api, const char *name)
{
    struct str value = api_query(call, api, name);
    return value.ptr && str_eq(value, STR("true"));
}

static struct str words(struct call *call, const struct api *api, const char *name)
{
    struct str value = api_query(call, api, name);
    return value.ptr ? value : STR_EMPTY;
}

static size_t limit_of(const struct api *api, struct call *call)
{
    int64_t limit = api_query_number(call, api, "limit");
    return limit ? (size_t)limit : LIMIT_DEFAULT;
}

static void end_page(struct api *api, bool has_more)
{
    json_end(&api->out);
    json_member_bool(&api->out, "more", has_more);
    json_end(&api->out);
}

/* ---- conversations */

static int list_chats(struct call *call, struct api *api)
{
    struct connect_desk desk;
    struct chat_list found = {0};
    struct chat_query query = {.limit = limit_of(api, call),
                               .unread_only = flag(call, api, "unread"),
                               .archived = flag(call, api, "archived")};
    int error = open_page(call, api, &desk, &query.before_ms, &query.before_id);
    if (!error)
        error = note_refusal(
            call, &desk,
            desk.conversations->chats(call, &desk.site, messages_of(call, &desk.site, 0, 0), &query, &found));
    if (error)
        return error;
    api_list_begin(api);
    for (size_t i = 0; i < found.count; i++) {
        const struct chat *chat = &found.items[i];
        json_object(&api->out);
        json_member_str(&api->out, "chat", chat->chat);
        api_member_text(&api->out, "name", chat->name);
        json_member_i64(&api->out, "unread", chat->unread);
        api_member_time(call, &api->out, "last_at", chat->last_at_ms);
        api_member_time(call, &api->out, "open_until", chat->inbound_at_ms ? chat->inbound_at_ms + WINDOW_MS : 0);
        json_end(&api->out);
    }
    end_page(api, found.has_more);
    return OK;
}

static const struct api_parameter chat_parameters[] = {
    {"unread", "{\"type\":\"boolean\"}", "Only those with something unread."},
    {"archived", "{\"type\":\"boolean\"}", "Those that were put away."},
    {"before", BEFORE_SCHEMA, BEFORE_MEANING},
    {"before_id", BEFORE_ID_SCHEMA, BEFORE_ID_MEANING},
    {"limit", LIMIT_SCHEMA, "1 to 200."},
};

const struct api_operation api_messages_chats = {
    .id = "chatsList",
    .summary = "Conversations, the latest first. open_until: up to when one may answer freely after what came last. "
               "Names are as people gave themselves.",
    .parameters = chat_parameters,
    .n_parameters = ARRAY_LENGTH(chat_parameters),
    .answer =
        PAGE_SCHEMA("{\"type\":\"object\",\"properties\":{\"chat\":" API_TEXT ",\"name\":" API_TEXT_OR_NULL
                    ",\"unread\":" API_INTEGER ",\"last_at\":" API_TIME_OR_NULL ",\"open_until\":" API_TIME_OR_NULL
                    "},\"required\":[\"chat\",\"name\",\"unread\",\"last_at\",\"open_until\"]}"),
    .status = 200,
    .run = list_chats,
};

/* ---- what was said */

static void write_message(struct call *call, struct json_writer *w, const struct message *message)
{
    json_object(w);
    json_member_str(w, "id", message->id);
    api_member_time(call, w, "at", message->at_ms);
    json_member_bool(w, "outgoing", message->outgoing);
    api_member_text(w, "sender", message->sender);
    api_member_text(w, "name", message->name);
    json_member_str(w, "kind", message->kind);
    json_member_str(w, "text", message->text);
    json_member_str(w, "status", message->status);
    api_member_text(w, "reply_to", message->reply_to);
    json_end(w);
}

static int list_messages(struct call *call, struct api *api)
{
    struct connect_desk desk;
    struct message_list found = {0};
    struct message_query query = {
        .limit = limit_of(api, call), .search = words(call, api, "search"), .around = words(call, api, "around")};
    int error = open_person(call, api, api->segment2, &desk, &query.chat);
    if (!error)
        error = read_before(call, api, &query.before_ms, &query.before_id);
    if (!error)
        error = note_refusal(
            call, &desk,
            desk.conversations->list(call, &desk.site, messages_of(call, &desk.site, 0, 0), &query, &found));
    if (error)
        return error;
    api_list_begin(api);
    for (size_t i = 0; i < found.count; i++)
        write_message(call, &api->out, &found.items[i]);
    end_page(api, found.has_more);
    return OK;
}

static const struct api_parameter message_parameters[] = {
    {"search", "{\"type\":\"string\",\"maxLength\":200}", "Words in the text."},
    {"around", "{\"type\":\"string\",\"maxLength\":256}", "A message's id: those before and behind it."},
    {"before", BEFORE_SCHEMA, BEFORE_MEANING},
    {"before_id", BEFORE_ID_SCHEMA, BEFORE_ID_MEANING},
    {"limit", LIMIT_SCHEMA, "1 to 200."},
};

const struct api_operation api_messages_of_chat = {
    .id = "messagesList",
    .summary = "What was said in one conversation, newest first. Of what went out, the status is sent (accepted by the "
               "service), failed, or what the service's webhook told since: delivered, read.",
    .parameters = message_parameters,
    .n_parameters = ARRAY_LENGTH(message_parameters),
    .answer = PAGE_SCHEMA("{\"type\":\"object\",\"properties\":{\"id\":" API_TEXT ",\"at\":" API_TIME_OR_NULL
                          ",\"outgoing\":" API_BOOLEAN ",\"sender\":" API_TEXT_OR_NULL ",\"name\":" API_TEXT_OR_NULL
                          ",\"kind\":" API_TEXT ",\"text\":" API_TEXT ",\"status\":" API_TEXT
                          ",\"reply_to\":" API_TEXT_OR_NULL
                          "},\"required\":[\"id\",\"at\",\"outgoing\",\"kind\",\"text\",\"status\"]}"),
    .status = 200,
    .run = list_messages,
};

/* ---- templates */

static int list_templates(struct call *call, struct api *api)
{
    struct connect_desk desk;
    struct template_list found = {0};
    int error = open_desk(call, api, &desk);
    if (!error && desk.conversations->templates)
        error = note_refusal(call, &desk, desk.conversations->templates(call, &desk.site, &found));
    if (error)
        return error;
    api_list_begin(api);
    for (size_t i = 0; i < found.count; i++) {
        json_object(&api->out);
        json_member_str(&api->out, "name", found.items[i].name);
        api_member_text(&api->out, "language", found.items[i].language);
        api_member_text(&api->out, "status", found.items[i].status);
        api_member_text(&api->out, "category", found.items[i].category);
        api_member_text(&api->out, "body", found.items[i].body);
        json_end(&api->out);
    }
    api_list_end(api);
    return OK;
}

const struct api_operation api_messages_templates = {
    .id = "templatesList",
    .summary = "Messages that the service allows at any time, with their state there.",
    .answer =
        API_LIST_SCHEMA("{\"type\":\"object\",\"properties\":{\"name\":" API_TEXT ",\"language\":" API_TEXT_OR_NULL
                        ",\"status\":" API_TEXT_OR_NULL ",\"category\":" API_TEXT_OR_NULL ",\"body\":" API_TEXT_OR_NULL
                        "},\"required\":[\"name\"]}"),
    .status = 200,
    .run = list_templates,
};

/* ---- what went out */

static void write_send(struct call *call, struct json_writer *w, const struct send_row *row)
{
    json_object(w);
    json_member_str(w, "id", row->id);
    json_member_str(w, "to", row->recipient);
    json_member_str(w, "kind", row->kind);
    json_member_str(w, "state", row->state);
    api_member_text(w, "delivery", row->delivery);
    api_member_time(call, w, "delivery_at", row->delivery_at_ms);
    api_member_text(w, "message_id", row->message_id);
    api_member_text(w, "problem", row->problem);
    api_member_number(w, "token_id", row->token_id);
    api_member_time(call, w, "created_at", row->created_at_ms);
    api_member_time(call, w, "ended_at", row->ended_at_ms);
    json_end(w);
}

static int list_sends(struct call *call, struct api *api)
{
    struct connect_desk desk;
    struct send_rows rows;
    size_t limit = limit_of(api, call);
    int64_t before_ms;
    struct str before_id;
    int error = open_page(call, api, &desk, &before_ms, &before_id);
    if (!error)
        error = store_sends_list(call, api->person.user_id, desk.site.connection_id,
                                 before_ms ? before_ms : clock_now_ms() + 1000, before_id, (int64_t)limit + 1, &rows);
    if (error)
        return error;
    api_list_begin(api);
    for (size_t i = 0; i < rows.count && i < limit; i++)
        write_send(call, &api->out, &rows.items[i]);
    end_page(api, rows.count > limit);
    return OK;
}

static const struct api_parameter send_parameters[] = {
    {"before", BEFORE_SCHEMA, BEFORE_MEANING},
    {"before_id", BEFORE_ID_SCHEMA, BEFORE_ID_MEANING},
    {"limit", LIMIT_SCHEMA, "1 to 200."},
};

const struct api_operation api_messages_sends = {
    .id = "sendsList",
    .summary = "What went out, newest first, kept for 90 days. state: waiting, sending, sent (with the service's "
               "message_id), failed, unknown (nobody can say; it is not sent again). delivery is sent until the "
               "service's webhook tells more: delivered, read, failed.",
    .parameters = send_parameters,
    .n_parameters = ARRAY_LENGTH(send_parameters),
    .answer = PAGE_SCHEMA("{\"type\":\"object\",\"properties\":{\"id\":" API_TEXT ",\"to\":" API_TEXT
                          ",\"kind\":" API_TEXT ",\"state\":" API_TEXT ",\"delivery\":" API_TEXT_OR_NULL
                          ",\"delivery_at\":" API_TIME_OR_NULL ",\"message_id\":" API_TEXT_OR_NULL
                          ",\"problem\":" API_TEXT_OR_NULL ",\"token_id\":" NULL_OR_INTEGER
                          ",\"created_at\":" API_TIME_OR_NULL ",\"ended_at\":" API_TIME_OR_NULL
                          "},\"required\":[\"id\",\"to\",\"kind\",\"state\",\"delivery\",\"created_at\"]}"),
    .status = 200,
    .run = list_sends,
};

/* ---- who wants nothing more */

static int write_optouts(struct call *call, struct api *api, const struct connect_desk *desk)
{
    struct optout_rows rows;
    int error = store_optouts_list(call, api->person.user_id, desk->site.connection_id, &rows);
    if (error)
        return error;
    api_list_begin(api);
    for (size_t i = 0; i < rows.count; i++) {
        json_object(&api->out);
        json_member_str(&api->out, "person", rows.items[i].recipient);
        json_member_str(&api->out, "reason", rows.items[i].reason);
        api_member_time(call, &api->out, "created_at", rows.items[i].created_at_ms);
        json_end(&api->out);
    }
    api_list_end(api);
    return OK;
}

#define OPTOUTS_SCHEMA                                                                                                 \
    API_LIST_SCHEMA("{\"type\":\"object\",\"properties\":{\"person\":" API_TEXT ",\"reason\":" API_TEXT                \
                    ",\"created_at\":" API_TIME_OR_NULL "},\"required\":[\"person\",\"reason\",\"created_at\"]}")

static int list_optouts(struct call *call, struct api *api)
{
    struct connect_desk desk;
    int error = open_desk(call, api, &desk);
    return error ? error : write_optouts(call, api, &desk);
}

const struct api_operation api_messages_optouts = {
    .id = "optoutsList",
    .summary = "Who wants no messages any more: nothing goes to them until they ask for it.",
    .answer = OPTOUTS_SCHEMA,
    .status = 200,
    .run = list_optouts,
};

static int set_optout(struct call *call, struct api *api, struct str typed, bool out)
{
    struct connect_desk desk;
    struct str person, reason = api_text(api, "reason");
    bool changed;
    int error = open_person(call, api, typed, &desk, &person);
    if (error)
        return error;
    const struct optout_wish wish = {.out = out, .by_owner = true, .reason = reason.len ? reason : STR("by the owner")};
    error = optout_set(call, api->person.user_id, desk.site.connection_id, person, &wish, &changed);
    return error ? error : write_optouts(call, api, &desk);
}

static int opt_out(struct call *call, struct api *api)
{
    return set_optout(call, api, api_text(api, "person"), true);
}

const struct api_operation api_messages_opt_out = {
    .id = "optoutsAdd",
    .summary = "Puts a person on that list, by number with its country code or by the conversation's id.",
    .body = API_BODY("\"person\":" API_SHORT_TEXT ",\"reason\":" API_SHORT_TEXT, "\"person\""),
    .answer = OPTOUTS_SCHEMA,
    .status = 200,
    .run = opt_out,
};

static int opt_in(struct call *call, struct api *api)
{
    return set_optout(call, api, api->segment2, false);
}

const struct api_operation api_messages_opt_in = {
    .id = "optoutsDelete",
    .summary = "Takes a person off that list, who asked for messages again.",
    .answer = OPTOUTS_SCHEMA,
    .status = 200,
    .run = opt_in,
};

/* ---- one person's data */

static int export_person(struct call *call, struct api *api)
{
    struct connect_desk desk;
    struct str person;
    struct buf out;
    int error = open_person(call, api, api->segment2, &desk, &person);
    buf_init(&out, call->arena, EXPORT_BYTES_MAX);
    if (!error)
        error = person_export(call, api->person.user_id, desk.site.connection_id, person, &out);
    if (!error)
        json_raw_value(&api->out, buf_str(&out));
    return error;
}

const struct api_operation api_messages_person = {
    .id = "peopleShow",
    .summary = "All that is kept of one person at this connection: conversations, messages, what was sent. Audited, "
               "without the number.",
    .answer = "{\"type\":\"object\",\"properties\":{\"person\":" API_TEXT
              ",\"chats\":{\"type\":\"array\"},\"messages\":{\"type\":\"array\"},\"sends\":{\"type\":\"array\"}"
              "},\"required\":[\"person\",\"chats\",\"messages\",\"sends\"]}",
    .status = 200,
    .run = export_person,
};

static int erase_person(struct call *call, struct api *api)
{
    struct connect_desk desk;
    struct person_counts counts;
    struct str person;
    int error = open_person(call, api, api->segment2, &desk, &person);
    if (!error)
        error = person_erase(call, api->person.user_id, desk.site.connection_id, person, &counts);
    if (error)
        return error;
    json_object(&api->out);
    json_member_i64(&api->out, "messages", counts.messages);
    json_member_i64(&api->out, "chats", counts.chats);
    json_member_i64(&api->out, "sends", counts.sends);
    json_end(&api->out);
    return OK;
}

const struct api_operation api_messages_erase_person = {
    .id = "peopleDelete",
    .summary = "Erases all that is kept of one person at this connection. That they want no messages stays known; the "
               "audit log says that it was done, without the number.",
    .answer = "{\"type\":\"object\",\"properties\":{\"messages\":" API_INTEGER ",\"chats\":" API_INTEGER
              ",\"sends\":" API_INTEGER "},\"required\":[\"messages\",\"chats\",\"sends\"]}",
    .status = 200,
    .is_grave = true,
    .run = erase_person,
};

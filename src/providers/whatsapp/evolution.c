/* Evolution API v2: its operations as the tools want them. */
#include "providers/whatsapp/evolution.h"

#include "net/url.h"
#include "providers/whatsapp/phone.h"

enum { ANSWER_BYTES_MAX = 4 * 1024 * 1024 };

static int open(struct call *call, struct wa *wa)
{
    struct str instance = str_trim(json_str(json_get(wa->config, STR("instance"))));
    if (!wa->base.len)
        return fail(call, E_INVALID, "url is missing: the address of the Evolution server, as https://evo.example.com");
    if (!instance.len)
        return fail(call, E_INVALID, "instance is missing: the name of the instance at the Evolution server");
    wa->instance = wa_encode(call, instance);
    return OK;
}

static int ask(struct call *call, const struct wa *wa, const char *method, const char *area, struct str query,
               struct str body, struct wa_answer *ret)
{
    const struct wa_request request = {
        .method = method,
        .path = call_format(call, "/%s/%.*s%.*s", area, STR_ARG(wa->instance), STR_ARG(query)),
        .body = body,
        .max_body_bytes = ANSWER_BYTES_MAX,
    };
    return wa_request(call, wa, &request, ret);
}

/* ---- state and check */

static struct str quote(struct call *call, struct str text)
{
    return json_quote(call->arena, text);
}

/* "open", "close" (ours: "closed"), "connecting" */
static int state_of(struct call *call, const struct wa *wa, struct str *ret)
{
    struct wa_answer answer;
    int error = ask(call, wa, "GET", "instance/connectionState", STR_EMPTY, STR_EMPTY, &answer);
    struct str state = json_str(json_path(answer.json, "instance.state"));
    *ret = str_eq(state, STR("close")) ? STR("closed") : state;
    if (!error && !state.len)
        return fail(call, E_UPSTREAM,
                    "The server does not say whether the instance is connected: is it Evolution API v2?");
    return error;
}

static const struct json *instance_of(struct call *call, const struct wa *wa)
{
    struct wa_answer answer;
    const struct wa_request request = {
        .method = "GET",
        .path = call_format(call, "/instance/fetchInstances?instanceName=%.*s", STR_ARG(wa->instance)),
        .max_body_bytes = ANSWER_BYTES_MAX,
    };
    struct str name = str_trim(json_str(json_get(wa->config, STR("instance"))));
    if (wa_request(call, wa, &request, &answer) != OK)
        call_clear_error(call); /* some keys may not; then it is only told less */
    for (size_t i = 0; i < json_count(answer.json); i++)
        if (str_eq(json_str(json_get(json_at(answer.json, i), STR("name"))), name))
            return json_at(answer.json, i);
    return json_at(answer.json, SIZE_MAX);
}

static struct str number_of(struct call *call, const struct json *instance)
{
    struct str jid = json_str(json_get(instance, STR("ownerJid")));
    return jid.len ? phone_of_jid(call->arena, jid) : json_str(json_get(instance, STR("number")));
}

static int check(struct call *call, struct wa *wa, struct site_check *ret)
{
    struct str state;
    int64_t begun_ms = clock_monotonic_ms();
    int error = state_of(call, wa, &state);
    if (error)
        return error;
    ret->latency_ms = clock_monotonic_ms() - begun_ms;
    const struct json *instance = instance_of(call, wa);
    struct str number = number_of(call, instance), kind = json_str(json_get(instance, STR("integration")));
    ret->site_name =
        json_str_or(json_get(instance, STR("profileName")), json_str(json_get(wa->config, STR("instance"))));
    ret->site_user = number;
    ret->site_role = kind;
    ret->details_json = call_format(call, "{\"state\":%.*s,\"number\":%.*s,\"kind\":%.*s}", STR_ARG(quote(call, state)),
                                    STR_ARG(quote(call, number)), STR_ARG(quote(call, kind)));
    if (!str_eq(state, STR("open")))
        ret->warning = STR("The instance is not connected to a telephone: scan its QR code (connection state).");
    ret->ok = true;
    return OK;
}

static int state(struct call *call, const struct wa *wa, bool pair, struct connection_state *ret)
{
    struct wa_answer answer;
    int error = state_of(call, wa, &ret->state);
    if (error)
        return error;
    ret->details_json =
        call_format(call, "{\"number\":%.*s}", STR_ARG(quote(call, number_of(call, instance_of(call, wa)))));
    ret->text = str_eq(ret->state, STR("open")) ? STR("Connected to its telephone.")
                                                : STR("Not connected to a telephone: nothing can be sent.");
    if (!pair || str_eq(ret->state, STR("open")))
        return OK;
    error = ask(call, wa, "GET", "instance/connect", STR_EMPTY, STR_EMPTY, &answer);
    struct str picture = json_str(json_get(answer.json, STR("base64")));
    size_t comma = str_find_char(picture, ',');
    ret->qr_png = comma == STR_NOT_FOUND ? picture : str_from_offset(picture, comma + 1);
    ret->pairing_code = json_str(json_get(answer.json, STR("pairingCode")));
    if (!error && (ret->qr_png.len || ret->pairing_code.len))
        ret->text =
            STR("Scan the code with WhatsApp on the telephone (Settings, Linked devices), or type the pairing code "
                "there.");
    return error;
}

/* ---- one message */

static void begin(struct call *call, struct buf *out, struct json_writer *w, const struct wa_message *m)
{
    buf_init(out, call->arena, WA_BODY_MAX_BYTES);
    json_write_init(w, out);
    json_object(w);
    if (m->kind != WA_REACTION)
        json_member_str(w, "number", m->to);
    if (m->reply_to.len && m->kind != WA_REACTION)
        json_member_raw(w, "quoted", call_format(call, "{\"key\":{\"id\":%.*s}}", STR_ARG(quote(call, m->reply_to))));
}

static struct str jid_of(struct call *call, struct str chat)
{
    return str_find_char(chat, '@') == STR_NOT_FOUND ? call_format(call, "%.*s@s.whatsapp.net", STR_ARG(chat)) : chat;
}

static int find(struct call *call, const struct wa *wa, struct str where, size_t limit, struct wa_answer *ret)
{
    return ask(call, wa, "POST", "chat/findMessages", STR_EMPTY,
               call_format(call, "{\"where\":%.*s,\"page\":1,\"offset\":%zu}", STR_ARG(where), limit), ret);
}

/* What Evolution leaves out of its ids, or has more (Brazil's and Argentina's 9, Mexico's 1): both are asked for, one has the messages. */
static struct str other_jid(struct call *call, struct str chat)
{
    struct str twin = phone_twin(call->arena, chat);
    if (twin.len)
        return jid_of(call, twin);
    if (str_starts_with(chat, STR("52")) && chat.len == 12)
        return call_format(call, "521%.*s@s.whatsapp.net", STR_ARG(str_from_offset(chat, 2)));
    if (!str_starts_with(chat, STR("55")) || chat.len != 13)
        return STR_EMPTY;
    return call_format(call, "%.*s%.*s@s.whatsapp.net", 4, chat.ptr, STR_ARG(str_from_offset(chat, 5)));
}

/*
 * By which of the two forms the server knows this message: what is said of it under the other one is done, says the server, and
 * seen by nobody.
 */
static int jid_of_message(struct call *call, const struct wa *wa, struct str chat, struct str id, struct str *ret)
{
    struct wa_answer answer;
    struct str other = other_jid(call, chat);
    *ret = jid_of(call, chat);
    if (!other.len)
        return OK;
    int error = find(call, wa,
                     call_format(call, "{\"key\":{\"id\":%.*s,\"remoteJid\":%.*s}}", STR_ARG(quote(call, id)),
                                 STR_ARG(quote(call, other))),
                     1, &answer);
    if (!error && str_eq(json_str(json_path(json_at(json_path(answer.json, "messages.records"), 0), "key.id")), id))
        *ret = other;
    return error;
}

static void write_media(struct json_writer *w, const struct wa_message *m)
{
    json_member_str(w, "mediatype", m->media_kind);
    json_member_str(w, "media", m->media_url.len ? m->media_url : m->media_base64);
    if (m->media_type.len)
        json_member_str(w, "mimetype", m->media_type);
    if (m->text.len)
        json_member_str(w, "caption", m->text);
    if (m->file_name.len)
        json_member_str(w, "fileName", m->file_name);
}

static void write_options(struct json_writer *w, const struct wa_message *m)
{
    json_member_str(w, "title", m->header.len ? m->header : m->text);
    json_member_str(w, "description", m->header.len ? m->text : STR_EMPTY);
    json_member_str(w, m->kind == WA_LIST ? "footerText" : "footer", m->footer);
    if (m->kind == WA_LIST) {
        json_member_str(w, "buttonText", m->button);
        json_key(w, STR("sections"));
        json_array(w);
        json_object(w);
        json_member_str(w, "title", m->button);
        json_key(w, STR("rows"));
    } else {
        json_key(w, STR("buttons"));
    }
    json_array(w);
    for (size_t i = 0; i < m->n_options; i++) {
        json_object(w);
        if (m->kind == WA_BUTTONS)
            json_member_str(w, "type", STR("reply"));
        json_member_str(w, m->kind == WA_LIST ? "title" : "displayText", m->options[i].title);
        if (m->kind == WA_LIST)
            json_member_str(w, "description", m->options[i].description);
        json_member_str(w, m->kind == WA_LIST ? "rowId" : "id", m->options[i].id);
        json_end(w);
    }
    json_end(w);
    if (m->kind == WA_LIST) {
        json_end(w);
        json_end(w);
    }
}

static int write_reaction(struct call *call, const struct wa *wa, struct json_writer *w, const struct wa_message *m)
{
    struct str jid;
    int error = jid_of_message(call, wa, m->to, m->message_id, &jid);
    if (error)
        return error;
    json_key(w, STR("key"));
    json_object(w);
    json_member_str(w, "id", m->message_id);
    json_member_str(w, "remoteJid", jid);
    json_member_bool(w, "fromMe", m->message_is_mine);
    json_end(w);
    json_member_str(w, "reaction", m->emoji);
    return OK;
}

static int write_message(struct call *call, const struct wa *wa, const struct wa_message *m, struct wa_request *ret)
{
    static const char *const actions[WA_KINDS] = {
        [WA_TEXT] = "sendText",       [WA_MEDIA] = "sendMedia",       [WA_LOCATION] = "sendLocation",
        [WA_CONTACT] = "sendContact", [WA_REACTION] = "sendReaction", [WA_TEMPLATE] = "sendTemplate",
        [WA_BUTTONS] = "sendButtons", [WA_LIST] = "sendList",
    };
    struct buf *out = arena_new_of(call->arena, struct buf);
    struct json_writer w;
    const char *action = actions[m->kind];
    begin(call, out, &w, m);
    if (m->kind == WA_TEXT)
        json_member_str(&w, "text", m->text);
    if (m->kind == WA_MEDIA && str_eq(m->media_kind, STR("sticker"))) {
        action = "sendSticker";
        json_member_str(&w, "sticker", m->media_url.len ? m->media_url : m->media_base64);
    } else if (m->kind == WA_MEDIA) {
        write_media(&w, m);
    }
    if (m->kind == WA_LOCATION) {
        json_member_raw(&w, "latitude", m->latitude);
        json_member_raw(&w, "longitude", m->longitude);
        json_member_str(&w, "name", m->name);
        json_member_str(&w, "address", m->address);
    }
    if (m->kind == WA_CONTACT)
        json_member_raw(&w, "contact",
                        call_format(call, "[{\"fullName\":%.*s,\"phoneNumber\":\"+%.*s\",\"wuid\":\"%.*s\"}]",
                                    STR_ARG(quote(call, m->name)), STR_ARG(m->phone), STR_ARG(m->phone)));
    int error = m->kind == WA_REACTION ? write_reaction(call, wa, &w, m) : OK;
    if (error)
        return error;
    if (m->kind == WA_TEMPLATE) {
        json_member_str(&w, "name", m->name);
        json_member_str(&w, "language", m->language);
        json_member_raw(&w, "components", wa_components(call, m));
    }
    if (m->kind == WA_BUTTONS || m->kind == WA_LIST)
        write_options(&w, m);
    json_end(&w);
    if (buf_failed(out))
        return fail(call, E_LIMIT, "The message is larger than %d bytes: give a file by its address.",
                    WA_BODY_MAX_BYTES);
    ret->path = call_format(call, "/message/%s/%.*s", action, STR_ARG(wa->instance));
    ret->body = buf_str(out);
    return OK;
}

static struct str message_id(const struct json *json)
{
    return json_str(json_path(json, "key.id"));
}

static bool is_media(struct str kind)
{
    static const char *const kinds[] = {"imageMessage",    "videoMessage",   "audioMessage",
                                        "documentMessage", "stickerMessage", "ptvMessage"};
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (str_eq(kind, str_from(kinds[i])))
            return true;
    return false;
}

/* ---- reading. A record as findMessages and the webhook have it. */

struct message evolution_message(struct call *call, const struct json *record)
{
    struct str kind = json_str(json_get(record, STR("messageType")));
    const struct json *key = json_get(record, STR("key")), *content = json_get(record, STR("message"));
    const struct json *updates = json_get(record, STR("MessageUpdate"));
    struct str participant = json_str(json_get(key, STR("participant")));
    int64_t at_s = json_i64_or(json_get(record, STR("messageTimestamp")), 0);
    if (!at_s && !str_to_i64(json_str(json_get(record, STR("messageTimestamp"))), &at_s))
        at_s = 0;
    struct message message = {
        .id = json_str(json_get(key, STR("id"))),
        .chat = phone_of_jid(call->arena, json_str(json_get(key, STR("remoteJid")))),
        .name = json_str(json_get(record, STR("pushName"))),
        .outgoing = json_bool_or(json_get(key, STR("fromMe")), false),
        .kind = str_eq(kind, STR("conversation")) || str_eq(kind, STR("extendedTextMessage")) ? STR("text") : kind,
        .text = evolution_text(call, content),
        .media_id = is_media(kind) ? json_str(json_get(key, STR("id"))) : STR_EMPTY,
        .reply_to = json_str(json_path(record, "contextInfo.stanzaId")),
        .at_ms = at_s * 1000,
    };
    if (str_ends_with(message.kind, STR("Message")))
        message.kind.len -= STR("Message").len;
    if (!message.kind.len)
        message.kind = STR("other");
    if (message.outgoing) {
        message.name = STR_EMPTY;
        message.status = evolution_status(
            json_str(json_get(json_at(updates, json_count(updates) ? json_count(updates) - 1 : 0), STR("status"))));
        message.status = message.status.len ? message.status : STR("sent");
        return message;
    }
    message.sender = participant.len ? phone_of_jid(call->arena, participant) : message.chat;
    message.status = STR("received");
    return message;
}

/* What of a message can be read, of whatever kind it is. */
struct str evolution_text(struct call *call, const struct json *content)
{
    static const char *const places[] = {
        "conversation",
        "extendedTextMessage.text",
        "imageMessage.caption",
        "videoMessage.caption",
        "documentMessage.caption",
        "documentMessage.fileName",
        "reactionMessage.text",
        "contactMessage.displayName",
        "buttonsResponseMessage.selectedDisplayText",
        "listResponseMessage.title",
        "templateButtonReplyMessage.selectedDisplayText",
        "pollCreationMessage.name",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
        struct str text = json_str(json_path(content, places[i]));
        if (text.len)
            return text;
    }
    const struct json *place = json_get(content, STR("locationMessage"));
    if (json_is(place, JSON_OBJECT))
        return call_format(call, "%.*s, %.*s %.*s", STR_ARG(json_raw(json_get(place, STR("degreesLatitude")))),
                           STR_ARG(json_raw(json_get(place, STR("degreesLongitude")))),
                           STR_ARG(json_str(json_get(place, STR("name")))));
    return STR_EMPTY;
}

struct str evolution_status(struct str word)
{
    static const char *const words[][2] = {
        {"PENDING", "sent"},        {"SERVER_ACK", "sent"}, {"SENT", "sent"},   {"DELIVERY_ACK", "delivered"},
        {"DELIVERED", "delivered"}, {"READ", "read"},       {"PLAYED", "read"}, {"ERROR", "failed"},
        {"FAILED", "failed"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (str_eq_nocase(word, str_from(words[i][0])))
            return str_from(words[i][1]);
    return STR_EMPTY;
}

/* Is it on the page? In the service's order, of those of one time from the named one on. */
static bool is_behind(int64_t before_ms, struct str before_id, int64_t at_ms, struct str id, bool *passed)
{
    if (!before_ms || at_ms != before_ms)
        return !before_ms || at_ms < before_ms;
    bool is_behind = *passed;
    *passed = is_behind || (before_id.len && str_eq(id, before_id));
    return is_behind;
}

static int chats(struct call *call, const struct wa *wa, const struct chat_query *query, struct chat_list *ret)
{
    struct wa_answer answer;
    int error = ask(call, wa, "POST", "chat/findChats", STR_EMPTY, STR("{}"), &answer);
    size_t limit = query->limit && query->limit < WA_ITEMS_MAX ? query->limit : WA_ITEMS_MAX;
    bool passed = false;
    *ret = (struct chat_list){.items = arena_array_of(call->arena, struct chat, limit)};
    for (size_t i = 0; !error && i < json_count(answer.json); i++) {
        const struct json *item = json_at(answer.json, i), *last = json_get(item, STR("lastMessage"));
        struct chat chat = {
            .chat = phone_of_jid(call->arena, json_str(json_get(item, STR("remoteJid")))),
            .name = json_str(json_get(item, STR("pushName"))),
            .unread = json_i64_or(json_get(item, STR("unreadCount")), 0),
        };
        if (!clock_parse(json_str(json_get(item, STR("updatedAt"))), &chat.last_at_ms))
            chat.last_at_ms = 0;
        int64_t expires_ms = 0;
        if (json_bool_or(json_get(item, STR("windowActive")), false) &&
            clock_parse(json_str(json_get(item, STR("windowExpires"))), &expires_ms))
            chat.inbound_at_ms = expires_ms - WINDOW_MS;
        else if (json_is(last, JSON_OBJECT) && !json_bool_or(json_path(last, "key.fromMe"), true))
            chat.inbound_at_ms = json_i64_or(json_get(last, STR("messageTimestamp")), 0) * 1000;
        if (!chat.chat.len || (query->unread_only && !chat.unread) ||
            !is_behind(query->before_ms, query->before_id, chat.last_at_ms, chat.chat, &passed))
            continue;
        if (ret->count < limit) {
            ret->items[ret->count++] = chat;
            continue;
        }
        ret->has_more = true;
        ret->splits |= chat.last_at_ms == ret->items[limit - 1].last_at_ms;
    }
    return error;
}

static int list_of(struct call *call, const struct wa *wa, struct str jid, const struct message_query *query,
                   struct message_list *ret)
{
    struct wa_answer answer;
    size_t limit = query->limit && query->limit < WA_ITEMS_MAX ? query->limit : WA_ITEMS_MAX;
    size_t wanted = query->search.len || query->around.len || query->before_ms ? MESSAGES_SEARCHED_MAX : limit + 1;
    int error =
        find(call, wa, call_format(call, "{\"key\":{\"remoteJid\":%.*s}}", STR_ARG(quote(call, jid))), wanted, &answer);
    const struct json *records = json_path(answer.json, "messages.records");
    size_t first = 0;
    for (size_t i = 0; query->around.len && i < json_count(records); i++)
        if (str_eq(json_str(json_path(json_at(records, i), "key.id")), query->around))
            first = i > limit / 2 ? i - limit / 2 : 0;
    bool passed = false;
    *ret = (struct message_list){.items = arena_array_of(call->arena, struct message, limit)};
    for (size_t i = first; !error && i < json_count(records); i++) {
        struct message message = evolution_message(call, json_at(records, i));
        if ((query->search.len && !str_contains_nocase(message.text, query->search)) ||
            !is_behind(query->before_ms, query->before_id, message.at_ms, message.id, &passed))
            continue;
        if (ret->count == limit) {
            ret->has_more = true;
            ret->splits = message.at_ms == ret->items[limit - 1].at_ms;
            break;
        }
        ret->items[ret->count++] = message;
    }
    return error;
}

static int list(struct call *call, const struct wa *wa, const struct message_query *query, struct message_list *ret)
{
    struct str other = other_jid(call, query->chat);
    int error = list_of(call, wa, jid_of(call, query->chat), query, ret);
    if (!error && !ret->count && other.len)
        error = list_of(call, wa, other, query, ret);
    return error;
}

static int find_sent(struct call *call, const struct wa *wa, const struct wa_message *m, const struct send *send,
                     int64_t since_ms, struct str *ret_message_id)
{
    struct message_list found = {.count = 0};
    bool is_it = false;
    int error = m->kind == WA_TEXT ? list(call, wa, &(struct message_query){.chat = m->to, .limit = 50}, &found)
                                   : fail(call, E_NOT_FOUND, "Only texts can be found again.");
    for (size_t i = 0; !error && !is_it && i < found.count; i++) {
        const struct message *item = &found.items[i];
        if (!item->outgoing || item->at_ms < since_ms || !str_eq(item->text, m->text))
            continue;
        error = messages_send_recognise(call, wa->messages, send, item->id, &is_it);
        if (is_it)
            *ret_message_id = item->id;
    }
    return error;
}

static int contacts(struct call *call, const struct wa *wa, struct str search, size_t limit, struct buf *out)
{
    struct wa_answer answer;
    size_t shown = 0;
    int error = ask(call, wa, "POST", "chat/findContacts", STR_EMPTY, STR("{\"where\":{}}"), &answer);
    for (size_t i = 0; !error && i < json_count(answer.json) && shown < limit; i++) {
        const struct json *item = json_at(answer.json, i);
        struct str chat = phone_of_jid(call->arena, json_str(json_get(item, STR("remoteJid"))));
        struct str name = json_str(json_get(item, STR("pushName")));
        if (!chat.len || (search.len && !str_contains_nocase(name, search) && !str_contains(chat, search)))
            continue;
        buf_add_format(out, "%.*s\t%.*s\n", STR_ARG(chat), STR_ARG(name));
        shown++;
    }
    return error;
}

static int numbers(struct call *call, const struct wa *wa, const struct str *given, size_t n, struct buf *out)
{
    struct wa_answer answer;
    struct buf body;
    struct json_writer w;
    buf_init(&body, call->arena, 64 * 1024);
    json_write_init(&w, &body);
    json_object(&w);
    json_key(&w, STR("numbers"));
    json_array(&w);
    for (size_t i = 0; i < n; i++)
        json_string(&w, given[i]);
    json_end(&w);
    json_end(&w);
    int error = ask(call, wa, "POST", "chat/whatsappNumbers", STR_EMPTY, buf_str(&body), &answer);
    for (size_t i = 0; !error && i < json_count(answer.json); i++) {
        const struct json *item = json_at(answer.json, i);
        buf_add_format(out, "%.*s\t%s\n", STR_ARG(json_str(json_get(item, STR("number")))),
                       json_bool_or(json_get(item, STR("exists")), false) ? "on WhatsApp" : "not on WhatsApp");
    }
    return error;
}

/* ---- files that came: by the message's id, inside JSON */

static int media(struct call *call, const struct wa *wa, struct str id, struct wa_media *ret)
{
    enum { ANSWER_MAX_BYTES = WA_MEDIA_MAX_BYTES / 3 * 4 + 64 * 1024 };
    struct wa_answer answer;
    const struct wa_request request = {
        .method = "POST",
        .path = call_format(call, "/chat/getBase64FromMediaMessage/%.*s", STR_ARG(wa->instance)),
        .body = call_format(call, "{\"message\":{\"key\":{\"id\":%.*s}}}", STR_ARG(quote(call, id))),
        .max_body_bytes = ANSWER_MAX_BYTES,
    };
    int error = wa_request(call, wa, &request, &answer);
    if (error)
        return error;
    ret->type = json_str(json_get(answer.json, STR("mimetype")));
    ret->name = json_str(json_get(answer.json, STR("fileName")));
    ret->base64 = json_str(json_get(answer.json, STR("base64")));
    return OK;
}

/* ---- marking */

static int mark_read(struct call *call, const struct wa *wa, struct str chat, struct str id)
{
    struct wa_answer answer;
    struct str jid;
    int error = jid_of_message(call, wa, chat, id, &jid);
    if (error)
        return error;
    return ask(call, wa, "POST", "chat/markMessageAsRead", STR_EMPTY,
               call_format(call, "{\"readMessages\":[{\"id\":%.*s,\"fromMe\":false,\"remoteJid\":%.*s}]}",
                           STR_ARG(quote(call, id)), STR_ARG(quote(call, jid))),
               &answer);
}

static int archive(struct call *call, const struct wa *wa, struct str chat, struct str id, bool archived)
{
    struct wa_answer answer;
    struct str jid;
    int error = jid_of_message(call, wa, chat, id, &jid);
    if (error)
        return error;
    jid = quote(call, jid);
    return ask(call, wa, "POST", "chat/archiveChat", STR_EMPTY,
               call_format(call,
                           "{\"lastMessage\":{\"key\":{\"remoteJid\":%.*s,\"fromMe\":false,\"id\":%.*s}},\"chat\":%.*s,"
                           "\"archive\":%s}",
                           STR_ARG(jid), STR_ARG(quote(call, id)), STR_ARG(jid), archived ? "true" : "false"),
               &answer);
}

static int templates(struct call *call, const struct wa *wa, struct message_template *ret, size_t *ret_count)
{
    struct wa_answer answer;
    int error = ask(call, wa, "GET", "template/find", STR_EMPTY, STR_EMPTY, &answer);
    *ret_count = error ? 0 : wa_read_templates(call, answer.json, ret);
    return error;
}

static int groups(struct call *call, const struct wa *wa, struct str group, struct buf *out)
{
    struct wa_answer answer;
    int error = group.len
                    ? ask(call, wa, "GET", "group/findGroupInfos",
                          call_format(call, "?groupJid=%.*s", STR_ARG(wa_encode(call, group))), STR_EMPTY, &answer)
                    : ask(call, wa, "GET", "group/fetchAllGroups", STR("?getParticipants=false"), STR_EMPTY, &answer);
    if (error)
        return error;
    size_t n = json_is(answer.json, JSON_ARRAY) ? json_count(answer.json) : 1;
    for (size_t i = 0; i < n && i < WA_ITEMS_MAX; i++) {
        const struct json *item = json_is(answer.json, JSON_ARRAY) ? json_at(answer.json, i) : answer.json;
        const struct json *people = json_get(item, STR("participants"));
        buf_add_format(out, "%.*s\t%.*s\t%lld people\n", STR_ARG(json_str(json_get(item, STR("id")))),
                       STR_ARG(json_str(json_get(item, STR("subject")))),
                       (long long)json_i64_or(json_get(item, STR("size")), (int64_t)json_count(people)));
        for (size_t k = 0; group.len && k < json_count(people) && k < WA_ITEMS_MAX; k++)
            buf_add_format(out, "  %.*s %.*s\n",
                           STR_ARG(phone_of_jid(call->arena, json_str(json_get(json_at(people, k), STR("id"))))),
                           STR_ARG(json_str(json_get(json_at(people, k), STR("admin")))));
    }
    return OK;
}

/* ---- its webhook */

static int webhook_register(struct call *call, const struct wa *wa, const struct webhook_place *place)
{
    struct wa_answer answer;
    return ask(
        call, wa, "POST", "webhook/set", STR_EMPTY,
        call_format(call,
                    "{\"webhook\":{\"enabled\":true,\"url\":%.*s,\"byEvents\":false,\"base64\":false,\"headers\":{"
                    "\"jwt_key\":%.*s},\"events\":[\"MESSAGES_UPSERT\",\"MESSAGES_UPDATE\",\"SEND_MESSAGE\","
                    "\"CONNECTION_UPDATE\"]}}",
                    STR_ARG(quote(call, place->url)), STR_ARG(quote(call, place->secret))),
        &answer);
}

/* ---- everything else: named as its paths are, without the instance */

static const struct wa_operation operations[] = {
    {STR_INIT("GET instance/connectionState"), STR_INIT("is the telephone connected"), STR_INIT("{}"), RIGHT_READ,
     false},
    {STR_INIT("GET chat/findChatByRemoteJid"), STR_INIT("one chat"), STR_INIT("{remoteJid}"), RIGHT_READ, false},
    {STR_INIT("POST chat/findStatusMessage"), STR_INIT("delivery states as the server remembers"),
     STR_INIT("{where:{id,remoteJid}}"), RIGHT_READ, false},
    {STR_INIT("POST chat/fetchProfilePictureUrl"), STR_INIT("a contact's picture"), STR_INIT("{number}"), RIGHT_READ,
     false},
    {STR_INIT("POST chat/fetchProfile"), STR_INIT("a contact's profile"), STR_INIT("{number}"), RIGHT_READ, false},
    {STR_INIT("POST chat/fetchBusinessProfile"), STR_INIT("a contact's business profile"), STR_INIT("{number}"),
     RIGHT_READ, false},
    {STR_INIT("POST chat/getBase64FromMediaMessage"), STR_INIT("the file of a media message"),
     STR_INIT("{message:{key:{id}}}"), RIGHT_READ, false},
    {STR_INIT("GET label/findLabels"), STR_INIT("labels"), STR_INIT("{}"), RIGHT_READ, false},
    {STR_INIT("POST business/getCatalog"), STR_INIT("a catalogue"), STR_INIT("{number,limit}"), RIGHT_READ, false},
    {STR_INIT("GET group/participants"), STR_INIT("who is in a group"), STR_INIT("{groupJid}"), RIGHT_READ, false},
    {STR_INIT("GET group/inviteCode"), STR_INIT("a group's invitation"), STR_INIT("{groupJid}"), RIGHT_READ, false},
    {STR_INIT("POST chat/sendPresence"), STR_INIT("shows typing..."),
     STR_INIT("{number,presence:composing|recording|paused,"
              "delay}"),
     RIGHT_PUBLISH, false},
    {STR_INIT("POST chat/markChatUnread"), STR_INIT("marks a chat unread"), STR_INIT("{lastMessage:{key},chat}"),
     RIGHT_DRAFT, false},
    {STR_INIT("POST label/handleLabel"), STR_INIT("puts a label on a chat or takes it off"),
     STR_INIT("{number,labelId,action:add|remove}"), RIGHT_DRAFT, false},
    {STR_INIT("POST message/sendPoll"), STR_INIT("a poll"), STR_INIT("{number,name,selectableCount,values:[2-10]}"),
     RIGHT_PUBLISH, true, STR_INIT("poll"), STR_INIT("number")},
    {STR_INIT("POST message/sendStatus"), STR_INIT("a status (story)"),
     STR_INIT("{type,content,allContacts,statusJidList:[],...}"), RIGHT_PUBLISH, true, STR_INIT("status"),
     STR_INIT("statusJidList"), STR_INIT(""), STR_INIT("status@broadcast")},
    {STR_INIT("POST chat/updateMessage"), STR_INIT("changes a sent text"),
     STR_INIT("{number,key:{id,remoteJid,fromMe},text}"), RIGHT_PUBLISH, true, STR_INIT("edit"), STR_INIT("number")},
    {STR_INIT("DELETE chat/deleteMessageForEveryone"), STR_INIT("takes a message back"),
     STR_INIT("{id,remoteJid,fromMe,participant}"), RIGHT_DELETE, true},
    {STR_INIT("POST chat/updateBlockStatus"), STR_INIT("blocks a number"), STR_INIT("{number,status:block|unblock}"),
     RIGHT_ADMIN, true},
    {STR_INIT("POST group/create"), STR_INIT("a new group"), STR_INIT("{subject,description,participants:[]}"),
     RIGHT_ADMIN, true, STR_INIT("group"), STR_INIT("participants")},
    {STR_INIT("POST group/updateGroupSubject"), STR_INIT("renames a group"), STR_INIT("{groupJid (query),subject}"),
     RIGHT_ADMIN, true},
    {STR_INIT("POST group/updateParticipant"), STR_INIT("adds, removes, promotes, demotes"),
     STR_INIT("{groupJid (query),action,participants:[]}"), RIGHT_ADMIN, true, STR_INIT("group"),
     STR_INIT("participants"), STR_INIT("add")},
    {STR_INIT("DELETE group/leaveGroup"), STR_INIT("leaves a group"), STR_INIT("{groupJid (query)}"), RIGHT_ADMIN,
     true},
};

static struct str operation_path(struct call *call, const struct wa *wa, struct str name)
{
    size_t space = str_find_char(name, ' ');
    return call_format(call, "/%.*s/%.*s", STR_ARG(str_from_offset(name, space + 1)), STR_ARG(wa->instance));
}

const struct wa_backend wa_evolution = {
    .name = STR_INIT("evolution"),
    .judge = problem_of_evolution,
    .credential = {"apikey", "apikey", ""},
    .open = open,
    .check = check,
    .state = state,
    .write_message = write_message,
    .media = media,
    .message_id = message_id,
    .chats = chats,
    .list = list,
    .contacts = contacts,
    .numbers = numbers,
    .mark_read = mark_read,
    .archive = archive,
    .templates = templates,
    .groups = groups,
    .webhook = evolution_webhook,
    .webhook_register = webhook_register,
    .find_sent = find_sent,
    .operations = operations,
    .n_operations = ARRAY_LENGTH(operations),
    .operation_path = operation_path,
    /* A person's telephone: what is unusual for it is what gets it blocked. */
    .rules = {.per_second = 80, .per_recipient_ms = 6000, .recipients_per_day = 250, .per_token_a_day = 1000},
};

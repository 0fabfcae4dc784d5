/* wa_status, wa_inbox, wa_read, wa_contacts, wa_groups, wa_mark: looking at what is there. */
#include "providers/whatsapp/phone.h"
#include "providers/whatsapp/tools.h"

enum { LIMIT_DEFAULT = 20, LIMIT_MAX = 100, LINE_TEXT_BYTES = 2000, NUMBERS_MAX = 50 };

static size_t limit_of(const struct json *arguments)
{
    int64_t limit = json_i64_or(json_get(arguments, STR("limit")), LIMIT_DEFAULT);
    return limit < 1 ? 1 : limit > LIMIT_MAX ? LIMIT_MAX : (size_t)limit;
}

static bool flag(const struct json *arguments, const char *name)
{
    return json_bool_or(json_get(arguments, str_from(name)), false);
}

static int chat_argument(struct call *call, const struct json *arguments, struct str *ret)
{
    return phone_recipient(call, json_str(json_get(arguments, STR("chat"))), ret);
}

static int before_argument(struct call *call, const struct json *arguments, int64_t *ret_at_ms, struct str *ret_id)
{
    return wa_cursor_read(call, json_str(json_get(arguments, STR("before"))), ret_at_ms, ret_id);
}

static void write_more(struct call *call, int64_t last_at_ms, struct str last_id, struct buf *out)
{
    buf_add_format(out, "more: before \"%.*s\"", STR_ARG(wa_cursor(call, last_at_ms, last_id)));
}

static int unsupported(struct call *call, const struct wa *wa, const char *what)
{
    return fail(call, E_INVALID, "%s: not with the backend \"%.*s\".", what, STR_ARG(wa->backend->name));
}

/* ---- wa_status */

static void write_rules(const struct send_rules *rules, struct buf *out)
{
    buf_add_format(out, "limits: %lld messages/s, 1 per recipient in %lld s", (long long)rules->per_second,
                   (long long)(rules->per_recipient_ms / 1000));
    if (rules->recipients_per_day)
        buf_add_format(out, ", %lld recipients/24 h", (long long)rules->recipients_per_day);
    if (rules->per_token_a_day)
        buf_add_format(out, ", %lld messages/24 h with this token", (long long)rules->per_token_a_day);
    if (rules->quiet_from != rules->quiet_until)
        buf_add_format(out, ", quiet %02d:%02d-%02d:%02d (UTC%+d min)", rules->quiet_from / 60, rules->quiet_from % 60,
                       rules->quiet_until / 60, rules->quiet_until % 60, rules->utc_offset_min);
    buf_add_char(out, '\n');
}

int tool_wa_status(struct call *call, const struct tool_context *context, const struct json *arguments,
                   struct tool_result *result)
{
    struct wa wa;
    struct connection_state state = {0};
    char words[RIGHTS_TEXT_BYTES];
    (void)arguments;
    int error = wa_open(call, context->site, context->messages, &wa);
    if (!error)
        error = wa.backend->state(call, &wa, false, &state);
    if (error)
        return error;
    struct send_rules rules = wa_rules(&wa);
    int64_t quiet_until_ms = 0;
    (void)quiet_until_ms;
    buf_add_format(&result->text, "%.*s: %.*s. %.*s\n%.*s\n", STR_ARG(wa.backend->name), STR_ARG(state.state),
                   STR_ARG(state.text), STR_ARG(state.details_json));
    write_rules(&rules, &result->text);
    buf_add_format(&result->text, "24 h window: %s\nthis token may: %.*s",
                   wa.backend->has_window ? "holds; outside it only templates"
                                          : "only for business numbers; a first message is confirmed",
                   STR_ARG(rights_format(context->rights, words)));
    return OK;
}

/* ---- wa_inbox */

int wa_list_chats(struct call *call, const struct wa *wa, const struct chat_query *query, struct chat_list *ret)
{
    *ret = (struct chat_list){0};
    if (wa->backend->chats && !query->archived)
        return wa->backend->chats(call, wa, query, ret);
    return wa->messages ? messages_chats(call, wa->messages, query, ret) : OK;
}

static void write_chat(struct call *call, const struct wa *wa, const struct chat *chat, struct buf *out)
{
    int64_t until_ms = chat->inbound_at_ms ? chat->inbound_at_ms + WINDOW_MS : 0;
    buf_add_format(out, "%.*s\t%.*s\t%.*s", STR_ARG(chat->chat), STR_ARG(str_sub(chat->name, 0, 100)),
                   STR_ARG(wa_time(call, chat->last_at_ms)));
    if (chat->unread)
        buf_add_format(out, "\t%lld unread", (long long)chat->unread);
    if (until_ms > clock_now_ms())
        buf_add_format(out, "\twindow until %.*s", STR_ARG(wa_time(call, until_ms)));
    else if (wa->backend->has_window)
        buf_add(out, STR("\twindow closed"));
    buf_add_char(out, '\n');
}

int tool_wa_inbox(struct call *call, const struct tool_context *context, const struct json *arguments,
                  struct tool_result *result)
{
    struct wa wa;
    struct chat_list list;
    struct chat_query query = {
        .unread_only = flag(arguments, "unread"),
        .archived = flag(arguments, "archived"),
        .limit = limit_of(arguments),
    };
    int error = before_argument(call, arguments, &query.before_ms, &query.before_id);
    if (!error)
        error = wa_open(call, context->site, context->messages, &wa);
    if (!error)
        error = wa_list_chats(call, &wa, &query, &list);
    if (error)
        return error;
    if (!list.count)
        buf_add(&result->text, STR("No conversations. Those with the Cloud API are known from its webhook only."));
    else
        buf_add(&result->text, STR("chat\tname (as they say)\tlast (UTC)\n"));
    for (size_t i = 0; i < list.count; i++)
        write_chat(call, &wa, &list.items[i], &result->text);
    if (list.has_more) {
        const struct chat *last = &list.items[list.count - 1];
        write_more(call, last->last_at_ms, list.splits ? last->chat : STR_EMPTY, &result->text);
    }
    return OK;
}

/* ---- wa_read */

int wa_list_messages(struct call *call, const struct wa *wa, const struct message_query *query,
                     struct message_list *ret)
{
    *ret = (struct message_list){0};
    if (!wa->messages)
        return fail(call, E_UNAVAILABLE, "Conversations cannot be shown here: there is no record of what was sent.");
    if (!wa->backend->list)
        return messages_list(call, wa->messages, query, ret);
    int error = wa->backend->list(call, wa, query, ret);
    return error ? error : messages_tell_statuses(call, wa->messages, ret->items, ret->count);
}

/* Line breaks in a message are told from those between messages: nobody writes a line that looks like another's. */
static void write_text(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len && i < LINE_TEXT_BYTES; i++) {
        if (text.ptr[i] == '\n')
            buf_add(out, STR("\n    "));
        else if (text.ptr[i] != '\r')
            buf_add_char(out, text.ptr[i]);
    }
    if (text.len > LINE_TEXT_BYTES)
        buf_add(out, STR("..."));
}

void wa_write_messages(struct call *call, const struct message_list *list, struct buf *out)
{
    buf_add(out, STR(WA_OUTSIDE));
    for (size_t i = list->count; i-- > 0;) {
        const struct message *m = &list->items[i];
        buf_add_format(out, "%.*s %.*s", STR_ARG(wa_time(call, m->at_ms)),
                       STR_ARG(m->outgoing ? STR("me") : m->sender));
        if (m->outgoing && m->status.len)
            buf_add_format(out, " (%.*s)", STR_ARG(m->status));
        if (!str_eq(m->kind, STR("text")))
            buf_add_format(out, " [%.*s%s%.*s]", STR_ARG(m->kind), m->media_id.len ? " " : "", STR_ARG(m->media_id));
        buf_add_format(out, " id=%.*s", STR_ARG(m->id));
        if (m->reply_to.len)
            buf_add_format(out, " re=%.*s", STR_ARG(m->reply_to));
        buf_add(out, STR("\n    "));
        write_text(out, m->text);
        buf_add_char(out, '\n');
    }
}

/* As the protocol has it: pictures and sounds as such, everything else as a resource. */
static int show_media(struct call *call, const struct wa *wa, struct str id, struct tool_result *result)
{
    struct wa_media media;
    int error = wa_media_get(call, wa, id, &media);
    if (error)
        return error;
    struct str data = json_quote(call->arena, media.base64), type = json_quote(call->arena, media.type);
    bool is_image = str_starts_with(media.type, STR("image/")), is_audio = str_starts_with(media.type, STR("audio/"));
    if (is_image || is_audio)
        tool_result_block(result, call_format(call, "{\"type\":\"%s\",\"data\":%.*s,\"mimeType\":%.*s}",
                                              is_image ? "image" : "audio", STR_ARG(data), STR_ARG(type)));
    else
        tool_result_block(result, call_format(call,
                                              "{\"type\":\"resource\",\"resource\":{\"uri\":\"" WA_MEDIA_URI
                                              "%.*s\",\"mimeType\":%.*s,\"blob\":%.*s}}",
                                              STR_ARG(id), STR_ARG(type), STR_ARG(data)));
    buf_add_format(&result->text, WA_OUTSIDE "%.*s%s%.*s", STR_ARG(media.type), media.name.len ? ", named " : "",
                   STR_ARG(media.name));
    result->audit_json = call_format(call, "{\"media\":%.*s}", STR_ARG(json_quote(call->arena, id)));
    return OK;
}

int tool_wa_read(struct call *call, const struct tool_context *context, const struct json *arguments,
                 struct tool_result *result)
{
    struct wa wa;
    struct message_list list;
    struct message_query query = {
        .around = json_str(json_get(arguments, STR("around"))),
        .search = json_str(json_get(arguments, STR("q"))),
        .limit = limit_of(arguments),
    };
    int error = before_argument(call, arguments, &query.before_ms, &query.before_id);
    if (!error)
        error = wa_open(call, context->site, context->messages, &wa);
    if (!error)
        error = chat_argument(call, arguments, &query.chat);
    struct str media = json_str(json_get(arguments, STR("media")));
    if (!error && media.len)
        return show_media(call, &wa, media, result);
    if (!error)
        error = wa_list_messages(call, &wa, &query, &list);
    if (error)
        return error;
    if (!list.count) {
        buf_add(&result->text, query.search.len ? STR("Nothing found.") : STR("No messages are known here."));
        return OK;
    }
    wa_write_messages(call, &list, &result->text);
    if (list.has_more) {
        const struct message *last = &list.items[list.count - 1];
        write_more(call, last->at_ms, list.splits ? last->id : STR_EMPTY, &result->text);
    }
    return OK;
}

/* ---- wa_contacts */

static int tell_numbers(struct call *call, const struct wa *wa, const struct json *given, struct tool_result *result)
{
    struct str numbers[NUMBERS_MAX];
    size_t n = json_count(given);
    if (n > NUMBERS_MAX)
        return fail(call, E_LIMIT, "At most %d numbers at a time.", NUMBERS_MAX);
    for (size_t i = 0; i < n; i++) {
        int error = phone_parse(call, json_str(json_at(given, i)), &numbers[i]);
        if (error)
            return error;
    }
    if (!wa->backend->numbers)
        return unsupported(call, wa, "Asking whether numbers are on WhatsApp");
    return wa->backend->numbers(call, wa, numbers, n, &result->text);
}

int tool_wa_contacts(struct call *call, const struct tool_context *context, const struct json *arguments,
                     struct tool_result *result)
{
    struct wa wa;
    struct chat_list list;
    const struct json *numbers = json_get(arguments, STR("numbers"));
    struct str search = json_str(json_get(arguments, STR("q")));
    size_t limit = limit_of(arguments), shown = 0;
    int error = wa_open(call, context->site, context->messages, &wa);
    if (error)
        return error;
    if (json_count(numbers))
        return tell_numbers(call, &wa, numbers, result);
    if (wa.backend->contacts) {
        error = wa.backend->contacts(call, &wa, search, limit, &result->text);
        if (!error && !result->text.len)
            buf_add(&result->text, STR("No contacts found."));
        return error;
    }
    error = wa_list_chats(call, &wa, &(struct chat_query){.limit = MESSAGES_LISTED_MAX}, &list);
    for (size_t i = 0; !error && i < list.count && shown < limit; i++) {
        const struct chat *chat = &list.items[i];
        if (search.len && !str_contains_nocase(chat->name, search) && !str_contains(chat->chat, search))
            continue;
        buf_add_format(&result->text, "%.*s\t%.*s\n", STR_ARG(chat->chat), STR_ARG(str_sub(chat->name, 0, 100)));
        shown++;
    }
    if (!error && !shown)
        buf_add(&result->text, STR("No contacts found among those who have written."));
    return error;
}

/* ---- wa_groups */

int tool_wa_groups(struct call *call, const struct tool_context *context, const struct json *arguments,
                   struct tool_result *result)
{
    struct wa wa;
    struct str group = json_str(json_get(arguments, STR("id")));
    int error = wa_open(call, context->site, context->messages, &wa);
    if (!error && group.len && (phone_recipient(call, group, &group) || !phone_is_group(group)))
        return fail(call, E_INVALID, "id must be a group's, as 1203...@g.us.");
    if (!error && !wa.backend->groups)
        return unsupported(call, &wa, "Groups");
    if (!error)
        error = wa.backend->groups(call, &wa, group, &result->text);
    if (!error && !result->text.len)
        buf_add(&result->text, STR("No groups."));
    return error;
}

/* ---- wa_mark */

/* The newest that came: it is what both services want to have named. */
static int newest_of(struct call *call, const struct wa *wa, struct str chat, struct str *ret)
{
    struct message_list list;
    int error = wa_list_messages(call, wa, &(struct message_query){.chat = chat, .limit = 50}, &list);
    *ret = STR_EMPTY;
    for (size_t i = 0; !error && i < list.count && !ret->len; i++)
        if (!list.items[i].outgoing)
            *ret = list.items[i].id;
    if (!error && !ret->len)
        return fail(call, E_NOT_FOUND, "Nothing has come from %.*s that could be marked.", STR_ARG(chat));
    return error;
}

static int mark_here(struct call *call, const struct wa *wa, struct str chat, bool archive, bool on)
{
    int error = !wa->messages ? OK
                : archive     ? messages_archive(call, wa->messages, chat, on)
                              : messages_mark_read(call, wa->messages, chat);
    if (error == E_NOT_FOUND) { /* known to the service only */
        call_clear_error(call);
        return OK;
    }
    return error;
}

int tool_wa_mark(struct call *call, const struct tool_context *context, const struct json *arguments,
                 struct tool_result *result)
{
    struct wa wa;
    struct str chat, id, as = json_str(json_get(arguments, STR("as")));
    bool archive = !str_eq(as, STR("read")), on = str_eq(as, STR("archived"));
    int error = wa_open(call, context->site, context->messages, &wa);
    if (!error)
        error = chat_argument(call, arguments, &chat);
    if (!error)
        error = newest_of(call, &wa, chat, &id);
    if (error)
        return error;
    /* Their telephone shows that it was read: others notice. */
    if (!archive && (error = host_agree(call, context->host, STR("read receipts that the sender sees"))))
        return error;
    if (!archive)
        error = wa.backend->mark_read(call, &wa, chat, id);
    else if (wa.backend->archive)
        error = wa.backend->archive(call, &wa, chat, id, on);
    if (!error)
        error = mark_here(call, &wa, chat, archive, on);
    if (!error)
        buf_add_format(&result->text, "%.*s: %.*s%s", STR_ARG(chat), STR_ARG(as),
                       archive && !wa.backend->archive ? " (here only: the service has no such mark)" : "");
    return error;
}

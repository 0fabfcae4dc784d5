/* Conversations as resources: wa://chats/{chat}. What webhooks bring is told to who has subscribed. */
#include "providers/whatsapp/phone.h"
#include "providers/whatsapp/tools.h"

enum { READ_MESSAGES = 50, READ_MAX_BYTES = 512 * 1024 };

static int list(struct call *call, const struct tool_context *context, struct str cursor, struct resource_page *ret)
{
    struct wa wa;
    struct chat_list chats;
    struct chat_query query = {.limit = RESOURCE_PAGE_MAX};
    if (wa_cursor_read(call, cursor, &query.before_ms, &query.before_id)) {
        call_clear_error(call);
        return fail(call, E_INVALID, "This cursor is none of ours.");
    }
    int error = wa_open(call, context->site, context->messages, &wa);
    if (!error)
        error = wa_list_chats(call, &wa, &query, &chats);
    for (size_t i = 0; !error && i < chats.count; i++) {
        const struct chat *chat = &chats.items[i];
        ret->items[ret->n_items++] = (struct resource){
            .uri = call_format(call, WA_CHAT_URI "%.*s", STR_ARG(chat->chat)),
            .name = chat->chat,
            .title = chat->name,
            .mime_type = STR("text/plain"),
            .last_modified = chat->last_at_ms ? call_format(call, "%.10sT%.5sZ", wa_time(call, chat->last_at_ms).ptr,
                                                            wa_time(call, chat->last_at_ms).ptr + 11)
                                              : STR_EMPTY,
        };
    }
    if (!error && chats.has_more)
        ret->next_cursor = wa_cursor(call, chats.items[chats.count - 1].last_at_ms, chats.items[chats.count - 1].chat);
    return error;
}

static int read_media(struct call *call, const struct tool_context *context, struct str uri,
                      struct resource_result *result)
{
    struct wa wa;
    struct wa_media media;
    int error = wa_open(call, context->site, context->messages, &wa);
    if (!error)
        error = wa_media_get(call, &wa, str_from_offset(uri, STR(WA_MEDIA_URI).len), &media);
    if (!error)
        resource_blob(result, uri, media.type, media.base64);
    return error;
}

static int read(struct call *call, const struct tool_context *context, struct str uri, struct resource_result *result)
{
    struct wa wa;
    struct message_list messages;
    struct message_query query = {.limit = READ_MESSAGES};
    struct buf text;
    if (str_starts_with(uri, STR(WA_MEDIA_URI)))
        return read_media(call, context, uri, result);
    if (!str_starts_with(uri, STR(WA_CHAT_URI)) ||
        phone_recipient(call, str_from_offset(uri, STR(WA_CHAT_URI).len), &query.chat)) {
        call_clear_error(call);
        return fail(call, E_NOT_FOUND, "There is no conversation of this URI.");
    }
    int error = wa_open(call, context->site, context->messages, &wa);
    if (!error)
        error = wa_list_messages(call, &wa, &query, &messages);
    if (error)
        return error;
    if (!messages.count)
        return fail(call, E_NOT_FOUND, "There is no conversation of this URI.");
    buf_init(&text, call->arena, READ_MAX_BYTES);
    wa_write_messages(call, &messages, &text);
    resource_text(result, uri, STR("text/plain"), buf_str(&text));
    return OK;
}

static const struct resource_template templates[] = {
    {.uri_template = STR_INIT(WA_CHAT_URI "{chat}"),
     .name = STR_INIT("chat"),
     .title = STR_INIT("A conversation"),
     .description = STR_INIT("The newest messages with one number or group"),
     .mime_type = STR_INIT("text/plain")},
    {.uri_template = STR_INIT(WA_MEDIA_URI "{id}"),
     .name = STR_INIT("media"),
     .title = STR_INIT("A file that came"),
     .description = STR_INIT("By the id that stands in brackets in its message; up to 5 MB")},
};

const struct resources whatsapp_resources = {
    .list = list,
    .read = read,
    .templates = templates,
    .n_templates = ARRAY_LENGTH(templates),
};

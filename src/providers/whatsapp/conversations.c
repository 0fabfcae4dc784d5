/* Conversations and templates for people: what the tools show a model, as data. */
#include "providers/whatsapp/phone.h"
#include "providers/whatsapp/tools.h"

static int chats(struct call *call, const struct site *site, struct messages *messages, const struct chat_query *query,
                 struct chat_list *ret)
{
    struct wa wa;
    int error = wa_open(call, site, messages, &wa);
    return error ? error : wa_list_chats(call, &wa, query, ret);
}

static int list(struct call *call, const struct site *site, struct messages *messages,
                const struct message_query *query, struct message_list *ret)
{
    struct wa wa;
    int error = wa_open(call, site, messages, &wa);
    return error ? error : wa_list_messages(call, &wa, query, ret);
}

static int templates(struct call *call, const struct site *site, struct template_list *ret)
{
    struct wa wa;
    size_t n = 0;
    struct message_template *items = arena_array_of(call->arena, struct message_template, WA_ITEMS_MAX);
    int error = wa_open(call, site, NULL, &wa);
    if (!error)
        error = wa.backend->templates(call, &wa, items, &n);
    *ret = (struct template_list){.items = items, .count = error ? 0 : n};
    return error;
}

const struct conversations whatsapp_conversations = {
    .chats = chats,
    .list = list,
    .templates = templates,
    .person = phone_recipient,
};

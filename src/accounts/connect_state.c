/* Whether the service's side of a connection is up. */
#include "accounts/connect_state.h"

#include "accounts/connect.h"
#include "accounts/connections.h"
#include "audit/audit.h"

struct opened {
    struct connection_row row;
    const struct provider *provider;
    struct site site;
};

static int open_connection(struct call *call, int64_t user_id, int64_t id, struct opened *ret)
{
    *ret = (struct opened){0};
    int error = connections_show(call, user_id, id, &ret->row);
    if (!error)
        error = connect_provider(call, ret->row.provider_key, &ret->provider);
    return error ? error : connections_site(call, user_id, id, &ret->site);
}

static struct webhook_place place_of(struct call *call, struct str own_url, const struct opened *opened)
{
    return webhook_place_of(call, own_url, opened->provider->key, opened->row.id, opened->row.user_id);
}

int connect_state(struct call *call, int64_t user_id, int64_t id, struct str own_url, bool pair,
                  struct connection_state *ret, struct webhook_place *ret_place)
{
    struct opened opened;
    *ret = (struct connection_state){0};
    *ret_place = (struct webhook_place){0};
    int error = open_connection(call, user_id, id, &opened);
    if (error)
        return error;
    if (!opened.provider->state)
        return fail(call, E_INVALID, "%.*s has no state of its own: test the connection instead.",
                    STR_ARG(opened.provider->name));
    if (opened.provider->webhook)
        *ret_place = place_of(call, own_url, &opened);
    const struct audit_event event = {
        .user_id = opened.row.user_id, .connection_id = id, .action = STR("connections.pair"), .data_json = STR("{}")};
    if (pair && (error = audit_record(call, &event)))
        return error;
    return opened.provider->state(call, &opened.site, pair, ret);
}

int connect_webhook(struct call *call, int64_t user_id, int64_t id, struct str own_url, struct webhook_place *ret)
{
    struct opened opened;
    *ret = (struct webhook_place){0};
    int error = open_connection(call, user_id, id, &opened);
    if (!error && !opened.provider->webhook)
        return fail(call, E_INVALID, "%.*s sends nothing by itself.", STR_ARG(opened.provider->name));
    if (!error)
        *ret = place_of(call, own_url, &opened);
    return error;
}

int connect_register_webhook(struct call *call, int64_t user_id, int64_t id, struct str own_url)
{
    struct opened opened;
    int error = open_connection(call, user_id, id, &opened);
    if (error)
        return error;
    if (!opened.provider->webhook_register)
        return fail(call, E_INVALID, "%.*s sends nothing by itself.", STR_ARG(opened.provider->name));
    const struct webhook_place place = place_of(call, own_url, &opened);
    error = opened.provider->webhook_register(call, &opened.site, &place);
    const struct audit_event event = {.user_id = opened.row.user_id,
                                      .connection_id = id,
                                      .action = STR("connections.register_webhook"),
                                      .data_json = STR("{}")};
    return error ? error : audit_record(call, &event);
}

int connect_conversations(struct call *call, int64_t user_id, int64_t id, struct connect_desk *ret)
{
    struct opened opened;
    *ret = (struct connect_desk){0};
    int error = open_connection(call, user_id, id, &opened);
    if (error)
        return error;
    *ret = (struct connect_desk){
        .provider = opened.provider, .conversations = opened.provider->conversations, .site = opened.site};
    if (!ret->conversations)
        return fail(call, E_INVALID, "%.*s has no conversations.", STR_ARG(ret->provider->name));
    return OK;
}

int connect_person(struct call *call, struct str typed, struct str *ret)
{
    for (size_t i = 0; i < provider_count(); i++)
        if (provider_at(i)->conversations)
            return provider_at(i)->conversations->person(call, typed, ret);
    return fail(call, E_INVALID, "No provider of this program has conversations.");
}

/* Whether the service's side of a connection is up. */
#include "accounts/connect_state.h"

#include "accounts/connect.h"
#include "accounts/connections.h"
#include "audit/audit.h"

static int open_connection(struct call *call, int64_t user_id, int64_t id, struct connection_row *row,
                           const struct provider **ret_provider, struct site *ret_site)
{
    int error = connections_show(call, user_id, id, row);
    if (!error)
        error = connect_provider(call, row->provider_key, ret_provider);
    return error ? error : connections_site(call, user_id, id, ret_site);
}

int connect_state(struct call *call, int64_t user_id, int64_t id, struct str own_url, bool pair,
                  struct connection_state *ret, struct webhook_place *ret_place)
{
    const struct provider *provider = NULL;
    struct connection_row row;
    struct site site;
    *ret = (struct connection_state){0};
    *ret_place = (struct webhook_place){0};
    int error = open_connection(call, user_id, id, &row, &provider, &site);
    if (error)
        return error;
    if (!provider->state)
        return fail(call, E_INVALID, "%.*s has no state of its own: test the connection instead.",
                    STR_ARG(provider->name));
    if (provider->webhook)
        *ret_place = webhook_place_of(call, own_url, provider->key, id, row.user_id);
    return provider->state(call, &site, pair, ret);
}

int connect_register_webhook(struct call *call, int64_t user_id, int64_t id, struct str own_url)
{
    const struct provider *provider = NULL;
    struct connection_row row;
    struct site site;
    int error = open_connection(call, user_id, id, &row, &provider, &site);
    if (error)
        return error;
    if (!provider->webhook_register)
        return fail(call, E_INVALID, "%.*s sends nothing by itself.", STR_ARG(provider->name));
    const struct webhook_place place = webhook_place_of(call, own_url, provider->key, id, row.user_id);
    error = provider->webhook_register(call, &site, &place);
    const struct audit_event event = {.user_id = row.user_id,
                                      .connection_id = id,
                                      .action = STR("connections.register_webhook"),
                                      .data_json = STR("{}")};
    return error ? error : audit_record(call, &event);
}

/* Taking a change back in its owner's name. */
#include "mcp/take_back.h"

#include "accounts/connections.h"
#include "mcp/tools.h"

static int run(struct call *call, const struct provider *provider, const struct principal *who, int64_t number,
               struct str *ret_text)
{
    struct str text =
        call_format(call, "{\"%.*s\":\"%lld\"}", STR_ARG(provider->changes->undo_argument), (long long)number);
    const struct json *arguments;
    struct mcp_request *request = arena_new_of(call->arena, struct mcp_request);
    struct mcp_host *host = arena_new_of(call->arena, struct mcp_host);
    struct tool_result *result = arena_new_of(call->arena, struct tool_result);
    *request = (struct mcp_request){.who = who, .provider = provider};
    if (json_parse(call->arena, text, NULL, &arguments, NULL) < 0)
        return fail(call, E_INTERNAL, "The arguments could not be made.");
    request->message.params = arguments;
    int error = mcp_host_init(call, host, request, false, provider->changes->undo_tool, arguments);
    if (!error)
        error = tools_run(call, host, result);
    if (!error)
        *ret_text = buf_str(&result->text);
    return error;
}

int take_back(struct call *call, int64_t user_id, int64_t connection_id, int64_t number, struct str *ret_text)
{
    struct principal *who = arena_new_of(call->arena, struct principal);
    struct connection_row connection;
    int error = connections_show(call, user_id, connection_id, &connection);
    if (!error)
        error = connections_site(call, user_id, connection_id, &who->site);
    if (error)
        return error;
    const struct provider *provider = provider_find(connection.provider_key);
    if (!provider || !provider->changes)
        return fail(call, E_DENIED, "Changes at this service cannot be taken back here.");
    who->user_id = user_id;
    who->connection_id = connection_id;
    who->provider_key = connection.provider_key;
    who->token_name = who->token_last4 = STR_EMPTY;
    who->rights = RIGHTS_ALL;
    who->confirm = CONFIRM_NONE;
    return run(call, provider, who, number, ret_text);
}

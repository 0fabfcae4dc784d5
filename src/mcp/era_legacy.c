/*
 * The revisions with a handshake: 2025-03-26, 2025-06-18, 2025-11-25. Served without sessions: initialize answers and nothing is
 * kept, because every later request carries its token, and its version in a header (basic/lifecycle, basic/transports). Only a
 * client that can be asked something gets a session, whose id says so (mcp/session.h).
 */
#include "mcp/ask.h"
#include "mcp/methods.h"

static const struct str versions[] = {
    STR_INIT(MCP_VERSION_LEGACY_NEWEST),
    STR_INIT("2025-06-18"),
    STR_INIT(MCP_VERSION_BATCHES),
};

bool mcp_version_is_legacy(struct str version)
{
    for (size_t i = 0; i < ARRAY_LENGTH(versions); i++)
        if (str_eq(versions[i], version))
            return true;
    return false;
}

/* ---- what only this era has; each writes the result's members */

static int serve_initialize(struct call *call, struct mcp_request *request, struct mcp_reply *reply)
{
    const struct json *params = request->message.params;
    struct str wanted = json_str(json_get(params, STR("protocolVersion")));
    unsigned abilities = mcp_abilities_read(json_get(params, STR("capabilities"))) & ~(unsigned)HOST_TASKS;
    struct buf *out = &reply->body;
    if (abilities & (HOST_FORM | HOST_URL | HOST_SAMPLING)) {
        struct mcp_session *session = arena_new_of(call->arena, struct mcp_session);
        session_make(request->who, abilities, session);
        reply->session = session;
    }
    /* "If the server supports the requested version it MUST answer with it, otherwise with another it supports." */
    buf_add(out, STR("\"protocolVersion\":\""));
    buf_add(out, mcp_version_is_legacy(wanted) ? wanted : STR(MCP_VERSION_LEGACY_NEWEST));
    buf_add(out, STR("\",\"serverInfo\":"));
    buf_add(out, mcp_server_info);
    buf_add_char(out, ',');
    methods_introduce(call, request->provider, false, out);
    return OK;
}

static int serve_ping(struct call *call, struct mcp_request *request, struct mcp_reply *reply)
{
    (void)call;
    (void)request;
    (void)reply;
    return OK;
}

/* Without a session there is nowhere to keep it: accepted, as a hint that was not followed. */
static int serve_set_level(struct call *call, struct mcp_request *request, struct mcp_reply *reply)
{
    int level = mcp_level_parse(json_str(json_get(request->message.params, STR("level"))));
    (void)reply;
    if (level < 0)
        return fail(call, E_INVALID,
                    "\"level\" must be debug, info, notice, warning, error, critical, alert or emergency.");
    if (request->session)
        session_set_level(request->session, level);
    return OK;
}

/* There is no stream to tell updates on, so only a provider for which that is no promise takes it. */
static int serve_subscribe(struct call *call, struct mcp_request *request, struct mcp_reply *reply)
{
    (void)reply;
    if (!json_str(json_get(request->message.params, STR("uri"))).len)
        return fail(call, E_INVALID, "\"uri\" must be a string.");
    return OK;
}

static const struct {
    struct str method;
    unsigned feature; /* that the provider must have; 0: none */
    int (*serve)(struct call *call, struct mcp_request *request, struct mcp_reply *reply);
} own_methods[] = {
    {STR_INIT("initialize"), 0, serve_initialize},
    {STR_INIT("ping"), 0, serve_ping},
    {STR_INIT("logging/setLevel"), PROVIDER_LOGS, serve_set_level},
    {STR_INIT("resources/subscribe"), PROVIDER_LEGACY_SUBSCRIBE, serve_subscribe},
    {STR_INIT("resources/unsubscribe"), PROVIDER_LEGACY_SUBSCRIBE, serve_subscribe},
};

/* ---- requests */

/* False: this is no method of its own. */
static bool serve_own(struct call *call, struct mcp_request *request, struct mcp_reply *reply)
{
    for (size_t i = 0; i < ARRAY_LENGTH(own_methods); i++) {
        unsigned feature = own_methods[i].feature;
        if (!str_eq(own_methods[i].method, request->message.method) ||
            (feature && !(request->provider->features & feature)))
            continue;
        rpc_begin_result(&reply->body, request->message.id_raw);
        if (own_methods[i].serve(call, request, reply))
            mcp_reply_error(reply, 200, request->message.id_raw, RPC_INVALID_PARAMS, call->error_text);
        else
            rpc_end_result(&reply->body);
        return true;
    }
    return false;
}

static void serve_method(struct call *call, const struct method *method, const struct mcp_request *request,
                         struct mcp_reply *reply)
{
    struct buf *out = &reply->body;
    struct mcp_host *host = arena_new_of(call->arena, struct mcp_host);
    struct ask_running *running = NULL;
    if (request->session) {
        running = arena_new_of(call->arena, struct ask_running);
        ask_running_begin(running, call, request);
    }
    rpc_begin_result(out, request->message.id_raw);
    int error = method_run(call, method, host, request, false, out);
    if (running)
        ask_running_end(running);
    reply->lacking_rights = host->lacking_rights;
    if (error) {
        buf_clear(out);
        reply->status = host->retry_after_s ? mcp_host_retry_status(host) : 200;
        reply->retry_after_s = host->retry_after_s;
        reply->error_code = method_error_code(host, error);
        rpc_error(out, request->message.id_raw, reply->error_code, call->error_text, host->data_json);
        return;
    }
    rpc_end_result(out);
}

void era_legacy_serve(struct call *call, struct mcp_request *request, struct mcp_reply *reply)
{
    const struct method *method = method_find(request->message.method, request->provider, false);
    reply->status = 200;
    if (serve_own(call, request, reply))
        return;
    if (method) {
        serve_method(call, method, request, reply);
        return;
    }
    mcp_reply_error(
        reply, 200, request->message.id_raw, RPC_METHOD_NOT_FOUND,
        call_format(call, "There is no method '%.*s' here.", STR_ARG(str_sub(request->message.method, 0, 100))));
}

void era_legacy_notice(struct call *call, const struct mcp_request *request)
{
    (void)call;
    if (!request->session)
        return;
    if (request->message.kind == RPC_RESPONSE)
        ask_answered(request->session, request->body);
    else if (str_eq(request->message.method, STR("notifications/cancelled")))
        ask_cancel(request->session, json_get(request->message.params, STR("requestId")));
}

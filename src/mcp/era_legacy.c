/*
 * The revisions with a handshake: 2025-03-26, 2025-06-18, 2025-11-25. Served without sessions: initialize answers and nothing is
 * kept, because every later request carries its token, and its version in a header (basic/lifecycle, basic/transports).
 */
#include "json/json_write.h"
#include "mcp/protocol.h"
#include "mcp/tools.h"

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

static void serve_initialize(struct call *call, const struct mcp_request *request, struct mcp_reply *reply)
{
    (void)call;
    struct str wanted = json_str(json_get(request->message.params, STR("protocolVersion")));
    struct json_writer w;
    buf_add(&reply->body, STR("{\"jsonrpc\":\"2.0\",\"id\":"));
    buf_add(&reply->body, request->message.id_raw);
    buf_add(&reply->body, STR(",\"result\":"));
    json_write_init(&w, &reply->body);
    json_object(&w);
    /* "If the server supports the requested version it MUST answer with it, otherwise with another it supports." */
    json_member_str(&w, "protocolVersion", mcp_version_is_legacy(wanted) ? wanted : STR(MCP_VERSION_LEGACY_NEWEST));
    json_member_raw(&w, "capabilities", STR("{\"tools\":{}}"));
    json_member_raw(&w, "serverInfo", mcp_server_info);
    if (request->provider->instructions.len)
        json_member_str(&w, "instructions", request->provider->instructions);
    json_end(&w);
    buf_add_char(&reply->body, '}');
}

static void serve_ping(struct call *call, const struct mcp_request *request, struct mcp_reply *reply)
{
    (void)call;
    rpc_begin_result(&reply->body, request->message.id_raw);
    rpc_end_result(&reply->body);
}

static void serve_tools_list(struct call *call, const struct mcp_request *request, struct mcp_reply *reply)
{
    if (tools_list_cursor_is_bad(request->message.params)) {
        mcp_reply_error(reply, 200, request->message.id_raw, RPC_INVALID_PARAMS,
                        STR("There is no page with this cursor."));
        return;
    }
    rpc_begin_result(&reply->body, request->message.id_raw);
    tools_list(call, request->provider, request->who->rights, &reply->body);
    rpc_end_result(&reply->body);
}

static void serve_tools_call(struct call *call, const struct mcp_request *request, struct mcp_reply *reply)
{
    struct tools_outcome outcome;
    if (tools_call(call, request->provider, request->who, request->message.params, &outcome) != OK) {
        mcp_reply_error(reply, 200, request->message.id_raw, RPC_INVALID_PARAMS, call->error_text);
        return;
    }
    rpc_begin_result(&reply->body, request->message.id_raw);
    tools_write_outcome(&outcome, &reply->body);
    rpc_end_result(&reply->body);
}

static const struct {
    struct str method;
    void (*serve)(struct call *call, const struct mcp_request *request, struct mcp_reply *reply);
} methods[] = {
    {STR_INIT("initialize"), serve_initialize},
    {STR_INIT("ping"), serve_ping},
    {STR_INIT("tools/list"), serve_tools_list},
    {STR_INIT("tools/call"), serve_tools_call},
};

void era_legacy_serve(struct call *call, const struct mcp_request *request, struct mcp_reply *reply)
{
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++) {
        if (!str_eq(methods[i].method, request->message.method))
            continue;
        reply->status = 200;
        methods[i].serve(call, request, reply);
        return;
    }
    mcp_reply_error(
        reply, 200, request->message.id_raw, RPC_METHOD_NOT_FOUND,
        call_format(call, "There is no method '%.*s' here.", STR_ARG(str_sub(request->message.method, 0, 100))));
}

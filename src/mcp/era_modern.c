/*
 * The revision without a handshake: 2026-07-28. Every request says in params._meta which version it speaks and what its client
 * can do, and repeats method and name in headers, so that proxies may route without reading bodies; what differs is refused
 * (basic/transports "Header validation").
 */
#include "mcp/header.h"
#include "mcp/listen.h"
#include "mcp/methods.h"
#include "mcp/tasks.h"
#include "mcp/tools.h"

#define META_VERSION STR("io.modelcontextprotocol/protocolVersion")
#define META_CAPABILITIES STR("io.modelcontextprotocol/clientCapabilities")

/* _meta with serverInfo, which every result should carry; closes nothing. */
static void write_meta(struct buf *out)
{
    buf_add(out, STR(",\"_meta\":{\"io.modelcontextprotocol/serverInfo\":"));
    buf_add(out, mcp_server_info);
    buf_add_char(out, '}');
}

static void write_cache_hint(struct buf *out, int64_t ttl_ms)
{
    /* Whatever we say depends on the token: never to be shared between users by a cache on the way. */
    buf_add(out, STR(",\"ttlMs\":"));
    buf_add_i64(out, ttl_ms);
    buf_add(out, STR(",\"cacheScope\":\"private\""));
}

static void serve_discover(struct call *call, const struct mcp_request *request, struct mcp_reply *reply)
{
    struct buf *out = &reply->body;
    rpc_begin_result(out, request->message.id_raw);
    buf_add(out, STR("\"resultType\":\"complete\",\"supportedVersions\":[\"" MCP_VERSION_MODERN "\"],"));
    methods_introduce(call, request->provider, true, out);
    write_cache_hint(out, DISCOVER_TTL_MS);
    write_meta(out);
    rpc_end_result(out);
}

static void reply_failure(struct call *call, const struct mcp_host *host, int error, struct mcp_reply *reply)
{
    struct str id_raw = host->request->message.id_raw;
    buf_clear(&reply->body);
    reply->error_code = host->lacking ? RPC_MISSING_CAPABILITY : method_error_code(host, error);
    reply->status = host->lacking ? 400 : host->retry_after_s ? mcp_host_retry_status(host) : 200;
    reply->retry_after_s = host->retry_after_s;
    if (host->lacking)
        rpc_error(
            &reply->body, id_raw, reply->error_code, call->error_text,
            call_format(call, "{\"requiredCapabilities\":%.*s}", STR_ARG(mcp_abilities_json(call, host->lacking))));
    else
        rpc_error(&reply->body, id_raw, reply->error_code, call->error_text, host->data_json);
}

static void serve_method(struct call *call, const struct method *method, const struct mcp_request *request,
                         struct mcp_reply *reply)
{
    struct buf *out = &reply->body;
    struct mcp_host *host = arena_new_of(call->arena, struct mcp_host);
    rpc_begin_result(out, request->message.id_raw);
    buf_add(out, STR("\"resultType\":\"complete\","));
    int error = method_run(call, method, host, request, true, out);
    reply->lacking_rights = host->lacking_rights;
    if (error == E_WAITING && host->waiting) {
        buf_clear(out);
        rpc_begin_result(out, request->message.id_raw);
        buf_add(out, STR("\"resultType\":\"input_required\","));
        error = mcp_host_write_questions(call, host, out);
    } else if (!error && host->task.len) {
        buf_clear(out);
        rpc_begin_result(out, request->message.id_raw);
        buf_add(out, STR("\"resultType\":\"task\","));
        error = tasks_write_begun(call, host, out);
    } else if (!error && method->ttl_ms != NO_CACHE_HINT) {
        /* What came of questions is for this once. */
        write_cache_hint(out, json_is(host->responses, JSON_MISSING) ? method->ttl_ms : 0);
    }
    if (error) {
        reply_failure(call, host, error, reply);
        return;
    }
    if (out->len && out->ptr[out->len - 1] == ',')
        out->len--; /* a result without members of its own */
    write_meta(out);
    rpc_end_result(out);
}

/* ---- the gates */

static bool refuse(struct mcp_reply *reply, const struct rpc_message *message, int code, struct str text)
{
    mcp_reply_error(reply, code == RPC_METHOD_NOT_FOUND ? 404 : 400, message->id_raw, code, text);
    return false;
}

static bool pass_version(struct call *call, const struct mcp_request *request, struct mcp_reply *reply)
{
    const struct rpc_message *message = &request->message;
    const struct json *meta = json_get(message->params, STR("_meta"));
    const struct json *version = json_get(meta, META_VERSION);
    if (!json_is(version, JSON_STRING) || !json_is(json_get(meta, META_CAPABILITIES), JSON_OBJECT))
        return refuse(reply, message, RPC_INVALID_PARAMS,
                      STR("params._meta needs io.modelcontextprotocol/protocolVersion (string) and "
                          "io.modelcontextprotocol/clientCapabilities (object)."));
    if (request->http) {
        struct str header = header_once(request->http, STR("mcp-protocol-version"));
        if (!header.ptr || !str_eq(header, json_str(version)))
            return refuse(reply, message, RPC_HEADER_MISMATCH,
                          STR("The MCP-Protocol-Version header must say the same version as params._meta."));
    }
    if (str_eq(json_str(version), STR(MCP_VERSION_MODERN)))
        return true;
    buf_clear(&reply->body);
    reply->status = 400;
    reply->error_code = RPC_UNSUPPORTED_VERSION;
    rpc_error(&reply->body, message->id_raw, RPC_UNSUPPORTED_VERSION, STR("This protocol version is not supported."),
              call_format(call, "{\"supported\":[\"" MCP_VERSION_MODERN "\"],\"requested\":%.*s}",
                          STR_ARG(json_raw(version))));
    return false;
}

static bool pass_headers(struct call *call, const struct mcp_request *request, const struct method *method,
                         struct mcp_reply *reply)
{
    const struct rpc_message *message = &request->message;
    if (!request->http)
        return true;
    struct str method_header = header_once(request->http, STR("mcp-method")), name;
    if (!method_header.ptr || !str_eq(method_header, message->method))
        return refuse(reply, message, RPC_HEADER_MISMATCH,
                      STR("The Mcp-Method header must repeat the message's method."));
    if (!method || !method->named_by)
        return true;
    struct str name_header = header_once(request->http, STR("mcp-name"));
    if (!name_header.ptr || !header_decode(call, name_header, &name) ||
        !str_eq(name, json_str(json_get(message->params, str_from(method->named_by)))))
        return refuse(reply, message, RPC_HEADER_MISMATCH,
                      call_format(call, "The Mcp-Name header must repeat params.%s.", method->named_by));
    return true;
}

static const struct str discover = STR_INIT("server/discover"), listen_method = STR_INIT("subscriptions/listen");

static bool is_own_method(struct str name)
{
    return str_eq(name, discover) || str_eq(name, listen_method);
}

static bool pass_gates(struct call *call, const struct mcp_request *request, const struct method *method,
                       struct mcp_reply *reply)
{
    const struct rpc_message *message = &request->message;
    if (!pass_version(call, request, reply) || !pass_headers(call, request, method, reply))
        return false;
    if (!method && !is_own_method(message->method))
        return refuse(reply, message, RPC_METHOD_NOT_FOUND,
                      call_format(call, "There is no method '%.*s' here.", STR_ARG(str_sub(message->method, 0, 100))));
    if (str_eq(message->method, STR("tools/call")) && tools_check_headers(call, request))
        return refuse(reply, message, RPC_HEADER_MISMATCH, call->error_text);
    return true;
}

void era_modern_serve(struct call *call, struct mcp_request *request, struct mcp_reply *reply)
{
    const struct method *method = method_find(request->message.method, request->provider, true);
    request->session = NULL;
    if (!pass_gates(call, request, method, reply))
        return;
    reply->status = 200;
    if (method)
        serve_method(call, method, request, reply);
    else if (str_eq(request->message.method, discover))
        serve_discover(call, request, reply);
    else
        listen_serve(call, request, reply);
}

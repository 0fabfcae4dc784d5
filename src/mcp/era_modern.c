/*
 * The revision without a handshake: 2026-07-28. Every request says in params._meta which version it speaks and what its client
 * can do, and repeats method and name in headers, so that proxies may route without reading bodies; what differs is refused
 * (basic/transports "Header validation").
 */
#include "json/json_write.h"
#include "mcp/protocol.h"
#include "mcp/tools.h"

#include <sodium.h>

#define META_VERSION STR("io.modelcontextprotocol/protocolVersion")
#define META_CAPABILITIES STR("io.modelcontextprotocol/clientCapabilities")

enum {
    DISCOVER_TTL_MS = 300000,
    LIST_TTL_MS = 60000,
    HEADER_NAME_MAX_BYTES = 1024,
};

/* _meta with serverInfo, which every result should carry; closes nothing. */
static void write_meta(struct buf *out)
{
    buf_add(out, STR(",\"_meta\":{\"io.modelcontextprotocol/serverInfo\":"));
    buf_add(out, mcp_server_info);
    buf_add_char(out, '}');
}

static void write_cache_hint(struct buf *out, int64_t ttl_ms)
{
    /* Lists depend on the token's rights: never to be shared between users by a cache on the way. */
    buf_add_format(out, ",\"ttlMs\":%lld,\"cacheScope\":\"private\"", (long long)ttl_ms);
}

static void serve_discover(struct call *call, const struct mcp_request *request, struct mcp_reply *reply)
{
    (void)call;
    struct buf *out = &reply->body;
    rpc_begin_result(out, request->message.id_raw);
    buf_add(out, STR("\"resultType\":\"complete\",\"supportedVersions\":[\"" MCP_VERSION_MODERN "\"],"
                     "\"capabilities\":{\"tools\":{}}"));
    if (request->provider->instructions.len) {
        buf_add(out, STR(",\"instructions\":"));
        struct json_writer w;
        json_write_init(&w, out);
        json_string(&w, request->provider->instructions);
    }
    write_cache_hint(out, DISCOVER_TTL_MS);
    write_meta(out);
    rpc_end_result(out);
}

static void serve_tools_list(struct call *call, const struct mcp_request *request, struct mcp_reply *reply)
{
    struct buf *out = &reply->body;
    if (tools_list_cursor_is_bad(request->message.params)) {
        mcp_reply_error(reply, 200, request->message.id_raw, RPC_INVALID_PARAMS,
                        STR("There is no page with this cursor."));
        return;
    }
    rpc_begin_result(out, request->message.id_raw);
    buf_add(out, STR("\"resultType\":\"complete\","));
    tools_list(call, request->provider, request->who->rights, out);
    write_cache_hint(out, LIST_TTL_MS);
    write_meta(out);
    rpc_end_result(out);
}

static void serve_tools_call(struct call *call, const struct mcp_request *request, struct mcp_reply *reply)
{
    struct buf *out = &reply->body;
    struct tools_outcome outcome;
    if (tools_call(call, request->provider, request->who, request->message.params, &outcome) != OK) {
        mcp_reply_error(reply, 200, request->message.id_raw, RPC_INVALID_PARAMS, call->error_text);
        return;
    }
    rpc_begin_result(out, request->message.id_raw);
    buf_add(out, STR("\"resultType\":\"complete\","));
    tools_write_outcome(&outcome, out);
    write_meta(out);
    rpc_end_result(out);
}

struct method {
    struct str name;
    const char *named_by; /* the member of params that Mcp-Name repeats, or NULL */
    void (*serve)(struct call *call, const struct mcp_request *request, struct mcp_reply *reply);
};

static const struct method methods[] = {
    {STR_INIT("server/discover"), NULL, serve_discover},
    {STR_INIT("tools/list"), NULL, serve_tools_list},
    {STR_INIT("tools/call"), "name", serve_tools_call},
};

static const struct method *find_method(struct str name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++)
        if (str_eq(methods[i].name, name))
            return &methods[i];
    return NULL;
}

/* "=?base64?...?=" is how a header carries what is not plain ASCII; anything else stands for itself. False: bad Base64. */
static bool decode_header(struct call *call, struct str value, struct str *ret)
{
    struct str prefix = STR("=?base64?"), suffix = STR("?=");
    if (value.len < prefix.len + suffix.len || !str_starts_with(value, prefix) || !str_ends_with(value, suffix)) {
        *ret = value;
        return true;
    }
    struct str encoded = str_sub(value, prefix.len, value.len - prefix.len - suffix.len);
    if (encoded.len > HEADER_NAME_MAX_BYTES)
        return false;
    unsigned char *bytes = arena_alloc(call->arena, encoded.len + 1);
    size_t length;
    if (sodium_base642bin(bytes, encoded.len + 1, encoded.ptr, encoded.len, NULL, &length, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return false;
    *ret = str_of((const char *)bytes, length);
    return true;
}

/* The gates of reference section 2.2, in their order. True when the request may be served. */
static bool pass_gates(struct call *call, const struct mcp_request *request, struct mcp_reply *reply)
{
    const struct rpc_message *message = &request->message;
    const struct json *meta = json_get(message->params, STR("_meta"));
    const struct json *version = json_get(meta, META_VERSION);
    struct str header = http_header_value(request->http, STR("mcp-protocol-version"));
    if (!json_is(version, JSON_STRING) || !json_is(json_get(meta, META_CAPABILITIES), JSON_OBJECT)) {
        mcp_reply_error(reply, 400, message->id_raw, RPC_INVALID_PARAMS,
                        STR("params._meta needs io.modelcontextprotocol/protocolVersion (string) and "
                            "io.modelcontextprotocol/clientCapabilities (object)."));
        return false;
    }
    if (!header.ptr || !str_eq(header, json_str(version))) {
        mcp_reply_error(reply, 400, message->id_raw, RPC_HEADER_MISMATCH,
                        STR("The MCP-Protocol-Version header must say the same version as params._meta."));
        return false;
    }
    if (!str_eq(json_str(version), STR(MCP_VERSION_MODERN))) {
        struct str data = call_format(call, "{\"supported\":[\"" MCP_VERSION_MODERN "\"],\"requested\":%.*s}",
                                      STR_ARG(json_raw(version)));
        buf_clear(&reply->body);
        reply->status = 400;
        rpc_error(&reply->body, message->id_raw, RPC_UNSUPPORTED_VERSION,
                  STR("This protocol version is not supported."), data);
        return false;
    }
    struct str method_header = http_header_value(request->http, STR("mcp-method"));
    if (!method_header.ptr || !str_eq(method_header, message->method)) {
        mcp_reply_error(reply, 400, message->id_raw, RPC_HEADER_MISMATCH,
                        STR("The Mcp-Method header must repeat the message's method."));
        return false;
    }
    const struct method *method = find_method(message->method);
    if (method && method->named_by) {
        struct str name_header = http_header_value(request->http, STR("mcp-name")), name;
        if (!name_header.ptr || !decode_header(call, name_header, &name) ||
            !str_eq(name, json_str(json_get(message->params, str_from(method->named_by))))) {
            mcp_reply_error(reply, 400, message->id_raw, RPC_HEADER_MISMATCH,
                            call_format(call, "The Mcp-Name header must repeat params.%s.", method->named_by));
            return false;
        }
    }
    if (!method) {
        mcp_reply_error(
            reply, 404, message->id_raw, RPC_METHOD_NOT_FOUND,
            call_format(call, "There is no method '%.*s' here.", STR_ARG(str_sub(message->method, 0, 100))));
        return false;
    }
    return true;
}

void era_modern_serve(struct call *call, const struct mcp_request *request, struct mcp_reply *reply)
{
    if (!pass_gates(call, request, reply))
        return;
    reply->status = 200;
    find_method(request->message.method)->serve(call, request, reply);
}

/* Requests as spans, and the trace context they come with. */
#include "mcp/trace.h"

#include "mcp/methods.h"
#include "mcp/tools.h"
#include "net/span.h"

/* Lists of key=value: visible ASCII and spaces, no more is needed of what is only handed on. */
static bool is_list(struct str text, size_t max_bytes)
{
    if (text.len == 0 || text.len > max_bytes || str_find_char(text, '=') == STR_NOT_FOUND)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < ' ' || text.ptr[i] > '~')
            return false;
    return text.ptr[0] != ' ' && text.ptr[text.len - 1] != ' ';
}

static struct str one_of(const struct json *meta, const struct http_request *http, struct str name)
{
    struct str text = json_str(json_get(meta, name));
    if (text.len || !http)
        return text;
    text = http_header_value(http, name);
    return text.ptr && !http_header_repeated(http, name) ? text : STR_EMPTY;
}

void trace_read(struct call *call, const struct json *meta, const struct http_request *http)
{
    struct str parent = json_str(json_get(meta, STR("traceparent"))), state, baggage;
    bool in_meta = parent.len > 0; /* both belong together */
    parent = one_of(meta, http, STR("traceparent"));
    state = one_of(meta, in_meta ? NULL : http, STR("tracestate"));
    baggage = one_of(meta, http, STR("baggage"));
    call->traceparent = call->tracestate = STR_EMPTY;
    if (span_parent_is_good(parent)) {
        call->traceparent = parent;
        if (is_list(state, TRACE_STATE_MAX_BYTES)) /* means nothing without the other */
            call->tracestate = state;
    }
    if (is_list(baggage, TRACE_BAGGAGE_MAX_BYTES))
        call->baggage = baggage;
}

/* Names are ours or they are not told: a client may write anything. */
static void describe_target(struct call *call, struct span *span, const struct mcp_request *request)
{
    const struct rpc_message *message = &request->message;
    struct str name = json_str(json_get(message->params, STR("name")));
    if (str_eq(message->method, STR("tools/call")) && tools_has(request->provider, name)) {
        span_name(span, call_format(call, "tools/call %.*s", STR_ARG(name)));
        span_text(span, "gen_ai.tool.name", name);
        span_text(span, "gen_ai.operation.name", STR("execute_tool"));
    } else if (str_eq(message->method, STR("prompts/get")) && prompts_has(request->provider, name)) {
        span_name(span, call_format(call, "prompts/get %.*s", STR_ARG(name)));
        span_text(span, "gen_ai.prompt.name", name);
    }
}

static struct str version_of(const struct mcp_request *request, const struct json *meta)
{
    struct str claimed = json_str(json_get(meta, STR("io.modelcontextprotocol/protocolVersion")));
    struct str header = request->http ? http_header_value(request->http, STR("mcp-protocol-version")) : STR_EMPTY;
    if (str_eq(claimed, STR(MCP_VERSION_MODERN)))
        return claimed;
    return header.ptr && mcp_version_is_legacy(header) ? header : STR_EMPTY;
}

static bool is_digits(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_is_digit(text.ptr[i]))
            return false;
    return text.len > 0 && text.len <= 20;
}

struct span *trace_begin(struct call *call, const struct mcp_request *request)
{
    const struct rpc_message *message = &request->message;
    const struct json *meta = json_get(message->params, STR("_meta"));
    trace_read(call, meta, request->http);
    if (message->kind != RPC_REQUEST)
        return NULL;
    struct str method = method_is_known(message->method) ? message->method : STR("_OTHER");
    struct span *span = span_begin(call, SPAN_SERVER, method);
    if (!span)
        return NULL;
    struct str version = version_of(request, meta);
    span_text(span, "mcp.method.name", method);
    describe_target(call, span, request);
    if (version.len)
        span_text(span, "mcp.protocol.version", version);
    if (is_digits(message->id_raw))
        span_text(span, "jsonrpc.request.id", message->id_raw);
    span_text(span, "network.transport", request->http ? STR("tcp") : STR("pipe"));
    span_text(span, "porteiro.call", str_from(call->id));
    span_text(span, "porteiro.provider", request->provider->key);
    if (request->who) {
        span_integer(span, "porteiro.user", request->who->user_id);
        span_integer(span, "porteiro.connection", request->who->connection_id);
    }
    return span;
}

void trace_end(struct call *call, struct span *span, const struct mcp_reply *reply)
{
    if (span && reply->error_code) {
        struct str code = call_format(call, "%d", reply->error_code);
        span_text(span, "rpc.response.status_code", code);
        span_error(span, code);
    }
    span_end(call, span);
}

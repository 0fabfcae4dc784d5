/* The MCP endpoint: HTTP in front, the dispatch ladder behind. */
#include "mcp/endpoint.h"

#include "accounts/resource.h"
#include "base/log.h"
#include "json/json_write.h"
#include "mcp/protocol.h"
#include "mcp/trace.h"
#include "net/own_address.h"

enum {
    BODY_MAX_DEPTH = 64,
    BATCH_MAX_MESSAGES = 50,
    OPEN_BODY_BYTES_MAX = 16 * 1024, /* of who has no token */
    RETRY_AFTER_SECONDS = 2,
};

const struct str mcp_server_info =
    STR_INIT("{\"name\":\"porteiro\",\"title\":\"porteiro\",\"version\":\"" PORTEIRO_VERSION "\"}");

void mcp_reply_error(struct mcp_reply *reply, int status, struct str id_raw, int code, struct str message)
{
    buf_clear(&reply->body);
    reply->status = status;
    reply->error_code = code;
    rpc_error(&reply->body, id_raw, code, message, (struct str){NULL, 0});
}

/* Errors of the transport carry their HTTP status as code: the range below -32000 is JSON-RPC's and MCP's. */
static void answer_error(struct call *call, struct http_exchange *exchange, int status, struct str message)
{
    struct mcp_reply reply;
    buf_init(&reply.body, call->arena, ANSWER_MAX_BYTES);
    mcp_reply_error(&reply, status, STR_EMPTY, status, message);
    http_answer(exchange, status, STR("application/json"), buf_str(&reply.body));
}

/* --- who may speak to us: Host, Origin (DNS rebinding) ------------------------------------------------------------------- */

/* Browser clients (the Inspector) may read our answers when their origin is allowed. */
static void allow_browser(struct http_exchange *exchange, struct str origin)
{
    http_answer_header(exchange, STR("Access-Control-Allow-Origin"), origin);
    http_answer_header(exchange, STR("Access-Control-Expose-Headers"), STR("WWW-Authenticate, Mcp-Session-Id"));
    http_answer_header(exchange, STR("Vary"), STR("Origin"));
}

static void answer_preflight(struct http_exchange *exchange, const struct http_request *request)
{
    struct str wanted = http_header_value(request, STR("access-control-request-headers"));
    http_answer_header(exchange, STR("Access-Control-Allow-Methods"), STR("POST"));
    http_answer_header(exchange, STR("Access-Control-Max-Age"), STR("600"));
    if (wanted.ptr && wanted.len <= 1024)
        http_answer_header(exchange, STR("Access-Control-Allow-Headers"), wanted);
    http_answer(exchange, 204, STR_EMPTY, STR_EMPTY);
}

/* --- who it is ----------------------------------------------------------------------------------------------------------- */

static bool query_names_token(struct str query)
{
    struct str pair;
    if (!query.ptr || !query.len)
        return false;
    while (str_next(&query, '&', &pair)) {
        struct str name = str_sub(pair, 0, str_find_char(pair, '='));
        if (str_eq_nocase(name, STR("token")) || str_eq_nocase(name, STR("access_token")))
            return true;
    }
    return false;
}

static void answer_unauthenticated(struct call *call, struct http_exchange *exchange, bool presented,
                                   struct str message)
{
    http_answer_header(exchange, STR("WWW-Authenticate"),
                       resource_challenge(call, http_exchange_request(exchange),
                                          presented ? STR("invalid_token") : STR_EMPTY, RIGHTS_DEFAULT));
    answer_error(call, exchange, 401, message);
}

/* The principal, or NULL when the answer has been given. */
static const struct principal *authenticate_request(struct call *call, struct http_exchange *exchange)
{
    const struct http_request *request = http_exchange_request(exchange);
    const struct principal *who = NULL;
    struct str header = http_header_value(request, STR("authorization"));
    if (query_names_token(request->query)) {
        answer_unauthenticated(
            call, exchange, true,
            STR("A token in the address is not accepted, because addresses end up in logs. Send it as a "
                "header: Authorization: Bearer prt_..."));
        return NULL;
    }
    if (!header.ptr) {
        answer_unauthenticated(call, exchange, false,
                               STR("Send your token as a header: Authorization: Bearer prt_... "
                                   "It is made with `porteiro token add`, or your client logs in by OAuth at /mcp."));
        return NULL;
    }
    if (http_header_repeated(request, STR("authorization")) || !str_starts_with_nocase(header, STR("bearer "))) {
        answer_unauthenticated(call, exchange, true, STR("The Authorization header must be: Bearer prt_..."));
        return NULL;
    }
    int error = authenticate(call, str_trim(str_from_offset(header, 7)), &who);
    if (error == E_UNAUTHENTICATED) {
        answer_unauthenticated(call, exchange, true, call->error_text);
        return NULL;
    }
    if (error == E_DENIED) { /* no challenge: another token would do no better */
        answer_error(call, exchange, 403, call->error_text);
        return NULL;
    }
    if (error) {
        http_answer_header(exchange, STR("Retry-After"), call_format(call, "%d", RETRY_AFTER_SECONDS));
        answer_error(call, exchange, 503, call->error_text);
        log_warning("call %s: authentication failed: %s: %.*s %.*s", call->id, error_name(error),
                    STR_ARG(call->error_text), STR_ARG(call->error_detail));
        return NULL;
    }
    struct str here = who->audience.len ? resource_of(call, request) : STR_EMPTY;
    if (who->audience.len && !(here.ptr && str_eq(here, who->audience))) {
        answer_unauthenticated(
            call, exchange, true,
            call_format(call, "This token was made for %.*s and is good at no other address.", STR_ARG(who->audience)));
        return NULL;
    }
    return who;
}

/* --- which era: the ladder of docs/mcp.md -------------------------------------------------------------------------------- */

static bool claims_modern(const struct json *message)
{
    const struct json *meta = json_get(json_get(message, STR("params")), STR("_meta"));
    return !json_is(json_get(meta, STR("io.modelcontextprotocol/protocolVersion")), JSON_MISSING);
}

static bool header_is_modern(struct str header)
{
    return header.ptr && str_eq(header, STR(MCP_VERSION_MODERN));
}

static struct str version_header(const struct mcp_request *request)
{
    return request->http ? http_header_value(request->http, STR("mcp-protocol-version")) : (struct str){0};
}

static void dispatch(struct call *call, struct mcp_request *request, struct mcp_reply *reply)
{
    struct str header = version_header(request);
    struct rpc_message *message = &request->message;
    bool claim = claims_modern(request->body);
    bool is_initialize = str_eq(message->method, STR("initialize"));
    if (message->kind == RPC_INVALID) {
        mcp_reply_error(reply, 400, message->id_raw, RPC_INVALID_REQUEST, str_from(message->reason));
    } else if (message->kind == RPC_RESPONSE || message->kind == RPC_NOTIFICATION) {
        if (!header_is_modern(header))
            era_legacy_notice(call, request);
        reply->status = 202; /* every notification is fine with us */
    } else if (is_initialize && !claim && header_is_modern(header)) {
        mcp_reply_error(reply, 400, message->id_raw, RPC_HEADER_MISMATCH,
                        STR("initialize belongs to the revisions before " MCP_VERSION_MODERN
                            ", but MCP-Protocol-Version names that one."));
    } else if (claim) {
        era_modern_serve(call, request, reply);
    } else if (header_is_modern(header)) {
        mcp_reply_error(reply, 400, message->id_raw, RPC_INVALID_PARAMS,
                        STR("Requests of " MCP_VERSION_MODERN
                            " need params._meta with io.modelcontextprotocol/protocolVersion "
                            "and io.modelcontextprotocol/clientCapabilities."));
    } else if (header.ptr && !is_initialize &&
               (!mcp_version_is_legacy(header) || http_header_repeated(request->http, STR("mcp-protocol-version")))) {
        mcp_reply_error(reply, 400, message->id_raw, RPC_INVALID_REQUEST,
                        STR("MCP-Protocol-Version must come once, and be one of " MCP_VERSION_MODERN
                            ", 2025-11-25, 2025-06-18, 2025-03-26."));
    } else {
        era_legacy_serve(call, request, reply);
    }
}

static void serve_message(struct call *call, struct mcp_request *request, struct mcp_reply *reply)
{
    struct span *span = trace_begin(call, request);
    reply->error_code = 0;
    dispatch(call, request, reply);
    trace_end(call, span, reply);
}

/* An array of messages: only 2025-03-26 has them, and a client that sends no version header is taken for one of those. */
static void serve_batch(struct call *call, struct mcp_request *request, const struct json *batch,
                        struct mcp_reply *reply)
{
    struct str header = version_header(request);
    size_t count = json_count(batch);
    if (count == 0 || count > BATCH_MAX_MESSAGES || (header.ptr && !str_eq(header, STR(MCP_VERSION_BATCHES)))) {
        mcp_reply_error(
            reply, 400, STR_EMPTY, RPC_INVALID_REQUEST,
            STR("Send one JSON-RPC message per request. Only 2025-03-26 has batches, of 1 to 50 messages."));
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (claims_modern(json_at(batch, i)) || rpc_read(json_at(batch, i)).kind == RPC_INVALID) {
            mcp_reply_error(reply, 400, STR_EMPTY, RPC_INVALID_REQUEST,
                            STR("The batch holds what is no message of 2025-03-26."));
            return;
        }
    struct buf answers;
    buf_init(&answers, call->arena, ANSWER_MAX_BYTES);
    request->outlet = NULL; /* one answer for all: nothing goes ahead of it */
    for (size_t i = 0; i < count; i++) {
        request->body = json_at(batch, i);
        request->message = rpc_read(request->body);
        buf_clear(&reply->body);
        if (request->exchange) /* a read before may have wanted it */
            http_exchange_cancel_on_close(request->exchange, false);
        serve_message(call, request, reply);
        reply->lacking_rights = 0;             /* one answer for all: it stays in that one's text */
        if (call->cancelled && !call->ended) { /* this one: it has no answer, and those behind it go on */
            call->cancelled = false;
            continue;
        }
        if (reply->status == 202)
            continue;
        buf_add_char(&answers, answers.len ? ',' : '[');
        buf_add(&answers, buf_str(&reply->body));
    }
    buf_clear(&reply->body);
    reply->status = answers.len ? 200 : 202; /* what single ones would have had, their errors say */
    buf_add(&reply->body, buf_str(&answers));
    if (answers.len)
        buf_add_char(&reply->body, ']');
    if (buf_failed(&answers))
        reply->body.failed = true;
}

void mcp_serve_text(struct call *call, struct mcp_request *request, struct str text, struct mcp_reply *reply)
{
    static const struct json_limits limits = {
        .max_depth = BODY_MAX_DEPTH, .max_bytes = ANSWER_MAX_BYTES, .reject_duplicates = true};
    const struct json *body;
    struct json_error problem = {0};
    if (json_parse(call->arena, text, &limits, &body, &problem) != OK) {
        mcp_reply_error(reply, 400, STR_EMPTY, RPC_PARSE_ERROR,
                        call_format(call, "The body is not valid JSON: %s at byte %zu.",
                                    problem.reason ? problem.reason : "an error", problem.offset));
        return;
    }
    if (json_is(body, JSON_ARRAY)) {
        serve_batch(call, request, body, reply);
        return;
    }
    request->body = body;
    request->message = rpc_read(body);
    serve_message(call, request, reply);
    if (buf_failed(&reply->body))
        mcp_reply_error(reply, 200, request->message.id_raw, RPC_INTERNAL_ERROR,
                        STR("The answer is too large. Ask for less at a time."));
}

/* --- an answer as a stream (text/event-stream), begun only when something is to be said before the answer --------------- */

struct stream {
    struct mcp_outlet outlet;
    struct http_exchange *exchange;
    struct buf frame;
    bool begun;
};

static int stream_begin(struct call *call, struct stream *stream)
{
    if (stream->begun)
        return OK;
    stream->begun = true;
    http_answer_header(stream->exchange, STR("Cache-Control"), STR("no-store"));
    http_answer_header(stream->exchange, STR("X-Accel-Buffering"), STR("no")); /* nginx would hold events back */
    return http_stream_begin(call, stream->exchange, 200, STR("text/event-stream"));
}

static int stream_send(struct call *call, struct mcp_outlet *outlet, struct str message)
{
    struct stream *stream = (struct stream *)outlet;
    int error = stream_begin(call, stream);
    if (error)
        return error;
    buf_clear(&stream->frame);
    buf_add(&stream->frame, STR("event: message\ndata: "));
    buf_add(&stream->frame, message);
    buf_add(&stream->frame, STR("\n\n"));
    if (buf_failed(&stream->frame))
        return fail(call, E_LIMIT, "The message is too large.");
    return http_stream_write(call, stream->exchange, buf_str(&stream->frame));
}

static int stream_keep_alive(struct call *call, struct mcp_outlet *outlet)
{
    struct stream *stream = (struct stream *)outlet;
    int error = stream_begin(call, stream);
    return error ? error : http_stream_write(call, stream->exchange, STR(":\n\n"));
}

static bool accepts_stream(struct str accept)
{
    return str_contains_nocase(accept, STR("text/event-stream")) || str_contains(accept, STR("*/*"));
}

/* A client that left in the middle cannot be told so. */
static void end_stream(struct call *call, struct stream *stream, const struct mcp_reply *reply)
{
    if (stream_send(call, &stream->outlet, buf_str(&reply->body)) == OK)
        http_stream_end(stream->exchange);
}

/* --- the request --------------------------------------------------------------------------------------------------------- */

static bool is_json(struct str content_type)
{
    struct str media_type = str_trim(str_sub(content_type, 0, str_find_char(content_type, ';')));
    return content_type.ptr && str_eq_nocase(media_type, STR("application/json"));
}

bool mcp_may_come(const struct http_request *request, struct str *ret_why)
{
    struct str host = http_header_value(request, STR("host")), origin = http_header_value(request, STR("origin"));
    *ret_why =
        STR("This Host is not ours. Behind a proxy or another name, set PORTEIRO_PUBLIC_URL to the address people "
            "use.");
    if (!host.ptr || !own_address_has_host(host))
        return false;
    *ret_why = STR("This Origin is not allowed. PORTEIRO_ALLOWED_ORIGINS lists those that are.");
    return !origin.ptr || own_address_allows_origin(origin);
}

struct str mcp_own_url(struct call *call, const struct http_request *request)
{
    return resource_origin(call, request);
}

/* Answers requests that may not even know that there is a token. False: it has. */
static bool pass_outside(struct call *call, struct http_exchange *exchange)
{
    const struct http_request *http = http_exchange_request(exchange);
    struct str origin = http_header_value(http, STR("origin"));
    struct str why;
    if (!mcp_may_come(http, &why)) {
        answer_error(call, exchange, 403, why);
        return false;
    }
    if (origin.ptr)
        allow_browser(exchange, origin);
    if (origin.ptr && str_eq(http->method, STR("OPTIONS"))) {
        answer_preflight(exchange, http);
        return false;
    }
    bool ends_session = str_eq(http->method, STR("DELETE")) && http_header_value(http, STR("mcp-session-id")).ptr;
    if (!str_eq(http->method, STR("POST")) && !ends_session) {
        http_answer_header(exchange, STR("Allow"), STR("POST"));
        answer_error(call, exchange, 405, STR("This is an MCP endpoint: send JSON-RPC messages with POST."));
        return false;
    }
    return true;
}

static const struct provider *find_provider(struct call *call, struct http_exchange *exchange,
                                            const struct principal *who, struct str provider_key)
{
    const struct provider *provider = provider_find(who->provider_key);
    if (!provider)
        answer_error(call, exchange, 503, STR("This connection's provider is not part of this program."));
    else if (provider_key.len && !str_eq(provider_key, provider->key))
        answer_error(call, exchange, 404,
                     STR("This token belongs to a connection of another provider. Use the address without it."));
    else
        return provider;
    return NULL;
}

/* False: the header names a session that is none (any more), and the client has been told to begin anew. */
static bool find_session(struct call *call, struct http_exchange *exchange, struct mcp_request *request)
{
    struct str id = http_header_value(request->http, STR("mcp-session-id"));
    if (!id.ptr || header_is_modern(version_header(request)))
        return true;
    struct mcp_session *session = arena_new_of(call->arena, struct mcp_session);
    if (!session_open(id, request->who, session)) {
        answer_error(call, exchange, 404, STR("This session has ended. Begin a new one with initialize."));
        return false;
    }
    request->session = session;
    return true;
}

static void answer_reply(struct call *call, struct http_exchange *exchange, const struct mcp_reply *reply)
{
    if (reply->retry_after_s)
        http_answer_header(exchange, STR("Retry-After"), call_format(call, "%lld", (long long)reply->retry_after_s));
    if (reply->session)
        http_answer_header(exchange, STR("Mcp-Session-Id"), str_from(reply->session->id));
    http_answer_header(exchange, STR("Cache-Control"), STR("no-store"));
    http_answer(exchange, reply->status, reply->status == 202 ? STR_EMPTY : STR("application/json"),
                buf_str(&reply->body));
}

/* An app that a person let in asks for more than they gave it: it may ask them again (RFC 6750 section 3.1). */
static void answer_lacking(struct call *call, struct http_exchange *exchange, const struct mcp_request *request,
                           struct mcp_reply *reply)
{
    http_answer_header(exchange, STR("WWW-Authenticate"),
                       resource_challenge(call, request->http, STR("insufficient_scope"),
                                          request->who->rights | reply->lacking_rights));
    mcp_reply_error(reply, 403, request->message.id_raw, 403, call->error_text);
}

/* --- what may be asked without a token ----------------------------------------------------------------------------------- */

static bool is_open;

void mcp_endpoint_init(bool open_discover)
{
    is_open = open_discover;
}

static bool asks_what_this_is(struct call *call, const struct http_request *http)
{
    static const struct json_limits limits = {
        .max_depth = BODY_MAX_DEPTH, .max_bytes = OPEN_BODY_BYTES_MAX, .reject_duplicates = true};
    const struct json *body;
    if (!is_open || http_header_value(http, STR("authorization")).ptr || !str_eq(http->method, STR("POST")) ||
        query_names_token(http->query) || !is_json(http_header_value(http, STR("content-type"))) ||
        json_parse(call->arena, http->body, &limits, &body, NULL) != OK)
        return false;
    struct rpc_message message = rpc_read(body);
    return message.kind == RPC_REQUEST && str_eq(message.method, STR("server/discover")) && claims_modern(body);
}

/* server/discover without a token, where the operator allows it: what this is and which revisions it speaks, of nobody. */
static bool serve_open(struct call *call, struct http_exchange *exchange, struct str provider_key)
{
    const struct http_request *http = http_exchange_request(exchange);
    const struct provider *provider = provider_find(provider_key.len ? provider_key : STR("wordpress"));
    if (!provider || !asks_what_this_is(call, http))
        return false;
    struct mcp_request *request = arena_new_of(call->arena, struct mcp_request);
    *request = (struct mcp_request){.http = http, .provider = provider};
    struct mcp_reply reply = {.status = 500};
    buf_init(&reply.body, call->arena, ANSWER_MAX_BYTES);
    mcp_serve_text(call, request, http->body, &reply);
    answer_reply(call, exchange, &reply);
    return true;
}

void mcp_endpoint(struct call *call, struct http_exchange *exchange, struct str provider_key)
{
    const struct http_request *http = http_exchange_request(exchange);
    if (!pass_outside(call, exchange) || serve_open(call, exchange, provider_key))
        return;
    const struct principal *who = authenticate_request(call, exchange);
    const struct provider *provider = who ? find_provider(call, exchange, who, provider_key) : NULL;
    if (!provider)
        return;
    call->who = (struct principal *)who;
    struct mcp_request *request = arena_new_of(call->arena, struct mcp_request);
    *request = (struct mcp_request){.http = http, .who = who, .provider = provider};
    if (!find_session(call, exchange, request))
        return;
    if (str_eq(http->method, STR("DELETE"))) {
        if (request->session)
            session_end(request->session);
        http_answer(exchange, 204, STR_EMPTY, STR_EMPTY);
        return;
    }
    if (!is_json(http_header_value(http, STR("content-type")))) {
        answer_error(call, exchange, 415, STR("The Content-Type must be application/json."));
        return;
    }
    struct stream *stream = arena_new_of(call->arena, struct stream);
    *stream = (struct stream){.outlet = {stream_send, stream_keep_alive}, .exchange = exchange};
    buf_init(&stream->frame, call->arena, ANSWER_MAX_BYTES + 64);
    if (accepts_stream(http_header_value(http, STR("accept"))))
        request->outlet = &stream->outlet;
    request->exchange = exchange;
    request->bearer = str_trim(str_from_offset(http_header_value(http, STR("authorization")), 7));
    /* 2026-07-28: who closes has cancelled. Before, that was said with a notification, and clients may come back. */
    http_exchange_cancel_on_close(exchange, header_is_modern(version_header(request)));
    struct mcp_reply reply = {.status = 500};
    buf_init(&reply.body, call->arena, ANSWER_MAX_BYTES);
    mcp_serve_text(call, request, http->body, &reply);
    if (reply.lacking_rights && !stream->begun)
        answer_lacking(call, exchange, request, &reply);
    if (stream->begun)
        end_stream(call, stream, &reply);
    else
        answer_reply(call, exchange, &reply);
}

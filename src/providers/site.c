/* Opening a secret and calling the site. */
#include <sodium.h> /* before base/banned.h */

#include "providers/site.h"

#include "base/metrics.h"
#include "limits/gate.h"
#include "net/span.h"

struct credential {
    struct str user;
    struct str password;
};

struct str site_origin(struct str url)
{
    size_t scheme;
    if (str_starts_with(url, STR("https://")))
        scheme = 8;
    else if (str_starts_with(url, STR("http://")))
        scheme = 7;
    else
        return STR_EMPTY;
    size_t end = scheme;
    while (end < url.len && url.ptr[end] != '/' && url.ptr[end] != '?' && url.ptr[end] != '#')
        end++;
    struct str origin = str_sub(url, 0, end);
    if (end == scheme || str_find_char(origin, '@') != STR_NOT_FOUND || str_find_char(origin, '\\') != STR_NOT_FOUND)
        return STR_EMPTY;
    return origin;
}

/* The plain secret is wiped when the call ends. */
static int open_secret(struct call *call, const struct site *site, const struct json **ret)
{
    struct str plain = site->plain_secret_json;
    if (!plain.len) {
        int error = seal_open(call, &site->secret, &plain);
        if (error)
            return error;
    }
    if (json_parse(call->arena, plain, NULL, ret, NULL) != OK)
        return fail(call, E_CRYPTO, "The stored password of this connection cannot be read. Enter it again.");
    return OK;
}

static int open_credential(struct call *call, const struct site *site, struct credential *ret)
{
    const struct json *secret;
    int error = open_secret(call, site, &secret);
    if (error)
        return error;
    ret->user = json_str(json_get(secret, STR("username")));
    ret->password = json_str(json_get(secret, STR("app_password")));
    if (!ret->user.len || !ret->password.len)
        return fail(call, E_CRYPTO, "This connection has no user name or password stored. Enter them again.");
    return OK;
}

static int open_member(struct call *call, const struct site *site, const char *field, struct str *ret)
{
    const struct json *secret;
    int error = open_secret(call, site, &secret);
    if (error)
        return error;
    *ret = json_str(json_get(secret, str_from(field)));
    if (!ret->len)
        return fail(call, E_CRYPTO, "This connection has no %s stored. Enter it again.", field);
    return OK;
}

static int open_header(struct call *call, const struct site *site, const struct site_credential *credential,
                       struct http_header *ret)
{
    struct str member;
    int error = open_member(call, site, credential->field, &member);
    if (error)
        return error;
    size_t before = strlen(credential->prefix);
    char *value = arena_alloc(call->arena, before + member.len + 1);
    memcpy(value, credential->prefix, before);
    memcpy(value + before, member.ptr, member.len);
    keyring_wipe_later(call, value, before + member.len);
    *ret = (struct http_header){str_from(credential->header), str_of(value, before + member.len)};
    return OK;
}

int site_hmac(struct call *call, const struct site *site, const char *field, struct str message, unsigned char ret[32])
{
    struct str member;
    crypto_auth_hmacsha256_state state;
    int error = open_member(call, site, field, &member);
    if (error)
        return error;
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)member.ptr, member.len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)message.ptr, message.len);
    crypto_auth_hmacsha256_final(&state, ret);
    sodium_memzero(&state, sizeof state);
    return OK;
}

/* 502 to 504, and 520 to 524 as Cloudflare has them: what stands in front of the site got no answer from it. */
static bool is_gateway_failure(int status)
{
    return (status >= 502 && status <= 504) || (status >= 520 && status <= 524);
}

/* What a request says about its site, for the breaker. A 500 does not count: it is one page's, seldom the site's. */
static enum gate_verdict verdict_on(const struct http_fetched *http)
{
    switch (http->failure) {
    case HTTP_FETCH_DNS:
    case HTTP_FETCH_CONNECT:
    case HTTP_FETCH_TLS_CERTIFICATE:
    case HTTP_FETCH_TLS:
    case HTTP_FETCH_TIMEOUT_CONNECT:
    case HTTP_FETCH_TIMEOUT_ANSWER:
    case HTTP_FETCH_RESET:
    case HTTP_FETCH_PROTOCOL:
        return GATE_FAILED;
    case HTTP_FETCH_OK:
    case HTTP_FETCH_TOO_LARGE:
        return is_gateway_failure(http->status) ? GATE_FAILED : GATE_ANSWERED;
    default:
        return GATE_UNKNOWN;
    }
}

static struct str host_of(struct str origin)
{
    return str_from_offset(origin, str_find(origin, STR("://")) + 3);
}

static struct str outcome_of(const struct http_fetched *http, int error)
{
    static const struct str classes[] = {STR_INIT("1xx"), STR_INIT("2xx"), STR_INIT("3xx"), STR_INIT("4xx"),
                                         STR_INIT("5xx")};
    if (error || http->status < 100 || http->status > 599)
        return str_from(error_name(error));
    return classes[http->status / 100 - 1];
}

/* OpenTelemetry's semantic conventions for HTTP clients; url.full is left out: it holds arguments. */
static struct span *begin_span(struct call *call, struct str method, struct str host)
{
    struct span *span = span_begin(call, SPAN_CLIENT, method);
    size_t colon = str_find_last_char(host, ':');
    bool has_port = colon != STR_NOT_FOUND && !str_ends_with(host, STR("]"));
    int64_t port;
    span_text(span, "http.request.method", method);
    span_text(span, "server.address", has_port ? str_sub(host, 0, colon) : host);
    if (has_port && str_to_i64(str_from_offset(host, colon + 1), &port))
        span_integer(span, "server.port", port);
    return span;
}

static void end_span(struct call *call, struct span *span, const struct http_fetched *http, int error)
{
    if (http->status)
        span_integer(span, "http.response.status_code", http->status);
    if (error)
        span_error(span, http->failure == HTTP_FETCH_OK ? str_from(error_name(error))
                                                        : str_from(http_fetch_failure_name(http->failure)));
    else if (http->status >= 400)
        span_error(span, call_format(call, "%d", http->status));
    span_end(call, span);
}

static int fetch_through_gate(struct call *call, const struct site *site, struct str address,
                              const struct http_fetch *request, struct http_fetched *ret)
{
    struct gate_pass *pass;
    *ret = (struct http_fetched){.failure = HTTP_FETCH_BUSY};
    int error = gate_enter(call, site->user_id, address, host_of(site_origin(address)), &pass);
    if (error)
        return error;
    int64_t begun_ns = clock_monotonic_ns();
    error = http_fetch(call, request, ret);
    metric_time(METRIC_UPSTREAM, (clock_monotonic_ns() - begun_ns) / 1000,
                site->provider_key.len ? site->provider_key : STR("other"), outcome_of(ret, error));
    gate_leave(pass, verdict_on(ret));
    return error;
}

/* "https://x.example.com", by "example.com": itself and what is below it, at the usual port. */
static bool is_listed(const char *const *hosts, struct str origin)
{
    if (!hosts || !str_starts_with(origin, STR("https://")))
        return false;
    for (struct str host = host_of(origin); *hosts; hosts++) {
        struct str name = str_from(*hosts);
        size_t before = host.len > name.len ? host.len - name.len : 0;
        if (str_eq_nocase(str_from_offset(host, before), name) && (!before || host.ptr[before - 1] == '.'))
            return true;
    }
    return false;
}

int site_fetch(struct call *call, const struct site *site, const struct site_request *request, struct http_fetched *ret)
{
    const struct json *config;
    struct credential credential = {0};
    if (json_parse(call->arena, site->config_json, NULL, &config, NULL) != OK)
        return fail(call, E_INTERNAL, "This connection's settings cannot be read.");
    struct str address = json_str(json_get(config, STR("url"))), origin = site_origin(address);
    bool is_own = str_eq(origin, site_origin(request->url));
    if (!origin.len || (!is_own && !is_listed(request->other_hosts, site_origin(request->url))))
        return fail(call, E_EGRESS, "The address asked for does not belong to this connection's site.");
    struct http_header headers[8 + SITE_HEADERS_MAX];
    size_t n = 0;
    if (!request->anonymous) {
        int error = request->credential ? open_header(call, site, request->credential, &headers[n++])
                                        : open_credential(call, site, &credential);
        if (error)
            return error;
    }
    struct span *span = begin_span(call, request->method, host_of(origin));
    headers[n++] = (struct http_header){STR("Accept"), STR("application/json, */*;q=0.1")};
    headers[n++] = (struct http_header){STR("X-Request-ID"), str_from(call->id)};
    if (request->content_type.len)
        headers[n++] = (struct http_header){STR("Content-Type"), request->content_type};
    if (call->traceparent.len)
        headers[n++] = (struct http_header){STR("traceparent"), call->traceparent};
    if (call->tracestate.len)
        headers[n++] = (struct http_header){STR("tracestate"), call->tracestate};
    if (call->baggage.len)
        headers[n++] = (struct http_header){STR("baggage"), call->baggage};
    if (request->fresh)
        headers[n++] = (struct http_header){STR("Cache-Control"), STR("no-cache")};
    for (size_t i = 0; i < request->n_headers && i < SITE_HEADERS_MAX; i++)
        headers[n++] = request->headers[i];
    struct http_fetch fetch = {
        .method = request->method,
        .url = request->url,
        .headers = headers,
        .n_headers = n,
        .body = request->body,
        .source = request->source,
        .first_byte_ms = request->first_byte_ms,
        .basic_user = credential.user,
        .basic_password = credential.password,
        .timeout_ms = request->timeout_ms,
        .max_body_bytes = request->max_body_bytes ? request->max_body_bytes : SITE_ANSWER_MAX_BYTES,
        /* A connection being made has no id yet; its owner's trials share one pool. */
        .pool_key = site->connection_id ? call_format(call, "connection %lld", (long long)site->connection_id)
                                        : call_format(call, "user %lld", (long long)site->user_id),
    };
    int error = fetch_through_gate(call, site, is_own ? address : request->url, &fetch, ret);
    end_span(call, span, ret, error);
    return error;
}

/* /metrics. */
#include <sodium.h> /* before base/banned.h: it names what is banned */

#include "web/metrics_page.h"

#include "base/crash.h"
#include "base/metrics.h"
#include "web/routes.h"

enum { TEXT_BYTES_MAX = 4 * 1024 * 1024 };

static struct str token;
static int64_t started_ms;

void metrics_page_init(struct str token_, int64_t started_ms_)
{
    token = token_;
    started_ms = started_ms_;
}

static void answer(struct call *call, struct http_exchange *exchange)
{
    struct buf out;
    buf_init(&out, call->arena, TEXT_BYTES_MAX);
    buf_add(&out, call_format(call,
                              "# HELP porteiro_build_info The program\n# TYPE porteiro_build_info gauge\n"
                              "porteiro_build_info{version=\"%s\",build=\"%.*s\"} 1\n"
                              "# HELP porteiro_start_time_seconds When the supervisor began\n"
                              "# TYPE porteiro_start_time_seconds gauge\nporteiro_start_time_seconds %lld.%03lld\n",
                              PORTEIRO_VERSION, STR_ARG(crash_build_id()), (long long)(started_ms / 1000),
                              (long long)(started_ms % 1000)));
    metrics_write(&out);
    http_answer_header(exchange, STR("Cache-Control"), STR("no-store"));
    http_answer(exchange, 200, STR("text/plain; version=0.0.4; charset=utf-8"), buf_str(&out));
}

static bool reads(const struct http_request *request)
{
    return str_eq(request->method, STR("GET")) || str_eq(request->method, STR("HEAD"));
}

void metrics_page_serve(struct call *call, struct http_exchange *exchange, void *context)
{
    const struct http_request *request = http_exchange_request(exchange);
    (void)context;
    if (str_eq(request->path, STR("/metrics")) && reads(request))
        answer(call, exchange);
    else
        routes_error(call, exchange, 404, "not_found", STR("Here is only GET /metrics."));
}

/* Compared as hashes: in a time that tells neither length nor bytes. */
static bool is_right(struct call *call, const struct http_request *request)
{
    unsigned char ours[crypto_generichash_BYTES], theirs[crypto_generichash_BYTES];
    struct str given = http_header_value(request, STR("Authorization"));
    (void)call;
    if (!given.ptr || !str_starts_with(given, STR("Bearer ")))
        return false;
    given = str_from_offset(given, 7);
    crypto_generichash(ours, sizeof ours, (const unsigned char *)token.ptr, token.len, NULL, 0);
    crypto_generichash(theirs, sizeof theirs, (const unsigned char *)given.ptr, given.len, NULL, 0);
    return sodium_memcmp(ours, theirs, sizeof ours) == 0;
}

void metrics_page(struct call *call, struct http_exchange *exchange, struct str segment)
{
    (void)segment;
    if (token.len == 0) {
        routes_error(call, exchange, 404, "not_found", STR("There is nothing at this address. MCP is served at /mcp."));
        return;
    }
    if (is_right(call, http_exchange_request(exchange))) {
        answer(call, exchange);
        return;
    }
    http_answer_header(exchange, STR("WWW-Authenticate"), STR("Bearer realm=\"metrics\""));
    routes_error(call, exchange, 401, "unauthenticated",
                 STR("The metrics are read with their own token (PORTEIRO_METRICS_TOKEN)."));
}

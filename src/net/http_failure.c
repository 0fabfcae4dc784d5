/* What went wrong with a request: its cause for programs, and words for people that name cause and fix. */
#include "base/metrics.h"
#include "net/http_transfer.h"

static const char *const names[] = {
    [HTTP_FETCH_OK] = "ok",
    [HTTP_FETCH_BAD_REQUEST] = "bad_request",
    [HTTP_FETCH_DNS] = "dns",
    [HTTP_FETCH_CONNECT] = "connect",
    [HTTP_FETCH_TLS_CERTIFICATE] = "tls_certificate",
    [HTTP_FETCH_TLS] = "tls",
    [HTTP_FETCH_TIMEOUT_CONNECT] = "timeout_connect",
    [HTTP_FETCH_TIMEOUT_ANSWER] = "timeout_answer",
    [HTTP_FETCH_RESET] = "reset",
    [HTTP_FETCH_TOO_LARGE] = "too_large",
    [HTTP_FETCH_REFUSED_ADDRESS] = "refused_address",
    [HTTP_FETCH_REFUSED_PORT] = "refused_port",
    [HTTP_FETCH_REFUSED_LOOP] = "refused_loop",
    [HTTP_FETCH_PLAIN_HTTP_REFUSED] = "plain_http_refused",
    [HTTP_FETCH_PROTOCOL] = "protocol",
    [HTTP_FETCH_BUSY] = "busy",
    [HTTP_FETCH_CANCELLED] = "cancelled",
    [HTTP_FETCH_MEMORY] = "memory",
    [HTTP_FETCH_SOURCE] = "source",
};

const char *http_fetch_failure_name(enum http_fetch_failure failure)
{
    return (size_t)failure < ARRAY_LENGTH(names) ? names[failure] : "unknown";
}

enum http_fetch_failure http_failure_of(const struct http_transfer *transfer)
{
    switch (transfer->result) {
    case CURLE_OK:
        return HTTP_FETCH_OK;
    case CURLE_COULDNT_RESOLVE_HOST:
        return HTTP_FETCH_DNS;
    case CURLE_COULDNT_CONNECT:
        return transfer->refusal && transfer->sockets == 0 ? transfer->refusal : HTTP_FETCH_CONNECT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return HTTP_FETCH_TLS_CERTIFICATE;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_USE_SSL_FAILED:
        return HTTP_FETCH_TLS;
    case CURLE_OPERATION_TIMEDOUT:
        return transfer->attempts ? HTTP_FETCH_TIMEOUT_ANSWER : HTTP_FETCH_TIMEOUT_CONNECT;
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
        return transfer->attempts ? HTTP_FETCH_RESET : HTTP_FETCH_TLS; /* before a request only TLS speaks */
    case CURLE_OUT_OF_MEMORY:
        return HTTP_FETCH_MEMORY;
    default:
        return HTTP_FETCH_PROTOCOL; /* not HTTP, an unreadable encoding, an HTTP/2 error, a head beyond libcurl's limit */
    }
}

static int report_refusal(struct call *call, const struct http_transfer *transfer, const struct url *url)
{
    struct str host = url->host;
    const char *why = transfer->refused_why ? transfer->refused_why : "not allowed";
    switch (transfer->failure) {
    case HTTP_FETCH_REFUSED_LOOP:
        return fail(call, E_EGRESS, "%.*s port %u is this server itself. Give the address of the site instead.",
                    STR_ARG(host), url->port);
    case HTTP_FETCH_PLAIN_HTTP_REFUSED:
        return fail(
            call, E_EGRESS,
            "%.*s was to be called by http://, without encryption, so its password could be read on the way. Use "
            "https://. For a site in the local network the operator can allow http with PORTEIRO_EGRESS_ALLOW.",
            STR_ARG(host));
    case HTTP_FETCH_REFUSED_PORT:
        return fail(
            call, E_EGRESS,
            "Port %u of %.*s is not open to this server: only 443 is. Use the standard port, or ask the operator "
            "to add \":%u\" to PORTEIRO_EGRESS_ALLOW.",
            url->port, STR_ARG(host), url->port);
    default:
        return fail(
            call, E_EGRESS,
            "%.*s leads to %s, which this server does not call. If that is meant (a site in the local network or "
            "on the same machine), the operator can allow it with PORTEIRO_EGRESS_ALLOW.",
            STR_ARG(host), why);
    }
}

static int report_timeout(struct call *call, const struct http_transfer *transfer, const struct url *url,
                          const struct http_client_settings *limits)
{
    struct str host = url->host;
    double seconds = (double)transfer->elapsed_ms / 1000;
    if (transfer->failure == HTTP_FETCH_TIMEOUT_CONNECT)
        return fail(
            call, E_TIMEOUT,
            "%.*s could not be reached within %.1f seconds. Is the site up, and does its firewall let this server "
            "in?",
            STR_ARG(host), seconds);
    if (transfer->is_slow)
        return fail(
            call, E_TIMEOUT,
            "%.*s sent its answer too slowly (less than %lld bytes a second) and was given up after %.1f seconds.",
            STR_ARG(host), (long long)limits->slow_bytes_per_s, seconds);
    if (transfer->answer_began)
        return fail(call, E_TIMEOUT, "%.*s did not finish its answer within %.1f seconds. Ask for less at a time.",
                    STR_ARG(host), seconds);
    return fail(
        call, E_TIMEOUT,
        "%.*s took the request but did not answer within %.1f seconds. The site is overloaded or hangs; try again "
        "later.",
        STR_ARG(host), seconds);
}

int http_failure_report(struct call *call, const struct http_transfer *transfer, const struct url *url,
                        const struct http_client_settings *limits)
{
    struct str host = url->host;
    const char *words = transfer->error[0] ? transfer->error : curl_easy_strerror(transfer->result);
    fail_detail(call, "fetch %.*s:%u: %s: %s%s%s", STR_ARG(host), url->port, http_fetch_failure_name(transfer->failure),
                words, transfer->refused_ip[0] ? ", refused " : "", transfer->refused_ip);
    switch (transfer->failure) {
    case HTTP_FETCH_DNS:
        return fail(
            call, E_UPSTREAM,
            "The name %.*s was not found (DNS). Check the spelling of the address, and that the domain is active.",
            STR_ARG(host));
    case HTTP_FETCH_CONNECT:
        return fail(
            call, E_UPSTREAM,
            "%.*s does not accept connections on port %u. Is the site up, the port right, and does its firewall "
            "let this server in?",
            STR_ARG(host), url->port);
    case HTTP_FETCH_TLS_CERTIFICATE:
        return fail(
            call, E_UPSTREAM,
            "The certificate of %.*s is not valid: %s. Renew or correct it on the site; a private authority can be "
            "trusted by the operator with PORTEIRO_CA_FILE.",
            STR_ARG(host), words);
    case HTTP_FETCH_TLS:
        return fail(
            call, E_UPSTREAM,
            "No encrypted connection with %.*s port %u came about (TLS). Does the site offer https on this port?",
            STR_ARG(host), url->port);
    case HTTP_FETCH_TIMEOUT_CONNECT:
    case HTTP_FETCH_TIMEOUT_ANSWER:
        return report_timeout(call, transfer, url, limits);
    case HTTP_FETCH_RESET:
        return fail(call, E_UPSTREAM, "%.*s broke the connection before its answer was complete. %s", STR_ARG(host),
                    transfer->is_repeatable ? "Try again." : "It is unknown whether the change was made: look first.");
    case HTTP_FETCH_TOO_LARGE:
        return fail(call, E_LIMIT,
                    "The answer of %.*s is larger than the %zu bytes that are read. Ask for less at a time.",
                    STR_ARG(host), transfer->max_body_bytes);
    case HTTP_FETCH_REFUSED_ADDRESS:
    case HTTP_FETCH_REFUSED_PORT:
    case HTTP_FETCH_REFUSED_LOOP:
    case HTTP_FETCH_PLAIN_HTTP_REFUSED:
        return report_refusal(call, transfer, url);
    case HTTP_FETCH_BUSY:
        if (transfer->is_crowded) {
            metric_count(METRIC_REFUSED, STR("answer_memory"));
            return fail(call, E_LIMIT,
                        "%.*s sends a large answer, and this server had no memory for one more within the time. Try "
                        "again in 10 seconds, or ask for less at a time.",
                        STR_ARG(host));
        }
        if (call_time_left_ms(call) == 0)
            return fail(call, E_TIMEOUT,
                        "Other requests to %.*s took so long that this one did not get its turn. Send fewer "
                        "at a time.",
                        STR_ARG(host));
        return fail(call, E_LIMIT, "Too many requests to %.*s wait already. Send fewer at a time.", STR_ARG(host));
    case HTTP_FETCH_CANCELLED:
        return fail(call, E_CANCELLED, "The request was cancelled.");
    case HTTP_FETCH_MEMORY:
        return fail(call, E_UNAVAILABLE, "There is not enough memory to call %.*s right now. Try again.",
                    STR_ARG(host));
    default:
        return fail(call, E_UPSTREAM, "%.*s answered something that is not readable as HTTP.", STR_ARG(host));
    }
}

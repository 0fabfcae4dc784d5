/*
 * The MCP endpoint: one POST URL for every revision of the protocol (2026-07-28 stateless, and the legacy ones before it).
 * The order of its checks is the dispatch ladder of docs/mcp.md.
 */
#ifndef MCP_ENDPOINT_H
#define MCP_ENDPOINT_H

#include "net/http_server.h"

struct mcp_settings {
    struct str public_url;           /* "https://mcp.example", or empty: then the listening address counts */
    const struct str *allowed_hosts; /* "127.0.0.1:8080", lower case; what a Host header may say beside public_url's */
    size_t n_allowed_hosts;
    const struct str *allowed_origins; /* what an Origin header may say beside public_url and the allowed hosts */
    size_t n_allowed_origins;
};

/* Once, before the first request; the settings' text must live as long as the process. */
void mcp_endpoint_init(const struct mcp_settings *settings);

/*
 * Serves one request to /mcp or a sibling. `provider_key` is the last path segment of /mcp/{provider}, or empty: the token says
 * which connection is meant, and a provider in the path must be that connection's. Waits.
 */
void mcp_endpoint(struct call *call, struct http_exchange *exchange, struct str provider_key);

/* How clients reach us: "https://mcp.example", of the settings, or of the request's Host. */
struct str mcp_own_url(struct call *call, const struct http_request *request);

/* May this request come from where it says (Host, Origin)? *ret_why is what to answer otherwise, with 403. */
MUST_CHECK bool mcp_may_come(const struct http_request *request, struct str *ret_why);

#endif

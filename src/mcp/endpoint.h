/*
 * The MCP endpoint: one POST URL for every revision of the protocol (2026-07-28 stateless, and the legacy ones before it).
 * The order of its checks is the dispatch ladder of docs/mcp.md.
 */
#ifndef MCP_ENDPOINT_H
#define MCP_ENDPOINT_H

#include "net/http_server.h"

/* Once at start. open_discover: server/discover is answered without a token. */
void mcp_endpoint_init(bool open_discover);

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

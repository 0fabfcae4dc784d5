/*
 * Protected resources, as OAuth calls them (RFC 9728): the addresses at which MCP is served, and what is said to who comes there
 * without a token that is good. An OAuth token is good at one of them exactly, the one its client asked for (RFC 8707).
 */
#ifndef ACCOUNTS_RESOURCE_H
#define ACCOUNTS_RESOURCE_H

#include "call/rights.h"
#include "net/http_server.h"

#define RESOURCE_METADATA_PATH "/.well-known/oauth-protected-resource"
#define RESOURCE_DEFAULT_PATH "/mcp"

/* "https://mcp.example": of the settings, or of the request's Host. Also the issuer's name. No '/' behind. */
struct str resource_origin(struct call *call, const struct http_request *request);

/* Is MCP served there, with OAuth? "/mcp", "/mcp/wordpress", "/api/mcp", "/api/mcp/wordpress"; not "/mcp/bearer". */
bool resource_is_path(struct str path);

/*
 * "/mcp/" as "/mcp": people paste an address with a slash behind it, and it is the same resource under its one name. Only where
 * MCP is served, "/mcp/bearer/" too; any other path, "/mcp//" among them, comes back as it is.
 */
struct str resource_plain_path(struct str path);

/* The address of the request itself, without a slash behind; ptr NULL: it is none. */
struct str resource_of(struct call *call, const struct http_request *request);

/* As a client names it in `resource`: one '/' behind is forgiven. False: it is none of ours. */
MUST_CHECK bool resource_find(struct call *call, const struct http_request *request, struct str wanted,
                              struct str *ret_resource);

/* "read draft": rights as scopes. */
struct str resource_scopes(struct call *call, unsigned rights);

/*
 * What WWW-Authenticate says. `error`: "invalid_token" when a token was presented, "insufficient_scope", or empty; `rights`: all
 * that are needed. Where there is no OAuth it says so little that nobody looks for it.
 */
struct str resource_challenge(struct call *call, const struct http_request *request, struct str error, unsigned rights);

#endif

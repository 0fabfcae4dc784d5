/*
 * What the two eras share: one MCP message on its way through the server, and its answer.
 *
 * The legacy era (2025-03-26 to 2025-11-25) negotiates by initialize; the modern one (2026-07-28) has no handshake, every
 * request describes itself. Both are served from the same tools; an era_*.c knows only its methods and its wire shape.
 */
#ifndef MCP_PROTOCOL_H
#define MCP_PROTOCOL_H

#include "accounts/authenticate.h"
#include "mcp/rpc.h"
#include "net/http_server.h"
#include "providers/provider.h"

#define MCP_VERSION_MODERN "2026-07-28"
#define MCP_VERSION_LEGACY_NEWEST "2025-11-25"
#define MCP_VERSION_BATCHES "2025-03-26" /* the only one with arrays of messages */

enum { ANSWER_MAX_BYTES = 8 * 1024 * 1024 };

struct mcp_request {
    const struct http_request *http;
    const struct principal *who;
    const struct provider *provider;
    const struct json *body; /* of the message below */
    struct rpc_message message;
};

struct mcp_reply {
    int status; /* HTTP; 202 means no body */
    struct buf body;
};

bool mcp_version_is_legacy(struct str version);

/* Serve one request that the ladder found to be of this era. Always leave an answer. Both wait. */
void era_modern_serve(struct call *call, const struct mcp_request *request, struct mcp_reply *reply);
void era_legacy_serve(struct call *call, const struct mcp_request *request, struct mcp_reply *reply);

/* The answer is an error; an earlier, half-written one is dropped. */
void mcp_reply_error(struct mcp_reply *reply, int status, struct str id_raw, int code, struct str message);

/* {"name":"porteiro",...}: who we are, the same in both eras. */
extern const struct str mcp_server_info;

#endif

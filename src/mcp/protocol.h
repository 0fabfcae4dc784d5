/*
 * What the two eras share: one MCP message on its way through the server, and its answer.
 *
 * The legacy era (2025-03-26 to 2025-11-25) negotiates by initialize; the modern one (2026-07-28) has no handshake, every
 * request describes itself. Both are served from the same methods (mcp/methods.h); an era_*.c knows only what is its own: its
 * gates, its handshake, its wire shape.
 *
 * The transport in front (mcp/endpoint.c for HTTP) fills in a request, lends an outlet for what is sent ahead of the answer,
 * and calls mcp_serve_text().
 */
#ifndef MCP_PROTOCOL_H
#define MCP_PROTOCOL_H

#include "accounts/authenticate.h"
#include "mcp/rpc.h"
#include "mcp/session.h"
#include "net/http_server.h"
#include "providers/provider.h"

#define MCP_VERSION_MODERN "2026-07-28"
#define MCP_VERSION_LEGACY_NEWEST "2025-11-25"
#define MCP_VERSION_BATCHES "2025-03-26" /* the only one with arrays of messages */

#define MCP_EXTENSION_TASKS "io.modelcontextprotocol/tasks"

enum { ANSWER_MAX_BYTES = 8 * 1024 * 1024 };

/* Where messages go that the client gets before the answer: notifications, and questions of the legacy era. */
struct mcp_outlet {
    /* `message` is one JSON text without line breaks. E_CANCELLED: the client has gone. Waits. */
    int (*send)(struct call *call, struct mcp_outlet *outlet, struct str message);
    /* Something that is no message, so that proxies see life. Waits. */
    int (*keep_alive)(struct call *call, struct mcp_outlet *outlet);
};

struct mcp_request {
    const struct http_request *http; /* NULL: another transport, and the rules about headers do not hold */
    const struct principal *who;
    struct http_exchange *exchange; /* NULL: another transport */
    struct str bearer;              /* the token, for streams that ask again whether it is good; empty: they do not */
    const struct provider *provider;
    struct mcp_outlet *outlet;         /* NULL: nothing can be sent ahead */
    const struct mcp_session *session; /* legacy: what the client declared in initialize; NULL: nobody knows */
    const struct json *body;           /* of the message below */
    struct rpc_message message;
};

struct mcp_reply {
    int status; /* HTTP; 202 means no body */
    struct buf body;
    int64_t retry_after_s;             /* 0: the answer has no Retry-After */
    int error_code;                    /* of the JSON-RPC error that it is; 0: it is none */
    unsigned lacking_rights;           /* of an OAuth token: what was refused for want of them; 0: nothing */
    const struct mcp_session *session; /* initialize began one: its id goes into the answer's Mcp-Session-Id */
};

/* Serves one text from the client, a message or a batch. Always leaves an answer. Waits. */
void mcp_serve_text(struct call *call, struct mcp_request *request, struct str text, struct mcp_reply *reply);

bool mcp_version_is_legacy(struct str version);

/* Serve one request that the ladder found to be of this era. Always leave an answer. Both wait. */
void era_modern_serve(struct call *call, struct mcp_request *request, struct mcp_reply *reply);
void era_legacy_serve(struct call *call, struct mcp_request *request, struct mcp_reply *reply);
/* A notification or an answer of a client of the legacy era. */
void era_legacy_notice(struct call *call, const struct mcp_request *request);

/* The answer is an error; an earlier, half-written one is dropped. */
void mcp_reply_error(struct mcp_reply *reply, int status, struct str id_raw, int code, struct str message);

/* {"name":"porteiro",...}: who we are, the same in both eras. */
extern const struct str mcp_server_info;

#endif

/*
 * subscriptions/listen (2026-07-28): a stream that stays open and tells what changed. It replaces resources/subscribe and the
 * stream of GET.
 *
 * The task of such a request sleeps until the bus wakes it; what happened meanwhile is a set of marks, so that a slow reader
 * costs no memory. Whether its token is still good is asked again when somebody's rights changed (here or on this host), before
 * anything is told, and at the token's own end.
 */
#ifndef MCP_LISTEN_H
#define MCP_LISTEN_H

#include "mcp/protocol.h"

enum {
    LISTEN_MAX = 10 * 1000, /* of this process */
    LISTEN_PER_TOKEN_MAX = 1024,
    LISTEN_URIS_MAX = 100,
    LISTEN_TASKS_MAX = 64,
    LISTEN_BODY_BYTES = 64 * 1024,         /* the request lies in memory as long as the stream */
    LISTEN_PIECE_BYTES = 16 * 1024 * 1024, /* while one of them is told, or the token looked at */
    LISTEN_KEEP_ALIVE_MS = 15 * 1000,
    LISTEN_WATCH_MS = 1000, /* how often the shared counter of changed rights is looked at, while anybody listens */
};

/*
 * Serves the request until the client closes, the token ends, or the process stops. `reply` gets the last message: the result,
 * or an error before anything was sent. Waits.
 */
void listen_serve(struct call *call, const struct mcp_request *request, struct mcp_reply *reply);

/* All streams end, each with its result: when the process stops. */
void listen_end_all(void);

size_t listen_count(void);

#endif

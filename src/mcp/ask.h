/*
 * Questions to clients of the legacy era: a request of ours goes out on the stream of the client's own request, and its answer
 * comes in with another POST, perhaps to another process, from where the bus brings it.
 */
#ifndef MCP_ASK_H
#define MCP_ASK_H

#include "mcp/protocol.h"

enum {
    ASK_WAIT_MS = 5 * 60 * 1000, /* for a person to answer; clients give up at about that time */
    ASK_KEEP_ALIVE_MS = 15 * 1000,
};

/* *ret: the result. E_TIMEOUT, E_CANCELLED; E_DENIED: the client answered with an error. Moves the call's deadline. Waits. */
MUST_CHECK int ask_client(struct call *call, const struct mcp_request *request, struct str method,
                          struct str params_json, const struct json **ret);

/* The process stops: questions that wait end with E_UNAVAILABLE, for nobody could answer them any more. */
void ask_end_all(void);

/* A response of a client in its session. */
void ask_answered(const struct mcp_session *session, const struct json *message);

/* A request of a session that runs now, so that notifications/cancelled finds it. In the call's arena. */
struct ask_running {
    struct ask_running *next;
    struct str session, id_raw;
    struct call *call;
};
void ask_running_begin(struct ask_running *running, struct call *call, const struct mcp_request *request);
void ask_running_end(struct ask_running *running);
void ask_cancel(const struct mcp_session *session, const struct json *request_id);

#endif

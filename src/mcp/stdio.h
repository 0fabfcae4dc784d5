/*
 * The MCP server over two descriptors, as clients start it themselves: one JSON-RPC message a line, both ways (2026-07-28 and
 * before: basic/transports, "stdio"). The same methods, eras and checks as over HTTP (mcp/protocol.h); what differs:
 *
 *   - there are no headers: a message of 2026-07-28 says so in its _meta, any other is of the legacy era
 *   - the client is one: its token is given at the start, and the session it got by initialize is remembered here
 *   - notifications/cancelled cancels in both eras, and a cancelled request has no answer
 *
 * One per process.
 */
#ifndef MCP_STDIO_H
#define MCP_STDIO_H

#include "call/call.h"

enum {
    STDIO_LINE_MAX_BYTES = 4 * 1024 * 1024,
    STDIO_CALLS_MAX = 64, /* under way at once; further lines are read when one has ended */
    STDIO_CALL_TIMEOUT_MS = 60 * 1000,
    STDIO_CALL_MEMORY_BYTES = 32 * 1024 * 1024,
    STDIO_LEAVE_MS = 3 * 1000, /* that cancelled calls get after SIGTERM */
};

/*
 * Serves until the input ends and what came by then has its answer, or until SIGTERM or SIGINT. `token` lives as long. Writing
 * waits for the client. E_UNAVAILABLE (no memory). Needs loop_init().
 */
MUST_CHECK int stdio_serve(struct call *call, struct str token, int in, int out);

#endif

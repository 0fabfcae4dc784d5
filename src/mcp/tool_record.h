/*
 * What the audit log says of a call of a tool: the intent of a write before it, and of every call what came of it. Texts of arguments
 * are redacted (mcp/redact.h).
 */
#ifndef MCP_TOOL_RECORD_H
#define MCP_TOOL_RECORD_H

#include "mcp/host.h"

/*
 * A call that was refused before its tool ran: rights, arguments, what its client lacks. It is an attempt, so it is on record as
 * every call of a tool that exists; nothing was done, so the row need not be there before the answer. What one token can make of
 * them is bounded by its quota, which counts the call before it comes here. Returns `error`, which has been reported.
 */
int tool_record_refused(struct call *call, const struct tool *tool, const struct mcp_host *host, int error);

/* No record, no action: committed before the tool may send its first byte. E_UNAVAILABLE: in INTENT_MS it could not be. Waits. */
MUST_CHECK int tool_record_intent(struct call *call, const struct tool *tool, struct mcp_host *host,
                                  const struct json *arguments);

/* Of a read within a second; of a write at once, whatever is left of the call's time. Waits. */
void tool_record_done(struct call *call, const struct tool *tool, struct mcp_host *host, const struct json *arguments,
                      const struct tool_result *result, int error, int64_t elapsed_ms);

#endif

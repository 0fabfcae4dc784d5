/*
 * tools/list and tools/call, the same for every era and provider: which tools a token sees, whether the arguments fit, the
 * audit record before a write and after every call (mcp/tool_record.h), and the result as MCP content.
 */
#ifndef MCP_TOOLS_H
#define MCP_TOOLS_H

#include "mcp/host.h"

enum {
    TOOL_TEXT_MAX_BYTES = 4 * 1024 * 1024,
    TOOL_BLOCKS_MAX_BYTES = 7 * 1024 * 1024,
};

/* The argument through which a model gives back the code of a confirmation (mcp/confirm.c); no tool has it itself. */
#define TOOL_CONFIRM_ARGUMENT "confirm_code"

/* What came of a tool, as members of a CallToolResult. */
void tools_write_result(struct call *call, const struct tool_result *result, bool modern, struct buf *out);

/*
 * 2026-07-28: arguments whose schema says "x-mcp-header" are repeated in headers Mcp-Param-NAME, so that proxies can route by
 * them. E_INVALID: what the headers say is not what the body says.
 */
MUST_CHECK int tools_check_headers(struct call *call, const struct mcp_request *request);

/*
 * Runs the tool host->name with host->arguments as tools/call does: rights, schema, audit before and after. Initialises *result.
 * Errors are in words for people. Waits.
 */
MUST_CHECK int tools_run(struct call *call, struct mcp_host *host, struct tool_result *result);

bool tools_has(const struct provider *provider, struct str name);
/* Is there such a tool, and may it change something? */
bool tools_writes(const struct provider *provider, struct str name);

#endif

/*
 * tools/list and tools/call, the same for every era and provider: which tools a token sees, whether the arguments fit, the
 * audit record before a write and after every call, and the result as MCP content.
 */
#ifndef MCP_TOOLS_H
#define MCP_TOOLS_H

#include "accounts/authenticate.h"
#include "base/buf.h"
#include "json/json.h"
#include "providers/provider.h"

/* Writes "tools":[...] of what these rights may use, in the provider's order. */
void tools_list(struct call *call, const struct provider *provider, unsigned rights, struct buf *out);

/* The list is one page: any cursor is one we never gave. */
bool tools_list_cursor_is_bad(const struct json *params);

enum { TOOL_TEXT_MAX_BYTES = 4 * 1024 * 1024 };

struct tools_outcome {
    struct str text;
    bool is_error; /* the tool ran (or was refused) and failed: for the model to read and correct itself */
};

/*
 * Runs the tool that params names. An error (with fail()) only when the request itself is wrong: no such tool, arguments no
 * object; everything else is an outcome, with is_error set. Waits.
 */
int tools_call(struct call *call, const struct provider *provider, const struct principal *who,
               const struct json *params, struct tools_outcome *ret);

/* Writes "content":[...] and, when it failed, "isError":true. */
void tools_write_outcome(const struct tools_outcome *outcome, struct buf *out);

#endif

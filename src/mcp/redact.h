/* What of a tool's arguments may stand in the audit log: enough to see what was asked, no secret, no whole articles. */
#ifndef MCP_REDACT_H
#define MCP_REDACT_H

#include "base/arena.h"
#include "json/json.h"

enum {
    REDACT_STRING_MAX_BYTES = 200, /* longer strings are cut, with their length noted */
    REDACT_TOTAL_MAX_BYTES = 2048, /* beyond that members are left out, and their number noted */
};

/* JSON object text in the arena. Members whose names sound like secrets become "[redacted]". Numbers that are no integers
 * become strings, because the audit chain hashes strings and integers only. */
struct str redact_arguments(struct arena *arena, const struct json *arguments);

#endif

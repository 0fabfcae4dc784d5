/* What of a tool's arguments may stand in the audit log: enough to see what was asked, no secret, no whole articles. */
#ifndef MCP_REDACT_H
#define MCP_REDACT_H

#include "providers/provider.h"

enum {
    REDACT_STRING_MAX_BYTES = 200, /* longer strings are cut, with their length noted */
    REDACT_TOTAL_MAX_BYTES = 2048, /* beyond that members are left out, and their number noted */
};

/* JSON object text in the arena. Members whose names sound like secrets become "[redacted]". Numbers that are no integers
 * become strings, because the audit chain hashes strings and integers only. */
struct str redact_arguments(struct arena *arena, const struct json *arguments);

/*
 * The same by the provider whose tool it is. Where it has conversations, neither people nor what is said to them may stand in rows that
 * nothing ever erases: people become digests (person_digest()), texts their lengths. The rest is as by redact_arguments().
 */
struct str redact_of(struct call *call, const struct provider *provider, const struct json *value);
/* A text that may quote what was to be said, or to whom; empty: it may not stand there. */
struct str redact_text_of(const struct provider *provider, struct str text);
/* The name of a resource: of a provider of conversations a person may be its end. */
struct str redact_uri_of(struct call *call, const struct provider *provider, struct str uri);
/* What an owner was asked, as JSON: of a tool of such a provider only its length. */
struct str redact_question(struct call *call, struct str tool, struct str what);

#endif

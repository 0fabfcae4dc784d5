/*
 * A token over several connections: its tools have one argument more, `site`, which names the connection. Everything behind it
 * (rights, audit, confirmation, what is kept for undo) sees a principal of that one connection. Resources, prompts and completion have
 * no such argument: they are of the token's first connection.
 */
#ifndef MCP_SITES_H
#define MCP_SITES_H

#include "json/json_write.h"
#include "mcp/host.h"

#define SITE_ARGUMENT "site"

/* Does this token choose? */
bool sites_are_chosen(const struct principal *who);

/* Of all its connections. */
unsigned sites_rights(const struct principal *who);

/* The schema of the argument: an enum of names. */
struct str sites_schema(struct arena *arena, const struct principal *who);

/* Takes `site` out of host->arguments and makes host->request one of that connection. E_INVALID names those there are. */
MUST_CHECK int sites_choose(struct call *call, struct mcp_host *host);

#endif

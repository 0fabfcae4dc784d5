/*
 * A token over several connections: its tools have one argument more, `site`, which names the connection. Everything behind it
 * (rights, audit, confirmation, what is kept for undo) sees a principal of that one connection. Resources, prompts and completion have
 * no such argument: they are of the token's first connection.
 *
 * Tools whose arguments are given by others (search and fetch) have no room for it: their ids begin with the name, as in
 * "my-blog:wp://posts/12", and a search asks all.
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

/* host->request becomes one of that connection; call->who too. `all` is the token's own request. */
MUST_CHECK int sites_take(struct call *call, struct mcp_host *host, const struct mcp_request *all,
                          const struct site_grant *grant);

/* Takes the name off the argument "id" and makes host->request one of that connection, which is given back. */
MUST_CHECK int sites_choose_by_id(struct call *call, struct mcp_host *host, const struct site_grant **ret);

/* `object`'s members, with the name before its "id". */
void sites_write_named(struct call *call, struct json_writer *w, const struct json *object,
                       const struct site_grant *grant);

/* Takes `site` out of host->arguments and makes host->request one of that connection. E_INVALID names those there are. */
MUST_CHECK int sites_choose(struct call *call, struct mcp_host *host);

#endif

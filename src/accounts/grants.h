/*
 * A token over several connections: each has a name, which the tools' argument `site` takes, and its own rights. The token has its
 * home in mcp_tokens.connection_id like any other, and ends with it; of the others, those that rest or are gone drop out.
 */
#ifndef ACCOUNTS_GRANTS_H
#define ACCOUNTS_GRANTS_H

#include "accounts/tokens.h"
#include "store/grants.h"

/* Inside the transaction that made the token. `names` are for the audit: "blog, shop". E_NOT_FOUND, E_INVALID, E_CONFLICT. */
MUST_CHECK int grants_add(struct call *call, const struct connection_row *home, struct str home_rights,
                          const struct token_new *token, const struct token_row *row, struct str *ret_names);

/* Was this row made by us, for this token? */
MUST_CHECK bool grant_is_right(struct call *call, const struct token_row *token, const struct grant_row *grant);

#endif

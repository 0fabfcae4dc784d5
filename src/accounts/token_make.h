/* What tokens.c and connections.c share about making tokens; for accounts/ only. All of it in an open transaction. */
#ifndef ACCOUNTS_TOKEN_MAKE_H
#define ACCOUNTS_TOKEN_MAKE_H

#include "accounts/tokens.h"
#include "crypto/token.h"

/* Both rows of a new token. */
MUST_CHECK int token_insert(struct call *call, int64_t connection_id, const struct token_new *token,
                            const char *name_if_empty, struct token_made *ret);

/* The further connections of a token that was just made. */
MUST_CHECK int token_add_sites(struct call *call, const struct connection_row *home, const struct token_new *token,
                               struct token_made *made);

/* Points into `row`. */
struct token_claims token_claims_of(const struct token_row *row);

/* For the audit: last four characters, rights, expiry. */
struct str token_audit_json(struct call *call, const struct token_made *made, const struct token_new *token);

/* The connection has no primary token any longer. */
MUST_CHECK int token_unset_primary(struct call *call, int64_t connection_id);

#endif

/*
 * What people agreed to, and the codes and tokens that come of it. A grant is the family of all of them: it ends as a whole, by
 * its owner, by its client, or because a code or an old refresh token was used again. While it is active it is also what we remember
 * of the person's consent.
 *
 * Codes: 60 seconds, one attempt. Access tokens: an hour, rows of mcp_tokens. Refresh tokens: replaced at each use; for a while the
 * one before still gives the same successor, since answers get lost and clients ask from several processes at once. All of these
 * may wait.
 */
#ifndef OAUTH_GRANTS_H
#define OAUTH_GRANTS_H

#include "call/rights.h"
#include "store/oauth_clients.h"
#include "store/oauth_grants.h"

enum {
    GRANT_CODE_MS = 60 * 1000,
    GRANT_ACCESS_MS = 3600 * 1000,
    GRANT_GRACE_MS = 60 * 1000,
    GRANT_SITES_MAX = 20,
    GRANT_TOKENS_MAX = 5, /* access tokens of one family that are good at once */
    GRANT_STANDING_TOKENS_MAX = 50,
    GRANTS_PER_CLIENT_MAX = 50, /* of one person; one more ends the one that was used least lately */
};
static const int64_t GRANT_IDLE_MS = INT64_C(30) * 24 * 3600 * 1000, GRANT_LIFE_MS = INT64_C(180) * 24 * 3600 * 1000;

/* Once at start. 0: GRANT_GRACE_MS. */
void grants_init(int64_t grace_ms);

/* ---- agreeing */

struct grant_new {
    int64_t user_id;
    const struct oauth_client_row *client;
    const int64_t *connection_ids; /* ascending; the first is home */
    size_t n_connections;
    unsigned rights;
    struct str resource, redirect_uri, redirect_host, challenge;
};
/* The code. E_NOT_FOUND: a connection is not that person's; E_INVALID: of different services. */
MUST_CHECK int grants_agree(struct call *call, const struct grant_new *new, struct str *ret_code);

/* In an open transaction: for a client with credentials of its own, for its connection and rights. */
MUST_CHECK int grants_add_standing(struct call *call, const struct oauth_client_row *client, int64_t user_id);

/* ---- tokens. E_DENIED: refused, and *ret_code says it as OAuth does ("invalid_grant"). */

struct grant_tokens {
    struct str access, refresh; /* refresh empty: none */
    int64_t expires_in_s;
    unsigned rights;
};
struct redemption {
    struct str code, verifier;
    struct str redirect_uri; /* ptr NULL: not said, as OAuth 2.1 has it: PKCE binds the code to who asked for it */
    struct str resource;     /* ptr NULL: not said */
};
MUST_CHECK int grants_redeem(struct call *call, const struct oauth_client_row *client, const struct redemption *asked,
                             struct grant_tokens *ret, const char **ret_code);
/* rights 0: all; resource ptr NULL: not said. */
MUST_CHECK int grants_refresh(struct call *call, const struct oauth_client_row *client, struct str refresh,
                              unsigned rights, struct str resource, struct grant_tokens *ret, const char **ret_code);
MUST_CHECK int grants_give_standing(struct call *call, const struct oauth_client_row *client, unsigned rights,
                                    struct str resource, struct grant_tokens *ret, const char **ret_code);
/* RFC 7009: a refresh token ends its family, an access token only itself. What is not this client's changes nothing. */
MUST_CHECK int grants_revoke_token(struct call *call, const struct oauth_client_row *client, struct str token,
                                   bool *ret_changed);

/* ---- the person's view */

MUST_CHECK int grants_list(struct call *call, int64_t user_id, struct oauth_grant_rows *ret);
/* The newest active one of that client, as what was agreed to before; *ret_found tells. */
MUST_CHECK int grants_remembered(struct call *call, int64_t user_id, struct str client_id, struct oauth_grant_row *ret,
                                 bool *ret_found);
/* E_NOT_FOUND. */
MUST_CHECK int grants_end(struct call *call, int64_t user_id, struct str id);

#endif

/* What grants.c and redeem.c share; for oauth/ only. */
#ifndef OAUTH_FAMILY_H
#define OAUTH_FAMILY_H

#include "crypto/keyring.h"
#include "store/oauth_grants.h"

struct str family_mac_of_code(struct call *call, const struct oauth_code_row *row);
struct str family_mac_of_refresh(struct call *call, const struct oauth_refresh_row *row);

/* An event of it, in the open transaction. `why` may be NULL. */
MUST_CHECK int family_record(struct call *call, const char *action, const struct oauth_grant_row *grant,
                             int64_t token_id, const char *why);

/* The challenge (S256, RFC 7636) that a verifier answers; false: it is no verifier. */
enum { PKCE_CHALLENGE_CHARS = 43 };
bool pkce_is_challenge(struct str challenge);
MUST_CHECK bool pkce_is_answered(struct str challenge, struct str verifier);

#endif

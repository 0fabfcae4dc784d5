/*
 * Signing in with Neon Auth, where the operator's database has it: the application there gives its user a token (JWT); with it the
 * person of the same verified e-mail address logs in here. Nothing is written to neon_auth, and nobody gets an account by it.
 *
 * The address of an account here must have been confirmed, too: otherwise whoever registers with somebody else's address would wait
 * in an account that this person then signs in to. A second factor that the account has is asked for all the same.
 */
#ifndef ACCOUNTS_NEON_H
#define ACCOUNTS_NEON_H

#include "accounts/sessions.h"

struct neon_settings {
    struct str url;              /* its keys are at URL/.well-known/jwks.json; empty: it is not used */
    struct str issuer, audience; /* what the tokens say, exactly */
};

enum {
    NEON_KEYS_FRESH_MS = 3600 * 1000,      /* then they are asked for again */
    NEON_KEYS_STALE_MS = 24 * 3600 * 1000, /* so long old ones are used while Neon Auth does not answer */
    NEON_KEYS_AGAIN_MS = 30 * 1000,        /* a token with an unknown key makes us ask again, this often at most */
};

/* Once at start; the text must live as long as the process. */
void neon_init(const struct neon_settings *settings);
void neon_done(void);

/*
 * E_NOT_FOUND: not set up; E_UNAUTHENTICATED: the token is not good; E_DENIED: it is, but nobody here may come in with it (the text
 * says what to do); E_WAITING: the code of the second factor is needed; E_LIMIT; E_UNAVAILABLE: the keys cannot be fetched. Waits.
 */
MUST_CHECK int neon_login(struct call *call, struct str token, struct str code, const struct session_from *from,
                          struct str *ret_session, int64_t *ret_user_id);

#endif

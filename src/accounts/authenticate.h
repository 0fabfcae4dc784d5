/*
 * Who is it? A bearer token to its connection, owner, provider and rights.
 *
 *     form and checksum -> cache -> HMAC -> one query -> rules and MAC over the rights
 *
 * A revocation is seen at once by all processes of this host (accounts/generation.h), by other hosts within a second: a cached
 * answer is believed for less than that without asking the database, so that there is time left to ask. When the database is down, answers up to 60 seconds old go
 * on serving (writes still fail: their audit cannot be written). Nothing runs in the background while nobody calls.
 */
#ifndef ACCOUNTS_AUTHENTICATE_H
#define ACCOUNTS_AUTHENTICATE_H

#include "accounts/tokens.h"
#include "providers/provider.h"

enum {
    AUTH_CACHE_ENTRIES = 10 * 1000,
    AUTH_CACHE_BAD_ENTRIES = 1000, /* refused tokens; apart, so that guessing does not push out the good ones */
    AUTH_FRESH_MS = 800,           /* how long an answer is believed, from when it was asked for */
    AUTH_REFRESH_MS = 600,         /* from then on, one call asks again while others still believe */
    AUTH_NEGATIVE_MS = 2000,
    AUTH_STALE_MS = 60 * 1000, /* while the database is down */
    AUTH_DOWN_MS = 1000,       /* after it failed, stale answers are given without asking for so long */
    AUTH_QUERY_MS = 800,       /* how long it may take when a stale answer is at hand */
    AUTH_TOUCH_MS = 60 * 1000, /* last_used_at is written at most that often for a token */
    AUTH_TOUCH_DELAY_MS = 5000,
};

/* One site of a token over several (accounts/grants.h). */
struct site_grant {
    struct str alias;
    unsigned rights;
    struct site site;
};

/* What a token stands for. Constant; lives until the call's arena is released. */
struct principal {
    int64_t token_id, connection_id, user_id;
    int64_t expires_at_ms; /* 0: never */
    struct str provider_key, token_name, token_last4;
    unsigned rights;
    enum confirm confirm;
    unsigned options;    /* enum token_option, or'ed */
    struct str audience; /* of an OAuth token: the one address it is good at (accounts/resource.h); else empty */
    struct str family;   /* of such a one: the agreement it came of; else empty */
    struct site site;    /* name, config and sealed secret of the connection */
    /* Of a token over several connections: those that can be used now. The first is the one above; none: it has only that. */
    const struct site_grant *grants;
    size_t n_grants;
};

/*
 * E_UNAUTHENTICATED: the text says what to do, call->error_detail for our log what was wrong. E_DENIED, likewise: the token is
 * good, but rests: its connection, its kind of service, or all that its owner has. E_UNAVAILABLE, E_TIMEOUT: the
 * database is not there and nothing is known of this token. May wait, but not on the hot path.
 */
MUST_CHECK int authenticate(struct call *call, struct str bearer, const struct principal **ret);

/*
 * The same for work that goes on behind its request and knows its token's id only: always asks the database. E_UNAUTHENTICATED:
 * the token is not good any more, or rests. One of OAuth, which lives for an hour, is good as long as its family is.
 */
MUST_CHECK int authenticate_token(struct call *call, int64_t token_id, const struct principal **ret);

/* The same token for another of its connections. E_DENIED: it is not for that one, or not now. */
MUST_CHECK int principal_for(struct call *call, const struct principal *who, int64_t connection_id,
                             const struct principal **ret);

/*
 * Who holds what goes on from one request to the next. An access token lives for an hour and the next one of its family goes on, so
 * it stands for the family, as a negative number; every other token for itself.
 */
int64_t principal_holder(const struct principal *who);

/* Writes the last_used_at times that wait: by a task of its own while there are any, and once at the end. */
int authenticate_flush(struct call *call);

/* Forgets all cached answers. */
void authenticate_done(void);

#endif

/*
 * Bearer tokens of connections. The token itself is shown once, when it is made; the database has its hash, and a MAC over
 * what it may do. Every change is audited in its own transaction. All of these may wait.
 */
#ifndef ACCOUNTS_TOKENS_H
#define ACCOUNTS_TOKENS_H

#include "call/rights.h"
#include "call/token_options.h"
#include "store/connections.h"
#include "store/tokens.h"

/* What must happen before an action of this token that cannot be taken back. */
enum confirm {
    CONFIRM_NONE,
    CONFIRM_MODEL, /* a preview and a one-use code: guards against slips */
    CONFIRM_HUMAN, /* approved by a person, out of the model's sight */
};
MUST_CHECK int confirm_parse(struct call *call, struct str word, enum confirm *ret); /* E_INVALID lists the words */
struct str confirm_format(enum confirm confirm);

enum { TOKEN_NAME_BYTES_MAX = 120, TOKENS_PER_CONNECTION_MAX = 100, TOKEN_SITES_MAX = 50 };

/* A further connection of a token (accounts/grants.h). */
struct token_site {
    int64_t connection_id;
    unsigned rights; /* 0: the token's */
};

struct token_new {
    struct str name; /* empty: "token" */
    unsigned rights; /* read is always among them */
    enum confirm confirm;
    unsigned options;               /* enum token_option, or'ed */
    int64_t expires_at_ms;          /* 0: never */
    const struct token_site *sites; /* besides its own connection; same owner and kind of service */
    size_t n_sites;
    struct str access_token; /* of OAuth: the token itself, prt_oat_; empty: a new one of the connection, prt_pat_ */
    struct str audience;     /* then the one address it is good at */
    struct str grant_id;     /* and the family it is of */
};
struct token_made {
    int64_t connection_id, token_id;
    struct str token; /* wiped when the call ends */
    struct str last4;
    struct str
        sites; /* "blog, shop": what the argument `site` takes; empty: the token is for its own connection only */
};

/* Beside the connection's primary token. `user_id` owns the connection, or USER_ANY. E_NOT_FOUND, E_CONFLICT (revoked). */
MUST_CHECK int tokens_add(struct call *call, int64_t user_id, int64_t connection_id, const struct token_new *token,
                          struct token_made *ret);

/* An OAuth access token: `token` says of what. As above, but there may be any number, and oauth/ audits them. In an open transaction. */
MUST_CHECK int tokens_add_access(struct call *call, int64_t user_id, int64_t connection_id,
                                 const struct token_new *token, struct token_made *ret);

/* connection_id 0: of all connections. */
MUST_CHECK int tokens_list(struct call *call, int64_t user_id, int64_t connection_id, struct token_rows *ret);

/* "active", "expired", "revoked"; "earlier": of the earlier system, and not taken over. */
const char *token_state(const struct token_row *token);

/* A second time changes nothing. A primary token leaves its connection without one, one of OAuth ends all of its family. */
MUST_CHECK int tokens_revoke(struct call *call, int64_t user_id, int64_t token_id);

/* "read", "30 days": "30d", "12h", "90d" to a time from now; "never" or "none" is 0. E_INVALID. */
MUST_CHECK int tokens_parse_expiry(struct call *call, struct str text, int64_t *ret_expires_at_ms);

#endif

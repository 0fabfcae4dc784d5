/*
 * What people agreed to for a client (mcp_oauth_grants), and what came of it: codes, refresh tokens, access tokens. Whoever changes
 * anything here holds the lock of the owner (store_keys_lock()), so that of two at once the second sees what the first did.
 */
#ifndef STORE_OAUTH_GRANTS_H
#define STORE_OAUTH_GRANTS_H

#include "store/store.h"

#define GRANT_PENDING "pending" /* agreed, but its code is not redeemed yet */
#define GRANT_ACTIVE "active"
#define GRANT_ENDED "ended"

struct oauth_grant_row {
    struct str id;
    int64_t user_id;
    struct str client_id;
    int64_t connection_id;  /* the home of its tokens */
    struct str connections; /* those besides it, ascending: "7,9" */
    struct str rights;
    struct str resource; /* the one address its tokens are good at */
    struct str redirect_host;
    struct str mac;
    struct str state;
    int64_t created_at_ms;
    int64_t used_at_ms;    /* tokens were given; 0: never */
    int64_t expires_at_ms; /* unless it is used again before */
    int64_t ends_at_ms;    /* in any case */
    /* of the lists */
    struct str client_name, client_kind, connection_name;
    int64_t last_used_at_ms; /* of any of its access tokens that are still there, or used_at_ms */
};
struct oauth_grant_rows {
    size_t count;
    struct oauth_grant_row *items;
};

MUST_CHECK int store_oauth_grants_insert(struct call *call, const struct oauth_grant_row *row);
/* E_NOT_FOUND. `user_id` or USER_ANY. */
MUST_CHECK int store_oauth_grants_get(struct call *call, int64_t user_id, struct str id, struct oauth_grant_row *ret);
/* Of that user, active and not expired, newest first; client_id empty: of all clients. */
MUST_CHECK int store_oauth_grants_list(struct call *call, int64_t user_id, struct str client_id, int64_t now_ms,
                                       struct oauth_grant_rows *ret);
/* Tokens were given; mac: of the row as it will be. */
MUST_CHECK int store_oauth_grants_use(struct call *call, struct str id, int64_t now_ms, int64_t expires_at_ms,
                                      struct str mac);
/* With all its tokens and its mac; `by`: why. *ret_count 0: it had ended before. */
MUST_CHECK int store_oauth_grants_end(struct call *call, struct str id, struct str by, int64_t *ret_count);
/* The one that this access token is of. */
MUST_CHECK int store_oauth_grants_end_of_token(struct call *call, int64_t token_id, struct str by);

struct oauth_code_row {
    struct str hash, grant_id, redirect_uri, challenge, mac;
    int64_t created_at_ms, expires_at_ms, used_at_ms;
};
MUST_CHECK int store_oauth_codes_insert(struct call *call, const struct oauth_code_row *row);
MUST_CHECK int store_oauth_codes_get(struct call *call, struct str hash, struct oauth_code_row *ret); /* E_NOT_FOUND */
/* *ret_first: nobody did before. */
MUST_CHECK int store_oauth_codes_use(struct call *call, struct str hash, int64_t now_ms, bool *ret_first);

struct oauth_refresh_row {
    struct str hash, grant_id, mac;
    int64_t created_at_ms, used_at_ms; /* 0: it has no successor yet */
    int64_t next_token_id;             /* the access token that was given for it */
};
MUST_CHECK int store_oauth_refresh_insert(struct call *call, const struct oauth_refresh_row *row);
MUST_CHECK int store_oauth_refresh_get(struct call *call, struct str hash, struct oauth_refresh_row *ret);
MUST_CHECK int store_oauth_refresh_use(struct call *call, struct str hash, int64_t now_ms, int64_t next_token_id);

/* The row that makes a row of mcp_tokens an access token. */
MUST_CHECK int store_oauth_tokens_insert(struct call *call, int64_t token_id, struct str grant_id, struct str resource);
/* The family of an access token, by its hash. E_NOT_FOUND. */
MUST_CHECK int store_oauth_tokens_find(struct call *call, struct str token_hash, int64_t *ret_token_id,
                                       struct str *ret_grant_id);
/* What its owner agreed to. E_NOT_FOUND. */
MUST_CHECK int store_oauth_grants_of_token(struct call *call, int64_t token_id, struct oauth_grant_row *ret);
/* Of one family: its newest access token before this one, 0 if there is none. */
MUST_CHECK int store_oauth_tokens_before(struct call *call, struct str grant_id, int64_t token_id,
                                         int64_t *ret_token_id);
/* What goes on behind its request, and what waits for a yes, goes over from an access token to the one that replaced it. */
MUST_CHECK int store_oauth_tokens_carry(struct call *call, int64_t from_token_id, int64_t to_token_id);
/* Of one family: all but the newest so many, unless jobs are left of them. */
MUST_CHECK int store_oauth_tokens_thin(struct call *call, struct str grant_id, int64_t keep);

/* Forgets access tokens that expired, codes, refresh tokens and grants that ended before those times. */
MUST_CHECK int store_oauth_forget(struct call *call, int64_t tokens_before_ms, int64_t rest_before_ms);

#endif

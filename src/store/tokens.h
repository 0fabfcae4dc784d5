/* The rows of mcp_tokens, with what mcp_token_details says of each. */
#ifndef STORE_TOKENS_H
#define STORE_TOKENS_H

#include "store/store.h"

struct token_row {
    int64_t id, connection_id, user_id;
    struct str token_hash;
    bool has_details; /* false: of the earlier system, not yet taken over; such a token is good for nothing */
    bool is_primary;  /* the connection's own */
    struct str name, last4, rights, confirm, mac, options;
    struct str
        sites; /* in lists: "blog,shop", the names of a token for several connections, its own first; else empty */
    struct str audience; /* of an OAuth access token: the one address it is good at; else empty */
    struct str family;   /* of such a one: the agreement it came of, store/oauth_grants.h */
    int64_t created_at_ms, expires_at_ms, revoked_at_ms, last_used_at_ms; /* 0: never */
};
struct token_rows {
    size_t count;
    struct token_row *items;
};

/* Of one connection, or with connection_id 0 of all; of that user, or USER_ANY. Newest first. */
MUST_CHECK int store_tokens_list(struct call *call, int64_t user_id, int64_t connection_id, struct token_rows *ret);
MUST_CHECK int store_tokens_get(struct call *call, int64_t user_id, int64_t id,
                                struct token_row *ret); /* E_NOT_FOUND */
/* The row whose hash the connection mirrors. E_NOT_FOUND: it has no primary token. */
MUST_CHECK int store_tokens_primary(struct call *call, int64_t connection_id, struct token_row *ret);

/* Not revoked, whether expired or not; without OAuth's access tokens, which come and go. */
MUST_CHECK int store_tokens_count_live(struct call *call, int64_t connection_id, int64_t *ret);

MUST_CHECK int store_tokens_insert(struct call *call, int64_t connection_id, struct str token_hash,
                                   int64_t expires_at_ms, int64_t *ret_id);
MUST_CHECK int store_tokens_insert_details(struct call *call, const struct token_row *token);

/* With the MAC over it. In a transaction. */
MUST_CHECK int store_tokens_set_expiry(struct call *call, int64_t id, int64_t expires_at_ms, struct str mac);

/* What is revoked already keeps its time. *ret_count may be 0. */
MUST_CHECK int store_tokens_revoke(struct call *call, int64_t id, int64_t *ret_count);
MUST_CHECK int store_tokens_revoke_all(struct call *call, int64_t connection_id, int64_t *ret_count);

/* last_used_at only ever moves forward. */
MUST_CHECK int store_tokens_touch(struct call *call, int64_t id, int64_t used_at_ms);

/* All that authentication judges, in one query. found false: nobody has that hash. */
struct token_facts {
    bool found;
    struct token_row token;
    struct str provider_key, status, connection_name, config_json, secret_json, wrapped_key;
    bool provider_enabled;
    bool has_grants; /* store/grants.h */
    bool is_stopped; /* its owner stopped everything */
};
MUST_CHECK int store_tokens_facts(struct call *call, struct str token_hash, struct token_facts *ret);
/* Of a token that is known by its id: for work that goes on behind its request. */
MUST_CHECK int store_tokens_facts_of(struct call *call, int64_t token_id, struct token_facts *ret);

#endif

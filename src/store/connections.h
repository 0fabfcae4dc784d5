/*
 * The rows of mcp_service_connections. Whose a connection is stands in each query: `user_id` is its owner, or USER_ANY for the
 * operator at the command line.
 */
#ifndef STORE_CONNECTIONS_H
#define STORE_CONNECTIONS_H

#include "store/checks.h"

enum { USER_ANY = -1 };

/* status: text, for others may write more words. */
#define CONNECTION_ACTIVE "active"
#define CONNECTION_PAUSED "paused"   /* by its owner */
#define CONNECTION_ERROR "error"     /* the service refuses its password */
#define CONNECTION_REVOKED "revoked" /* for good */

struct connection_row {
    int64_t id, user_id;
    struct str user_email;
    struct str provider_key;
    struct str name, status, config_json;
    struct str token_hash;  /* of the primary token, or of bytes nobody saw */
    struct str token_last4; /* empty: no primary token */
    int64_t token_created_at_ms, created_at_ms, updated_at_ms;
    struct check_row check; /* check.found: was it ever checked? */
};
struct connection_rows {
    size_t count;
    struct connection_row *items;
};

/* By id. `user_id` or USER_ANY. */
MUST_CHECK int store_connections_list(struct call *call, int64_t user_id, struct connection_rows *ret);
MUST_CHECK int store_connections_get(struct call *call, int64_t user_id, int64_t id, struct connection_row *ret);
/* When the tokens whose home it is were used last; those that never were are left out. */
struct connection_use {
    int64_t connection_id, last_used_at_ms;
};
struct connection_uses {
    size_t count;
    struct connection_use *items;
};
MUST_CHECK int store_connections_uses(struct call *call, int64_t user_id, struct connection_uses *ret);

/* How many connections the user has, and how many of that name. */
MUST_CHECK int store_connections_count(struct call *call, int64_t user_id, struct str name, int64_t *ret_all,
                                       int64_t *ret_of_name);

/* What a provider needs to call the service; the wrapped key is the owner's. E_NOT_FOUND. */
struct connection_secret {
    int64_t user_id;
    struct str provider_key, name, config_json, secret_json, wrapped_key;
};
MUST_CHECK int store_connections_secret(struct call *call, int64_t user_id, int64_t id, struct connection_secret *ret);

/* The secret is set right behind, in the same transaction: its seal needs the id. */
MUST_CHECK int store_connections_insert(struct call *call, int64_t user_id, int64_t provider_id, struct str name,
                                        struct str config_json, struct str token_hash, int64_t *ret_id);

/* All of these: E_NOT_FOUND when there is no such connection of that user; updated_at moves. */
MUST_CHECK int store_connections_set_secret(struct call *call, int64_t user_id, int64_t id, struct str secret_json);
MUST_CHECK int store_connections_set_config(struct call *call, int64_t user_id, int64_t id, struct str config_json);
MUST_CHECK int store_connections_set_name(struct call *call, int64_t user_id, int64_t id, struct str name);
/* From the status `from` (NULL: from any) to another; a revoked connection is left as it is. *ret_changed tells. */
MUST_CHECK int store_connections_set_status(struct call *call, int64_t user_id, int64_t id, const char *from,
                                            const char *to, bool *ret_changed);
/* Mirrors the primary token; last4 {NULL, 0}: there is none, and the hash is of nobody's bytes. */
MUST_CHECK int store_connections_set_token(struct call *call, int64_t id, struct str token_hash, struct str last4);
MUST_CHECK int store_connections_delete(struct call *call, int64_t user_id, int64_t id);

/* All sealed secrets behind an id, by id: to try whether they open. */
struct connection_sealed {
    int64_t id, user_id;
    struct str secret_json, wrapped_key;
};
struct connection_secrets {
    size_t count;
    struct connection_sealed *items;
};
MUST_CHECK int store_connections_sealed(struct call *call, int64_t after_id, int64_t limit,
                                        struct connection_secrets *ret);

#endif

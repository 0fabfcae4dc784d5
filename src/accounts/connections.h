/*
 * People's connections to services. Each operation is one transaction with its audit event; whose it is stands in the query
 * (`user_id` is the owner, USER_ANY the operator). All of these may wait.
 *
 *     active <-> paused      by the owner
 *     active <-> error       the service refused the password; a check that works, or a new password, ends it
 *     any     -> revoked     for good: tokens end with it, nothing brings them back
 */
#ifndef ACCOUNTS_CONNECTIONS_H
#define ACCOUNTS_CONNECTIONS_H

#include "accounts/tokens.h"
#include "providers/provider.h"

enum { CONNECTION_NAME_CHARS_MAX = 120, CONNECTIONS_PER_USER_MAX = 1000 };

struct connection_new {
    int64_t user_id;
    struct str provider_key;
    struct str name;        /* distinct among the user's */
    struct str config_json; /* object: what is not secret */
    struct str secret_json; /* object: sealed here */
    struct token_new token; /* the primary token; an empty name becomes "primary" */
};

/* What connections_add() refuses whatever the service says, before somebody is sent there; it looks itself once more. */
MUST_CHECK int connections_may_add(struct call *call, int64_t user_id, struct str provider_key, struct str name);

/* Does not look at the service: prove the connection first. E_INVALID, E_NOT_FOUND (provider, user), E_CONFLICT (name). */
MUST_CHECK int connections_add(struct call *call, const struct connection_new *connection, struct token_made *ret);

/* Each with its last check; the operator sees everybody's. */
MUST_CHECK int connections_list(struct call *call, int64_t user_id, struct connection_rows *ret);
MUST_CHECK int connections_show(struct call *call, int64_t user_id, int64_t id, struct connection_row *ret);

/* As its provider sees it, with the sealed secret: to test it. */
MUST_CHECK int connections_site(struct call *call, int64_t user_id, int64_t id, struct site *ret);

/* A new primary token with the old one's rights and length of life; the old one ends, other tokens go on. E_CONFLICT: revoked. */
MUST_CHECK int connections_rotate_token(struct call *call, int64_t user_id, int64_t id, struct token_made *ret);

/* A new password (prove it first), with the config that belongs to it. Ends the state `error`. */
MUST_CHECK int connections_set_secret(struct call *call, int64_t user_id, int64_t id, struct str config_json,
                                      struct str secret_json);
MUST_CHECK int connections_rename(struct call *call, int64_t user_id, int64_t id, struct str name);

/* Twice is fine, but not of a revoked one (E_CONFLICT). */
MUST_CHECK int connections_pause(struct call *call, int64_t user_id, int64_t id);
MUST_CHECK int connections_resume(struct call *call, int64_t user_id, int64_t id);
MUST_CHECK int connections_revoke(struct call *call, int64_t user_id, int64_t id); /* twice is fine */
MUST_CHECK int connections_delete(struct call *call, int64_t user_id, int64_t id);

/*
 * Keeps what a look at the service found. `refused`: the service does not take the password: the state becomes `error`. looked_at: with what
 * it was looked at; when the connection has another address or password by now, nothing is kept. NULL: with what it has.
 */
MUST_CHECK int connections_record_check(struct call *call, int64_t id, const struct site *looked_at,
                                        const struct site_check *check, bool refused);

/*
 * The service does not take the password that `site` has: the state becomes `error`, so that tokens are refused here and hosts have
 * no reason to ban us. The row tells its owner why. Nothing happens when the connection has another one by now.
 */
MUST_CHECK int connections_refused(struct call *call, const struct site *site, struct str why);

/* ---- providers: what kinds of service there are in this database */

/* Makes the rows that are missing, and brings name and version up to date. At start. */
struct provider_entry {
    struct str key, name, version;
};
MUST_CHECK int providers_sync(struct call *call, const struct provider_entry *entries, size_t count);
MUST_CHECK int providers_set_enabled(struct call *call, struct str key, bool enabled); /* E_NOT_FOUND */

#endif

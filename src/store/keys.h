/* The rows of mcp_data_keys: "check" and "server" (what the master key wraps for all), "user:N" (the data key of user N). */
#ifndef STORE_KEYS_H
#define STORE_KEYS_H

#include "store/store.h"

struct server_keys {
    bool found;
    int64_t master_kid;
    struct str check, server;
};
MUST_CHECK int store_keys_read(struct call *call, struct server_keys *ret);
MUST_CHECK int store_keys_insert(struct call *call, const struct server_keys *keys);

/* Is there anything that was sealed, hashed or signed with keys of ours? Then keys must not be made anew. */
MUST_CHECK int store_keys_needed(struct call *call, bool *ret);

/* E_NOT_FOUND: the user has none yet. */
MUST_CHECK int store_keys_of_user(struct call *call, int64_t user_id, struct str *ret_wrapped);
/* Changes nothing when there is one: read it again. E_NOT_FOUND: no such user. */
MUST_CHECK int store_keys_insert_user(struct call *call, int64_t user_id, int64_t master_kid, struct str wrapped);

/*
 * In a transaction: waits for others who hold the same lock, and keeps it until the end. For rules that no unique index
 * guards: 0 for all users (e-mail in any case, phone), a user's id for his own things (names of connections; takes the row of
 * his data key).
 */
MUST_CHECK int store_keys_lock(struct call *call, int64_t user_id);

#endif

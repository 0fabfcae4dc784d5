/* The rows of mcp_data_keys: "check" and "server" (what the master key wraps for all), "user:N" (the data key of user N). */
#ifndef STORE_KEYS_H
#define STORE_KEYS_H

#include "crypto/keyring.h"
#include "store/store.h"

/* The rows that are no user's: "check", "server", and "master:N" while the master key is rotated. None: a new database. */
struct key_rows {
    size_t count;
    struct keyring_row *items;
};
MUST_CHECK int store_keys_read(struct call *call, struct key_rows *ret);
/* Inserts or replaces. */
MUST_CHECK int store_keys_put(struct call *call, const struct keyring_row *rows, size_t count);

/* Is there anything that was sealed, hashed or signed with keys of ours? Then keys must not be made anew. */
MUST_CHECK int store_keys_needed(struct call *call, bool *ret);

/* E_NOT_FOUND: the user has none yet. */
MUST_CHECK int store_keys_of_user(struct call *call, int64_t user_id, struct str *ret_wrapped);
/*
 * In a transaction. Changes nothing when there is one: read it again. E_NOT_FOUND: no such user. E_CONFLICT: master_kid is not
 * the current master key any more; wrap it under the new one.
 */
MUST_CHECK int store_keys_insert_user(struct call *call, int64_t user_id, int64_t master_kid, struct str wrapped);

/*
 * In a transaction: waits for others who hold the same lock, and keeps it until the end. For rules that no unique index
 * guards: 0 for all users (e-mail in any case, phone), a user's id for his own things (names of connections; takes the row of
 * his data key).
 */
MUST_CHECK int store_keys_lock(struct call *call, int64_t user_id);

/* ---- rotation */

/* In a transaction: waits for others who hold it, and keeps it until the end: the current master key stays what it is. */
MUST_CHECK int store_keys_lock_current(struct call *call, int64_t *ret_master_kid);

/* Rows behind `after_id` that another master key than `master_kid` wraps, "master:N" apart; by id. */
MUST_CHECK int store_keys_older(struct call *call, int64_t master_kid, struct str after_id, int64_t limit,
                                struct key_rows *ret);
/* Sets `wrapped` of rows that are still there and still wrapped by another key; master_kid is that of each row. */
MUST_CHECK int store_keys_rewrap(struct call *call, const struct keyring_row *rows, size_t count);

/* Rows of users behind `after_id`, by id. */
MUST_CHECK int store_keys_of_users(struct call *call, struct str after_id, int64_t limit, struct key_rows *ret);
/* Another content in the place of one that was read, and only of that. *ret_done: in so many of the rows. */
struct key_exchange {
    struct str id, before, after;
};
MUST_CHECK int store_keys_exchange(struct call *call, int64_t master_kid, const struct key_exchange *rows, size_t count,
                                   int64_t *ret_done);

/* How many rows each master key wraps, "master:N" apart. */
struct key_count {
    int64_t master_kid, rows;
};
struct key_counts {
    size_t count;
    struct key_count *items;
};
MUST_CHECK int store_keys_count(struct call *call, struct key_counts *ret);

/* Removes the rows "master:N". */
MUST_CHECK int store_keys_forget_masters(struct call *call);

struct key_holder {
    struct str holder;
    int64_t master_kid, started_at_ms;
};
struct key_holders {
    size_t count;
    struct key_holder *items;
};
MUST_CHECK int store_keys_holders(struct call *call, struct key_holders *ret);
/* In a transaction, with the current master key locked. */
MUST_CHECK int store_keys_hold(struct call *call, const struct key_holder *holder);
/* Unless another one of the same name has started since. */
MUST_CHECK int store_keys_let_go(struct call *call, const struct key_holder *holder);

#endif

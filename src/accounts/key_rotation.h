/*
 * A new master key while everything runs (`porteiro key rotate`, `key retire`).
 *
 *   begin   one transaction: "check" and "server" go under the new key, and each key is wrapped by the other ("master:N").
 *           From then on what is wrapped anew gets the new key, and a process that holds either key opens everything.
 *   go on   the data keys of users, in small transactions, until none is left under the old key. Killed in between, it goes on
 *           where it was: what is left to do stands in mcp_data_keys.
 *   retire  when no row and no running process needs the old key: the "master:N" rows go, and the old key opens nothing of
 *           this database any more. (It opens older backups; so it is kept as long as those.)
 *
 * Tokens and stored passwords are not touched: they hang on the server's secret and on the data keys, which stay what they are.
 * Unless the data keys are to be new too: accounts/reseal.h.
 */
#ifndef ACCOUNTS_KEY_ROTATION_H
#define ACCOUNTS_KEY_ROTATION_H

#include "accounts/reseal.h"

enum { KEY_ROTATION_BATCH = 500 }; /* rows in a transaction */

struct key_status {
    int64_t current, given; /* numbers of master keys; given: of the one this process has */
    bool is_rotating;       /* the old key is still good */
    struct key_counts counts;
    struct key_holders holders;
    struct data_key_counts data_keys;
};
MUST_CHECK int key_rotation_status(struct call *call, struct key_status *ret);

/* E_CONFLICT: a rotation is under way. `text`: the new key. */
MUST_CHECK int key_rotation_begin(struct call *call, struct str text);

/* Rewraps all that is left under older keys. Waits long. */
MUST_CHECK int key_rotation_go_on(struct call *call, int64_t *ret_rewrapped);

/*
 * New data keys for all users, in a rotation that has begun and whose new master key no server was given yet: E_CONFLICT. Then
 * everything that is sealed under the previous ones is sealed anew. Wait long.
 */
MUST_CHECK int key_rotation_renew(struct call *call, int64_t *ret_renewed);
MUST_CHECK int key_rotation_reseal(struct call *call, struct resealed *ret);

/*
 * Seals anew what was still sealed under previous data keys, drops those, and ends master key `kid`. E_CONFLICT, and the text
 * names it: something still uses key `kid`. `even_if_held`: processes that hold it do not count, for hosts that will never come
 * back. `even_if_unreadable`: values that do not open anyway are given up.
 */
struct key_retirement {
    int64_t kid;
    bool even_if_held, even_if_unreadable;
};
struct key_retired {
    int64_t resealed, unreadable, dropped; /* values, values, data keys */
};
MUST_CHECK int key_rotation_retire(struct call *call, const struct key_retirement *what, struct key_retired *ret);

/* Reads the server's rows again; see keyring_learn(). */
MUST_CHECK int key_rotation_refresh(struct call *call);

#endif

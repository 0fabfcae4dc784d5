/*
 * The keys of this process: one master key from the operator, and what it opens.
 *
 *   master key (32 bytes, from the environment or a file; its number is the kid)
 *     wraps  check        a fixed text: tells whether the database belongs to this master key
 *     wraps  server       one random secret; from it are derived the token pepper, the token MAC key, the audit key
 *     wraps  user:N       the data key of user N, which seals that user's secrets (crypto/seal.h)
 *
 * The wrapped forms are rows of mcp_data_keys (store/keys.h), so rotating the master key rewraps those and changes no token
 * and no sealed value. The keyring itself knows no database: it is filled once at start and is then read only. Its memory is
 * locked and left out of core dumps where the system allows it.
 *
 * One per process, main thread.
 */
#ifndef CRYPTO_KEYRING_H
#define CRYPTO_KEYRING_H

#include "call/call.h"

enum { KEY_BYTES = 32, MAC_HEX_BYTES = 65 /* 64 hex digits and a NUL */ };

/* Where the master key may be; the first that is not empty decides. */
struct keyring_source {
    struct str key_text; /* PORTEIRO_SECRET_KEY: base64 or hex of 32 bytes */
    struct str key_file; /* PORTEIRO_SECRET_KEY_FILE: a file that holds the same */
    struct str data_dir; /* its file master.key */
};

/*
 * Reads the master key into the keyring, which stays closed until keyring_open(). E_NOT_FOUND: there is none anywhere (only
 * possible when key_text and key_file are empty); E_INVALID: it is not a key, or others may read the file.
 */
MUST_CHECK int keyring_load_master(struct call *call, const struct keyring_source *source);

/*
 * Makes data_dir/master.key (0600, on disk when this returns) and loads it. A file that is there is loaded instead, never
 * overwritten. *ret_made tells which. Only under the migration lock, for a database without keys: see keys_open().
 */
MUST_CHECK int keyring_make_master(struct call *call, const struct keyring_source *source, bool *ret_made);

/* For a database without keys: makes a server secret and opens the keyring with kid 1. Both results go into mcp_data_keys. */
MUST_CHECK int keyring_create(struct call *call, struct str *ret_check, struct str *ret_server);

/* Opens the keyring with the two rows of the database. E_CRYPTO: the database belongs to another master key. */
MUST_CHECK int keyring_open(struct call *call, int64_t kid, struct str check, struct str server);

bool keyring_is_open(void);
int64_t keyring_kid(void); /* of the master key: for mcp_data_keys.master_kid */

/* Wipes everything. */
void keyring_done(void);

/* A new data key for a user, wrapped, for the row "user:N". */
MUST_CHECK int keyring_new_data_key(struct call *call, int64_t user_id, struct str *ret_wrapped);

/* Unwraps a user's data key; the caller wipes it. E_CRYPTO. */
MUST_CHECK int keyring_data_key(struct call *call, int64_t user_id, struct str wrapped,
                                unsigned char ret_key[KEY_BYTES]);

/* HMAC-SHA-256 under one of the derived keys, as hex. The keyring must be open. */
enum keyring_purpose { KEYRING_PEPPER, KEYRING_TOKEN_MAC, KEYRING_AUDIT, KEYRING_MCP, KEYRING_PURPOSES };
void keyring_mac(enum keyring_purpose purpose, struct str message, char out[MAC_HEX_BYTES]);
void keyring_mac_raw(enum keyring_purpose purpose, struct str message, unsigned char out[KEY_BYTES]);

/* Wipes `size` bytes at `ptr` (arena memory) when the call ends. */
void keyring_wipe_later(struct call *call, void *ptr, size_t size);

#endif

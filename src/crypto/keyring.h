/*
 * The keys of this process: one master key from the operator, and what it opens.
 *
 *   master key (32 bytes, from the environment or a file; its number is the kid)
 *     wraps  check        a fixed text: tells whether the database belongs to this master key
 *     wraps  server       one random secret; from it are derived the token pepper, the token MAC key, the audit key
 *     wraps  user:N       the data key of user N, which seals that user's secrets (crypto/seal.h); while all of them are sealed
 *                         anew (accounts/reseal.h) also the one before
 *
 * The wrapped forms are rows of mcp_data_keys (store/keys.h), so rotating the master key rewraps those and changes no token
 * and no sealed value. While it is rotated there are two master keys, and each wraps the other in a row of its own
 * ("master:2" under key 1, "master:1" under key 2), so that whoever was given either of them opens everything. What names a
 * master key that the ring does not know yet makes it ask for those rows again (keyring_set_refresh()), which may wait; so a
 * server that was started before the rotation goes on working. `key retire` removes the two rows.
 *
 * The keyring itself knows no database. Its memory is locked and left out of core dumps where the system allows it.
 *
 * One per process, main thread.
 */
#ifndef CRYPTO_KEYRING_H
#define CRYPTO_KEYRING_H

#include "call/call.h"

enum {
    KEY_BYTES = 32,
    MAC_HEX_BYTES = 65,     /* 64 hex digits and a NUL */
    KEYRING_MASTERS_MAX = 4 /* known at once */
};

/* Where the master key may be; the first that is not empty decides. */
struct keyring_source {
    struct str
        credentials_dir; /* its file master.key: $CREDENTIALS_DIRECTORY, where systemd puts what LoadCredential= names */
    struct str key_text; /* PORTEIRO_SECRET_KEY: base64 or hex of 32 bytes */
    struct str key_file; /* a file that holds the same */
    struct str data_dir; /* its file master.key */
};

/* The key comes from data_dir/master.key, which is ours to write; else from a place of the operator's. */
bool keyring_is_in_data_dir(const struct keyring_source *source);

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

/* A row of mcp_data_keys: "check", "server", "master:N", "user:N". */
struct keyring_row {
    struct str id;
    int64_t master_kid; /* the key that wraps it */
    struct str wrapped;
};

/* The id of a user's row, and whose row an id names: 0 when no user's. */
struct str keyring_user_row(struct call *call, int64_t user_id);
int64_t keyring_row_user(struct str id);

/* Opens the keyring with the rows that are no user's. E_CRYPTO: the database belongs to another master key. */
MUST_CHECK int keyring_open(struct call *call, const struct keyring_row *rows, size_t count);

/* The same rows, read again in an open keyring: takes in the keys that are new. E_CRYPTO: nothing in hand opens them. */
MUST_CHECK int keyring_learn(struct call *call, const struct keyring_row *rows, size_t count);
/* Called when a wrapped value names a master key that the ring does not know; it reads the rows and calls keyring_learn(). */
void keyring_set_refresh(int (*refresh)(struct call *call));

/*
 * What is in a row, and what goes into one: under the key that it names, which may be asked for, and under the current one. The
 * first answers E_CRYPTO without a text. For crypto/ only.
 */
MUST_CHECK int keyring_unwrap(struct call *call, struct str id, struct str wrapped, struct str *ret_plain);
MUST_CHECK int keyring_wrap(struct call *call, struct str id, struct str plain, struct str *ret_wrapped);

bool keyring_is_open(void);
int64_t keyring_kid(void); /* of the current master key: what is wrapped now gets it as master_kid */
int64_t
keyring_given_kid(void); /* of the master key that this process was given: older while a rotation waits for us */

/* ---- rotation: accounts/key_rotation.h has the order of things */

/*
 * The master key that follows: read from `text`, or made when that is empty. It becomes the current one of this ring; the
 * four rows ("check", "server", "master:NEW", "master:OLD") are for one transaction. E_INVALID: no key, or the same again.
 */
enum { KEYRING_ROTATION_ROWS = 4 };
MUST_CHECK int keyring_rotate(struct call *call, struct str text, struct keyring_row ret_rows[KEYRING_ROTATION_ROWS]);

/* A row under the current key instead of an older one. E_CRYPTO: it does not open. */
MUST_CHECK int keyring_rewrap(struct call *call, const struct keyring_row *row, struct str *ret_wrapped);

/*
 * Writes a new random key to `path`, as keyring_make_master() does, unless a file is there; either way *ret_text is what it
 * holds (wiped when the call ends).
 */
MUST_CHECK int keyring_make_file(struct call *call, const char *path, struct str *ret_text);
/* The key in a file; E_INVALID: it cannot be read or is none. */
MUST_CHECK int keyring_read_file(struct call *call, const char *path, struct str *ret_text);
/* Is it the current master key? */
bool keyring_is_current(struct str text);

/* Wipes everything. */
void keyring_done(void);

/*
 * ---- data keys. What the row "user:N" wraps is the user's current data key, and perhaps the previous one. A user's first data key
 * is number 1; one that replaces another has the number of the master key that was current then. A sealed value names its key.
 * E_CRYPTO: the row does not open.
 */

/* The first one of a user. */
MUST_CHECK int keyring_new_data_key(struct call *call, int64_t user_id, struct str *ret_wrapped);

/*
 * Unwraps data key *kid, or the current one when that is 0 (and says its number); the caller wipes it. E_NOT_FOUND, without a text:
 * the row has no key of this number.
 */
MUST_CHECK int keyring_data_key(struct call *call, int64_t user_id, struct str wrapped, int64_t *kid,
                                unsigned char ret_key[KEY_BYTES]);

/*
 * The row as it is in the database now, for when a sealed value names a data key that it did not have when it was read.
 * E_NOT_FOUND: there is none. May wait.
 */
void keyring_set_reread(int (*reread)(struct call *call, int64_t user_id, struct str *ret_wrapped));
MUST_CHECK int keyring_reread(struct call *call, int64_t user_id, struct str *ret_wrapped);

/* The numbers of both; *ret_previous 0: there is one only. */
MUST_CHECK int keyring_data_kids(struct call *call, int64_t user_id, struct str wrapped, int64_t *ret_kid,
                                 int64_t *ret_previous);

/*
 * A new current data key, with the one that was current as the previous one. E_CONFLICT: there is a previous one, or the current
 * one was made under the current master key.
 */
MUST_CHECK int keyring_renew_data_key(struct call *call, int64_t user_id, struct str wrapped, struct str *ret_wrapped);

/* Without the previous one. */
MUST_CHECK int keyring_drop_previous(struct call *call, int64_t user_id, struct str wrapped, struct str *ret_wrapped);

/* HMAC-SHA-256 under one of the derived keys, as hex. The keyring must be open. */
enum keyring_purpose { KEYRING_PEPPER, KEYRING_TOKEN_MAC, KEYRING_AUDIT, KEYRING_MCP, KEYRING_PAGES, KEYRING_PURPOSES };
void keyring_mac(enum keyring_purpose purpose, struct str message, char out[MAC_HEX_BYTES]);
void keyring_mac_raw(enum keyring_purpose purpose, struct str message, unsigned char out[KEY_BYTES]);

/*
 * Ed25519 signatures of this server, as hex: what it states outside the database can be checked by everybody who has its public
 * key. The key is derived from the server's secret, so it stays when the master key is rotated. The keyring must be open.
 */
enum { SIGNATURE_HEX_BYTES = 129 /* 128 hex digits and a NUL */ };
void keyring_sign(struct str message, char out[SIGNATURE_HEX_BYTES]);
MUST_CHECK bool keyring_signed(struct str message, struct str signature);
void keyring_public(char out[MAC_HEX_BYTES]);

/* Wipes `size` bytes at `ptr` (arena memory) when the call ends. */
void keyring_wipe_later(struct call *call, void *ptr, size_t size);

#endif

/*
 * Sealed values: XChaCha20-Poly1305 under the owner's data key, bound to owner, table, row and column, so that a value that
 * is moved to another place does not open.
 *
 *   {"v":1,"kid":1,"n":"<24 bytes nonce, base64>","c":"<ciphertext and tag, base64>"}     AAD  v1|owner|table|row|column
 *
 * kid numbers the data key of the owner (of a wrapped key: the master key). The order of the members and white space do not
 * matter: jsonb has its own. The keyring must be open. Opening may wait: for the database, when a master key or the data key is
 * new to us. Every column that holds sealed values is in the table of store/sealed.c, or a deep rotation would leave it behind.
 */
#ifndef CRYPTO_SEAL_H
#define CRYPTO_SEAL_H

#include "crypto/keyring.h"

enum { SEAL_PLAIN_BYTES_MAX = 1024 * 1024 };

/* Where a value lives. owner 0 is the server itself. */
struct seal_place {
    int64_t owner;
    struct str table, row, column;
};

/* A connection's secret as its rows have it: mcp_service_connections.secret_json and the owner's wrapped data key. */
struct sealed {
    struct str sealed_json;
    struct str wrapped_key;
    int64_t user_id, connection_id;
};

/* *ret_plain is in the call's arena and is wiped when the call ends. E_CRYPTO, whose text says what the owner has to do. */
MUST_CHECK int seal_open(struct call *call, const struct sealed *sealed, struct str *ret_plain);

/* Seals a connection's secret. */
MUST_CHECK int seal_make(struct call *call, int64_t user_id, int64_t connection_id, struct str wrapped_key,
                         struct str plain, struct str *ret_sealed_json);

/* True for a value of the earlier system ({"enc":...}): it opens only after `migrate --earlier-secret-key-file`. */
bool seal_is_earlier(struct str sealed_json);

/* Any other place, with the owner's wrapped data key. */
MUST_CHECK int seal_make_at(struct call *call, const struct seal_place *place, struct str wrapped_key, struct str plain,
                            struct str *ret_sealed);
MUST_CHECK int seal_open_at(struct call *call, const struct seal_place *place, struct str wrapped_key,
                            struct str sealed, struct str *ret_plain);

/* The number of the key that a sealed value names; 0: it is none. */
int64_t seal_kid(struct str sealed);

/* With a key in hand; seal_unbox() answers E_CRYPTO without a text. For crypto/ only. */
MUST_CHECK int seal_box(struct call *call, const struct seal_place *place, int64_t kid,
                        const unsigned char key[KEY_BYTES], struct str plain, struct str *ret_sealed);
MUST_CHECK int seal_unbox(struct call *call, const struct seal_place *place, const unsigned char key[KEY_BYTES],
                          struct str sealed, struct str *ret_plain);

#endif

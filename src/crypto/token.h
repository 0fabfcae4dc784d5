/*
 * Bearer tokens: prt_<type>_ + 43 random base62 digits (256 bits) + 6 base62 digits of CRC-32 over all before.
 *
 * The checksum is no protection: it lets us tell a mistyped or cut token, and scanners find leaked ones, before any work is
 * done. In the database stands HMAC-SHA-256 under the pepper, in hex: whoever can write rows cannot make a token.
 */
#ifndef CRYPTO_TOKEN_H
#define CRYPTO_TOKEN_H

#include "crypto/keyring.h"

enum {
    TOKEN_RANDOM_CHARS = 43,
    TOKEN_CHECK_CHARS = 6,
    TOKEN_CHARS_MAX = 4 + 5 + 1 + TOKEN_RANDOM_CHARS + TOKEN_CHECK_CHARS, /* prt_setup_ */
    TOKEN_EARLIER_CHARS = 32,
};

enum token_type {
    TOKEN_PAT,     /* of a connection */
    TOKEN_OAT,     /* OAuth access */
    TOKEN_ORT,     /* OAuth refresh */
    TOKEN_API,     /* dashboard API */
    TOKEN_SETUP,   /* one-time set-up address */
    TOKEN_SES,     /* a browser's session: the value of its cookie */
    TOKEN_LNK,     /* in a link of a mail or an invitation: good once */
    TOKEN_UPL,     /* in a link that takes one file */
    TOKEN_OAC,     /* OAuth authorization code */
    TOKEN_OCS,     /* OAuth client secret */
    TOKEN_EARLIER, /* the earlier system's 32 letters and digits: no prefix, no checksum, never made here */
    TOKEN_TYPES,
};

/* In the call's arena, wiped when the call ends. */
struct str token_make(struct call *call, enum token_type type);

/*
 * The one token of that type that follows from another one. Only who has that other one and the server's keys can work it out, so
 * an answer that was lost can be given again although the database never had it.
 */
struct str token_successor(struct call *call, enum token_type type, struct str from);

/* A short random name, five bits a character (at most 32), of letters and digits that are not mistaken for each other. */
struct str token_word(struct call *call, size_t chars);

/* Length, alphabet, prefix and checksum; no key and no database needed. */
MUST_CHECK bool token_check(struct str token, enum token_type *ret_type);

/* What stands in token_hash. */
void token_hash(struct str token, char out[MAC_HEX_BYTES]);

struct str token_last4(struct str token);

/* Of bytes nobody saw: for a connection without a primary token. */
void token_hash_of_nobody(char out[MAC_HEX_BYTES]);

/* What a token's side rows say; the MAC over it makes editing them useless. */
struct token_claims {
    int64_t token_id;
    struct str token_hash;
    const int64_t *connection_ids; /* ascending */
    size_t n_connections;
    struct str rights;     /* as rights_format() writes them */
    struct str confirm;    /* as confirm_format() writes it */
    int64_t expires_at_ms; /* 0: never */
    struct str audience;   /* of an OAuth token: the one address it is good at; else empty */
};
void token_mac(struct call *call, const struct token_claims *claims, char out[MAC_HEX_BYTES]);
MUST_CHECK bool token_mac_is_right(struct call *call, const struct token_claims *claims, struct str mac);

#endif

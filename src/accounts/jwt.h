/*
 * Signed tokens of another service (JWT, RFC 7519; JWS compact, RFC 7515), checked against its keys (JWKS, RFC 7517).
 *
 * The algorithm comes from the key, not from the token: EdDSA with Ed25519, ES256, RS256, and nothing else. A key that is not one of
 * these three, or without a kid, is as if it were not there; so "none", HMAC and a kid of another key never verify. Rules of
 * RFC 8725 that stand here: one known algorithm a key, issuer and audience always checked, times always checked, strict JSON.
 */
#ifndef ACCOUNTS_JWT_H
#define ACCOUNTS_JWT_H

#include "call/call.h"
#include "json/json.h"

enum {
    JWT_BYTES_MAX = 8 * 1024,
    JWT_KEYS_MAX = 32,
    JWT_KEYS_BYTES_MAX = 256 * 1024,
    JWT_KID_BYTES_MAX = 200,
    JWT_RSA_BITS_MIN = 2048,
    JWT_RSA_BITS_MAX = 8192,
    JWT_LEEWAY_S = 30, /* how far clocks may differ */
};

/* Of one service. Outlives calls; never changes. */
struct jwt_keys;

/* Of the text of a JWKS. E_INVALID: not a JWKS, or no key in it can be used. E_UNAVAILABLE: no memory. */
MUST_CHECK int jwt_keys_new(struct call *call, struct str jwks, struct jwt_keys **ret);
void jwt_keys_free(struct jwt_keys *keys);
size_t jwt_keys_count(const struct jwt_keys *keys);

struct jwt_rules {
    struct str issuer, audience; /* exactly */
    int64_t now_s;
};

/* What a good one says; the claims are whatever its service put there. */
struct jwt {
    struct str subject;
    const struct json *claims;
};

/*
 * OK; E_UNAUTHENTICATED: it is not good, and the log's detail says why; E_NOT_FOUND: it names a key that is not among these, so
 * that newer keys may help (its signature was not looked at). The signature is checked on the loop's stack; nothing else
 * runs meanwhile.
 */
MUST_CHECK int jwt_check(struct call *call, const struct jwt_keys *keys, const struct jwt_rules *rules,
                         struct str token, struct jwt *ret);

#endif

/* For tests: keys made now, and tokens signed with them. */
#ifndef ACCOUNTS_JWT_TEST_HELP_H
#define ACCOUNTS_JWT_TEST_HELP_H

#include <openssl/core_names.h> /* these before base/banned.h */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#include "base/arena.h"

static __attribute__((unused)) struct str base64url(struct arena *arena, const void *bytes, size_t size)
{
    size_t room = sodium_base64_encoded_len(size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *out = arena_alloc(arena, room);
    sodium_bin2base64(out, room, bytes, size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return str_from(out);
}

static __attribute__((unused)) struct str base64url_str(struct arena *arena, struct str text)
{
    return base64url(arena, text.ptr, text.len);
}

static __attribute__((unused)) struct str number_of(struct arena *arena, EVP_PKEY *key, const char *name)
{
    BIGNUM *number = NULL;
    unsigned char bytes[1024];
    if (!EVP_PKEY_get_bn_param(key, name, &number))
        return STR_EMPTY;
    /* Coordinates have the size of the field. */
    int size = strlen(name) == 2 ? BN_bn2binpad(number, bytes, 32) : BN_bn2bin(number, bytes);
    BN_free(number);
    return base64url(arena, bytes, (size_t)size);
}

/* The public part, as a member of a JWKS. `more`: further members, with a comma before. */
static __attribute__((unused)) struct str jwk_of(struct arena *arena, EVP_PKEY *key, const char *kid, const char *more)
{
    unsigned char raw[32];
    size_t size = sizeof raw;
    if (EVP_PKEY_is_a(key, "ED25519") && EVP_PKEY_get_raw_public_key(key, raw, &size))
        return str_format(arena, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"%s\",\"x\":\"%s\"%s}", kid,
                          base64url(arena, raw, size).ptr, more);
    if (EVP_PKEY_is_a(key, "EC"))
        return str_format(arena, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"%s}", kid,
                          number_of(arena, key, OSSL_PKEY_PARAM_EC_PUB_X).ptr,
                          number_of(arena, key, OSSL_PKEY_PARAM_EC_PUB_Y).ptr, more);
    return str_format(arena, "{\"kty\":\"RSA\",\"kid\":\"%s\",\"n\":\"%s\",\"e\":\"%s\"%s}", kid,
                      number_of(arena, key, OSSL_PKEY_PARAM_RSA_N).ptr,
                      number_of(arena, key, OSSL_PKEY_PARAM_RSA_E).ptr, more);
}

static __attribute__((unused)) struct str sign_with(struct arena *arena, EVP_PKEY *key, struct str text)
{
    unsigned char bytes[1024];
    size_t size = sizeof bytes;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_ed = EVP_PKEY_is_a(key, "ED25519");
    if (EVP_DigestSignInit(context, NULL, is_ed ? NULL : EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestSign(context, bytes, &size, (const unsigned char *)text.ptr, text.len) != 1)
        size = 0;
    EVP_MD_CTX_free(context);
    if (EVP_PKEY_is_a(key, "EC")) {
        const unsigned char *at = bytes;
        ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)size);
        BN_bn2binpad(ECDSA_SIG_get0_r(pair), bytes, 32);
        BN_bn2binpad(ECDSA_SIG_get0_s(pair), bytes + 32, 32);
        ECDSA_SIG_free(pair);
        size = 64;
    }
    return base64url(arena, bytes, size);
}

/* key NULL: without a signature. */
static __attribute__((unused)) struct str jwt_of(struct arena *arena, EVP_PKEY *key, const char *header,
                                                 const char *claims)
{
    struct str text = str_format(arena, "%s.%s", base64url_str(arena, str_from(header)).ptr,
                                 base64url_str(arena, str_from(claims)).ptr);
    return str_format(arena, "%s.%s", text.ptr, key ? sign_with(arena, key, text).ptr : "");
}

#endif

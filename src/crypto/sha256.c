/* SHA-256. */
#include <openssl/evp.h> /* these two before base/banned.h */
#include <sodium.h>

#include "crypto/sha256.h"

#include <stdlib.h>

void sha256_hex(struct str text, char out[SHA256_HEX_BYTES])
{
    static EVP_MD_CTX *context; /* kept: making one costs more than the hash of a short text */
    unsigned char hash[crypto_hash_sha256_BYTES];
    if (!context) {
        context = EVP_MD_CTX_new();
        EVP_MD *method = EVP_MD_fetch(NULL, "SHA256", NULL);
        if (context && (!method || !EVP_DigestInit_ex2(context, method, NULL))) {
            EVP_MD_CTX_free(context);
            context = NULL;
        }
        EVP_MD_free(method);
    }
    if (!context || !EVP_DigestInit_ex2(context, NULL, NULL) || !EVP_DigestUpdate(context, text.ptr, text.len) ||
        !EVP_DigestFinal_ex(context, hash, NULL))
        crypto_hash_sha256(hash, (const unsigned char *)text.ptr, text.len); /* no memory for the other */
    sodium_bin2hex(out, SHA256_HEX_BYTES, hash, sizeof hash);
}

struct sha256 {
    crypto_hash_sha256_state state;
};

struct sha256 *sha256_begin(void)
{
    struct sha256 *sum = malloc(sizeof *sum);
    if (sum)
        crypto_hash_sha256_init(&sum->state);
    return sum;
}

void sha256_add(struct sha256 *sum, struct str piece)
{
    crypto_hash_sha256_update(&sum->state, (const unsigned char *)piece.ptr, piece.len);
}

void sha256_end(struct sha256 *sum, char out[SHA256_HEX_BYTES])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(&sum->state, hash);
    sodium_bin2hex(out, SHA256_HEX_BYTES, hash, sizeof hash);
    free(sum);
}

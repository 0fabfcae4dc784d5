/* SHA-256 of many small texts: OpenSSL's, which knows the processor's instructions for it. Main thread only. */
#ifndef CRYPTO_SHA256_H
#define CRYPTO_SHA256_H

#include "base/str.h"

enum { SHA256_HEX_BYTES = 65 /* 64 hex digits and a NUL */ };

void sha256_hex(struct str text, char out[SHA256_HEX_BYTES]);

/* Of a text that comes in pieces; sha256_end() frees it. NULL: no memory. */
struct sha256;
struct sha256 *sha256_begin(void);
void sha256_add(struct sha256 *sum, struct str piece);
void sha256_end(struct sha256 *sum, char out[SHA256_HEX_BYTES]);

#endif

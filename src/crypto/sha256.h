/* SHA-256 of many small texts: OpenSSL's, which knows the processor's instructions for it. Main thread only. */
#ifndef CRYPTO_SHA256_H
#define CRYPTO_SHA256_H

#include "base/str.h"

enum { SHA256_HEX_BYTES = 65 /* 64 hex digits and a NUL */ };

void sha256_hex(struct str text, char out[SHA256_HEX_BYTES]);

#endif

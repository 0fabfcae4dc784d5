/*
 * Passwords of people: argon2id (libsodium) as PHC strings; bcrypt hashes of the earlier system ($2a$, $2b$, $2y$) are
 * verified and are due to be replaced.
 *
 * These functions take a core for a tenth of a second and 64 MiB: accounts/passwords.h runs them on helper threads.
 */
#ifndef CRYPTO_PASSWORD_H
#define CRYPTO_PASSWORD_H

#include "call/call.h"

enum {
    PASSWORD_CHARS_MIN = 12,
    PASSWORD_CHARS_MAX = 128, /* code points */
    PASSWORD_BYTES_MAX = 4 * PASSWORD_CHARS_MAX,
    PASSWORD_HASH_BYTES = 128, /* a PHC string and its NUL */
};

enum password_profile {
    PASSWORD_NORMAL, /* 64 MiB, 3 passes */
    PASSWORD_SMALL,  /* 19 MiB, 2 passes: OWASP's minimum, for hosts with little memory */
};
void password_set_profile(enum password_profile profile);

/*
 * Is this good enough for a new password of this person? Length in code points, not a common one, not the e-mail or its local
 * part in it; no rules of composition. E_INVALID with the reason.
 */
MUST_CHECK int password_check_rules(struct call *call, struct str password, struct str email);

/* Any thread, blocking. E_UNAVAILABLE: no memory. */
MUST_CHECK int password_hash(struct str password, char out[PASSWORD_HASH_BYTES]);

/*
 * Any thread, blocking. OK: right; E_DENIED: wrong, or the hash is of no known kind; E_UNAVAILABLE: no memory.
 * An empty `hash` stands for a person nobody knows: it costs what a real one costs and is never right.
 */
MUST_CHECK int password_verify(struct str password, struct str hash);

/* The hash is bcrypt, or weaker than the profile. */
bool password_needs_rehash(struct str hash);

#endif

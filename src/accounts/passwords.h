/*
 * crypto/password.h on helper threads: at most one hash a core at once, a bounded queue behind it, so that a flood of logins
 * neither stops the loop nor fills the memory.
 */
#ifndef ACCOUNTS_PASSWORDS_H
#define ACCOUNTS_PASSWORDS_H

#include "crypto/password.h"

enum {
    PASSWORDS_QUEUE_MAX = 32,
    PASSWORDS_WAIT_MS = 3 * 1000,
};

/*
 * How many may wait; PASSWORDS_QUEUE_MAX unless it is called. Logins from where nobody has logged in before get half of the places.
 */
void passwords_init(size_t queue_max);

/* E_LIMIT: too many at once; E_UNAVAILABLE: no memory. */
MUST_CHECK int passwords_hash(struct call *call, struct str password, struct str *ret_hash);

/* E_UNAUTHENTICATED (without a text): wrong; and as above. is_stranger: may not take all places in the queue. */
MUST_CHECK int passwords_verify(struct call *call, struct str password, struct str hash, bool is_stranger);

/* Ends the threads. */
void passwords_done(void);

#endif

/*
 * How often something may be tried by somebody who is not known yet: logins, forgotten passwords, registrations. Counted in the
 * memory that the processes of this host share (limits/limits.h); without it nothing is limited. Nothing here waits.
 */
#ifndef LIMITS_TRIES_H
#define LIMITS_TRIES_H

#include "limits/limits.h"

struct tries_rule {
    const char *what;  /* tells the counts of one rule from those of another */
    int64_t at_once;   /* tries in a row */
    int64_t refill_ms; /* after which there is one more */
};

/* `name`: whose tries they are: an address, an account. OK, or E_LIMIT, whose text and call->retry_after_s say in how many seconds to come again. */
MUST_CHECK int tries_take(struct call *call, const struct tries_rule *rule, struct str name);

/* The same for tries from an address: those of one network of IPv6 are counted together (net/client_address.h). */
MUST_CHECK int tries_take_address(struct call *call, const struct tries_rule *rule, struct str address);

#endif

/*
 * What stands before each request to a site: a place among those that the site, and the site's owner, may have under way
 * (bulkhead), and whether the site is tried at all when it failed again and again (breaker).
 *
 * A site that hangs so takes its own places and no others; who finds them taken waits in a queue, first come first served within
 * a process, and processes share in equal parts.
 */
#ifndef LIMITS_GATE_H
#define LIMITS_GATE_H

#include "limits/limits.h"

struct gate_pass;

/* What the request said about the site. */
enum gate_verdict {
    GATE_UNKNOWN,  /* nothing: it was never sent, or given up */
    GATE_ANSWERED, /* it lives, whatever it said */
    GATE_FAILED,   /* no answer, or a gateway's that had none */
};

/*
 * `site`: what the site is told apart by, together with its owner, so that nobody can harm another's; `host`: its name in
 * messages. OK: *ret_pass ends with gate_leave(), or by itself with the call's memory. E_LIMIT: too many wait already.
 * E_UNAVAILABLE: the site is being left alone; the text says how long. E_TIMEOUT, E_CANCELLED. Waits.
 */
MUST_CHECK int gate_enter(struct call *call, int64_t user_id, struct str site, struct str host,
                          struct gate_pass **ret_pass);
void gate_leave(struct gate_pass *pass, enum gate_verdict verdict);

/* Told when a site begins to be left alone, by the process that noticed; it must not wait. NULL: nobody is. */
void gate_on_opened(void (*opened)(int64_t user_id, struct str host));

#endif

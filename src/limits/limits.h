/*
 * How much of us one site, one person and one token may have at once, and when a site that fails is left alone. The counts are
 * in memory that all processes of this host share, so a limit holds for the host, not for each worker; hosts do not share it.
 *
 *     limits/table     the shared memory: one lock, one entry per site, person or token
 *     limits/gate      before each request to a site: a place (bulkhead), and whether it is tried at all (breaker)
 *     limits/quota     before each call of a client: so many a minute, so many at once
 *     limits/tries     before a login, a registration: so many by an address, for an account
 *     limits/breaker, limits/rate     their rules, without memory or clock
 *
 * All entries are forgotten when the supervisor ends. Without limits_open() nothing is limited.
 */
#ifndef LIMITS_LIMITS_H
#define LIMITS_LIMITS_H

#include "call/call.h"

/* Zero means: no limit. */
struct limits_settings {
    size_t per_site;  /* requests to one site under way */
    size_t per_user;  /* requests to all sites of one person under way */
    size_t queued;    /* that wait for one site, or for one person's sites */
    size_t failures;  /* of a site in a row, after which it is left alone ... */
    int64_t pause_ms; /* ... so long, before one request tries it again */
    size_t token_calls_per_minute, token_writes_per_minute, token_calls_at_once;
    size_t user_calls_per_minute;
};

/* The memory for limits_open() in several processes; -1 when it cannot be made. The descriptor is the caller's. */
int limits_file(void);

/* Is it of this program's layout? One that another version made may not be. */
bool limits_file_fits(int file);

/* file: limits_file()'s, or -1 for memory of this process alone; may be closed afterwards. False: it cannot be mapped. */
MUST_CHECK bool limits_open(int file, const struct limits_settings *settings);
void limits_close(void);

/* NULL: not open. */
const struct limits_settings *limits_settings(void);

#endif

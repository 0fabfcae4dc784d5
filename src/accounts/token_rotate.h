/*
 * A newer token in the place of one: the same name, rights, options and connections, and as long a life; it is shown
 * once.
 */
#ifndef ACCOUNTS_TOKEN_ROTATE_H
#define ACCOUNTS_TOKEN_ROTATE_H

#include "accounts/tokens.h"

enum { TOKEN_OVERLAP_MAX_MS = 7 * 24 * 3600 * 1000 };

/*
 * The old one ends at *old_ends_at_ms, so that programs can be given the new one meanwhile; 0: at once. One that expires before
 * does so: then that time is there afterwards. A connection's primary token leaves being that to the new one, and connections
 * that were revoked are left out. E_NOT_FOUND; E_CONFLICT: it has ended already, or its row was edited; E_INVALID: too long;
 * E_LIMIT. Waits.
 */
MUST_CHECK int token_rotate(struct call *call, int64_t user_id, int64_t token_id, int64_t *old_ends_at_ms,
                            struct token_made *ret, int64_t *ret_expires_at_ms);

#endif

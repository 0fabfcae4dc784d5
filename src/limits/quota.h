/* How many calls a token, and a person with all tokens, may make a minute and at once. */
#ifndef LIMITS_QUOTA_H
#define LIMITS_QUOTA_H

#include "limits/limits.h"

struct quota_pass;

/*
 * Before a call is served. OK: *ret_pass ends with quota_end(), or by itself with the call's memory. E_LIMIT: the text says in
 * how many seconds to come again, *ret_after_s is that number. Does not wait.
 */
MUST_CHECK int quota_begin(struct call *call, int64_t token_id, int64_t user_id, bool writes,
                           struct quota_pass **ret_pass, int64_t *ret_after_s);
void quota_end(struct quota_pass *pass); /* NULL is fine */

#endif

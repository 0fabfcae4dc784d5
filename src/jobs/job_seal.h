/* What of a job is sealed: each value under the owner's data key, bound to its row and column of mcp_jobs. */
#ifndef JOBS_JOB_SEAL_H
#define JOBS_JOB_SEAL_H

#include "accounts/authenticate.h"

/* `column` is the one it is for. E_CRYPTO, E_LIMIT. */
MUST_CHECK int job_seal(struct call *call, const struct principal *who, struct str id, const char *column,
                        struct str plain, struct str *ret);

/* Opened and parsed; of what was never there (ptr NULL) JSON_MISSING. E_CRYPTO. */
MUST_CHECK int job_unseal(struct call *call, const struct principal *who, struct str id, const char *column,
                          struct str sealed, const struct json **ret);

#endif

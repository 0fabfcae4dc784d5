/*
 * The rows of mcp_jobs. A job is claimed with a lease: whoever holds it may write, named by holder and number of the claim, so that
 * one whose lease was taken away changes nothing any more. Times are those of the caller.
 */
#ifndef STORE_JOBS_H
#define STORE_JOBS_H

#include "store/store.h"

#define JOB_QUEUED "queued"
#define JOB_WORKING "working"
#define JOB_INPUT_REQUIRED "input_required"
#define JOB_COMPLETED "completed"
#define JOB_FAILED "failed"
#define JOB_CANCELLED "cancelled"

struct job_row {
    struct str id;
    int64_t user_id, connection_id, token_id;
    struct str kind, status;
    struct str arguments, state, input, result; /* sealed; all but the first may be ptr NULL */
    struct str message;
    int64_t done, total;
    int64_t abilities, revision, claims, attempts;
    struct str lease_holder; /* ptr NULL: nobody */
    int64_t lease_until_ms, cancel_at_ms;
    int64_t created_at_ms, updated_at_ms, ended_at_ms, expires_at_ms;
};

/* The token's jobs that have not ended, and those of the connection that are held. */
MUST_CHECK int store_jobs_count(struct call *call, int64_t token_id, int64_t connection_id, int64_t now_ms,
                                int64_t *ret_open, int64_t *ret_held);

MUST_CHECK int store_jobs_insert(struct call *call, const struct job_row *row);

/* Of that token or its family, while it has not expired; without arguments and state, as by all but store_jobs_held(). E_NOT_FOUND. */
MUST_CHECK int store_jobs_get(struct call *call, int64_t token_id, struct str id, int64_t now_ms, struct job_row *ret);

struct job_rows {
    size_t count;
    struct job_row *items;
};
/* Of a person, the latest first: what goes on and what has ended lately. */
MUST_CHECK int store_jobs_of_user(struct call *call, int64_t user_id, int64_t now_ms, int64_t limit,
                                  struct job_rows *ret);
/* One of theirs. E_NOT_FOUND. */
MUST_CHECK int store_jobs_get_of_user(struct call *call, int64_t user_id, struct str id, int64_t now_ms,
                                      struct job_row *ret);

struct job_claim {
    struct str holder;
    int64_t now_ms, until_ms;
    int64_t stale_ms;           /* leases that ended before this are over */
    int64_t per_connection_max; /* no more than so many of one connection are held at once */
};
/* The oldest one that waits or whose lease is over becomes the holder's; *ret_found tells whether there was one. */
MUST_CHECK int store_jobs_claim(struct call *call, const struct job_claim *claim, struct job_row *ret, bool *ret_found);

/* The row as its holder needs it. *ret_held false: it is not the holder's any more. */
MUST_CHECK int store_jobs_held(struct call *call, struct str holder, int64_t claims, struct str id, struct job_row *ret,
                               bool *ret_held);

/* What is not over: when the first lease ends (0: none is held), and how many wait for somebody to take them. */
MUST_CHECK int store_jobs_next(struct call *call, int64_t now_ms, int64_t *ret_lease_until_ms, int64_t *ret_queued);

/* What of a job its holder may write: status, state, input, result, message, done, total, attempts and the times. The row must have
 * the id, lease_holder and claims it was claimed with; unless it goes on working the lease ends. *ret_held false: it is not ours
 * any more, and nothing was written. *ret_cancel: somebody wants it to end. */
MUST_CHECK int store_jobs_write(struct call *call, const struct job_row *row, bool *ret_held, bool *ret_cancel);

struct job_held {
    struct str id;
    int64_t claims;
    bool cancel;
};
struct jobs_held {
    size_t count;
    struct job_held *items;
};
/*
 * Those of the ids that the holder has get a new end of lease; what is not among them is not the holder's any more. The ids are those
 * that the holder runs: what it claimed without hearing so must come to the end of its lease.
 */
MUST_CHECK int store_jobs_renew(struct call *call, struct str holder, int64_t until_ms, const struct str *ids,
                                size_t n_ids, struct jobs_held *ret);

/* Answers came: `input` and `status` of the row are written if its revision is still the one it was read with. */
MUST_CHECK int store_jobs_answer(struct call *call, const struct job_row *row, int64_t now_ms, bool *ret_done);

/*
 * Somebody wants it to end. What nobody holds is cancelled at once, else its holder is told by a mark. ret->status is what it is
 * now; *ret_changed: it was this call that ended it. E_NOT_FOUND: the token has no such job.
 */
MUST_CHECK int store_jobs_cancel(struct call *call, int64_t token_id, struct str id, int64_t now_ms, int64_t expires_ms,
                                 struct job_row *ret, bool *ret_changed);

/* Forgets what has expired and is not held by anybody. */
MUST_CHECK int store_jobs_prune(struct call *call, int64_t now_ms);

#endif

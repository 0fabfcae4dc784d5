/*
 * Work that goes on behind its request. What a job does, a provider says (struct job_kind in providers/provider.h); here is how it
 * lives: a row of mcp_jobs, claimed by a lease, run step by step, saved after each.
 *
 *     queued -> working -> completed, failed or cancelled          working: somebody holds the lease
 *       ^          |
 *       |          +-> input_required, until its answers are there, and then queued again
 *       +----------+   released (the process stops), or its lease ran out (the process died)
 *
 * A holder gives a sign of life four times in a lease. When none came for a lease and a quarter, others may take the job: the
 * quarter is for clocks that differ, so nodes on one database must agree on the time within it. A holder that could not renew stops
 * by itself before that. Whoever takes a job goes on behind the last saved step; after JOBS_ATTEMPTS_MAX claims without one that was
 * saved the job is given up, since something in it ends processes.
 *
 * Idle is silent: without jobs nothing is asked of the database. A process looks when it starts, when it hears of a job that waits,
 * when a lease that it knows of is over, and, while it is used anyway, once a minute (jobs_glance()).
 *
 * Whose a job is stands in every query: it belongs to the token that began it. The token is asked about again before each step;
 * one that was revoked ends the job. Arguments, state, questions, answers and result are sealed with the owner's key. Each claim
 * and each end is an event of the audit log: job.KIND.begin, job.KIND.
 *
 * One per process, on the loop's thread.
 */
#ifndef JOBS_JOBS_H
#define JOBS_JOBS_H

#include "accounts/authenticate.h"
#include "store/jobs.h"

enum {
    JOBS_LEASE_MS = 20 * 1000,
    JOBS_RUNNING_MAX = 32,        /* steps under way in this process; further jobs wait */
    JOBS_PER_CONNECTION_MAX = 4,  /* held at once, by all processes */
    JOBS_OPEN_PER_TOKEN_MAX = 50, /* that have not ended */
    JOBS_ATTEMPTS_MAX = 5,
    JOBS_LIFE_MS = 24 * 60 * 60 * 1000, /* from its beginning, and again from its end: then it is forgotten */
    JOBS_GLANCE_MS = 60 * 1000,
    JOBS_PRUNE_MS = 10 * 60 * 1000,
    JOBS_TELL_MS = 1000, /* progress is told at most so often */
    JOBS_ID_CHARS = 32,
    JOBS_INPUT_MAX_BYTES = 256 * 1024, /* of all questions and answers */
    JOBS_MESSAGE_MAX_BYTES = 300,
};

/* One step that is about to run, for whoever makes its host. Lives as long as the step's call. */
struct jobs_run {
    const struct principal *who;
    const struct provider *provider;
    const struct job_kind *kind;
    struct job_step *step;
    unsigned abilities;         /* enum host_ability: what the client that began it can be asked */
    const struct json *answers; /* object by key: what was answered so far, or JSON_MISSING */
    struct buf asked; /* the host's: objects {"key","kind","params"} with commas between, what is to be asked now */
};

/* Told of a job, here and by others (jobs_heard()). */
struct jobs_news {
    struct str id;
    int64_t connection_id;
    enum { JOBS_CHANGED, JOBS_WAITING /* somebody may take it */, JOBS_STOP /* its holder shall end it */ } what;
};

struct jobs_settings {
    int64_t lease_ms;   /* 0: JOBS_LEASE_MS */
    size_t max_running; /* 0: JOBS_RUNNING_MAX */
    const struct provider *(*find_provider)(struct str key);
    /* What the step asks the outside for. Does not wait. */
    struct host *(*open_host)(struct call *call, struct jobs_run *run);
    /* The step has ended: what the host took for it is given back. May be NULL. Waits. */
    void (*close_host)(struct call *call, struct host *host);
    /* Takes it to whoever listens, in this process (except to jobs_heard()) and in others. Does not wait. */
    void (*tell)(const struct jobs_news *news);
};

/* Once, behind accounts_open(). Looks for jobs that were left behind. E_UNAVAILABLE: no memory. */
MUST_CHECK int jobs_open(const struct jobs_settings *settings);
/*
 * No further step begins; what is under way comes to its end, and its job goes back to the queue. ended() runs whenever none is
 * left, more than once when a request that is still under way begins one, which is handed on.
 */
void jobs_stop(void (*ended)(void *context), void *context);
/* Ends what is under way; its jobs go back to where the last saved step left them. */
void jobs_cancel_all(void);
/* Steps under way, and statements. */
size_t jobs_busy(void);
/* When jobs_busy() is 0. */
void jobs_close(void);

/* ---- for requests */

/* Durable when it returns. *ret_id is in the call's arena. E_INVALID: no such kind; E_DENIED: not with this token's rights;
 * E_LIMIT: too large, or too many. Waits. */
MUST_CHECK int jobs_begin(struct call *call, const struct principal *who, const struct provider *provider,
                          const struct job_new *job, unsigned abilities, struct str *ret_id);

struct job_view {
    struct str id, kind, status;
    struct str message;
    int64_t done, total;
    int64_t created_at_ms, updated_at_ms, expires_at_ms;
    bool ended;
    const struct json *questions; /* of input_required: array of {"key","kind","params"} */
    const struct json *result;    /* of completed: {"text","blocks","structured","is_error"}; of failed: {"text"} */
};

/* E_NOT_FOUND: the token has no such job (any more). Waits. */
MUST_CHECK int jobs_get(struct call *call, const struct principal *who, struct str id, struct job_view *ret);

/* Takes from `responses` (an object by key) what answers an open question; the rest is ignored. Waits. */
MUST_CHECK int jobs_answer(struct call *call, const struct principal *who, struct str id, const struct json *responses,
                           bool (*fits)(enum host_ability kind, const struct json *answer));

/* OK also when it has ended already. Waits. */
MUST_CHECK int jobs_cancel(struct call *call, const struct principal *who, struct str id);

/* ---- for their owner, whichever token began them */

enum { JOBS_SHOWN_MAX = 50 };

/* The latest first, those that ended within a day included. Waits. */
MUST_CHECK int jobs_list(struct call *call, int64_t user_id, struct job_rows *ret);
/* As jobs_cancel(). E_NOT_FOUND. *ret: as it is then. Waits. */
MUST_CHECK int jobs_cancel_own(struct call *call, int64_t user_id, struct str id, struct job_row *ret);

/* Another process told. */
void jobs_heard(const struct jobs_news *news);

/* This process is used: a lazy look for jobs that nobody holds. Does not wait. */
void jobs_glance(void);

#endif

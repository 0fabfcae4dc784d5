/* One step of a job that this process holds. For the files of this folder. */
#ifndef JOBS_STEP_H
#define JOBS_STEP_H

#include "jobs/jobs.h"

enum step_outcome {
    STEP_GO_ON, /* saved: the next one may begin */
    STEP_OVER, /* this process does not hold the job any more: it ended, waits for answers, or went back to the queue */
};

/* What the runner knows of the job; what is said while the step runs counts at once. */
struct step_order {
    const char *id;
    int64_t claims;
    struct str holder;
    const struct jobs_settings *settings;
    bool begun;     /* the claim's event was recorded */
    bool stop;      /* somebody wants the job to end */
    bool release;   /* the process stops: back to the queue */
    bool lost;      /* the lease could not be kept: nothing more may be done or written */
    bool exhausted; /* the last try used up its memory */
    int64_t *told_ms;
    int64_t lease_ms;
};

/* Runs on a task with a call of its own. Sets order->begun. Waits. */
enum step_outcome step_run(struct call *call, struct step_order *order);

#endif

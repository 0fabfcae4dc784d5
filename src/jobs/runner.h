/* The jobs that this process holds: for the files of this folder. */
#ifndef JOBS_RUNNER_H
#define JOBS_RUNNER_H

#include "jobs/jobs.h"

/* "host's word" of this process, told apart from every other by chance: mcp_jobs.lease_holder. */
struct str runner_holder(void);
/* A new claim's end of lease, on the clock of the database's times. */
int64_t runner_lease_end_ms(int64_t now_ms);
bool runner_is_open(void);
/* May another job begin here now? */
bool runner_has_room(void);
/* The row is this process's: claimed with runner_holder(). */
void runner_take(const struct job_row *row);
/* Looks for jobs that nobody holds, after so long; an earlier look stands. */
void runner_look_in(int64_t ms);
/* Is nobody giving signs of life any more? */
bool runner_is_stale(const struct job_row *row, int64_t now_ms);

void jobs_tell(struct str id, int64_t connection_id, int what);
/* The event of a job's end. */
MUST_CHECK int jobs_record_end(struct call *call, const struct job_row *row, struct str text);
bool jobs_status_ended(struct str status);

#endif

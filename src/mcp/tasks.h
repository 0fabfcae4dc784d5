/*
 * The extension io.modelcontextprotocol/tasks of 2026-07-28 (SEP-2663): a tools/call that becomes a job (jobs/jobs.h) is answered
 * with a task at once, and tasks/get, tasks/update and tasks/cancel ask for it, answer it, end it; subscriptions/listen tells when
 * it changes. Only with a client that says in the very request that it knows the extension. A task is its token's.
 */
#ifndef MCP_TASKS_H
#define MCP_TASKS_H

#include "jobs/jobs.h"
#include "json/json_write.h"
#include "mcp/host.h"

enum { TASK_POLL_MS = 1000 };

/* Starts the jobs of this process, told to others over the bus; behind carrier_start(). E_UNAVAILABLE. */
MUST_CHECK int tasks_open(struct call *call, int64_t lease_ms);
/* When jobs_busy() is 0. */
void tasks_close(void);

/* The members of a CreateTaskResult for host->task. Waits. */
MUST_CHECK int tasks_write_begun(struct call *call, struct mcp_host *host, struct buf *out);

/* The members of the task as it is now (DetailedTask); open members of an object. */
void tasks_write(struct call *call, const struct job_view *job, struct json_writer *w);

/* What came of a completed job, in the arena. */
void tasks_result_of(struct call *call, const struct job_view *job, struct tool_result *ret);

#endif

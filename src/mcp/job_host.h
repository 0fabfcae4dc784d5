/* What the protocol does for a step of a job: as for a tool (mcp/host.h), but its client is not there. */
#ifndef MCP_JOB_HOST_H
#define MCP_JOB_HOST_H

#include "jobs/jobs.h"

struct host *job_host_open(struct call *call, struct jobs_run *run);
/* Waits. */
void job_host_close(struct call *call, struct host *base);

#endif

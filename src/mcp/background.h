/*
 * A tool that begins a job (host_start_job()): with a client that knows tasks the call becomes one; any other client waits, told how
 * far it is where it wants to know, and after a while is told how to ask for it later.
 */
#ifndef MCP_BACKGROUND_H
#define MCP_BACKGROUND_H

#include "mcp/host.h"

enum {
    BACKGROUND_LOOK_MS = 2 * 1000, /* how often the row is looked at while somebody waits, should no news come */
};

/* How long a client that does not know tasks waits for one; from tasks_open(). */
void background_set_wait(int64_t ms);

#endif

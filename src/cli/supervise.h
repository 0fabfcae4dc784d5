/* The supervisor of `porteiro serve`: settings, the listening socket, and the workers behind it (net/supervisor.h). */
#ifndef CLI_SUPERVISE_H
#define CLI_SUPERVISE_H

#include "cli/cli.h"

/* Serves until it is told to stop. */
MUST_CHECK int supervise(struct cli *cli);

/* Where a worker finds its settings. */
struct str supervise_settings_file(void);

#endif

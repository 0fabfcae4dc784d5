/* The sandbox of a worker (net/sandbox.h), as far as it depends on the settings. */
#ifndef CLI_CONFINE_H
#define CLI_CONFINE_H

#include "cli/cli.h"

/* Before anything is opened and any thread runs: the files that the settings name, and no others. */
MUST_CHECK int confine_files(struct cli *cli);

/* When everything runs. */
MUST_CHECK int confine_calls(struct cli *cli);

#endif

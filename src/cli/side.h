/* The listeners beside the main one: plain http (ACME's questions, the way to https) and metrics. */
#ifndef CLI_SIDE_H
#define CLI_SIDE_H

#include "cli/cli.h"

/* url: where the main listener is reached. */
MUST_CHECK int side_open(struct cli *cli, struct str url);
/* Stops accepting; what is under way is short. */
void side_end(void);
void side_close(void);

#endif

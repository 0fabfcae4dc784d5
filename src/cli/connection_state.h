/* porteiro connection state */
#ifndef CLI_CONNECTION_STATE_H
#define CLI_CONNECTION_STATE_H

#include "cli/cli.h"

int connection_state(struct cli *cli);

#endif

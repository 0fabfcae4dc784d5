/* porteiro connection import: connects what a table of sites says, row by row, each with its own result. */
#ifndef CLI_CONNECTION_IMPORT_H
#define CLI_CONNECTION_IMPORT_H

#include "cli/cli.h"

MUST_CHECK int connection_import(struct cli *cli);

#endif

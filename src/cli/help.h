/* The text of --help, made from the table of subcommands. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "base/arena.h"
#include "cli/command.h"

/* Of everything (both NULL), of a noun (command NULL), or of one command. */
struct str help_text(struct arena *arena, const struct noun *noun, const struct command *command);

#endif

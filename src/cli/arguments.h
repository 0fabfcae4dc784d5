/* What stood on the command line, against the table of subcommands. */
#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include "base/config.h"
#include "cli/command.h"

enum { ARGUMENTS_MAX = 64 };

struct given_option {
    struct str name, value;
};

struct arguments {
    const struct noun *noun; /* NULL: nothing, or only --help, was asked */
    const struct command *command;
    bool help; /* instead of running it */
    bool json;
    struct str argument; /* ptr NULL: none */
    struct given_option options[ARGUMENTS_MAX];
    size_t n_options;
    struct config_flag settings[ARGUMENTS_MAX]; /* flags that are settings, and --config */
    size_t n_settings;
};

/*
 * argv without the program's name. False: *ret_problem is a sentence for the person; `ret` is filled as far as it went, so that
 * it tells whether JSON was asked for. Values of options are not repeated in the sentence: they may be secrets.
 */
MUST_CHECK bool arguments_parse(struct arena *arena, int argc, char *const *argv, struct arguments *ret,
                                struct str *ret_problem);

#endif

/* The table of subcommands: `porteiro NOUN [VERB] [ARGUMENT] [--OPTION [VALUE]] ...`. One file, user.c, holds one noun's rows. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/str.h"

struct cli;

struct option {
    const char *name;  /* without its dashes */
    const char *value; /* what follows it, for the help: "E-MAIL"; NULL: nothing, a switch */
    const char *help;
    bool required;
    bool many; /* may stand there several times */
};

struct command {
    const char *verb; /* NULL: the noun alone is the command */
    const char *summary;
    const char *argument; /* "ID": one that must be there; "[ID]": one that may; NULL: none */
    const char *argument_help;
    const struct option *options;
    size_t n_options;
    const char *example; /* lines to paste */
    /* Options that are not in the table: the fields of providers. Each takes a value. NULL: none. `index` counts from 0. */
    bool (*more_options)(size_t index, struct option *ret);
    bool bad_settings; /* runs although there are bad settings: it tells about them */
    /* OK or a recorded error. */
    int (*run)(struct cli *cli);
};

struct noun {
    const char *name;
    const char *summary;
    const struct command *commands;
    size_t n_commands;
};

/* In the order of the help. Each stands in the file of its name. */
extern const struct noun serve_noun, migrate_noun, user_noun, provider_noun, connection_noun, token_noun,
    oauth_client_noun, approval_noun, message_noun, audit_noun, config_noun, version_noun, completion_noun, manual_noun,
    stdio_noun, setup_url_noun, mail_noun, key_noun, backup_noun, restore_noun, doctor_noun;

extern const struct noun *const nouns[];
extern const size_t n_nouns;

/* Row 0, 1, ... of the command's own options and then the further ones; false behind the last. */
bool command_option(const struct command *command, size_t index, struct option *ret);

#endif

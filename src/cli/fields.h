/*
 * A provider's form on the command line: each field of its table is an option of the same name (with '-' for '_'), the secret one
 * comes by --secret-stdin, --secret-file or a question at the terminal. Knows no provider.
 */
#ifndef CLI_FIELDS_H
#define CLI_FIELDS_H

#include "cli/cli.h"
#include "providers/provider.h"

/* For struct command's more_options: the fields of all providers, each name once. */
bool fields_option(size_t index, struct option *ret);

/*
 * The two JSON objects of a connection out of what was given. `config_before` (may be empty) is an object with values to take for
 * fields that were not given. E_INVALID: a required field is missing, or one of another provider was given.
 */
MUST_CHECK int fields_read(struct cli *cli, const struct provider *provider, struct str config_before,
                           struct str *ret_config, struct str *ret_secret);

#endif

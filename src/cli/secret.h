/*
 * Secrets on their way in: never from the command line. From a terminal without echo, from standard input (--password-stdin), or
 * from a file (--password-file F). Wiped when the run ends.
 */
#ifndef CLI_SECRET_H
#define CLI_SECRET_H

#include "cli/cli.h"

enum { SECRET_BYTES_MAX = 4096 };

/* The two rows for a command's table of options: SECRET_OPTIONS("password"). */
/* clang-format off */
#define SECRET_OPTIONS(word)                                                           \
    {.name = word "-stdin", .help = "read the " word " from standard input"},          \
    {.name = word "-file", .value = "FILE", .help = "read the " word " from a file"}
/* clang-format on */

/*
 * `name` is "password" or "secret", `prompt` what a person at a terminal is asked; `twice` for one that is being chosen. A line
 * break at the end is not part of it. E_INVALID: none was given, or it is too long or empty.
 */
MUST_CHECK int secret_read(struct cli *cli, const char *name, const char *prompt, bool twice, struct str *ret);

/* Asks at the terminal for the word; true at once when nobody is there to ask. */
bool secret_confirm(struct cli *cli, const char *question);

#endif

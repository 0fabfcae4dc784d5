/*
 * One run of the program: arguments and settings in, an answer on stdout or an error on stderr out.
 *
 * A subcommand's run() gets a `struct cli`, opens what it needs, does its work with cli->call as any other code does, and ends
 * with `return cli_answer(cli, ...)` or the error. Exit codes: 0 done, 1 failed, 2 the command line or a setting is wrong.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/config.h"
#include "call/call.h"
#include "cli/answer.h"
#include "cli/arguments.h"

struct db;

enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

enum {
    CLI_TIMEOUT_MS = 120 * 1000, /* of a command that does not serve */
    CLI_MEMORY_BYTES = 256 * 1024 * 1024,
};

struct cli {
    struct arena *arena; /* of the run; the call has one of its own, which is released before anything is closed */
    struct arguments arguments;
    const struct config *config; /* without problems, except in `config check` */
    struct call call;
    struct db *db;    /* after open_database() */
    bool usage_error; /* what failed is the command line: exit code 2 */
    int exit_code;    /* of a run() that returned OK */
};

/* argv as main() has it. Returns the exit code. */
int cli_main(int argc, char **argv);

/* ---- for subcommands */

/* An option's value; ptr NULL when it was not given. */
struct str cli_option(const struct cli *cli, const char *name);
bool cli_has(const struct cli *cli, const char *name);
/* The option as a positive number; E_INVALID. Not given: `standard`. */
MUST_CHECK int cli_option_number(struct cli *cli, const char *name, int64_t standard, int64_t *ret);
/* The one argument as an id; E_INVALID. */
MUST_CHECK int cli_argument_id(struct cli *cli, int64_t *ret_id);

/* Fails with E_INVALID as a mistake in the command line. */
int cli_usage(struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);

/* Prints and returns OK, or fails when stdout is closed or full. `hint` follows in the text form only; may be NULL. */
MUST_CHECK int cli_answer(struct cli *cli, const struct answer *answer, const char *hint);
/* `empty` is the text when there is nothing in the list. */
MUST_CHECK int cli_answer_list(struct cli *cli, const struct answers *list, const char *columns, const char *empty);
MUST_CHECK int cli_print(struct cli *cli, struct str text);
/* All problems of the settings, as one text. */
struct str cli_config_problems(struct arena *arena, const struct config *config);
/* The log as these settings want it. */
void cli_start_log(const struct config *config);
/* argv without the program's name. */
extern char *const *cli_arguments;
/* A remark for the person, on stderr; nothing with --json. */
void cli_note(struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);

#endif

/* One run of the program. */
#include <sodium.h> /* before base/banned.h: it names what is banned */

#include "cli/cli.h"

#include "base/log.h"
#include "cli/help.h"
#include "cli/open.h"
#include "cli/supervise.h"
#include "net/worker.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- for subcommands */

struct str cli_option(const struct cli *cli, const char *name)
{
    for (size_t i = 0; i < cli->arguments.n_options; i++) {
        if (str_eq(cli->arguments.options[i].name, str_from(name)))
            return cli->arguments.options[i].value;
    }
    return (struct str){NULL, 0};
}

bool cli_has(const struct cli *cli, const char *name)
{
    return cli_option(cli, name).ptr != NULL;
}

int cli_option_number(struct cli *cli, const char *name, int64_t standard, int64_t *ret)
{
    struct str text = cli_option(cli, name);
    *ret = standard;
    if (text.ptr == NULL || (str_to_i64(text, ret) && *ret > 0))
        return OK;
    return cli_usage(cli, "--%s: \"%.*s\" is not a number above 0", name, STR_ARG(text));
}

int cli_argument_id(struct cli *cli, int64_t *ret_id)
{
    struct str text = cli->arguments.argument;
    if (str_to_i64(text, ret_id) && *ret_id > 0)
        return OK;
    return cli_usage(cli, "\"%.*s\" is not an id; ids are numbers, see porteiro %s list", STR_ARG(text),
                     cli->arguments.noun->name);
}

int cli_usage(struct cli *cli, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    struct str text = str_format_list(cli->arena, format, list);
    va_end(list);
    cli->usage_error = true;
    return fail(&cli->call, E_INVALID, "%.*s", STR_ARG(text));
}

static bool write_all(int file, struct str text)
{
    while (text.len) {
        ssize_t done = write(file, text.ptr, text.len);
        if (done < 0 && errno != EINTR)
            return false;
        if (done > 0)
            text = str_from_offset(text, (size_t)done);
    }
    return true;
}

int cli_print(struct cli *cli, struct str text)
{
    if (write_all(STDOUT_FILENO, text))
        return OK;
    return fail(&cli->call, E_UNAVAILABLE, "the answer cannot be written: %s", strerror(errno));
}

int cli_answer(struct cli *cli, const struct answer *answer, const char *hint)
{
    if (cli->arguments.json)
        return cli_print(cli, answer_as_json(cli->arena, answer));
    struct str text = answer_as_text(cli->arena, answer);
    return cli_print(cli, hint ? str_format(cli->arena, "%.*s\n%s\n", STR_ARG(text), hint) : text);
}

int cli_answer_list(struct cli *cli, const struct answers *list, const char *columns, const char *empty)
{
    if (cli->arguments.json)
        return cli_print(cli, answers_as_json(cli->arena, list));
    if (answers_count(list) == 0) {
        cli_note(cli, "%s", empty);
        return OK;
    }
    return cli_print(cli, answers_as_text(cli->arena, list, columns));
}

void cli_note(struct cli *cli, const char *format, ...)
{
    if (cli->arguments.json)
        return;
    va_list list;
    va_start(list, format);
    struct str text = str_format_list(cli->arena, format, list);
    va_end(list);
    (void)write_all(STDERR_FILENO, str_format(cli->arena, "%.*s\n", STR_ARG(text)));
}

/* ---- errors */

/* The detail is for operators, and whoever runs a command is one. */
static void print_error(struct cli *cli, const char *code, struct str text, struct str detail)
{
    struct str line;
    if (cli->arguments.json) {
        struct answer *error = answer_new(cli->arena), *whole = answer_new(cli->arena);
        answer_text(error, "code", str_from(code));
        answer_text(error, "message", text);
        if (detail.len)
            answer_text(error, "detail", detail);
        answer_nested(whole, "error", error);
        line = answer_as_json(cli->arena, whole);
    } else {
        line = str_format(cli->arena, "porteiro: %.*s\n", STR_ARG(answer_printable(cli->arena, text)));
        if (detail.len)
            line =
                str_format(cli->arena, "%.*s  (%.*s)\n", STR_ARG(line), STR_ARG(answer_printable(cli->arena, detail)));
    }
    (void)write_all(STDERR_FILENO, line);
}

static int usage_failed(struct cli *cli, struct str text)
{
    print_error(cli, "usage", text, STR_EMPTY);
    return CLI_USAGE;
}

struct str cli_config_problems(struct arena *arena, const struct config *config)
{
    struct str all = STR_EMPTY;
    for (size_t i = 0; i < config->n_problems; i++) {
        const struct config_problem *problem = &config->problems[i];
        all = str_format(arena, "%.*s%s%.*s: %.*s", STR_ARG(all), i ? "; " : "", STR_ARG(problem->where),
                         STR_ARG(problem->text));
    }
    return all;
}

static int settings_failed(struct cli *cli)
{
    print_error(cli, "settings", cli_config_problems(cli->arena, cli->config), STR_EMPTY);
    return CLI_USAGE;
}

static int failed(struct cli *cli)
{
    const struct call *call = &cli->call;
    struct str text = call->error_text.len ? call->error_text : STR("it failed, and nobody said why");
    print_error(cli, cli->usage_error ? "usage" : error_name(call->error), text, call->error_detail);
    return cli->usage_error ? CLI_USAGE : CLI_FAILED;
}

/* ---- the run */

static void out_of_memory(struct arena *arena, size_t size, void *context)
{
    static const char text[] = "porteiro: this needs more memory than there is\n";
    (void)arena;
    (void)size;
    (void)context;
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    _exit(CLI_FAILED);
}

void cli_start_log(const struct config *config)
{
    static const struct str levels[] = {STR_INIT("debug"), STR_INIT("info"), STR_INIT("warning"), STR_INIT("error")};
    enum log_level lowest = LOG_INFO;
    for (size_t i = 0; i < ARRAY_LENGTH(levels); i++) {
        if (str_eq(levels[i], config_text(config, SETTING_LOG_LEVEL)))
            lowest = (enum log_level)i;
    }
    log_init(lowest, str_eq(config_text(config, SETTING_LOG), STR("json")));
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct str problem;
    bool good = arguments_parse(cli->arena, argc - 1, argv + 1, &cli->arguments, &problem);
    if (!good)
        return usage_failed(cli, problem);
    if (cli->arguments.help)
        return cli_print(cli, help_text(cli->arena, cli->arguments.noun, cli->arguments.command)) ? failed(cli)
                                                                                                  : CLI_DONE;
    const struct worker *worker = worker_self();
    struct config_sources sources = worker ? config_sources_file(cli->arena, supervise_settings_file())
                                           : config_sources(cli->arguments.settings, cli->arguments.n_settings);
    cli->config = config_load(cli->arena, &sources);
    cli_start_log(cli->config);
    if (cli->config->n_problems && !cli->arguments.command->bad_settings)
        return settings_failed(cli);
    return cli->arguments.command->run(cli) ? failed(cli) : cli->exit_code;
}

char *const *cli_arguments;

int cli_main(int argc, char **argv)
{
    cli_arguments = argv + (argc ? 1 : 0);
    signal(SIGPIPE, SIG_IGN);
    umask(077); /* whatever is made here is for its owner */
    struct cli cli = {.arena = arena_new(CLI_MEMORY_BYTES)};
    if (cli.arena == NULL || sodium_init() < 0)
        out_of_memory(NULL, 0, NULL);
    struct arena *work = arena_new(CLI_MEMORY_BYTES);
    if (work == NULL)
        out_of_memory(NULL, 0, NULL);
    arena_on_exhausted(cli.arena, out_of_memory, NULL);
    arena_on_exhausted(work, out_of_memory, NULL);
    call_init(&cli.call, work, CLI_TIMEOUT_MS);
    int code = run(&cli, argc, argv);
    arena_free(work); /* what the work still holds of the database and the network, before those are closed */
    open_close(&cli);
    arena_free(cli.arena);
    return code;
}

/* porteiro audit */
#include "audit/audit.h"

#include "accounts/tokens.h"
#include "audit/export.h"
#include "audit/retention.h"
#include "cli/open.h"
#include "cli/person.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { LONG_MS = 24 * 60 * 60 * 1000 }; /* of what goes through all events */

static void describe(struct answer *answer, const struct audit_shown *event)
{
    struct str data = event->data_json.len ? event->data_json : STR("{}");
    answer_integer(answer, "id", event->id);
    answer_time(answer, "at", event->at_ms);
    answer_text(answer, "action", event->action);
    if (event->user_id)
        answer_integer(answer, "user_id", event->user_id);
    else
        answer_nested(answer, "user_id", NULL);
    if (event->connection_id)
        answer_integer(answer, "connection_id", event->connection_id);
    else
        answer_nested(answer, "connection_id", NULL);
    if (event->token_id)
        answer_integer(answer, "token_id", event->token_id);
    else
        answer_nested(answer, "token_id", NULL);
    answer_json(answer, "data", data);
    answer_switch(answer, "chained", event->is_chained);
}

/* "7d": so long ago. 0: not given. */
static int time_option(struct cli *cli, const char *name, int64_t *ret_ms)
{
    struct str text = cli_option(cli, name);
    int64_t ahead_ms, now = clock_now_ms();
    *ret_ms = 0;
    if (text.ptr == NULL || clock_parse(text, ret_ms))
        return OK;
    if (tokens_parse_expiry(&cli->call, text, &ahead_ms) || ahead_ms == 0)
        return cli_usage(cli, "--%s: \"%.*s\" is neither a time such as 7d or 12h nor a date such as 2026-11-22", name,
                         STR_ARG(text));
    *ret_ms = now - (ahead_ms - now);
    return OK;
}

static int read_query(struct cli *cli, struct audit_query *query)
{
    struct str prefix = cli_option(cli, "action");
    *query = (struct audit_query){.action_prefix = prefix.ptr ? prefix : STR_EMPTY};
    int error = time_option(cli, "since", &query->since_ms);
    if (!error)
        error = cli_option_number(cli, "limit", AUDIT_LIMIT_DEFAULT, &query->limit);
    if (!error)
        error = cli_option_number(cli, "before", 0, &query->before_id);
    if (!error)
        error = cli_option_number(cli, "connection", 0, &query->connection_id);
    if (!error && query->limit > AUDIT_LIMIT_MAX)
        error = cli_usage(cli, "--limit: at most %d at once; --before ID goes on from there", AUDIT_LIMIT_MAX);
    return error;
}

static int run_list(struct cli *cli)
{
    struct audit_query query;
    struct audit_rows rows;
    struct user_row user;
    int error = read_query(cli, &query);
    if (!error)
        error = open_accounts(cli);
    if (!error && cli_has(cli, "user") && !str_to_i64(cli_option(cli, "user"), &query.user_id)) {
        error = person_find(cli, cli_option(cli, "user"), &user); /* an id may be of somebody deleted */
        query.user_id = error ? 0 : user.id;
    }
    if (!error)
        error = audit_list(&cli->call, &query, &rows);
    if (error)
        return error;
    struct answers *list = answers_new(cli->arena);
    for (size_t i = 0; i < rows.count; i++) {
        struct audit_shown event = audit_show(&cli->call, &rows.items[i]);
        describe(answers_add(list), &event);
    }
    return cli_answer_list(cli, list, "id at action user_id connection_id token_id data", "there is no such event");
}

/* The file to compare with; NULL: none. The one of the settings may not be there yet. */
static const char *checkpoints_option(struct cli *cli)
{
    struct str given = cli_option(cli, "checkpoints");
    const char *path =
        str_copy_cstr(cli->arena, given.ptr ? given : config_text(cli->config, SETTING_AUDIT_CHECKPOINTS));
    return given.ptr || access(path, F_OK) == 0 ? path : NULL;
}

static void answer_id(struct answer *answer, const char *name, int64_t id)
{
    if (id)
        answer_integer(answer, name, id);
    else
        answer_nested(answer, name, NULL);
}

static int run_verify(struct cli *cli)
{
    struct audit_verdict verdict;
    struct str none = {NULL, 0};
    int error = open_accounts(cli);
    cli->call.deadline_ms = clock_monotonic_ms() + LONG_MS;
    if (!error)
        error = audit_verify(&cli->call, checkpoints_option(cli), &verdict);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_switch(answer, "ok", verdict.ok);
    answer_integer(answer, "rows", verdict.rows);
    answer_integer(answer, "chained", verdict.chained);
    answer_integer(answer, "chains", verdict.chains);
    answer_integer(answer, "checkpoints", verdict.checkpoints);
    answer_integer(answer, "foreign_checkpoints", verdict.foreign);
    answer_integer(answer, "removed", verdict.removed);
    answer_id(answer, "broken_id", verdict.broken_id);
    answer_id(answer, "last_id", verdict.last_id);
    answer_text(answer, "problem", verdict.ok ? none : verdict.problem);
    error = cli_answer(cli, answer, NULL);
    if (!error && !verdict.ok)
        error = fail(&cli->call, E_CRYPTO, "the audit log was changed: %.*s", STR_ARG(verdict.problem));
    return error;
}

/* ---- export */

static int write_out(struct call *call, struct str text, void *context)
{
    int file = *(int *)context;
    while (text.len) {
        ssize_t written = write(file, text.ptr, text.len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return fail(call, E_UNAVAILABLE, "the output cannot be written: %s", strerror(errno));
        text = str_from_offset(text, (size_t)written);
    }
    return OK;
}

static int read_export(struct cli *cli, struct export_query *query)
{
    struct str format = cli_option(cli, "format"), prefix = cli_option(cli, "action");
    *query = (struct export_query){.action_prefix = prefix.ptr ? prefix : STR_EMPTY};
    if (format.ptr && str_eq(format, STR("csv")))
        query->format = EXPORT_CSV;
    else if (format.ptr && !str_eq(format, STR("jsonl")))
        return cli_usage(cli, "--format: \"%.*s\" is neither jsonl nor csv", STR_ARG(format));
    int error = time_option(cli, "since", &query->since_ms);
    if (!error)
        error = time_option(cli, "until", &query->until_ms);
    if (!error)
        error = cli_option_number(cli, "connection", 0, &query->connection_id);
    return error;
}

static int export_to(struct cli *cli, const struct export_query *query, int file)
{
    int64_t events;
    int error = audit_export(&cli->call, query, write_out, &file, &events);
    if (error || file == STDOUT_FILENO)
        return error;
    if (fsync(file) != 0)
        return fail(&cli->call, E_UNAVAILABLE, "the output cannot be written: %s", strerror(errno));
    struct answer *answer = answer_new(cli->arena);
    answer_integer(answer, "events", events);
    answer_text(answer, "file", cli_option(cli, "output"));
    return cli_answer(cli, answer, NULL);
}

static int run_export(struct cli *cli)
{
    struct export_query query;
    struct user_row user;
    struct str path = cli_option(cli, "output");
    int error = read_export(cli, &query);
    if (!error)
        error = open_accounts(cli);
    if (!error && cli_has(cli, "user") && !str_to_i64(cli_option(cli, "user"), &query.user_id)) {
        error = person_find(cli, cli_option(cli, "user"), &user);
        query.user_id = error ? 0 : user.id;
    }
    if (error)
        return error;
    cli->call.deadline_ms = clock_monotonic_ms() + LONG_MS;
    if (!path.ptr)
        return export_to(cli, &query, STDOUT_FILENO);
    const char *name = str_copy_cstr(cli->arena, path);
    int file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);
    if (file < 0)
        return fail(&cli->call, E_UNAVAILABLE, "%s cannot be made: %s", name, strerror(errno));
    error = export_to(cli, &query, file);
    close(file);
    return error;
}

/* ---- prune */

static int run_prune(struct cli *cli)
{
    int64_t before_ms, removed;
    int error = time_option(cli, "before", &before_ms);
    if (!error && before_ms > clock_now_ms()) /* a mistyped year would take the whole log */
        error = cli_usage(cli,
                          "--before: \"%.*s\" is still to come, and all events are older; name a time that has "
                          "passed, such as 365d or a date. Nothing was removed",
                          STR_ARG(cli_option(cli, "before")));
    if (!error)
        error = open_accounts(cli);
    cli->call.deadline_ms = clock_monotonic_ms() + LONG_MS;
    if (!error)
        error = retention_prune(&cli->call, before_ms, INT64_MAX, &removed);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_integer(answer, "removed", removed);
    answer_time(answer, "before", before_ms);
    return cli_answer(cli, answer, NULL);
}

static const struct option list_options[] = {
    {.name = "user", .value = "USER", .help = "only of this one: e-mail or id"},
    {.name = "connection", .value = "ID", .help = "only of this one"},
    {.name = "action", .value = "PREFIX", .help = "only actions that begin so: tool., users."},
    {.name = "since", .value = "TIME", .help = "only from then on: 7d, 12h ago, or a date"},
    {.name = "limit", .value = "N", .help = "at most so many; default 100, at most 1000"},
    {.name = "before", .value = "ID", .help = "go on behind a list that ended with this event"},
};
static const struct option verify_options[] = {
    {.name = "checkpoints",
     .value = "FILE",
     .help = "compare with this copy of the checkpoints; without it the file of the settings, if it is there"},
};
static const struct option export_options[] = {
    {.name = "format", .value = "FORMAT", .help = "jsonl (as it is, with the chain) or csv; default jsonl"},
    {.name = "output", .value = "FILE", .help = "into this file, which must not be there; without it to stdout"},
    {.name = "user", .value = "USER", .help = "only of this one: e-mail or id"},
    {.name = "connection", .value = "ID", .help = "only of this one"},
    {.name = "action", .value = "PREFIX", .help = "only actions that begin so: tool., users."},
    {.name = "since", .value = "TIME", .help = "only from then on: 7d, 12h ago, or a date"},
    {.name = "until", .value = "TIME", .help = "only what was before then"},
};
static const struct option prune_options[] = {
    {.name = "before", .value = "TIME", .help = "remove what is older: 365d, or a date", .required = true},
};
static const struct command commands[] = {
    {
        .verb = "list",
        .summary = "Lists events, newest first.",
        .options = list_options,
        .n_options = ARRAY_LENGTH(list_options),
        .example = "porteiro audit list --user ana@example.com --since 7d\nporteiro audit list --action tool. --limit "
                   "20 --json",
        .run = run_list,
    },
    {
        .verb = "verify",
        .summary = "Recomputes the chains of hashes: was an event changed, removed or put in? Exit code 1 if so.",
        .options = verify_options,
        .n_options = ARRAY_LENGTH(verify_options),
        .example = "porteiro audit verify\nporteiro audit verify --checkpoints /mnt/elsewhere/audit-checkpoints.jsonl",
        .run = run_verify,
    },
    {
        .verb = "export",
        .summary = "Writes events as lines of JSON or as CSV, oldest first.",
        .options = export_options,
        .n_options = ARRAY_LENGTH(export_options),
        .example =
            "porteiro audit export --since 30d --output november.jsonl\nporteiro audit export --format csv --user "
            "ana@example.com > ana.csv",
        .run = run_export,
    },
    {
        .verb = "prune",
        .summary = "Removes old events; what is left still verifies. The setting audit_days does it by itself.",
        .options = prune_options,
        .n_options = ARRAY_LENGTH(prune_options),
        .example = "porteiro audit prune --before 365d",
        .run = run_prune,
    },
};
const struct noun audit_noun = {"audit", "the log of who did what", commands, ARRAY_LENGTH(commands)};

/* porteiro audit */
#include "audit/audit.h"

#include "accounts/tokens.h"
#include "cli/open.h"
#include "cli/person.h"

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

/* "7d": so long ago. */
static int since_option(struct cli *cli, int64_t *ret_ms)
{
    struct str text = cli_option(cli, "since");
    int64_t ahead_ms, now = clock_now_ms();
    *ret_ms = 0;
    if (text.ptr == NULL || clock_parse(text, ret_ms))
        return OK;
    if (tokens_parse_expiry(&cli->call, text, &ahead_ms) || ahead_ms == 0)
        return cli_usage(cli, "--since: \"%.*s\" is neither a time such as 7d or 12h nor a date such as 2026-11-22",
                         STR_ARG(text));
    *ret_ms = now - (ahead_ms - now);
    return OK;
}

static int read_query(struct cli *cli, struct audit_query *query)
{
    struct str prefix = cli_option(cli, "action");
    *query = (struct audit_query){.action_prefix = prefix.ptr ? prefix : STR_EMPTY};
    int error = since_option(cli, &query->since_ms);
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

static int run_verify(struct cli *cli)
{
    struct audit_verdict verdict;
    struct str none = {NULL, 0};
    int error = open_accounts(cli);
    if (!error)
        error = audit_verify(&cli->call, &verdict);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_switch(answer, "ok", verdict.ok);
    answer_integer(answer, "rows", verdict.rows);
    answer_integer(answer, "chained", verdict.chained);
    answer_integer(answer, "chains", verdict.chains);
    if (verdict.broken_id)
        answer_integer(answer, "broken_id", verdict.broken_id);
    else
        answer_nested(answer, "broken_id", NULL);
    answer_text(answer, "problem", verdict.ok ? none : verdict.problem);
    error = cli_answer(cli, answer, NULL);
    if (!error && !verdict.ok)
        error = fail(&cli->call, E_CRYPTO, "the audit log was changed: %.*s", STR_ARG(verdict.problem));
    return error;
}

static const struct option list_options[] = {
    {.name = "user", .value = "USER", .help = "only of this one: e-mail or id"},
    {.name = "connection", .value = "ID", .help = "only of this one"},
    {.name = "action", .value = "PREFIX", .help = "only actions that begin so: tool., users."},
    {.name = "since", .value = "TIME", .help = "only from then on: 7d, 12h ago, or a date"},
    {.name = "limit", .value = "N", .help = "at most so many; default 100, at most 1000"},
    {.name = "before", .value = "ID", .help = "go on behind a list that ended with this event"},
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
        .example = "porteiro audit verify",
        .run = run_verify,
    },
};
const struct noun audit_noun = {"audit", "the log of who did what", commands, ARRAY_LENGTH(commands)};

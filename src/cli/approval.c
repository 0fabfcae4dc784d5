/* porteiro approval */
#include "accounts/connections.h"
#include "mcp/confirm.h"

#include "cli/open.h"

static void describe(struct answer *answer, const struct confirmation_row *row)
{
    answer_text(answer, "id", row->id);
    answer_integer(answer, "connection_id", row->connection_id);
    answer_integer(answer, "token_id", row->token_id);
    answer_text(answer, "tool", row->tool);
    answer_text(answer, "what", row->what);
    answer_text(answer, "state", row->state);
    answer_time(answer, "created_at", row->created_at_ms);
    answer_time(answer, "expires_at", row->expires_at_ms);
    answer_time(answer, "decided_at", row->decided_at_ms);
}

static int run_list(struct cli *cli)
{
    struct confirmation_rows rows;
    int error = open_accounts(cli);
    if (!error)
        error = confirm_list(&cli->call, USER_ANY, &rows);
    if (error)
        return error;
    struct answers *list = answers_new(cli->arena);
    for (size_t i = 0; i < rows.count; i++)
        describe(answers_add(list), &rows.items[i]);
    return cli_answer_list(cli, list, "id connection_id tool what state created_at expires_at",
                           "nothing waits for an approval");
}

static int decide(struct cli *cli, bool approve)
{
    struct confirmation_row row;
    int error = open_accounts(cli);
    if (!error)
        error = confirm_decide(&cli->call, USER_ANY, cli->arguments.argument, approve, &row);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    describe(answer, &row);
    return cli_answer(cli, answer, NULL);
}

static int run_approve(struct cli *cli)
{
    return decide(cli, true);
}

static int run_refuse(struct cli *cli)
{
    return decide(cli, false);
}

static const struct command commands[] = {
    {
        .verb = "list",
        .summary = "Lists what tokens with --confirm human want to do and may not without a yes, and what was decided "
                   "within a day.",
        .example = "porteiro approval list",
        .run = run_list,
    },
    {
        .verb = "approve",
        .summary = "Allows it once: the client has to call again with the same arguments.",
        .argument = "ID",
        .argument_help = "as in the list",
        .example = "porteiro approval approve k7m2q9xw4d",
        .run = run_approve,
    },
    {
        .verb = "refuse",
        .summary = "Says no: the client is told so when it asks again.",
        .argument = "ID",
        .argument_help = "as in the list",
        .example = "porteiro approval refuse k7m2q9xw4d",
        .run = run_refuse,
    },
};
const struct noun approval_noun = {"approval", "actions that wait for a person's yes", commands,
                                   ARRAY_LENGTH(commands)};

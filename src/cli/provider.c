/* porteiro provider */
#include "accounts/connections.h"

#include "cli/open.h"
#include "store/providers.h"

static int run_list(struct cli *cli)
{
    struct provider_rows rows;
    int error = open_accounts(cli);
    if (!error)
        error = store_providers_list(&cli->call, &rows);
    if (error)
        return error;
    struct answers *list = answers_new(cli->arena);
    for (size_t i = 0; i < rows.count; i++) {
        struct answer *item = answers_add(list);
        answer_text(item, "key", rows.items[i].key);
        answer_text(item, "name", rows.items[i].name);
        answer_text(item, "version", rows.items[i].version);
        answer_switch(item, "enabled", rows.items[i].enabled);
        answer_switch(item, "known", provider_find(rows.items[i].key) != NULL);
    }
    return cli_answer_list(cli, list, "key name version enabled", "there is no provider");
}

static int set_enabled(struct cli *cli, bool enabled)
{
    int error = open_accounts(cli);
    if (!error)
        error = providers_set_enabled(&cli->call, cli->arguments.argument, enabled);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_text(answer, "key", cli->arguments.argument);
    answer_switch(answer, "enabled", enabled);
    return cli_answer(cli, answer, NULL);
}

static int run_enable(struct cli *cli)
{
    return set_enabled(cli, true);
}

static int run_disable(struct cli *cli)
{
    return set_enabled(cli, false);
}

static const struct command commands[] = {
    {
        .verb = "list",
        .summary = "Lists the kinds of service that can be connected.",
        .example = "porteiro provider list",
        .run = run_list,
    },
    {
        .verb = "enable",
        .summary = "Lets its connections work again.",
        .argument = "KEY",
        .argument_help = "as in the list",
        .example = "porteiro provider enable wordpress",
        .run = run_enable,
    },
    {
        .verb = "disable",
        .summary = "Stops all its connections, at once and for everybody, until it is enabled.",
        .argument = "KEY",
        .argument_help = "as in the list",
        .example = "porteiro provider disable wordpress",
        .run = run_disable,
    },
};
const struct noun provider_noun = {"provider", "kinds of service: what can be connected", commands,
                                   ARRAY_LENGTH(commands)};

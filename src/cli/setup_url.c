/* porteiro setup-url */
#include "accounts/registration.h"

#include "cli/open.h"

static int run(struct cli *cli)
{
    struct str link;
    int error = open_accounts(cli);
    if (!error)
        error = registration_setup_link(&cli->call, &link);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_text(answer, "link", link);
    return cli_answer(cli, answer, "Whoever opens it first becomes the administrator. It is good once, for a day.");
}

static const struct command commands[] = {{
    .summary = "Makes the address at which the first administrator makes an account; an earlier one ends.",
    .example = "porteiro setup-url",
    .run = run,
}};
const struct noun setup_url_noun = {"setup-url", "the first administrator's account", commands, ARRAY_LENGTH(commands)};

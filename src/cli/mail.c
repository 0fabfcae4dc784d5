/* porteiro mail */
#include "accounts/mail.h"

#include "cli/open.h"
#include "net/smtp.h"

static int run_test(struct cli *cli)
{
    struct str language = cli_option(cli, "language");
    const struct mail mail = {.kind = MAIL_TEST,
                              .to = cli->arguments.argument,
                              .name = STR_EMPTY,
                              .language = language.ptr ? language : STR("en"),
                              .link = STR_EMPTY};
    int error = open_database(cli); /* and the loop */
    if (!error)
        error = open_mail(cli);
    if (!error)
        error = mail_send(&cli->call, &mail);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_text(answer, "to", mail.to);
    answer_text(answer, "from", smtp_from());
    answer_switch(answer, "sent", true);
    return cli_answer(cli, answer, NULL);
}

static const struct option test_options[] = {
    {.name = "language", .value = "LANGUAGE", .help = "en (as without it) or pt-BR"},
};
static const struct command commands[] = {{
    .verb = "test",
    .summary = "Sends a test mail, and says what the mail server answered.",
    .argument = "ADDRESS",
    .argument_help = "an e-mail address to send it to",
    .options = test_options,
    .n_options = ARRAY_LENGTH(test_options),
    .example = "porteiro mail test ana@example.com",
    .run = run_test,
}};
const struct noun mail_noun = {"mail", "mail to people", commands, ARRAY_LENGTH(commands)};

/* porteiro token */
#include "accounts/tokens.h"

#include "cli/open.h"

static void describe(struct answer *answer, const struct token_row *token)
{
    answer_integer(answer, "id", token->id);
    answer_integer(answer, "connection_id", token->connection_id);
    answer_words(answer, "sites", token->sites);
    answer_text(answer, "name", token->name);
    answer_text(answer, "last4", token->last4);
    answer_words(answer, "rights", token->rights);
    answer_text(answer, "confirm", token->confirm);
    answer_words(answer, "options", token->options);
    answer_switch(answer, "primary", token->is_primary);
    answer_text(answer, "state", str_from(token_state(token)));
    answer_time(answer, "created_at", token->created_at_ms);
    answer_time(answer, "expires_at", token->expires_at_ms);
    answer_time(answer, "revoked_at", token->revoked_at_ms);
    answer_time(answer, "last_used_at", token->last_used_at_ms);
}

static int connection_option(struct cli *cli, int64_t *ret_id)
{
    return cli_option_number(cli, "connection", 0, ret_id);
}

/* "9" or "9=read,draft" */
static int read_site(struct cli *cli, struct str text, struct token_site *ret)
{
    size_t equals = str_find_char(text, '=');
    if (!str_to_i64(str_sub(text, 0, equals), &ret->connection_id) || ret->connection_id <= 0)
        return cli_usage(cli, "--connection: \"%.*s\" is not ID or ID=RIGHTS", STR_ARG(text));
    return equals == STR_NOT_FOUND ? OK : rights_parse(&cli->call, str_from_offset(text, equals + 1), &ret->rights);
}

/* The first --connection is the token's own, whose rights are the token's; the others follow. */
static int read_connections(struct cli *cli, int64_t *ret_own, struct token_new *token)
{
    struct token_site *sites = arena_array_of(cli->arena, struct token_site, ARGUMENTS_MAX);
    size_t count = 0;
    for (size_t i = 0; i < cli->arguments.n_options; i++) {
        const struct given_option *option = &cli->arguments.options[i];
        if (!str_eq(option->name, STR("connection")))
            continue;
        int error = read_site(cli, option->value, &sites[count++]);
        if (error)
            return error;
    }
    if (sites[0].rights && cli_has(cli, "rights"))
        return cli_usage(cli, "the rights of the first connection are those of --rights");
    if (sites[0].rights)
        token->rights = sites[0].rights;
    *ret_own = sites[0].connection_id;
    token->sites = sites + 1;
    token->n_sites = count - 1;
    return OK;
}

static int run_add(struct cli *cli)
{
    struct token_new token = {.name = cli_option(cli, "name"), .rights = RIGHTS_DEFAULT};
    struct token_made made;
    int64_t connection_id;
    char rights[RIGHTS_TEXT_BYTES], options[TOKEN_OPTIONS_TEXT_BYTES];
    int error = read_connections(cli, &connection_id, &token);
    if (!error && cli_has(cli, "rights"))
        error = rights_parse(&cli->call, cli_option(cli, "rights"), &token.rights);
    if (!error && cli_has(cli, "confirm"))
        error = confirm_parse(&cli->call, cli_option(cli, "confirm"), &token.confirm);
    if (!error && cli_has(cli, "options"))
        error = token_options_parse(&cli->call, cli_option(cli, "options"), &token.options);
    if (!error && cli_has(cli, "expires"))
        error = tokens_parse_expiry(&cli->call, cli_option(cli, "expires"), &token.expires_at_ms);
    if (!error)
        error = open_accounts(cli);
    if (!error)
        error = tokens_add(&cli->call, USER_ANY, connection_id, &token, &made);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_integer(answer, "id", made.token_id);
    answer_text(answer, "token", made.token);
    answer_text(answer, "last4", made.last4);
    answer_integer(answer, "connection_id", made.connection_id);
    answer_text(answer, "sites", made.sites.len ? made.sites : (struct str){NULL, 0});
    answer_words(answer, "rights", str_copy(cli->arena, rights_format(token.rights | RIGHT_READ, rights)));
    answer_text(answer, "confirm", confirm_format(token.confirm));
    answer_words(answer, "options", str_copy(cli->arena, token_options_format(token.options, options)));
    answer_time(answer, "expires_at", token.expires_at_ms);
    return cli_answer(cli, answer, "The token is shown this once.");
}

static int run_list(struct cli *cli)
{
    struct token_rows rows;
    int64_t connection_id;
    int error = connection_option(cli, &connection_id);
    if (!error)
        error = open_accounts(cli);
    if (!error)
        error = tokens_list(&cli->call, USER_ANY, connection_id, &rows);
    if (error)
        return error;
    struct answers *list = answers_new(cli->arena);
    for (size_t i = 0; i < rows.count; i++)
        describe(answers_add(list), &rows.items[i]);
    return cli_answer_list(cli, list, "id connection_id sites name last4 rights state expires_at last_used_at",
                           "there is no token");
}

static int run_revoke(struct cli *cli)
{
    int64_t id;
    int error = cli_argument_id(cli, &id);
    if (!error)
        error = open_accounts(cli);
    if (!error)
        error = tokens_revoke(&cli->call, USER_ANY, id);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_integer(answer, "id", id);
    answer_switch(answer, "revoked", true);
    return cli_answer(cli, answer, NULL);
}

static const struct option add_options[] = {
    {.name = "connection",
     .value = "ID[=RIGHTS]",
     .help =
         "what it is for; several times: the token is for all of them, and its tools take the argument site. RIGHTS: "
         "of this one, else those of --rights",
     .required = true,
     .many = true},
    {.name = "name", .value = "NAME", .help = "to tell it from others: the client that will have it"},
    {.name = "rights", .value = "RIGHTS", .help = "of read,draft,publish,delete,fetch,admin; default read,draft"},
    {.name = "confirm",
     .value = "WHO",
     .help = "who agrees: none or model (only to what cannot be taken back: the client's person, or the model after a "
             "preview), human (also to what others see or miss: porteiro approval); default none"},
    {.name = "expires", .value = "TIME", .help = "when it ends: 90d, 12h, never; default never"},
    {.name = "options",
     .value = "WORDS",
     .help = "what else its client is offered: research (the tools search and fetch, for ChatGPT's deep research), "
             "structured (structuredContent beside the text of answers); "
             "default none"},
};
static const struct option list_options[] = {
    {.name = "connection", .value = "ID", .help = "only of this one"},
};
static const struct command commands[] = {
    {
        .verb = "add",
        .summary = "Makes a further token for a connection, and shows it this once.",
        .options = add_options,
        .n_options = ARRAY_LENGTH(add_options),
        .example = "porteiro token add --connection 7 --name laptop --rights read --expires 90d\n"
                   "porteiro token add --connection 7 --connection 9=read --name agency",
        .run = run_add,
    },
    {
        .verb = "list",
        .summary = "Lists tokens by their last four characters.",
        .options = list_options,
        .n_options = ARRAY_LENGTH(list_options),
        .example = "porteiro token list --connection 7",
        .run = run_list,
    },
    {
        .verb = "revoke",
        .summary = "Ends a token at once and for good.",
        .argument = "ID",
        .argument_help = "as in the list",
        .example = "porteiro token revoke 12",
        .run = run_revoke,
    },
};
const struct noun token_noun = {"token", "bearer tokens, which AI clients use", commands, ARRAY_LENGTH(commands)};

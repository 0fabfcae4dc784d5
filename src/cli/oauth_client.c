/* porteiro oauth-client */
#include "cli/open.h"
#include "json/json.h"
#include "oauth/clients.h"
#include "oauth/redirect.h"
#include "store/connections.h"

/* The array of a row as words: no address that is taken has a comma in its host, and one behind it is written %2C here. */
static struct str redirect_words(struct cli *cli, const struct oauth_client_row *row)
{
    const struct json *list;
    struct str words = STR_EMPTY;
    if (json_parse(cli->arena, row->redirect_uris, NULL, &list, NULL) != OK)
        return words;
    for (size_t i = 0; i < json_count(list); i++)
        words = str_format(cli->arena, "%.*s%s%.*s", STR_ARG(words), i ? "," : "", STR_ARG(json_str(json_at(list, i))));
    return words;
}

static void describe(struct cli *cli, struct answer *answer, const struct oauth_client_row *row)
{
    bool is_standing = row->connection_id != 0;
    answer_text(answer, "client_id", row->id);
    answer_text(answer, "name", row->name);
    answer_text(answer, "method", row->auth_method);
    answer_words(answer, "redirects", redirect_words(cli, row));
    answer_text(answer, "connection",
                is_standing ? str_format(cli->arena, "%lld", (long long)row->connection_id) : (struct str){NULL, 0});
    answer_words(answer, "rights", is_standing ? row->rights : STR_EMPTY);
    answer_time(answer, "created_at", row->created_at_ms);
    answer_time(answer, "used_at", row->used_at_ms);
}

static int run_add(struct cli *cli)
{
    struct str redirects[REDIRECTS_MAX + 1], secret;
    struct client_new new = {.name = cli_option(cli, "name"),
                             .redirect_uris = redirects,
                             .is_public = cli_has(cli, "public"),
                             .made_by = USER_ANY};
    struct oauth_client_row made;
    int error = cli_option_number(cli, "connection", 0, &new.connection_id);
    for (size_t i = 0; i < cli->arguments.n_options && new.n_redirect_uris <= REDIRECTS_MAX; i++)
        if (str_eq(cli->arguments.options[i].name, STR("redirect")))
            redirects[new.n_redirect_uris++] = cli->arguments.options[i].value;
    if (!error && cli_has(cli, "rights") && !new.connection_id)
        return cli_usage(cli, "--rights is for --connection; of other clients each person chooses");
    if (!error && cli_has(cli, "rights"))
        error = rights_parse(&cli->call, cli_option(cli, "rights"), &new.rights);
    if (!error)
        error = open_accounts(cli);
    if (!error)
        error = clients_add(&cli->call, &new, &made, &secret);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    describe(cli, answer, &made);
    answer_text(answer, "client_secret", secret.len ? secret : (struct str){NULL, 0});
    return cli_answer(cli, answer, secret.len ? "The secret is shown this once." : NULL);
}

static int run_list(struct cli *cli)
{
    struct oauth_client_rows rows;
    int error = open_accounts(cli);
    if (!error)
        error = clients_list(&cli->call, &rows);
    if (error)
        return error;
    struct answers *list = answers_new(cli->arena);
    for (size_t i = 0; i < rows.count; i++)
        describe(cli, answers_add(list), &rows.items[i]);
    return cli_answer_list(cli, list, "client_id name method redirects connection rights used_at",
                           "there is no such client; others register themselves");
}

static int run_delete(struct cli *cli)
{
    int error = open_accounts(cli);
    if (!error)
        error = clients_delete(&cli->call, cli->arguments.argument, 0);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_text(answer, "client_id", cli->arguments.argument);
    answer_switch(answer, "deleted", true);
    return cli_answer(cli, answer, NULL);
}

static const struct option add_options[] = {
    {.name = "name", .value = "NAME", .help = "what people read when it asks them", .required = true},
    {.name = "redirect",
     .value = "ADDRESS",
     .help =
         "where people are sent back to: https://..., or http:// on 127.0.0.1, [::1], localhost (any port); several "
         "times",
     .many = true},
    {.name = "public", .help = "without a secret: a program that runs where others can read it"},
    {.name = "connection",
     .value = "ID",
     .help = "instead of asking people: client credentials for this connection, for n8n and CI"},
    {.name = "rights", .value = "RIGHTS", .help = "then, of read,draft,publish,delete,fetch,admin; default read,draft"},
};
static const struct command commands[] = {
    {
        .verb = "add",
        .summary = "Makes a client for OAuth, and shows its secret this once.",
        .options = add_options,
        .n_options = ARRAY_LENGTH(add_options),
        .example = "porteiro oauth-client add --name n8n --redirect "
                   "https://n8n.example/rest/oauth2-credential/callback\n"
                   "porteiro oauth-client add --name CI --connection 7 --rights read",
        .run = run_add,
    },
    {
        .verb = "list",
        .summary = "Lists clients that an administrator made.",
        .example = "porteiro oauth-client list",
        .run = run_list,
    },
    {
        .verb = "delete",
        .summary = "Deletes a client; everything it was let in to ends at once.",
        .argument = "CLIENT",
        .argument_help = "its id, as in the list",
        .example = "porteiro oauth-client delete prc_abcdefghjkmnpqrstuvwxyz2",
        .run = run_delete,
    },
};
const struct noun oauth_client_noun = {"oauth-client", "programs that may ask people for access, made by hand",
                                       commands, ARRAY_LENGTH(commands)};

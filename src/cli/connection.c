/* porteiro connection */
#include "accounts/connect.h"

#include "cli/connection_import.h"
#include "cli/fields.h"
#include "cli/open.h"
#include "cli/person.h"
#include "cli/connection_state.h"
#include "cli/secret.h"

static const struct str none = {NULL, 0};

static struct str or_null(struct str text)
{
    return text.len ? text : none;
}

/* ---- what it says */

static void describe_check(struct answer *answer, const struct check_row *check)
{
    answer_switch(answer, "ok", check->ok);
    answer_time(answer, "checked_at", check->checked_at_ms);
    answer_integer(answer, "latency_ms", check->latency_ms);
    answer_text(answer, "site", or_null(check->site_name));
    answer_text(answer, "version", or_null(check->site_version));
    answer_text(answer, "user", or_null(check->site_user));
    answer_text(answer, "role", or_null(check->site_role));
    answer_text(answer, "error", or_null(check->error_code));
    answer_text(answer, "message", or_null(check->error_text));
}

static void describe(struct cli *cli, struct answer *answer, const struct connection_row *row)
{
    struct answer *check = row->check.found ? answer_new(cli->arena) : NULL;
    answer_integer(answer, "id", row->id);
    answer_text(answer, "name", row->name);
    answer_text(answer, "provider", row->provider_key);
    answer_integer(answer, "user_id", row->user_id);
    answer_text(answer, "user", row->user_email);
    answer_text(answer, "status", row->status);
    answer_text(answer, "address", connect_address(cli->arena, provider_find(row->provider_key), row->config_json));
    answer_text(answer, "last4", or_null(row->token_last4));
    answer_time(answer, "created_at", row->created_at_ms);
    answer_time(answer, "updated_at", row->updated_at_ms);
    if (check)
        describe_check(check, &row->check);
    answer_nested(answer, "check", check);
}

static struct answer *found(struct cli *cli, const struct site_check *check)
{
    struct answer *answer = answer_new(cli->arena);
    answer_text(answer, "site", or_null(check->site_name));
    answer_text(answer, "version", or_null(check->site_version));
    answer_text(answer, "user", or_null(check->site_user));
    answer_text(answer, "role", or_null(check->site_role));
    answer_integer(answer, "latency_ms", check->latency_ms);
    return answer;
}

/* ---- add */

static int answer_added(struct cli *cli, const struct connection_new *new, const struct token_made *made,
                        const struct site_check *check)
{
    char rights[RIGHTS_TEXT_BYTES];
    struct answer *answer = answer_new(cli->arena);
    struct str url = config_text(cli->config, SETTING_PUBLIC_URL);
    const struct provider *provider = provider_find(new->provider_key);
    answer_integer(answer, "id", made->connection_id);
    answer_text(answer, "token", made->token);
    answer_text(answer, "last4", made->last4);
    answer_integer(answer, "token_id", made->token_id);
    answer_text(answer, "name", new->name);
    answer_text(answer, "provider", new->provider_key);
    answer_text(answer, "address", connect_address(cli->arena, provider, new->config_json));
    answer_words(answer, "rights", str_copy(cli->arena, rights_format(new->token.rights | RIGHT_READ, rights)));
    answer_nested(answer, "found", found(cli, check));
    answer_text(answer, "warning", or_null(check->warning));
    struct str hint =
        str_format(cli->arena,
                   "The token is shown this once. For Claude Code, for example:\n"
                   "  claude mcp add --transport http porteiro %.*s/mcp --header \"Authorization: Bearer %.*s\"",
                   STR_ARG(url), STR_ARG(made->token));
    return cli_answer(cli, answer, str_copy_cstr(cli->arena, hint));
}

static int read_add(struct cli *cli, struct connection_new *new, const struct provider **ret_provider)
{
    *new = (struct connection_new){.provider_key = cli_option(cli, "provider"),
                                   .name = cli_option(cli, "name"),
                                   .token = {.name = STR_EMPTY, .rights = RIGHTS_DEFAULT}};
    int error = connect_provider(&cli->call, new->provider_key, ret_provider);
    cli->usage_error = error != OK;
    if (!error && cli_has(cli, "rights"))
        error = rights_parse(&cli->call, cli_option(cli, "rights"), &new->token.rights);
    if (!error && cli_has(cli, "confirm"))
        error = confirm_parse(&cli->call, cli_option(cli, "confirm"), &new->token.confirm);
    if (!error && cli_has(cli, "options"))
        error = token_options_parse(&cli->call, cli_option(cli, "options"), &new->token.options);
    if (!error && cli_has(cli, "expires"))
        error = tokens_parse_expiry(&cli->call, cli_option(cli, "expires"), &new->token.expires_at_ms);
    if (!error)
        error = fields_read(cli, *ret_provider, STR_EMPTY, &new->config_json, &new->secret_json);
    return error;
}

static int run_add(struct cli *cli)
{
    const struct provider *provider;
    struct connection_new new;
    struct user_row user;
    struct token_made made;
    struct site_check check;
    int error = read_add(cli, &new, &provider);
    if (!error)
        error = open_accounts(cli);
    if (!error)
        error = open_client(cli);
    if (!error)
        error = person_find(cli, cli_option(cli, "user"), &user);
    if (error)
        return error;
    new.user_id = user.id;
    cli_note(cli, "looking at the %.*s site ...", STR_ARG(provider->name));
    error = connect_add(&cli->call, &new, &check, &made);
    return error ? error : answer_added(cli, &new, &made, &check);
}

/* ---- looking */

static int run_list(struct cli *cli)
{
    struct connection_rows rows;
    struct user_row user = {.id = USER_ANY};
    int error = open_accounts(cli);
    if (!error && cli_has(cli, "user"))
        error = person_find(cli, cli_option(cli, "user"), &user);
    if (!error)
        error = connections_list(&cli->call, user.id, &rows);
    if (error)
        return error;
    struct answers *list = answers_new(cli->arena);
    for (size_t i = 0; i < rows.count; i++)
        describe(cli, answers_add(list), &rows.items[i]);
    return cli_answer_list(cli, list, "id name provider user status address last4 created_at",
                           "there is no connection yet; porteiro connection add makes one");
}

static int run_show(struct cli *cli)
{
    struct connection_row row;
    int64_t id;
    int error = cli_argument_id(cli, &id);
    if (!error)
        error = open_accounts(cli);
    if (!error)
        error = connections_show(&cli->call, USER_ANY, id, &row);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    describe(cli, answer, &row);
    answer_json(answer, "config", row.config_json);
    return cli_answer(cli, answer, NULL);
}

/* ---- looking at the service again */

static int open_one(struct cli *cli, int64_t *ret_id, struct connection_row *ret_row,
                    const struct provider **ret_provider)
{
    int error = cli_argument_id(cli, ret_id);
    if (!error)
        error = open_accounts(cli);
    if (!error)
        error = open_client(cli);
    if (!error)
        error = connections_show(&cli->call, USER_ANY, *ret_id, ret_row);
    if (error)
        return error;
    *ret_provider = provider_find(ret_row->provider_key);
    return *ret_provider ? OK
                         : fail(&cli->call, E_NOT_FOUND, "this program does not know the provider \"%.*s\"",
                                STR_ARG(ret_row->provider_key));
}

static int run_test(struct cli *cli)
{
    const struct provider *provider;
    struct connection_row row;
    struct site_check check;
    int64_t id;
    int error = open_one(cli, &id, &row, &provider);
    if (!error)
        error = connect_test(&cli->call, USER_ANY, id, &check);
    if (error)
        return error;
    if (!check.ok) {
        fail_detail(&cli->call, "%.*s", STR_ARG(check.error_code));
        return fail(&cli->call, E_UPSTREAM, "%.*s", STR_ARG(check.error_text));
    }
    struct answer *answer = answer_new(cli->arena);
    answer_integer(answer, "id", id);
    answer_switch(answer, "ok", true);
    answer_nested(answer, "found", found(cli, &check));
    answer_text(answer, "warning", or_null(check.warning));
    return cli_answer(cli, answer, NULL);
}

static int run_set_secret(struct cli *cli)
{
    const struct provider *provider;
    struct connection_row row;
    struct str config, secret;
    struct site_check check;
    int64_t id;
    int error = open_one(cli, &id, &row, &provider);
    if (!error)
        error = fields_read(cli, provider, row.config_json, &config, &secret);
    if (error)
        return error;
    cli_note(cli, "looking at the %.*s site ...", STR_ARG(provider->name));
    error = connect_set_secret(&cli->call, USER_ANY, id, config, secret, &check);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_integer(answer, "id", id);
    answer_switch(answer, "ok", true);
    answer_nested(answer, "found", found(cli, &check));
    answer_text(answer, "warning", or_null(check.warning));
    return cli_answer(cli, answer, NULL);
}

/* ---- changing */

static int run_rotate_token(struct cli *cli)
{
    struct token_made made;
    int64_t id;
    int error = cli_argument_id(cli, &id);
    if (!error)
        error = open_accounts(cli);
    if (!error)
        error = connections_rotate_token(&cli->call, USER_ANY, id, &made);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_integer(answer, "id", id);
    answer_text(answer, "token", made.token);
    answer_text(answer, "last4", made.last4);
    answer_integer(answer, "token_id", made.token_id);
    return cli_answer(cli, answer, "The token is shown this once; the one before has ended.");
}

static int set_status(struct cli *cli, int set(struct call *, int64_t, int64_t))
{
    struct connection_row row;
    int64_t id;
    int error = cli_argument_id(cli, &id);
    if (!error)
        error = open_accounts(cli);
    if (!error)
        error = set(&cli->call, USER_ANY, id);
    if (!error)
        error = connections_show(&cli->call, USER_ANY, id, &row);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_integer(answer, "id", id);
    answer_text(answer, "status", row.status);
    return cli_answer(cli, answer, NULL);
}

static int run_pause(struct cli *cli)
{
    return set_status(cli, connections_pause);
}

static int run_resume(struct cli *cli)
{
    return set_status(cli, connections_resume);
}

static int run_revoke(struct cli *cli)
{
    if (!secret_confirm(cli, "Revoke this connection and all its tokens for good?"))
        return fail(&cli->call, E_CANCELLED, "nothing was revoked");
    return set_status(cli, connections_revoke);
}

static int run_delete(struct cli *cli)
{
    int64_t id;
    int error = cli_argument_id(cli, &id);
    if (!error && !secret_confirm(cli, "Delete this connection and all its tokens?"))
        error = fail(&cli->call, E_CANCELLED, "nothing was deleted");
    if (!error)
        error = open_accounts(cli);
    if (!error)
        error = connections_delete(&cli->call, USER_ANY, id);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_integer(answer, "id", id);
    answer_switch(answer, "deleted", true);
    return cli_answer(cli, answer, NULL);
}

/* ---- the table */

static const struct option add_options[] = {
    {.name = "user", .value = "USER", .help = "whose it will be: e-mail or id", .required = true},
    {.name = "provider", .value = "KEY", .help = "the kind of service: porteiro provider list", .required = true},
    {.name = "name", .value = "NAME", .help = "how it is called", .required = true},
    {.name = "confirm", .value = "WHO", .help = "of the primary token: none, model or human; see porteiro token add"},
    {.name = "rights",
     .value = "RIGHTS",
     .help = "the token's, of read,draft,publish,delete,fetch,admin; default read,draft"},
    {.name = "expires", .value = "TIME", .help = "when the token ends: 90d, 12h, never; default never"},
    {.name = "options", .value = "WORDS", .help = "of the primary token: research, structured; see porteiro token add"},
    SECRET_OPTIONS("secret"),
};
static const struct option list_options[] = {
    {.name = "user", .value = "USER", .help = "only of this one: e-mail or id"},
};
static const struct option secret_options[] = {
    SECRET_OPTIONS("secret"),
};
static const struct option import_options[] = {
    {.name = "user", .value = "USER", .help = "whose they will be: e-mail or id", .required = true},
    {.name = "provider", .value = "KEY", .help = "the kind of service; default wordpress"},
};
static const struct option state_options[] = {
    {.name = "pair", .help = "begin a log-in there if it is needed: shows its QR code or pairing code"},
    {.name = "register-webhook", .help = "tell the service where to send what comes in"},
};
#define ID_ARGUMENT .argument = "ID", .argument_help = "as in the list"

static const struct command commands[] = {
    {
        .verb = "add",
        .summary = "Connects a service: proves that the password works, seals it, and shows the token this once.",
        .options = add_options,
        .n_options = ARRAY_LENGTH(add_options),
        .more_options = fields_option,
        .example = "porteiro connection add --user ana@example.com --provider wordpress --name blog "
                   "--url https://blog.example.com --username ana",
        .run = run_add,
    },
    {
        .verb = "import",
        .summary = "Connects a whole table of sites, each row with its own result; shows the tokens this once.",
        .argument = "FILE.csv",
        .argument_help = "its first line names the columns: url,username,app_password and perhaps name,rights,confirm,"
                         "expires; - for standard input",
        .options = import_options,
        .n_options = ARRAY_LENGTH(import_options),
        .example = "porteiro connection import sites.csv --user ana@example.com",
        .run = connection_import,
    },
    {
        .verb = "list",
        .summary = "Lists connections.",
        .options = list_options,
        .n_options = ARRAY_LENGTH(list_options),
        .example = "porteiro connection list --user ana@example.com",
        .run = run_list,
    },
    {
        .verb = "show",
        .summary = "Shows one, with what its last check found.",
        ID_ARGUMENT,
        .example = "porteiro connection show 7",
        .run = run_show,
    },
    {
        .verb = "test",
        .summary = "Looks whether the service is there and still takes the password, and records it.",
        ID_ARGUMENT,
        .example = "porteiro connection test 7",
        .run = run_test,
    },
    {
        .verb = "state",
        .summary =
            "Tells whether the service's side is up (a telephone that is linked, a number in order), and where its "
            "webhook goes.",
        ID_ARGUMENT,
        .options = state_options,
        .n_options = ARRAY_LENGTH(state_options),
        .example = "porteiro connection state 7 --pair",
        .run = connection_state,
    },
    {
        .verb = "set-secret",
        .summary = "Stores a new password, after proving it; ends the status \"error\".",
        ID_ARGUMENT,
        .options = secret_options,
        .n_options = ARRAY_LENGTH(secret_options),
        .more_options = fields_option,
        .example = "porteiro connection set-secret 7 --username ana",
        .run = run_set_secret,
    },
    {
        .verb = "rotate-token",
        .summary = "Makes a new primary token, shows it this once, and ends the old one; other tokens go on.",
        ID_ARGUMENT,
        .example = "porteiro connection rotate-token 7",
        .run = run_rotate_token,
    },
    {
        .verb = "pause",
        .summary = "Lets all its tokens rest until resume.",
        ID_ARGUMENT,
        .example = "porteiro connection pause 7",
        .run = run_pause,
    },
    {
        .verb = "resume",
        .summary = "Ends a pause.",
        ID_ARGUMENT,
        .example = "porteiro connection resume 7",
        .run = run_resume,
    },
    {
        .verb = "revoke",
        .summary = "Ends it and its tokens for good; it stays in the list.",
        ID_ARGUMENT,
        .example = "porteiro connection revoke 7",
        .run = run_revoke,
    },
    {
        .verb = "delete",
        .summary = "Removes it with its tokens and its sealed password.",
        ID_ARGUMENT,
        .example = "porteiro connection delete 7",
        .run = run_delete,
    },
};
const struct noun connection_noun = {"connection", "people's connected services", commands, ARRAY_LENGTH(commands)};

/* porteiro user */
#include "accounts/login.h"
#include "accounts/registration.h"

#include "cli/open.h"
#include "cli/person.h"
#include "cli/secret.h"

static void describe(struct answer *answer, const struct user_row *user)
{
    answer_integer(answer, "id", user->id);
    answer_text(answer, "name", user->name);
    answer_text(answer, "email", user->email);
    answer_text(answer, "phone", user->phone);
    answer_time(answer, "created_at", user->created_at_ms);
}

static int run_add(struct cli *cli)
{
    struct user_new user = {.name = cli_option(cli, "name"),
                            .email = cli_option(cli, "email"),
                            .phone = cli_option(cli, "phone"),
                            .is_admin = cli_has(cli, "admin")};
    struct user_row made;
    int64_t id;
    int error = secret_read(cli, "password", "Password for the new account", true, &user.password);
    if (!error)
        error = open_accounts(cli);
    if (!error)
        error = users_add(&cli->call, &user, &id);
    if (!error)
        error = store_users_by_id(&cli->call, id, &made);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    describe(answer, &made);
    struct str next =
        str_format(cli->arena,
                   "Next, connect a site:\n  porteiro connection add --user %.*s --provider wordpress --name NAME "
                   "--url https://SITE --username USER",
                   STR_ARG(made.email));
    return cli_answer(cli, answer, str_copy_cstr(cli->arena, next));
}

static int run_list(struct cli *cli)
{
    struct user_rows rows;
    int error = open_accounts(cli);
    if (!error)
        error = users_list(&cli->call, &rows);
    if (error)
        return error;
    struct answers *list = answers_new(cli->arena);
    for (size_t i = 0; i < rows.count; i++)
        describe(answers_add(list), &rows.items[i]);
    return cli_answer_list(cli, list, "id name email phone created_at",
                           "there is no user yet; porteiro user add makes one");
}

/* USER as the argument, or --email. */
static int find_named(struct cli *cli, struct user_row *ret)
{
    struct str named = cli->arguments.argument.ptr ? cli->arguments.argument : cli_option(cli, "email");
    if (!named.ptr || (cli->arguments.argument.ptr && cli_has(cli, "email")))
        return cli_usage(cli, "name one user: an e-mail or an id, or --email E-MAIL");
    return person_find(cli, named, ret);
}

static int run_passwd(struct cli *cli)
{
    struct user_row user;
    struct str password;
    int error = secret_read(cli, "password", "New password", true, &password);
    if (!error)
        error = open_accounts(cli);
    if (!error)
        error = find_named(cli, &user);
    if (!error)
        error = users_set_password(&cli->call, user.id, password, STR_EMPTY);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_integer(answer, "id", user.id);
    answer_text(answer, "email", user.email);
    answer_switch(answer, "changed", true);
    return cli_answer(cli, answer, NULL);
}

static int run_delete(struct cli *cli)
{
    struct user_row user;
    int error = open_accounts(cli);
    if (!error)
        error = find_named(cli, &user);
    if (error)
        return error;
    struct str question = str_format(cli->arena, "Delete %.*s with all connections and tokens?", STR_ARG(user.email));
    if (!secret_confirm(cli, str_copy_cstr(cli->arena, question)))
        return fail(&cli->call, E_CANCELLED, "nothing was deleted");
    error = users_delete(&cli->call, user.id);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_integer(answer, "id", user.id);
    answer_text(answer, "email", user.email);
    answer_switch(answer, "deleted", true);
    return cli_answer(cli, answer, NULL);
}

static int run_check(struct cli *cli)
{
    struct login_proof proof = {.who = cli_option(cli, "email"), .needs_no_code = true};
    struct user_row user;
    int error = secret_read(cli, "password", "Password", false, &proof.password);
    if (!error)
        error = open_accounts(cli);
    if (!error)
        error = login_check(&cli->call, &proof, &user);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_switch(answer, "ok", true);
    answer_integer(answer, "id", user.id);
    return cli_answer(cli, answer, NULL);
}

static int answer_link(struct cli *cli, struct str link)
{
    struct answer *answer = answer_new(cli->arena);
    answer_text(answer, "link", link);
    return cli_answer(cli, answer, "The link is shown this once, and good once.");
}

static int run_invite(struct cli *cli)
{
    struct str email = cli_option(cli, "email"), id, link;
    int error = open_accounts(cli);
    if (!error)
        error = registration_invite(&cli->call, 0, email.ptr ? email : STR_EMPTY, &id, &link);
    return error ? error : answer_link(cli, link);
}

static int run_reset_link(struct cli *cli)
{
    struct user_row user;
    struct str link;
    int error = open_accounts(cli);
    if (!error)
        error = find_named(cli, &user);
    if (!error)
        error = registration_reset_link(&cli->call, user.email, &link);
    return error ? error : answer_link(cli, link);
}

static int run_confirm(struct cli *cli)
{
    struct user_row user;
    int error = open_accounts(cli);
    if (!error)
        error = find_named(cli, &user);
    if (!error)
        error = users_confirm_email(&cli->call, user.id, user.email);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_integer(answer, "id", user.id);
    answer_text(answer, "email", user.email);
    answer_switch(answer, "confirmed", true);
    return cli_answer(cli, answer, NULL);
}

static const struct option invite_options[] = {
    {.name = "email", .value = "E-MAIL", .help = "only for this address; without it for whoever has the link"},
};
static const struct option add_options[] = {
    {.name = "name", .value = "NAME", .help = "how the person is called", .required = true},
    {.name = "email", .value = "E-MAIL", .help = "what the person logs in with", .required = true},
    {.name = "phone", .value = "PHONE", .help = "with country code: +55 11 99999-0000", .required = true},
    {.name = "admin", .help = "may see all users, and turn providers on and off"},
    SECRET_OPTIONS("password"),
};
static const struct option passwd_options[] = {
    {.name = "email", .value = "E-MAIL", .help = "instead of USER"},
    SECRET_OPTIONS("password"),
};
static const struct option delete_options[] = {
    {.name = "email", .value = "E-MAIL", .help = "instead of USER"},
};
static const struct option check_options[] = {
    {.name = "email", .value = "E-MAIL", .help = "whose password it should be", .required = true},
    SECRET_OPTIONS("password"),
};

static const struct command commands[] = {
    {
        .verb = "add",
        .summary = "Makes an account.",
        .options = add_options,
        .n_options = ARRAY_LENGTH(add_options),
        .example = "porteiro user add --name Ana --email ana@example.com --phone +5511999990000",
        .run = run_add,
    },
    {
        .verb = "list",
        .summary = "Lists the accounts.",
        .example = "porteiro user list --json",
        .run = run_list,
    },
    {
        .verb = "passwd",
        .summary = "Sets a new password.",
        .argument = "[USER]",
        .argument_help = "e-mail or id",
        .options = passwd_options,
        .n_options = ARRAY_LENGTH(passwd_options),
        .example = "porteiro user passwd ana@example.com",
        .run = run_passwd,
    },
    {
        .verb = "delete",
        .summary = "Deletes an account with its connections and tokens; the audit stays.",
        .argument = "[USER]",
        .argument_help = "e-mail or id; at a terminal you are asked to confirm",
        .options = delete_options,
        .n_options = ARRAY_LENGTH(delete_options),
        .example = "porteiro user delete ana@example.com",
        .run = run_delete,
    },
    {
        .verb = "invite",
        .summary = "Makes a link with which somebody can make an account, within a week.",
        .options = invite_options,
        .n_options = ARRAY_LENGTH(invite_options),
        .example = "porteiro user invite --email bia@example.com",
        .run = run_invite,
    },
    {
        .verb = "reset-link",
        .summary = "Makes a link with which somebody can set a new password, within 30 minutes.",
        .argument = "[USER]",
        .argument_help = "e-mail or id",
        .options = delete_options,
        .n_options = ARRAY_LENGTH(delete_options),
        .example = "porteiro user reset-link ana@example.com",
        .run = run_reset_link,
    },
    {
        .verb = "confirm",
        .summary =
            "Says that the e-mail address is this person's, as the link of a mail would: you have made sure of it.",
        .argument = "[USER]",
        .argument_help = "e-mail or id",
        .options = delete_options,
        .n_options = ARRAY_LENGTH(delete_options),
        .example = "porteiro user confirm ana@example.com",
        .run = run_confirm,
    },
    {
        .verb = "check",
        .summary = "Tells whether a password is right, by the same code as a login.",
        .options = check_options,
        .n_options = ARRAY_LENGTH(check_options),
        .example = "porteiro user check --email ana@example.com",
        .run = run_check,
    },
};
const struct noun user_noun = {"user", "people with an account", commands, ARRAY_LENGTH(commands)};

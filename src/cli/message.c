/* porteiro message: one person's data, what was sent, and who wants nothing any more. */
#include "accounts/connections.h"
#include "cli/open.h"
#include "cli/secret.h"
#include "messages/messages.h"
#include "store/messages.h"
#include "store/sends.h"

enum { EXPORT_BYTES_MAX = 16 * 1024 * 1024, SENDS_SHOWN = 100 };

/* The person as conversations name it: by the first provider that has any. */
static int read_person(struct cli *cli, struct str *ret)
{
    struct str typed = cli_option(cli, "person");
    for (size_t i = 0; i < provider_count(); i++)
        if (provider_at(i)->person)
            return provider_at(i)->person(&cli->call, typed, ret);
    return fail(&cli->call, E_INVALID, "no provider of this program has conversations");
}

static int run_export(struct cli *cli)
{
    struct str person;
    struct buf out;
    int64_t connection;
    int error = read_person(cli, &person);
    if (!error)
        error = cli_option_number(cli, "connection", 0, &connection);
    if (!error)
        error = open_accounts(cli);
    buf_init(&out, cli->arena, EXPORT_BYTES_MAX);
    if (!error)
        error = person_export(&cli->call, USER_ANY, connection, person, &out);
    if (!error)
        buf_add_char(&out, '\n');
    return error ? error : cli_print(cli, buf_str(&out));
}

static int run_erase(struct cli *cli)
{
    struct person_counts counts;
    struct str person;
    int64_t connection;
    int error = read_person(cli, &person);
    if (!error)
        error = cli_option_number(cli, "connection", 0, &connection);
    if (!error && !secret_confirm(cli, "Erase everything that is kept of this person?"))
        return fail(&cli->call, E_CANCELLED, "nothing was erased");
    if (!error)
        error = open_accounts(cli);
    if (!error)
        error = person_erase(&cli->call, USER_ANY, connection, person, &counts);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_integer(answer, "messages", counts.messages);
    answer_integer(answer, "chats", counts.chats);
    answer_integer(answer, "sends", counts.sends);
    return cli_answer(cli, answer, NULL);
}

static int run_sent(struct cli *cli)
{
    struct send_rows rows;
    int64_t connection;
    int error = cli_option_number(cli, "connection", 0, &connection);
    if (!error)
        error = open_accounts(cli);
    if (!error)
        error = store_sends_list(&cli->call, USER_ANY, connection, clock_now_ms() + 1000, SENDS_SHOWN, &rows);
    if (error)
        return error;
    struct answers *list = answers_new(cli->arena);
    for (size_t i = 0; i < rows.count; i++) {
        struct answer *answer = answers_add(list);
        answer_text(answer, "id", rows.items[i].id);
        answer_text(answer, "to", rows.items[i].recipient);
        answer_text(answer, "kind", rows.items[i].kind);
        answer_text(answer, "state", rows.items[i].state);
        answer_text(answer, "message_id", rows.items[i].message_id);
        answer_text(answer, "problem", rows.items[i].problem);
        answer_time(answer, "created_at", rows.items[i].created_at_ms);
        answer_time(answer, "ended_at", rows.items[i].ended_at_ms);
    }
    return cli_answer_list(cli, list, "created_at to kind state message_id problem", "Nothing was sent.\n");
}

static int run_optouts(struct cli *cli)
{
    struct optout_rows rows;
    struct str person = cli_option(cli, "person");
    int64_t connection;
    bool changed;
    int error = cli_option_number(cli, "connection", 0, &connection);
    if (!error && person.ptr)
        error = read_person(cli, &person);
    if (!error)
        error = open_accounts(cli);
    if (!error && person.ptr && cli_has(cli, "remove"))
        error = store_optouts_remove(&cli->call, connection, person, &changed);
    else if (!error && person.ptr)
        error = store_optouts_add(&cli->call, connection, person, STR("by the operator"), clock_now_ms());
    if (!error)
        error = store_optouts_list(&cli->call, USER_ANY, connection, &rows);
    if (error)
        return error;
    struct answers *list = answers_new(cli->arena);
    for (size_t i = 0; i < rows.count; i++) {
        struct answer *answer = answers_add(list);
        answer_text(answer, "person", rows.items[i].recipient);
        answer_text(answer, "reason", rows.items[i].reason);
        answer_time(answer, "created_at", rows.items[i].created_at_ms);
    }
    return cli_answer_list(cli, list, "person reason created_at", "Nobody.\n");
}

static const struct option person_options[] = {
    {.name = "person", .value = "NUMBER", .help = "with its country code: +55 11 98765-4321", .required = true},
    {.name = "connection", .value = "ID", .help = "only at this connection; else at all"},
};
static const struct option sent_options[] = {
    {.name = "connection", .value = "ID", .help = "whose messages", .required = true},
};
static const struct option optout_options[] = {
    {.name = "connection", .value = "ID", .help = "of which connection", .required = true},
    {.name = "person", .value = "NUMBER", .help = "put this number on the list first"},
    {.name = "remove", .help = "take it off the list instead: the person asked for messages again"},
};
static const struct command commands[] = {
    {
        .verb = "export",
        .summary = "Shows all that is kept of one person: conversations, messages, what was sent. JSON.",
        .options = person_options,
        .n_options = ARRAY_LENGTH(person_options),
        .example = "porteiro message export --person \"+55 11 98765-4321\"",
        .run = run_export,
    },
    {
        .verb = "erase",
        .summary = "Erases all that is kept of one person. The list of those who want no messages stays; the audit log "
                   "says that it was done, without the number.",
        .options = person_options,
        .n_options = ARRAY_LENGTH(person_options),
        .example = "porteiro message erase --person \"+55 11 98765-4321\"",
        .run = run_erase,
    },
    {
        .verb = "sent",
        .summary = "Lists what went out lately, and what became of it.",
        .options = sent_options,
        .n_options = ARRAY_LENGTH(sent_options),
        .example = "porteiro message sent --connection 7",
        .run = run_sent,
    },
    {
        .verb = "optout",
        .summary = "Lists who wants no messages any more; puts a number on that list or takes it off.",
        .options = optout_options,
        .n_options = ARRAY_LENGTH(optout_options),
        .example = "porteiro message optout --connection 7 --person \"+55 11 98765-4321\"",
        .run = run_optouts,
    },
};
const struct noun message_noun = {"message", "what is kept of conversations", commands, ARRAY_LENGTH(commands)};

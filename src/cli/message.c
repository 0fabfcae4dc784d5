/* porteiro message: conversations, what was sent, one person's data, and who wants nothing any more. */
#include "accounts/connect_state.h"
#include "accounts/connections.h"
#include "cli/open.h"
#include "cli/secret.h"
#include "messages/messages.h"
#include "store/messages.h"
#include "store/sends.h"

enum { EXPORT_BYTES_MAX = 16 * 1024 * 1024, LINES_SHOWN = 100 };

static struct str or_null(struct str text)
{
    return text.len ? text : (struct str){NULL, 0};
}

static int read_person(struct cli *cli, struct str *ret)
{
    return connect_person(&cli->call, cli_option(cli, "person"), ret);
}

/* The connection that --connection names, which must have conversations. */
static int open_desk(struct cli *cli, struct connect_desk *ret)
{
    int64_t id;
    int error = cli_option_number(cli, "connection", 0, &id);
    if (!error)
        error = open_accounts(cli);
    if (!error)
        error = open_client(cli);
    return error ? error : connect_conversations(&cli->call, USER_ANY, id, ret);
}

/* ---- looking */

static int run_inbox(struct cli *cli)
{
    struct connect_desk desk;
    struct chat_list found = {0};
    struct chat_query query = {.limit = LINES_SHOWN, .unread_only = cli_has(cli, "unread")};
    int error = open_desk(cli, &desk);
    if (!error)
        error = desk.conversations->chats(&cli->call, &desk.site, messages_of(&cli->call, &desk.site, 0, 0), &query,
                                          &found);
    if (error)
        return error;
    struct answers *list = answers_new(cli->arena);
    for (size_t i = 0; i < found.count; i++) {
        const struct chat *chat = &found.items[i];
        struct answer *answer = answers_add(list);
        answer_text(answer, "chat", chat->chat);
        answer_text(answer, "name", or_null(chat->name));
        answer_integer(answer, "unread", chat->unread);
        answer_time(answer, "last_at", chat->last_at_ms);
        answer_time(answer, "open_until", chat->inbound_at_ms ? chat->inbound_at_ms + WINDOW_MS : 0);
    }
    return cli_answer_list(cli, list, "last_at chat unread open_until name", "No conversations.\n");
}

static int run_read(struct cli *cli)
{
    struct connect_desk desk;
    struct message_list found = {0};
    struct message_query query = {.limit = LINES_SHOWN};
    struct str search = cli_option(cli, "search");
    query.search = search.ptr ? search : STR_EMPTY;
    int error = open_desk(cli, &desk);
    if (!error)
        error = desk.conversations->person(&cli->call, cli_option(cli, "chat"), &query.chat);
    if (!error)
        error =
            desk.conversations->list(&cli->call, &desk.site, messages_of(&cli->call, &desk.site, 0, 0), &query, &found);
    if (error)
        return error;
    struct answers *list = answers_new(cli->arena);
    for (size_t i = 0; i < found.count; i++) {
        const struct message *message = &found.items[i];
        struct answer *answer = answers_add(list);
        answer_text(answer, "id", message->id);
        answer_time(answer, "at", message->at_ms);
        answer_switch(answer, "outgoing", message->outgoing);
        answer_text(answer, "sender", or_null(message->sender));
        answer_text(answer, "kind", message->kind);
        answer_text(answer, "status", message->status);
        answer_text(answer, "text", message->text);
    }
    return cli_answer_list(cli, list, "at sender status kind text", "No messages.\n");
}

static int run_templates(struct cli *cli)
{
    struct connect_desk desk;
    struct template_list found = {0};
    int error = open_desk(cli, &desk);
    if (!error && desk.conversations->templates)
        error = desk.conversations->templates(&cli->call, &desk.site, &found);
    if (error)
        return error;
    struct answers *list = answers_new(cli->arena);
    for (size_t i = 0; i < found.count; i++) {
        struct answer *answer = answers_add(list);
        answer_text(answer, "name", found.items[i].name);
        answer_text(answer, "language", or_null(found.items[i].language));
        answer_text(answer, "status", or_null(found.items[i].status));
        answer_text(answer, "category", or_null(found.items[i].category));
        answer_text(answer, "body", or_null(found.items[i].body));
    }
    return cli_answer_list(cli, list, "name language status category body", "No templates.\n");
}

/* ---- one person's data */

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

/* ---- what was sent, and to whom nothing is */

static int run_sent(struct cli *cli)
{
    struct connect_desk desk;
    struct send_rows rows;
    int error = open_desk(cli, &desk);
    if (!error)
        error = store_sends_list(&cli->call, desk.site.user_id, desk.site.connection_id, clock_now_ms() + 1000,
                                 STR_EMPTY, LINES_SHOWN, &rows);
    if (error)
        return error;
    struct answers *list = answers_new(cli->arena);
    for (size_t i = 0; i < rows.count; i++) {
        struct answer *answer = answers_add(list);
        answer_text(answer, "id", rows.items[i].id);
        answer_text(answer, "to", rows.items[i].recipient);
        answer_text(answer, "kind", rows.items[i].kind);
        answer_text(answer, "state", rows.items[i].state);
        answer_text(answer, "delivery", rows.items[i].delivery);
        answer_text(answer, "message_id", rows.items[i].message_id);
        answer_text(answer, "problem", rows.items[i].problem);
        answer_time(answer, "created_at", rows.items[i].created_at_ms);
        answer_time(answer, "ended_at", rows.items[i].ended_at_ms);
    }
    return cli_answer_list(cli, list, "created_at to kind state delivery message_id problem", "Nothing was sent.\n");
}

static int run_optouts(struct cli *cli)
{
    struct connect_desk desk;
    struct optout_rows rows;
    struct str person = cli_option(cli, "person");
    const struct optout_wish wish = {
        .out = !cli_has(cli, "remove"), .by_owner = true, .reason = STR("by the operator")};
    bool changed;
    int error = open_desk(cli, &desk);
    if (!error && person.ptr)
        error = desk.conversations->person(&cli->call, person, &person);
    if (!error && person.ptr)
        error = optout_set(&cli->call, desk.site.user_id, desk.site.connection_id, person, &wish, &changed);
    if (!error)
        error = store_optouts_list(&cli->call, desk.site.user_id, desk.site.connection_id, &rows);
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

#define CONNECTION_OPTION                                                                                              \
    {                                                                                                                  \
        .name = "connection", .value = "ID", .help = "of which connection", .required = true                           \
    }
static const struct option inbox_options[] = {
    CONNECTION_OPTION,
    {.name = "unread", .help = "only those with something unread"},
};
static const struct option read_options[] = {
    CONNECTION_OPTION,
    {.name = "chat",
     .value = "NUMBER",
     .help = "a number with its country code, or a chat of the inbox",
     .required = true},
    {.name = "search", .value = "TEXT", .help = "only messages with these words"},
};
static const struct option template_options[] = {
    CONNECTION_OPTION,
};
static const struct option person_options[] = {
    {.name = "person", .value = "NUMBER", .help = "with its country code: +55 11 98765-4321", .required = true},
    {.name = "connection", .value = "ID", .help = "only at this connection; else at all"},
};
static const struct option sent_options[] = {
    CONNECTION_OPTION,
};
static const struct option optout_options[] = {
    CONNECTION_OPTION,
    {.name = "person", .value = "NUMBER", .help = "put this number on the list first"},
    {.name = "remove", .help = "take it off the list instead: the person asked for messages again"},
};
static const struct command commands[] = {
    {
        .verb = "inbox",
        .summary = "Lists conversations, the latest first, and up to when each may be answered freely.",
        .options = inbox_options,
        .n_options = ARRAY_LENGTH(inbox_options),
        .example = "porteiro message inbox --connection 7 --unread",
        .run = run_inbox,
    },
    {
        .verb = "read",
        .summary = "Shows a conversation, newest first.",
        .options = read_options,
        .n_options = ARRAY_LENGTH(read_options),
        .example = "porteiro message read --connection 7 --chat \"+55 11 98765-4321\"",
        .run = run_read,
    },
    {
        .verb = "templates",
        .summary = "Lists the messages that the service allows at any time.",
        .options = template_options,
        .n_options = ARRAY_LENGTH(template_options),
        .example = "porteiro message templates --connection 7",
        .run = run_templates,
    },
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
        .summary =
            "Erases all that is kept of one person. The list of those who want no messages stays, and so does the "
            "audit log: it has a digest in place of the number, and no texts; but what "
            "older versions wrote there of wa_ tools has both in plain, and nothing can be changed there.",
        .options = person_options,
        .n_options = ARRAY_LENGTH(person_options),
        .example = "porteiro message erase --person \"+55 11 98765-4321\"",
        .run = run_erase,
    },
    {
        .verb = "sent",
        .summary = "Lists what went out lately, and what became of it: delivery is what the service's webhook told.",
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

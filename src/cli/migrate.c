/* porteiro migrate */
#include "store/migrate.h"

#include "cli/open.h"

static struct answers *list_entries(struct cli *cli, const struct migrate_status *status)
{
    struct answers *list = answers_new(cli->arena);
    for (size_t i = 0; i < status->n_entries; i++) {
        struct answer *item = answers_add(list);
        answer_text(item, "tag", str_from(status->entries[i].tag));
        answer_time(item, "when", status->entries[i].when_ms);
        answer_switch(item, "applied", status->entries[i].applied);
    }
    return list;
}

static int show_status(struct cli *cli, struct db *db)
{
    struct migrate_status status;
    int error = migrate_status(&cli->call, db, &status);
    if (error)
        return error;
    struct answers *entries = list_entries(cli, &status);
    struct str none = {NULL, 0};
    struct answer *answer = answer_new(cli->arena);
    answer_text(answer, "state", str_from(migrate_state_name(status.state)));
    answer_integer(answer, "pending", (int64_t)status.n_pending);
    answer_text(answer, "problem", status.problem.len ? status.problem : none);
    answer_list(answer, "items", entries);
    error = cli_answer(cli, answer, NULL);
    if (!error && !cli->arguments.json)
        error =
            cli_print(cli, str_concat(cli->arena, STR("\n"), answers_as_text(cli->arena, entries, "tag when applied")));
    return error;
}

static int apply(struct cli *cli, struct db *db)
{
    struct migrate_result done;
    int error = migrate_apply(&cli->call, db, &done);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_integer(answer, "applied", (int64_t)done.n_applied);
    answer_integer(answer, "recorded", (int64_t)done.n_recorded);
    answer_switch(answer, "was_empty", done.was_empty);
    return cli_answer(cli, answer, NULL);
}

static int run_migrate(struct cli *cli)
{
    struct db *db;
    int error = open_database(cli);
    if (!error)
        error = open_for_migration(cli, &db);
    if (!error)
        error = cli_has(cli, "status") ? show_status(cli, db) : apply(cli, db);
    return error;
}

static const struct option options[] = {
    {.name = "status", .help = "only show what is applied and what is pending"},
};
static const struct command commands[] = {{
    .summary =
        "Brings the database to this program's schema; serve and the other commands do the same when they start.",
    .options = options,
    .n_options = ARRAY_LENGTH(options),
    .example = "porteiro migrate\nporteiro migrate --status --json",
    .run = run_migrate,
}};
const struct noun migrate_noun = {"migrate", "bring the database to this program's schema", commands,
                                  ARRAY_LENGTH(commands)};

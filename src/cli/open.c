/* What commands and the server open in the same way. */
#include "cli/open.h"

#include "net/loop.h"
#include "store/migrate.h"

static void close_loop(void *object)
{
    (void)object;
    loop_done();
}

static void close_database(void *object)
{
    db_close(object);
}

static int open_url(struct cli *cli, enum setting setting, struct db **ret_db)
{
    int error = db_open(&cli->call, config_text(cli->config, setting), ret_db);
    if (!error)
        arena_defer(cli->arena, close_database, *ret_db);
    return error;
}

int open_database(struct cli *cli)
{
    struct str problem;
    if (!config_make_data_dir(cli->arena, cli->config, &problem))
        return fail(&cli->call, E_UNAVAILABLE, "%.*s", STR_ARG(problem));
    if (!loop_init())
        return fail(&cli->call, E_UNAVAILABLE,
                    "the event loop cannot be made: no memory or no file descriptor is left");
    arena_defer(cli->arena, close_loop, cli);
    return open_url(cli, SETTING_DATABASE_URL, &cli->db);
}

int open_for_migration(struct cli *cli, struct db **ret_db)
{
    *ret_db = cli->db;
    return config_is_set(cli->config, SETTING_DATABASE_URL_DIRECT) ? open_url(cli, SETTING_DATABASE_URL_DIRECT, ret_db)
                                                                   : OK;
}

int open_migrated(struct cli *cli)
{
    struct migrate_result done;
    struct db *db;
    int error = open_database(cli);
    if (!error)
        error = open_for_migration(cli, &db);
    if (!error)
        error = migrate_apply(&cli->call, db, &done);
    if (!error && done.n_applied)
        cli_note(cli, "the database now has this program's schema (%zu migrations applied)", done.n_applied);
    return error;
}

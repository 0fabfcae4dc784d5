/* The sandbox of a worker, as far as it depends on the settings. */
#include <libpq-fe.h> /* before base/banned.h: it names what is banned */

#include "cli/confine.h"

#include "audit/checkpoint.h"
#include "base/config.h"
#include "base/log.h"
#include "net/sandbox.h"
#include "net/worker.h"

#include <errno.h>
#include <stdlib.h>

enum { PATHS_MAX = 32 };

struct paths {
    struct cli *cli;
    struct sandbox_path list[PATHS_MAX];
    size_t count;
};

static void add(struct paths *paths, struct str path, enum sandbox_access access)
{
    if (path.len && paths->count < PATHS_MAX)
        paths->list[paths->count++] = (struct sandbox_path){str_copy_cstr(paths->cli->arena, path), access};
}

static void add_setting(struct paths *paths, enum setting setting)
{
    if (config_is_set(paths->cli->config, setting))
        add(paths, config_text(paths->cli->config, setting), SANDBOX_READ);
}

/* SQLite makes further files beside its own. */
static void add_sqlite(struct paths *paths, struct str path)
{
    size_t slash = str_find_last_char(path, '/');
    if (slash != STR_NOT_FOUND)
        add(paths, slash ? str_sub(path, 0, slash) : STR("/"), SANDBOX_WRITE);
    else
        add(paths, STR("."), SANDBOX_WRITE);
}

/* The files that a PostgreSQL URL names, and those that libpq looks for by itself. */
static void add_postgres(struct paths *paths, struct str url)
{
    static const char *const options[] = {"sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile", "servicefile"};
    static const char *const of_home[] = {".pgpass", ".postgresql", ".pg_service.conf"};
    char *problem = NULL;
    const char *home = getenv("HOME");
    PQconninfoOption *all = PQconninfoParse(str_copy_cstr(paths->cli->arena, url), &problem);
    for (const PQconninfoOption *one = all; one && one->keyword; one++)
        for (size_t i = 0; i < ARRAY_LENGTH(options); i++)
            if (one->val && str_eq(str_from(one->keyword), str_from(options[i])))
                add(paths, str_from(one->val), SANDBOX_READ);
    for (size_t i = 0; home && home[0] == '/' && i < ARRAY_LENGTH(of_home); i++)
        add(paths, str_format(paths->cli->arena, "%s/%s", home, of_home[i]), SANDBOX_READ);
    PQconninfoFree(all);
    PQfreemem(problem);
}

static void add_database(struct paths *paths, enum setting setting)
{
    struct str url = config_text(paths->cli->config, setting);
    if (!config_is_set(paths->cli->config, setting))
        return;
    if (str_starts_with(url, STR("sqlite:")))
        add_sqlite(paths, str_from_offset(url, 7));
    else
        add_postgres(paths, url);
}

/* It may lie anywhere. It is made here, for only what is there can be named to the sandbox. */
static int add_checkpoints(struct paths *paths)
{
    struct str path = config_text(paths->cli->config, SETTING_AUDIT_CHECKPOINTS);
    int error = checkpoint_open(&paths->cli->call, path);
    checkpoint_close();
    add(paths, path, SANDBOX_WRITE);
    return error;
}

/* A missing part is no reason not to serve, but the operator should know; one worker says it for all. */
static int told(struct cli *cli, int error, const char *what, const char *lacks)
{
    const struct worker *worker = worker_self();
    if (error == E_NOT_FOUND && worker && worker->first && worker->number == 1)
        log_warning("this kernel has no %s: %s", what, lacks);
    if (error == E_UNAVAILABLE)
        return fail(&cli->call, E_UNAVAILABLE,
                    "the sandbox (%s) cannot be closed: %s. PORTEIRO_SANDBOX=off goes without", what, strerror(errno));
    return OK;
}

int confine_files(struct cli *cli)
{
    const struct config *config = cli->config;
    struct paths paths = {.cli = cli};
    struct str problem;
    if (!config_switch(config, SETTING_SANDBOX))
        return OK;
    if (!config_make_data_dir(cli->arena, config, &problem))
        return fail(&cli->call, E_UNAVAILABLE, "%.*s", STR_ARG(problem));
    add(&paths, config_text(config, SETTING_DATA_DIR), SANDBOX_WRITE);
    add_database(&paths, SETTING_DATABASE_URL);
    add_database(&paths, SETTING_DATABASE_URL_DIRECT);
    add_setting(&paths, SETTING_CA_FILE);
    add_setting(&paths, SETTING_TLS_CERT);
    add_setting(&paths, SETTING_TLS_KEY);
    int error = add_checkpoints(&paths);
    if (error)
        return error;
    return told(cli, sandbox_files(paths.list, paths.count), "Landlock",
                "workers can read all files that their user can");
}

int confine_calls(struct cli *cli)
{
    if (!config_switch(cli->config, SETTING_SANDBOX))
        return OK;
    return told(cli, sandbox_calls(), "seccomp filter", "workers can make all system calls");
}

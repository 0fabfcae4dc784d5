/* porteiro backup, porteiro restore */
#include "accounts/backup.h"

#include "accounts/accounts.h"
#include "audit/audit.h"
#include "cli/open.h"
#include "store/migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { LONG_MS = 24 * 60 * 60 * 1000 };

static void answer_counts(struct answer *answer, const struct backup_counts *counts)
{
    answer_integer(answer, "tables", counts->tables);
    answer_integer(answer, "rows", counts->rows);
    answer_integer(answer, "bytes", counts->bytes);
}

/* ---- backup */

/* Under another name until it is whole: a file with the right name is a backup. */
static int backup_to(struct cli *cli, const char *path, struct backup_counts *ret)
{
    const char *part = str_format(cli->arena, "%s.part", path).ptr;
    if (access(path, F_OK) == 0)
        return fail(&cli->call, E_CONFLICT, "%s is there already; a backup overwrites nothing.", path);
    int file = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0600);
    if (file < 0)
        return fail(&cli->call, E_UNAVAILABLE, "%s cannot be made: %s.", part, strerror(errno));
    int error = backup_write(&cli->call, file, ret);
    if (!error && (fsync(file) != 0 || link(part, path) != 0))
        error = fail(&cli->call, E_UNAVAILABLE, "%s cannot be written: %s.", path, strerror(errno));
    close(file);
    unlink(part);
    return error;
}

static int run_backup(struct cli *cli)
{
    struct backup_counts counts;
    struct str path = cli->arguments.argument;
    int error = open_accounts(cli);
    if (error)
        return error;
    cli->call.deadline_ms = clock_monotonic_ms() + LONG_MS;
    if (str_eq(path, STR("-")))
        return backup_write(&cli->call, STDOUT_FILENO, &counts);
    error = backup_to(cli, str_copy_cstr(cli->arena, path), &counts);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_text(answer, "file", path);
    answer_counts(answer, &counts);
    return cli_answer(
        cli, answer,
        "The master key is not in it: keep a copy of the key elsewhere. `porteiro restore --verify` tries the "
        "backup.");
}

static const struct command backup_commands[] = {{
    .summary = "Writes everything into one file, while servers run; the master key is not in it.",
    .argument = "FILE",
    .argument_help = "must not be there yet; - is stdout",
    .example = "porteiro backup /var/backups/porteiro-2026-11-22.jsonl\nporteiro backup - | zstd > porteiro.jsonl.zst",
    .run = run_backup,
}};
const struct noun backup_noun = {"backup", "write everything into one file", backup_commands,
                                 ARRAY_LENGTH(backup_commands)};

/* ---- restore */

/* The scratch database of --verify: in a folder of its own, which goes with it. */
struct scratch {
    char folder[256], path[512];
};

static void remove_scratch(const struct scratch *scratch)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < ARRAY_LENGTH(ends); i++) {
        char file[sizeof scratch->path + 8];
        snprintf(file, sizeof file, "%s%s", scratch->path, ends[i]);
        unlink(file);
    }
    rmdir(scratch->folder);
}

static int open_scratch(struct cli *cli, struct scratch *scratch)
{
    struct str problem, data_dir = config_text(cli->config, SETTING_DATA_DIR);
    if (!config_make_data_dir(cli->arena, cli->config, &problem))
        return fail(&cli->call, E_UNAVAILABLE, "%.*s", STR_ARG(problem));
    int length = snprintf(scratch->folder, sizeof scratch->folder, "%.*s/restore-XXXXXX", STR_ARG(data_dir));
    if (length >= (int)sizeof scratch->folder || !mkdtemp(scratch->folder))
        return fail(&cli->call, E_UNAVAILABLE, "No folder for the trial can be made in the data directory: %s.",
                    strerror(errno));
    snprintf(scratch->path, sizeof scratch->path, "%s/trial.db", scratch->folder);
    return open_database_at(cli, str_format(cli->arena, "sqlite:%s", scratch->path));
}

static void close_file(void *object)
{
    close(*(int *)object);
}

static bool copy_input(int file)
{
    char bytes[64 * 1024];
    for (;;) {
        ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes), put = 0;
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0;
        for (ssize_t at = 0; at < got; at += put) {
            put = write(file, bytes + at, (size_t)(got - at));
            if (put < 0 && errno != EINTR)
                return false;
            put = put < 0 ? 0 : put;
        }
    }
}

/* A backup is read twice, first to its signature, and a pipe only once. The file has no name: whatever happens, nothing stays. */
static int spool_input(struct cli *cli, const char **ret_path)
{
    struct str problem;
    int *file = arena_new_of(cli->arena, int);
    if (!config_make_data_dir(cli->arena, cli->config, &problem))
        return fail(&cli->call, E_UNAVAILABLE, "%.*s", STR_ARG(problem));
    const char *folder = str_copy_cstr(cli->arena, config_text(cli->config, SETTING_DATA_DIR));
    *file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (*file < 0) { /* a file system that has no files without names */
        char *name = (char *)(uintptr_t)str_format(cli->arena, "%s/restore-XXXXXX", folder).ptr;
        *file = mkostemp(name, O_CLOEXEC);
        if (*file >= 0)
            unlink(name);
    }
    if (*file < 0)
        return fail(&cli->call, E_UNAVAILABLE, "No file for the standard input can be made in the data directory: %s.",
                    strerror(errno));
    arena_defer(cli->arena, close_file, file);
    if (!copy_input(*file))
        return fail(&cli->call, E_UNAVAILABLE,
                    "The standard input cannot be kept in the data directory: %s. Nothing was restored.",
                    strerror(errno));
    *ret_path = str_format(cli->arena, "/proc/self/fd/%d", *file).ptr;
    return OK;
}

static int load(struct cli *cli, const char *path, bool is_trial, struct answer *answer, bool *ret_audit_ok)
{
    struct backup_counts counts;
    struct backup_trial trial;
    struct audit_verdict verdict;
    struct call *call = &cli->call;
    int error = is_trial ? migrate_apply(call, cli->db, NULL) : open_migrated(cli);
    store_init(cli->db);
    if (!error)
        error = backup_load(call, path, &counts);
    if (!error)
        error = backup_try(call, &trial);
    if (!error)
        error = audit_verify(call, NULL, &verdict);
    if (error)
        return error;
    answer_counts(answer, &counts);
    answer_integer(answer, "keys", trial.keys);
    answer_integer(answer, "secrets", trial.secrets);
    answer_integer(answer, "audit_rows", verdict.rows);
    *ret_audit_ok = verdict.ok;
    answer_switch(answer, "audit_ok", verdict.ok);
    answer_text(answer, "audit_problem", verdict.ok ? (struct str){NULL, 0} : verdict.problem);
    return OK;
}

static int run_restore(struct cli *cli)
{
    const char *path = str_copy_cstr(cli->arena, cli->arguments.argument);
    const struct keyring_source source = open_key_source(cli);
    bool is_trial = cli_has(cli, "verify");
    struct backup_counts counts;
    struct scratch scratch = {0};
    struct answer *answer = answer_new(cli->arena);
    bool audit_ok = true;
    cli->call.deadline_ms = clock_monotonic_ms() + LONG_MS;
    int error = strcmp(path, "-") == 0 ? spool_input(cli, &path) : OK;
    if (!error)
        error = backup_check(&cli->call, path, &source, &counts); /* before anything is opened or made */
    if (!error)
        error = is_trial ? open_scratch(cli, &scratch) : open_database(cli);
    if (!error)
        error = load(cli, path, is_trial, answer, &audit_ok);
    keyring_done();
    if (scratch.folder[0]) {
        open_close(cli);
        remove_scratch(&scratch);
    }
    answer_switch(answer, "restored", !is_trial);
    if (error)
        return error;
    error = cli_answer(cli, answer,
                       is_trial ? "The backup is whole and can be restored. Nothing was changed."
                                : "Restored. Start the servers now; they need the master key that this took.");
    if (!error && !audit_ok)
        error = fail(&cli->call, E_CRYPTO,
                     "the audit log in this backup was changed before it was made: see audit_problem");
    return error;
}

static const struct option restore_options[] = {
    {.name = "verify", .help = "only try it: into a database that is thrown away"},
};
static const struct command restore_commands[] = {{
    .summary =
        "Puts a backup into a new, empty database (of either kind), and checks keys, passwords and audit chains.",
    .argument = "FILE",
    .argument_help = "what `porteiro backup` made; - is stdin",
    .options = restore_options,
    .n_options = ARRAY_LENGTH(restore_options),
    .example =
        "porteiro restore --verify /var/backups/porteiro-2026-11-22.jsonl\nDATABASE_URL=postgres://... porteiro "
        "restore /var/backups/porteiro-2026-11-22.jsonl\nzstd -dc porteiro.jsonl.zst | porteiro restore --verify -",
    .run = run_restore,
}};
const struct noun restore_noun = {"restore", "put a backup into a new database", restore_commands,
                                  ARRAY_LENGTH(restore_commands)};

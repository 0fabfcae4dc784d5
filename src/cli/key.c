/* porteiro key */
#include "accounts/key_rotation.h"

#include "cli/open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

static int run_status(struct cli *cli)
{
    struct key_status status;
    int error = open_accounts(cli);
    if (!error)
        error = key_rotation_status(&cli->call, &status);
    if (error)
        return error;
    struct answers *rows = answers_new(cli->arena), *holders = answers_new(cli->arena);
    for (size_t i = 0; i < status.counts.count; i++) {
        struct answer *item = answers_add(rows);
        answer_integer(item, "key", status.counts.items[i].master_kid);
        answer_integer(item, "rows", status.counts.items[i].rows);
    }
    for (size_t i = 0; i < status.holders.count; i++) {
        struct answer *item = answers_add(holders);
        answer_text(item, "holder", status.holders.items[i].holder);
        answer_integer(item, "key", status.holders.items[i].master_kid);
        answer_time(item, "started_at", status.holders.items[i].started_at_ms);
    }
    struct answers *data_keys = answers_new(cli->arena);
    for (size_t i = 0; i < status.data_keys.count; i++) {
        struct answer *item = answers_add(data_keys);
        answer_integer(item, "data_key", status.data_keys.items[i].kid);
        answer_integer(item, "accounts", status.data_keys.items[i].users);
        answer_integer(item, "with_previous", status.data_keys.items[i].with_previous);
    }
    struct answer *answer = answer_new(cli->arena);
    answer_integer(answer, "current", status.current);
    answer_integer(answer, "given", status.given);
    answer_switch(answer, "rotating", status.is_rotating);
    answer_list(answer, "wraps", rows);
    answer_list(answer, "data_keys", data_keys);
    answer_list(answer, "holders", holders);
    error = cli_answer(cli, answer, NULL);
    if (error || cli->arguments.json)
        return error;
    return cli_print(cli, str_format(cli->arena, "\n%.*s\n%.*s\n%.*s",
                                     STR_ARG(answers_as_text(cli->arena, rows, "key rows")),
                                     STR_ARG(answers_as_text(cli->arena, data_keys, "data_key accounts with_previous")),
                                     STR_ARG(answers_as_text(cli->arena, holders, "holder key started_at"))));
}

/* ---- rotate */

static const char *in_data_dir(struct cli *cli, const char *name)
{
    return str_format(cli->arena, "%.*s/%s", STR_ARG(config_text(cli->config, SETTING_DATA_DIR)), name).ptr;
}

/* The operator's, or made there: a line that makes it first, typed again, would replace it before we could refuse. */
static int named_key(struct cli *cli, struct str *ret_text)
{
    const char *path = str_copy_cstr(cli->arena, cli_option(cli, "new-key-file"));
    bool is_there = access(path, F_OK) == 0 || errno != ENOENT;
    int error =
        is_there ? keyring_read_file(&cli->call, path, ret_text) : keyring_make_file(&cli->call, path, ret_text);
    if (!error && !is_there)
        cli_note(cli, "a new master key was made in %s", path);
    return error;
}

/* The new key's text: the operator's, or made beside master.key. */
static int new_key(struct cli *cli, struct str *ret_text)
{
    const struct keyring_source source = open_key_source(cli);
    if (cli_has(cli, "new-key-file"))
        return named_key(cli, ret_text);
    if (!keyring_is_in_data_dir(&source))
        return cli_usage(cli, "--new-key-file FILE is needed: the master key is not in the data directory, so say "
                              "where the new one is; it is made there if there is no such file");
    return keyring_make_file(&cli->call, in_data_dir(cli, "master.key.next"), ret_text);
}

static bool is_same_key(struct cli *cli, const char *one, const char *other)
{
    struct str first, second;
    return keyring_read_file(&cli->call, one, &first) == OK && keyring_read_file(&cli->call, other, &second) == OK &&
           str_eq(str_trim(first), str_trim(second));
}

static int not_in_place(struct cli *cli, const char *next, const char *now)
{
    return fail(&cli->call, E_UNAVAILABLE,
                "%s cannot be put in the place of %s: %s. The database knows the new key already; run this again.",
                next, now, strerror(errno));
}

/* The old key under its second name; it has that already after a run that was killed behind this. */
static int keep_old(struct cli *cli, const char *next, const char *now, const char *kept)
{
    if (link(now, kept) == 0 || errno == ENOENT)
        return OK;
    if (errno != EEXIST)
        return not_in_place(cli, next, now);
    if (is_same_key(cli, now, kept))
        return OK;
    return fail(
        &cli->call, E_CONFLICT,
        "The key in %s is to be kept as %s, which is there already and holds another: move it away, then run this "
        "again. The database knows the new key already, and both are good.",
        now, kept);
}

/*
 * master.key.next becomes master.key once the database knows it; the old one stays as master.key.1, for backups. Also after a run
 * that was killed here.
 */
static int put_file_in_place(struct cli *cli)
{
    const char *next = in_data_dir(cli, "master.key.next"), *now = in_data_dir(cli, "master.key");
    struct str text;
    if (access(next, F_OK) != 0)
        return OK;
    int error = keyring_read_file(&cli->call, next, &text);
    if (error || !keyring_is_current(text))
        return error; /* a file that was left from before */
    char kept[PATH_MAX];
    snprintf(kept, sizeof kept, "%s.%lld", now, (long long)keyring_kid() - 1);
    error = keep_old(cli, next, now, kept);
    if (error)
        return error;
    if (rename(next, now) != 0)
        return not_in_place(cli, next, now);
    int folder = open(in_data_dir(cli, "."), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        fsync(folder);
        close(folder);
    }
    cli_note(cli, "the new master key is in %s, the old one in %s: keep it as long as backups that need it", now, kept);
    return OK;
}

static int begin(struct cli *cli)
{
    struct str text;
    int error = new_key(cli, &text);
    return error ? error : key_rotation_begin(&cli->call, text);
}

/* A rotation is under way: a file with another key must not pass for the one that is given to every server now. */
static int check_same_key(struct cli *cli)
{
    struct str text, path;
    if (!cli_has(cli, "new-key-file"))
        return OK;
    path = cli_option(cli, "new-key-file");
    int error = keyring_read_file(&cli->call, str_copy_cstr(cli->arena, path), &text);
    if (error || keyring_is_current(text))
        return error;
    return fail(
        &cli->call, E_CONFLICT,
        "A rotation is under way, and %.*s holds another key than its new one, number %lld. Nothing was changed: "
        "give the file of the first time.",
        STR_ARG(path), (long long)keyring_kid());
}

/* Before the new master key's file is in its place, so that no worker that starts now is given it. */
static int begin_or_renew(struct cli *cli, bool began, int64_t *ret_renewed)
{
    int error = began ? begin(cli) : check_same_key(cli);
    return error || !cli_has(cli, "deep") ? error : key_rotation_renew(&cli->call, ret_renewed);
}

static int run_rotate(struct cli *cli)
{
    struct key_status status;
    struct resealed resealed = {.values = 0};
    int64_t rewrapped = 0, renewed = 0;
    int error = open_accounts(cli);
    if (!error)
        error = key_rotation_status(&cli->call, &status);
    if (error)
        return error;
    bool began = !status.is_rotating;
    error = begin_or_renew(cli, began, &renewed);
    if (!error)
        error = put_file_in_place(cli);
    if (!error)
        error = key_rotation_go_on(&cli->call, &rewrapped);
    if (!error && cli_has(cli, "deep"))
        error = key_rotation_reseal(&cli->call, &resealed);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_integer(answer, "current", keyring_kid());
    answer_integer(answer, "previous", keyring_kid() - 1);
    answer_switch(answer, "began", began);
    answer_integer(answer, "rewrapped", rewrapped);
    answer_integer(answer, "data_keys", renewed);
    answer_integer(answer, "resealed", resealed.values);
    answer_integer(answer, "unreadable", resealed.unreadable);
    if (resealed.unreadable)
        cli_note(cli, "%lld values do not open and stay as they are; one is %.*s", (long long)resealed.unreadable,
                 STR_ARG(resealed.example));
    struct str hint = str_format(cli->arena,
                                 "Both keys are good now. Give every server the new one and restart it; then "
                                 "`porteiro key retire %lld` ends the old one.",
                                 (long long)keyring_kid() - 1);
    return cli_answer(cli, answer, hint.ptr);
}

/* ---- retire */

static int run_retire(struct cli *cli)
{
    struct key_retirement what = {.even_if_held = cli_has(cli, "even-if-held"),
                                  .even_if_unreadable = cli_has(cli, "even-if-unreadable")};
    struct key_retired retired;
    if (!str_to_i64(cli->arguments.argument, &what.kid) || what.kid <= 0)
        return cli_usage(cli, "\"%.*s\" is no number of a key; see porteiro key status",
                         STR_ARG(cli->arguments.argument));
    int error = open_accounts(cli);
    if (!error)
        error = key_rotation_retire(&cli->call, &what, &retired);
    if (error)
        return error;
    struct answer *answer = answer_new(cli->arena);
    answer_integer(answer, "retired", what.kid);
    answer_integer(answer, "current", keyring_kid());
    answer_integer(answer, "resealed", retired.resealed);
    answer_integer(answer, "unreadable", retired.unreadable);
    answer_integer(answer, "dropped", retired.dropped);
    return cli_answer(cli, answer, "Backups from before still need the old key.");
}

static const struct option rotate_options[] = {
    {.name = "new-key-file",
     .value = "FILE",
     .help = "where the new master key is (32 bytes as base64 or hex); one is made there if there is no such file. Not "
             "needed if the old one is in the data directory"},
    {.name = "deep",
     .help = "new data keys for everybody too, and everything that is stored sealed anew under them: when somebody may "
             "have had both the database and the key; all servers must be of this version"},
};
static const struct option retire_options[] = {
    {.name = "even-if-held", .help = "do not ask which processes were started with it: they are gone for good"},
    {.name = "even-if-unreadable",
     .help = "after --deep: give up stored values that do not open, because somebody changed them in the database"},
};
static const struct command commands[] = {
    {
        .verb = "status",
        .summary = "Shows which master key wraps how much, and which running process was given which.",
        .example = "porteiro key status",
        .run = run_status,
    },
    {
        .verb = "rotate",
        .summary = "Puts a new master key in the place of the current one while servers run; run again, it goes on.",
        .options = rotate_options,
        .n_options = ARRAY_LENGTH(rotate_options),
        .example = "porteiro key rotate\nporteiro key rotate --deep\n"
                   "porteiro key rotate --new-key-file new.key",
        .run = run_rotate,
    },
    {
        .verb = "retire",
        .summary = "Ends an old master key; refuses while a row or a running process still needs it.",
        .argument = "NUMBER",
        .argument_help = "the old key's number: `porteiro key rotate` names it, as previous",
        .options = retire_options,
        .n_options = ARRAY_LENGTH(retire_options),
        .example = "porteiro key retire 1",
        .run = run_retire,
    },
};
const struct noun key_noun = {"key", "the master key", commands, ARRAY_LENGTH(commands)};

/* The helper process that gets certificates. */
#include "cli/acme.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "cli/https.h"
#include "net/sandbox.h"
#include "net/tls.h"
#include "net/worker.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UACME "/usr/bin/uacme"
#define UACME_HOOK "/usr/share/uacme/uacme.sh"

enum {
    LOOK_EVERY_S = 6 * 3600, /* a clock that jumps is noticed by then */
    RETRY_FIRST_S = 60,      /* authorities count failures: Let's Encrypt allows five an hour */
    RETRY_MAX_S = 6 * 3600,
    OUTPUT_BYTES = 4096,
    VARIABLE_BYTES = 4200,
    SETTLE_MS = 500, /* until workers listen */
    NONCE_TRIES = 3, /* more, when each of uacme's own was refused */
};

/* A third of its life before its end: right for 90 days as for 6. */
static bool is_due(struct cli *cli)
{
    int64_t begins_s,
        ends_s = tls_certificate_ends_s(str_copy_cstr(cli->arena, https_acme_certificate(cli)), &begins_s);
    return ends_s == 0 || clock_now_ms() / 1000 >= ends_s - (ends_s - begins_s) / 3;
}

static bool make_directory(struct cli *cli, struct str path)
{
    const char *name = str_copy_cstr(cli->arena, path);
    if (mkdir(name, 0700) == 0 || errno == EEXIST)
        return true;
    log_error("%s cannot be made: %s", name, strerror(errno));
    return false;
}

/* What uacme ended with, and what the authority said to it: its answer's "detail" (RFC 7807), printed as JSON in lines. */
static struct str what_was_wrong(struct arena *arena, struct str output)
{
    struct str line, said = STR("it said nothing"), detail = STR_EMPTY;
    while (str_next(&output, '\n', &line)) {
        line = str_trim(line);
        if (str_starts_with(line, STR("\"detail\": ")))
            detail = str_from_offset(line, STR("\"detail\": ").len);
        else if (str_starts_with(line, STR("uacme: ")) && !str_ends_with(line, STR(":")))
            said = line;
    }
    return str_format(arena, "%.*s%s%.*s", STR_ARG(said), detail.len ? ": " : "", STR_ARG(detail));
}

/* Runs uacme with its output into `output`; its exit code, or -1. */
static int run(char *const *arguments, char *const *environment, char output[OUTPUT_BYTES], size_t *ret_len)
{
    int ends[2], status;
    pid_t pid = -1;
    posix_spawn_file_actions_t actions;
    *ret_len = 0;
    if (pipe(ends))
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    int error = posix_spawn(&pid, UACME, &actions, NULL, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    char room[512];
    for (ssize_t got; !error && (got = read(ends[0], room, sizeof room)) > 0;) {
        size_t keep = (size_t)got;
        if (*ret_len + keep > OUTPUT_BYTES) { /* the end counts */
            size_t drop = *ret_len + keep - OUTPUT_BYTES;
            memmove(output, output + drop, *ret_len - drop);
            *ret_len -= drop;
        }
        memcpy(output + *ret_len, room, keep);
        *ret_len += keep;
    }
    close(ends[0]);
    if (error || waitpid(pid, &status, 0) != pid)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct request {
    struct cli *cli;
    char *environment[3];
    char variables[2][VARIABLE_BYTES];
};

static void set_environment(struct request *request)
{
    struct cli *cli = request->cli;
    size_t n = 0;
    snprintf(request->variables[n++], VARIABLE_BYTES, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
    snprintf(request->variables[n++], VARIABLE_BYTES, "UACME_CHALLENGE_PATH=%.*s",
             STR_ARG(https_challenge_directory(cli)));
    for (size_t i = 0; i < n; i++)
        request->environment[i] = request->variables[i];
    request->environment[n] = NULL;
}

/* uacme [...] VERB [ARGUMENT]: 0 done, 1 nothing to do; else what it said is logged. */
static bool uacme(struct request *request, const char *verb, struct str argument)
{
    struct cli *cli = request->cli;
    char output[OUTPUT_BYTES];
    size_t len = 0;
    char *arguments[] = {(char *)"uacme",
                         (char *)"-y",
                         (char *)"-a",
                         (char *)(uintptr_t)str_copy_cstr(cli->arena, config_text(cli->config, SETTING_ACME_URL)),
                         (char *)"-c",
                         (char *)(uintptr_t)str_copy_cstr(cli->arena, https_acme_directory(cli)),
                         (char *)"-h",
                         (char *)UACME_HOOK,
                         (char *)"-t",
                         (char *)"EC",
                         (char *)"-f",
                         (char *)(uintptr_t)verb,
                         argument.len ? (char *)(uintptr_t)str_copy_cstr(cli->arena, argument) : NULL,
                         NULL};
    int code;
    for (int tries = 0;; tries++) {
        code = run(arguments, request->environment, output, &len);
        if (code == 0 || code == 1)
            return true;
        /* Asked again with a new one (RFC 8555, 6.5): uacme does that twice, and an authority under load refuses more. */
        if (tries == NONCE_TRIES || !str_contains(str_of(output, len), STR("urn:ietf:params:acme:error:badNonce")))
            break;
    }
    struct str wrong = what_was_wrong(cli->arena, str_of(output, len));
    log_error("uacme %s failed (%d): %.*s", verb, code, STR_ARG(wrong));
    return false;
}

/* Is there an account already? uacme would make a second one. */
static bool has_account(struct cli *cli)
{
    const char *key = str_format(cli->arena, "%.*s/private/key.pem", STR_ARG(https_acme_directory(cli))).ptr;
    return access(key, R_OK) == 0;
}

static bool renew(struct cli *cli)
{
    struct request *request = arena_new_of(cli->arena, struct request);
    struct str domain = config_text(cli->config, SETTING_DOMAIN);
    *request = (struct request){.cli = cli};
    if (access(UACME, X_OK) != 0) {
        log_error("there is no " UACME " to get the certificate with: apt install uacme");
        return false;
    }
    set_environment(request);
    log_info("asking for a certificate for %.*s", STR_ARG(domain));
    if (!make_directory(cli, https_acme_directory(cli)) || !make_directory(cli, https_challenge_directory(cli)))
        return false;
    if (!has_account(cli) && !uacme(request, "new", config_text(cli->config, SETTING_ACME_EMAIL)))
        return false;
    if (!uacme(request, "issue", domain) || is_due(cli))
        return false;
    log_info("there is a new certificate for %.*s", STR_ARG(domain));
    return true;
}

static void wait_s(int64_t seconds)
{
    const struct timespec time = {.tv_sec = (time_t)seconds};
    nanosleep(&time, NULL);
}

int acme_help(struct cli *cli)
{
    int64_t pause_s = RETRY_FIRST_S;
    sandbox_process();
    signal(SIGTERM, SIG_DFL);
    nanosleep(&(struct timespec){.tv_nsec = SETTLE_MS * 1000000L}, NULL);
    for (;;) {
        struct arena *arena = arena_new(1 << 20);
        struct cli once = *cli;
        once.arena = arena ? arena : cli->arena;
        bool due = is_due(&once), good = !due || renew(&once);
        arena_free(arena);
        if (due && good)
            worker_renewed(); /* we are ended, and started anew with the settings then in force */
        wait_s(good ? LOOK_EVERY_S : pause_s);
        pause_s = good ? RETRY_FIRST_S : pause_s * 2 < RETRY_MAX_S ? pause_s * 2 : RETRY_MAX_S;
    }
}

/* A supervisor that becomes another program. */
#include "net/handover.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define HANDOVER_VARIABLE "_PORTEIRO_HANDOVER"
#define TRIAL_VARIABLE "_PORTEIRO_TRIAL"

enum { TEXT_BYTES = 16 * 1024, PATH_BYTES = 4096, TRIAL_MS = 10 * 1000, TRIAL_STEP_MS = 10 };

static char program[PATH_BYTES];

void handover_remember_program(void)
{
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    program[len > 0 ? len : 0] = 0;
}

/* ---- the variable: FD ... ADDRESS ... PID CONTROL SLOT DRAIN-MS PID CONTROL SLOT DRAIN-MS ... */

bool handover_is_trial(void)
{
    return getenv(TRIAL_VARIABLE) != NULL;
}

static bool take_number(struct str *rest, int64_t *ret)
{
    struct str piece;
    return rest->len && str_next(rest, ' ', &piece) && str_to_i64(piece, ret);
}

static bool own(int64_t fd)
{
    return fd < 0 || fcntl((int)fd, F_SETFD, FD_CLOEXEC) == 0;
}

bool handover_take(struct handover *ret)
{
    const char *text = getenv(HANDOVER_VARIABLE);
    struct str rest = text ? str_from(text) : STR_EMPTY;
    int64_t one, control, slot, drain_ms;
    bool good = text != NULL;
    *ret = (struct handover){.n_workers = 0};
    for (size_t i = 0; good && i < HANDOVER_FDS_MAX; i++) {
        good = take_number(&rest, &one) && own(one);
        ret->fds[i] = good ? (int)one : -1;
    }
    for (size_t i = 0; good && i < HANDOVER_ADDRESSES; i++) {
        struct str piece = STR_EMPTY;
        good = rest.len && str_next(&rest, ' ', &piece) &&
               str_to_cstr(str_eq(piece, STR("-")) ? STR_EMPTY : piece, ret->addresses[i], sizeof ret->addresses[i]);
    }
    while (good && ret->n_workers < HANDOVER_WORKERS_MAX && take_number(&rest, &one)) {
        good =
            take_number(&rest, &control) && take_number(&rest, &slot) && take_number(&rest, &drain_ms) && own(control);
        if (good)
            ret->workers[ret->n_workers++] = (struct handover_worker){(pid_t)one, (int)control, (size_t)slot, drain_ms};
    }
    if (text && !good)
        log_error("what the program before has left cannot be read; starting anew");
    unsetenv(HANDOVER_VARIABLE);
    return good;
}

static bool write_variable(const struct handover *what, char text[TEXT_BYTES])
{
    size_t len = 0;
    for (size_t i = 0; i < HANDOVER_FDS_MAX; i++)
        len += (size_t)snprintf(text + len, TEXT_BYTES - len, "%d ", what->fds[i]);
    for (size_t i = 0; i < HANDOVER_ADDRESSES; i++)
        len += (size_t)snprintf(text + len, TEXT_BYTES - len, "%s ", what->addresses[i][0] ? what->addresses[i] : "-");
    for (size_t i = 0; i < what->n_workers && len < TEXT_BYTES; i++)
        len += (size_t)snprintf(text + len, TEXT_BYTES - len, "%d %d %zu %" PRId64 " ", (int)what->workers[i].pid,
                                what->workers[i].control, what->workers[i].slot, what->workers[i].drain_ms);
    if (len >= TEXT_BYTES)
        return false;
    text[len - 1] = 0; /* no space at the end */
    return true;
}

/* ---- the new program */

static char **with_name(char *const *arguments)
{
    size_t count = 0;
    while (arguments[count])
        count++;
    char **all = calloc(count + 2, sizeof *all);
    if (!all)
        return NULL;
    all[0] = program;
    memcpy(all + 1, arguments, count * sizeof *arguments);
    return all;
}

/* Its exit code; -1: it did not end, or not by itself. */
static int wait_for(pid_t pid)
{
    int status;
    int64_t until_ms = clock_monotonic_ms() + TRIAL_MS;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (clock_monotonic_ms() > until_ms) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            return -1;
        }
        poll(NULL, 0, TRIAL_STEP_MS);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool handover_try(char *const *arguments)
{
    char **all = with_name(arguments);
    pid_t pid = -1;
    int error = ENOMEM, code = -1;
    if (all && setenv(TRIAL_VARIABLE, "1", 1) == 0)
        error = posix_spawn(&pid, program, NULL, NULL, all, environ);
    unsetenv(TRIAL_VARIABLE);
    free(all);
    if (!error)
        code = wait_for(pid);
    if (error)
        log_error("%s cannot be executed: %s; this program goes on", program, strerror(error));
    else if (code != 0)
        log_error("%s does not start with these settings (exit %d); this program goes on", program, code);
    return !error && code == 0;
}

static void keep(int fd)
{
    if (fd >= 0)
        (void)fcntl(fd, F_SETFD, 0);
}

void handover_execute(char *const *arguments, const struct handover *what)
{
    static char text[TEXT_BYTES];
    char **all = with_name(arguments);
    if (!all || !write_variable(what, text) || setenv(HANDOVER_VARIABLE, text, 1)) {
        log_error("%s cannot be executed: no memory; this program goes on", program);
        free(all);
        return;
    }
    for (size_t i = 0; i < HANDOVER_FDS_MAX; i++)
        keep(what->fds[i]);
    for (size_t i = 0; i < what->n_workers; i++)
        keep(what->workers[i].control);
    execve(program, all, environ);
    log_error("%s cannot be executed: %s; this program goes on", program, strerror(errno));
    unsetenv(HANDOVER_VARIABLE);
    for (size_t i = 0; i < HANDOVER_FDS_MAX; i++)
        (void)own(what->fds[i]);
    for (size_t i = 0; i < what->n_workers; i++)
        (void)own(what->workers[i].control);
    free(all);
}

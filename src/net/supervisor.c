/* Keeps worker processes alive behind one listening socket. */
#include "net/supervisor.h"

#include "base/clock.h"
#include "base/log.h"
#include "net/notify.h"
#include "net/packet.h"
#include "net/watch.h"
#include "net/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    NAME_BYTES = 40,
    VARIABLE_BYTES = 1024,
    FIRST_FREE_FD = 10, /* ours lie above those that a worker gets under fixed numbers */
    POLLED_MAX = 1024,
    LOST_LOG_EVERY_MS = 60 * 1000,
};

#define HELPER_SLOT SIZE_MAX

enum state { STARTING, SERVING, RETIRING };

struct process {
    struct process *next;
    pid_t pid;
    int control; /* -1: it has closed its end */
    size_t slot;
    uint64_t generation; /* of the plan it runs with */
    enum state state;
    int64_t drain_ms;   /* of that plan */
    int64_t kill_at_ms; /* when patience ends; INT64_MAX: never */
    bool pinged;        /* and has not answered */
};

/* The place of one worker. It has a process that serves, or one that starts; both while one replaces the other. */
struct slot {
    struct process *serving, *starting;
    int64_t deaths_ms[SUPERVISOR_DEATHS_MAX]; /* the last ones, in a ring */
    size_t n_deaths;
    int64_t backoff_ms, start_at_ms;
};

static struct {
    const struct supervisor_settings *settings;
    struct supervisor_plan plan, next; /* next: on trial, by the process `trial` */
    uint64_t generation;
    struct slot slots[SUPERVISOR_WORKERS_MAX];
    struct process *processes, *trial, *helper;
    int64_t helper_at_ms;
    int watch; /* net/watch.h */
    bool upgrade_wanted;
    int signals;
    bool greeted;   /* the first worker was ready once */
    bool announced; /* to systemd */
    bool reload_wanted;
    bool stopping, killed;
    int exit_code;
    int64_t now_ms, ping_at_ms, lost_log_ms;
} self;

/* ---- starting a process */

static bool fill_actions(posix_spawn_file_actions_t *actions, const struct supervisor_plan *plan, int control)
{
    static const int listen_fds[] = {WORKER_LISTEN_FD, WORKER_LISTEN_HTTP_FD, WORKER_LISTEN_METRICS_FD};
    for (size_t i = 0; i < SUPERVISOR_LISTENERS; i++)
        if (plan->listeners[i].fd >= 0 &&
            posix_spawn_file_actions_adddup2(actions, plan->listeners[i].fd, listen_fds[i]) != 0)
            return false;
    return posix_spawn_file_actions_adddup2(actions, plan->metrics_fd, WORKER_METRICS_FD) == 0 &&
           posix_spawn_file_actions_adddup2(actions, control, WORKER_CONTROL_FD) == 0 &&
           posix_spawn_file_actions_adddup2(actions, plan->settings_fd, WORKER_SETTINGS_FD) == 0 &&
           posix_spawn_file_actions_adddup2(actions, plan->limits_fd, WORKER_LIMITS_FD) == 0;
}

static pid_t execute(const struct supervisor_plan *plan, char **arguments, char **environment, int control)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    pid_t pid = -1;
    int error = ENOMEM;
    sigemptyset(&none);
    if (posix_spawn_file_actions_init(&actions) == 0) {
        if (posix_spawnattr_init(&attributes) == 0) {
            if (fill_actions(&actions, plan, control) && posix_spawnattr_setsigmask(&attributes, &none) == 0 &&
                posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK) == 0)
                error = posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, arguments, environment);
            posix_spawnattr_destroy(&attributes);
        }
        posix_spawn_file_actions_destroy(&actions);
    }
    if (error)
        log_error("a worker cannot be started: %s", strerror(error));
    return error ? -1 : pid;
}

/* The worker's argv and environ are made for the moment: our own, with its name in front and one variable more. */
static pid_t spawn(const struct supervisor_plan *plan, size_t number, int control)
{
    char name[NAME_BYTES], variable[VARIABLE_BYTES];
    size_t n_arguments = 0, n_variables = 0;
    while (self.settings->arguments[n_arguments])
        n_arguments++;
    while (environ[n_variables])
        n_variables++;
    char **arguments = calloc(n_arguments + 2, sizeof *arguments);
    char **environment = calloc(n_variables + 2, sizeof *environment);
    pid_t pid = -1;
    if (arguments && environment) {
        snprintf(name, sizeof name, number ? "porteiro: worker %zu" : "porteiro: helper", number);
        snprintf(variable, sizeof variable, SUPERVISOR_VARIABLE "=%zu %d %d %lld %s", number, !self.greeted, getpid(),
                 (long long)self.settings->begun_ns, self.settings->source);
        arguments[0] = name;
        memcpy(arguments + 1, self.settings->arguments, n_arguments * sizeof *arguments);
        environment[0] = variable;
        memcpy(environment + 1, environ, n_variables * sizeof *environment);
        pid = execute(plan, arguments, environment, control);
    }
    free(arguments);
    free(environment);
    return pid;
}

static struct process *start(const struct supervisor_plan *plan, uint64_t generation, size_t slot)
{
    struct process *process = calloc(1, sizeof *process);
    int ends[2] = {-1, -1};
    pid_t pid = -1;
    if (process && packet_pair(ends)) {
        int control = fcntl(ends[1], F_DUPFD_CLOEXEC, FIRST_FREE_FD);
        if (control >= 0)
            pid = spawn(plan, slot == HELPER_SLOT ? 0 : slot + 1, control);
        close(control);
        close(ends[1]);
    }
    if (pid < 0) {
        if (ends[0] >= 0)
            close(ends[0]);
        free(process);
        return NULL;
    }
    *process = (struct process){.next = self.processes,
                                .pid = pid,
                                .control = ends[0],
                                .slot = slot,
                                .generation = generation,
                                .drain_ms = plan->drain_ms,
                                /* The first one may have a large database to migrate. */
                                .kill_at_ms = self.greeted ? self.now_ms + SUPERVISOR_START_MS : INT64_MAX};
    self.processes = process;
    if (slot == HELPER_SLOT) {
        process->state = RETIRING; /* never serves: it is no worker to be replaced */
        process->kill_at_ms = INT64_MAX;
    } else {
        self.slots[slot].starting = process;
    }
    return process;
}

/* ---- the course of a worker */

static void retire(struct process *process)
{
    char packet = SUPERVISOR_RETIRE;
    process->state = RETIRING;
    process->kill_at_ms = self.now_ms + process->drain_ms;
    if (!packet_send(process->control, str_of(&packet, 1), -1))
        kill(process->pid, SIGTERM);
}

/* The listeners of a plan that the other does not have. */
static void close_unshared(const struct supervisor_plan *plan, const struct supervisor_plan *other)
{
    for (size_t i = 0; i < SUPERVISOR_LISTENERS; i++)
        if (plan->listeners[i].fd >= 0 && plan->listeners[i].fd != other->listeners[i].fd)
            close(plan->listeners[i].fd);
}

static void take_plan(void)
{
    const struct supervisor_plan old = self.plan;
    self.plan = self.next;
    self.generation++;
    self.trial = NULL;
    close_unshared(&old, &self.plan);
    if (self.helper) /* with the settings before */
        kill(self.helper->pid, SIGTERM);
    if (old.settings_fd != self.plan.settings_fd)
        close(old.settings_fd);
    log_info("the settings were read again; replacing %s", self.plan.n_workers == 1 ? "the worker" : "the workers");
}

static void drop_trial(void)
{
    close_unshared(&self.next, &self.plan);
    if (self.next.settings_fd != self.plan.settings_fd)
        close(self.next.settings_fd);
    self.trial = NULL;
    log_error("no worker can start with the new settings; those before stay in force");
    notify_send("READY=1");
}

static void became_ready(struct process *process)
{
    struct slot *slot = &self.slots[process->slot];
    if (process->state != STARTING)
        return;
    process->state = SERVING;
    process->kill_at_ms = INT64_MAX;
    self.greeted = true;
    if (process == self.trial)
        take_plan();
    if (slot->serving)
        retire(slot->serving);
    else
        log_info("worker %zu is ready (process %d)", process->slot + 1, (int)process->pid);
    slot->serving = process;
    slot->starting = NULL;
}

static void note_death(struct slot *slot)
{
    int64_t *oldest = &slot->deaths_ms[slot->n_deaths % SUPERVISOR_DEATHS_MAX];
    bool too_many = slot->n_deaths >= SUPERVISOR_DEATHS_MAX && self.now_ms - *oldest < SUPERVISOR_DEATHS_MS;
    /* The ring forgets; while it is being slow, deaths are further apart, and the pause itself counts. */
    bool still = slot->backoff_ms && self.now_ms - slot->start_at_ms < SUPERVISOR_DEATHS_MS;
    *oldest = self.now_ms;
    slot->n_deaths++;
    if (!too_many && !still) {
        slot->backoff_ms = 0;
        slot->start_at_ms = self.now_ms;
        return;
    }
    slot->backoff_ms = slot->backoff_ms ? 2 * slot->backoff_ms : SUPERVISOR_BACKOFF_MS;
    if (slot->backoff_ms > SUPERVISOR_BACKOFF_MAX_MS)
        slot->backoff_ms = SUPERVISOR_BACKOFF_MAX_MS;
    slot->start_at_ms = self.now_ms + slot->backoff_ms;
    log_error("worker %zu dies again and again; the next start is in %lld s", (size_t)(slot - self.slots) + 1,
              (long long)(slot->backoff_ms / 1000));
}

static void log_death(const struct process *process, int status)
{
    size_t number = process->slot + 1;
    if (WIFSIGNALED(status))
        log_error("worker %zu (process %d) was ended by a signal: %s", number, (int)process->pid,
                  strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) || process->state != RETIRING)
        log_error("worker %zu (process %d) ended with %d", number, (int)process->pid, WEXITSTATUS(status));
    else
        log_info("the worker %zu before (process %d) has ended", number, (int)process->pid);
}

static void helper_died(int status)
{
    bool asked = self.stopping || (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    if (!asked)
        log_error("the helper that gets certificates ended with %d; it is started again in %d s",
                  WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
                  SUPERVISOR_HELPER_PAUSE_MS / 1000);
    self.helper = NULL;
    self.helper_at_ms = self.now_ms + (asked ? 0 : SUPERVISOR_HELPER_PAUSE_MS);
}

static void died(struct process *process, int status)
{
    if (process->slot == HELPER_SLOT) {
        helper_died(status);
        return;
    }
    struct slot *slot = &self.slots[process->slot];
    bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (slot->serving == process)
        slot->serving = NULL;
    if (slot->starting == process)
        slot->starting = NULL;
    if (self.stopping) {
        if (!clean && process->state != STARTING) /* one that starts does not know SIGTERM yet */
            self.exit_code = 1;
        return;
    }
    if (!self.greeted) { /* it has said why */
        self.stopping = true;
        self.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
        if (WIFSIGNALED(status))
            log_death(process, status);
        return;
    }
    log_death(process, status);
    if (process == self.trial)
        drop_trial();
    else if (process->state != RETIRING)
        note_death(slot);
}

static void reap(void)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct process **at = &self.processes;
        while (*at && (*at)->pid != pid)
            at = &(*at)->next;
        struct process *process = *at;
        if (!process)
            continue;
        *at = process->next;
        died(process, status);
        if (process->control >= 0)
            close(process->control);
        free(process);
    }
}

/* ---- what should be */

static void reload(void)
{
    self.reload_wanted = false;
    notify_send("RELOADING=1");
    if (!self.settings->reload(self.settings->context, &self.plan, &self.next)) {
        notify_send("READY=1");
        return;
    }
    self.trial = start(&self.next, self.generation + 1, 0);
    if (!self.trial)
        drop_trial();
}

static void upgrade(void)
{
    struct handover what = {.n_workers = 0};
    self.upgrade_wanted = false;
    notify_send("RELOADING=1");
    if (!self.settings->may_upgrade(self.settings->context) || !handover_try(self.settings->arguments)) {
        notify_send("READY=1");
        return;
    }
    for (size_t i = 0; i < HANDOVER_FDS_MAX; i++)
        what.fds[i] = i < SUPERVISOR_LISTENERS ? self.plan.listeners[i].fd : -1;
    for (size_t i = 0; i < SUPERVISOR_LISTENERS; i++)
        memcpy(what.addresses[i], self.plan.listeners[i].address, sizeof what.addresses[i]);
    what.fds[SUPERVISOR_HANDS_LIMITS] = self.plan.limits_fd;
    what.fds[SUPERVISOR_HANDS_METRICS] = self.plan.metrics_fd;
    for (const struct process *at = self.processes; at; at = at->next)
        if (at->slot != HELPER_SLOT && at->control >= 0 && what.n_workers < HANDOVER_WORKERS_MAX)
            what.workers[what.n_workers++] = (struct handover_worker){
                at->pid, at->control, at->state == SERVING ? at->slot : SUPERVISOR_WORKERS_MAX, at->drain_ms};
    if (self.helper)
        kill(self.helper->pid, SIGTERM);
    log_info("becoming the program that lies at our place now");
    handover_execute(self.settings->arguments, &what);
    notify_send("READY=1");
}

/* The workers of the program before: those that served do so until ours are ready. */
static void adopt(const struct handover *what)
{
    self.greeted = true;
    for (size_t i = 0; i < what->n_workers; i++) {
        struct process *process = calloc(1, sizeof *process);
        if (!process) {
            kill(what->workers[i].pid, SIGTERM);
            continue;
        }
        bool serves = what->workers[i].slot < SUPERVISOR_WORKERS_MAX && !self.slots[what->workers[i].slot].serving;
        *process = (struct process){.next = self.processes,
                                    .pid = what->workers[i].pid,
                                    .control = what->workers[i].control,
                                    .slot = serves ? what->workers[i].slot : 0,
                                    .state = serves ? SERVING : RETIRING,
                                    .drain_ms = what->workers[i].drain_ms,
                                    .kill_at_ms = INT64_MAX};
        self.processes = process;
        if (serves)
            self.slots[process->slot].serving = process;
        else
            retire(process); /* it may have been starting; one that retires already takes no notice */
    }
}

/* Replacing goes one by one, so that there is never much more in memory than all workers. */
static bool is_replacing(void)
{
    for (size_t i = 0; i < self.plan.n_workers; i++)
        if (self.slots[i].serving && self.slots[i].starting)
            return true;
    return false;
}

static void settle_slot(size_t index)
{
    struct slot *slot = &self.slots[index];
    bool outdated = slot->serving && slot->serving->generation != self.generation;
    if (slot->starting || slot->start_at_ms > self.now_ms)
        return;
    if (!slot->serving || (outdated && !self.trial && !is_replacing())) {
        if (!start(&self.plan, self.generation, index))
            note_death(slot);
    }
}

static void settle(void)
{
    if (self.stopping)
        return;
    size_t wanted = self.greeted ? self.plan.n_workers : 1, ready = 0;
    if (self.reload_wanted && !self.trial && self.greeted && !self.slots[0].starting)
        reload();
    if (self.upgrade_wanted && !self.trial && self.greeted && !self.slots[0].starting)
        upgrade();
    for (size_t i = 0; i < wanted; i++)
        settle_slot(i);
    if (self.plan.has_helper && self.greeted && !self.helper && self.now_ms >= self.helper_at_ms) {
        self.helper = start(&self.plan, self.generation, HELPER_SLOT);
        self.helper_at_ms = self.now_ms + SUPERVISOR_HELPER_PAUSE_MS;
    }
    for (size_t i = self.plan.n_workers; i < SUPERVISOR_WORKERS_MAX; i++)
        if (self.slots[i].serving) {
            retire(self.slots[i].serving);
            self.slots[i].serving = NULL;
        }
    for (size_t i = 0; i < self.plan.n_workers; i++)
        ready += self.slots[i].serving && self.slots[i].serving->generation == self.generation;
    if (ready == self.plan.n_workers && !self.trial && !self.announced)
        notify_send("READY=1");
    self.announced = ready == self.plan.n_workers && !self.trial;
}

/* ---- signals */

static void stop(int number)
{
    if (self.stopping) {
        log_warning("a second %s: stopping at once", strsignal(number));
        self.killed = true;
        self.exit_code = 1;
    } else {
        log_info("%s: stopping", strsignal(number));
        notify_send("STOPPING=1");
        for (size_t i = 0; i < SUPERVISOR_LISTENERS; i++)
            if (self.plan.listeners[i].fd >= 0) {
                close(self.plan.listeners[i].fd);
                self.plan.listeners[i].fd = -1;
            }
    }
    self.stopping = true;
    for (struct process *at = self.processes; at; at = at->next) {
        int64_t end_ms = self.now_ms + at->drain_ms;
        if (at->kill_at_ms > end_ms) /* one that retires has had a part of its time */
            at->kill_at_ms = end_ms;
        kill(at->pid, self.killed ? SIGKILL : SIGTERM);
    }
}

static void on_signals(void)
{
    struct signalfd_siginfo info;
    while (read(self.signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP)
            self.reload_wanted = true;
        else if (info.ssi_signo == SIGUSR2)
            self.upgrade_wanted = true;
        else if (info.ssi_signo != SIGCHLD)
            stop((int)info.ssi_signo);
    }
    reap();
}

static int take_signals(void)
{
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGHUP);
    sigaddset(&ours, SIGUSR2);
    sigaddset(&ours, SIGCHLD);
    /* What came while the program before became this one: ignoring a signal throws away what waits of it (POSIX sigaction()). */
    sigset_t waiting;
    if (sigpending(&waiting) == 0) {
        self.reload_wanted |= sigismember(&waiting, SIGHUP) == 1;
        self.upgrade_wanted |= sigismember(&waiting, SIGUSR2) == 1;
    }
    /* Blocked, they reach us all the same; a worker inherits it, so that none is ended before it ignores them itself. */
    signal(SIGHUP, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &ours, NULL))
        return -1;
    return signalfd(-1, &ours, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* ---- what workers say */

static void pass_on(const struct process *from, struct str packet, int file)
{
    bool lost = false;
    for (struct process *at = self.processes; at; at = at->next)
        if (at != from && at->slot != HELPER_SLOT && at->control >= 0 && !packet_send(at->control, packet, file))
            lost = true;
    if (lost && self.now_ms >= self.lost_log_ms) {
        log_warning("a worker does not keep up with what others tell it");
        self.lost_log_ms = self.now_ms + LOST_LOG_EVERY_MS;
    }
}

static void listen_to(struct process *process)
{
    static char bytes[PACKET_MAX_BYTES];
    size_t len;
    int file;
    enum packet_result result;
    while ((result = packet_receive(process->control, bytes, &len, &file)) == PACKET_ONE) {
        if (bytes[0] == SUPERVISOR_READY)
            became_ready(process);
        else if (bytes[0] == SUPERVISOR_PING)
            process->pinged = false;
        else if (bytes[0] == SUPERVISOR_RENEWED)
            self.reload_wanted = true;
        else if (bytes[0] == SUPERVISOR_TELL)
            pass_on(process, str_of(bytes, len), file);
        if (file >= 0)
            close(file);
    }
    if (result == PACKET_GONE) { /* it ends */
        close(process->control);
        process->control = -1;
    }
}

/* ---- time */

/* Only under systemd's watchdog: it then watches all of us. */
static void ping(void)
{
    char packet = SUPERVISOR_PING;
    int64_t every_ms = notify_watchdog_ms() / 2;
    if (every_ms == 0 || self.now_ms < self.ping_at_ms)
        return;
    self.ping_at_ms = self.now_ms + every_ms;
    notify_send("WATCHDOG=1");
    for (struct process *at = self.processes; at; at = at->next) {
        if (at->state != SERVING)
            continue;
        if (at->pinged) {
            log_error("worker %zu (process %d) does not answer and is ended", at->slot + 1, (int)at->pid);
            kill(at->pid, SIGKILL);
        }
        at->pinged = true;
        (void)!packet_send(at->control, str_of(&packet, 1), -1);
    }
}

static void end_overdue(void)
{
    for (struct process *at = self.processes; at; at = at->next) {
        if (at->kill_at_ms > self.now_ms)
            continue;
        log_error("worker %zu (process %d) %s and is ended", at->slot + 1, (int)at->pid,
                  at->state == STARTING && !self.stopping ? "does not get ready" : "does not stop");
        kill(at->pid, SIGKILL);
        at->kill_at_ms = INT64_MAX;
    }
}

static int wait_ms(void)
{
    int64_t until = INT64_MAX;
    for (const struct process *at = self.processes; at; at = at->next)
        until = at->kill_at_ms < until ? at->kill_at_ms : until;
    for (size_t i = 0; i < self.plan.n_workers && !self.stopping; i++) {
        const struct slot *slot = &self.slots[i];
        bool waits = !slot->starting && (!slot->serving || slot->serving->generation != self.generation);
        if (waits && slot->start_at_ms > self.now_ms && slot->start_at_ms < until)
            until = slot->start_at_ms;
    }
    if (self.plan.has_helper && !self.helper && !self.stopping && self.helper_at_ms < until)
        until = self.helper_at_ms;
    if (notify_watchdog_ms() && self.ping_at_ms < until)
        until = self.ping_at_ms;
    if (until == INT64_MAX)
        return -1;
    return until <= self.now_ms ? 0 : (int)(until - self.now_ms);
}

/* ---- the loop */

static void turn(void)
{
    static struct pollfd polled[POLLED_MAX + 1];
    static struct process *by[POLLED_MAX];
    size_t count = 1;
    polled[0] = (struct pollfd){.fd = self.signals, .events = POLLIN};
    for (struct process *at = self.processes; at && count < POLLED_MAX; at = at->next)
        if (at->control >= 0) {
            by[count] = at;
            polled[count++] = (struct pollfd){.fd = at->control, .events = POLLIN};
        }
    polled[count] = (struct pollfd){.fd = self.watch, .events = POLLIN}; /* -1: ignored */
    poll(polled, count + 1, wait_ms());
    self.now_ms = clock_monotonic_ms();
    if (polled[count].revents && watch_changed(self.watch)) {
        log_info("/etc/resolv.conf is another file now");
        self.reload_wanted = true;
    }
    for (size_t i = 1; i < count; i++) /* before reap(), which frees processes */
        if (polled[i].revents)
            listen_to(by[i]);
    if (polled[0].revents)
        on_signals();
    end_overdue();
    ping();
    settle();
}

int supervisor_run(const struct supervisor_settings *settings)
{
    self.settings = settings;
    self.plan = settings->plan;
    self.generation = 1;
    self.now_ms = clock_monotonic_ms();
    self.signals = take_signals();
    if (self.signals < 0) {
        log_error("signals cannot be listened to: %s", strerror(errno));
        return 1;
    }
    self.watch = watch_resolver();
    if (settings->handover)
        adopt(settings->handover);
    settle();
    if (!self.processes)
        return 1;
    while (self.processes || !self.stopping)
        turn();
    return self.exit_code;
}

/*
 * Keeps worker processes alive behind one listening socket.
 *
 *     supervisor: socket, settings --fork, exec--> worker 1..N: accept, serve        (each with the socket, and a line to here)
 *        SIGTERM, SIGINT   all workers drain; ends when the last has; a second one ends them at once
 *        SIGHUP            settings are read and checked anew; then worker by worker a new one starts, and when it accepts, the
 *                          old one retires; when the settings are bad or the new worker does not start, the old ones stay
 *        SIGUSR2           executes the binary that lies at our place now, as this process (net/handover.h), with the workers it
 *                          has; then replaces them one by one
 *        a worker dies     a new one starts at once; after 5 deaths in 10 s, ever more slowly
 *
 * The supervisor parses nothing, opens no database, and passes on unread what workers tell each other. Workers are executed
 * anew rather than forked only: each has its own addresses and stack canary, so that one that crashes teaches nobody about the
 * next. They get the settings that were checked, not what the file holds when they start: a worker that dies comes back as it
 * was, whatever the file says by then.
 */
#ifndef NET_SUPERVISOR_H
#define NET_SUPERVISOR_H

#include "net/handover.h"

enum {
    SUPERVISOR_WORKERS_MAX = 64,
    SUPERVISOR_START_MS = 30 * 1000, /* in which a worker has to get ready */
    SUPERVISOR_DEATHS_MAX = 5,       /* of one worker, in ... */
    SUPERVISOR_DEATHS_MS = 10 * 1000,
    SUPERVISOR_BACKOFF_MS = 1000, /* then the pause before its next start, doubled each time up to ... */
    SUPERVISOR_BACKOFF_MAX_MS = 5 * 1000,
    SUPERVISOR_HELPER_PAUSE_MS = 60 * 1000, /* before a helper that died is started again */
};

enum supervisor_listen { SUPERVISOR_MAIN, SUPERVISOR_HTTP, SUPERVISOR_METRICS, SUPERVISOR_LISTENERS };

/* Which of handover.fds is what: the listeners, then these. */
enum { SUPERVISOR_HANDS_LIMITS = SUPERVISOR_LISTENERS, SUPERVISOR_HANDS_METRICS, SUPERVISOR_HANDS };

/* The environment variable that tells a process it is a worker, and the first byte of packets: for net/worker.c. */
#define SUPERVISOR_VARIABLE "_PORTEIRO_WORKER"
enum supervisor_packet {
    SUPERVISOR_RENEWED = 'n', /* from the helper: there is a new certificate */
    SUPERVISOR_PING = 'p',
    SUPERVISOR_READY = 'r',
    SUPERVISOR_RETIRE = 'd',
    SUPERVISOR_TELL = 't'
};

/* What a set of workers runs with. The descriptors are close-on-exec, and the supervisor's once it has taken them. */
struct supervisor_plan {
    size_t n_workers;
    struct supervisor_listener {
        int fd;           /* -1: none */
        char address[64]; /* as the settings have it */
    } listeners[SUPERVISOR_LISTENERS];
    int settings_fd;
    /* Memory that the workers share; the same in all plans. */
    int limits_fd;    /* limits/limits.h */
    int metrics_fd;   /* base/metrics.h */
    bool has_helper;  /* one process more, as worker 0: it gets certificates (cli/acme.h) */
    int64_t drain_ms; /* from being told to stop or retire until it is ended; workers end by themselves before that */
};

struct supervisor_settings {
    struct supervisor_plan plan;
    char *const *arguments; /* argv of the workers behind their name; NULL-terminated */
    const char *source;     /* where the settings came from; to be shown */
    int64_t begun_ns;       /* on the monotonic clock */
    /* What the program before has handed over; NULL: nothing. Its descriptors are in the plan already. */
    const struct handover *handover;
    /*
     * SIGHUP: reads and checks the settings. False: they are bad, and it has logged why. `old` is what runs now; a descriptor
     * that stays the same is repeated.
     */
    bool (*reload)(void *context, const struct supervisor_plan *old, struct supervisor_plan *ret);
    /* SIGUSR2: whether a new program would find the settings that are in force. False: it would not, and it has logged why. */
    bool (*may_upgrade)(void *context);
    void *context;
};

/*
 * Runs until it is told to stop; takes over SIGTERM, SIGINT, SIGHUP, SIGCHLD. Returns the exit code: 0; 1 when something had to
 * be ended by force; that of the first worker when it could not even start. Tells systemd about it (sd_notify).
 */
int supervisor_run(const struct supervisor_settings *settings);

#endif

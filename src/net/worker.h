/*
 * The worker's side of net/supervisor.h: what a process that a supervisor started has inherited, and how it talks to it.
 *
 * A worker ends when its supervisor does (PR_SET_PDEATHSIG), so none is left behind.
 */
#ifndef NET_WORKER_H
#define NET_WORKER_H

#include "base/str.h"

enum {
    WORKER_LISTEN_FD = 3,
    WORKER_CONTROL_FD = 4,
    WORKER_SETTINGS_FD = 5,
    WORKER_LIMITS_FD = 6,
    WORKER_METRICS_FD = 7,
    WORKER_LISTEN_HTTP_FD = 8,    /* only when such a listener is set */
    WORKER_LISTEN_METRICS_FD = 9, /* the same */
};

struct worker {
    int number;        /* 1, 2, ...; 0: the helper, which does not serve */
    bool first;        /* of this run of the supervisor: it prepares the database, and greets */
    int64_t begun_ns;  /* when the supervisor began, on the monotonic clock */
    struct str source; /* where the settings came from, to be shown */
};

/*
 * Early in main(): NULL when no supervisor started this process. Dies at once when the supervisor is gone already. The
 * settings are in WORKER_SETTINGS_FD, as a file of settings.
 */
const struct worker *worker_self(void);

struct worker_callbacks {
    /* A newer worker has taken this one's place: end when what is under way has ended, in no hurry. */
    void (*retire)(void *context);
    /* Another worker of this supervisor told all. `file`: -1, or to be closed by the callee. */
    void (*told)(void *context, struct str bytes, int file);
    void *context;
};

/* On the loop, once. Replaces the callbacks' need for signals other than SIGTERM: stop now, but in order. */
MUST_CHECK bool worker_begin(const struct worker_callbacks *callbacks);
/* "I accept connections." */
void worker_ready(void);
/* From the helper: read the settings again, for there is a new certificate. */
void worker_renewed(void);
/* Tells all other workers; never waits. False when this process has no siblings, or they are too slow to be told more. */
bool worker_tell(struct str bytes, int file);
void worker_end(void);

#endif

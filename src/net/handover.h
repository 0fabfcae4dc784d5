/*
 * A supervisor that becomes another program without letting go of anything (SIGUSR2): it executes the new binary in its own
 * place, so its process id, its sockets, the memory that workers share and the workers themselves stay. What they are stands in an
 * environment variable.
 *
 * Before that, the new binary is run once beside us, with the same arguments and environment, to see that it starts and takes the
 * settings: one that does not must not end the server.
 */
#ifndef NET_HANDOVER_H
#define NET_HANDOVER_H

#include "base/str.h"

#include <sys/types.h>

enum { HANDOVER_FDS_MAX = 8, HANDOVER_ADDRESSES = 3, HANDOVER_WORKERS_MAX = 256 };

struct handover_worker {
    pid_t pid;
    int control;
    size_t slot;
    int64_t drain_ms; /* how long it may take to end, by the settings that it runs with */
};

struct handover {
    int fds[HANDOVER_FDS_MAX];              /* what each means, the supervisor knows; -1: none */
    char addresses[HANDOVER_ADDRESSES][64]; /* of the first fds, as the settings had them; empty: none */
    struct handover_worker workers[HANDOVER_WORKERS_MAX];
    size_t n_workers;
};

/* Early in main(), once: where our binary lies, while it still does. */
void handover_remember_program(void);

/* Is this process only asked whether it could take over? Then it ends with 0 as soon as it knows. */
bool handover_is_trial(void);

/* What the program before has left us. False: nothing; this is an ordinary start. */
bool handover_take(struct handover *ret);

/* Does the binary that lies at our place now start, with these arguments (argv without its name)? Takes a moment. */
MUST_CHECK bool handover_try(char *const *arguments);

/* Does not return when it succeeds. */
void handover_execute(char *const *arguments, const struct handover *what);

#endif

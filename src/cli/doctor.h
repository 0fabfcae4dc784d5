/*
 * porteiro doctor: looks at everything that this server needs, one finding a check, each with what to do. It changes nothing: no
 * schema is made or migrated, no key, no file that stays.
 *
 *     doctor.c            the command, and the checks of settings and machine
 *     doctor_database.c   those of the database and what is in it
 *     doctor_network.c    those of the way out, and of one connection
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "base/buf.h"
#include "cli/cli.h"

enum doctor_verdict { DOCTOR_OK, DOCTOR_SKIP, DOCTOR_WARN, DOCTOR_FAIL };

struct doctor {
    struct cli *cli;
    const char *check; /* the one that runs now */
    struct answers *findings;
    struct buf lines; /* the same for people */
    int64_t warned, failed;
    bool has_database, has_accounts, has_client;
};

/* The finding of the check that runs; `fix` is a sentence, NULL where there is nothing to do. */
void doctor_say(struct doctor *doctor, enum doctor_verdict verdict, const char *fix, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* The last failure of the call as the finding, and forgets it. */
void doctor_say_failure(struct doctor *doctor, enum doctor_verdict verdict, const char *fix);

struct doctor_check {
    const char *name; /* stable, for scripts */
    void (*run)(struct doctor *doctor);
};
extern const struct doctor_check doctor_database_checks[], doctor_network_checks[];
extern const size_t n_doctor_database_checks, n_doctor_network_checks;

/* The checks of one connection. */
MUST_CHECK int doctor_connection(struct doctor *doctor, int64_t id);

#endif

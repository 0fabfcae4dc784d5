/*
 * One connection looked at from end to end: what of ours could stop it, then its service step by step, as its provider looks at it.
 * Each finding has a stable word for what was looked at and one for what was found, so that those who show it have their own sentences;
 * text and fix are the English ones.
 */
#ifndef ACCOUNTS_CONNECT_DOCTOR_H
#define ACCOUNTS_CONNECT_DOCTOR_H

#include "accounts/connections.h"

enum finding_result { FINDING_OK, FINDING_SKIP, FINDING_WARN, FINDING_FAIL };

struct finding {
    const char *
        check; /* "status", "provider", "tokens", "address", a step of the provider, "user", "speed", "advice", "state" */
    enum finding_result result;
    struct str code;  /* "active", "paused", "none", ...; of a failed step: its provider's code ("wrong_password") */
    struct str value; /* what the sentence is about: a number, an address, a name; may be empty */
    struct str text;  /* never empty */
    struct str fix;   /* what to do; empty: nothing, or `text` says it */
    int64_t ms;       /* how long it took; -1: nothing was waited for */
};

enum { FINDINGS_MAX = 24 };
struct findings {
    struct finding items[FINDINGS_MAX];
    size_t count, failed, warned;
};

/* "ok", "skip", "warn", "fail" */
const char *finding_result_name(enum finding_result result);

/* Of a connection that is there, with its stored password; the look at the service is kept as connect_test() keeps it. Waits. */
MUST_CHECK int connect_doctor(struct call *call, int64_t user_id, int64_t id, struct findings *ret);

#endif

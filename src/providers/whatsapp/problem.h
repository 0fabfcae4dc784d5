/*
 * What a service's answer means: one error model over both backends. Pure: an answer in, a problem out.
 *
 * The table of codes is Meta's (Graph); Evolution has words of its own, and hands Meta's through.
 */
#ifndef PROVIDERS_WHATSAPP_PROBLEM_H
#define PROVIDERS_WHATSAPP_PROBLEM_H

#include "call/call.h"
#include "json/json.h"

enum problem_cause {
    PROBLEM_NONE,
    PROBLEM_CREDENTIAL,     /* token or key is not taken */
    PROBLEM_BLOCKED,        /* permission is missing, or the account is blocked */
    PROBLEM_THROTTLED,      /* too fast for the number */
    PROBLEM_PAIR_THROTTLED, /* too fast for this recipient */
    PROBLEM_WINDOW,         /* the 24 hours are over */
    PROBLEM_UNDELIVERABLE,  /* this recipient cannot be reached */
    PROBLEM_OPTED_OUT,      /* the recipient wants none */
    PROBLEM_NOT_ON_WHATSAPP,
    PROBLEM_NO_TEMPLATE,
    PROBLEM_ARGUMENTS, /* what was sent is wrong */
    PROBLEM_TRANSIENT, /* the service failed for now, and did nothing */
    PROBLEM_NO_INSTANCE,
    PROBLEM_DISCONNECTED, /* the telephone behind the instance is not connected */
    PROBLEM_UNSUPPORTED,  /* not with this kind of number */
    PROBLEM_UNKNOWN,      /* it failed, and nobody can say whether it was done */
    PROBLEM_CAUSES,
};

struct problem {
    enum problem_cause cause;
    int64_t code;           /* Meta's; 0: none */
    struct str said;        /* what the service says; outside text */
    bool may_be_done;       /* it may have been done all the same */
    bool is_own_credential; /* of PROBLEM_CREDENTIAL: what we hold, not what Evolution holds for Meta */
};

/* Short stable name: "window", "credential", ... */
const char *problem_name(enum problem_cause cause);
/* May the very same be tried again, later? */
bool problem_is_retryable(enum problem_cause cause);

/* `json` JSON_MISSING: the answer was none. cause PROBLEM_NONE: it is a success, as far as the service says. */
struct problem problem_of_cloud(struct arena *arena, int status, const struct json *json);
struct problem problem_of_evolution(struct arena *arena, int status, const struct json *json);

/* Of a code alone, as webhooks have it. */
enum problem_cause problem_of_code(int64_t code);

/* Records it with fail(): what happened, why, what to do. */
int problem_fail(struct call *call, const struct problem *problem);

#endif

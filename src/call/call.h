/*
 * One unit of work: a request, a command, a background job. It carries what the work may use (arena, deadline), for whom it
 * is done, and how it failed.
 *
 * A function that takes `struct call *` may suspend (see net/task.h): after it returns the world may have changed.
 */
#ifndef CALL_CALL_H
#define CALL_CALL_H

#include "base/arena.h"
#include "base/clock.h"

enum error {
    OK = 0,
    E_INVALID = -1,         /* the input is wrong: say what is right */
    E_UNAUTHENTICATED = -2, /* no or a bad credential for us */
    E_DENIED = -3,          /* known, but not allowed */
    E_NOT_FOUND = -4,
    E_CONFLICT = -5,    /* exists already, or was changed meanwhile */
    E_LIMIT = -6,       /* too large, too deep, too many, too often */
    E_TIMEOUT = -7,     /* the deadline passed */
    E_CANCELLED = -8,   /* nobody waits for the answer any more */
    E_UNAVAILABLE = -9, /* our database or our resources are not there right now */
    E_UPSTREAM = -10,   /* the connected service failed or answered nonsense */
    E_EGRESS = -11,     /* the address is not one we may call */
    E_CRYPTO = -12,     /* a sealed value does not open: wrong key or changed row */
    E_INTERNAL = -13,   /* our own mistake */
    E_WAITING = -14,    /* somebody has to answer or agree first; nothing was done */
    E_REFUSED = -15,    /* the connected service does not take the stored credential: again would only get us banned */
};

/* Short stable name for logs and JSON: "invalid", "not_found", ... */
const char *error_name(int code);

struct task;
struct principal; /* accounts/authenticate.h: token, connection, user, rights */
struct span;
struct db_link; /* the connection of the open transaction, see store/db.h */

enum { CALL_ID_BYTES = 17 };

struct call {
    struct arena *arena;
    char id[CALL_ID_BYTES]; /* 16 hex digits: in our log, in answers, and as X-Request-ID upstream */
    int64_t deadline_ms;    /* on the monotonic clock */
    struct task *task;      /* the task it runs on; NULL in a command, which runs the loop while it waits */
    struct principal *who;  /* NULL before authentication, and in commands */
    struct str client; /* address of who asks, see net/client_address.h; empty: a command, stdio, or work of our own */
    struct db_link *db_link; /* set between db_begin() and db_commit()/db_rollback() */
    struct str traceparent;  /* W3C trace context of the client, checked; for services we call; empty: none */
    struct str tracestate, baggage;
    struct span *span; /* what is being traced right now, see net/span.h; NULL: nothing */
    bool cancelled;    /* its client gave it up, or call_cancel() was called; every wait then ends with E_CANCELLED */
    bool ended;        /* by call_cancel(): all of it, and not only the message of a batch that is served now */
    int error;         /* the last fail()'s code */
    struct str error_text;   /* for the person: what happened, why, what to do */
    struct str error_detail; /* for our log only */
    int64_t
        retry_after_s; /* with E_LIMIT: in how many seconds it may be tried again; 0: waiting does not help, or is not known */
    unsigned error_rights; /* of E_DENIED: the rights (call/rights.h) for want of which; 0: it is something else */
};

/* The client has gone, or the server stops. Who may be waiting has to be woken (task_wake()). */
static inline void call_cancel(struct call *call)
{
    call->cancelled = call->ended = true;
}

/* The arena stays the caller's. */
void call_init(struct call *call, struct arena *arena, int64_t timeout_ms);

/*
 * A piece of a long call whose memory may go before the call ends: arena_reset(piece->arena) forgets it. It runs on the same task;
 * what it runs out of, the whole call has run out of. What fails in it is recorded in it.
 */
void call_init_piece(struct call *piece, struct call *whole, size_t budget_bytes);

/*
 * Records why the work failed and returns `code`, so that `return fail(call, E_INVALID, "...");` is one line.
 * The text is shown to the client: no secret, no SQL, no path of ours.
 */
int fail(struct call *call, enum error code, const char *format, ...) PRINTF_LIKE(3, 4);

/* Adds what only the log may see; call it right before or after fail(). */
void fail_detail(struct call *call, const char *format, ...) PRINTF_LIKE(2, 3);

/* Forgets a failure that was handled. */
void call_clear_error(struct call *call);

int64_t call_time_left_ms(const struct call *call); /* 0 when the deadline passed */

/* call's arena shorthand */
#define call_format(call, ...) str_format((call)->arena, __VA_ARGS__)

#endif

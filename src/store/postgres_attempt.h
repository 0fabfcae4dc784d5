/*
 * One try to connect to PostgreSQL, on a helper thread: libpq blocks there for name lookup, TLS and passwords. It may outlive who
 * wanted it, for nobody waits longer than his own time.
 */
#ifndef STORE_POSTGRES_ATTEMPT_H
#define STORE_POSTGRES_ATTEMPT_H

#include "net/helper.h"

#include <libpq-fe.h>

enum {
    POSTGRES_ATTEMPT_MS = 5 * 1000 /* for an answer to the first statement; for connecting: DB_CONNECT_TIMEOUT_S */
};

struct postgres_attempt {
    struct helper_job job;
    struct postgres_attempt *next;                   /* of those under way; the owner's list */
    void (*ended)(struct postgres_attempt *attempt); /* on the loop's stack; frees it */
    void *context;
    void *owner;        /* NULL: nobody waits any more */
    bool asks;          /* sends a statement too, and keeps no connection */
    PGconn *connection; /* of one that does not ask: whose ended() it is; closed if it is left here */
    bool answered;      /* the server said something, be it a refusal */
    int64_t begun_ms, took_ms;
    char problem[256]; /* empty: it worked */
    char url[];
};

/* NULL: no memory. */
struct postgres_attempt *postgres_attempt_start(struct helper *helper, const char *url, bool asks,
                                                void (*ended)(struct postgres_attempt *attempt), void *context,
                                                void *owner);
void postgres_attempt_free(struct postgres_attempt *attempt);

#endif

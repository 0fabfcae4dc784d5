/*
 * What db.c and the two drivers share; nobody else includes it.
 *
 * db.c knows calls, arenas, pools, transactions and error texts. A driver knows one engine: it runs a request on one link and
 * says how that went, without touching the call's arena, so that a link can never be lost to an exhausted one.
 */
#ifndef STORE_DB_DRIVER_H
#define STORE_DB_DRIVER_H

#include "store/db.h"

/* A result in one heap block that grows: the driver's thread or the loop fills it, db.c copies it into the arena. */
struct db_raw {
    size_t n_rows, n_columns;
    int64_t changes;
    struct db_raw_cell {
        size_t offset;
        size_t len;
        bool is_null;
    } * cells;
    size_t n_cells, cells_capacity;
    char *text;
    size_t text_len, text_capacity;
    bool failed; /* too large, or no memory */
};

void db_raw_add(struct db_raw *raw, const char *ptr, size_t len, bool is_null);
void db_raw_done(struct db_raw *raw);

struct db_outcome {
    enum error error; /* OK or what fail() is to say */
    bool lost;        /* the connection broke: a read may be tried again on a new one */
    bool rolled_back; /* the server says that nothing was done: whatever it was, it may be tried again */
    char detail[256]; /* for our log */
};

void db_outcome_unchanged(struct db_outcome *outcome); /* db_posted.must_change */
PRINTF_LIKE(3, 4) void db_outcome_set(struct db_outcome *outcome, enum error error, const char *format, ...);

struct db_request {
    struct str sql; /* NUL-terminated */
    const struct db_param *params;
    const char *const
        *texts; /* PostgreSQL: the parameters as text; SQLite: of times only. Made before a link is taken */
    size_t n_params;
    /* What goes before it in the same transaction, in this order; SQLite: in the same turn of its thread. */
    const char *begin;
    struct db_posted *posted;
    bool is_script;
    bool in_transaction; /* the link has one open: on a new connection the statement would mean something else */
    int64_t deadline_ms;
};

/* db_post(): a statement that goes with the next one. In the arena of the call that posted it. */
struct db_posted {
    struct db_posted *next;
    struct db_request request;
    bool must_change; /* without a row that it changes it fails */
    struct db_raw raw;
};

struct db_pool {
    struct db_link *idle; /* the most recently used first */
    struct db_waiter *first, *last;
};

struct db_link { /* first member of the driver's own struct */
    struct db *db;
    struct db_pool *pool;
    struct db_link *next;      /* of all the database's */
    struct db_link *next_idle; /* of the pool's idle ones */
    bool busy;
    bool failed; /* a statement of the open transaction failed */
    struct transaction *transaction;
    const char *begin; /* of the open transaction; not run yet */
    struct db_posted *posted, **last_posted;
    struct call janitor; /* rolls back what a call left open */
    struct arena *janitor_arena;
};

enum { DB_POOLS_MAX = 2 };

struct db {
    enum db_kind kind;
    int64_t used_ms;
    const struct db_driver *driver;
    struct db_link *links;
    struct db_pool pools[DB_POOLS_MAX];
    struct db_pool *read_pool; /* for single statements that only read; may be the same */
    struct db_pool *write_pool;
};

struct db_driver {
    const char *begin, *begin_snapshot;
    bool takes_posted; /* run() looks at request->begin and ->posted; otherwise db.c runs them one by one */
    /* Runs the request; may wait. Leaves the link usable, or closes it and says so by outcome->lost. */
    void (*run)(struct call *call, struct db_link *link, const struct db_request *request, struct db_raw *raw,
                struct db_outcome *outcome);
    /* Ends what is open on the link, at once and without waiting; the next run() begins anew. */
    void (*reset)(struct db_link *link);
    void (*close)(struct db *db);
};

/* Called by the drivers' open functions for each of their links. False when there is no memory. */
MUST_CHECK bool db_link_add(struct db *db, struct db_pool *pool, struct db_link *link);
void db_link_done(struct db_link *link);

/* Waits, deaf to cancellation, until *done or deadline_ms; returns *done. Who sets *done wakes the call. */
bool db_wait(struct call *call, const bool *done, int64_t deadline_ms);

MUST_CHECK int db_sqlite_open(struct call *call, struct str path, struct db **ret_db);
/*
 * How to connect where neither the URL nor the environment says: a server on another machine must show a certificate that is right
 * for its name, of an authority of the system; NULL: as libpq likes.
 */
struct db_postgres_tls {
    const char *mode, *root; /* sslmode, sslrootcert */
};
struct db_postgres_tls db_postgres_tls(const char *url);

MUST_CHECK int db_postgres_open(struct call *call, struct str url, struct db **ret_db);

#endif

/*
 * Brings a database to this program's schema, and tells how it stands.
 *
 * The history is kept as Drizzle keeps it (drizzle.__drizzle_migrations on PostgreSQL, __drizzle_migrations on SQLite: hash of
 * the file, time of the migration), so that drizzle-kit finds nothing to do; when Drizzle 1.0 has added its `name` and
 * `applied_at`, they are filled. All that is pending is applied in one transaction under a lock that other programs of ours
 * respect: 8 at once leave one history, and a killed one leaves all or nothing.
 *
 * A database that is not ours yet is adopted: the earlier system's, whatever it left as history, if its five tables are
 * exactly the ones we know (foreign keys under PostgreSQL's own names are renamed). What differs is refused, with what
 * differs, and nothing is changed.
 */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "store/db.h"

enum migrate_state {
    MIGRATE_CURRENT, /* nothing to do */
    MIGRATE_EMPTY,   /* none of our tables */
    MIGRATE_BEHIND,  /* some migrations are pending */
    MIGRATE_ADOPT,   /* the tables are there, the history is not */
    MIGRATE_REFUSED, /* a newer schema, a foreign history, or a table missing: see problem */
};

const char *migrate_state_name(enum migrate_state state); /* "current", "empty", ... */

struct migrate_entry {
    const char *tag;
    int64_t when_ms;
    bool applied;
};

struct migrate_status {
    enum migrate_state state;
    size_t n_entries;
    struct migrate_entry *entries; /* this program's migrations, by time; in the call's arena */
    size_t n_pending;
    struct str problem; /* of MIGRATE_REFUSED: what is wrong and what to do */
};

/* Reads only. A difference in the structure of tables to adopt shows only when migrate_apply() looks. */
MUST_CHECK int migrate_status(struct call *call, struct db *db, struct migrate_status *ret);

struct migrate_result {
    size_t n_applied;  /* migrations run now */
    size_t n_recorded; /* migrations found done, and written into the history now */
    bool was_empty;
};

/* E_CONFLICT: refused; the text says why. Costs four short reads when there is nothing to do. ret_result may be NULL. */
MUST_CHECK int migrate_apply(struct call *call, struct db *db, struct migrate_result *ret_result);

/*
 * db_begin() and the lock of migrate_apply(), for what must happen once on a new database (making the master key). End it
 * with db_commit() or db_rollback().
 */
MUST_CHECK int migrate_lock(struct call *call, struct db *db);

#endif

/*
 * Opens everything that stands on the database: keys, the audit chain, the counter that carries revocations to the other
 * processes of this host.
 *
 *     db_open() -> migrate_apply() -> accounts_open() -> ... -> audit_flush() -> accounts_close() -> db_close()
 *
 * After a fork every process opens for itself.
 */
#ifndef ACCOUNTS_ACCOUNTS_H
#define ACCOUNTS_ACCOUNTS_H

#include "crypto/keyring.h"
#include "store/db.h"

struct accounts_options {
    struct keyring_source keys;
    struct str data_dir;     /* for the counter; empty: revocations reach other processes after a second */
    struct str audit_writer; /* names this process's audit chain: "host/worker-1"; empty: host name and "/main" */
    struct str checkpoints;  /* the file for audit checkpoints; empty: none */
    struct str key_holder;   /* names a process that stays, in mcp_key_holders; empty: a command */
    bool small_host;         /* cheaper password hashes */
};

/*
 * Needs a migrated database. Without any keys in it, and with nothing in it that needs them, the keys are made (under the
 * migration lock; with no master key configured that is made too: *ret_made_key). A database with data and no or another key:
 * E_CRYPTO, whose text says what to do.
 */
MUST_CHECK int accounts_open(struct call *call, struct db *db, const struct accounts_options *options,
                             bool *ret_made_key);

/* At the end of a process that stays: it holds the master key no more. Waits. */
void accounts_let_go(struct call *call);

/* Wipes the keys, forgets the caches. The audit queue must have been flushed (audit_flush()). */
void accounts_close(void);

#endif

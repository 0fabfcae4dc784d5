/* For tests of the audit log: a migrated database, and the keys that chains are made with. */
#ifndef AUDIT_AUDIT_TEST_HELP_H
#define AUDIT_AUDIT_TEST_HELP_H

#include "crypto/keyring.h"
#include "store/db_test_help.h"
#include "store/migrate.h"
#include "store/store.h"

static struct fixture *open_with_keys(enum db_kind kind, int time_ms)
{
    struct fixture *f = fixture_new(kind, 512 * 1024 * 1024, time_ms);
    struct keyring_source source = {.key_text = STR("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")};
    struct str check, server;
    assert_ok(&f->call, migrate_apply(&f->call, f->db, NULL));
    store_init(f->db);
    assert_ok(&f->call, keyring_load_master(&f->call, &source));
    assert_ok(&f->call, keyring_create(&f->call, &check, &server));
    return f;
}

static void close_with_keys(struct fixture *f)
{
    keyring_done();
    store_init(NULL);
    fixture_free(f);
}

#endif

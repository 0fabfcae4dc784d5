/*
 * For tests of what happens when the database fails in the middle: the first statement of an operation, the second, and so on until
 * none is left, a transaction's begin and commit included. Whatever was done before must be undone, so that the operation can be
 * asked for again.
 */
#ifndef STORE_DB_FAULT_TEST_HELP_H
#define STORE_DB_FAULT_TEST_HELP_H

#include "store/db_driver.h" /* stands between db.c and the driver */
#include "store/db_test_help.h"

static const struct db_driver *fault_driver; /* the real one */
static int fault_left;                       /* statements before the one that fails; negative: none does */

/* A transaction's begin and what was posted go with the next statement. */
static int fault_statements(const struct db_request *request)
{
    int n = 1 + (request->begin != NULL);
    for (const struct db_posted *posted = request->posted; posted; posted = posted->next)
        n++;
    return n;
}

static void fault_run(struct call *call, struct db_link *link, const struct db_request *request, struct db_raw *raw,
                      struct db_outcome *outcome)
{
    int before = fault_left, n = fault_statements(request);
    fault_left -= n;
    if (before >= 0 && before < n)
        db_outcome_set(outcome, E_UNAVAILABLE, "the test's doing");
    else
        fault_driver->run(call, link, request, raw, outcome);
}

/* Returns how many statements the operation has; it succeeds at the end, once. */
static __attribute__((unused)) int each_statement_fails(struct fixture *f, int (*operation)(struct fixture *f))
{
    struct db_driver driver = *f->db->driver;
    fault_driver = f->db->driver;
    driver.run = fault_run;
    for (int n = 0;; n++) {
        f->db->driver = &driver;
        fault_left = n;
        call_clear_error(&f->call);
        int error = operation(f);
        bool hit = fault_left < 0;
        f->db->driver = fault_driver;
        if (!hit) {
            assert_ok(&f->call, error);
            return n;
        }
        if (error != E_UNAVAILABLE)
            fail_msg("statement %d failed, and what came of it is %s: %.*s", n, error ? error_name(error) : "nothing",
                     STR_ARG(f->call.error_text));
        assert_true(n < 200);
    }
}

/* Somebody else holds the connection that is needed (SQLite: one for what writes, one for what reads) until our time is over. */
static __attribute__((unused)) int while_others_hold_it(struct fixture *f,
                                                        int (*begin)(struct call *call, struct db *db),
                                                        int (*operation)(struct fixture *f))
{
    struct call other;
    int64_t deadline_ms = f->call.deadline_ms;
    call_init(&other, arena_new(64 * 1024), 60 * 1000);
    assert_int_equal(begin(&other, f->db), OK);
    f->call.deadline_ms = clock_monotonic_ms() + 50;
    call_clear_error(&f->call);
    int error = operation(f);
    f->call.deadline_ms = deadline_ms;
    assert_int_equal(db_rollback(&other, f->db), OK);
    arena_free(other.arena);
    return error;
}

/* The n-th statement (from 0) of what reports no error. */
static __attribute__((unused)) void one_statement_fails(struct fixture *f, int n, void (*operation)(struct call *call))
{
    struct db_driver driver = *f->db->driver;
    fault_driver = f->db->driver;
    driver.run = fault_run;
    f->db->driver = &driver;
    fault_left = n;
    operation(&f->call);
    f->db->driver = fault_driver;
    assert_true(fault_left < 0);
}

#endif

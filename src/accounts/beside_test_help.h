/* A transaction of somebody else's beside the one that is tested: on PostgreSQL, where two can be under way at once. */
#ifndef ACCOUNTS_BESIDE_TEST_HELP_H
#define ACCOUNTS_BESIDE_TEST_HELP_H

#include "accounts/accounts_test_help.h"

/* Somebody else's statements, until they sleep. */
static PGconn *begin_beside(struct fixture *f, const char *text)
{
    PGconn *other = PQconnectdb(f->database.url);
    assert_int_equal(PQstatus(other), CONNECTION_OK);
    assert_int_equal(PQsendQuery(other, text), 1);
    while (!sql_int(f, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                       "wait_event = 'PgSleep'"))
        continue;
    return other;
}

static void end_beside(PGconn *other)
{
    for (PGresult *result; (result = PQgetResult(other));)
        PQclear(result);
    PQfinish(other);
}

#endif

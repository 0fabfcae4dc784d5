/* When a PostgreSQL server must prove who it is. */
#include "store/db_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void expect(const char *url, const char *mode)
{
    struct db_postgres_tls tls = db_postgres_tls(url);
    if (mode ? !tls.mode || strcmp(tls.mode, mode) != 0 : tls.mode != NULL)
        fail_msg("%s: %s, not %s", url, tls.mode ? tls.mode : "nothing", mode ? mode : "nothing");
}

static void servers_elsewhere_show_a_certificate(void **state)
{
    (void)state;
    unsetenv("PGSSLMODE");
    unsetenv("PGSSLROOTCERT");
    expect("postgres://a:b@db.example.com/x", "verify-full");
    expect("postgresql://a@10.0.0.7:5433/x", "verify-full");
    expect("postgres://a@127.0.0.1,db.example.com/x", "verify-full");
    expect("postgres://a@/x?hostaddr=192.0.2.1", "verify-full");
    expect("postgres://a@localhost.example.com/x", "verify-full");
    assert_non_null(db_postgres_tls("postgres://a@db.example.com/x?sslmode=verify-full").root);
}

static void this_machine_and_what_is_said_stay_as_they_are(void **state)
{
    (void)state;
    expect("postgres://a@127.0.0.1/x", NULL);
    expect("postgres://a@localhost:5433/x", NULL);
    expect("postgres://a@[::1]/x", NULL);
    expect("postgres://a@/x?host=/var/run/postgresql", NULL);
    expect("postgres:///x", NULL);
    expect("postgres://a@db.example.com/x?sslmode=disable", NULL);
    expect("postgres://a@db.example.com/x?sslmode=require", NULL);
    expect("not a URL", NULL);
    assert_null(db_postgres_tls("postgres://a@db.example.com/x?sslmode=require").root);
    setenv("PGSSLMODE", "require", 1);
    expect("postgres://a@db.example.com/x", NULL);
    unsetenv("PGSSLMODE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_elsewhere_show_a_certificate),
        cmocka_unit_test(this_machine_and_what_is_said_stay_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

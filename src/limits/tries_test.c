/* Tries: so many in a row, then one after the other; each name and each rule for itself. */
#include "limits/tries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct tries_rule slow = {"slow", 3, 3600 * 1000}, quick = {"quick", 1, 200};

static void tries_of_names_and_rules(void **state)
{
    struct call call;
    (void)state;
    call_init(&call, arena_new(1024 * 1024), 1000);
    const struct limits_settings settings = {0};
    assert_true(limits_open(-1, &settings));
    for (int i = 0; i < 3; i++)
        assert_int_equal(tries_take(&call, &slow, STR("ana")), OK);
    assert_int_equal(tries_take(&call, &slow, STR("ana")), E_LIMIT);
    assert_true(str_contains(call.error_text, STR("in 3600 seconds")));
    assert_int_equal(call.retry_after_s, 3600);
    assert_int_equal(tries_take(&call, &slow, STR("ana")), E_LIMIT); /* a refused try costs nothing */
    assert_true(str_contains(call.error_text, STR("in 3600 seconds")));
    assert_int_equal(tries_take(&call, &slow, STR("bia")), OK);
    assert_int_equal(tries_take(&call, &quick, STR("ana")), OK);
    assert_int_equal(tries_take(&call, &quick, STR("ana")), E_LIMIT);
    for (int64_t until = clock_monotonic_ms() + 210; clock_monotonic_ms() < until;)
        ;
    assert_int_equal(tries_take(&call, &quick, STR("ana")), OK);
    limits_close();
    assert_int_equal(tries_take(&call, &slow, STR("ana")), OK); /* not open: nothing is limited */
    arena_free(call.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tries_of_names_and_rules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

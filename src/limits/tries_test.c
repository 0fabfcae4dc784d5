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

/* Whoever has a network of IPv6 comes from a new address each time; IPv4 is counted one by one, in whatever clothes. */
static void tries_of_networks(void **state)
{
    static const char *const others[] = {"2001:db8:ffff::1",
                                         "192.0.2.1",
                                         "192.0.2.2",
                                         "::ffff:192.0.2.3",
                                         "::ffff:192.0.2.4",
                                         "64:ff9b::192.0.2.5",
                                         "64:ff9b::192.0.2.6",
                                         "64:ff9b:1::192.0.2.7",
                                         "64:ff9b:1:2::192.0.2.8",
                                         "-"};
    static const struct tries_rule rule = {"address", 30, 3600 * 1000};
    struct call call;
    (void)state;
    call_init(&call, arena_new(1024 * 1024), 1000);
    const struct limits_settings settings = {0};
    assert_true(limits_open(-1, &settings));
    for (int i = 0; i < 31; i++)
        assert_int_equal(
            tries_take_address(&call, &rule, call_format(&call, "2001:db8:1:2:%x:%x:0:%x", i * 7, i * 31, i + 1)),
            i < 30 ? OK : E_LIMIT);
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        for (int try = 0; try < 16; try++) /* together too many */
            assert_int_equal(tries_take_address(&call, &rule, str_from(others[i])), OK);
    limits_close();
    arena_free(call.arena);
}

/* More names than there is room for: what is used up stays so, whoever made the others. */
static void what_is_used_up_is_not_forgotten(void **state)
{
    struct call call;
    (void)state;
    call_init(&call, arena_new(16 * 1024 * 1024), 1000);
    const struct limits_settings settings = {0};
    assert_true(limits_open(-1, &settings));
    for (int i = 0; i < 4; i++)
        assert_int_equal(tries_take(&call, &slow, STR("ana")), i < 3 ? OK : E_LIMIT);
    for (int i = 0; i < 20000; i++)
        assert_int_equal(tries_take(&call, i % 2 ? &slow : &quick, call_format(&call, "%d", i)), OK);
    assert_int_equal(tries_take(&call, &slow, STR("ana")), E_LIMIT);
    limits_close();
    arena_free(call.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tries_of_names_and_rules), cmocka_unit_test(tries_of_networks),
                                       cmocka_unit_test(what_is_used_up_is_not_forgotten)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

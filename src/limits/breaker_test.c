/* The breaker opens, tries, closes; the rate fills evenly. Both without a clock: time is a number here. */
#include "limits/breaker.h"
#include "limits/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { PAUSE_MS = 15000, FAILURES = 5 };

static int64_t ask(struct breaker *breaker, int64_t now_ms)
{
    bool is_trial;
    return breaker_ask(breaker, now_ms, &is_trial);
}

static void fail_times(struct breaker *breaker, int64_t now_ms, int times)
{
    for (int i = 0; i < times; i++)
        breaker_failed(breaker, now_ms, false, FAILURES, PAUSE_MS);
}

static void test_failures_in_a_row(void **state)
{
    (void)state;
    struct breaker breaker = {0};
    fail_times(&breaker, 1000, 4);
    assert_int_equal(ask(&breaker, 1000), 0);
    breaker_answered(&breaker, 1000);
    fail_times(&breaker, 1000, 4);
    assert_int_equal(ask(&breaker, 1000), 0);
    fail_times(&breaker, 2000, 1);
    assert_int_equal(ask(&breaker, 2000), PAUSE_MS);
    assert_int_equal(ask(&breaker, 2000 + PAUSE_MS - 1), 1);
}

static void test_half_of_many(void **state)
{
    (void)state;
    struct breaker breaker = {0};
    for (int i = 0; i < 9; i++) {
        breaker_answered(&breaker, 50000);
        fail_times(&breaker, 50000, 1);
    }
    breaker_answered(&breaker, 50000);
    assert_int_equal(ask(&breaker, 50000), 0); /* 9 of 19 */
    fail_times(&breaker, 50000, 1);            /* 10 of 20 */
    assert_true(ask(&breaker, 50000) > 0);
}

static void test_old_failures_do_not_count(void **state)
{
    (void)state;
    struct breaker breaker = {0};
    for (int i = 0; i < 30; i++) {
        int64_t now_ms = 50000 + i * 4000LL; /* never 20 in 30 s */
        breaker_answered(&breaker, now_ms);
        fail_times(&breaker, now_ms, 1);
        assert_int_equal(ask(&breaker, now_ms), 0);
    }
}

static void test_one_trial(void **state)
{
    (void)state;
    struct breaker breaker = {0};
    bool is_trial;
    fail_times(&breaker, 1000, FAILURES);
    int64_t later_ms = 1000 + PAUSE_MS;
    assert_int_equal(breaker_ask(&breaker, later_ms, &is_trial), 0);
    assert_true(is_trial);
    assert_true(breaker_ask(&breaker, later_ms, &is_trial) > 0);
    assert_false(is_trial);
    fail_times(&breaker, later_ms, 3); /* stragglers of before decide nothing */
    breaker_failed(&breaker, later_ms + 100, true, FAILURES, PAUSE_MS);
    assert_int_equal(ask(&breaker, later_ms + 100), PAUSE_MS);

    later_ms += 100 + PAUSE_MS;
    assert_int_equal(breaker_ask(&breaker, later_ms, &is_trial), 0);
    assert_true(is_trial);
    breaker_unknown(&breaker, true); /* its client left: the next one tries */
    assert_int_equal(breaker_ask(&breaker, later_ms, &is_trial), 0);
    assert_true(is_trial);
    breaker_answered(&breaker, later_ms);
    assert_int_equal(breaker_ask(&breaker, later_ms, &is_trial), 0);
    assert_false(is_trial);
    fail_times(&breaker, later_ms, 4); /* counted anew */
    assert_int_equal(ask(&breaker, later_ms), 0);
}

static void test_a_trial_that_died(void **state)
{
    (void)state;
    struct breaker breaker = {0};
    bool is_trial;
    fail_times(&breaker, 1000, FAILURES);
    assert_int_equal(ask(&breaker, 1000 + PAUSE_MS), 0);
    assert_true(ask(&breaker, 1000 + PAUSE_MS + BREAKER_TRIAL_MS - 1) > 0);
    assert_int_equal(breaker_ask(&breaker, 1000 + PAUSE_MS + BREAKER_TRIAL_MS, &is_trial), 0);
    assert_true(is_trial);
}

static void test_never(void **state)
{
    (void)state;
    struct breaker breaker = {0};
    for (int i = 0; i < 100; i++)
        breaker_failed(&breaker, 1000, false, 0, PAUSE_MS);
    assert_int_equal(ask(&breaker, 1000), 0);
}

static void test_rate(void **state)
{
    (void)state;
    const int64_t second_ns = 1000 * 1000 * 1000, begin_ns = 77 * second_ns;
    struct rate rate = {0};
    for (int i = 0; i < 60; i++) {
        assert_int_equal(rate_wait_ns(&rate, 120, begin_ns), 0);
        rate_take(&rate, 120, begin_ns);
    }
    assert_int_equal(rate_wait_ns(&rate, 120, begin_ns), second_ns / 2);
    assert_int_equal(rate_wait_ns(&rate, 120, begin_ns + second_ns / 2), 0);

    /* In ten minutes of asking as often as possible: what was there, and 120 a minute. */
    int taken = 0;
    for (int64_t now_ns = begin_ns; now_ns < begin_ns + 600 * second_ns; now_ns += second_ns / 10)
        if (rate_wait_ns(&rate, 120, now_ns) == 0) {
            rate_take(&rate, 120, now_ns);
            taken++;
        }
    assert_in_range(taken, 1190, 1200);

    struct rate one = {0};
    rate_take(&one, 1, begin_ns);
    assert_int_equal(rate_wait_ns(&one, 1, begin_ns), 60 * second_ns);
    assert_int_equal(rate_wait_ns(&one, 0, begin_ns), 0); /* no limit */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failures_in_a_row),
        cmocka_unit_test(test_half_of_many),
        cmocka_unit_test(test_old_failures_do_not_count),
        cmocka_unit_test(test_one_trial),
        cmocka_unit_test(test_a_trial_that_died),
        cmocka_unit_test(test_never),
        cmocka_unit_test(test_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

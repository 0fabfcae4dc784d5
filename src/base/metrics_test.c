/* Counters that several processes share, and their text. */
#include "base/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct buf out;

static const char *written(void)
{
    buf_clear(&out);
    metrics_write(&out);
    buf_add_char(&out, 0);
    assert_false(buf_failed(&out));
    return out.ptr;
}

static void test_text(void **state)
{
    (void)state;
    assert_true(metrics_open(-1));
    metric_time(METRIC_CALLS, 999, STR("wp_find"), STR("wordpress"), STR("modern"), STR("ok"));
    metric_time(METRIC_CALLS, 1001, STR("wp_find"), STR("wordpress"), STR("modern"), STR("ok"));
    metric_time(METRIC_CALLS, 99000000, STR("wp_find"), STR("wordpress"), STR("modern"), STR("ok"));
    metric_count(METRIC_REFUSED, STR("a \"quoted\\ na\nme"));
    metric_move(GAUGE_CONNECTIONS, 5);
    metric_move(GAUGE_CONNECTIONS, -2);
    const char *text = written();
#define HAS(line) assert_non_null(strstr(text, line))
    HAS("# TYPE porteiro_tool_call_duration_seconds histogram\n");
    HAS("porteiro_tool_call_duration_seconds_bucket{tool=\"wp_find\",provider=\"wordpress\",era=\"modern\",outcome="
        "\"ok\","
        "le=\"0.001\"} 1\n");
    HAS(",le=\"0.0025\"} 2\n");
    HAS(",le=\"30\"} 2\n");
    HAS(",le=\"+Inf\"} 3\n");
    HAS("porteiro_tool_call_duration_seconds_sum{tool=\"wp_find\",provider=\"wordpress\",era=\"modern\",outcome=\"ok\"}"
        " "
        "99.002000\n");
    HAS("_count{tool=\"wp_find\",provider=\"wordpress\",era=\"modern\",outcome=\"ok\"} 3\n");
    HAS("porteiro_refused_total{limit=\"a \\\"quoted\\\\ na?me\"} 1\n");
    HAS("# TYPE porteiro_connections gauge\nporteiro_connections 3\n");
    metrics_close();
}

static void test_bounded(void **state)
{
    (void)state;
    char name[300];
    assert_true(metrics_open(-1));
    for (int i = 0; i < 5 * METRIC_SERIES_MAX; i++) {
        snprintf(name, sizeof name, "series %d", i);
        metric_count(METRIC_REFUSED, str_from(name));
    }
    memset(name, 'x', sizeof name);
    metric_count(METRIC_REFUSED, str_of(name, sizeof name));
    const char *text = written();
    unsigned long long sum = 0, rows = 0;
    bool has_other = false;
    for (const char *at = text; (at = strstr(at, "porteiro_refused_total{limit=\"")); at++) {
        sum += strtoull(strstr(at, "} ") + 2, NULL, 10);
        rows++;
        has_other |= strncmp(at, "porteiro_refused_total{limit=\"other\"} ", 38) == 0;
    }
    assert_int_equal(sum, 5 * METRIC_SERIES_MAX + 1); /* none is lost */
    assert_true(rows <= METRIC_SERIES_MAX + 1 && has_other);
    metrics_close();
    metric_count(METRIC_REFUSED, STR("nobody listens")); /* no memory, no harm */
    assert_int_equal(metric_get(GAUGE_ANSWER_BYTES), 0);
}

enum { PROCESSES = 4, TIMES = 20000 };

static void test_shared(void **state)
{
    (void)state;
    int file = metrics_file(), status;
    assert_true(metrics_file_fits(file));
    for (int i = 0; i < PROCESSES; i++) {
        pid_t child = fork();
        if (child == 0) {
            if (!metrics_open(file))
                _exit(1);
            for (int n = 0; n < TIMES; n++) {
                metric_count(METRIC_CACHE, STR("authentication"), n % 4 ? STR("hit") : STR("miss"));
                metric_move(GAUGE_REQUESTS, 1);
            }
            _exit(0); /* without giving back: it died */
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_true(metrics_open(file));
    const char *text = written();
    HAS("porteiro_cache_lookups_total{cache=\"authentication\",result=\"hit\"} 60000\n");
    HAS("porteiro_cache_lookups_total{cache=\"authentication\",result=\"miss\"} 20000\n");
    assert_int_equal(metric_get(GAUGE_REQUESTS), 0); /* what the dead had is taken off */
    metrics_close();
    close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_bounded),
                                       cmocka_unit_test(test_shared)};
    buf_init_heap(&out, 4 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_done(&out);
    return failed;
}

/* What is kept of sites: whose it is, for how long, and how much of it. */
#include "providers/wordpress/kept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define KEY STR("GET wp/v2/types? https://a.example/wp-json/")

static void put(int64_t connection_id, struct str key, struct str text, int64_t until_ms, int64_t now_ms)
{
    kept_put(connection_id, key, &(struct kept_answer){.text = text, .total = 1, .until_ms = until_ms}, now_ms);
}

static int forget_all(void **state)
{
    (void)state;
    put(9, STR("GET last? x"), STR("{}"), 1, INT64_MAX);
    kept_forget(9, STR("last"));
    assert_int_equal(kept_sums().entries, 0);
    assert_int_equal(kept_sums().bytes, 0);
    return 0;
}

static void it_is_of_one_connection_and_address(void **state)
{
    (void)state;
    struct kept_answer found;
    put(1, KEY, STR("{\"a\":1}"), 1000, 0);
    assert_true(kept_find(1, KEY, 999, &found));
    assert_true(str_eq(found.text, STR("{\"a\":1}")));
    assert_int_equal(found.total, 1);
    assert_false(kept_find(2, KEY, 999, &found));
    assert_false(kept_find(1, STR("GET wp/v2/types? https://b.example/wp-json/"), 999, &found));
    assert_false(kept_find(1, KEY, 1000, &found));
    put(1, KEY, STR("[]"), 1000, 0);
    assert_true(kept_find(1, KEY, 0, &found));
    assert_true(str_eq(found.text, STR("[]")));
    assert_int_equal(kept_sums().entries, 1);
}

static void a_route_is_forgotten(void **state)
{
    (void)state;
    struct kept_answer found;
    put(1, KEY, STR("{}"), 1000, 0);
    put(1, STR("OPTIONS wp/v2/posts? x"), STR("{}"), 1000, 0);
    kept_forget(2, STR("wp/v2/types"));
    assert_int_equal(kept_sums().entries, 2);
    kept_forget(1, STR("wp/v2/types"));
    assert_false(kept_find(1, KEY, 0, &found));
    assert_int_equal(kept_sums().entries, 1);
}

/* Nobody asks for them again. */
static void what_is_over_goes_when_others_come(void **state)
{
    (void)state;
    char key[40];
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "GET wp/v2/%d? x", i);
        put(i, str_from(key), STR("{}"), 1000, 0);
    }
    assert_int_equal(kept_sums().entries, 100);
    put(200, KEY, STR("{}"), 2000, 1000);
    assert_int_equal(kept_sums().entries, 1);
}

static void all_together_have_a_bound(void **state)
{
    (void)state;
    struct kept_answer found;
    char key[40], *text = calloc(1, KEPT_ONE_MAX_BYTES + 1);
    assert_non_null(text);
    for (int i = 0; i < 2 * KEPT_ENTRIES; i++) {
        snprintf(key, sizeof key, "GET wp/v2/%d? x", i);
        put(1, str_from(key), STR("{}"), 1000, 0);
    }
    assert_int_equal(kept_sums().entries, KEPT_ENTRIES);
    put(1, KEY, str_of(text, KEPT_ONE_MAX_BYTES + 1), 1000, 0);
    assert_false(kept_find(1, KEY, 0, &found));
    for (int i = 0; i < KEPT_ENTRIES; i++) {
        snprintf(key, sizeof key, "GET wp/v2/%d? x", i);
        put(2, str_from(key), str_of(text, KEPT_ONE_MAX_BYTES), 1000, 0);
        assert_true(kept_sums().bytes <= KEPT_ALL_MAX_BYTES);
    }
    assert_int_equal(kept_sums().entries, KEPT_ALL_MAX_BYTES / KEPT_ONE_MAX_BYTES - 1);
    assert_true(kept_find(2, str_from(key), 0, &found)); /* the newest */
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(it_is_of_one_connection_and_address, forget_all),
        cmocka_unit_test_teardown(a_route_is_forgotten, forget_all),
        cmocka_unit_test_teardown(what_is_over_goes_when_others_come, forget_all),
        cmocka_unit_test_teardown(all_together_have_a_bound, forget_all),
    };
    return cmocka_run_group_tests_name("kept", tests, NULL, NULL);
}

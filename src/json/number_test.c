/* Numbers as text: what the reader never hands over as well, for nobody else may hand over anything worse. */
#include "json/number.h"

#include "json/lex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct arena *arena;

static int start(void **state)
{
    (void)state;
    arena = arena_new(1 << 20);
    return arena == NULL;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static struct str zeros(const char *first, size_t count, const char *last)
{
    char *text = arena_alloc(arena, count);
    memset(text, '0', count);
    return str_format(arena, "%s%.*s%s", first, (int)count, text, last);
}

static void integers(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
        bool is_one;
    } cases[] = {
        {"0", 0, true},
        {"-0", 0, true},
        {"123456789012345678", 123456789012345678, true},
        {"1234567890123456789", 1234567890123456789, true},
        {"9223372036854775807", INT64_MAX, true},
        {"-9223372036854775808", INT64_MIN, true},
        {"9223372036854775808", 0, false},
        {"9999999999999999999", 0, false},
        {"-9223372036854775809", 0, false},
        {"10000000000000000000", 0, false},
        {"-10000000000000000000", 0, false},
        {"9.2e19", 0, false},
        {"93e17", 0, false},
        {"92e17", 9200000000000000000, true},
        {"1e18", 1000000000000000000, true},
        {"1e19", 0, false},
        {"1.50e1", 15, true},
        {"1.5", 0, false},
        {"15e-1", 0, false},
        {"150e-1", 15, true},
        {"12345678901234567890123", 0, false},
        {"0e999999999999", 0, true},
        {"1e999999999999", 0, false},
        {"1e-999999999999", 0, false},
        {"1e+2", 100, true},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        int64_t value = -7;
        bool is_one = number_to_i64(str_from(cases[i].text), &value);
        if (is_one != cases[i].is_one || (is_one && value != cases[i].value))
            fail_msg("%s: %d, %lld", cases[i].text, is_one, (long long)value);
    }
    int64_t value;
    assert_true(
        number_to_i64(zeros("7.", LEX_NUMBER_MAX_BYTES - 2, ""), &value)); /* zeros behind the point say nothing */
    assert_int_equal(value, 7);
    assert_false(number_to_i64(zeros("1", LEX_NUMBER_MAX_BYTES, "1"), &value));
    /* Never handed over by the reader. */
    assert_true(number_to_i64(STR_EMPTY, &value) && value == 0);
    assert_true(number_to_i64(STR("-"), &value) && value == 0);
    assert_true(number_to_i64(STR("1e"), &value) && value == 1);
    assert_true(number_to_i64(STR("1e+"), &value) && value == 1);
}

static void doubles(void **state)
{
    double value;
    (void)state;
    assert_true(number_to_double(STR("9007199254740991"), &value) && value == 9007199254740991.0);
    assert_true(number_to_double(STR("9007199254740992"), &value) && value == 9007199254740992.0);
    assert_true(number_to_double(STR("-9007199254740992"), &value) && value == -9007199254740992.0);
    assert_true(number_to_double(STR("-0"), &value) && value == 0 && __builtin_signbit(value));
    assert_true(number_to_double(STR("0"), &value) && !__builtin_signbit(value));
    assert_true(number_to_double(STR("1.5e3"), &value) && value == 1500.0);
    assert_false(number_to_double(STR("1e999"), &value));
    assert_false(number_to_double(STR("1x"), &value));
    assert_false(number_to_double(zeros("1", LEX_NUMBER_MAX_BYTES, ""), &value));
    assert_true(number_to_double(zeros("0.", LEX_NUMBER_MAX_BYTES - 2, ""), &value));
}

static void equal_ones(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"1", "1", true},
        {"1", "1.0", true},
        {"10", "1e1", true},
        {"1", "-1", false},
        {"1", "10", false},
        {"12", "13", false},
        {"0", "-0.0", true},
        {"0e5", "0", true},
        {"1e5", "1e6", false},
        {"1e9999999999", "1", false},
        {"1", "1e-9999999999", false},
        {"0.10", "1E-1", true},
        {"1e9999999999", "1e9999999999", true},
        {"1e1000000000", "10e999999999", true},
        {"1e1000000001", "10e1000000000", false}, /* beyond what is counted */
        {"1e-1000000000", "0.1e-999999999", true},
        {"0.000000001e10000000001", "0.000000001e10000000002", false},
        {"0.01e10000000001", "0.01e1000000000", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        if (number_equal(str_from(cases[i].a), str_from(cases[i].b)) != cases[i].same)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
}

static void written_canonically(void **state)
{
    static const char *const cases[][2] = {
        {"15e1", "150"},
        {"-0", "0"},
        {"1.50", "15e-1"},
        {"-1.5", "-15e-1"},
        {"1e30", "1e30"},
        {"1e9999999999", "1e9999999999"},
        {"8900e999999998", "89e1000000000"},
        {"8900e999999999", "8900e999999999"},
        {"0.01e1000000002", "1e1000000000"},
        {"0.01e-999999999", "0.01e-999999999"},
        {"0.01e10000000021", "0.01e10000000021"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buf text;
        buf_init(&text, arena, 100);
        number_write_canonical(&text, str_from(cases[i][0]));
        if (!str_eq(buf_str(&text), str_from(cases[i][1])))
            fail_msg("%s becomes %.*s", cases[i][0], STR_ARG(buf_str(&text)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(doubles),
        cmocka_unit_test(equal_ones),
        cmocka_unit_test(written_canonically),
    };
    return cmocka_run_group_tests(tests, start, end);
}

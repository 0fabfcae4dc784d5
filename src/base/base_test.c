/* Slices, arenas, buffers, times. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void test_str(void **state)
{
    (void)state;
    assert_true(str_eq_nocase(STR("BeArEr"), STR("bearer")));
    assert_false(str_eq(STR("a"), STR("ab")));
    assert_true(str_starts_with(STR("prt_pat_x"), STR("prt_")));
    assert_true(str_ends_with(STR("/wp-json/"), STR("/")));
    assert_int_equal(str_find(STR("hello"), STR("lo")), 3);
    assert_int_equal(str_find(STR("hello"), STR("x")), STR_NOT_FOUND);
    assert_true(str_eq(str_trim(STR(" \t a b \r\n")), STR("a b")));
    assert_true(str_compare(STR("a"), STR("ab")) < 0);
    struct str rest = STR("a,,b"), piece;
    const char *expected[] = {"a", "", "b"};
    for (size_t i = 0; i < 3; i++) {
        assert_true(str_next(&rest, ',', &piece));
        assert_true(str_eq(piece, str_from(expected[i])));
    }
    assert_false(str_next(&rest, ',', &piece));
}

/* Every pair of bytes at every place of a word, and beyond one. */
static void test_nocase(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 17; len += 4)
        for (size_t at = 0; at < len; at++)
            for (int x = 0; x < 256; x++)
                for (int y = 0; y < 256; y++) {
                    char a[17] = "aBcDeFgHiJkLmNoPq", b[17] = "AbCdEfGhIjKlMnOpQ";
                    a[at] = (char)x;
                    b[at] = (char)y;
                    if (str_eq_nocase(str_of(a, len), str_of(b, len)) != (ascii_lower(a[at]) == ascii_lower(b[at])))
                        fail_msg("%d and %d at %zu of %zu", x, y, at, len);
                }
    assert_true(str_contains_nocase(STR("application/json, Text/Event-stream"), STR("text/event-stream")));
    assert_false(str_contains_nocase(STR("application/json, text/event"), STR("text/event-stream")));
    assert_true(str_contains_nocase(STR("x"), STR_EMPTY));
}

static void test_numbers(void **state)
{
    (void)state;
    uint64_t u;
    int64_t i;
    assert_true(str_to_u64(STR("18446744073709551615"), &u) && u == UINT64_MAX);
    assert_false(str_to_u64(STR("18446744073709551616"), &u));
    assert_false(str_to_u64(STR("+1"), &u));
    assert_false(str_to_u64(STR(""), &u));
    assert_false(str_to_u64(STR("1 "), &u));
    assert_true(str_to_i64(STR("-9223372036854775808"), &i) && i == INT64_MIN);
    assert_false(str_to_i64(STR("9223372036854775808"), &i));
    assert_false(str_to_i64(STR("-"), &i));
}

static void test_utf8(void **state)
{
    (void)state;
    assert_true(str_eq(str_cut(STR("a\xC3\xA3"), 2), STR("a")) &&
                str_eq(str_cut(STR("a\xC3\xA3"), 3), STR("a\xC3\xA3")));
    assert_true(str_eq(str_cut(STR("\xF0\x9F\x8D\x8Ax"), 3), STR_EMPTY) && str_eq(str_cut(STR("abc"), 2), STR("ab")));
    assert_true(str_is_utf8(STR("Grüße 日本 😀")));
    assert_false(str_is_utf8(STR("\xC0\x80")));         /* overlong NUL */
    assert_false(str_is_utf8(STR("\xED\xA0\x80")));     /* a surrogate */
    assert_false(str_is_utf8(STR("\xF4\x90\x80\x80"))); /* beyond U+10FFFF */
    assert_false(str_is_utf8(STR("abc\xE2\x82")));      /* cut off */
    for (uint32_t code = 0; code < 0x110000; code++) {
        char text[4];
        bool surrogate = code >= 0xD800 && code <= 0xDFFF;
        size_t length = utf8_encode(code, text);
        assert_int_equal(length, 1 + (code >= 0x80) + (code >= 0x800) + (code >= 0x10000));
        assert_int_equal(str_is_utf8(str_of(text, length)), !surrogate);
        assert_false(length > 1 && str_is_utf8(str_of(text, length - 1)));
    }
}

static void count_release(void *object)
{
    ++*(int *)object;
}

static jmp_buf escape;

static void jump(struct arena *arena, size_t size, void *context)
{
    (void)arena;
    (void)size;
    (void)context;
    longjmp(escape, 1);
}

static void test_arena(void **state)
{
    (void)state;
    static int released;
    struct arena *arena = arena_new(100000);
    arena_defer(arena, count_release, &released);
    char *zeroed = arena_alloc(arena, 5000);
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(zeroed[i], 0);
    memset(zeroed, 1, 5000);
    struct str text = str_format(arena, "%s-%d", "a", 7);
    assert_string_equal(text.ptr, "a-7");
    assert_true(str_eq(str_replace(arena, STR("a&b&&"), STR("&"), STR("&amp;")), STR("a&amp;b&amp;&amp;")));
    assert_true(str_eq(str_lower(arena, STR("ÄB-c")), STR("Äb-c")));
    arena_reset(arena);
    assert_int_equal(released, 1);
    assert_int_equal(arena_used(arena), 0);
    arena_on_exhausted(arena, jump, NULL);
    if (setjmp(escape) == 0) {
        arena_alloc(arena, 100001);
        fail();
    }
    if (setjmp(escape) == 0) {
        volatile size_t count = SIZE_MAX / 2; /* volatile: the compiler would see the overflow and refuse */
        arena_alloc_array(arena, count, 4);
        fail();
    }
    arena_defer(arena, count_release, &released);
    arena_free(arena);
    assert_int_equal(released, 2);
}

static void test_buf(void **state)
{
    (void)state;
    struct buf buf;
    buf_init_heap(&buf, 1000);
    for (int i = 0; i < 100; i++)
        buf_add_format(&buf, "%d,", i % 10);
    assert_int_equal(buf.len, 200);
    assert_false(buf_failed(&buf));
    buf_add_i64(&buf, INT64_MIN);
    assert_true(str_ends_with(buf_str(&buf), STR(",-9223372036854775808")));
    buf_add(&buf, str_of((char[900]){0}, 900));
    assert_true(buf_failed(&buf));
    buf_add_char(&buf, 'x');
    assert_int_equal(buf.len, 220);
    buf_clear(&buf);
    buf_add(&buf, STR("again"));
    assert_true(str_eq(buf_str(&buf), STR("again")));
    buf_done(&buf);
}

static void test_clock(void **state)
{
    (void)state;
    char text[CLOCK_TEXT_BYTES];
    int64_t ms;
    clock_format(1763897007693, text);
    assert_string_equal(text, "2025-11-23 11:23:27.693");
    assert_true(clock_parse(STR("2025-11-23 11:23:27.693"), &ms) && ms == 1763897007693);
    assert_true(clock_parse(STR("2025-11-23T11:23:27.69Z"), &ms) && ms == 1763897007690);
    assert_true(clock_parse(STR("2025-11-23 11:23:27.123456"), &ms) && ms == 1763897007123);
    assert_true(clock_parse(STR("2024-02-29"), &ms));
    assert_false(clock_parse(STR("2025-02-29"), &ms));
    assert_false(clock_parse(STR("2025-13-01 00:00:00"), &ms));
    assert_false(clock_parse(STR("2025-11-23 11:23:27+03"), &ms));
    clock_format(-1, text);
    assert_string_equal(text, "1969-12-31 23:59:59.999");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_str),   cmocka_unit_test(test_nocase), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_utf8),  cmocka_unit_test(test_arena),  cmocka_unit_test(test_buf),
        cmocka_unit_test(test_clock),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}

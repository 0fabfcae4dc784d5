/* Hidden characters become references, everything else stays as it is. */
#include "base/visible.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void check(const char *text, const char *wanted)
{
    struct arena *arena = arena_new(1 << 16);
    struct str got = visible_text(arena, str_from(text));
    assert_int_equal(got.len, strlen(wanted));
    assert_memory_equal(got.ptr, wanted, got.len);
    if (!strcmp(text, wanted))
        assert_ptr_equal(got.ptr, text);
    arena_free(arena);
}

static void test_hidden(void **state)
{
    (void)state;
    check("", "");
    check("plain\n\ttext\r\n", "plain\n\ttext\r\n");
    check("\x1b[2J", "&#x1B;[2J");
    check("a\x7f", "a&#x7F;");
    check("\xe2\x80\xae"
          "evil\xe2\x80\xac",
          "&#x202E;evil&#x202C;");
    check("\xe2\x81\xa6x\xe2\x81\xa9", "&#x2066;x&#x2069;");
    check("\xf3\xa0\x81\xa4\xf3\xa0\x81\xaf", "&#xE0064;&#xE006F;");
}

static void test_others(void **state)
{
    (void)state;
    check("\xe2\x80\x93 \xe2\x80\x9cquoted\xe2\x80\x9d \xe2\x80\x8d",
          "\xe2\x80\x93 \xe2\x80\x9cquoted\xe2\x80\x9d \xe2\x80\x8d");
    check("\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xf0\x9f\x98\x80 \xe2\x82\xac",
          "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xf0\x9f\x98\x80 \xe2\x82\xac");
    check("cut \xe2\x80", "cut \xe2\x80");
    check("cut \xf3\xa0", "cut \xf3\xa0");
}

static void test_what_shows(void **state)
{
    (void)state;
    static const char *const nothing[] = {"",
                                          " \t",
                                          "\xc2\xa0",
                                          "\xc2\x85",
                                          "\xe2\x80\x8b",
                                          "\xe2\x80\x8b \xe2\x81\xa0\xef\xbb\xbf",
                                          "\xe3\x85\xa4",
                                          "\xe2\xa0\x80",
                                          "\xcd\x8f",
                                          "\xf3\xa0\x84\x80"};
    static const char *const something[] = {
        "a", " .", "\xc3\xa3", "\xe2\x80\x8b.", "\xe2\x80\x93", "\xf0\x9f\x98\x80", "\xe5\xb1\xb1"};
    for (size_t i = 0; i < ARRAY_LENGTH(nothing); i++)
        assert_false(visible_shows(str_from(nothing[i])));
    for (size_t i = 0; i < ARRAY_LENGTH(something); i++)
        assert_true(visible_shows(str_from(something[i])));
    assert_true(visible_hides(STR("a\xe2\x80\xae"
                                  "b")));
    assert_false(visible_hides(STR("a\xe2\x80\x8d\xe2\x80\x93")));
}

/* Texts are looked at in blocks: wherever in one a hidden character stands, alone or across the border of two. */
static void test_anywhere(void **state)
{
    (void)state;
    for (size_t at = 0; at < 200; at++) {
        char text[256], wanted[256];
        memset(text, 'a', sizeof text);
        memset(wanted, 'a', sizeof wanted);
        memcpy(text + at, "\xe2\x80\xae", 3);
        memcpy(wanted + at, "&#x202E;", 8);
        text[220] = '\0';
        wanted[225] = '\0';
        check(text, wanted);
        text[at] = '\x01', text[at + 1] = text[at + 2] = 'a';
        memcpy(wanted + at, "&#x1;aaa", 8);
        wanted[224] = '\0';
        check(text, wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hidden), cmocka_unit_test(test_others),
                                       cmocka_unit_test(test_anywhere), cmocka_unit_test(test_what_shows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

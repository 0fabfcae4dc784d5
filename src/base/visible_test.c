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
                                       cmocka_unit_test(test_anywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

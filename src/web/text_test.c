/* Every message is there in every language, with the same holes; which language a browser wants. */
#include "web/text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static size_t count_holes(struct str text)
{
    size_t count = 0, at;
    while ((at = str_find(text, STR("{}"))) != STR_NOT_FOUND) {
        text = str_from_offset(text, at + 2);
        count++;
    }
    return count;
}

static void test_every_message_in_every_language(void **state)
{
    (void)state;
    for (int text = TEXT_NONE + 1; text < TEXTS; text++) {
        struct str english = text_of((enum text)text, LANGUAGE_EN);
        for (int language = 0; language < LANGUAGES; language++) {
            struct str said = text_of((enum text)text, (enum language)language);
            assert_true(said.len > 0);
            assert_true(str_is_utf8(said));
            assert_int_equal(count_holes(said), count_holes(english));
        }
    }
}

static void test_fill(void **state)
{
    struct arena *arena = arena_new(64 * 1024);
    const struct str values[] = {STR("{}"), STR("x")};
    (void)state;
    assert_true(str_eq(text_fill_pattern(arena, STR("a {} b {} c"), values, 2), STR("a {} b x c")));
    assert_true(str_eq(text_fill_pattern(arena, STR("none {}"), values, 1), STR("none {}")));
    arena_free(arena);
}

static void test_accepted(void **state)
{
    static const struct {
        const char *header;
        int language; /* -1: none */
    } cases[] = {
        {"en", LANGUAGE_EN},
        {"pt-BR,pt;q=0.9,en;q=0.8", LANGUAGE_PT_BR},
        {"de, fr;q=0.5", -1},
        {"en;q=0.2, pt;q=0.21", LANGUAGE_PT_BR},
        {"EN-gb ; q=1.0, PT", LANGUAGE_EN},
        {"pt;q=0, en;q=0.001", LANGUAGE_EN},
        {"pt;q=0.0001", -1},
        {"", -1},
        {"*", -1},
        {"ptx, english", -1},
        {";;;q=,,,", -1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        enum language language = LANGUAGES;
        bool found = language_accepted(str_from(cases[i].header), &language);
        assert_int_equal(found ? (int)language : -1, cases[i].language);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_message_in_every_language),
        cmocka_unit_test(test_fill),
        cmocka_unit_test(test_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

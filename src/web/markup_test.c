/* The writer of HTML: what came from outside stays text. */
#include "web/markup.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(1024 * 1024);
    return arena ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void assert_text(struct str actual, const char *expected)
{
    assert_string_equal(str_copy_cstr(arena, actual), expected);
}

static void test_elements(void **state)
{
    struct markup m;
    (void)state;
    markup_init(&m, arena, 4096);
    markup_doctype(&m);
    markup_begin(&m, "p");
    markup_attribute(&m, "class", STR("a\"b"));
    markup_text(&m, STR("1 < 2 & 'x'"));
    markup_begin(&m, "input");
    markup_mark(&m, "required");
    markup_element(&m, "b", STR_EMPTY);
    markup_end(&m);
    assert_text(markup_done(&m),
                "<!doctype html>\n<p class=\"a&quot;b\">1 &lt; 2 &amp; &#39;x&#39;<input required><b></b></p>");
}

static void test_bytes_that_are_no_text(void **state)
{
    struct markup m;
    (void)state;
    markup_init(&m, arena, 4096);
    markup_begin(&m, "p");
    markup_attribute(&m, "title", STR("\xFF\""));
    markup_attribute(&m, "lang", str_of("a\0b", 3));
    markup_text(&m, STR("\xC3"));
    markup_text(&m, STR("\xE2\x80\xAE"));
    markup_end(&m);
    assert_text(markup_done(&m), "<p title=\"\xEF\xBF\xBD\" lang=\"a\xEF\xBF\xBD"
                                 "b\">\xEF\xBF\xBD&amp;#x202E;</p>");
}

static void test_addresses(void **state)
{
    static const char *const good[] = {"/",        "/login?next=/#/a",   "#main",
                                       "?lang=en", "https://a.example/", "mailto:a@b.example"};
    static const char *const bad[] = {"javascript:alert(1)",
                                      "JaVaScRiPt:alert(1)",
                                      "data:text/html,x",
                                      "//evil.example",
                                      "/\\evil.example",
                                      "\tjavascript:x",
                                      "",
                                      "evil.example",
                                      "/a\nb",
                                      " /a",
                                      "vbscript:x",
                                      "blob:x"};
    struct markup m;
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        markup_init(&m, arena, 4096);
        markup_begin(&m, "a");
        markup_address(&m, "href", str_from(good[i]));
        markup_end(&m);
        assert_true(str_contains(markup_done(&m), str_from(good[i])));
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        markup_init(&m, arena, 4096);
        markup_begin(&m, "a");
        markup_address(&m, "href", str_from(bad[i]));
        markup_end(&m);
        assert_text(markup_done(&m), "<a href=\"#\"></a>");
        assert_false(markup_is_own_path(str_from(bad[i])));
    }
}

static void test_too_long(void **state)
{
    struct markup m;
    (void)state;
    markup_init(&m, arena, 64);
    for (int i = 0; i < 100; i++)
        markup_element(&m, "p", STR("&"));
    (void)markup_done(&m);
    assert_true(buf_failed(&m.out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements),
        cmocka_unit_test(test_bytes_that_are_no_text),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

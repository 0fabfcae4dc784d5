/* Entities, plain text, words, cuts. */
#include "providers/wordpress/content/text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdlib.h>

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(16 * 1024 * 1024);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void assert_str(struct str s, const char *wanted)
{
    assert_string_equal(str_copy_cstr(arena, s), wanted);
}

static void test_entities(void **state)
{
    (void)state;
    assert_str(
        text_decode_entities(arena, STR("&lt;b&gt; &amp;amp; &quot;&#039;&apos;&#x2019;&#8217;&hellip;&nbsp;&copy;")),
        "<b> &amp; \"''\xE2\x80\x99\xE2\x80\x99\xE2\x80\xA6\xC2\xA0\xC2\xA9");
    assert_str(text_decode_entities(arena, STR("&#x1F600; &#128512;")), "\xF0\x9F\x98\x80 \xF0\x9F\x98\x80");
    /* Not one: unknown, no semicolon, out of range, a surrogate, NUL. */
    assert_str(text_decode_entities(arena, STR("&foo; &amp &#x110000; &#xD800; &#0; &#; &#x; & &;")),
               "&foo; &amp &#x110000; &#xD800; &#0; &#; &#x; & &;");
    char out[4];
    size_t length;
    assert_int_equal(text_entity(STR("&Eacute;x"), out, &length), 8);
    assert_int_equal(length, 2);
    assert_memory_equal(out, "\xC3\x89", 2);
    assert_int_equal(text_entity(STR("&zwnj;"), out, &length), 6);
    assert_int_equal(text_entity(STR("&AElig;"), out, &length), 7);
}

static void test_plain(void **state)
{
    (void)state;
    assert_str(text_from_html(arena, STR("<h2>A &amp; B</h2><p>c<br>d</p><!-- x --><script>no()</script> e")),
               "A & B c d e");
    assert_str(text_from_html(arena, STR("  a\n\t b&nbsp;&nbsp;c ")), "a b c");
    assert_str(text_from_html(arena, STR("1 < 2 > 0 <b>x</b>y")), "1 < 2 > 0 xy");
    assert_str(text_from_html(arena, STR("")), "");
}

/* text_from_html() of text without tags, one byte after the other. */
static struct str collapsed_simply(struct str text)
{
    struct str decoded = text_decode_entities(arena, text);
    char *out = arena_alloc(arena, decoded.len + 1);
    size_t length = 0;
    for (size_t i = 0; i < decoded.len; i++) {
        bool no_break = str_starts_with(str_from_offset(decoded, i), STR("\xC2\xA0"));
        i += no_break;
        if (!no_break && !ascii_is_space(decoded.ptr[i]))
            out[length++] = decoded.ptr[i];
        else if (length && out[length - 1] != ' ')
            out[length++] = ' ';
    }
    return str_trim(str_of(out, length));
}

static struct str random_text(unsigned *seed)
{
    static const struct str pieces[] = {
        STR_INIT(" "),
        STR_INIT("  "),
        STR_INIT("\n"),
        STR_INIT("\t "),
        STR_INIT("\xC2\xA0"),
        STR_INIT("&nbsp;"),
        STR_INIT("&amp;"),
        STR_INIT("&"),
        STR_INIT("&#32;"),
        STR_INIT("&#10;"),
        STR_INIT("word"),
        STR_INIT("a"),
        STR_INIT("\xC2\xA9"),
        STR_INIT("ção"),
        STR_INIT("日本"),
        STR_INIT("\x01"),
        STR_INIT("longer words and more"),
        STR_INIT("\xC2"),
    };
    struct buf text;
    buf_init(&text, arena, 4096);
    for (int n = rand_r(seed) % 12; n > 0; n--)
        buf_add(&text, pieces[(size_t)rand_r(seed) % ARRAY_LENGTH(pieces)]);
    return str_copy(arena, buf_str(&text));
}

static void test_plain_at_random(void **state)
{
    unsigned seed = 1;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct str text = random_text(&seed), wanted = collapsed_simply(text), got = text_from_html(arena, text);
        if (!str_eq(got, wanted))
            fail_msg("'%.*s' became '%.*s'", STR_ARG(text), STR_ARG(got));
        if (i % 100 == 0)
            arena_reset(arena);
    }
}

static void test_words(void **state)
{
    (void)state;
    assert_int_equal(text_word_count(arena, STR("<!-- wp:paragraph --><p>One two, <b>thr</b>ee &amp; four — 5.</p>")),
                     5);
    assert_int_equal(text_word_count(arena, STR("")), 0);
}

static void test_cut(void **state)
{
    (void)state;
    assert_str(text_cut(STR("\xC3\xA4\xC3\xB6\xC3\xBC"), 2), "\xC3\xA4\xC3\xB6");
    assert_str(text_cut(STR("abc"), 5), "abc");
    assert_str(text_cut(STR("abc"), 0), "");
    assert_str(text_cut(STR("0123456789ABCDEF"), 16), "0123456789ABCDEF");
    assert_str(text_cut(STR("0123456789ABCDEF"), 15), "0123456789ABCDE");
    assert_str(text_cut(STR("01234567\xC3\xA4"
                            "9ABCDEFGHIJ"),
                        9),
               "01234567\xC3\xA4");
    unsigned seed = 1;
    for (int i = 0; i < 1000; i++) {
        struct str text = random_text(&seed);
        size_t chars = (size_t)rand_r(&seed) % 40, all = text_chars(text), kept = text_chars(text_cut(text, chars));
        assert_int_equal(kept, chars < all ? chars : all);
    }
    assert_int_equal(text_chars(STR("a\xF0\x9F\x98\x80z")), 3);
    assert_str(text_number(arena, 0), "0");
    assert_str(text_number(arena, 999), "999");
    assert_str(text_number(arena, 1234567), "1,234,567");
}

static void test_cell(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, arena, 1024);
    text_add_cell(&out, STR("a\tb\r\nc"), 10);
    text_add_cell(&out, STR(""), 10);
    text_add_cell(&out, STR("\n\n"), 1);
    assert_str(buf_str(&out), "a b  c …");
    buf_init(&out, arena, 1024);
    text_add_cell(&out, STR(""), 0);
    assert_int_equal(out.len, 0);
}

static void test_escape(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, arena, 1024);
    text_escape(&out, STR("a & b < c > \"d\" &amp;"));
    assert_str(buf_str(&out), "a &amp; b &lt; c &gt; \"d\" &amp;amp;");
    buf_clear(&out);
    text_escape_attribute(&out, STR("a & b < c > \"d\" &amp; &#8217; &x"));
    assert_str(buf_str(&out), "a &amp; b &lt; c &gt; &quot;d&quot; &amp; &#8217; &amp;x");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_entities), TEST(test_plain), TEST(test_plain_at_random),
                                       TEST(test_words),    TEST(test_cut),   TEST(test_cell),
                                       TEST(test_escape)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

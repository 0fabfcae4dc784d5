/* The tree of blocks, against what WordPress's own parser does (tests/content compares the two on a whole corpus). */
#include "providers/wordpress/content/blocks.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(256 * 1024 * 1024);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static struct blocks parse(const char *text)
{
    return blocks_parse(arena, str_from(text), BLOCKS_AS_WORDPRESS);
}

static void assert_str(struct str s, const char *wanted)
{
    assert_string_equal(str_copy_cstr(arena, s), wanted);
}

/* "core/a(core/b,core/c),-" where "-" is classic text. */
static void describe(struct buf *out, const struct block *first)
{
    for (const struct block *block = first; block; block = block->next) {
        buf_add(out, block == first ? STR_EMPTY : STR(","));
        buf_add(out, block_is_classic(block) ? STR("-") : block->name);
        if (!block->first_child)
            continue;
        buf_add(out, STR("("));
        describe(out, block->first_child);
        buf_add(out, STR(")"));
    }
}

static void assert_shape(const char *text, const char *wanted)
{
    struct buf out;
    buf_init(&out, arena, 1024 * 1024);
    describe(&out, parse(text).first);
    assert_str(buf_str(&out), wanted);
}

static void test_shapes(void **state)
{
    (void)state;
    assert_shape("", "");
    assert_shape(" \n", "");
    assert_shape("text", "-");
    assert_shape("<!-- wp:a -->x<!-- /wp:a -->", "core/a");
    assert_shape("<!-- wp:a /-->\n\n<!-- wp:b /-->", "core/a,core/b");
    assert_shape("x<!-- wp:a /-->y", "-,core/a,-");
    assert_shape("<!-- wp:my-ns/a_b1 {\"x\":1} /-->", "my-ns/a_b1");
    assert_shape("<!-- wp:a --><!-- wp:b /-->x<!-- wp:c -->y<!-- /wp:c --><!-- /wp:a -->", "core/a(core/b,core/c)");
    assert_shape("<!--\twp:a\n{\"x\":\"}\"}\t-->x<!--\n/wp:a -->", "core/a");
}

static void test_what_is_no_delimiter(void **state)
{
    (void)state;
    assert_shape("<!--wp:a /-->", "-");
    assert_shape("<!-- wp:a-->", "-");
    assert_shape("<!-- wp:A /-->", "-");
    assert_shape("<!-- wp:1 /-->", "-");
    assert_shape("<!-- wp:a/ /-->", "-");
    assert_shape("<!-- wp:a / -->", "-");
    assert_shape("<!-- wp:a {\"x\":1} -- >", "-");
    assert_shape("<!-- wp:a {\"x\":1}-->", "-");
    assert_shape("<!-- wp:a {no end", "-");
    assert_shape("<!-- wp:", "-");
    assert_shape("<!-- more -->", "-");
}

static void test_broken_as_wordpress_does(void **state)
{
    (void)state;
    assert_shape("<!-- wp:a -->x", "core/a");
    assert_true(parse("<!-- wp:a -->x").first->is_unclosed);
    assert_true(parse("<!-- wp:a -->x").is_broken);
    /* A stray closer makes the rest classic, blocks in it and all. */
    assert_shape("x<!-- /wp:a --><!-- wp:b /-->", "-");
    assert_shape("<!-- wp:b /-->x<!-- /wp:a --><!-- wp:c /-->", "core/b,-");
    /* A closer closes what is open, whatever its name. */
    assert_shape("<!-- wp:a --><!-- wp:b -->x<!-- /wp:a --><!-- /wp:b -->", "core/a(core/b)");
    assert_false(parse("<!-- wp:a --><!-- wp:b -->x<!-- /wp:a --><!-- /wp:b -->").is_broken);
    /* Slash and attributes in a closer are ignored, except that a slash at the end makes it a void block. */
    assert_shape("<!-- wp:a -->x<!-- /wp:a {\"x\":1} -->y", "core/a,-");
    assert_shape("<!-- wp:a -->x<!-- /wp:b /--><!-- /wp:a -->", "core/a(core/b)");
}

static void test_slices(void **state)
{
    (void)state;
    struct blocks blocks = parse("A<!-- wp:x/y {\"k\":\"}\"} --><p>1</p><!-- wp:z /--> <!-- /wp:x/y -->\n\nB");
    struct block *block = blocks.first->next;
    assert_int_equal(blocks.count, 3);
    assert_str(block->attributes_raw, "{\"k\":\"}\"}");
    assert_str(block->inner, "<p>1</p><!-- wp:z /--> ");
    assert_str(block->outer, "<!-- wp:x/y {\"k\":\"}\"} --><p>1</p><!-- wp:z /--> <!-- /wp:x/y -->");
    assert_str(block->first_child->number, "2.1");
    assert_true(block->first_child->is_void);
    assert_str(block->next->outer, "\n\nB");
}

static void test_numbers(void **state)
{
    (void)state;
    struct blocks blocks = parse("<!-- wp:a --><!-- wp:b /--><!-- wp:c /--><!-- /wp:a --><!-- wp:d /-->");
    struct block *first, *last;
    assert_true(block_is(blocks_find(&blocks, STR("1.2")), "core/c"));
    assert_true(block_is(blocks_find(&blocks, STR("2")), "core/d"));
    assert_null(blocks_find(&blocks, STR("3")));
    assert_null(blocks_find(&blocks, STR("0")));
    assert_null(blocks_find(&blocks, STR("1.")));
    assert_null(blocks_find(&blocks, STR("")));
    assert_true(blocks_find_range(&blocks, STR("1-2"), &first, &last));
    assert_true(blocks_find_range(&blocks, STR("1.1 - 1.2"), &first, &last));
    assert_str(blocks_span(first, last), "<!-- wp:b /--><!-- wp:c /-->");
    assert_false(blocks_find_range(&blocks, STR("2-1"), &first, &last));
    assert_false(blocks_find_range(&blocks, STR("1-1.2"), &first, &last));
    assert_false(blocks_find_range(&blocks, STR("heading"), &first, &last));
}

static void test_classic_pieces(void **state)
{
    (void)state;
    const char *text =
        "First\nline\n\n<h2>T</h2>\n<ul><li>a</li></ul>\nlast <b>x</b><!--more-->\n[gallery]\n\n<div>open";
    static const char *const pieces[] = {
        "First\nline", "<h2>T</h2>", "<ul><li>a</li></ul>", "last <b>x</b>", "<!--more-->", "[gallery]", "<div>open"};
    struct blocks blocks = blocks_parse(arena, str_from(text), BLOCKS_SPLIT_CLASSIC);
    const struct block *block = blocks.first;
    assert_false(blocks.has_delimiters);
    for (size_t i = 0; i < ARRAY_LENGTH(pieces); i++, block = block->next) {
        assert_non_null(block);
        assert_str(block->outer, pieces[i]);
    }
    assert_null(block);
}

static void test_deep(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, arena, 64 * 1024 * 1024);
    for (int i = 0; i < 100000; i++)
        buf_add(&text, STR("<!-- wp:a -->"));
    for (int i = 0; i < 100000; i++)
        buf_add(&text, STR("<!-- /wp:a -->"));
    struct blocks blocks = blocks_parse(arena, buf_str(&text), BLOCKS_AS_WORDPRESS);
    assert_int_equal(blocks.count, 1);
    assert_false(blocks.is_broken);
    assert_int_equal(blocks.first->outer.len, text.len);
    size_t depth = 0;
    for (const struct block *block = blocks.first; block; block = block->first_child)
        depth++;
    assert_int_equal(depth, BLOCKS_DEPTH_MAX);
}

/* Text made to be searched again and again stays a matter of milliseconds. */
static void test_linear(void **state)
{
    (void)state;
    static const char *const parts[] = {"<!-- wp:a {", "<!-- wp:a {\"x\":1} ", "<!--", "<!-- wp:a { } /", "<a b=\"",
                                        "<div>"};
    for (size_t k = 0; k < ARRAY_LENGTH(parts); k++) {
        struct buf text;
        buf_init(&text, arena, 8 * 1024 * 1024);
        while (text.len < (size_t)256 * 1024)
            buf_add(&text, str_from(parts[k]));
        blocks_parse(arena, buf_str(&text), BLOCKS_SPLIT_CLASSIC); /* meson's timeout judges */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_shapes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_no_delimiter, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_broken_as_wordpress_does, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slices, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_classic_pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_deep, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_linear, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Markdown to blocks, blocks to Markdown, and Markdown over what is stored. Whole documents: corpus_test. */
#include "providers/wordpress/content/markdown_in.h"
#include "providers/wordpress/content/markdown_out.h"
#include "providers/wordpress/content/markdown_simple.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define P(text) "<!-- wp:paragraph -->\n<p>" text "</p>\n<!-- /wp:paragraph -->"
#define LI(text) "<!-- wp:list-item -->\n<li>" text "</li>\n<!-- /wp:list-item -->"
#define UL(items) "<!-- wp:list -->\n<ul class=\"wp-block-list\">" items "</ul>\n<!-- /wp:list -->"
#define OL(items) "<!-- wp:list {\"ordered\":true} -->\n<ol class=\"wp-block-list\">" items "</ol>\n<!-- /wp:list -->"
#define H2(text) "<!-- wp:heading -->\n<h2 class=\"wp-block-heading\">" text "</h2>\n<!-- /wp:heading -->"
#define LEAD(text)                                                                                                     \
    "<!-- wp:paragraph {\"className\":\"lead\"} -->\n<p class=\"lead\">" text "</p>\n<!-- /wp:paragraph -->"
#define GAP "\n\n"

static struct arena *arena;
static struct call call;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new((size_t)512 * 1024 * 1024);
    call_init(&call, arena, 10000);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static const char *text_of(struct buf *buf)
{
    return str_copy_cstr(arena, buf_str(buf));
}

static void assert_from(const char *text, enum content_format format, const char *wanted)
{
    struct buf out;
    buf_init(&out, arena, 1024 * 1024);
    assert_int_equal(content_to_blocks(&call, str_from(text), format, &out), OK);
    assert_string_equal(text_of(&out), wanted);
}

static void assert_markdown(const char *markdown, const char *wanted)
{
    assert_from(markdown, CONTENT_MARKDOWN, wanted);
}

static void assert_shown(const char *raw, const char *wanted)
{
    struct buf out;
    struct content_view view = {STR_EMPTY, 0};
    buf_init(&out, arena, 1024 * 1024);
    assert_int_equal(content_to_markdown(&call, str_from(raw), &view, &out), OK);
    assert_string_equal(text_of(&out), wanted);
}

static void assert_over(const char *markdown, const char *stored, const char *wanted)
{
    struct buf out;
    buf_init(&out, arena, 1024 * 1024);
    call_clear_error(&call);
    int rc = content_from_markdown(&call, str_from(markdown), str_from(stored), false, &out);
    if (rc != OK)
        print_message("%.*s\n", STR_ARG(call.error_text));
    assert_int_equal(rc, OK);
    assert_string_equal(text_of(&out), wanted);
}

static void assert_refused(const char *markdown, const char *stored, int code, const char *words)
{
    struct buf out;
    buf_init(&out, arena, 1024 * 1024);
    call_clear_error(&call);
    assert_int_equal(content_from_markdown(&call, str_from(markdown), str_from(stored), false, &out), code);
    if (!str_contains(call.error_text, str_from(words)))
        fail_msg("\"%.*s\" does not say \"%s\"", STR_ARG(call.error_text), words);
}

static void test_inline(void **state)
{
    (void)state;
    assert_markdown("a **b** *c* ~~d~~ `e<f>` & < >",
                    P("a <strong>b</strong> <em>c</em> <s>d</s> <code>e&lt;f&gt;</code> &amp; &lt; &gt;"));
    assert_markdown("[t](http://x.test/?a=1&b=2 \"q\\\"\")",
                    P("<a href=\"http://x.test/?a=1&amp;b=2\" title=\"q&quot;\">t</a>"));
    assert_markdown("one\ntwo\\\nthree  \nfour", P("one two<br>three<br>four"));
    assert_markdown("a <a href=\"/?a=1&b=2&amp;c\">l</a> <!-- a & b -->",
                    P("a <a href=\"/?a=1&amp;b=2&amp;c\">l</a> <!-- a & b -->"));
    assert_markdown("<mark class=\"x\">kept</mark> &copy; &amp; H<sub>2</sub>O",
                    P("<mark class=\"x\">kept</mark> \xC2\xA9 &amp; H<sub>2</sub>O"));
    assert_markdown("text ![i](u.png) more", P("text <img src=\"u.png\" alt=\"i\"> more"));
    assert_markdown("[x]\n\n[x]: http://d.test", P("<a href=\"http://d.test\">x</a>"));
}

/* Notes are no links: text, and a paragraph for each. */
static void test_notes(void **state)
{
    (void)state;
    assert_markdown("See[^1] and[^b].\n\n[^1]: note\n[^b]: http://x.test/ more",
                    P("See[^1] and[^b].") "\n\n" P("[^1]: note") "\n\n" P("[^b]: http://x.test/ more"));
    assert_markdown("[^1]: note\n    goes on\n\nSee[^1]. [x]\n\n[x]: http://d.test",
                    P("[^1]: note goes on") "\n\n" P("See[^1]. <a href=\"http://d.test\">x</a>"));
    assert_markdown("See[^1].\n[^1]: note", P("See[^1]. [^1]: note"));
    assert_markdown("[^1](http://x.test) [^]: x", P("<a href=\"http://x.test\">^1</a> [^]: x"));
    assert_markdown(
        "```\n\n[^1]: note\n```\n\nx",
        "<!-- wp:code -->\n<pre class=\"wp-block-code\"><code>\n&#91;^1]: note</code></pre>\n<!-- /wp:code -->\n\n" P(
            "x"));
    /* Whatever ends the block before it, and in whatever it stands. */
    assert_markdown("See[^1].\n\n***\n[^1]: note",
                    P("See[^1].") "\n\n<!-- wp:separator -->\n<hr class=\"wp-block-separator "
                                  "has-alpha-channel-opacity\"/>\n<!-- /wp:separator -->\n\n" P("[^1]: note"));
    assert_markdown("Two\n---\n[^1]: note", H2("Two") GAP P("[^1]: note"));
    assert_markdown("```a``` b\n\n[^1]: note", P("<code>a</code> b") GAP P("[^1]: note"));
    assert_markdown("- a\n- [^1]: note", UL(LI("a") GAP LI("[^1]: note")));
    /* Code and HTML stay as they are. */
    assert_markdown(
        "````\n```\n[^1]: a\n[^2]: b\n```\n````",
        "<!-- wp:code -->\n<pre class=\"wp-block-code\"><code>```\n&#91;^1]: a\n&#91;^2]: b\n```</code></pre>\n<!-- "
        "/wp:code -->");
    assert_markdown("<pre>\n\n[^1]: note\n</pre>",
                    "<!-- wp:preformatted -->\n<pre class=\"wp-block-preformatted\">\n[^1]: note\n</pre>\n<!-- "
                    "/wp:preformatted -->");
    assert_markdown("[x](http://x.test/ \"a\n[^1]: b\")", P("<a href=\"http://x.test/\" title=\"a\n[^1]: b\">x</a>"));
    /* Over what is stored, too: a note is not given to each new piece. */
    assert_over("a\n\nSee[^1].\n\nb\n\nnew\n\n[^1]: note", P("a") "\n\n" P("b"),
                P("a") "\n\n" P("See[^1].") "\n\n" P("b") "\n\n" P("new") "\n\n" P("[^1]: note"));
    assert_over("See[^1].\n\n[^1]: note", P("See[^1].") "\n\n" P("[^1]: note"), P("See[^1].") "\n\n" P("[^1]: note"));
}

static void test_blocks(void **state)
{
    (void)state;
    assert_markdown("## Two\n\n# One", H2("Two") GAP
                    "<!-- wp:heading {\"level\":1} -->\n<h1 class=\"wp-block-heading\">One</h1>\n<!-- /wp:heading -->");
    assert_markdown("---", "<!-- wp:separator -->\n<hr class=\"wp-block-separator has-alpha-channel-opacity\"/>\n"
                           "<!-- /wp:separator -->");
    assert_markdown("```\n[a] <b>\n\thttps://x.test\nhttps://x.test\n```",
                    "<!-- wp:code -->\n<pre class=\"wp-block-code\"><code>&#91;a] "
                    "&lt;b&gt;\n\thttps:&#47;&#47;x.test\nhttps://x.test"
                    "</code></pre>\n<!-- /wp:code -->");
    assert_markdown("```php\nx\n```", "<!-- wp:code {\"className\":\"language-php\"} -->\n<pre class=\"wp-block-code "
                                      "language-php\"><code>x</code></pre>\n<!-- /wp:code -->");
    assert_markdown("> a\n>\n> — Me", "<!-- wp:quote -->\n<blockquote class=\"wp-block-quote\">" P(
                                          "a") "<cite>Me</cite></blockquote>\n<!-- /wp:quote -->");
    assert_markdown("<!--more-->", "<!-- wp:more -->\n<!--more-->\n<!-- /wp:more -->");
    assert_markdown("<div class=\"x\">\nhi\n</div>",
                    "<!-- wp:html -->\n<div class=\"x\">\nhi\n</div>\n<!-- /wp:html -->");
    assert_markdown("<p>not in</p>", P("not in"));
    assert_markdown("", "");
    assert_markdown(" \n\n", "");
}

static void test_images_and_embeds(void **state)
{
    (void)state;
    assert_markdown(
        "![a \"q\"](http://x.test/i.png)\n*Cap **b***",
        "<!-- wp:image -->\n<figure class=\"wp-block-image\"><img src=\"http://x.test/i.png\" alt=\"a &quot;q&quot;\"/>"
        "<figcaption class=\"wp-element-caption\">Cap <strong>b</strong></figcaption></figure>\n<!-- /wp:image -->");
    assert_markdown("[![a](i.png)](http://l.test)",
                    "<!-- wp:image {\"linkDestination\":\"custom\"} -->\n<figure class=\"wp-block-image\"><a "
                    "href=\"http://l.test\"><img src=\"i.png\" alt=\"a\"/></a></figure>\n<!-- /wp:image -->");
    assert_markdown(
        "https://twitter.com/a/status/1--2",
        "<!-- wp:embed "
        "{\"url\":\"https://twitter.com/a/status/1\\u002d\\u002d2\",\"type\":\"rich\",\"providerNameSlug\":"
        "\"twitter\",\"responsive\":true} -->\n<figure class=\"wp-block-embed is-type-rich is-provider-twitter "
        "wp-block-embed-twitter\"><div class=\"wp-block-embed__wrapper\">\nhttps://twitter.com/a/status/1--2\n</div>"
        "</figure>\n<!-- /wp:embed -->");
    assert_markdown("https://example.test/page", P("https://example.test/page"));
}

static void test_lists(void **state)
{
    (void)state;
    assert_markdown("- a\n- b", UL(LI("a") GAP LI("b")));
    assert_markdown("- a\n\n- b", UL(LI("a") GAP LI("b")));
    assert_markdown("1. a\n   - b\n2. c", OL(LI("a" UL(LI("b"))) GAP LI("c")));
    assert_markdown("- a\n\n  second", UL(LI("a<br><br>second")));
    assert_markdown("-", UL(LI("")));
    /* What an item cannot hold stands between two lists, the second of which counts on. */
    assert_markdown("1. a\n\n   ```\n   x\n   ```\n2. b", OL(LI("a")) GAP
                    "<!-- wp:code -->\n<pre class=\"wp-block-code\"><code>x</code></pre>\n<!-- /wp:code -->" GAP
                    "<!-- wp:list {\"ordered\":true,\"start\":2} -->\n<ol start=\"2\" class=\"wp-block-list\">" LI(
                        "b") "</ol>\n<!-- /wp:list -->");
    assert_markdown("- a\n  - b\n\n  after", UL(LI("a" UL(LI("b")))) GAP P("after"));
}

static void test_tables(void **state)
{
    (void)state;
    assert_markdown("|a|b|\n|-|-:|\n|1|x\\|y|",
                    "<!-- wp:table -->\n<figure class=\"wp-block-table\"><table "
                    "class=\"has-fixed-layout\"><thead><tr><th>a</th><th "
                    "class=\"has-text-align-right\" data-align=\"right\">b</th></tr></thead><tbody><tr><td>1</td><td "
                    "class=\"has-text-align-right\" data-align=\"right\">x|y</td></tr></tbody></table></figure>\n<!-- "
                    "/wp:table -->");
    assert_markdown(
        "| | |\n|-|-|\n|1|2|",
        "<!-- wp:table -->\n<figure class=\"wp-block-table\"><table class=\"has-fixed-layout\"><tbody><tr><td>1</td>"
        "<td>2</td></tr></tbody></table></figure>\n<!-- /wp:table -->");
}

static void test_html(void **state)
{
    (void)state;
    assert_from("<h2 style=\"color:red\">T</h2><p class=\"x\">a\nb</p><ul><li><p>i</p></li><li>j<ol><li>k</li></ul>",
                CONTENT_HTML,
                H2("T") GAP P("a b") GAP
                "<!-- wp:html -->\n<ul><li><p>i</p></li><li>j<ol><li>k</li></ul>\n<!-- /wp:html -->");
    assert_from("<div><p>a</p><p></p></div><ul><li><p>i</p></li></ul><hr>", CONTENT_HTML,
                P("a") GAP UL(LI("i")) GAP
                "<!-- wp:separator -->\n<hr class=\"wp-block-separator has-alpha-channel-opacity\"/>\n"
                "<!-- /wp:separator -->");
    assert_from("bare <b>text</b>", CONTENT_HTML, P("bare <b>text</b>"));
    assert_from("<form><input></form>", CONTENT_HTML, "<!-- wp:html -->\n<form><input></form>\n<!-- /wp:html -->");
    assert_from(
        "<pre><code class=\"language-c\">a &lt; b[0]\n</code></pre>", CONTENT_HTML,
        "<!-- wp:code {\"className\":\"language-c\"} -->\n<pre class=\"wp-block-code language-c\"><code>a &lt; b&#91;0]"
        "</code></pre>\n<!-- /wp:code -->");
    assert_from(P("x"), CONTENT_HTML, P("x"));
    /* To a browser these are comments: who writes them in a sentence means the signs. */
    assert_markdown("a <?php echo *1*;\n&amp; ?> *b*", P("a &lt;?php echo *1*; &amp;amp; ?&gt; <em>b</em>"));
    assert_markdown("a <!DOCTYPE html> <b>b</b>", P("a &lt;!DOCTYPE html&gt; <b>b</b>"));
    assert_markdown("a <![CDATA[ > ]]> b", P("a &lt;![CDATA[ &gt; ]]&gt; b"));
}

static void test_block_markup(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, arena, 1024);
    assert_from("\n" P("x") "\n", CONTENT_BLOCKS, P("x"));
    assert_markdown("a\n\n" LEAD("raw") "\n\nb", P("a") GAP LEAD("raw") GAP P("b"));
    assert_int_equal(content_to_blocks(&call, STR("<!-- wp:group --><!-- wp:a -->x"), CONTENT_BLOCKS, &out), E_INVALID);
    assert_true(str_contains(call.error_text, STR("1.1 (core/a)")));
    assert_int_equal(content_to_blocks(&call, STR("x<!-- /wp:a -->"), CONTENT_BLOCKS, &out), E_INVALID);
    assert_int_equal(content_to_blocks(&call, STR("[[block 2 core/x]]"), CONTENT_MARKDOWN, &out), E_INVALID);
}

static void test_too_deep(void **state)
{
    (void)state;
    struct buf text, out;
    buf_init(&text, arena, 4096);
    buf_init(&out, arena, 1024 * 1024);
    for (int i = 0; i < 2 * MARKDOWN_DEPTH_MAX; i++)
        buf_add(&text, STR("> "));
    buf_add(&text, STR("x"));
    assert_int_equal(content_to_blocks(&call, buf_str(&text), CONTENT_MARKDOWN, &out), E_LIMIT);
}

static void test_shown(void **state)
{
    (void)state;
    assert_shown(P("a *b* _c_ d_e [f] `g` &amp;amp; &lt;b> 1. x"),
                 "a \\*b\\* \\_c\\_ d_e \\[f] \\`g\\` \\&amp; \\<b> 1. x");
    assert_shown(P("# a<br>- b"), "\\# a\\\n\\- b");
    assert_shown(P("a > b &#8217;&nbsp;x") GAP P("&gt; c &gt; d AT&T"), "a > b \xE2\x80\x99&nbsp;x\n\n\\> c > d AT&T");
    assert_shown(P("<strong><em>x</em></strong> <a href=\"u\" target=\"_blank\">l</a>"),
                 "**_x_** <a href=\"u\" target=\"_blank\">l</a>");
    assert_shown(LEAD("<strong>x</strong>"), "[[block 1 core/paragraph]] **x**");
    assert_shown("<!-- wp:latest-posts /-->", "[[block 1 core/latest-posts]]");
    assert_shown("<!-- wp:group -->\n<div class=\"wp-block-group\">" P("in") "</div>\n<!-- /wp:group -->",
                 "[[block 1 core/group]]\n\nin\n\n[[/block 1]]");
    assert_shown(UL(LI("a")) GAP UL(LI("b")), "- a\n\n* b");
    assert_shown("Classic\ntext\n\n<ul><li>x</li></ul>", "Classic\\\ntext\n\n- x");
    assert_shown("<p style=\"x\">styled</p>", "[[block 1 classic]] styled");
    assert_shown("<!-- wp:heading -->\n<h2>old</h2>\n<!-- /wp:heading -->", "## old");
    assert_shown(P("[[block 1 core/x]]"), "\\[\\[block 1 core/x]]");
}

static void test_over_stored(void **state)
{
    (void)state;
    const char *stored = P("one") "\n\n\n" LEAD("two") GAP P("<b>three</b>") "\n";
    assert_over("one\n\n[[block 2 core/paragraph]] two\n\n<b>three</b>", stored, stored);
    assert_over("one\n\n[[block 2 core/paragraph]]\n\n<b>three</b>", stored, stored);
    assert_over("[[block 2 core/paragraph]] **new**\n\none\n\nadded", stored,
                LEAD("<strong>new</strong>") GAP P("one") GAP P("added"));
    assert_over("changed\n\n[[block 2 core/paragraph]]", stored, P("changed") GAP LEAD("two"));
    /* Old markup stays old where it did not change. */
    const char *old = "<!-- wp:heading -->\n<h2>old</h2>\n<!-- /wp:heading -->" GAP P("x");
    assert_over("## old\n\ny", old, "<!-- wp:heading -->\n<h2>old</h2>\n<!-- /wp:heading -->" GAP P("y"));
    assert_over("## new\n\nx", old, H2("new") GAP P("x"));
}

/* Beside text that ends its attributes, this comment would be the start of a block. */
static void test_unfinished_delimiter(void **state)
{
    (void)state;
    static const char stored[] = "<!-- wp:html -->\n<!-- wp:l {-->\n<!-- /wp:html -->\n\n" P("} /--&gt;");
    assert_shown(stored, "[[block 1 core/html]]\n\n} /-->");
    assert_over("[[block 1 core/html]]\n\n} /-->", stored, stored);
}

static void test_over_containers(void **state)
{
    (void)state;
    const char *stored =
        "<!-- wp:group -->\n<div class=\"g\">" P("a") GAP LEAD("b") "</div>\n<!-- /wp:group -->" GAP P("z");
    assert_over("[[block 1 core/group]]\n\na\n\n[[block 1.2 core/paragraph]] b\n\n[[/block 1]]\n\nz", stored, stored);
    assert_over("[[block 1 core/group]]\n\nz", stored, stored);
    assert_over("[[block 1 core/group]]\n\nnew\n\n[[block 1.2 core/paragraph]]\n\n[[/block 1]]\n\nz", stored,
                "<!-- wp:group -->\n<div class=\"g\">" P("new") GAP LEAD("b") "</div>\n<!-- /wp:group -->" GAP P("z"));
    assert_refused("[[block 1 core/group]]\n\na\n\n[[/block 1]]\n\nz", stored, E_CONFLICT,
                   "[[block 1.2 core/paragraph]]");
    assert_refused("z", stored, E_CONFLICT, "1 stand-in ");
    assert_refused("z\n\n[[/block 1]]", stored, E_INVALID, "no [[block 1");
}

static void test_over_refusals(void **state)
{
    (void)state;
    const char *table =
        "<!-- wp:table {\"className\":\"x\"} -->\n<figure class=\"wp-block-table x\"><table "
        "class=\"has-fixed-layout\"><tbody><tr><td>a</td></tr></tbody></table></figure>\n<!-- /wp:table -->";
    struct buf out;
    buf_init(&out, arena, 4096);
    assert_over("[[block 1 core/table]]\n|  |\n|---|\n| a |", table, table);
    assert_refused("[[block 1 core/table]]\n|  |\n|---|\n| b |", table, E_INVALID, "cannot be changed in Markdown");
    assert_refused("[[block 2 core/table]]", table, E_INVALID, "no block 2");
    assert_refused("[[block 1 core/group]]", table, E_CONFLICT, "is core/table now");
    assert_refused("x", table, E_CONFLICT, "allow_loss");
    assert_int_equal(content_from_markdown(&call, STR("x"), str_from(table), true, &out), OK);
    assert_string_equal(text_of(&out), P("x"));
}

static void test_over_classic(void **state)
{
    (void)state;
    const char *stored = "First\nline\n\n<p style=\"x\">styled</p>\n<h2>T</h2>\nlast";
    assert_over("First\\\nline\n\n[[block 2 classic]] styled\n\n## T\n\nlast", stored, stored);
    assert_over("First\\\nline\n\n[[block 2 classic]]\n\n## New\n\n- a", stored,
                "First\nline\n\n<p style=\"x\">styled</p>\n\n<h2>New</h2>\n\n<ul>\n<li>a</li>\n</ul>");
}

static void test_parts(void **state)
{
    (void)state;
    const char *raw = P("intro") GAP H2("First &amp; one") GAP P("a") GAP P("b") GAP H2("Second") GAP P("c");
    static const struct {
        const char *part;
        size_t max;
        const char *wanted;
    } cases[] = {{"2-3", 0, "## First & one\n\na"},
                 {"3", 0, "a"},
                 {"first & one", 0, "## First & one\n\na\n\nb"},
                 {"## Second", 0, "## Second\n\nc"},
                 {"Sec", 0, "## Second\n\nc"},
                 {"", 26, "intro\n\n## First & one\n\na\n\n[... 17 more characters: part=4-6]"},
                 {"6", 0, "c"},
                 {"1", 3, "int\n[... 2 more characters of block 1: raise max_chars]"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct buf out;
        struct content_view view = {str_from(cases[i].part), cases[i].max};
        buf_init(&out, arena, 4096);
        assert_int_equal(content_to_markdown(&call, str_from(raw), &view, &out), OK);
        assert_string_equal(text_of(&out), cases[i].wanted);
    }
    struct buf out;
    struct content_view view = {STR("Third"), 0}, all = {STR_EMPTY, 0};
    buf_init(&out, arena, 4096);
    assert_int_equal(content_to_markdown(&call, str_from(raw), &view, &out), E_NOT_FOUND);
    assert_true(str_contains(call.error_text, STR("blocks 1-6 and the headings \"First & one\", \"Second\"")));
    assert_int_equal(content_outline(&call, str_from(raw), &all, &out), OK);
    assert_string_equal(text_of(&out), "1 paragraph\n2 ## First & one\n3-4 paragraph\n5 ## Second\n6 paragraph");
    buf_clear(&out);
    view.part = STR("6");
    assert_int_equal(content_numbered_blocks(&call, str_from(raw), &view, &out), OK);
    assert_string_equal(text_of(&out), "[6] " P("c"));
}

static void assert_outline(const char *raw, const char *wanted)
{
    struct buf out;
    struct content_view all = {STR_EMPTY, 0};
    buf_init(&out, arena, 64 * 1024);
    assert_int_equal(content_outline(&call, str_from(raw), &all, &out), OK);
    assert_string_equal(text_of(&out), wanted);
}

/* Inner blocks have their numbers in the outline, too. */
static void test_outline_inside(void **state)
{
    (void)state;
    assert_outline("<!-- wp:group --><!-- wp:columns --><!-- wp:column --><!-- wp:image /--><!-- wp:buttons -->"
                   "<!-- wp:button /--><!-- wp:button /--><!-- /wp:buttons --><!-- /wp:column --><!-- wp:column /-->"
                   "<!-- /wp:columns --><!-- /wp:group -->",
                   "1 group (.1 columns (.1 column (.1 image, .2 buttons (.1-2 button)), .2 column))");
    assert_outline("<!-- wp:a /--><!-- wp:a /--><!-- wp:list --><!-- wp:list-item /--><!-- wp:list-item /-->"
                   "<!-- wp:list-item --><!-- wp:list --><!-- wp:list-item /--><!-- /wp:list --><!-- /wp:list-item -->"
                   "<!-- wp:list-item /--><!-- /wp:list --><!-- wp:list --><!-- wp:list-item /--><!-- /wp:list --><!-- "
                   "wp:list /-->",
                   "1-2 a, 3 list (.1-2, .3 (.1 list), .4), 4-5 list");
    assert_outline(
        "<!-- wp:columns --><!-- wp:column -->"
        "<!-- wp:heading {\"level\":3} -->\n<h3>Left</h3>\n<!-- /wp:heading -->"
        "<!-- wp:list --><!-- wp:list-item /--><!-- /wp:list --><!-- wp:a /--><!-- wp:a /--><!-- /wp:column -->"
        "<!-- wp:column --><!-- wp:image /--><!-- wp:buttons --><!-- wp:button /--><!-- /wp:buttons -->"
        "<!-- /wp:column --><!-- /wp:columns --><!-- wp:a /-->",
        "1 columns\n1.1 column\n1.1.1 ### Left\n1.1.2 list, 1.1.3-1.1.4 a\n1.2 column (.1 image, .2 buttons (.1 "
        "button))\n2 a");
}

/* Text that could be searched again and again. */
static void test_linear(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "[[block 1 core/group]]\n\n", "<!-- wp:a -->\n\n", "<em>", "- a\n\n", "> ", "`", "[a]: b\n", "**a*"};
    for (size_t k = 0; k < ARRAY_LENGTH(parts); k++) {
        struct buf text, out;
        buf_init(&text, arena, 1024 * 1024);
        buf_init(&out, arena, 16 * 1024 * 1024);
        while (text.len < (size_t)64 * 1024)
            buf_add(&text, str_from(parts[k]));
        struct content_view view = {STR_EMPTY, 0};
        (void)content_to_markdown(&call, buf_str(&text), &view, &out);
        buf_clear(&out);
        (void)content_from_markdown(&call, buf_str(&text), STR("<!-- wp:group --><!-- wp:b /--><!-- /wp:group -->"),
                                    true, &out);
        tear_down(NULL);
        assert_int_equal(set_up(NULL), 0);
    }
}

/* --- what is known to come back, without being tried */

static bool is_simple(const char *raw, struct buf *out)
{
    struct blocks blocks = blocks_parse(arena, str_from(raw), BLOCKS_SPLIT_CLASSIC);
    buf_init(out, arena, 64 * 1024);
    return blocks.count == 1 && markdown_simple(blocks.first, out);
}

static void assert_simple(const char *raw, const char *wanted)
{
    struct buf out;
    assert_true(is_simple(raw, &out));
    assert_string_equal(text_of(&out), wanted);
    assert_shown(raw, wanted);
}

/* Whatever is taken for simple becomes the same bytes again, and leaves what stands behind it alone. */
static bool assert_comes_back(const char *raw)
{
    struct buf markdown, back;
    if (!is_simple(raw, &markdown))
        return false;
    buf_add(&markdown, STR("\n\n*x*"));
    buf_init(&back, arena, 1024 * 1024);
    assert_int_equal(content_to_blocks(&call, buf_str(&markdown), CONTENT_MARKDOWN, &back), OK);
    struct str wanted = str_format(arena, "%s" GAP P("<em>x</em>"), raw);
    assert_string_equal(text_of(&back), wanted.ptr);
    return true;
}

static void test_simple(void **state)
{
    struct buf out;
    (void)state;
    assert_simple(P("A word, an\xC3\xA1lise; \"said\" (she)!"), "A word, an\xC3\xA1lise; \"said\" (she)!");
    assert_simple(P("Go <strong>on now</strong>, or <em>not</em>."), "Go **on now**, or *not*.");
    assert_simple(P("See <a href=\"https://example.com/a_b?c=1#d\">this page</a>."),
                  "See [this page](https://example.com/a_b?c=1#d).");
    assert_simple(H2("Title 2"), "## Title 2");
    assert_simple(UL(LI("one") GAP LI("two")), "- one\n- two");
    assert_simple(OL(LI("one") GAP LI("two")), "1. one\n2. two");
    static const char *const others[] = {
        P(""),
        P(" a"),
        P("a "),
        P("a  b"),
        P("1. a"),
        P("a\xC2\xA0"
          "b"),
        P("a*b"),
        P("a_b_"),
        P("a [b]"),
        P("a &amp; b"),
        P("a<br>b"),
        P("<strong>a</strong>"),
        P("a <strong>b </strong>c"),
        P("a <strong>b</strong>c"),
        P("a<em>b</em>"),
        P("a <strong class=\"x\">b</strong>"),
        P("http://youtu.be/x"),
        P("a <a href=\"x\" rel=\"y\">b</a>"),
        P("a <a href=\"x(y\">b</a>"),
        P("a\tb"),
        H2("a #"),
        LEAD("a"),
        UL(LI("- a")),
        UL(LI("a" UL(LI("b")))),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        assert_false(is_simple(others[i], &out));
}

static void test_simple_by_chance(void **state)
{
    enum { TEXTS = 6000, PIECES_MAX = 7 };
    /* clang-format off */
    static const char *const pieces[] = {
        "word", "A", " ", " ", " ", ",", ".", "!", "(", ")", "-", "--", "1.", "2)", "http", "://x.y/", "www.", "'", "\"",
        "\xC3\xA9", "\xE2\x80\x83", "\xC2\xA0", "*", "_", "#", "+", "[", "]", "]:", ":", "@", "a@b.c", "~", "|", "$", "=",
        "---", "\t", "`", "\\", "&amp;", "&", "<br>", "\n", "\xE2\x80\x94 ", "<strong>", "</em>", " <strong>b</strong>",
        " <em>i j</em>", " <em>\xC3\xA9</em>", " <em><strong>x</strong></em>", "https://youtu.be/abc",
        " <a href=\"https://e.com/a_b-c?x=1#f\">l m</a>", " <a href=\"x\">http</a>",
    };
    /* clang-format on */
    static const char *const forms[] = {P("%s"), H2("%s"), UL(LI("%s")), OL(LI("%s") GAP LI("x"))};
    uint32_t random = 1;
    size_t taken = 0;
    (void)state;
    for (size_t i = 0; i < TEXTS; i++) {
        struct buf text;
        buf_init(&text, arena, 4096);
        buf_add(&text, random & 0x10000 ? STR("x ") : STR_EMPTY);
        for (size_t n = random % PIECES_MAX + 1; n > 0; n--) {
            random = random * 1664525 + 1013904223;
            buf_add(&text, str_from(pieces[(random >> 8) % ARRAY_LENGTH(pieces)]));
        }
        struct str raw = str_replace(arena, str_from(forms[i % ARRAY_LENGTH(forms)]), STR("%s"), buf_str(&text));
        taken += assert_comes_back(str_copy_cstr(arena, raw));
    }
    assert_in_range(taken, TEXTS / 20, TEXTS / 2); /* enough of both kinds */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_inline),          TEST(test_notes),         TEST(test_blocks),       TEST(test_images_and_embeds),
        TEST(test_lists),           TEST(test_tables),        TEST(test_html),         TEST(test_block_markup),
        TEST(test_too_deep),        TEST(test_shown),         TEST(test_over_stored),  TEST(test_unfinished_delimiter),
        TEST(test_over_containers), TEST(test_over_refusals), TEST(test_over_classic), TEST(test_parts),
        TEST(test_outline_inside),  TEST(test_linear),        TEST(test_simple),       TEST(test_simple_by_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

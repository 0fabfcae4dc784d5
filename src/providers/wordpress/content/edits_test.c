/* wp_edit's edits: what is found, what is refused, what comes out, and how few words tell it. */
#include "providers/wordpress/content/edits.h"

#include "base/buf.h"
#include "providers/wordpress/content/changes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

#define P(text) "<!-- wp:paragraph -->\n<p>" text "</p>\n<!-- /wp:paragraph -->"
#define LI(text) "<!-- wp:list-item -->\n<li>" text "</li>\n<!-- /wp:list-item -->"
#define UL(items) "<!-- wp:list -->\n<ul class=\"wp-block-list\">" items "</ul>\n<!-- /wp:list -->"
#define H2(text) "<!-- wp:heading -->\n<h2 class=\"wp-block-heading\">" text "</h2>\n<!-- /wp:heading -->"
#define GROUP(inner) "<!-- wp:group -->\n<div class=\"wp-block-group\">" inner "</div>\n<!-- /wp:group -->"
#define GAP "\n\n"

static struct arena *arena;
static struct call call;
static struct content_changes changes;
static struct str diff; /* of the last edit */

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

static struct content_edit find(const char *text, const char *replace, int64_t count)
{
    return (struct content_edit){str_from(text), str_from(replace), count,     STR_EMPTY,
                                 STR_EMPTY,      STR_EMPTY,         STR_EMPTY, false};
}

static struct content_edit block(const char *number, const char *op, const char *content)
{
    return (struct content_edit){STR_EMPTY,    STR_EMPTY,         0,         str_from(number),
                                 str_from(op), str_from(content), STR_EMPTY, false};
}

static void assert_edits(const char *raw, const struct content_edit *edits, size_t count, const char *wanted)
{
    struct str out = STR_EMPTY;
    call_clear_error(&call);
    int rc = content_apply_edits(&call, str_from(raw), edits, count, &out, &changes);
    if (rc != OK)
        print_message("%.*s\n", STR_ARG(call.error_text));
    assert_int_equal(rc, OK);
    diff = changes_between(arena, str_from(raw), out);
    assert_string_equal(str_copy_cstr(arena, out), wanted);
}

static void assert_edit(const char *raw, struct content_edit edit, const char *wanted)
{
    assert_edits(raw, &edit, 1, wanted);
}

static void assert_refused(const char *raw, struct content_edit edit, int code, const char *words)
{
    struct str out;
    call_clear_error(&call);
    assert_int_equal(content_apply_edits(&call, str_from(raw), &edit, 1, &out, &changes), code);
    if (!str_contains(call.error_text, str_from(words)))
        fail_msg("\"%.*s\" does not say \"%s\"", STR_ARG(call.error_text), words);
}

static void test_find(void **state)
{
    (void)state;
    assert_edit(P("one two"), find("two", "three", 1), P("one three"));
    assert_edit(P("one two"), find("one ", "", 0), P("two"));
    assert_edit(P("a a") GAP P("a"), find("a", "b", 3), P("b b") GAP P("b"));
    assert_edit(P("a a"), find("a", "b", -1), P("b b"));
    /* Words of the markup are not the text's. */
    assert_edit(H2("heading of a list"), find("heading", "title", 1), H2("title of a list"));
    assert_edit(P("<a href=\"http://old.test/\">http://old.test/</a>"), find("http://old.test/", "http://new.test/", 2),
                P("<a href=\"http://new.test/\">http://new.test/</a>"));
    assert_edit(P("x"), find("<p>x</p>", "<p class=\"y\">x</p>", 1),
                "<!-- wp:paragraph -->\n<p class=\"y\">x</p>\n<!-- /wp:paragraph -->");
}

static void test_find_forgiving(void **state)
{
    (void)state;
    assert_edit(P("Tom &amp; Jerry&#8217;s  \xC2\xA0x"), find("Tom & Jerry's x", "Tom & \"Spike\" < x", 1),
                P("Tom &amp; \"Spike\" &lt; x"));
    assert_edit(P("It\xE2\x80\x99s \xE2\x80\x9Cgood\xE2\x80\x9D \xE2\x80\x93 yes\xE2\x80\xA6 more"),
                find("It's \"good\" - yes... more", "Done", 1), P("Done"));
    assert_edit(P("It's -- so"), find("It\xE2\x80\x99s \xE2\x80\x94 so", "x", 1), P("x"));
    assert_edit(P("over\nlines here"), find("over lines", "one line", 1), P("one line here"));
    assert_edit(P("a &lt;b&gt; c"), find("a <b> c", "a <i> d", 1), P("a &lt;i> d"));
    assert_edit(P("soft\xC2\xADhyphen"), find("softhyphen", "x", 1), P("x"));
    /* As the text was shown: Markdown. */
    assert_edit(P("a <strong>bold</strong> word"), find("a **bold** word", "an *italic* `x<y` word", 1),
                P("an <em>italic</em> <code>x&lt;y</code> word"));
    assert_edit(P("see <a href=\"http://x.test\">this</a>."), find("[this](http://x.test)", "[that](http://y.test)", 1),
                P("see <a href=\"http://y.test\">that</a>."));
}

static void test_replacement_fits(void **state)
{
    (void)state;
    assert_edit(P("one. two."), find("two.", "<p>new & <em>x</em> 1 < 2.</p>", 1),
                P("one. new &amp; <em>x</em> 1 &lt; 2."));
    assert_edit(P("AT&amp;T"), find("AT&amp;T", "R&amp;D &copy;", 1), P("R&amp;D &copy;"));
    assert_edit(P("a & b"), find("a & b", "c & d", 1), P("c & d"));
    assert_refused(P("one"), find("one", "<h2>x</h2>", 1), E_INVALID, "has a <h2>");
    assert_refused(P("one"), find("one", "<p>a</p><p>b</p>", 1), E_INVALID, "has a <p>");
    assert_refused(P("one"), find("one", "a\n\nb", 1), E_INVALID, "blank line");
    assert_edit("bare classic text", find("classic", "<h2>x</h2>", 1), "bare <h2>x</h2> text");
}

/* Markdown in what replaces plain text: literally, and said; as Markdown when asked for. */
static void test_replace_markdown(void **state)
{
    (void)state;
    struct content_edit edit = find("one", "**Line** [x](http://x.test/) & y", 1);
    assert_edit(P("one two"), edit, P("**Line** [x](http://x.test/) &amp; y two"));
    assert_true(str_contains(changes.note, STR("taken literally")));
    edit.format = STR("markdown");
    assert_edit(P("one two"), edit, P("<strong>Line</strong> <a href=\"http://x.test/\">x</a> &amp; y two"));
    assert_int_equal(changes.note.len, 0);
    edit = find("one", " *x* ", 1);
    edit.format = STR("markdown");
    assert_edit(P("a one b"), edit, P("a  <em>x</em>  b"));
    edit.replace = STR("");
    assert_edit(P("a one b"), edit, P("a  b"));
    edit.replace = STR("## x");
    assert_refused(P("a one b"), edit, E_INVALID, "not one paragraph");
    /* In an attribute it is text in any case. */
    edit.replace = STR("*x*");
    assert_edit("<img src=\"/a.jpg\" alt=\"one\"/>", edit, "<img src=\"/a.jpg\" alt=\"*x*\"/>");
    assert_int_equal(changes.note.len, 0);
    assert_edit(H2("one"), find("one", "## x", 1), H2("## x"));
    assert_true(changes.note.len > 0);
    /* What only looks a little like it. */
    static const char *const plain[] = {"snake_case_name", "5 * 3", "see http://x.test/", "<b>x</b>", "- x",
                                        "a [b] c",         "#1"};
    for (size_t i = 0; i < ARRAY_LENGTH(plain); i++) {
        assert_edit(P("one"), find("one", plain[i], 1), str_copy_cstr(arena, str_format(arena, P("%s"), plain[i])));
        assert_int_equal(changes.note.len, 0);
    }
}

static void test_find_in_attribute(void **state)
{
    (void)state;
    assert_edit("<img src=\"/a.jpg\" alt=\"old alt\"/>", find("old alt", "a \"big\" alt & <x>", 0),
                "<img src=\"/a.jpg\" alt=\"a &quot;big&quot; alt &amp; &lt;x&gt;\"/>");
    /* Who finds the quotes, too, means markup. */
    assert_edit("<img src=\"/a.jpg\" alt=\"old\"/>", find("alt=\"old\"", "alt=\"new\" title=\"t\"", 0),
                "<img src=\"/a.jpg\" alt=\"new\" title=\"t\"/>");
    assert_edit("<a href=\"/x?a=1&amp;b=2\">l</a>", find("a=1&amp;b=2", "a=1&amp;b=3&c=4", 0),
                "<a href=\"/x?a=1&amp;b=3&amp;c=4\">l</a>");
}

/* The JSON of a block's comment stays JSON. */
static void test_find_in_json(void **state)
{
    (void)state;
    const char *raw = "<!-- wp:x {\"a\":\"old\",\"b\":1} /-->" GAP P("t");
    assert_edit(raw, find("old", "new & <b>", 1), "<!-- wp:x {\"a\":\"new & <b>\",\"b\":1} /-->" GAP P("t"));
    assert_edit(raw, find("old", "b--big", 1), "<!-- wp:x {\"a\":\"b\\u002d\\u002dbig\",\"b\":1} /-->" GAP P("t"));
    assert_edit(raw, find("old", "say \\\"x\\\"", 1), "<!-- wp:x {\"a\":\"say \\\"x\\\"\",\"b\":1} /-->" GAP P("t"));
    assert_edit(raw, find("\"old\"", "[1,2]", 1), "<!-- wp:x {\"a\":[1,2],\"b\":1} /-->" GAP P("t"));
    assert_refused(raw, find("old", "say \"x\"", 1), E_INVALID,
                   "attributes of block 1 (core/x), which must stay valid JSON");
    assert_refused(raw, find("old", "x\"} --> y", 1), E_INVALID, "must stay valid JSON");
    assert_refused(raw, find("old", "a\nb", 1), E_INVALID, "must stay valid JSON");
    assert_refused(raw, find("1} /-->", "1 /-->", 1), E_INVALID, "the } of its attributes is missing");
    assert_refused(P("t"), block("1", "after", "<!-- wp:x {\"a\":\"say \"x\"\"} /-->"), E_INVALID,
                   "must stay valid JSON");
    /* What was wrong before is no reason to refuse another edit. */
    assert_edit("<!-- wp:x {\"a\":b} /-->" GAP P("t"), find("t", "u", 1), "<!-- wp:x {\"a\":b} /-->" GAP P("u"));
}

/* A refusal that says what to find instead. */
static void test_find_explained(void **state)
{
    (void)state;
    const char *link = P("Left text with a <a href=\"http://x.test/\">link</a> and <strong>more</strong>.");
    assert_refused(
        link, find("Left text with a link", "x", 1), E_CONFLICT,
        "in block 1 markup stands in it. Find it with that, in Markdown: Left text with a [link](http://x.test/)\n");
    assert_edit(link, find("Left text with a [link](http://x.test/)", "Right [text](http://y.test/)", 1),
                P("Right <a href=\"http://y.test/\">text</a> and <strong>more</strong>."));
    assert_refused(link, find("link and more.", "x", 1), E_CONFLICT, "[link](http://x.test/) and **more**.");
    assert_refused(P("a <mark class=\"x\">b</mark> c"), find("a b c", "x", 1), E_CONFLICT,
                   "as it is stored: a <mark class=\"x\">b</mark> c\n");
    assert_refused(P("one") GAP P("two"), find("one\n\ntwo", "x", 1), E_CONFLICT, "as it is stored: one</p>");
    const char *raw = H2("Left") GAP UL(LI("item one")) GAP P("see <em>this</em> line");
    assert_refused(raw, find("## Left", "## Right", 1), E_CONFLICT,
                   "no part of the text. Find \"Left\", which is in block 1");
    assert_refused(raw, find("- item one", "x", 1), E_CONFLICT, "Find \"item one\", which is in block 2.1");
    assert_refused(raw, find("12. item one", "x", 1), E_CONFLICT, "Find \"item one\"");
    assert_refused(raw, find("> - item one", "x", 1), E_CONFLICT, "Find \"item one\"");
    assert_refused(raw, find("| item one | x |", "x", 1), E_CONFLICT, "Find \"item one\"");
    assert_refused(raw, find("[[block 1 core/heading]] ## Left", "x", 1), E_CONFLICT, "Find \"Left\"");
    assert_refused(raw, find("> see this", "x", 1), E_CONFLICT, "see *this*");
    assert_refused(raw, find("1.5 Left", "x", 1), E_CONFLICT, "nor anything like it");
}

/* Bytes that are a part of other characters are not what was wanted. */
static void test_find_whole_characters(void **state)
{
    (void)state;
    assert_refused(P("Tom &amp; the band"), find("amp", "volt", 1), E_CONFLICT, "not found");
    assert_edit(P("Tom &amp; the amp"), find("amp", "volt", 1), P("Tom &amp; the volt"));
    assert_edit(P("R&amp;D costs"), find("R&", "R and ", 1), P("R and D costs"));
    assert_edit(P("<img src=\"u?a=1&amp;b=2\">"), find("a=1&amp;b", "c", 1), P("<img src=\"u?c=2\">"));
    assert_refused(P("un cafe\xCC\x81 noir"), find("cafe", "the", 1), E_CONFLICT, "not found");
    assert_edit(P("cafe cafe\xCC\x81"), find("cafe", "the", -1), P("the cafe\xCC\x81"));
    assert_edit(P("a &amp; b"), find("&amp;", "and", 1), P("a and b"));
    assert_edit(P("a & b"), find("&", "and", 1), P("a and b"));
    assert_edit(P("<img alt='it'>"), find("it", "it's \"x\"", 1), P("<img alt='it&#039;s \"x\"'>"));
}

/* As when a site gets another address: the time grows with the text, not with its square. */
static void test_many_in_values(void **state)
{
    (void)state;
    enum { IMAGES = 3000, SECONDS_MAX = 5 };
    struct buf raw, wanted;
    struct str out = STR_EMPTY;
    struct content_edit edit = find("http://old.test", "http://new.test", -1);
    buf_init(&raw, arena, (size_t)4 * 1024 * 1024);
    buf_init(&wanted, arena, (size_t)4 * 1024 * 1024);
    for (int i = 0; i < IMAGES; i++) {
        buf_add(&raw, STR(P("a <img src=\"http://old.test/i.jpg\" alt=\"b\"> <b>c</b>") GAP));
        buf_add(&wanted, STR(P("a <img src=\"http://new.test/i.jpg\" alt=\"b\"> <b>c</b>") GAP));
    }
    clock_t start = clock();
    assert_int_equal(content_apply_edits(&call, buf_str(&raw), &edit, 1, &out, &changes), OK);
    assert_true(clock() - start < (clock_t)SECONDS_MAX * CLOCKS_PER_SEC);
    assert_int_equal(changes.replacements, IMAGES);
    assert_true(str_eq(out, buf_str(&wanted)));
}

/* Letters and their marks, apart or in one. */
static void test_find_composed(void **state)
{
    (void)state;
    assert_edit(P("un cafe\xCC\x81 noir"), find("caf\xC3\xA9", "th\xC3\xA9", 1), P("un th\xC3\xA9 noir"));
    assert_edit(P("un caf\xC3\xA9 noir"), find("cafe\xCC\x81", "x", 1), P("un x noir"));
    assert_edit(P("un caf&eacute; noir"), find("cafe\xCC\x81 noir", "x", 1), P("un x"));
    assert_edit(P("Vie\xCC\xA3\xCC\x82t Nam"), find("Vi\xE1\xBB\x87t", "x", 1), P("x Nam"));
    assert_edit(P("\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB!"), find("\xED\x95\x9C", "x", 1), P("x!"));
    assert_edit(P("\xE3\x81\x8B\xE3\x82\x99"), find("\xE3\x81\x8C", "x", 1), P("x"));
    assert_edit(P("\xD0\xB9"), find("\xD0\xB8\xCC\x86", "x", 1), P("x"));
    /* Marks that make no character with what stands before them stay, and cut-off ones harm nobody. */
    assert_edit(P("q\xCC\x81 &amp; \xCC"), find("q\xCC\x81 & ", "x", 1), P("x\xCC"));
    /* A reference is what it stands for, whatever letter stands behind it. */
    assert_edit(P("A&nbsp;\xE3\x81\xAE b"), find("A \xE3\x81\xAE b", "x", 1), P("x"));
    assert_edit(P("a&lt;\xE3\x81\xAE") GAP P("a&amp;\xE3\x81\xAE"), find("a&\xE3\x81\xAE", "x", 1),
                P("a&lt;\xE3\x81\xAE") GAP P("x"));
    assert_edit(P("caf&eacute;\xE0\xA4\x95"), find("caf\xC3\xA9\xE0\xA4\x95", "x", 1), P("x"));
    assert_edit(P("e&#769;t&eacute;\xCC\xA3"), find("t\xC3\xA9\xCC\xA3", "x", 1), P("e&#769;x"));
}

static void test_find_refused(void **state)
{
    (void)state;
    const char *raw = P("one two") GAP UL(LI("two") GAP LI("x")) GAP P("two");
    assert_refused(raw, find("two", "x", 1), E_CONFLICT, "found 3 times, not 1: block 1 \"one two");
    assert_refused(raw, find("two", "x", 1), E_CONFLICT, "block 2.1 ");
    assert_refused(raw, find("two", "x", 2), E_CONFLICT, "Say count 3");
    assert_refused(raw, find("one twoo", "x", 1), E_CONFLICT, "the nearest is in block 1 \"one two");
    assert_refused(raw, find("ONE TWO", "x", 1), E_CONFLICT, "the nearest is in block 1");
    assert_refused(raw, find("quite different", "x", 1), E_CONFLICT, "nor anything like it");
    assert_refused(raw, find("<!-- wp:list -->", "", 1), E_INVALID, "break the block markup");
    assert_refused(raw, find("x", "y", -2), E_INVALID, "count");
    assert_refused("", find("x", "y", 1), E_CONFLICT, "not found");
}

static void test_block_ops(void **state)
{
    (void)state;
    const char *raw = P("a") GAP H2("b") GAP P("c");
    assert_edit(raw, block("2", "after", "new **x**\n\nand"),
                P("a") GAP H2("b") GAP P("new <strong>x</strong>") GAP P("and") GAP P("c"));
    assert_edit(raw, block("1", "before", "new"), P("new") GAP P("a") GAP H2("b") GAP P("c"));
    assert_edit(raw, block("1-2", "replace", "## x"), H2("x") GAP P("c"));
    assert_edit(raw, block("2", "", "x"), P("a") GAP P("x") GAP P("c"));
    assert_edit(raw, block("2", "delete", ""), P("a") GAP P("c"));
    assert_edit(raw, block("3", "delete", ""), P("a") GAP H2("b"));
    assert_edit(raw, block("1-3", "delete", ""), "");
    assert_edit(raw, block("", "append", "x"), P("a") GAP H2("b") GAP P("c") GAP P("x"));
    assert_edit(raw, block("", "prepend", "x"), P("x") GAP P("a") GAP H2("b") GAP P("c"));
    assert_edit("", block("", "append", "x"), P("x"));
    assert_refused(raw, block("9", "delete", ""), E_NOT_FOUND, "blocks are 1 to 3");
    assert_refused(raw, block("1", "remove", ""), E_INVALID, "op is");
    assert_refused(raw, block("1", "replace", " "), E_INVALID, "content is empty");
    assert_refused(raw, block("1", "append", "x"), E_INVALID, "no inner blocks");
    assert_refused(raw, block("", "replace", "x"), E_INVALID, "needs find, or block");
}

static void test_formats(void **state)
{
    (void)state;
    struct content_edit edit = block("1", "replace", "<h2>t</h2><p>x</p>");
    edit.format = STR("html");
    assert_edit(P("a"), edit, H2("t") GAP P("x"));
    edit.format = STR("blocks");
    edit.content = STR("<!-- wp:spacer /-->");
    assert_edit(P("a"), edit, "<!-- wp:spacer /-->");
    edit.content = STR("<!-- wp:group -->");
    assert_refused(P("a"), edit, E_INVALID, "never closed");
    edit.format = STR("text");
    assert_refused(P("a"), edit, E_INVALID, "format is");
}

static void test_nested(void **state)
{
    (void)state;
    const char *list = UL(LI("a") GAP LI("b"));
    assert_edit(list, block("1", "append", "- c\n- d"), UL(LI("a") GAP LI("b") GAP LI("c") GAP LI("d")));
    assert_edit(list, block("1.1", "before", "z *z*"), UL(LI("z <em>z</em>") GAP LI("a") GAP LI("b")));
    assert_edit(list, block("1.2", "delete", ""), UL(LI("a")));
    assert_refused(list, block("1.1", "after", "## h"), E_INVALID, "only list items");
    assert_edit(GROUP(P("a")), block("1", "append", "b"), GROUP(P("a") GAP P("b")));
    assert_edit(GROUP(""), block("1", "append", "b"), GROUP(P("b")));
    assert_refused("<!-- wp:verse -->\n<pre class=\"wp-block-verse\"></pre>\n<!-- /wp:verse -->",
                   block("1", "append", "b"), E_INVALID, "no inner blocks");
    assert_refused(UL(LI("")), block("1.1", "append", "b"), E_INVALID, "no inner blocks");
    assert_refused(
        "<!-- wp:image -->\n<figure class=\"wp-block-image\"><img src=\"a.jpg\"/></figure>\n<!-- /wp:image -->",
        block("1", "append", "b"), E_INVALID, "no inner blocks");
    assert_refused(
        "<!-- wp:table -->\n<figure class=\"wp-block-table\"><table><tbody><tr><td>1</td></tr></tbody></table>"
        "</figure>\n<!-- /wp:table -->",
        block("1", "append", "| 3 |"), E_INVALID, "no inner blocks");
    assert_refused(
        "<!-- wp:button -->\n<div class=\"wp-block-button\"><a href=\"/b\">Buy</a></div>\n<!-- /wp:button -->",
        block("1", "append", "b"), E_INVALID, "no inner blocks");
    assert_edit(GROUP(P("a")), block("1.1", "replace", "b"), GROUP(P("b")));
    assert_edit(GROUP(""), block("1", "prepend", "b"), GROUP(P("b")));
}

/* Numbers are those of the start; several edits of one call do not disturb each other. */
static void test_several(void **state)
{
    (void)state;
    const char *raw = P("a") GAP P("b") GAP P("c");
    struct content_edit edits[] = {block("1", "after", "one"), block("1", "after", "two"), find("b", "longer b", 1),
                                   block("2", "delete", ""),   block("3", "before", "x"),  find("c", "z", 1)};
    assert_edits(raw, edits, 6, P("a") GAP P("one") GAP P("two") GAP P("x") GAP P("z"));
    struct content_edit twice[] = {block("2", "replace", "n"), block("2", "replace", "m")};
    assert_edits(raw, twice, 2, P("a") GAP P("m") GAP P("c"));
    struct content_edit inner[] = {block("1", "replace", "n"), block("1.1", "delete", "")};
    struct str out = STR("untouched");
    assert_int_equal(content_apply_edits(&call, str_from(GROUP(P("a"))), inner, 2, &out, &changes), E_CONFLICT);
    assert_true(str_starts_with(call.error_text, STR("Edit 2: Block 1.1 was already replaced")));
    assert_true(str_eq(out, STR("untouched")));
    /* What was put between blocks is not taken away with them unsaid; around them it stays. */
    for (int i = 0; i < 4; i++) {
        struct content_edit between[] = {i % 2 ? block("2", "before", "new") : block("1", "after", "new"),
                                         i / 2 ? block("1-3", "delete", "") : block("1-3", "replace", "x\n\ny")};
        assert_int_equal(content_apply_edits(&call, str_from(raw), between, 2, &out, &changes), E_CONFLICT);
        assert_true(str_contains(call.error_text,
                                 STR("Edit 2: An earlier edit of this call inserts between the blocks 1 to 3")));
    }
    struct content_edit around[] = {block("1", "before", "one"), block("2", "after", "two"),
                                    block("1-2", "replace", "x")};
    assert_edits(raw, around, 3, P("one") GAP P("x") GAP P("two") GAP P("c"));
}

#define SPACER                                                                                                         \
    "<!-- wp:spacer {\"height\":\"9px\"} -->\n<div style=\"height:9px\" class=\"wp-block-spacer\"></div>\n<!-- "       \
    "/wp:spacer -->"
#define SHORT "<!-- wp:shortcode -->\n[gallery]\n<!-- /wp:shortcode -->"

/* Markdown over several blocks: what it cannot hold comes back by its stand-in, or its loss is told. */
static void test_stand_ins(void **state)
{
    (void)state;
    const char *odd = "<!-- wp:paragraph -->\n<p >kept as it is</p>\n<!-- /wp:paragraph -->";
    const char *raw = str_copy_cstr(arena, str_format(arena, "%s" GAP "%s" GAP "%s" GAP "%s" GAP "%s", P("a"), odd,
                                                      GROUP(P("b") GAP SPACER), SHORT, P("c")));
    struct content_edit edit = block("1-5", "replace", "All new");
    assert_refused(raw, edit, E_CONFLICT,
                   "lacks 3 stand-ins of blocks that Markdown cannot hold: [[block 2 core/paragraph]], "
                   "[[block 3 core/group]], [[block 4 core/shortcode]]");
    assert_refused(raw, edit, E_CONFLICT, "\"allow_loss\": true");
    edit.allow_loss = true;
    assert_edit(raw, edit, P("All new"));
    /* Of a part: the numbers are those of the whole, and what did not change stays byte for byte. */
    assert_refused(raw, block("2-4", "replace", "[[block 2]]\n\nx\n\n[[block 4 core/shortcode]]"), E_CONFLICT,
                   "lacks 1 stand-in of blocks that Markdown cannot hold: [[block 3 core/group]]");
    assert_edit(raw,
                block("2-4", "replace", "[[block 4 core/shortcode]]\n\nnew\n\n[[block 3 core/group]]\n\n[[block 2]]"),
                str_copy_cstr(arena, str_format(arena, "%s" GAP "%s" GAP "%s" GAP "%s" GAP "%s" GAP "%s", P("a"), SHORT,
                                                P("new"), GROUP(P("b") GAP SPACER), odd, P("c"))));
    assert_edit(raw,
                block("3-5", "replace",
                      "[[block 3 core/group]]\n\nB\n\n[[block 3.2 core/spacer]]\n\n[[/block 3]]\n\n[[block 4]]"),
                str_copy_cstr(arena, str_format(arena, "%s" GAP "%s" GAP "%s" GAP "%s", P("a"), odd,
                                                GROUP(P("B") GAP SPACER), SHORT)));
    assert_refused(raw, block("3-5", "replace", "[[block 3 core/group]]\n\nB\n\n[[/block 3]]\n\n[[block 4]]"),
                   E_CONFLICT, "[[block 3.2 core/spacer]]");
    assert_refused(raw, block("1-2", "replace", "x\n\n[[block 4 core/shortcode]]\n\n[[block 2]]"), E_INVALID,
                   "Block 4 is not among the blocks that are replaced");
    /* One block by its number is told, but not what stands inside when it is put back. */
    assert_edit(GROUP(P("b") GAP SPACER), block("1", "replace", "x"), P("x"));
    assert_edit(GROUP(P("b") GAP SPACER), block("1", "replace", "x\n\n[[block 1 core/group]]"),
                P("x") GAP GROUP(P("b") GAP SPACER));
    assert_edit(GROUP(P("b") GAP SPACER), block("1", "replace", "x\n\n[[block 1.2]]"), P("x") GAP SPACER);
    assert_refused(GROUP(P("b") GAP SPACER), block("1", "replace", "[[block 1 core/group]]\n\nx\n\n[[/block 1]]"),
                   E_CONFLICT, "[[block 1.2 core/spacer]]");
    assert_refused(GROUP(P("b") GAP SPACER GAP P("c")), block("1.1-1.3", "replace", "x"), E_CONFLICT,
                   "[[block 1.2 core/spacer]]");
    assert_edit(GROUP(P("b") GAP SPACER GAP P("c")), block("1.1-1.2", "replace", "[[block 1.2]]\n\nx"),
                GROUP(SPACER GAP P("x") GAP P("c")));
    /* Block markup means itself. */
    assert_edit(SPACER GAP SHORT, block("1-2", "replace", SHORT), SHORT);
    assert_edit(UL(LI("a") GAP LI("b") GAP LI("c")), block("1.1-1.2", "replace", "- z"), UL(LI("z") GAP LI("c")));
    /* What an earlier edit changed is not undone by a stand-in. */
    struct content_edit both[] = {find("b", "x", 1), block("1-2", "replace", "[[block 1 core/group]]\n\nz")};
    struct str out;
    assert_int_equal(content_apply_edits(&call, str_from(GROUP(P("b")) GAP P("c")), both, 2, &out, &changes),
                     E_CONFLICT);
    assert_true(str_starts_with(call.error_text, STR("Edit 2: The blocks 1-2 were changed by an earlier edit")));
    both[1] = block("1-2", "replace", "z");
    assert_int_equal(content_apply_edits(&call, str_from(GROUP(P("b")) GAP P("c")), both, 2, &out, &changes),
                     E_CONFLICT);
    assert_true(str_starts_with(call.error_text, STR("Edit 2: The new text lacks 1 stand-in")));
}

static void test_classic(void **state)
{
    (void)state;
    const char *raw = "One\n\n<h2>Two</h2>\nThree";
    assert_edit(raw, block("2", "after", "- x"), "One\n\n<h2>Two</h2>\n\n<ul>\n<li>x</li>\n</ul>\nThree");
    assert_edit(raw, block("1", "replace", "New **x**"), "<p>New <strong>x</strong></p>\n\n<h2>Two</h2>\nThree");
    struct content_edit edit = block("1", "after", P("x"));
    edit.format = STR("blocks");
    assert_refused(raw, edit, E_INVALID, "classic post");
}

static void test_broken(void **state)
{
    (void)state;
    const char *raw = P("a") GAP "<!-- wp:group --><div>x";
    assert_refused(raw, block("2", "delete", ""), E_INVALID, "never closed");
    assert_edit(raw, find("x", "y", 1), P("a") GAP "<!-- wp:group --><div>y");
}

static void test_changes(void **state)
{
    (void)state;
    assert_edit(P("The quick brown fox jumps over the lazy dog."), find("brown fox", "red cat", 1),
                P("The quick red cat jumps over the lazy dog."));
    assert_string_equal(str_copy_cstr(arena, diff), "-\xE2\x80\xA6"
                                                    "brown fox\xE2\x80\xA6\n+\xE2\x80\xA6red cat\xE2\x80\xA6\n");
    assert_int_equal(changes.replacements, 1);
    assert_string_equal(str_copy_cstr(arena, changes.places), "1");
    assert_edit(P("x y x") GAP UL(LI("x")), find("x", "z", 3), P("z y z") GAP UL(LI("z")));
    assert_string_equal(str_copy_cstr(arena, changes.places), "1, 2.1");
    assert_edit(P("One. A long sentence of more than fifty characters that is to be replaced. Two."),
                find("A long sentence of more than fifty characters that is to be replaced.", "Short.", 1),
                P("One. Short. Two."));
    assert_string_equal(str_copy_cstr(arena, diff),
                        "-\xE2\x80\xA6"
                        "A long sentence of more than fif \xE2\x80\xA6 s to be replaced\xE2\x80\xA6\n"
                        "+\xE2\x80\xA6Short\xE2\x80\xA6\n");
    assert_edit(P("a"), block("1", "after", "b"), P("a") GAP P("b"));
    assert_string_equal(str_copy_cstr(arena, diff), "+<p>b</p>\n");
    assert_edit(P("a") GAP P("b"), block("2", "delete", ""), P("a"));
    assert_string_equal(str_copy_cstr(arena, diff), "-<p>b</p>\n");
    assert_edit(P("a"), find("a", "a", 1), P("a"));
    assert_string_equal(str_copy_cstr(arena, diff), "");
}

static void test_limits(void **state)
{
    (void)state;
    struct content_edit *edits = arena_array_of(arena, struct content_edit, EDITS_MAX + 1);
    struct str out;
    for (size_t i = 0; i <= EDITS_MAX; i++)
        edits[i] = find("a", "a", 1);
    assert_int_equal(content_apply_edits(&call, STR("a"), edits, EDITS_MAX + 1, &out, &changes), E_LIMIT);
    struct buf text;
    buf_init(&text, arena, 1024 * 1024);
    for (int i = 0; i < EDIT_MATCHES_MAX + 1; i++)
        buf_add(&text, STR("a "));
    struct content_edit all = find("a", "b", -1);
    assert_int_equal(content_apply_edits(&call, buf_str(&text), &all, 1, &out, &changes), E_LIMIT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_find),
        TEST(test_find_forgiving),
        TEST(test_replacement_fits),
        TEST(test_find_in_attribute),
        TEST(test_find_in_json),
        TEST(test_replace_markdown),
        TEST(test_find_explained),
        TEST(test_find_composed),
        TEST(test_many_in_values),
        TEST(test_find_whole_characters),
        TEST(test_find_refused),
        TEST(test_block_ops),
        TEST(test_formats),
        TEST(test_nested),
        TEST(test_several),
        TEST(test_stand_ins),
        TEST(test_classic),
        TEST(test_broken),
        TEST(test_changes),
        TEST(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

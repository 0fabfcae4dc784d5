/* Blocks to Markdown. */
#include "providers/wordpress/content/markdown_out.h"

#include "providers/wordpress/content/html.h"
#include "providers/wordpress/content/html_in.h"
#include "providers/wordpress/content/inline_out.h"
#include "providers/wordpress/content/markdown_chunks.h"
#include "providers/wordpress/content/markdown_in.h"
#include "providers/wordpress/content/markdown_simple.h"
#include "providers/wordpress/content/markdown_walk.h"
#include "providers/wordpress/content/text.h"

#include <stdlib.h>

enum { STAND_IN_TEXT_MAX = 400 };

/*
 * Works in an arena of its own that is emptied after each top-level block: a hundred small buffers for each block of a long
 * post would otherwise live until the end of the call. What is handed out is in the call's arena.
 */
struct markdown_writer {
    struct call work;    /* as the call, but with that arena */
    struct arena *arena; /* work.arena */
    struct arena *results;
    struct markdown_events *events;
    unsigned depth;
};

static void release(void *arena)
{
    arena_free(arena);
}

struct markdown_writer *markdown_writer_new(struct call *call)
{
    struct markdown_writer *writer = arena_new_of(call->arena, struct markdown_writer);
    writer->events = markdown_events_new(call);
    writer->results = call->arena;
    writer->work = *call;
    writer->arena = writer->work.arena = arena_new(arena_budget(call->arena));
    if (!writer->arena)
        arena_give_up(call->arena);
    arena_defer(call->arena, release, writer->arena);
    arena_exhaust_with(writer->arena, call->arena);
    return writer;
}

bool markdown_is_stand_in(struct str markdown)
{
    return str_starts_with(markdown, STR("[[block "));
}

static void init_text(const struct markdown_writer *writer, struct buf *out)
{
    buf_init(out, writer->arena, 4 * (size_t)CONTENT_BYTES_MAX);
}

/* The text ends where the next blank line is: another behind it is read for itself. */
static bool ends_by_itself(const struct markdown_writer *writer, struct str text, enum chunk_kind kind)
{
    struct chunk_reader reader = {.rest = str_concat(writer->arena, text, STR("\n\nx"))};
    struct chunk chunk = {.text = STR_EMPTY};
    size_t count = 0;
    while (markdown_next_chunk(&reader, &chunk)) {
        if (reader.rest.len && chunk.kind != kind)
            return false;
        count++;
    }
    return str_eq(chunk.text, STR("x")) && (kind == CHUNK_MARKDOWN ? count >= 2 : count == 2);
}

/* Whether the Markdown becomes these bytes again, and leaves a paragraph behind it alone (an open fence would not). */
static bool gives(struct markdown_writer *writer, struct str markdown, struct str wanted)
{
    static const struct str witness = STR_INIT("\n\n<!-- wp:paragraph -->\n<p><em>x</em></p>\n<!-- /wp:paragraph -->");
    struct buf back;
    init_text(writer, &back);
    struct block_writer blocks = block_writer_on(&back, false);
    if (markdown_walk(&writer->work, writer->events, str_concat(writer->arena, markdown, STR("\n\n*x*")), &blocks) !=
        OK) {
        call_clear_error(&writer->work);
        return false;
    }
    struct str text = buf_str(&back);
    return text.len == wanted.len + witness.len && str_starts_with(text, wanted) && str_ends_with(text, witness) &&
           ends_by_itself(writer, markdown, CHUNK_MARKDOWN);
}

/* --- the Markdown of each kind of block, not verified; false where there is none */

static bool element(const struct block *block, const char *name, struct html_token *tag, struct str *inner)
{
    return html_whole_element(block->inner, name, tag, inner);
}

static bool paragraph_markdown(const struct markdown_writer *writer, const struct block *block, unsigned flags,
                               struct buf *out)
{
    struct html_token tag;
    struct str inner;
    if (!element(block, "p", &tag, &inner))
        return false;
    inline_to_markdown(writer->arena, inner, flags | INLINE_BREAKS, out);
    return true;
}

static bool heading_markdown(const struct markdown_writer *writer, const struct block *block, unsigned flags,
                             struct buf *out)
{
    struct str inner;
    int level = block_heading(block, &inner);
    if (!level)
        return false;
    buf_add_format(out, "%.*s ", level, "######");
    inline_to_markdown(writer->arena, inner, flags | INLINE_NOT_FIRST, out);
    if (out->len && out->ptr[out->len - 1] == '#' && !str_ends_with(buf_str(out), STR("\\#"))) {
        out->len--; /* a "#" at the end would be taken for the heading's own */
        buf_add(out, STR("\\#"));
    }
    return true;
}

/* The text of an element up to its first inner block, and "what is behind its last". */
static struct str text_before_children(const struct block *block, struct str inner)
{
    return block->first_child ? str_of(inner.ptr, (size_t)(block->first_child->outer.ptr - inner.ptr)) : inner;
}

static void indent(struct buf *out, size_t columns)
{
    for (size_t i = 0; i < columns; i++)
        buf_add_char(out, ' ');
}

/* Neighbouring lists need different marks, or they would be one. */
static bool after_list(const struct block *list)
{
    size_t before = 0;
    for (const struct block *b = list->previous; b && block_is(b, "core/list"); b = b->previous)
        before++;
    return before % 2;
}

static bool list_markdown(const struct markdown_writer *writer, const struct block *list, unsigned flags,
                          size_t columns, struct buf *out)
{
    struct html_token tag;
    struct str inner, start_text;
    bool ordered = element(list, "ol", &tag, &inner);
    uint64_t number = 1;
    if (!ordered && !element(list, "ul", &tag, &inner))
        return false;
    if (ordered && html_attribute(tag.attributes, "start", &start_text) && !str_to_u64(start_text, &number))
        return false;
    bool other_mark = after_list(list);
    for (const struct block *item = list->first_child; item; item = item->next, number++) {
        if (!block_is(item, "core/list-item") || !element(item, "li", &tag, &inner))
            return false;
        char mark[24];
        if (ordered)
            snprintf(mark, sizeof mark, "%llu%c ", (unsigned long long)number, other_mark ? ')' : '.');
        else
            snprintf(mark, sizeof mark, "%c ", other_mark ? '*' : '-');
        indent(out, columns);
        buf_add(out, str_from(mark));
        inline_to_markdown(writer->arena, text_before_children(item, inner), flags, out);
        buf_add_char(out, '\n');
        for (const struct block *child = item->first_child; child; child = child->next)
            if (!block_is(child, "core/list") || !list_markdown(writer, child, flags, columns + strlen(mark), out))
                return false;
    }
    return list->first_child != NULL;
}

static void add_quoted(struct buf *out, struct str text)
{
    struct str line;
    while (str_next(&text, '\n', &line)) {
        buf_add(out, line.len ? STR("> ") : STR(">"));
        buf_add(out, line);
        buf_add_char(out, '\n');
    }
}

static bool quote_markdown(struct markdown_writer *writer, const struct block *block, unsigned flags, struct buf *out)
{
    struct html_token tag;
    struct str inner, cite;
    if (!element(block, "blockquote", &tag, &inner))
        return false;
    for (struct block *child = block->first_child; child; child = child->next) {
        struct str text = markdown_of_block(writer, child);
        if (markdown_is_stand_in(text))
            return false;
        add_quoted(out, text);
        if (child->next)
            buf_add(out, STR(">\n"));
    }
    const char *behind = block->last_child ? block->last_child->outer.ptr + block->last_child->outer.len : inner.ptr;
    if (html_whole_element(str_of(behind, (size_t)(inner.ptr + inner.len - behind)), "cite", &tag, &cite)) {
        struct buf line;
        init_text(writer, &line);
        buf_add(&line, STR("\xE2\x80\x94 "));
        inline_to_markdown(writer->arena, cite, flags, &line);
        buf_add(out, block->first_child ? STR(">\n") : STR_EMPTY);
        add_quoted(out, buf_str(&line));
    }
    return out->len > 0;
}

static bool code_markdown(const struct markdown_writer *writer, const struct block *block, struct buf *out)
{
    struct html_token tag;
    struct str inner, class;
    if (!element(block, "pre", &tag, &inner))
        return false;
    html_attribute(tag.attributes, "class", &class);
    size_t language = str_find(class, STR("language-"));
    if (!html_whole_element(inner, "code", &tag, &inner))
        return false;
    struct str code = text_decode_entities(writer->arena, inner), rest = code, line;
    size_t ticks = 3;
    while (str_next(&rest, '\n', &line)) {
        struct str trimmed = str_trim(line);
        size_t run = 0;
        while (run < trimmed.len && trimmed.ptr[run] == '`')
            run++;
        ticks = run >= ticks ? run + 1 : ticks;
    }
    for (size_t i = 0; i < ticks; i++)
        buf_add_char(out, '`');
    if (language != STR_NOT_FOUND)
        buf_add(out, str_from_offset(class, language + 9));
    buf_add_char(out, '\n');
    buf_add(out, code);
    buf_add(out, code.len ? STR("\n") : STR_EMPTY);
    for (size_t i = 0; i < ticks; i++)
        buf_add_char(out, '`');
    return true;
}

static void add_image(const struct markdown_writer *writer, struct str attributes, struct buf *out)
{
    struct str src, alt, title;
    html_attribute(attributes, "src", &src);
    html_attribute(attributes, "alt", &alt);
    buf_add(out, STR("!["));
    inline_escape(out, text_decode_entities(writer->arena, alt), 0);
    buf_add(out, STR("]("));
    buf_add(out, str_replace(writer->arena, src, STR("&amp;"), STR("&")));
    if (html_attribute(attributes, "title", &title)) {
        buf_add(out, STR(" \""));
        inline_escape(out, text_decode_entities(writer->arena, title), 0);
        buf_add_char(out, '"');
    }
    buf_add_char(out, ')');
}

static bool image_markdown(const struct markdown_writer *writer, const struct block *block, unsigned flags,
                           struct buf *out)
{
    struct html_token tag, link;
    struct str rest, inner, href, picture;
    if (!element(block, "figure", &tag, &rest) || !html_next_element(&rest, &tag, &inner))
        return false;
    bool linked = html_is(&tag, "a");
    link = tag;
    if (linked && !html_whole_element(inner, "img", &tag, &picture))
        return false;
    if (!html_is(&tag, "img"))
        return false;
    buf_add(out, linked ? STR("[") : STR_EMPTY);
    add_image(writer, tag.attributes, out);
    if (linked) {
        html_attribute(link.attributes, "href", &href);
        buf_add(out, STR("]("));
        buf_add(out, str_replace(writer->arena, href, STR("&amp;"), STR("&")));
        buf_add(out, STR(")"));
    }
    if (html_whole_element(rest, "figcaption", &tag, &inner)) {
        buf_add(out, STR("\n*"));
        inline_to_markdown(writer->arena, inner, flags | INLINE_NOT_FIRST | INLINE_EMPHASIS, out);
        buf_add_char(out, '*');
    }
    return true;
}

static void add_row(const struct markdown_writer *writer, struct str row, unsigned flags, struct buf *out)
{
    struct html_token tag;
    struct str cell;
    buf_add_char(out, '|');
    while (html_next_element(&row, &tag, &cell)) {
        buf_add_char(out, ' ');
        inline_to_markdown(writer->arena, cell, flags | INLINE_CELL | INLINE_NOT_FIRST, out);
        buf_add(out, STR(" |"));
    }
    buf_add_char(out, '\n');
}

static void add_rule_row(struct str row, bool empty_head, struct buf *out)
{
    struct html_token tag;
    struct str cell, align, rest = row;
    if (empty_head) {
        buf_add_char(out, '|');
        while (html_next_element(&rest, &tag, &cell))
            buf_add(out, STR("  |"));
        buf_add_char(out, '\n');
    }
    buf_add_char(out, '|');
    while (html_next_element(&row, &tag, &cell)) {
        html_attribute(tag.attributes, "data-align", &align);
        buf_add(out, str_eq(align, STR("left"))     ? STR(":--|")
                     : str_eq(align, STR("center")) ? STR(":-:|")
                     : str_eq(align, STR("right"))  ? STR("--:|")
                                                    : STR("---|"));
    }
    buf_add_char(out, '\n');
}

static bool table_markdown(const struct markdown_writer *writer, const struct block *block, unsigned flags,
                           struct buf *out)
{
    struct html_token tag;
    struct str inner, section, row;
    bool first = true;
    if (!element(block, "figure", &tag, &inner) || !html_next_element(&inner, &tag, &section) ||
        !html_is(&tag, "table"))
        return false;
    inner = section;
    while (html_next_element(&inner, &tag, &section)) {
        bool head = html_is(&tag, "thead");
        while (html_next_element(&section, &tag, &row)) {
            if (first && !head)
                add_rule_row(row, true, out);
            add_row(writer, row, flags, out);
            if (first && head)
                add_rule_row(row, false, out);
            first = false;
        }
    }
    return !first;
}

static bool embed_markdown(const struct markdown_writer *writer, const struct block *block, struct buf *out)
{
    struct html_token tag;
    struct str inner, wrapper;
    if (!element(block, "figure", &tag, &inner) || !html_next_element(&inner, &tag, &wrapper) || !html_is(&tag, "div"))
        return false;
    buf_add(out, str_trim(text_decode_entities(writer->arena, wrapper)));
    return true;
}

/*
 * The block as the editor of today would save it again: with its choice of references, and with the classes that WordPress
 * before 6.3 did not put on headings and lists. Showing such a block as plain Markdown loses nothing: unchanged it stays as it is,
 * changed it becomes what the editor makes of it, too.
 */
static struct str modern_form(const struct markdown_writer *writer, const struct block *block)
{
    static const struct str old_lists[] = {STR_INIT("<ul><!-- wp:list-item"), STR_INIT("<ol><!-- wp:list-item")};
    static const struct str new_lists[] = {STR_INIT("<ul class=\"wp-block-list\"><!-- wp:list-item"),
                                           STR_INIT("<ol class=\"wp-block-list\"><!-- wp:list-item")};
    struct str text = block->outer, ignored;
    if (block_is(block, "core/html"))
        return text;
    text = text_canonical_html(writer->arena, text);
    int level = block_is(block, "core/heading") ? block_heading(block, &ignored) : 0;
    if (level) {
        struct str old = str_format(writer->arena, "\n<h%d>", level);
        struct str new = str_format(writer->arena, "\n<h%d class=\"wp-block-heading\">", level);
        return str_replace(writer->arena, text, old, new);
    }
    for (size_t i = 0; block_is(block, "core/list") && i < ARRAY_LENGTH(old_lists); i++)
        text = str_replace(writer->arena, text, old_lists[i], new_lists[i]);
    return text;
}

static bool block_markdown(struct markdown_writer *writer, const struct block *block, unsigned flags, struct buf *out)
{
    struct str name = str_starts_with(block->name, STR("core/")) ? str_from_offset(block->name, 5) : STR_EMPTY;
    if (str_eq(name, STR("paragraph")))
        return paragraph_markdown(writer, block, flags, out);
    if (str_eq(name, STR("heading")))
        return heading_markdown(writer, block, flags, out);
    if (str_eq(name, STR("list")))
        return list_markdown(writer, block, flags, 0, out);
    if (str_eq(name, STR("quote")))
        return quote_markdown(writer, block, flags, out);
    if (str_eq(name, STR("code")))
        return code_markdown(writer, block, out);
    if (str_eq(name, STR("image")))
        return image_markdown(writer, block, flags, out);
    if (str_eq(name, STR("table")))
        return table_markdown(writer, block, flags, out);
    if (str_eq(name, STR("embed")))
        return embed_markdown(writer, block, out);
    if (str_eq(name, STR("separator"))) {
        buf_add(out, STR("---"));
        return true;
    }
    struct html_token tag;
    struct str inner;
    if (str_eq(name, STR("preformatted")) && element(block, "pre", &tag, &inner)) {
        buf_add(out, STR("<pre>"));
        buf_add(out, inner);
        buf_add(out, STR("</pre>"));
        return true;
    }
    if (str_eq(name, STR("html")) || str_eq(name, STR("more")) || str_eq(name, STR("nextpage"))) {
        buf_add(out, str_trim(block->inner));
        return out->len > 0 && !blocks_is_unfinished(block->inner);
    }
    return false;
}

/* --- stand-ins */

static bool has_line_break(struct str s)
{
    return str_find_char(s, '\n') != STR_NOT_FOUND;
}

/* The text of what stands around inner blocks: a caption, a summary, a source. */
static struct str own_text(const struct markdown_writer *writer, const struct block *block)
{
    struct buf html;
    init_text(writer, &html);
    const char *at = block->inner.ptr;
    for (const struct block *child = block->first_child; child; child = child->next) {
        buf_add(&html, str_of(at, (size_t)(child->outer.ptr - at)));
        at = child->outer.ptr + child->outer.len;
    }
    buf_add(&html, str_of(at, (size_t)(block->inner.ptr + block->inner.len - at)));
    struct str text = text_from_html(writer->arena, buf_str(&html)), cut = text_cut(text, STAND_IN_TEXT_MAX);
    return cut.len < text.len ? str_concat(writer->arena, cut, STR("\xE2\x80\xA6")) : text;
}

/* Text shown behind a stand-in: it may not itself look like one, nor open a fence that never ends. */
static struct str harmless(const struct markdown_writer *writer, struct str text)
{
    text = str_replace(writer->arena, text, STR("[[block "), STR("[\\[block "));
    return str_replace(writer->arena, text, STR("[[/block "), STR("[\\[/block "));
}

static void add_container(struct markdown_writer *writer, const struct block *block, struct buf *out)
{
    struct str text = own_text(writer, block);
    if (text.len) {
        buf_add_char(out, ' ');
        inline_escape(out, text, 0);
    }
    for (struct block *child = block->first_child; child; child = child->next) {
        buf_add(out, STR("\n\n"));
        buf_add(out, markdown_of_block(writer, child));
    }
    buf_add_format(out, "\n\n[[/block %.*s]]", STR_ARG(block->number));
}

/* What a block shows besides its stand-in: the Markdown it almost is, or its text. */
static struct str preview(struct markdown_writer *writer, const struct block *block)
{
    struct buf text;
    init_text(writer, &text);
    bool list_or_quote = block_is(block, "core/list") || block_is(block, "core/quote");
    if (block_markdown(writer, block, 0, &text) &&
        (list_or_quote || !has_line_break(str_trim(buf_str(&text))) || block_is(block, "core/table") ||
         block_is(block, "core/image") || block_is(block, "core/paragraph") || block_is(block, "core/code")))
        return str_trim(buf_str(&text));
    buf_clear(&text);
    inline_escape(&text, own_text(writer, block), 0);
    return buf_str(&text);
}

/* The mark with a text behind it, or on the next lines. */
static struct str marked(const struct markdown_writer *writer, const struct block *block, struct str mark,
                         struct str text)
{
    bool same_line = block_is(block, "core/paragraph") || block_is(block, "core/heading") || !has_line_break(text);
    return str_format(writer->arena, "%.*s%c%.*s", STR_ARG(mark), same_line ? ' ' : '\n', STR_ARG(text));
}

static struct str stand_in(struct markdown_writer *writer, struct block *block)
{
    struct buf out;
    init_text(writer, &out);
    buf_add_format(&out, "[[block %.*s ", STR_ARG(block->number));
    buf_add(&out, block_is_classic(block) ? STR("classic") : block->name);
    buf_add(&out, STR("]]"));
    struct str mark = buf_str(&out), text = STR_EMPTY;
    if (!block->first_child || block_is(block, "core/list"))
        text = harmless(writer, preview(writer, block));
    if (block->first_child && text.len == 0) {
        add_container(writer, block, &out);
        return buf_str(&out);
    }
    if (text.len == 0)
        return mark;
    struct str all = marked(writer, block, mark, text);
    if (ends_by_itself(writer, all, CHUNK_STAND_IN))
        return all;
    struct buf plain;
    init_text(writer, &plain);
    inline_escape(&plain, own_text(writer, block), 0);
    all = marked(writer, block, mark, harmless(writer, buf_str(&plain)));
    return plain.len && ends_by_itself(writer, all, CHUNK_STAND_IN) ? all : mark;
}

/* --- all */

static bool classic_markdown(struct markdown_writer *writer, const struct block *block, struct str *ret)
{
    struct buf blocks_text, out;
    init_text(writer, &blocks_text);
    init_text(writer, &out);
    struct block_writer blocks_out = block_writer_on(&blocks_text, false);
    if (!html_to_blocks(writer->arena, block->outer, HTML_IN_CLASSIC, &blocks_out))
        return false;
    struct blocks blocks = blocks_parse(writer->arena, buf_str(&blocks_text), BLOCKS_AS_WORDPRESS);
    for (struct block *child = blocks.first; child; child = child->next) {
        struct str text = markdown_of_block(writer, child);
        if (markdown_is_stand_in(text))
            return false;
        buf_add(&out, child->previous ? STR("\n\n") : STR_EMPTY);
        buf_add(&out, text);
    }
    *ret = buf_str(&out);
    return out.len > 0;
}

static struct str make_markdown(struct markdown_writer *writer, struct block *block)
{
    if (block_is_classic(block)) {
        struct str text;
        return classic_markdown(writer, block, &text) ? text : stand_in(writer, block);
    }
    if (!block->is_unclosed && !block->is_void) {
        struct buf simple;
        init_text(writer, &simple);
        if (markdown_simple(block, &simple))
            return buf_str(&simple);
        static const unsigned tries[] = {0, INLINE_PLAIN_TAGS};
        for (size_t i = 0; i < ARRAY_LENGTH(tries); i++) {
            struct buf out;
            init_text(writer, &out);
            if (!block_markdown(writer, block, tries[i], &out))
                break;
            struct str text = buf_str(&out);
            while (text.len && text.ptr[text.len - 1] == '\n')
                text.len--;
            if (gives(writer, text, block->outer))
                return text;
            struct str modern = modern_form(writer, block);
            if (!str_eq(modern, block->outer) && gives(writer, text, modern))
                return text;
        }
    }
    return stand_in(writer, block);
}

struct str markdown_of_block(struct markdown_writer *writer, struct block *block)
{
    if (!block->markdown) {
        writer->depth++;
        struct str text = make_markdown(writer, block);
        writer->depth--;
        block->markdown = arena_new_of(writer->results, struct str);
        *block->markdown = str_copy(writer->results, text);
        if (writer->depth == 0)
            arena_reset(writer->arena);
    }
    return *block->markdown;
}

static struct str text_of(void *context, struct block *block)
{
    return markdown_of_block(context, block);
}

int content_to_markdown(struct call *call, struct str raw, const struct content_view *view, struct buf *out)
{
    struct blocks blocks = blocks_parse(call->arena, raw, BLOCKS_SPLIT_CLASSIC);
    return view_write(call, view, &blocks, STR("\n\n"), text_of, markdown_writer_new(call), out);
}

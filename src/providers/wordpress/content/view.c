/* Outline, numbered blocks, raw; and the choice of a part. */
#include "providers/wordpress/content/view.h"

#include "providers/wordpress/content/html.h"
#include "providers/wordpress/content/text.h"

enum { HEADINGS_NAMED_MAX = 20, HEADING_CHARS_MAX = 120 };

int block_heading(const struct block *block, struct str *ret_html)
{
    static const char *const names[] = {"h1", "h2", "h3", "h4", "h5", "h6"};
    struct html_token tag;
    if (!block_is_classic(block) && !block_is(block, "core/heading"))
        return 0;
    for (int level = 1; level <= 6; level++)
        if (html_whole_element(block->inner, names[level - 1], &tag, ret_html))
            return level;
    return 0;
}

static struct str heading_text(struct arena *arena, const struct block *block, int *ret_level)
{
    struct str html;
    *ret_level = block_heading(block, &html);
    return *ret_level ? text_from_html(arena, html) : STR_EMPTY;
}

/* --- parts */

static struct block *next_in_document(const struct block *block)
{
    if (block->first_child)
        return block->first_child;
    while (block && !block->next)
        block = block->parent;
    return block ? block->next : NULL;
}

/* "## Title" and "title" mean the heading "Title"; the longest sensible start is enough. */
static bool heading_fits(struct str text, struct str wanted, bool exactly)
{
    return exactly ? str_eq_nocase(text, wanted) : str_starts_with_nocase(text, wanted);
}

static struct block *find_heading(struct call *call, const struct blocks *blocks, struct str wanted, bool exactly,
                                  int *ret_level)
{
    for (struct block *block = blocks->first; block; block = next_in_document(block)) {
        struct str text = heading_text(call->arena, block, ret_level);
        if (*ret_level && heading_fits(text, wanted, exactly))
            return block;
    }
    return NULL;
}

static int no_such_part(struct call *call, const struct blocks *blocks, struct str part)
{
    struct buf names;
    buf_init(&names, call->arena, 8192);
    size_t count = 0;
    for (struct block *block = blocks->first; block && count < HEADINGS_NAMED_MAX; block = next_in_document(block)) {
        int level;
        struct str text = heading_text(call->arena, block, &level);
        if (!level)
            continue;
        text = text_cut(text, HEADING_CHARS_MAX);
        buf_add_format(&names, "%s\"%.*s\"", count++ ? ", " : "", STR_ARG(text));
    }
    if (count == 0)
        return fail(call, E_NOT_FOUND, "There is no part \"%.*s\": it has the blocks 1-%zu and no headings.",
                    STR_ARG(text_cut(part, HEADING_CHARS_MAX)), blocks->count);
    struct str list = buf_str(&names);
    return fail(call, E_NOT_FOUND, "There is no part \"%.*s\": it has the blocks 1-%zu and the headings %.*s%s.",
                STR_ARG(text_cut(part, HEADING_CHARS_MAX)), blocks->count, STR_ARG(list),
                count == HEADINGS_NAMED_MAX ? ", ..." : "");
}

int view_find_part(struct call *call, const struct blocks *blocks, struct str part, struct block **ret_first,
                   struct block **ret_last)
{
    *ret_first = blocks->first;
    *ret_last = blocks->last;
    part = str_trim(part);
    if (part.len == 0 || blocks_find_range(blocks, part, ret_first, ret_last))
        return OK;
    struct str wanted = part;
    while (wanted.len && wanted.ptr[0] == '#')
        wanted = str_from_offset(wanted, 1);
    wanted = str_trim(wanted);
    int level, other;
    struct block *heading = wanted.len ? find_heading(call, blocks, wanted, true, &level) : NULL;
    if (!heading && wanted.len)
        heading = find_heading(call, blocks, wanted, false, &level);
    if (!heading)
        return no_such_part(call, blocks, part);
    *ret_first = *ret_last = heading;
    for (struct block *block = heading->next; block; block = block->next) {
        heading_text(call->arena, block, &other);
        if (other && other <= level)
            break;
        *ret_last = block;
    }
    return OK;
}

/* --- writing what fits */

static void add_rest_note(struct call *call, const struct block *first, const struct block *last, size_t chars,
                          struct buf *out)
{
    struct str number = text_number(call->arena, chars);
    buf_add_format(out, "[... %.*s more characters: part=%.*s", STR_ARG(number), STR_ARG(first->number));
    if (last != first)
        buf_add_format(out, "-%.*s", STR_ARG(last->number));
    buf_add(out, STR("]"));
}

int view_write(struct call *call, const struct content_view *view, const struct blocks *blocks, struct str separator,
               view_text_fn *text_of, void *context, struct buf *out)
{
    struct block *first, *last;
    int rc = view_find_part(call, blocks, view->part, &first, &last);
    if (rc != OK)
        return rc;
    size_t written = 0, left_chars = 0;
    struct block *left = NULL;
    bool any = false;
    for (struct block *block = first; block; block = block == last ? NULL : block->next) {
        struct str text = text_of(context, block);
        size_t chars = text_chars(text) + (any ? text_chars(separator) : 0);
        if (text.len == 0)
            continue;
        if (left || (view->max_chars && written + chars > view->max_chars && any)) {
            left = left ? left : block;
            left_chars += chars;
            continue;
        }
        buf_add(out, any ? separator : STR_EMPTY);
        any = true;
        if (view->max_chars && chars > view->max_chars) {
            /* One block alone is too long: its start, and how much of it is missing. */
            struct str number = text_number(call->arena, chars - view->max_chars);
            buf_add(out, text_cut(text, view->max_chars));
            buf_add_format(out, "\n[... %.*s more characters of block %.*s: raise max_chars]", STR_ARG(number),
                           STR_ARG(block->number));
            written = view->max_chars;
            continue;
        }
        buf_add(out, text);
        written += chars;
    }
    if (left) {
        buf_add(out, STR("\n\n"));
        add_rest_note(call, left, last, left_chars, out);
    }
    return buf_failed(out) ? fail(call, E_LIMIT, "The text is longer than %zu bytes: ask for a part.", out->max) : OK;
}

/* --- raw blocks */

static struct str numbered_text(void *context, struct block *block)
{
    struct call *call = context;
    return call_format(call, "[%.*s] %.*s", STR_ARG(block->number), STR_ARG(block->outer));
}

int content_numbered_blocks(struct call *call, struct str raw, const struct content_view *view, struct buf *out)
{
    struct blocks blocks = blocks_parse(call->arena, raw, BLOCKS_SPLIT_CLASSIC);
    return view_write(call, view, &blocks, STR("\n"), numbered_text, call, out);
}

int content_raw_part(struct call *call, struct str raw, const struct content_view *view, struct buf *out)
{
    struct blocks blocks = blocks_parse(call->arena, raw, BLOCKS_SPLIT_CLASSIC);
    struct block *first, *last;
    int rc = view_find_part(call, &blocks, view->part, &first, &last);
    if (rc != OK)
        return rc;
    struct str text = str_trim(view->part).len && first ? blocks_span(first, last) : raw;
    struct str cut = view->max_chars ? text_cut(text, view->max_chars) : text;
    buf_add(out, cut);
    if (cut.len < text.len) {
        struct str number = text_number(call->arena, text_chars(str_from_offset(text, cut.len)));
        buf_add_format(out, "\n[... %.*s more characters: ask for a part or raise max_chars]", STR_ARG(number));
    }
    return buf_failed(out) ? fail(call, E_LIMIT, "The text is longer than %zu bytes: ask for a part.", out->max) : OK;
}

/* --- outline */

struct outline {
    struct call *call;
    struct buf *out;
    const struct block *run_first, *run_last; /* blocks of one kind, not written yet */
    bool in_line, run_is_open;                /* run_is_open: its inner blocks have lines of their own */
};

static struct str short_name(const struct block *block)
{
    if (block_is_classic(block))
        return STR("classic");
    return str_starts_with(block->name, STR("core/")) ? str_from_offset(block->name, 5) : block->name;
}

/* Whether there is something to say of what is inside: of the items of a list there is not, unless they hold blocks themselves. */
static bool tells_inner(const struct block *block)
{
    if (!block_is(block, "core/list"))
        return block->first_child;
    for (const struct block *item = block->first_child; item; item = item->next)
        if (item->first_child || !block_is(item, "core/list-item"))
            return true;
    return false;
}

/* What is inside a block, in its line: " (.1 image, .2 buttons (.1-2 button))", numbers behind that of the block. */
static void write_inner(struct buf *out, const struct block *block)
{
    size_t place = 1;
    buf_add(out, STR(" ("));
    for (const struct block *first = block->first_child, *last; first; first = last->next, place++) {
        buf_add_format(out, "%s.%zu", place > 1 ? ", " : "", place);
        size_t start = place;
        for (last = first;
             last->next && !tells_inner(last) && !tells_inner(last->next) && str_eq(last->next->name, first->name);
             last = last->next)
            place++;
        if (place > start)
            buf_add_format(out, "-%zu", place);
        if (!block_is(block, "core/list") || !block_is(first, "core/list-item"))
            buf_add_format(out, " %.*s", STR_ARG(short_name(first)));
        if (tells_inner(first))
            write_inner(out, first);
    }
    buf_add_char(out, ')');
}

static void write_run(struct outline *outline)
{
    if (!outline->run_first)
        return;
    buf_add(outline->out, outline->in_line ? STR(", ") : STR_EMPTY);
    buf_add(outline->out, outline->run_first->number);
    if (outline->run_last != outline->run_first)
        buf_add_format(outline->out, "-%.*s", STR_ARG(outline->run_last->number));
    buf_add_format(outline->out, " %.*s", STR_ARG(short_name(outline->run_first)));
    if (tells_inner(outline->run_first) && !outline->run_is_open)
        write_inner(outline->out, outline->run_first);
    outline->in_line = true;
    outline->run_first = NULL;
}

static void end_line(struct outline *outline)
{
    write_run(outline);
    if (outline->in_line)
        buf_add_char(outline->out, '\n');
    outline->in_line = false;
}

static bool has_heading_inside(const struct block *block)
{
    struct str html;
    for (const struct block *inner = block->first_child; inner && inner != block;) {
        if (block_heading(inner, &html))
            return true;
        if (inner->first_child) {
            inner = inner->first_child;
            continue;
        }
        while (inner != block && !inner->next)
            inner = inner->parent;
        if (inner != block)
            inner = inner->next;
    }
    return false;
}

static void outline_block(struct outline *outline, const struct block *block)
{
    int level;
    struct str text = heading_text(outline->call->arena, block, &level);
    if (level) {
        end_line(outline);
        struct str cut = text_cut(text, HEADING_CHARS_MAX);
        buf_add_format(outline->out, "%.*s %.*s %.*s\n", STR_ARG(block->number), level, "######", STR_ARG(cut));
        return;
    }
    bool open = has_heading_inside(block);
    if (outline->run_first &&
        (tells_inner(block) || tells_inner(outline->run_last) || outline->run_first->parent != block->parent ||
         !str_eq(outline->run_first->name, block->name)))
        write_run(outline);
    if (!outline->run_first)
        outline->run_first = block;
    outline->run_last = block;
    outline->run_is_open = open;
    if (!open)
        return;
    end_line(outline);
    for (const struct block *child = block->first_child; child; child = child->next)
        outline_block(outline, child);
    end_line(outline);
}

int content_outline(struct call *call, struct str raw, const struct content_view *view, struct buf *out)
{
    struct blocks blocks = blocks_parse(call->arena, raw, BLOCKS_SPLIT_CLASSIC);
    struct block *first, *last;
    int rc = view_find_part(call, &blocks, view->part, &first, &last);
    if (rc != OK)
        return rc;
    struct buf all;
    buf_init(&all, call->arena, out->max);
    struct outline outline = {.call = call, .out = &all};
    for (const struct block *block = first; block; block = block == last ? NULL : block->next)
        outline_block(&outline, block);
    end_line(&outline);
    struct str text = str_trim(buf_str(&all));
    struct str cut = view->max_chars ? text_cut(text, view->max_chars) : text;
    buf_add(out, cut);
    if (cut.len < text.len) {
        struct str number = text_number(call->arena, text_chars(text) - text_chars(cut));
        buf_add_format(out, "\n[... %.*s more characters: ask for a part or raise max_chars]", STR_ARG(number));
    }
    return buf_failed(out) || buf_failed(&all) ? fail(call, E_LIMIT, "The outline is longer than %zu bytes.", out->max)
                                               : OK;
}

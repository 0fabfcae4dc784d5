/* From Markdown's events to blocks. */
#include "providers/wordpress/content/markdown_walk.h"

#include "providers/wordpress/content/html_in.h"
#include "providers/wordpress/content/markdown_in.h"
#include "providers/wordpress/content/text.h"

/* A list or a quote that is open in the Markdown; as a list it may be not (or no more) open in what is written. */
struct container {
    bool is_quote, ordered;
    bool open;         /* the list block is open */
    bool item_open;    /* its item, too */
    bool item_pending; /* an item began, nothing of it is written */
    bool item_text;    /* text was written in the item */
    bool item_sealed;  /* after an inner list: an item's text cannot go on there */
    uint32_t next;     /* number of the next item */
};

struct walk {
    struct call *call;
    const struct markdown_events *events;
    size_t at;
    struct block_writer *writer;
    struct container containers[MARKDOWN_DEPTH_MAX];
    size_t depth;
};

static const struct event *peek(const struct walk *walk)
{
    return markdown_event(walk->events, walk->at);
}

static bool is_event(const struct event *event, enum event_kind kind, int type)
{
    return event && event->kind == kind && event->type == type;
}

/* Index behind the LEAVE that matches the ENTER at `index`. */
static size_t skip_pair(const struct markdown_events *events, size_t index)
{
    size_t depth = 0;
    const struct event *event;
    while ((event = markdown_event(events, index++))) {
        if (event->kind == EVENT_ENTER_BLOCK || event->kind == EVENT_ENTER_SPAN)
            depth++;
        else if (event->kind != EVENT_TEXT && --depth == 0)
            break;
    }
    return index;
}

/* --- inline */

static void add_text(struct buf *out, const struct event *event, struct str text)
{
    switch (event->type) {
    case MD_TEXT_NULLCHAR:
        buf_add(out, STR("\xEF\xBF\xBD"));
        break;
    case MD_TEXT_BR:
        buf_add(out, STR("<br>"));
        break;
    case MD_TEXT_SOFTBR:
        buf_add(out, STR(" "));
        break;
    case MD_TEXT_ENTITY:
        text_canonical(out, text);
        break;
    case MD_TEXT_HTML:
        if (str_starts_with(text, STR("<!")))
            buf_add(out, text);
        else
            text_canonical_tag(out, text);
        break;
    default:
        text_escape(out, text);
    }
}

/* Plain text of an image's description, with & as a reference; other escapes are made by whoever writes the attribute. */
static struct str alt_text(struct walk *walk, size_t start, size_t end)
{
    struct buf out;
    buf_init(&out, walk->call->arena, CONTENT_BYTES_MAX);
    for (size_t i = start; i < end; i++) {
        const struct event *event = markdown_event(walk->events, i);
        if (event->kind != EVENT_TEXT)
            continue;
        struct str text = markdown_event_text(walk->events, event);
        if (event->type == MD_TEXT_SOFTBR || event->type == MD_TEXT_BR)
            text = STR(" ");
        else if (event->type != MD_TEXT_ENTITY)
            text = str_replace(walk->call->arena, text, STR("&"), STR("&amp;"));
        buf_add(&out, text);
    }
    return buf_str(&out);
}

static void add_attribute(struct buf *out, const char *name, struct str value)
{
    buf_add_format(out, " %s=\"", name);
    text_escape_attribute(out, value);
    buf_add_char(out, '"');
}

static void add_span(struct walk *walk, struct buf *out, const struct event *event)
{
    static const char *const names[] = {[MD_SPAN_EM] = "em",
                                        [MD_SPAN_STRONG] = "strong",
                                        [MD_SPAN_A] = "a",
                                        [MD_SPAN_CODE] = "code",
                                        [MD_SPAN_DEL] = "s"};
    const char *name = event->type < ARRAY_LENGTH(names) && names[event->type] ? names[event->type] : "span";
    if (event->kind == EVENT_LEAVE_SPAN) {
        buf_add_format(out, "</%s>", name);
        return;
    }
    buf_add_format(out, "<%s", name);
    if (event->type == MD_SPAN_A) {
        struct str title = markdown_event_extra(walk->events, event);
        add_attribute(out, "href", markdown_event_text(walk->events, event));
        if (title.len)
            add_attribute(out, "title", title);
    }
    buf_add_char(out, '>');
}

/*
 * What ends the processing instruction, declaration or CDATA section that begins with `html`; empty: it is none of them.
 * To CommonMark (section 6.6) they are raw HTML, to a browser a comment that nobody sees (HTML, bogus comment state). Whoever
 * writes "<?php ... ?>" in a sentence means the signs.
 */
static struct str end_of_instruction(struct str html)
{
    if (str_starts_with(html, STR("<?")))
        return STR("?>");
    if (str_starts_with(html, STR("<![")))
        return STR("]]>");
    return str_starts_with(html, STR("<!")) && !str_starts_with(html, STR("<!--")) ? STR(">") : STR_EMPTY;
}

/* The instruction at walk->at as text, on one line: md4c gives it line by line. */
static void add_instruction(struct walk *walk, struct buf *out, size_t end, struct str terminator)
{
    const struct event *event;
    while (walk->at < end && (event = peek(walk)) && event->kind == EVENT_TEXT) {
        struct str text = markdown_event_text(walk->events, event);
        walk->at++;
        text_escape(out, str_eq(text, STR("\n")) ? STR(" ") : text);
        if (str_ends_with(text, terminator))
            return;
    }
}

static void add_text_event(struct walk *walk, struct buf *out, size_t end)
{
    const struct event *event = peek(walk);
    struct str text = markdown_event_text(walk->events, event);
    struct str terminator = event->type == MD_TEXT_HTML ? end_of_instruction(text) : STR_EMPTY;
    if (terminator.len) {
        add_instruction(walk, out, end, terminator);
        return;
    }
    add_text(out, event, text);
    walk->at++;
}

/* Rich text from walk->at up to `end` or the next block event. */
static void add_inline(struct walk *walk, struct buf *out, size_t end)
{
    const struct event *event;
    while (walk->at < end && (event = peek(walk)) && event->kind != EVENT_ENTER_BLOCK &&
           event->kind != EVENT_LEAVE_BLOCK) {
        if (event->kind == EVENT_TEXT) {
            add_text_event(walk, out, end);
        } else if (is_event(event, EVENT_ENTER_SPAN, MD_SPAN_IMG)) {
            size_t behind = skip_pair(walk->events, walk->at);
            buf_add(out, STR("<img"));
            add_attribute(out, "src", markdown_event_text(walk->events, event));
            add_attribute(out, "alt", alt_text(walk, walk->at, behind));
            if (event->extra_length)
                add_attribute(out, "title", markdown_event_extra(walk->events, event));
            buf_add_char(out, '>');
            walk->at = behind;
        } else {
            add_span(walk, out, event);
            walk->at++;
        }
    }
}

static struct str inline_html(struct walk *walk, size_t end)
{
    struct buf out;
    buf_init(&out, walk->call->arena, CONTENT_BYTES_MAX);
    add_inline(walk, &out, end);
    return buf_str(&out);
}

/* --- lists and quotes */

static struct container *top(struct walk *walk)
{
    return walk->depth ? &walk->containers[walk->depth - 1] : NULL;
}

static struct container *top_list(struct walk *walk)
{
    struct container *container = top(walk);
    return container && !container->is_quote ? container : NULL;
}

static void close_list(struct walk *walk, struct container *list)
{
    if (list->item_open)
        write_item_close(walk->writer);
    if (list->open)
        write_list_close(walk->writer, list->ordered);
    list->open = list->item_open = false;
}

/* Items hold only text and lists: any other block ends the lists, which go on behind it with the next number. */
static void leave_lists(struct walk *walk)
{
    for (size_t i = walk->depth; i-- > 0 && !walk->containers[i].is_quote;) {
        struct container *list = &walk->containers[i];
        close_list(walk, list);
        list->item_pending = false;
        list->item_sealed = true;
    }
}

/* Opens the lists and items that began but are not written yet. */
static void open_items(struct walk *walk)
{
    size_t first = walk->depth;
    while (first > 0 && !walk->containers[first - 1].is_quote)
        first--;
    for (size_t i = first; i < walk->depth; i++) {
        struct container *list = &walk->containers[i];
        if (!list->item_pending)
            continue;
        if (!list->open) {
            if (i > first && list[-1].item_open) {
                list[-1].item_sealed = true;
                walk->writer->needs_gap = false;
            }
            write_list_open(walk->writer, list->ordered, list->next - 1);
            list->open = true;
        }
        write_item_open(walk->writer);
        list->item_open = true;
        list->item_pending = false;
    }
}

/* Text in an item; false when it must be a paragraph of its own. */
static bool item_text(struct walk *walk, size_t end)
{
    struct container *list = top_list(walk);
    if (list->item_sealed)
        return false;
    open_items(walk);
    if (list->item_text)
        buf_add(walk->writer->out, STR("<br><br>"));
    list->item_text = true;
    add_inline(walk, walk->writer->out, end);
    return true;
}

static int push(struct walk *walk, struct container container)
{
    if (walk->depth == MARKDOWN_DEPTH_MAX)
        return fail(walk->call, E_LIMIT, "Lists and quotes are nested more than %d levels deep.", MARKDOWN_DEPTH_MAX);
    walk->containers[walk->depth++] = container;
    return OK;
}

/* --- paragraphs that are pictures, addresses or names */

/* One picture, perhaps linked, at walk->at. */
static bool take_image(struct walk *walk, size_t end, struct image *ret)
{
    const struct event *event = peek(walk), *link = NULL;
    size_t at = walk->at;
    if (is_event(event, EVENT_ENTER_SPAN, MD_SPAN_A)) {
        if (event->extra_length)
            return false;
        link = event;
        event = markdown_event(walk->events, ++at);
    }
    if (!is_event(event, EVENT_ENTER_SPAN, MD_SPAN_IMG))
        return false;
    size_t behind = skip_pair(walk->events, at);
    if (link && !is_event(markdown_event(walk->events, behind), EVENT_LEAVE_SPAN, MD_SPAN_A))
        return false;
    *ret = (struct image){.src = markdown_event_text(walk->events, event),
                          .alt = alt_text(walk, at, behind),
                          .title = markdown_event_extra(walk->events, event),
                          .href = link ? markdown_event_text(walk->events, link) : STR_EMPTY,
                          .caption_html = STR_EMPTY};
    walk->at = behind + (link != NULL);
    return walk->at <= end;
}

/* "*caption*" as the last line. */
static bool take_caption(struct walk *walk, size_t end, struct str *ret_html)
{
    if (!is_event(peek(walk), EVENT_ENTER_SPAN, MD_SPAN_EM) || skip_pair(walk->events, walk->at) != end)
        return false;
    walk->at++;
    *ret_html = inline_html(walk, end - 1);
    walk->at = end;
    return true;
}

/* A paragraph of nothing but pictures, one a line, the last perhaps with a caption. Writes nothing when it is another. */
static bool write_images(struct walk *walk, size_t end)
{
    enum { IMAGES_MAX = 32 };
    const struct event *first = peek(walk), *second = markdown_event(walk->events, walk->at + 1);
    if (!is_event(first, EVENT_ENTER_SPAN, MD_SPAN_IMG) &&
        !(is_event(first, EVENT_ENTER_SPAN, MD_SPAN_A) && is_event(second, EVENT_ENTER_SPAN, MD_SPAN_IMG)))
        return false;
    struct image *images = arena_array_of(walk->call->arena, struct image, IMAGES_MAX);
    size_t count = 0, start = walk->at;
    bool good = true;
    while (good && walk->at < end) {
        good = count < IMAGES_MAX && take_image(walk, end, &images[count++]);
        if (!good || walk->at == end)
            break;
        const struct event *event = peek(walk);
        good = is_event(event, EVENT_TEXT, MD_TEXT_SOFTBR) || is_event(event, EVENT_TEXT, MD_TEXT_BR);
        walk->at++;
        if (good && take_caption(walk, end, &images[count - 1].caption_html))
            break;
    }
    if (!good || count == 0) {
        walk->at = start;
        return false;
    }
    for (size_t i = 0; i < count; i++)
        write_image(walk->writer, &images[i]);
    return true;
}

/* A paragraph of nothing but an address of a service that WordPress embeds. */
static bool write_lone_address(struct walk *walk, size_t end)
{
    struct buf url;
    const struct event *first =
        markdown_event(walk->events, walk->at + is_event(peek(walk), EVENT_ENTER_SPAN, MD_SPAN_A));
    if (!is_event(first, EVENT_TEXT, MD_TEXT_NORMAL) ||
        !str_starts_with(markdown_event_text(walk->events, first), STR("http")))
        return false;
    buf_init(&url, walk->call->arena, 4096);
    for (size_t i = walk->at; i < end; i++) {
        const struct event *event = markdown_event(walk->events, i);
        if (event->kind == EVENT_TEXT && event->type == MD_TEXT_NORMAL)
            buf_add(&url, markdown_event_text(walk->events, event));
        else if (event->kind == EVENT_TEXT || event->type != MD_SPAN_A)
            return false;
    }
    const struct event *link = peek(walk);
    if (buf_failed(&url) || !embed_is_known(buf_str(&url)))
        return false;
    if (is_event(link, EVENT_ENTER_SPAN, MD_SPAN_A) &&
        !str_eq(text_decode_entities(walk->call->arena, markdown_event_text(walk->events, link)), buf_str(&url)))
        return false;
    write_embed(walk->writer, buf_str(&url));
    walk->at = end;
    return true;
}

static int walk_paragraph(struct walk *walk)
{
    size_t end = skip_pair(walk->events, walk->at) - 1;
    walk->at++;
    if (top_list(walk) && item_text(walk, end)) {
        walk->at = end + 1;
        return OK;
    }
    leave_lists(walk);
    if (!write_images(walk, end) && !write_lone_address(walk, end))
        write_paragraph(walk->writer, inline_html(walk, end));
    walk->at = end + 1;
    return OK;
}

/* --- other leaves */

static struct str leaf_text(struct walk *walk, size_t end)
{
    struct buf out;
    buf_init(&out, walk->call->arena, CONTENT_BYTES_MAX);
    for (; walk->at < end; walk->at++) {
        const struct event *event = peek(walk);
        if (event->kind == EVENT_TEXT && event->type == MD_TEXT_NULLCHAR)
            buf_add(&out, STR("\xEF\xBF\xBD"));
        else if (event->kind == EVENT_TEXT)
            buf_add(&out, markdown_event_text(walk->events, event));
    }
    struct str text = buf_str(&out);
    if (text.len && text.ptr[text.len - 1] == '\n')
        text.len--;
    return text;
}

static bool row_is_empty(const struct walk *walk, size_t start, size_t end)
{
    for (size_t i = start; i < end; i++) {
        const struct event *event = markdown_event(walk->events, i);
        if (event->kind == EVENT_TEXT || event->kind == EVENT_ENTER_SPAN)
            return false;
    }
    return true;
}

static void walk_table_event(struct walk *walk, const struct event *event)
{
    bool enter = event->kind == EVENT_ENTER_BLOCK;
    switch (event->type) {
    case MD_BLOCK_THEAD:
        if (enter && row_is_empty(walk, walk->at, skip_pair(walk->events, walk->at))) {
            walk->at = skip_pair(walk->events, walk->at); /* a table without a head */
            return;
        }
        write_table_section(walk->writer, "thead", enter);
        break;
    case MD_BLOCK_TBODY:
        write_table_section(walk->writer, "tbody", enter);
        break;
    case MD_BLOCK_TR:
        write_table_row(walk->writer, enter);
        break;
    case MD_BLOCK_TH:
    case MD_BLOCK_TD:
        if (enter) {
            walk->at++;
            struct str html = inline_html(walk, SIZE_MAX);
            write_table_cell(walk->writer, event->type == MD_BLOCK_TH, (enum cell_align)event->level, html);
        }
        break;
    default:
        break;
    }
    walk->at++;
}

static void walk_table(struct walk *walk)
{
    size_t end = skip_pair(walk->events, walk->at) - 1;
    leave_lists(walk);
    write_table_open(walk->writer);
    walk->at++;
    while (walk->at < end)
        walk_table_event(walk, peek(walk));
    write_table_close(walk->writer, STR_EMPTY);
    walk->at = end + 1;
}

static void walk_leaf(struct walk *walk, const struct event *event)
{
    size_t end = skip_pair(walk->events, walk->at) - 1;
    walk->at++;
    leave_lists(walk);
    if (event->type == MD_BLOCK_HR)
        write_separator(walk->writer);
    else if (event->type == MD_BLOCK_H)
        write_heading(walk->writer, event->level, inline_html(walk, end));
    else if (event->type == MD_BLOCK_CODE)
        write_code(walk->writer, markdown_event_text(walk->events, event), leaf_text(walk, end));
    else
        html_to_blocks(walk->call->arena, leaf_text(walk, end), HTML_IN_MARKDOWN, walk->writer);
    walk->at = end + 1;
}

/* --- all */

static int enter_block(struct walk *walk, const struct event *event)
{
    switch (event->type) {
    case MD_BLOCK_P:
        return walk_paragraph(walk);
    case MD_BLOCK_TABLE:
        walk_table(walk);
        return OK;
    case MD_BLOCK_HR:
    case MD_BLOCK_H:
    case MD_BLOCK_CODE:
    case MD_BLOCK_HTML:
        walk_leaf(walk, event);
        return OK;
    default:
        break;
    }
    walk->at++;
    if (event->type == MD_BLOCK_UL || event->type == MD_BLOCK_OL) {
        bool ordered = event->type == MD_BLOCK_OL;
        return push(walk, (struct container){.ordered = ordered, .next = ordered ? event->number : 1});
    }
    if (event->type == MD_BLOCK_QUOTE) {
        leave_lists(walk);
        write_quote_open(walk->writer);
        return push(walk, (struct container){.is_quote = true});
    }
    struct container *list = top_list(walk);
    if (event->type == MD_BLOCK_LI && list) {
        list->item_pending = true;
        list->item_text = list->item_sealed = false;
        list->next++;
    }
    return OK;
}

static void leave_block(struct walk *walk, const struct event *event)
{
    struct container *container = top(walk);
    walk->at++;
    if (event->type == MD_BLOCK_LI && container) {
        if (container->item_pending)
            open_items(walk); /* an item without text */
        if (container->item_open)
            write_item_close(walk->writer);
        container->item_open = false;
    } else if (event->type == MD_BLOCK_UL || event->type == MD_BLOCK_OL) {
        close_list(walk, container);
        walk->depth--;
    } else if (event->type == MD_BLOCK_QUOTE) {
        write_quote_close(walk->writer, STR_EMPTY);
        walk->depth--;
    }
}

/* "— Name" as the last paragraph of a quote is its source. */
static bool walk_citation(struct walk *walk)
{
    static const struct str dash = STR_INIT("\xE2\x80\x94 ");
    const struct event *text = markdown_event(walk->events, walk->at + 1);
    if (!is_event(peek(walk), EVENT_ENTER_BLOCK, MD_BLOCK_P) || !text || text->kind != EVENT_TEXT ||
        text->type != MD_TEXT_NORMAL || !str_starts_with(markdown_event_text(walk->events, text), dash))
        return false;
    size_t end = skip_pair(walk->events, walk->at) - 1;
    if (!top(walk) || !top(walk)->is_quote ||
        !is_event(markdown_event(walk->events, end + 1), EVENT_LEAVE_BLOCK, MD_BLOCK_QUOTE))
        return false;
    walk->at++;
    write_quote_close(walk->writer, str_from_offset(inline_html(walk, end), dash.len));
    walk->depth--;
    walk->at = end + 2;
    return true;
}

static int walk_all(struct walk *walk)
{
    const struct event *event;
    int rc = OK;
    while (rc == OK && (event = peek(walk))) {
        if (walk_citation(walk))
            continue;
        if (event->kind == EVENT_ENTER_BLOCK) {
            rc = enter_block(walk, event);
        } else if (event->kind == EVENT_LEAVE_BLOCK) {
            leave_block(walk, event);
        } else if (!top_list(walk) || !item_text(walk, SIZE_MAX)) {
            leave_lists(walk); /* the text of an item behind an inner list */
            write_paragraph(walk->writer, inline_html(walk, SIZE_MAX));
        }
    }
    return rc;
}

int markdown_walk(struct call *call, struct markdown_events *events, struct str markdown, struct block_writer *writer)
{
    int rc = markdown_events_parse(call, events, markdown);
    if (rc != OK)
        return rc;
    struct walk walk = {.call = call, .events = events, .writer = writer};
    rc = walk_all(&walk);
    if (rc == OK && buf_failed(writer->out))
        return fail(call, E_LIMIT, "The content would be longer than %zu bytes.", writer->out->max);
    return rc;
}

bool markdown_inline(struct call *call, struct markdown_events *events, struct str markdown, unsigned *level,
                     struct str *ret_html)
{
    if (markdown_events_parse(call, events, markdown) != OK) {
        call_clear_error(call);
        return false;
    }
    struct walk walk = {.call = call, .events = events, .at = 1};
    const struct event *event = peek(&walk);
    if (!is_event(event, EVENT_ENTER_BLOCK, level ? MD_BLOCK_H : MD_BLOCK_P) ||
        skip_pair(events, 1) + 1 != markdown_events_count(events))
        return false;
    if (level)
        *level = event->level;
    walk.at++;
    *ret_html = inline_html(&walk, SIZE_MAX);
    return true;
}

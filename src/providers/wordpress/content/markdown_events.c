/* md4c's callbacks, collected. */
#include "providers/wordpress/content/markdown_events.h"

#include "providers/wordpress/content/markdown_chunks.h"
#include "providers/wordpress/content/markdown_in.h"

/* Stands before a "[" that must begin no address of a link, and is taken away from all that comes out. */
#define NOTE_MARK '\x01'

enum { EVENTS_BYTES_MAX = 48 * 1024 * 1024, TEXTS_BYTES_MAX = 4 * CONTENT_BYTES_MAX };

static int add_event(struct markdown_events *events, const struct event *event)
{
    buf_add(&events->events, str_of((const char *)event, sizeof *event));
    return buf_failed(&events->events) || buf_failed(&events->texts);
}

/* References stay as they are, other ampersands become one: so it can stand in an HTML attribute, but for quotes. */
static void set_attribute(struct markdown_events *events, uint32_t *offset, uint32_t *length,
                          const MD_ATTRIBUTE *attribute)
{
    *offset = (uint32_t)events->texts.len;
    for (unsigned i = 0; attribute->size && attribute->substr_offsets[i] < attribute->size; i++) {
        unsigned start = attribute->substr_offsets[i];
        struct str text = str_of(attribute->text + start, attribute->substr_offsets[i + 1] - start);
        for (size_t k = 0; k < text.len; k++) {
            if (text.ptr[k] == '&' && attribute->substr_types[i] == MD_TEXT_NORMAL)
                buf_add(&events->texts, STR("&amp;"));
            else if (text.ptr[k] == '\0')
                buf_add(&events->texts, STR("\xEF\xBF\xBD"));
            else if (!events->has_marks || text.ptr[k] != NOTE_MARK)
                buf_add_char(&events->texts, text.ptr[k]);
        }
    }
    *length = (uint32_t)(events->texts.len - *offset);
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *context)
{
    struct markdown_events *events = context;
    struct event event = {.kind = EVENT_ENTER_BLOCK, .type = (uint8_t)type};
    if (type == MD_BLOCK_OL)
        event.number = ((MD_BLOCK_OL_DETAIL *)detail)->start;
    else if (type == MD_BLOCK_H)
        event.level = (uint8_t)((MD_BLOCK_H_DETAIL *)detail)->level;
    else if (type == MD_BLOCK_CODE)
        set_attribute(events, &event.text, &event.text_length, &((MD_BLOCK_CODE_DETAIL *)detail)->lang);
    else if (type == MD_BLOCK_TD || type == MD_BLOCK_TH)
        event.level = (uint8_t)((MD_BLOCK_TD_DETAIL *)detail)->align;
    return add_event(events, &event);
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *context)
{
    (void)detail;
    return add_event(context, &(struct event){.kind = EVENT_LEAVE_BLOCK, .type = (uint8_t)type});
}

static int enter_span(MD_SPANTYPE type, void *detail, void *context)
{
    struct markdown_events *events = context;
    struct event event = {.kind = EVENT_ENTER_SPAN, .type = (uint8_t)type};
    if (type == MD_SPAN_A) {
        set_attribute(events, &event.text, &event.text_length, &((MD_SPAN_A_DETAIL *)detail)->href);
        set_attribute(events, &event.extra, &event.extra_length, &((MD_SPAN_A_DETAIL *)detail)->title);
    } else if (type == MD_SPAN_IMG) {
        set_attribute(events, &event.text, &event.text_length, &((MD_SPAN_IMG_DETAIL *)detail)->src);
        set_attribute(events, &event.extra, &event.extra_length, &((MD_SPAN_IMG_DETAIL *)detail)->title);
    }
    return add_event(events, &event);
}

static int leave_span(MD_SPANTYPE type, void *detail, void *context)
{
    (void)detail;
    return add_event(context, &(struct event){.kind = EVENT_LEAVE_SPAN, .type = (uint8_t)type});
}

/* The tabs and spaces right before `text`, if they are all of the line before it and as wide as md4c said. */
static struct str source_indentation(const struct markdown_events *events, const char *text)
{
    const char *start = text;
    size_t columns = 0;
    while (start > events->source.ptr && (start[-1] == ' ' || start[-1] == '\t'))
        start--;
    if (start > events->source.ptr && start[-1] != '\n')
        return STR_EMPTY;
    for (const char *c = start; c < text; c++)
        columns += *c == '\t' ? 4 - columns % 4 : 1;
    return columns == events->indentation ? str_of(start, (size_t)(text - start)) : STR_EMPTY;
}

/* md4c gives a code line's indentation as spaces, where the source may have tabs. */
static void add_indentation(struct markdown_events *events, const char *text, bool in_source)
{
    struct str indentation = in_source ? source_indentation(events, text) : STR_EMPTY;
    buf_add(&events->texts, indentation);
    for (size_t i = 0; indentation.len == 0 && i < events->indentation; i++)
        buf_add_char(&events->texts, ' ');
    events->indentation = 0;
}

static void add_text(struct markdown_events *events, struct str text)
{
    size_t at = events->has_marks ? str_find_char(text, NOTE_MARK) : STR_NOT_FOUND;
    while (at != STR_NOT_FOUND) {
        buf_add(&events->texts, str_sub(text, 0, at));
        text = str_from_offset(text, at + 1);
        at = str_find_char(text, NOTE_MARK);
    }
    buf_add(&events->texts, text);
}

static int take_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *context)
{
    struct markdown_events *events = context;
    struct event event = {.kind = EVENT_TEXT, .type = (uint8_t)type};
    bool in_source = text >= events->source.ptr && text < events->source.ptr + events->source.len;
    if (type == MD_TEXT_CODE && !in_source && size && text[0] == ' ') {
        events->indentation += size;
        return 0;
    }
    event.text = (uint32_t)events->texts.len;
    if (events->indentation)
        add_indentation(events, text, in_source);
    add_text(events, str_of(text, size));
    event.text_length = (uint32_t)(events->texts.len - event.text);
    return add_event(events, &event);
}

static void release(void *object)
{
    struct markdown_events *events = object;
    buf_done(&events->events);
    buf_done(&events->texts);
}

struct markdown_events *markdown_events_new(struct call *call)
{
    struct markdown_events *events = arena_new_of(call->arena, struct markdown_events);
    buf_init_heap(&events->events, EVENTS_BYTES_MAX);
    buf_init_heap(&events->texts, TEXTS_BYTES_MAX);
    arena_defer(call->arena, release, events);
    return events;
}

/* "|-|:-:|": only bars, dashes, colons and spaces, and a cell with less than the three columns md4c wants. */
static bool is_narrow_rule(struct str line)
{
    bool bar = false, narrow = false;
    size_t width = 0;
    for (size_t i = 0; i <= line.len; i++) {
        char c = i < line.len ? line.ptr[i] : '|';
        if (c == '|') {
            narrow = narrow || (width > 0 && width < 3);
            width = 0;
            bar = bar || i < line.len;
        } else if (c == '-' || c == ':') {
            width++;
        } else if (!ascii_is_space(c)) {
            return false;
        }
    }
    return bar && narrow;
}

static bool has_narrow_rule(struct str markdown)
{
    struct str line;
    if (str_find(markdown, STR("|-")) == STR_NOT_FOUND && str_find(markdown, STR("-|")) == STR_NOT_FOUND &&
        str_find(markdown, STR("| -")) == STR_NOT_FOUND && str_find(markdown, STR("- |")) == STR_NOT_FOUND)
        return false;
    while (str_next(&markdown, '\n', &line))
        if (is_narrow_rule(line))
            return true;
    return false;
}

/* Each dash of such a line three times, outside of fenced code. */
static struct str widen_rules(struct arena *arena, struct str markdown)
{
    struct buf out;
    struct str line;
    bool fenced = false, first = true;
    buf_init(&out, arena, markdown.len * 3 + 1);
    while (str_next(&markdown, '\n', &line)) {
        struct str trimmed = str_trim(line);
        fenced ^= str_starts_with(trimmed, STR("```")) || str_starts_with(trimmed, STR("~~~"));
        buf_add(&out, first ? STR_EMPTY : STR("\n"));
        first = false;
        bool widen = !fenced && is_narrow_rule(line);
        for (size_t i = 0; i < line.len && widen; i++)
            buf_add(&out, line.ptr[i] == '-' ? STR("---") : str_sub(line, i, 1));
        buf_add(&out, widen ? STR_EMPTY : line);
    }
    return buf_str(&out);
}

/*
 * "[^1]: A note.": where its bracket is, behind what a quote or an item begins with. STR_NOT_FOUND: it is none. WordPress has no notes
 * of that kind in Markdown's place, and to md4c it is the address of a link "^1".
 */
static size_t find_note(struct str line)
{
    size_t at = 0;
    while (at < line.len && strchr(" \t>-*+.)0123456789", line.ptr[at]) && line.ptr[at])
        at++;
    struct str rest = str_from_offset(line, at);
    size_t end = str_find(rest, STR("]:"));
    bool is_note = str_starts_with(rest, STR("[^")) && end != STR_NOT_FOUND && str_find_char(rest, ']') == end;
    return is_note ? at : STR_NOT_FOUND;
}

/*
 * Notes as text: a mark stands before each, wherever that is, so nothing must be known of what is around it: in code and HTML
 * it goes away again. Of those that follow one another each becomes a paragraph of its own, outside of fenced code.
 */
static struct str mark_notes(struct arena *arena, struct str markdown)
{
    enum { INDENTATION_MAX = 3, ADDED_MAX = 2 }; /* bytes for a line of five at least */
    struct buf out;
    struct str line;
    char fence = 0;
    size_t fence_length = 0;
    bool first = true, may_begin = true, after_note = false;
    buf_init(&out, arena, markdown.len * ADDED_MAX + 1);
    while (str_next(&markdown, '\n', &line)) {
        struct str trimmed = str_trim(line);
        bool was_fenced = fence != 0, opens = !fence && markdown_fence_opens(trimmed, &fence, &fence_length);
        if (was_fenced && markdown_fence_closes(trimmed, fence, fence_length))
            fence = 0;
        size_t at = find_note(line);
        bool note = at <= INDENTATION_MAX && !fence && !was_fenced && may_begin;
        buf_add(&out, first ? STR_EMPTY : STR("\n"));
        buf_add(&out, note && after_note ? STR("\n") : STR_EMPTY);
        buf_add(&out, str_sub(line, 0, at));
        if (at != STR_NOT_FOUND) {
            buf_add_char(&out, NOTE_MARK);
            buf_add(&out, str_from_offset(line, at));
        }
        first = false;
        after_note = note;
        may_begin = note || opens || was_fenced || trimmed.len == 0 || trimmed.ptr[0] == '#';
    }
    return buf_str(&out);
}

int markdown_events_parse(struct call *call, struct markdown_events *events, struct str markdown)
{
    static const MD_PARSER parser = {
        .flags = MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH,
        .enter_block = enter_block,
        .leave_block = leave_block,
        .enter_span = enter_span,
        .leave_span = leave_span,
        .text = take_text,
    };
    buf_clear(&events->events);
    buf_clear(&events->texts);
    if (markdown.len > CONTENT_BYTES_MAX)
        return fail(call, E_LIMIT, "The text is longer than %d MiB.", CONTENT_BYTES_MAX / 1024 / 1024);
    if (has_narrow_rule(markdown))
        markdown = widen_rules(call->arena, markdown);
    events->has_marks = str_contains(markdown, STR("[^")) && str_find_char(markdown, NOTE_MARK) == STR_NOT_FOUND;
    if (events->has_marks)
        markdown = mark_notes(call->arena, markdown);
    events->source = markdown;
    events->indentation = 0;
    if (md_parse(markdown.ptr, (MD_SIZE)markdown.len, &parser, events) != 0)
        return fail(call, E_LIMIT, "The Markdown text is too complex to be read: make it shorter.");
    return OK;
}

size_t markdown_events_count(const struct markdown_events *events)
{
    return events->events.len / sizeof(struct event);
}

const struct event *markdown_event(const struct markdown_events *events, size_t index)
{
    return index < markdown_events_count(events) ? (const struct event *)(const void *)events->events.ptr + index
                                                 : NULL;
}

struct str markdown_event_text(const struct markdown_events *events, const struct event *event)
{
    return str_sub(buf_str(&events->texts), event->text, event->text_length);
}

struct str markdown_event_extra(const struct markdown_events *events, const struct event *event)
{
    return str_sub(buf_str(&events->texts), event->extra, event->extra_length);
}

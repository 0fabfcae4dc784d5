/* Find and replace. */
#include "providers/wordpress/content/edit_replace.h"

#include "providers/wordpress/content/blocks.h"
#include "providers/wordpress/content/find.h"
#include "providers/wordpress/content/html.h"
#include "providers/wordpress/content/inline_out.h"
#include "providers/wordpress/content/markdown_walk.h"
#include "providers/wordpress/content/text.h"

enum { PLACES_NAMED_MAX = 5, EXCERPT_CHARS = 60, QUOTED_CHARS = 80, SHOWN_CHARS = 400 };

struct find {
    struct call *call;
    const char *prefix;
    const struct content_edit *edit;
    struct content_map map;
    struct match *matches;
    size_t count;
    struct blocks *blocks; /* of the text, when first needed */
    struct str tags;       /* of the text, from the tag that was looked at last: matches come in order */
    bool is_view, is_markdown;
    struct str replace; /* as HTML when is_markdown */
    bool is_literal;    /* a replacement that looks like Markdown was put into text as it is */
};

static bool is_wanted(const struct find *find, size_t count)
{
    return find->edit->count < 0 ? count > 0 : count == (find->edit->count ? (size_t)find->edit->count : 1);
}

/* --- what to say when the number is another */

static struct str block_number_at(const struct find *find, size_t offset)
{
    struct blocks blocks = blocks_parse(find->call->arena, find->map.raw, BLOCKS_SPLIT_CLASSIC);
    const struct block *block = blocks_at(&blocks, offset);
    return block ? block->number : STR("?");
}

/* The text around an offset, without the tags (unless it is in one), up to the end of the block. */
static struct str excerpt_at(const struct find *find, size_t offset)
{
    struct str raw = find->map.raw;
    const unsigned char *places = find->map.places;
    bool markup = places[offset] == PLACE_MARKUP;
    size_t start = offset;
    while (start && offset - start < EXCERPT_CHARS / 3 && (places[start - 1] == PLACE_MARKUP) == markup)
        start--;
    while (start < offset && ((unsigned char)raw.ptr[start] & 0xC0) == 0x80)
        start++;
    struct buf out;
    buf_init(&out, find->call->arena, 4 * EXCERPT_CHARS);
    for (size_t i = start; i < raw.len && out.len < 2 * EXCERPT_CHARS; i++) {
        if (!markup && i > offset && str_starts_with(str_from_offset(raw, i), STR("<!-- ")))
            break;
        if (markup || places[i] != PLACE_MARKUP)
            buf_add_char(&out, (unsigned char)raw.ptr[i] < ' ' ? ' ' : raw.ptr[i]);
    }
    return str_trim(text_cut(buf_str(&out), EXCERPT_CHARS));
}

/* block 4 "the text around" */
static void add_place(const struct find *find, struct buf *out, size_t offset)
{
    struct str number = block_number_at(find, offset), excerpt = excerpt_at(find, offset);
    buf_add_format(out, "%sblock %.*s \"", out->len ? ", " : "", STR_ARG(number));
    buf_add(out, excerpt);
    buf_add(out, STR("\""));
}

/* --- what to say when there is none */

/* One mark that Markdown puts before a line: "### ", "- ", "1. ", "> ", "| ", or a stand-in; 0: none. */
static size_t mark_length(struct str s)
{
    size_t at = 0, run = 0;
    if (str_starts_with(s, STR("[[block "))) {
        size_t end = str_find(s, STR("]]"));
        return end == STR_NOT_FOUND ? 0 : end + 2;
    }
    while (at < s.len && (s.ptr[at] == ' ' || s.ptr[at] == '\t'))
        at++;
    char c = at < s.len ? s.ptr[at] : 0;
    while (at + run < s.len && (c == '#' ? s.ptr[at + run] == '#' && run < 6 : ascii_is_digit(s.ptr[at + run])))
        run++;
    at += run;
    if (run && c != '#') /* a number needs its dot */
        c = at < s.len && (s.ptr[at] == '.' || s.ptr[at] == ')') ? '1' : 0;
    at += c != '#';
    bool has_space = at < s.len && s.ptr[at] == ' ';
    if (c == '>' || c == '|')
        return at + has_space;
    return has_space && (c == '#' || c == '1' || c == '-' || c == '*' || c == '+') ? at + 1 : 0;
}

/* All marks before a text. They are how it was shown, and no part of it. */
static size_t line_mark_length(struct str s)
{
    enum { MARKS_MAX = 8 };
    size_t at = 0, length = 1;
    for (int i = 0; i < MARKS_MAX && length; i++) {
        length = mark_length(str_from_offset(s, at));
        at += length;
    }
    return at;
}

/* Without the marks; of the cells of a table's row, the first. */
static struct str without_line_mark(struct str s)
{
    struct str text = str_trim(str_from_offset(s, line_mark_length(s)));
    if (str_starts_with(str_trim(s), STR("|")))
        text = str_trim(str_sub(text, 0, str_find_char(text, '|')));
    return text;
}

/* What was wanted is there without its mark. */
static int has_line_mark(struct find *find, struct str text, size_t offset)
{
    struct str quoted = text_cut(find->edit->find, QUOTED_CHARS), number = block_number_at(find, offset);
    return fail(
        find->call, E_CONFLICT,
        "%s\"%.*s\" was not found: what Markdown puts before a line is no part of the text. Find \"%.*s\", which "
        "is in block %.*s, or replace the whole block by its number.",
        find->prefix, STR_ARG(quoted), STR_ARG(text_cut(text, QUOTED_CHARS)), STR_ARG(number));
}

/* Tags stand between the words: how to find it with them, as Markdown if that means the very same. */
static int has_markup_between(struct find *find, const struct match *match)
{
    struct call *call = find->call;
    struct str quoted = text_cut(find->edit->find, QUOTED_CHARS), number = block_number_at(find, match->start);
    struct str raw = str_sub(find->map.raw, match->start, match->end - match->start), back;
    struct buf markdown;
    buf_init(&markdown, call->arena, raw.len * 8 + 64);
    inline_to_markdown(call->arena, raw, 0, &markdown);
    struct str shown = buf_str(&markdown);
    bool as_markdown = !buf_failed(&markdown) && !str_eq(shown, raw) &&
                       markdown_inline(call, markdown_events_new(call), shown, NULL, &back) && str_eq(back, raw);
    shown = as_markdown ? shown : raw;
    struct str cut = text_cut(shown, SHOWN_CHARS);
    return fail(
        call, E_CONFLICT,
        "%s\"%.*s\" was not found in one piece: in block %.*s markup stands in it. Find it with that, %s: %.*s%s\n"
        "Or find a part beside the markup, or replace the whole block by its number.",
        find->prefix, STR_ARG(quoted), STR_ARG(number), as_markdown ? "in Markdown" : "as it is stored", STR_ARG(cut),
        cut.len < shown.len ? "…" : "");
}

/* Refuses if it is known what stands in the way. */
static int explain(struct find *find)
{
    struct arena *arena = find->call->arena;
    struct str wanted = find->edit->find, bare = without_line_mark(wanted);
    struct match match, *matches;
    if (content_find_across(arena, &find->map, wanted, &match))
        return has_markup_between(find, &match);
    if (line_mark_length(wanted) == 0 || bare.len == 0)
        return OK;
    if (content_find(arena, &find->map, bare, FIND_VIEW, 1, &matches))
        return has_line_mark(find, bare, matches[0].start);
    return content_find_across(arena, &find->map, bare, &match) ? has_markup_between(find, &match) : OK;
}

static int wrong_count(struct find *find)
{
    struct buf places;
    buf_init(&places, find->call->arena, 16384);
    struct str quoted = text_cut(find->edit->find, QUOTED_CHARS), list;
    for (size_t i = 0; i < find->count && i < PLACES_NAMED_MAX; i++)
        add_place(find, &places, find->matches[i].start);
    list = buf_str(&places);
    if (find->count)
        return fail(find->call, E_CONFLICT,
                    "%s\"%.*s\" was found %zu times, not %lld: %.*s%s. Say count %zu to change all, or find more of "
                    "the text around.",
                    find->prefix, STR_ARG(quoted), find->count, (long long)(find->edit->count ? find->edit->count : 1),
                    STR_ARG(list), find->count > PLACES_NAMED_MAX ? ", ..." : "", find->count);
    int rc = explain(find);
    if (rc != OK)
        return rc;
    size_t offset;
    if (!content_find_nearest(find->call->arena, &find->map, find->edit->find, &offset))
        return fail(find->call, E_CONFLICT, "%s\"%.*s\" was not found, nor anything like it. Read the item again.",
                    find->prefix, STR_ARG(quoted));
    add_place(find, &places, offset);
    list = buf_str(&places);
    return fail(find->call, E_CONFLICT, "%s\"%.*s\" was not found; the nearest is in %.*s.", find->prefix,
                STR_ARG(quoted), STR_ARG(list));
}

/* --- finding */

static bool try_kind(struct find *find, struct str wanted, enum find_kind kind)
{
    struct match *matches;
    size_t count = content_find(find->call->arena, &find->map, wanted, kind, EDIT_MATCHES_MAX, &matches);
    /* The first try that found anything is what an error tells about. */
    if (find->count == 0 || is_wanted(find, count)) {
        find->matches = matches;
        find->count = count;
    }
    return is_wanted(find, count);
}

/* Find and replace as Markdown, which is how the text was shown. */
static bool try_markdown(struct find *find)
{
    struct markdown_events *events = markdown_events_new(find->call);
    struct str wanted, with = STR_EMPTY;
    if (!markdown_inline(find->call, events, find->edit->find, NULL, &wanted) || str_eq(wanted, find->edit->find) ||
        !try_kind(find, wanted, FIND_ANYWHERE))
        return false;
    if (find->edit->replace.len && !markdown_inline(find->call, events, find->edit->replace, NULL, &with))
        return false;
    find->replace = with;
    find->is_markdown = true;
    return true;
}

static int find_all(struct find *find)
{
    struct str wanted = find->edit->find;
    if (try_kind(find, wanted, FIND_TEXT) || try_kind(find, wanted, FIND_ANYWHERE))
        return OK;
    if (try_kind(find, wanted, FIND_VIEW)) {
        find->is_view = true;
        return OK;
    }
    return try_markdown(find) ? OK : wrong_count(find);
}

/* --- what to put there */

/* A "<" that begins a tag or comment, and not just "less than". */
static bool begins_tag(struct str s)
{
    struct html_token token;
    struct str rest = s;
    return html_next(&rest, &token) && token.kind != HTML_TEXT;
}

static bool holds_bare_characters(struct str s)
{
    char utf8[4];
    size_t length;
    for (size_t i = 0; i < s.len; i++) {
        struct str rest = str_from_offset(s, i);
        if ((s.ptr[i] == '&' && !text_entity(rest, utf8, &length)) || (s.ptr[i] == '<' && !begins_tag(rest)))
            return true;
    }
    return false;
}

/* Bare & and < as references; all_tags: every <, because the text that was found shows tags as text. */
static struct str escape_bare(struct arena *arena, struct str s, bool all_tags)
{
    struct buf out;
    char utf8[4];
    size_t length;
    buf_init(&out, arena, s.len * 5 + 1);
    for (size_t i = 0; i < s.len; i++) {
        struct str rest = str_from_offset(s, i);
        if (s.ptr[i] == '&' && !text_entity(rest, utf8, &length))
            buf_add(&out, STR("&amp;"));
        else if (s.ptr[i] == '<' && (all_tags || !begins_tag(rest)))
            buf_add(&out, STR("&lt;"));
        else
            buf_add_char(&out, s.ptr[i]);
    }
    return buf_str(&out);
}

static bool has_block_tag(struct str html, struct str *ret_name)
{
    struct html_token token;
    while (html_next(&html, &token))
        if (token.kind == HTML_OPEN && html_is_block(token.name)) {
            *ret_name = token.name;
            return true;
        }
    return false;
}

/* What replaces text that stands in a paragraph, heading, item or cell: inline text. */
static int fit_inline(struct find *find, struct str *text)
{
    struct html_token tag;
    struct str inner, name;
    if (html_whole_element(*text, "p", &tag, &inner) && str_find(inner, STR("<p")) == STR_NOT_FOUND)
        *text = inner;
    if (has_block_tag(*text, &name))
        return fail(find->call, E_INVALID,
                    "%sThe replacement has a <%.*s>, but what was found stands inside a paragraph, heading, list item "
                    "or cell. Give "
                    "inline text, or use a block edit.",
                    find->prefix, STR_ARG(name));
    if (str_contains(*text, STR("\n\n")))
        return fail(find->call, E_INVALID,
                    "%sThe replacement has a blank line, but what was found stands inside a paragraph, heading, list "
                    "item or cell. "
                    "For a new paragraph use a block edit (op after).",
                    find->prefix);
    return OK;
}

/* The quotes of the attribute that it is in: alt="here"; 0: it is in none. */
static char value_quote(struct find *find, const struct match *match)
{
    struct html_token token;
    struct str raw = find->map.raw, rest = find->tags.ptr ? find->tags : raw;
    const char *start = raw.ptr + match->start, *end = raw.ptr + match->end;
    while (html_next(&rest, &token)) {
        if (token.source.ptr + token.source.len <= start)
            continue;
        find->tags = str_from_offset(raw, (size_t)(token.source.ptr - raw.ptr));
        if (token.kind != HTML_OPEN || token.source.ptr + token.source.len < end)
            return 0;
        struct str attributes = token.attributes;
        struct html_attribute attribute;
        while (html_next_attribute(&attributes, &attribute))
            if (attribute.value.ptr && attribute.value.ptr <= start && end <= attribute.value.ptr + attribute.value.len)
                return attribute.value.ptr[-1] == '"' || attribute.value.ptr[-1] == '\'' ? attribute.value.ptr[-1] : 0;
        return 0;
    }
    return 0;
}

/* As an attribute's value: it must not end it. */
static struct str escape_value(struct arena *arena, struct str s, char quote)
{
    struct buf out;
    struct str bare = escape_bare(arena, s, true);
    buf_init(&out, arena, bare.len * 6 + 1);
    for (size_t i = 0; i < bare.len; i++)
        if (bare.ptr[i] == quote)
            buf_add(&out, quote == '"' ? STR("&quot;") : STR("&#039;"));
        else if (bare.ptr[i] == '>')
            buf_add(&out, STR("&gt;"));
        else
            buf_add_char(&out, bare.ptr[i]);
    return buf_str(&out);
}

/* Inside the attributes of a block's comment: <!-- wp:x {"a":"here"} -->. */
static bool is_in_attributes(struct find *find, const struct match *match)
{
    if (!find->blocks) {
        find->blocks = arena_new_of(find->call->arena, struct blocks);
        *find->blocks = blocks_parse(find->call->arena, find->map.raw, BLOCKS_AS_WORDPRESS);
    }
    const struct block *block = blocks_at(find->blocks, match->start);
    struct str attributes = block ? block->attributes_raw : STR_EMPTY;
    return attributes.len && attributes.ptr <= find->map.raw.ptr + match->start &&
           find->map.raw.ptr + match->end <= attributes.ptr + attributes.len;
}

static bool has_signs(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (strchr("*_`[~", text.ptr[i]) && text.ptr[i])
            return true;
    return false;
}

static size_t count_tags(struct str html)
{
    struct html_token token;
    size_t count = 0;
    while (html_next(&html, &token))
        count += token.kind == HTML_OPEN;
    return count;
}

/* As Markdown it would have tags that it has not as it is; or it is a heading, or several lines of a list. */
static bool looks_like_markdown(struct find *find)
{
    struct str text = find->edit->replace, html;
    if (markdown_inline(find->call, markdown_events_new(find->call), text, NULL, &html))
        return has_signs(text) && count_tags(html) > count_tags(text);
    return mark_length(text) &&
           (str_starts_with(str_trim(text), STR("#")) || str_find_char(text, '\n') != STR_NOT_FOUND);
}

/* Markdown, because the edit's format says so. The white space around it is the text's. */
static int replace_as_markdown(struct find *find, struct str *ret)
{
    struct str text = find->edit->replace, trimmed = str_trim(text), html = STR_EMPTY;
    size_t before = (size_t)(trimmed.ptr - text.ptr);
    if (trimmed.len && !markdown_inline(find->call, markdown_events_new(find->call), trimmed, NULL, &html))
        return fail(
            find->call, E_INVALID,
            "%sThe replacement is not one paragraph of Markdown, but what was found stands inside a block. Give "
            "inline text, or replace the block by its number.",
            find->prefix);
    struct str behind = str_from_offset(text, before + trimmed.len);
    *ret = trimmed.len ? call_format(find->call, "%.*s%.*s%.*s", STR_ARG(str_sub(text, 0, before)), STR_ARG(html),
                                     STR_ARG(behind))
                       : text;
    return OK;
}

static int make_replacement(struct find *find, const struct match *match, struct str *ret)
{
    struct arena *arena = find->call->arena;
    struct str text = find->replace, found = str_sub(find->map.raw, match->start, match->end - match->start);
    char quote = match->place == PLACE_MARKUP && !find->is_markdown ? value_quote(find, match) : 0;
    *ret = text;
    if (quote)
        *ret = escape_value(arena, text, quote);
    else if (match->place == PLACE_MARKUP && is_in_attributes(find, match))
        *ret = str_replace(arena, text, STR("--"), STR("\\u002d\\u002d")); /* as WordPress writes it */
    if (match->place == PLACE_MARKUP || find->is_markdown)
        return OK;
    if (str_eq(find->edit->format, STR("markdown")))
        return replace_as_markdown(find, ret);
    find->is_literal = true;
    if (match->place == PLACE_INLINE) {
        int rc = fit_inline(find, &text);
        if (rc != OK)
            return rc;
    }
    /* Who finds bare characters knows that the text has them, and means bytes. */
    bool bytes_meant = !find->is_view && holds_bare_characters(find->edit->find);
    *ret = bytes_meant ? text : escape_bare(arena, text, find->is_view && str_contains(found, STR("&lt;")));
    return OK;
}

int edit_replacements(struct call *call, const char *prefix, struct str text, const struct content_edit *edit,
                      struct replacement **ret, size_t *ret_count, bool *ret_literal)
{
    struct find find = {.call = call, .prefix = prefix, .edit = edit, .replace = edit->replace};
    if (edit->count < -1 || edit->count > EDIT_MATCHES_MAX)
        return fail(call, E_INVALID, "%scount is 1 to %d, or -1 for all.", prefix, EDIT_MATCHES_MAX);
    find.map = content_map_of(call->arena, text);
    int rc = find_all(&find);
    if (rc == OK && find.count > EDIT_MATCHES_MAX)
        return fail(call, E_LIMIT, "%sThere are %zu matches, at most %d can be replaced in one edit.", prefix,
                    find.count, EDIT_MATCHES_MAX);
    if (rc != OK)
        return rc;
    struct replacement *list = arena_array_of(call->arena, struct replacement, find.count);
    for (size_t i = 0; i < find.count && rc == OK; i++) {
        list[i] = (struct replacement){find.matches[i].start, find.matches[i].end, STR_EMPTY};
        rc = make_replacement(&find, &find.matches[i], &list[i].with);
    }
    *ret_literal = rc == OK && find.is_literal && edit->format.len == 0 && looks_like_markdown(&find);
    *ret = list;
    *ret_count = find.count;
    return rc;
}

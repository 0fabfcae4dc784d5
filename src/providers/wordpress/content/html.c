/* A small scanner of HTML. */
#include "providers/wordpress/content/html.h"

static bool name_char(char c)
{
    return ascii_is_alnum(c) || c == '-' || c == ':' || c == '_';
}

/* The end of the tag that begins at s.ptr[0] == '<' (behind ">"), quotes respected; 0: it does not end. */
static size_t tag_end(struct str s)
{
    char quote = 0;
    for (size_t i = 1; i < s.len; i++) {
        char c = s.ptr[i];
        if (quote) {
            if (c == quote)
                quote = 0;
        } else if ((c == '"' || c == '\'') && s.ptr[i - 1] == '=') {
            quote = c;
        } else if (c == '>') {
            return i + 1;
        } else if (c == '<') {
            return 0;
        }
    }
    return 0;
}

static bool read_tag(struct str s, struct html_token *ret)
{
    size_t at = 1;
    bool close = s.len > 1 && s.ptr[1] == '/';
    at += close;
    size_t name_start = at;
    if (at >= s.len || !ascii_is_alpha(s.ptr[at]))
        return false;
    while (at < s.len && name_char(s.ptr[at]))
        at++;
    size_t end = tag_end(s);
    if (!end || at >= end || (s.ptr[at] != '>' && s.ptr[at] != '/' && !ascii_is_space(s.ptr[at])))
        return false;
    *ret = (struct html_token){close ? HTML_CLOSE : HTML_OPEN, str_sub(s, 0, end),
                               str_sub(s, name_start, at - name_start)};
    struct str attributes = str_sub(s, at, end - 1 - at);
    ret->self_closing = attributes.len && attributes.ptr[attributes.len - 1] == '/';
    ret->attributes = str_trim(str_sub(attributes, 0, attributes.len - ret->self_closing));
    return true;
}

static bool read_markup(struct str s, struct html_token *ret)
{
    if (str_starts_with(s, STR("<!--"))) {
        size_t end = str_find(str_from_offset(s, 4), STR("-->"));
        if (end == STR_NOT_FOUND)
            return false;
        *ret = (struct html_token){HTML_COMMENT, str_sub(s, 0, end + 7)};
        return true;
    }
    return read_tag(s, ret);
}

bool html_next(struct str *rest, struct html_token *ret)
{
    if (rest->len == 0)
        return false;
    struct str s = *rest;
    *ret = (struct html_token){.kind = HTML_TEXT};
    if (s.ptr[0] != '<' || !read_markup(s, ret)) {
        /* An unfinished comment makes all that follows one text: nobody searches its end twice. */
        size_t at = str_starts_with(s, STR("<!--")) ? s.len : 1;
        struct html_token ignored;
        while (at < s.len) {
            size_t next = str_find_char(str_from_offset(s, at), '<');
            at = next == STR_NOT_FOUND ? s.len : at + next;
            if (at == s.len || read_markup(str_from_offset(s, at), &ignored))
                break;
            at = str_starts_with(str_from_offset(s, at), STR("<!--")) ? s.len : at + 1;
        }
        *ret = (struct html_token){HTML_TEXT, str_sub(s, 0, at)};
    }
    *rest = str_from_offset(s, ret->source.len);
    return true;
}

bool html_next_attribute(struct str *rest, struct html_attribute *ret)
{
    struct str s = str_trim(*rest);
    if (s.len == 0)
        return false;
    size_t at = 0;
    while (at < s.len && s.ptr[at] != '=' && !ascii_is_space(s.ptr[at]))
        at++;
    *ret = (struct html_attribute){str_sub(s, 0, at), STR_EMPTY, true};
    size_t value = at;
    while (value < s.len && ascii_is_space(s.ptr[value]))
        value++;
    if (value < s.len && s.ptr[value] == '=') {
        ret->is_bare = false;
        value++;
        while (value < s.len && ascii_is_space(s.ptr[value]))
            value++;
        char quote = value < s.len && (s.ptr[value] == '"' || s.ptr[value] == '\'') ? s.ptr[value] : 0;
        size_t start = value + (quote != 0), end = start;
        while (end < s.len && (quote ? s.ptr[end] != quote : !ascii_is_space(s.ptr[end])))
            end++;
        ret->value = str_sub(s, start, end - start);
        at = end + (quote && end < s.len);
    }
    *rest = str_from_offset(s, at ? at : 1);
    return true;
}

bool html_attribute(struct str attributes, const char *name, struct str *ret_value)
{
    struct html_attribute attribute;
    while (html_next_attribute(&attributes, &attribute))
        if (str_eq_nocase(attribute.name, str_from(name))) {
            *ret_value = attribute.value;
            return true;
        }
    *ret_value = STR_EMPTY;
    return false;
}

bool html_is(const struct html_token *token, const char *name)
{
    return str_eq_nocase(token->name, str_from(name));
}

static bool listed(const struct str *list, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq_nocase(list[i], name))
            return true;
    return false;
}

bool html_is_void(struct str name)
{
    static const struct str list[] = {STR_INIT("br"),    STR_INIT("img"),   STR_INIT("hr"),   STR_INIT("input"),
                                      STR_INIT("wbr"),   STR_INIT("embed"), STR_INIT("col"),  STR_INIT("source"),
                                      STR_INIT("area"),  STR_INIT("base"),  STR_INIT("link"), STR_INIT("meta"),
                                      STR_INIT("param"), STR_INIT("track")};
    return listed(list, ARRAY_LENGTH(list), name);
}

bool html_is_block(struct str name)
{
    /* The elements around which WordPress's wpautop() makes no paragraph. */
    static const struct str list[] = {
        STR_INIT("p"),        STR_INIT("div"),     STR_INIT("ul"),         STR_INIT("ol"),         STR_INIT("li"),
        STR_INIT("h1"),       STR_INIT("h2"),      STR_INIT("h3"),         STR_INIT("h4"),         STR_INIT("h5"),
        STR_INIT("h6"),       STR_INIT("table"),   STR_INIT("blockquote"), STR_INIT("pre"),        STR_INIT("figure"),
        STR_INIT("hr"),       STR_INIT("section"), STR_INIT("article"),    STR_INIT("aside"),      STR_INIT("header"),
        STR_INIT("footer"),   STR_INIT("nav"),     STR_INIT("form"),       STR_INIT("fieldset"),   STR_INIT("details"),
        STR_INIT("summary"),  STR_INIT("dl"),      STR_INIT("dt"),         STR_INIT("dd"),         STR_INIT("address"),
        STR_INIT("main"),     STR_INIT("hgroup"),  STR_INIT("menu"),       STR_INIT("figcaption"), STR_INIT("math"),
        STR_INIT("tr"),       STR_INIT("td"),      STR_INIT("th"),         STR_INIT("thead"),      STR_INIT("tbody"),
        STR_INIT("tfoot"),    STR_INIT("caption"), STR_INIT("col"),        STR_INIT("colgroup"),   STR_INIT("style"),
        STR_INIT("script"),   STR_INIT("iframe"),  STR_INIT("video"),      STR_INIT("audio"),      STR_INIT("object"),
        STR_INIT("noscript"), STR_INIT("center"),  STR_INIT("legend"),     STR_INIT("map"),        STR_INIT("select"),
        STR_INIT("option"),   STR_INIT("dir"),     STR_INIT("svg"),        STR_INIT("canvas")};
    return listed(list, ARRAY_LENGTH(list), name);
}

static bool is_raw_text(struct str name)
{
    static const struct str list[] = {STR_INIT("script"), STR_INIT("style"), STR_INIT("textarea")};
    return listed(list, ARRAY_LENGTH(list), name);
}

bool html_next_element(struct str *rest, struct html_token *ret_tag, struct str *ret_inner)
{
    struct str s = *rest;
    while (s.len && ascii_is_space(s.ptr[0]))
        s = str_from_offset(s, 1);
    if (!html_next(&s, ret_tag) || ret_tag->kind != HTML_OPEN)
        return false;
    *ret_inner = str_sub(s, 0, 0);
    if (html_is_void(ret_tag->name) || ret_tag->self_closing) {
        *rest = s;
        return true;
    }
    const char *start = s.ptr;
    size_t depth = 1;
    bool raw = is_raw_text(ret_tag->name);
    struct html_token token;
    while (html_next(&s, &token)) {
        if (token.kind == HTML_OPEN && !raw && !token.self_closing && str_eq_nocase(token.name, ret_tag->name))
            depth++;
        if (token.kind == HTML_CLOSE && str_eq_nocase(token.name, ret_tag->name) && --depth == 0) {
            *ret_inner = str_of(start, (size_t)(token.source.ptr - start));
            *rest = s;
            return true;
        }
    }
    return false;
}

bool html_whole_element(struct str html, const char *name, struct html_token *ret_tag, struct str *ret_inner)
{
    struct str rest = html;
    return html_next_element(&rest, ret_tag, ret_inner) && html_is(ret_tag, name) && str_trim(rest).len == 0;
}

/* Offset of the end of a paragraph of inline text at the start of s: a blank line, or a block-level tag or comment. */
static size_t paragraph_end(struct str s)
{
    struct str rest = s;
    struct html_token token;
    while (html_next(&rest, &token)) {
        size_t start = (size_t)(token.source.ptr - s.ptr);
        if (token.kind == HTML_COMMENT ||
            ((token.kind == HTML_OPEN || token.kind == HTML_CLOSE) && html_is_block(token.name)))
            return start;
        if (token.kind != HTML_TEXT)
            continue;
        for (size_t i = 0; i < token.source.len; i++) {
            if (token.source.ptr[i] != '\n')
                continue;
            size_t end = i + 1;
            while (end < token.source.len && ascii_is_space(token.source.ptr[end]) && token.source.ptr[end] != '\n')
                end++;
            if (end < token.source.len && token.source.ptr[end] == '\n')
                return start + i;
        }
    }
    return s.len;
}

bool html_next_piece(struct str *rest, struct str *ret_piece)
{
    struct str s = *rest;
    while (s.len && ascii_is_space(s.ptr[0]))
        s = str_from_offset(s, 1);
    if (s.len == 0) {
        *rest = s;
        return false;
    }
    struct str after = s, inner;
    struct html_token token;
    size_t end;
    html_next(&after, &token);
    if (token.kind == HTML_COMMENT) {
        end = token.source.len;
    } else if (token.kind == HTML_OPEN && html_is_block(token.name)) {
        after = s;
        end = html_next_element(&after, &token, &inner) ? s.len - after.len : s.len;
    } else {
        end = paragraph_end(s);
        if (end == 0)
            end = s.len; /* a stray end tag */
    }
    *ret_piece = str_trim(str_sub(s, 0, end));
    *rest = str_from_offset(s, end);
    return true;
}

bool html_is_balanced(struct str html)
{
    enum { DEPTH_MAX = 64 };
    struct str open[DEPTH_MAX];
    size_t depth = 0;
    struct html_token token;
    while (html_next(&html, &token)) {
        if (token.kind == HTML_OPEN && !html_is_void(token.name) && !token.self_closing) {
            if (depth == DEPTH_MAX)
                return false;
            open[depth++] = token.name;
        } else if (token.kind == HTML_CLOSE && (depth == 0 || !str_eq_nocase(open[--depth], token.name))) {
            return false;
        }
    }
    return depth == 0;
}

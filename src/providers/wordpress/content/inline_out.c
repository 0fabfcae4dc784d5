/* Rich text to Markdown. */
#include "providers/wordpress/content/inline_out.h"

#include "providers/wordpress/content/html.h"
#include "providers/wordpress/content/text.h"

/* What stands next to a sign, for the rules on which signs open and close emphasis. */
static bool is_space_or_edge(int c)
{
    return c < 0 || ascii_is_space((char)c);
}

static bool is_punctuation(int c)
{
    return c > ' ' && c < 0x7F && !ascii_is_alnum((char)c);
}

enum { INLINE_DEPTH_MAX = 8 };

struct inline_writer {
    struct arena *arena;
    struct buf *out;
    size_t start; /* of what is ours in out */
    unsigned flags;
    unsigned depth;       /* of elements written as signs */
    bool bracket_follows; /* there is a "]" in this text at all */
    bool unclosed;        /* an end tag is missing: nobody searches for another */
};

static int last_char(const struct inline_writer *writer)
{
    if (writer->out->len > writer->start)
        return (unsigned char)writer->out->ptr[writer->out->len - 1];
    return writer->flags & INLINE_NOT_FIRST ? ' ' : -1;
}

static bool at_line_start(const struct inline_writer *writer)
{
    int last = last_char(writer);
    return last < 0 || last == '\n';
}

/* A character at the start of a line that would make it something else than text. */
static bool needs_escape_at_start(struct str s)
{
    char c = s.ptr[0];
    char next = s.len > 1 ? s.ptr[1] : ' ';
    if (c == '>' || c == '=' || c == '#')
        return true;
    if (c == '+' || c == '-')
        return ascii_is_space(next) || next == c;
    return false;
}

/* "12." or "12)" at the start of a line: the offset of the dot, or 0. */
static size_t ordered_marker(struct str s)
{
    size_t i = 0;
    while (i < s.len && i < 10 && ascii_is_digit(s.ptr[i]))
        i++;
    if (i == 0 || i >= s.len || (s.ptr[i] != '.' && s.ptr[i] != ')'))
        return 0;
    return i + 1 == s.len || ascii_is_space(s.ptr[i + 1]) ? i : 0;
}

static bool looks_like_reference(struct str s)
{
    size_t i = 1 + (s.len > 1 && s.ptr[1] == '#'), start = i;
    while (i < s.len && ascii_is_alnum(s.ptr[i]))
        i++;
    return i > start && i < s.len && s.ptr[i] == ';';
}

/* Whether s.ptr[0] needs a backslash in running text. */
static bool needs_escape(const struct inline_writer *writer, struct str s)
{
    char c = s.ptr[0];
    int previous = last_char(writer), next = s.len > 1 ? (unsigned char)s.ptr[1] : -1;
    switch (c) {
    case '\\':
        return next < 0 || is_punctuation(next);
    case '`':
        return true;
    case '*':
        return !(is_space_or_edge(previous) && is_space_or_edge(next)) || at_line_start(writer);
    case '_':
        return !(previous >= 0 && next >= 0 && (ascii_is_alnum((char)previous) || previous >= 0x80) &&
                 (ascii_is_alnum((char)next) || next >= 0x80));
    case '~':
        return previous == '~' || next == '~' || !is_space_or_edge(previous);
    case '[':
        return writer->bracket_follows || next == '['; /* the second: it could look like a stand-in */
    case '<':
        return next >= 0 && (ascii_is_alpha((char)next) || next == '/' || next == '!' || next == '?');
    case '&':
        return looks_like_reference(s);
    case '|':
        return writer->flags & INLINE_CELL;
    default:
        return false;
    }
}

/* How many bytes at the start of s never need a backslash, unless at the start of a line. */
static size_t ordinary_length(struct str s)
{
    static const bool stops[256] = {
        ['\n'] = true, ['\\'] = true, ['`'] = true, ['*'] = true, ['_'] = true,
        ['~'] = true,  ['['] = true,  ['<'] = true, ['&'] = true, ['|'] = true,
    };
    size_t length = 0;
    while (length < s.len && !stops[(unsigned char)s.ptr[length]])
        length++;
    return length;
}

static void add_plain(struct inline_writer *writer, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        struct str rest = str_from_offset(text, i);
        size_t ordinary = at_line_start(writer) ? 0 : ordinary_length(rest);
        if (ordinary) {
            buf_add(writer->out, str_sub(rest, 0, ordinary));
            i += ordinary - 1;
            continue;
        }
        if (at_line_start(writer)) {
            size_t marker = ordered_marker(rest);
            if (marker) {
                buf_add(writer->out, str_sub(rest, 0, marker));
                buf_add_char(writer->out, '\\');
                buf_add_char(writer->out, rest.ptr[marker]);
                i += marker;
                continue;
            }
            if (needs_escape_at_start(rest)) {
                buf_add_char(writer->out, '\\');
                buf_add_char(writer->out, text.ptr[i]);
                continue;
            }
        }
        if (needs_escape(writer, rest))
            buf_add_char(writer->out, '\\');
        buf_add_char(writer->out, text.ptr[i]);
    }
}

/* HTML text: references become characters, but the no-break space, which nobody would see, stays one. */
static void add_html_text(struct inline_writer *writer, struct str html)
{
    static const struct str nbsp = STR_INIT("&nbsp;");
    struct buf text;
    buf_init(&text, writer->arena, html.len * 6 + 1);
    text_canonical(&text, html);
    /* Decoded in one piece, so that what needs a look at its neighbours sees them. */
    struct str rest = str_replace(writer->arena, buf_str(&text), nbsp, STR("\x01"));
    rest = text_decode_entities(writer->arena, rest);
    while (rest.len) {
        size_t end = str_find_char(rest, '\x01');
        add_plain(writer, str_sub(rest, 0, end));
        if (end == STR_NOT_FOUND)
            break;
        buf_add(writer->out, nbsp);
        rest = str_from_offset(rest, end + 1);
    }
}

/* The length of the longest run of backticks. */
static size_t longest_ticks(struct str s)
{
    size_t longest = 0, run = 0;
    for (size_t i = 0; i < s.len; i++) {
        run = s.ptr[i] == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

/* `code`; false when there are tags in it. */
static bool add_code(struct inline_writer *writer, struct str inner)
{
    if (inner.len == 0 || str_find_char(inner, '<') != STR_NOT_FOUND || str_find_char(inner, '\n') != STR_NOT_FOUND ||
        ((writer->flags & INLINE_CELL) && str_find_char(inner, '|') != STR_NOT_FOUND) || last_char(writer) == '`')
        return false;
    struct str code = text_decode_entities(writer->arena, inner);
    size_t ticks = longest_ticks(code) + 1;
    bool space =
        code.ptr[0] == '`' || code.ptr[code.len - 1] == '`' || code.ptr[0] == ' ' || code.ptr[code.len - 1] == ' ';
    for (size_t i = 0; i < ticks; i++)
        buf_add_char(writer->out, '`');
    buf_add(writer->out, space ? STR(" ") : STR_EMPTY);
    buf_add(writer->out, code);
    buf_add(writer->out, space ? STR(" ") : STR_EMPTY);
    for (size_t i = 0; i < ticks; i++)
        buf_add_char(writer->out, '`');
    return true;
}

/* An address that needs no escaping between parentheses, with & as a character; empty: there is none. */
static struct str plain_address(struct arena *arena, struct str value)
{
    struct str url = str_replace(arena, value, STR("&amp;"), STR("&"));
    size_t depth = 0;
    for (size_t i = 0; i < url.len; i++) {
        unsigned char c = (unsigned char)url.ptr[i];
        depth += c == '(';
        if (c <= ' ' || c == '<' || c == '>' || c == '\\' || c == 0x7F || (c == ')' && depth-- == 0) || c == '"' ||
            c == '\'' || c == '|' || c == '*' || c == '`' ||
            (c == '&' && looks_like_reference(str_from_offset(url, i))))
            return STR_EMPTY;
    }
    return depth ? STR_EMPTY : url;
}

static void add_tokens(struct inline_writer *writer, struct str html);

/* [text](address); false when the link has more than an address. */
static bool add_link(struct inline_writer *writer, const struct html_token *tag, struct str inner)
{
    struct str rest = tag->attributes;
    struct html_attribute attribute;
    if (!html_next_attribute(&rest, &attribute) || !str_eq(attribute.name, STR("href")) || str_trim(rest).len)
        return false;
    struct str url = plain_address(writer->arena, attribute.value);
    if (url.len == 0 || inner.len == 0)
        return false;
    buf_add_char(writer->out, '[');
    bool brackets = writer->bracket_follows;
    writer->bracket_follows = true;
    struct buf *out = writer->out;
    struct buf text;
    buf_init(&text, writer->arena, out->max);
    size_t start = writer->start;
    writer->out = &text;
    writer->start = 0;
    unsigned flags = writer->flags;
    writer->flags |= INLINE_NOT_FIRST;
    add_tokens(writer, inner);
    writer->out = out;
    writer->start = start;
    writer->flags = flags;
    writer->bracket_follows = brackets;
    /* A "]" in the text would end it; it is escaped nowhere else. */
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == ']' && !(i && text.ptr[i - 1] == '\\'))
            buf_add_char(out, '\\');
        buf_add_char(out, text.ptr[i]);
    }
    buf_add(out, STR("]("));
    buf_add(out, url);
    buf_add_char(out, ')');
    return true;
}

/* The first and the last character inside decide, with their neighbours, whether signs are understood as emphasis. */
static bool can_emphasize(const struct inline_writer *writer, struct str inner, struct str after)
{
    if (inner.len == 0)
        return false;
    int first = (unsigned char)inner.ptr[0], last = (unsigned char)inner.ptr[inner.len - 1];
    int previous = last_char(writer), next = after.len ? (unsigned char)after.ptr[0] : -1;
    if (ascii_is_space((char)first) || ascii_is_space((char)last))
        return false;
    bool opens = !is_punctuation(first) || first == '<' || is_space_or_edge(previous) || is_punctuation(previous);
    bool closes = !is_punctuation(last) || last == '>' || is_space_or_edge(next) || is_punctuation(next);
    return opens && closes;
}

static const char *sign_of(const struct inline_writer *writer, const struct html_token *tag, struct str inner,
                           struct str after)
{
    if (html_is(tag, "strong"))
        return last_char(writer) == '*' ? NULL : "**";
    if (html_is(tag, "s"))
        return "~~";
    /* Beside another star only the underscore is unmistakable, and that not beside letters. */
    bool beside = (writer->flags & INLINE_EMPHASIS) || last_char(writer) == '*' ||
                  str_starts_with(inner, STR("<strong>")) || str_starts_with(after, STR("</strong>"));
    return beside ? "_" : "*";
}

static bool add_emphasis(struct inline_writer *writer, const struct html_token *tag, struct str inner, struct str after)
{
    if (tag->attributes.len || !can_emphasize(writer, inner, after))
        return false;
    const char *sign = sign_of(writer, tag, inner, after);
    if (!sign)
        return false;
    buf_add(writer->out, str_from(sign));
    add_tokens(writer, inner);
    buf_add(writer->out, str_from(sign));
    return true;
}

/* The element at the start of `html` as Markdown; *rest goes behind it. False: it has no Markdown form. */
static bool add_element(struct inline_writer *writer, const struct html_token *token, struct str html, struct str *rest)
{
    struct html_token tag;
    struct str inner, after = html;
    bool emphasis = html_is(token, "strong") || html_is(token, "em") || html_is(token, "s");
    if (!emphasis && !html_is(token, "code") && !html_is(token, "a"))
        return false;
    if (writer->unclosed || writer->depth == INLINE_DEPTH_MAX)
        return false;
    writer->unclosed = !html_next_element(&after, &tag, &inner);
    if (writer->unclosed)
        return false;
    writer->depth++;
    bool done = emphasis ? add_emphasis(writer, token, inner, after)
                         : (html_is(token, "code") ? token->attributes.len == 0 && add_code(writer, inner)
                                                   : add_link(writer, token, inner));
    writer->depth--;
    if (done)
        *rest = after;
    return done;
}

static void add_tokens(struct inline_writer *writer, struct str html)
{
    struct html_token token;
    struct str at = html;
    while (html_next(&html, &token)) {
        bool line_break = token.kind == HTML_OPEN && str_eq(token.source, STR("<br>")) && html.len;
        if (token.kind == HTML_TEXT)
            add_html_text(writer, token.source);
        else if (line_break && (writer->flags & INLINE_BREAKS) && !(writer->flags & INLINE_PLAIN_TAGS))
            buf_add(writer->out, STR("\\\n"));
        else if (token.kind != HTML_OPEN || (writer->flags & INLINE_PLAIN_TAGS) ||
                 !add_element(writer, &token, at, &html))
            buf_add(writer->out, token.source);
        at = html;
    }
}

void inline_to_markdown(struct arena *arena, struct str html, unsigned flags, struct buf *out)
{
    struct inline_writer writer = {.arena = arena, .out = out, .start = out->len, .flags = flags};
    writer.bracket_follows = str_find_char(html, ']') != STR_NOT_FOUND;
    add_tokens(&writer, html);
}

void inline_escape(struct buf *out, struct str text, unsigned flags)
{
    struct inline_writer writer = {
        .out = out, .start = out->len, .flags = flags | INLINE_NOT_FIRST, .bracket_follows = true};
    size_t start = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != ']')
            continue;
        add_plain(&writer, str_sub(text, start, i - start));
        if (i < text.len)
            buf_add(out, STR("\\]"));
        start = i + 1;
    }
}

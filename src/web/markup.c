/* A writer of HTML. */
#include "web/markup.h"

#include "base/visible.h"

#include <assert.h>

void markup_init(struct markup *markup, struct arena *arena, size_t max_bytes)
{
    *markup = (struct markup){.depth = 0};
    buf_init(&markup->out, arena, max_bytes);
}

void markup_doctype(struct markup *markup)
{
    buf_add(&markup->out, STR("<!doctype html>\n"));
}

/* ---- text */

static struct str reference_of(char c)
{
    switch (c) {
    case '&':
        return STR("&amp;");
    case '<':
        return STR("&lt;");
    case '>':
        return STR("&gt;");
    case '"':
        return STR("&quot;");
    case '\'':
        return STR("&#39;");
    default:
        return STR_EMPTY;
    }
}

static bool is_control(char c)
{
    return (unsigned char)c < ' ' && c != '\t' && c != '\n' && c != '\r';
}

/* Bytes that are no UTF-8 would let a browser guess another encoding or swallow a quote. */
static void add_escaped(struct markup *markup, struct str text)
{
    static const struct str replacement = STR_INIT("\xEF\xBF\xBD");
    if (!str_is_utf8(text))
        text = replacement;
    for (size_t i = 0; i < text.len; i++) {
        struct str reference = is_control(text.ptr[i]) ? replacement : reference_of(text.ptr[i]);
        if (reference.len)
            buf_add(&markup->out, reference);
        else
            buf_add_char(&markup->out, text.ptr[i]);
    }
}

static void close_tag(struct markup *markup)
{
    if (markup->in_tag)
        buf_add_char(&markup->out, '>');
    markup->in_tag = false;
}

void markup_text(struct markup *markup, struct str text)
{
    close_tag(markup);
    add_escaped(markup, str_is_utf8(text) ? visible_text(markup->out.arena, text) : text);
}

/* ---- elements */

static bool is_void(const char *element)
{
    static const char *const voids[] = {"br", "hr", "img", "input", "link", "meta"};
    for (size_t i = 0; i < ARRAY_LENGTH(voids); i++)
        if (strcmp(element, voids[i]) == 0)
            return true;
    return false;
}

void markup_begin(struct markup *markup, const char *element)
{
    close_tag(markup);
    buf_add_char(&markup->out, '<');
    buf_add(&markup->out, str_from(element));
    markup->in_tag = true;
    if (is_void(element))
        return;
    assert(markup->depth < MARKUP_DEPTH_MAX);
    markup->open[markup->depth++] = element;
}

void markup_mark(struct markup *markup, const char *name)
{
    assert(markup->in_tag);
    buf_add_char(&markup->out, ' ');
    buf_add(&markup->out, str_from(name));
}

void markup_attribute(struct markup *markup, const char *name, struct str value)
{
    markup_mark(markup, name);
    buf_add(&markup->out, STR("=\""));
    add_escaped(markup, value);
    buf_add_char(&markup->out, '"');
}

bool markup_is_own_path(struct str address)
{
    if (address.len == 0 || address.ptr[0] != '/' || (address.len > 1 && address.ptr[1] == '/'))
        return false;
    for (size_t i = 0; i < address.len; i++) {
        unsigned char c = (unsigned char)address.ptr[i];
        if (c <= ' ' || c == '\\' || c == 0x7F)
            return false;
    }
    return true;
}

static bool may_link_to(struct str address)
{
    if (address.len && (address.ptr[0] == '#' || address.ptr[0] == '?'))
        return true;
    return markup_is_own_path(address) || str_starts_with(address, STR("https://")) ||
           str_starts_with(address, STR("http://")) || str_starts_with(address, STR("mailto:"));
}

void markup_address(struct markup *markup, const char *name, struct str address)
{
    markup_attribute(markup, name, may_link_to(address) ? address : STR("#"));
}

void markup_end(struct markup *markup)
{
    close_tag(markup);
    assert(markup->depth > 0);
    const char *element = markup->open[--markup->depth];
    buf_add(&markup->out, STR("</"));
    buf_add(&markup->out, str_from(element));
    buf_add_char(&markup->out, '>');
}

void markup_element(struct markup *markup, const char *element, struct str text)
{
    markup_begin(markup, element);
    markup_text(markup, text);
    markup_end(markup);
}

struct str markup_done(struct markup *markup)
{
    assert(markup->depth == 0);
    close_tag(markup);
    return buf_str(&markup->out);
}

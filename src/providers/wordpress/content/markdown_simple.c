/* Blocks whose Markdown is known to become the same bytes again. */
#include "providers/wordpress/content/markdown_simple.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/*
 * Why it is known (CommonMark 0.30). A line that begins with a letter is a paragraph, whatever follows, unless the
 * next line makes a heading or table of it, and there is none. Within the line no character below has a meaning;
 * those with one are stops (\ ` * _ ~ [ ] < > & # | and control characters). Signs of emphasis are only written
 * between a space and a letter or digit, and between a letter or digit and a space, quiet punctuation or the end:
 * there they can open, or close, and never both (6.2). An address in parentheses holds nothing that could end it or
 * be a reference (6.3). A no-break space is written as a reference, so it is a stop.
 */
enum {
    WORD = 1,   /* may stand at the edge of what is emphasized */
    QUIET = 2,  /* may stand anywhere but at the start */
    URL = 4,    /* of an address */
    AFTER = 8,  /* may follow an element */
    PLAIN = 16, /* quiet, whatever stands beside it */
};

#define Q (QUIET | PLAIN)
#define W (WORD | Q | URL)
#define P (Q | URL)
/* clang-format off */
static const uint8_t classes[256] = {
    [' '] = QUIET | AFTER, ['!'] = Q | AFTER, ['"'] = Q, ['#'] = URL, ['$'] = P, ['%'] = P, ['\''] = Q, ['('] = Q,
    [')'] = Q | AFTER, ['+'] = P, [','] = P | AFTER, ['-'] = P, ['.'] = P | AFTER, ['/'] = P, ['0' ... '9'] = W,
    [':'] = P | AFTER, [';'] = P | AFTER, ['='] = P, ['?'] = P | AFTER, ['@'] = P, ['A' ... 'Z'] = W, ['_'] = URL,
    ['a' ... 'z'] = W, [0x80 ... 0xC1] = Q, [0xC2] = QUIET, [0xC3 ... 0xFF] = Q,
};
/* clang-format on */
#undef Q
#undef W
#undef P

static bool is(char c, unsigned class)
{
    return classes[(unsigned char)c] & class;
}

#ifdef __SSE2__
static __m128i within(__m128i bytes, char low, char high)
{
    __m128i inside = _mm_min_epu8(_mm_max_epu8(bytes, _mm_set1_epi8(low)), _mm_set1_epi8(high));
    return _mm_cmpeq_epi8(inside, bytes);
}

/* A bit for each of 16 bytes that must be looked at: what `classes` does not call quiet, 0xC2, a space behind a space. */
static unsigned look_bits(const char *at, bool behind_space)
{
    static const char others[] = {'#', '&', '*', '<', '>', '\xC2'};
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i look =
        _mm_or_si128(within(bytes, 0, 0x1f), _mm_or_si128(within(bytes, '[', '`'), within(bytes, '{', 0x7f)));
    for (size_t i = 0; i < sizeof others; i++)
        look = _mm_or_si128(look, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(others[i])));
    unsigned spaces = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(' ')));
    return (unsigned)_mm_movemask_epi8(look) | (spaces & (spaces << 1 | behind_space));
}

/* The first place from `at` on that must be looked at, or where fewer than 16 bytes are left. */
static size_t skip_quiet(struct str s, size_t at)
{
    while (s.len - at >= sizeof(__m128i)) {
        unsigned bits = look_bits(s.ptr + at, at && s.ptr[at - 1] == ' ');
        if (bits)
            return at + (size_t)__builtin_ctz(bits);
        at += sizeof(__m128i);
    }
    return at;
}
#endif

/* How many bytes of the start are quiet: no double space, no no-break space. */
static size_t quiet_length(struct str s)
{
    static const char nbsp[] = "\xC2\xA0";
    for (size_t i = 0;; i++) {
#ifdef __SSE2__
        i = skip_quiet(s, i);
#endif
        while (i < s.len && is(s.ptr[i], PLAIN))
            i++;
        if (i == s.len || !is(s.ptr[i], QUIET))
            return i;
        bool second_space = s.ptr[i] == ' ' && i && s.ptr[i - 1] == ' ';
        if (second_space || (s.len - i >= 2 && memcmp(s.ptr + i, nbsp, 2) == 0))
            return i;
    }
}

/* Words up to `close`, which begin and end with a letter or digit; their length, or 0. */
static size_t words_length(struct str s, struct str close)
{
    size_t length = quiet_length(s);
    if (length == 0 || !is(s.ptr[0], WORD) || !is(s.ptr[length - 1], WORD) ||
        !str_starts_with(str_from_offset(s, length), close))
        return 0;
    return length;
}

static size_t address_length(struct str s)
{
    size_t length = 0;
    while (length < s.len && is(s.ptr[length], URL))
        length++;
    return length;
}

static void add_element(struct buf *out, struct str before, struct str words, struct str after)
{
    buf_add(out, before);
    buf_add(out, words);
    buf_add(out, after);
}

/* One element at the start: its length, or 0. */
static size_t add_simple_element(struct str s, struct buf *out)
{
    static const struct {
        struct str open, close, sign;
    } signs[] = {
        {STR_INIT("<strong>"), STR_INIT("</strong>"), STR_INIT("**")},
        {STR_INIT("<em>"), STR_INIT("</em>"), STR_INIT("*")},
    };
    static const struct str link = STR_INIT("<a href=\""), link_end = STR_INIT("\">"), link_close = STR_INIT("</a>");
    for (size_t i = 0; i < ARRAY_LENGTH(signs); i++) {
        if (!str_starts_with(s, signs[i].open))
            continue;
        struct str inner = str_from_offset(s, signs[i].open.len);
        size_t length = words_length(inner, signs[i].close);
        if (length)
            add_element(out, signs[i].sign, str_sub(inner, 0, length), signs[i].sign);
        return length ? signs[i].open.len + length + signs[i].close.len : 0;
    }
    if (!str_starts_with(s, link))
        return 0;
    struct str address = str_from_offset(s, link.len), inner;
    size_t address_len = address_length(address);
    inner = str_from_offset(address, address_len + link_end.len);
    if (!address_len || !str_starts_with(str_from_offset(address, address_len), link_end))
        return 0;
    size_t length = words_length(inner, link_close);
    if (!length)
        return 0;
    buf_add_char(out, '[');
    add_element(out, str_sub(inner, 0, length), STR("]("), str_sub(address, 0, address_len));
    buf_add_char(out, ')');
    return link.len + address_len + link_end.len + length + link_close.len;
}

/* One line of rich text. The first word is text: a lone address might be meant to be embedded. */
static bool add_line(struct str html, struct buf *out)
{
    bool begins = html.len && (ascii_is_alpha(html.ptr[0]) || (unsigned char)html.ptr[0] >= 0x80);
    if (!begins || html.ptr[html.len - 1] == ' ' || str_starts_with(html, STR("http")))
        return false;
    while (html.len) {
        size_t length = quiet_length(html);
        buf_add(out, str_sub(html, 0, length));
        bool space = length && html.ptr[length - 1] == ' ';
        html = str_from_offset(html, length);
        if (html.len == 0)
            break;
        size_t element = space ? add_simple_element(html, out) : 0;
        html = str_from_offset(html, element);
        if (!element || (html.len && !is(html.ptr[0], AFTER)))
            return false;
    }
    return true;
}

/* What is between `open` and `close`, which are the rest of `text`. */
static bool between(struct str text, struct str open, struct str close, struct str *ret)
{
    if (text.len < open.len + close.len || !str_starts_with(text, open) || !str_ends_with(text, close))
        return false;
    *ret = str_sub(text, open.len, text.len - open.len - close.len);
    return true;
}

static bool add_paragraph(const struct block *block, struct buf *out)
{
    struct str html;
    return between(block->outer, STR("<!-- wp:paragraph -->\n<p>"), STR("</p>\n<!-- /wp:paragraph -->"), &html) &&
           add_line(html, out);
}

#define HEADING(level, attributes)                                                                                     \
    {                                                                                                                  \
        STR_INIT("<!-- wp:heading " attributes "-->\n<h" #level " class=\"wp-block-heading\">"),                       \
            STR_INIT("</h" #level ">\n<!-- /wp:heading -->")                                                           \
    }

static bool add_heading(const struct block *block, struct buf *out)
{
    static const struct {
        struct str open, close;
    } levels[] = {HEADING(1, "{\"level\":1} "), HEADING(2, ""),
                  HEADING(3, "{\"level\":3} "), HEADING(4, "{\"level\":4} "),
                  HEADING(5, "{\"level\":5} "), HEADING(6, "{\"level\":6} ")};
    struct str html;
    for (size_t i = 0; i < ARRAY_LENGTH(levels); i++) {
        if (!between(block->outer, levels[i].open, levels[i].close, &html))
            continue;
        buf_add(out, str_of("######", i + 1));
        buf_add_char(out, ' ');
        return add_line(html, out);
    }
    return false;
}

/* A flat list. Beside another list it would need other marks. */
static bool add_list(const struct block *block, struct buf *out)
{
    static const struct {
        struct str open, close;
    } kinds[] = {
        {STR_INIT("<!-- wp:list -->\n<ul class=\"wp-block-list\">"), STR_INIT("</ul>\n<!-- /wp:list -->")},
        {STR_INIT("<!-- wp:list {\"ordered\":true} -->\n<ol class=\"wp-block-list\">"),
         STR_INIT("</ol>\n<!-- /wp:list -->")},
    };
    static const struct str gap = STR_INIT("\n\n");
    struct str items, html;
    bool ordered = !between(block->outer, kinds[0].open, kinds[0].close, &items);
    if ((ordered && !between(block->outer, kinds[1].open, kinds[1].close, &items)) || !block->first_child ||
        (block->previous && block_is(block->previous, "core/list")))
        return false;
    const char *at = items.ptr;
    uint64_t number = 1;
    for (const struct block *item = block->first_child; item; item = item->next, number++) {
        struct str before = str_of(at, (size_t)(item->outer.ptr - at));
        if (!str_eq(before, number > 1 ? gap : STR_EMPTY) || item->first_child ||
            !between(item->outer, STR("<!-- wp:list-item -->\n<li>"), STR("</li>\n<!-- /wp:list-item -->"), &html))
            return false;
        if (number > 1)
            buf_add_char(out, '\n');
        if (ordered)
            buf_add_u64(out, number);
        buf_add(out, ordered ? STR(". ") : STR("- "));
        if (!add_line(html, out))
            return false;
        at = item->outer.ptr + item->outer.len;
    }
    return at == items.ptr + items.len;
}

bool markdown_simple(const struct block *block, struct buf *out)
{
    size_t before = out->len;
    bool done = !block->is_unclosed &&
                (block_is(block, "core/paragraph") ? add_paragraph(block, out)
                 : block_is(block, "core/heading") ? add_heading(block, out)
                                                   : block_is(block, "core/list") && add_list(block, out));
    if (!done || buf_failed(out))
        out->len = before;
    return done && !buf_failed(out);
}

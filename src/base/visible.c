/* What a reader obeys without seeing it, made visible. */
#include "base/visible.h"

#include "base/buf.h"
#include "base/utf8.h"

#include <stdio.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { REFERENCE_BYTES = 12 };

/* The length of the hidden character at `at`, or 0. Well-formed UTF-8 is expected; what is not is no such character. */
static size_t hidden_at(struct str text, size_t at, unsigned *ret_code)
{
    const unsigned char *c = (const unsigned char *)text.ptr + at;
    size_t left = text.len - at;
    *ret_code = c[0];
    if (c[0] < 0x20)
        return c[0] != '\n' && c[0] != '\t' && c[0] != '\r';
    if (c[0] == 0x7f)
        return 1;
    if (c[0] == 0xe2 && left >= 3 && (c[1] == 0x80 || c[1] == 0x81)) {
        *ret_code = 0x2000u | (c[1] & 0x3fu) << 6 | (c[2] & 0x3fu);
        bool overrides = *ret_code >= 0x202a && *ret_code <= 0x202e,
             isolates = *ret_code >= 0x2066 && *ret_code <= 0x2069;
        return overrides || isolates ? 3 : 0;
    }
    if (c[0] == 0xf3 && left >= 4 && c[1] == 0xa0 && (c[2] == 0x80 || c[2] == 0x81)) {
        *ret_code = 0xe0000u | (c[2] & 0x3fu) << 6 | (c[3] & 0x3fu);
        return 4;
    }
    return 0;
}

static bool may_begin_hidden(unsigned char c)
{
    return c < 0x20 || c == 0x7f || c == 0xe2 || c == 0xf3;
}

#ifdef __SSE2__
/* A bit for each of 16 bytes: a hidden character may begin there. */
static unsigned may_begin_hidden_bits(const char *at)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    __m128i space =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')));
    space = _mm_or_si128(space, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r')));
    __m128i lead =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\xe2')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\xf3')));
    lead = _mm_or_si128(lead, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(space, control), lead));
}
#endif

/* How many hidden characters there are, and where the first of them is. */
static size_t count_hidden(struct str text, size_t *ret_first)
{
    size_t n_hidden = 0, i = 0;
    unsigned code;
#ifdef __SSE2__
    for (; text.len - i >= sizeof(__m128i); i += sizeof(__m128i))
        for (unsigned bits = may_begin_hidden_bits(text.ptr + i); bits; bits &= bits - 1) {
            size_t at = i + (size_t)__builtin_ctz(bits);
            if (hidden_at(text, at, &code) && n_hidden++ == 0)
                *ret_first = at;
        }
#endif
    for (; i < text.len; i++)
        if (may_begin_hidden((unsigned char)text.ptr[i]) && hidden_at(text, i, &code) && n_hidden++ == 0)
            *ret_first = i;
    return n_hidden;
}

bool visible_hides(struct str text)
{
    size_t first;
    return count_hidden(text, &first) > 0;
}

/* Nothing is seen of these by themselves: spaces, controls, fillers, joiners, marks of direction, variation selectors. */
static const struct {
    uint32_t first, last;
} blanks[] = {
    {0x00, 0x20},     {0x7f, 0xa0},       {0xad, 0xad},       {0x34f, 0x34f},     {0x61c, 0x61c},   {0x115f, 0x1160},
    {0x1680, 0x1680}, {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x2000, 0x200f},   {0x2028, 0x202f}, {0x205f, 0x206f},
    {0x2800, 0x2800}, {0x3000, 0x3000},   {0x3164, 0x3164},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff}, {0xffa0, 0xffa0},
    {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

static uint32_t code_at(struct str text, size_t at, size_t *ret_len)
{
    static const unsigned char bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    const unsigned char *c = (const unsigned char *)text.ptr + at;
    size_t len = c[0] < 0x80 ? 1 : utf8_sequence_length(text.ptr + at, text.ptr + text.len);
    uint32_t code = len ? c[0] & bits[len] : c[0];
    for (size_t i = 1; i < len; i++)
        code = code << 6 | (c[i] & 0x3fu);
    *ret_len = len ? len : 1;
    return code;
}

static bool is_blank(uint32_t code)
{
    for (size_t i = 0; i < ARRAY_LENGTH(blanks); i++)
        if (code >= blanks[i].first && code <= blanks[i].last)
            return true;
    return false;
}

bool visible_shows(struct str text)
{
    for (size_t i = 0, len; i < text.len; i += len)
        if (!is_blank(code_at(text, i, &len)))
            return true;
    return false;
}

struct str visible_text(struct arena *arena, struct str text)
{
    size_t first = 0, n_hidden = count_hidden(text, &first);
    unsigned code;
    if (!n_hidden)
        return text;
    struct buf out;
    buf_init(&out, arena, text.len + n_hidden * REFERENCE_BYTES);
    buf_add(&out, str_sub(text, 0, first));
    for (size_t i = first, len; i < text.len; i += len) {
        len = may_begin_hidden((unsigned char)text.ptr[i]) ? hidden_at(text, i, &code) : 0;
        if (len) {
            buf_add_format(&out, "&#x%X;", code);
        } else {
            buf_add_char(&out, text.ptr[i]);
            len = 1;
        }
    }
    return buf_str(&out);
}

/* What a reader obeys without seeing it, made visible. */
#include "base/visible.h"

#include "base/buf.h"

#include <stdio.h>

enum { REFERENCE_BYTES = 12, BLOCK_BYTES = 64 };

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

/* Whether a hidden character may begin within these BLOCK_BYTES. Without branches, so that compilers make vectors of it. */
static bool block_may_hide(const char *block)
{
    unsigned char found = 0;
    for (size_t i = 0; i < BLOCK_BYTES; i++) {
        unsigned char c = (unsigned char)block[i];
        unsigned char is_space = (unsigned char)((c == '\n') | (c == '\t') | (c == '\r'));
        found |= (unsigned char)((c < 0x20) & (is_space ^ 1)) | (c == 0x7f) | (c == 0xe2) | (c == 0xf3);
    }
    return found;
}

/* How many hidden characters there are, and where the first of them is. */
static size_t count_hidden(struct str text, size_t *ret_first)
{
    size_t n_hidden = 0;
    unsigned code;
    for (size_t block = 0; block < text.len; block += BLOCK_BYTES) {
        size_t left = text.len - block, size = left < BLOCK_BYTES ? left : BLOCK_BYTES;
        if (size == BLOCK_BYTES && !block_may_hide(text.ptr + block))
            continue;
        for (size_t i = block; i < block + size; i++)
            if (may_begin_hidden((unsigned char)text.ptr[i]) && hidden_at(text, i, &code) && n_hidden++ == 0)
                *ret_first = i;
    }
    return n_hidden;
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

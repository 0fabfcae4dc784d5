/* What a reader obeys without seeing it, made visible. */
#include "base/visible.h"

#include "base/buf.h"

#include <stdio.h>

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

struct str visible_text(struct arena *arena, struct str text)
{
    size_t first = 0, n_hidden = 0;
    unsigned code;
    for (size_t i = 0; i < text.len; i++)
        if (may_begin_hidden((unsigned char)text.ptr[i]) && hidden_at(text, i, &code) && n_hidden++ == 0)
            first = i;
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

/*
 * UTF-8 (RFC 3629), one sequence at a time. Whole texts are judged by str_is_utf8(). Pure; nothing here allocates.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/banned.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Bytes of the well-formed sequence at `at`, whose first byte is at least 0x80 and which ends before `end`; 0 when it is
 * malformed, overlong, a surrogate, or cut off. Inline: JSON asks it for each letter that is not ASCII.
 */
static inline size_t utf8_sequence_length(const char *at, const char *end)
{
    const unsigned char *p = (const unsigned char *)at;
    size_t left = (size_t)(end - at);
    if (p[0] < 0xE0)
        return p[0] >= 0xC2 && left >= 2 && (p[1] & 0xC0) == 0x80 ? 2 : 0;
    if (left < 3 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80)
        return 0;
    if (p[0] < 0xF0) {
        unsigned code = (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6;
        return code >= 0x800 && (code < 0xD800 || code > 0xDFFF) ? 3 : 0;
    }
    if (p[0] > 0xF4 || left < 4 || (p[3] & 0xC0) != 0x80)
        return 0;
    unsigned high = (p[0] & 0x07u) << 6 | (p[1] & 0x3Fu); /* the code point's upper nine bits */
    return high >= 0x10 && high <= 0x10F ? 4 : 0;
}

/* Writes the code point (below 0x110000, no surrogate) and gives its length in bytes. */
size_t utf8_encode(uint32_t code, char out[4]);

#endif

/* String slices. */
#include "base/str.h"

#include "base/utf8.h"

/* Eight bytes with their ASCII letters in lower case: in `upper` is bit 7 of each byte that is a capital. */
static uint64_t lower_eight(const char *at)
{
    uint64_t bytes, ones = 0x0101010101010101u;
    memcpy(&bytes, at, sizeof bytes);
    uint64_t low = bytes & 0x7f * ones;
    uint64_t upper = (low + (0x80 - 'A') * ones) & ~(low + (0x80 - 'Z' - 1) * ones) & ~bytes & 0x80 * ones;
    return bytes | upper >> 2;
}

bool str_eq_nocase(struct str a, struct str b)
{
    const size_t eight = sizeof(uint64_t);
    if (a.len != b.len)
        return false;
    if (a.len >= eight) {
        for (size_t i = 0; i < a.len - eight; i += eight)
            if (lower_eight(a.ptr + i) != lower_eight(b.ptr + i))
                return false;
        return lower_eight(a.ptr + a.len - eight) == lower_eight(b.ptr + b.len - eight);
    }
    for (size_t i = 0; i < a.len; i++)
        if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i]))
            return false;
    return true;
}

int str_compare(struct str a, struct str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool str_starts_with(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq(str_sub(s, 0, prefix.len), prefix);
}

bool str_starts_with_nocase(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq_nocase(str_sub(s, 0, prefix.len), prefix);
}

bool str_ends_with(struct str s, struct str suffix)
{
    return s.len >= suffix.len && str_eq(str_from_offset(s, s.len - suffix.len), suffix);
}

bool str_contains(struct str s, struct str part)
{
    return str_find(s, part) != STR_NOT_FOUND;
}

bool str_contains_nocase(struct str s, struct str part)
{
    char first = part.len ? ascii_lower(part.ptr[0]) : 0;
    for (size_t i = 0; i + part.len <= s.len; i++)
        if (!part.len || (ascii_lower(s.ptr[i]) == first && str_eq_nocase(str_sub(s, i, part.len), part)))
            return true;
    return false;
}

size_t str_find(struct str s, struct str part)
{
    if (part.len == 0)
        return 0;
    if (part.len > s.len)
        return STR_NOT_FOUND;
    const char *first =
        memchr(s.ptr, part.ptr[0], s.len - part.len + 1); /* much faster, and often all there is to do */
    const char *found = first ? memmem(first, s.len - (size_t)(first - s.ptr), part.ptr, part.len) : NULL;
    return found ? (size_t)(found - s.ptr) : STR_NOT_FOUND;
}

size_t str_find_char(struct str s, char c)
{
    const char *found = s.len ? memchr(s.ptr, c, s.len) : NULL;
    return found ? (size_t)(found - s.ptr) : STR_NOT_FOUND;
}

size_t str_find_last_char(struct str s, char c)
{
    for (size_t i = s.len; i-- > 0;)
        if (s.ptr[i] == c)
            return i;
    return STR_NOT_FOUND;
}

struct str str_trim(struct str s)
{
    while (s.len && ascii_is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len && ascii_is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

bool str_next(struct str *rest, char separator, struct str *ret_piece)
{
    if (!rest->ptr)
        return false;
    size_t end = str_find_char(*rest, separator);
    if (end == STR_NOT_FOUND) {
        *ret_piece = *rest;
        *rest = (struct str){NULL, 0};
    } else {
        *ret_piece = str_sub(*rest, 0, end);
        *rest = str_from_offset(*rest, end + 1);
    }
    return true;
}

bool str_to_u64(struct str s, uint64_t *ret)
{
    uint64_t value = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!ascii_is_digit(s.ptr[i]) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value))
            return false;
    }
    *ret = value;
    return true;
}

bool str_to_i64(struct str s, int64_t *ret)
{
    bool negative = s.len && s.ptr[0] == '-';
    uint64_t magnitude;
    if (!str_to_u64(negative ? str_from_offset(s, 1) : s, &magnitude))
        return false;
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    *ret = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

bool str_to_cstr(struct str s, char *out, size_t out_size)
{
    out[0] = '\0';
    if (s.len >= out_size || str_find_char(s, '\0') != STR_NOT_FOUND)
        return false;
    if (s.len)
        memcpy(out, s.ptr, s.len);
    out[s.len] = '\0';
    return true;
}

struct str str_cut(struct str s, size_t max)
{
    if (s.len <= max)
        return s;
    while (max && ((unsigned char)s.ptr[max] & 0xC0) == 0x80)
        max--;
    return str_sub(s, 0, max);
}

bool str_is_utf8(struct str s)
{
    for (size_t i = 0; i < s.len;) {
        uint64_t eight;
        while (s.len - i >= sizeof eight && !(memcpy(&eight, s.ptr + i, sizeof eight), eight & 0x8080808080808080u))
            i += sizeof eight;
        if (i == s.len)
            break;
        size_t length = (unsigned char)s.ptr[i] < 0x80 ? 1 : utf8_sequence_length(s.ptr + i, s.ptr + s.len);
        if (length == 0)
            return false;
        i += length;
    }
    return true;
}

uint64_t str_hash(struct str s)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (unsigned char)s.ptr[i]) * 0x100000001b3u;
    return hash;
}

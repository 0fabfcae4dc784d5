/*
 * String slices: a pointer and a length, passed by value, not NUL-terminated, never owning.
 *
 * A slice lives as long as what it points into: the request, the arena, a literal. Nothing here allocates; what builds new
 * text is in base/arena.h (str_copy, str_format) and base/buf.h.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/banned.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(position, first) __attribute__((format(printf, position, first)))
/* For large local arrays on paths that are walked often: the build zeroes all others (-ftrivial-auto-var-init). */
#define UNSET __attribute__((uninitialized))
#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

struct str {
    const char *ptr;
    size_t len;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
/* The formatter takes the braces for a block. */
/* clang-format off */
#define STR_INIT(literal) {(literal), sizeof(literal) - 1} /* for static tables */
/* clang-format on */
#define STR_EMPTY ((struct str){"", 0})
/* printf("%.*s", STR_ARG(s)) */
#define STR_ARG(s) (int)(s).len, (s).ptr

static inline struct str str_from(const char *text)
{
    return text ? (struct str){text, strlen(text)} : STR_EMPTY;
}

static inline struct str str_of(const char *ptr, size_t len)
{
    return (struct str){ptr, len};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool str_is_empty(struct str s)
{
    return s.len == 0;
}

/* The part from `start` (clamped) of at most `len` bytes. */
static inline struct str str_sub(struct str s, size_t start, size_t len)
{
    if (start > s.len)
        start = s.len;
    if (len > s.len - start)
        len = s.len - start;
    return (struct str){s.ptr + start, len};
}

static inline struct str str_from_offset(struct str s, size_t start)
{
    return str_sub(s, start, SIZE_MAX);
}

/* ASCII only, in every locale. */
static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool ascii_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool ascii_is_alnum(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c);
}

static inline bool ascii_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool str_eq_nocase(struct str a, struct str b); /* ASCII case */
int str_compare(struct str a, struct str b);    /* by bytes, as memcmp */
bool str_starts_with(struct str s, struct str prefix);
bool str_starts_with_nocase(struct str s, struct str prefix);
bool str_ends_with(struct str s, struct str suffix);
bool str_contains(struct str s, struct str part);
bool str_contains_nocase(struct str s, struct str part);

#define STR_NOT_FOUND SIZE_MAX
size_t str_find(struct str s, struct str part); /* offset or STR_NOT_FOUND */
size_t str_find_char(struct str s, char c);
size_t str_find_last_char(struct str s, char c);

/* Without ASCII white space at both ends. */
struct str str_trim(struct str s);

/*
 * Takes the piece before the next separator off *rest. Returns false when *rest is used up (ptr NULL):
 *     while (str_next(&rest, ',', &piece)) ...     "a,,b" gives "a", "", "b"; "" gives one empty piece.
 */
bool str_next(struct str *rest, char separator, struct str *ret_piece);

/* Whole text must be a number in range: no sign for u64, an optional '-' for i64, no spaces. Leading zeros are accepted. */
MUST_CHECK bool str_to_u64(struct str s, uint64_t *ret);
MUST_CHECK bool str_to_i64(struct str s, int64_t *ret);

/* Copies into a fixed NUL-terminated buffer; false (and an empty buffer) when it does not fit or holds a NUL. */
MUST_CHECK bool str_to_cstr(struct str s, char *out, size_t out_size);

/* Its first `max` bytes at most, cut between characters of UTF-8 and not inside one. */
struct str str_cut(struct str s, size_t max);

/* True when the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool str_is_utf8(struct str s);

/* FNV-1a, for hash tables whose keys an outsider cannot choose freely; not a MAC. */
uint64_t str_hash(struct str s);

#endif

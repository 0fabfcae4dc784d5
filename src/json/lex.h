/*
 * The tokens of JSON (RFC 8259), for the reader (json.c), the lazy scanner (json_scan.c) and the writer (json_write.c).
 * Strict: what another parser might read differently is refused, never repaired. Pure; nothing here allocates.
 */
#ifndef JSON_LEX_H
#define JSON_LEX_H

#include "base/utf8.h"
#include "call/call.h"

/* LEX_PORTABLE: for tests of what other machines run. */
#if defined(__SSE2__) && !defined(LEX_PORTABLE)
#define LEX_SSE2
#include <emmintrin.h>
#endif

enum { LEX_NUMBER_MAX_BYTES = 400 };

struct lex {
    const char *at; /* after a failure: the byte that is wrong */
    const char *end;
    const char *reason; /* NULL until something is wrong */
    int error;          /* E_INVALID, or E_LIMIT when a bound of ours was passed */
};

/* Records the failure; always false. */
bool lex_fail(struct lex *lex, const char *at, int error, const char *reason);

/* `at` is behind the opening quote, and afterwards behind the closing one. False: malformed. */
MUST_CHECK bool lex_string(struct lex *lex, bool *ret_escaped);
MUST_CHECK bool lex_number(struct lex *lex);
/* Moves over `word` ("true", "false", "null"). */
MUST_CHECK bool lex_word(struct lex *lex, struct str word);
/* What to say about a byte that cannot start a value here, or about the end of the text. Always false. */
bool lex_fail_unexpected(struct lex *lex);

/* Writes the text of a string's inside, which lex_string() accepted, to out (inside.len bytes are enough); the length. */
size_t lex_decode(struct str inside, char *out);
/* Whether that text equals `text`, without writing it anywhere. */
bool lex_inside_is(struct str inside, struct str text);

/* The first byte in [at, end) that a string does not simply contain: quote, backslash, control character, or not ASCII. */
static inline const char *lex_plain_portable(const char *at, const char *end)
{
    while (at < end && *at != '"' && *at != '\\' && (signed char)*at >= 0x20)
        at++;
    return at;
}

#ifdef LEX_SSE2
static inline __m128i lex_load(const char *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

/* Of the 16 bytes at `at`: a bit for each that is not plain. */
static inline unsigned lex_special_bits(const char *at)
{
    __m128i bytes = lex_load(at);
    __m128i stop = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    /* Signed: what is not ASCII is negative. */
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(stop, _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20))));
}
#endif

static inline const char *lex_plain(const char *at, const char *end)
{
#ifdef LEX_SSE2
    while (end - at >= 16) {
        unsigned mask = lex_special_bits(at);
        if (mask)
            return at + __builtin_ctz(mask);
        at += 16;
    }
#endif
    return lex_plain_portable(at, end);
}

static inline bool lex_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline void lex_space(struct lex *lex)
{
    const char *at = lex->at;
    while (at < lex->end && lex_is_space(*at))
        at++;
    lex->at = at;
}

/* The next byte, or '\0', which starts nothing, at the end. */
static inline char lex_peek(const struct lex *lex)
{
    return lex->at < lex->end ? *lex->at : '\0';
}

#endif

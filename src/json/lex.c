/* The tokens of JSON. */
#include "json/lex.h"

bool lex_fail(struct lex *lex, const char *at, int error, const char *reason)
{
    lex->at = at;
    lex->error = error;
    lex->reason = reason;
    return false;
}

bool lex_fail_unexpected(struct lex *lex)
{
    if (lex->at == lex->end)
        return lex_fail(lex, lex->at, E_INVALID, "the text ends too early");
    if (lex->end - lex->at >= 3 && memcmp(lex->at, "\xEF\xBB\xBF", 3) == 0)
        return lex_fail(lex, lex->at, E_INVALID, "a byte order mark is not JSON");
    return lex_fail(lex, lex->at, E_INVALID, "unexpected character");
}

bool lex_word(struct lex *lex, struct str word)
{
    if ((size_t)(lex->end - lex->at) < word.len || memcmp(lex->at, word.ptr, word.len) != 0)
        return lex_fail_unexpected(lex);
    lex->at += word.len;
    return true;
}

static const char *digits(const char *at, const char *end)
{
    while (at < end && ascii_is_digit(*at))
        at++;
    return at;
}

bool lex_number(struct lex *lex)
{
    const char *start = lex->at, *at = start, *end = lex->end, *begin;
    if (at < end && *at == '-')
        at++;
    begin = at;
    at = digits(at, end);
    if (at == begin)
        return lex_fail(lex, at, E_INVALID,
                        at == start ? "unexpected character" : "a digit must follow the minus sign");
    if (*begin == '0' && at - begin > 1)
        return lex_fail(lex, begin, E_INVALID, "a number must not have leading zeros");
    if (at < end && *at == '.') {
        begin = ++at;
        at = digits(at, end);
        if (at == begin)
            return lex_fail(lex, at, E_INVALID, "a digit must follow the decimal point");
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        begin = at;
        at = digits(at, end);
        if (at == begin)
            return lex_fail(lex, at, E_INVALID, "the exponent has no digits");
    }
    if (at - start > LEX_NUMBER_MAX_BYTES)
        return lex_fail(lex, start, E_LIMIT, "the number has too many characters");
    lex->at = at;
    return true;
}

/* One more than the value of a hexadecimal digit; 0: it is none. */
static const unsigned char hex_digits[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* The UTF-16 unit of the \uXXXX at `at`, or -1. */
static int escaped_unit(const char *at, const char *end)
{
    int unit = 0;
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digits[(unsigned char)at[i]];
        if (digit == 0)
            return -1;
        unit = unit << 4 | (digit - 1);
    }
    return unit;
}

/* The code point of the \uXXXX or surrogate pair at `at`, and how many bytes were read; -1 with NULL or a reason. */
static int escaped_code(const char *at, const char *end, size_t *ret_length, const char **ret_reason)
{
    int high = escaped_unit(at, end);
    *ret_reason = "\\u needs four hexadecimal digits";
    *ret_length = 6;
    if (high < 0xD800 || high > 0xDFFF)
        return high;
    *ret_reason = "a surrogate without its partner";
    *ret_length = 12;
    int low = high < 0xDC00 ? escaped_unit(at + 6, end) : -1;
    if (low < 0xDC00 || low > 0xDFFF)
        return -1;
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

/* What the character behind a backslash stands for; 0: nothing, or \u. */
static const char escapes[256] = {
    ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t',
};

/* Behind the escape at `at`, or NULL with a reason. */
static const char *skip_escape(const char *at, const char *end, const char **ret_reason)
{
    if (end - at >= 2 && escapes[(unsigned char)at[1]])
        return at + 2;
    *ret_reason = "this escape does not exist";
    size_t length;
    if (end - at >= 2 && at[1] == 'u' && escaped_code(at, end, &length, ret_reason) >= 0)
        return at + length;
    return NULL;
}

/*
 * Over plain characters and the short escapes among them, to something else. Texts with an escape in every line are the rule
 * (markup in JSON), so all those of one block of 16 bytes are found with one look at it.
 */
static const char *skip_text(const char *at, const char *end, bool *ret_escaped)
{
    (void)ret_escaped; /* where there is no such look */
#ifdef LEX_SSE2
    while (end - at > 16) {
        unsigned mask = lex_special_bits(at), width = 16;
        while (mask) {
            unsigned i = (unsigned)__builtin_ctz(mask);
            if (at[i] != '\\' || !escapes[(unsigned char)at[i + 1]])
                return at + i;
            *ret_escaped = true;
            mask &= ~(3u << i);
            width = i == 15 ? 17 : 16;
        }
        at += width;
    }
#endif
    return lex_plain(at, end);
}

bool lex_string(struct lex *lex, bool *ret_escaped)
{
    const char *at = lex->at, *end = lex->end, *reason = NULL;
    *ret_escaped = false;
    for (;;) {
        at = skip_text(at, end, ret_escaped);
        if (at == end)
            return lex_fail(lex, at, E_INVALID, "a string is not closed");
        if (*at == '"')
            break;
        if (*at == '\\') {
            const char *behind = skip_escape(at, end, &reason);
            if (!behind)
                return lex_fail(lex, at, E_INVALID, reason);
            at = behind;
            *ret_escaped = true;
        } else if ((unsigned char)*at >= 0x80) {
            do {
                size_t length = utf8_sequence_length(at, end);
                if (length == 0)
                    return lex_fail(lex, at, E_INVALID, "the text is not UTF-8");
                at += length;
            } while (at < end && (unsigned char)*at >= 0x80);
        } else {
            return lex_fail(lex, at, E_INVALID, "a control character in a string must be escaped");
        }
    }
    lex->at = at + 1;
    return true;
}

/* Decodes the escape at *at, which was checked before, and moves behind it. */
static size_t decode_escape(const char **at, const char *end, char out[4])
{
    char simple = escapes[(unsigned char)(*at)[1]];
    if (simple) {
        out[0] = simple;
        *at += 2;
        return 1;
    }
    size_t length;
    const char *reason;
    int code = escaped_code(*at, end, &length, &reason);
    *at += length;
    return utf8_encode((uint32_t)code, out);
}

size_t lex_decode(struct str inside, char *out)
{
    const char *at = inside.ptr, *end = at + inside.len;
    char *to = out;
    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((escape ? escape : end) - at);
        memcpy(to, at, plain);
        to += plain;
        at += plain;
        while (at < end && *at == '\\')
            to += decode_escape(&at, end, to);
    }
    return (size_t)(to - out);
}

bool lex_inside_is(struct str inside, struct str text)
{
    const char *at = inside.ptr, *end = at + inside.len;
    size_t matched = 0;
    while (at < end) {
        char decoded[4];
        size_t length = 1;
        if (*at == '\\')
            length = decode_escape(&at, end, decoded);
        else
            decoded[0] = *at++;
        if (length > text.len - matched || memcmp(text.ptr + matched, decoded, length) != 0)
            return false;
        matched += length;
    }
    return matched == text.len;
}

/* A set of bits as people write it. */
#include "call/words.h"

static unsigned bit_of(const struct word_bit *table, size_t n, struct str word)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(table[i].word, word))
            return table[i].bit;
    return 0;
}

bool words_parse(const struct word_bit *table, size_t n, struct str text, unsigned *ret_bits, struct str *ret_unknown)
{
    unsigned bits = 0;
    struct str piece, word;
    for (struct str rest = text; str_next(&rest, ',', &piece);)
        for (struct str spaced = piece; str_next(&spaced, ' ', &word);) {
            word = str_trim(word);
            unsigned bit = bit_of(table, n, word);
            if (!bit && !str_is_empty(word)) {
                *ret_unknown = word;
                return false;
            }
            bits |= bit;
        }
    *ret_bits = bits;
    return true;
}

struct str words_format(const struct word_bit *table, size_t n, unsigned bits, char *out)
{
    size_t length = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(bits & table[i].bit))
            continue;
        if (length)
            out[length++] = ',';
        memcpy(out + length, table[i].word.ptr, table[i].word.len);
        length += table[i].word.len;
    }
    out[length] = '\0';
    return str_of(out, length);
}

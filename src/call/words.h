/* A set of bits as people write it: words with commas or spaces between. For rights, options of tokens and the like. */
#ifndef CALL_WORDS_H
#define CALL_WORDS_H

#include "base/str.h"

struct word_bit {
    unsigned bit;
    struct str word;
};

/* False: *ret_unknown is a word that is none of the table's; *ret_bits is then not set. Nothing at all is the empty set. */
MUST_CHECK bool words_parse(const struct word_bit *table, size_t n, struct str text, unsigned *ret_bits,
                            struct str *ret_unknown);

/* In the order of the table, with commas between. `out` must have room for all words, their commas and a NUL. */
struct str words_format(const struct word_bit *table, size_t n, unsigned bits, char *out);

#endif

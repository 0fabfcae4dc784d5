/* "Did you mean ...?": the known word nearest to a mistyped one. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include "base/str.h"

enum { NEAREST_WORD_MAX = 48 }; /* longer words are near to nothing */

/*
 * The best of several candidates, offered one by one:
 *     struct nearest nearest = nearest_to(word);
 *     for (...) nearest_offer(&nearest, candidate);
 *     if (nearest.found.len) ... "did you mean %.*s?"
 * Near is: at most a third of the word's length is inserted, deleted, replaced or swapped with its neighbour; '-' and '_' are
 * the same, and so are small and capital letters.
 */
struct nearest {
    struct str word;
    struct str found; /* empty: nothing near was offered */
    size_t distance;
};

struct nearest nearest_to(struct str word);
void nearest_offer(struct nearest *nearest, struct str candidate);

#endif

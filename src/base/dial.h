/* Telephone numbers as people write them. Nothing here waits. */
#ifndef BASE_DIAL_H
#define BASE_DIAL_H

#include "base/str.h"

/*
 * Is the character at `at` the zero of "+44 (0)20 7946 0958"? It is dialled at home only, so E.164 leaves it out; Italian numbers keep
 * theirs. `text` is trimmed, `digits` are those before it.
 */
bool dial_is_trunk_zero(struct str text, size_t at, struct str digits);

/* How many bytes of a character that only parts groups of digits stand there, as text copied from pages has them: no-break spaces
 * (U+00A0, U+202F, U+2009) and dashes (U+2010 to U+2013). 0: none. */
size_t dial_filler(struct str text, size_t at);

#endif

/* Numbers as JSON writes them (accepted by lex_number() before): exact as integers, nearest as double. */
#ifndef JSON_NUMBER_H
#define JSON_NUMBER_H

#include "base/buf.h"

/* True only when the value is integral and in range: 5, 5.0 and 50e-1 are all 5; 5.5 and 1e40 are none. */
MUST_CHECK bool number_to_i64(struct str raw, int64_t *ret);

/* False when the value is beyond what a double can hold: infinity never comes out. */
MUST_CHECK bool number_to_double(struct str raw, double *ret);

/* The same value by decimal digits, however written: 1.50 equals 15e-1, 9007199254740993 is not 9007199254740992. */
bool number_equal(struct str a, struct str b);

/* One text for one value: an integer in the range of int64_t as its digits, anything else as digits "e" exponent. */
void number_write_canonical(struct buf *buf, struct str raw);

#endif

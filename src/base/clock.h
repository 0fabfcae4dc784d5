/* Time: wall clock in UTC milliseconds for records, monotonic milliseconds for deadlines, and the one text form in use. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/str.h"

enum { CLOCK_TEXT_BYTES = 24 }; /* "YYYY-MM-DD HH:MM:SS.mmm" and its NUL */

int64_t clock_now_ms(void);       /* since 1970-01-01 UTC; may jump */
int64_t clock_monotonic_ms(void); /* never goes back; unrelated to the date */
int64_t clock_monotonic_ns(void);

/* UTC, fixed width: sorts as text, and both databases read it. */
void clock_format(int64_t unix_ms, char out[CLOCK_TEXT_BYTES]);

/*
 * Reads "YYYY-MM-DD HH:MM:SS" with 0 to 6 fraction digits, ' ' or 'T' between, an optional "Z" or "+00" at the end; a bare
 * date is midnight. UTC. False on anything else.
 */
MUST_CHECK bool clock_parse(struct str text, int64_t *ret_unix_ms);

#endif

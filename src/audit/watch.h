/*
 * A light look at what this process wrote last, so that somebody who changes the newest rows of the audit log is noticed within a
 * minute and not only by `porteiro audit verify`: before each checkpoint the rows of our own chain since the one before are read
 * again and their hashes compared. Nothing is read while nothing is written.
 */
#ifndef AUDIT_WATCH_H
#define AUDIT_WATCH_H

#include "call/call.h"

enum { WATCH_ROWS_MAX = 20 * 1000 }; /* of one look; more than that since the last one begins anew */

/*
 * `found` is called once for each chain that is broken, and when the chain's head was changed; the text is for the operator. NULL:
 * nobody listens, and nothing is read.
 */
void watch_init(void (*found)(struct str text));
bool watch_is_on(void);

/* In the transaction that adds the first row behind `seq`, whose hash is `hash`: from here on rows are looked at. */
MUST_CHECK int watch_begin(struct call *call, struct str writer, int64_t seq, struct str hash);

/* It need not be told again of this writer. */
bool watch_has_begun(struct str writer);

/* Looks at the rows up to `seq`. Waits. */
MUST_CHECK int watch_look(struct call *call, struct str writer, int64_t seq);

/* The head of the chain is not ours. */
void watch_head_changed(struct str writer);

#endif

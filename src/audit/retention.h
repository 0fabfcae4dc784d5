/*
 * Old audit rows go: in the order of their ids, in batches, each in a transaction that also moves the signed tombstones of the
 * chains it takes from ("up to number 1200, whose hash was ..., removed by us"), so that what is left still verifies. A batch
 * is checked before it goes: rows that were changed stay, for audit_verify() to show.
 *
 * A process looks at most once an hour, and only when it writes.
 */
#ifndef AUDIT_RETENTION_H
#define AUDIT_RETENTION_H

#include "call/call.h"

enum {
    RETENTION_BATCH = 500,
    RETENTION_ROUNDS = 40, /* batches of one look of a server */
    RETENTION_EVERY_MS = 60 * 60 * 1000,
};

/* 0: keep everything. */
void retention_set_days(int64_t days);

/* What else is kept for a time, and is not the audit log's: `forget` runs when it looks, and says itself what went wrong. */
void retention_also(void (*forget)(struct call *call));

/* Removes what was written before then; an event "audit.prune" says how much. E_CRYPTO: a row was changed. Waits long. */
MUST_CHECK int retention_prune(struct call *call, int64_t before_ms, int64_t rounds_max, int64_t *ret_removed);

/* By the audit log itself. now_ms: on the monotonic clock. */
MUST_CHECK int retention_when_due(struct call *call, int64_t now_ms);

#endif

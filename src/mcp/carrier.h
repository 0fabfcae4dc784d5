/*
 * Takes the bus's events (mcp/bus.h) out of this process and brings those of others in:
 *
 *     to the other workers of this machine   by way of the supervisor (net/worker.h)
 *     to other nodes on the same database    by NOTIFY (store/notices.h), where it has that; in pieces what is too large for one
 *
 * An event travels as text: "TOPIC CONNECTION NUMBER KEY-BYTES\n" KEY PAYLOAD. What a node tells of changed rights (accounts/
 * generation.h) comes in here, too, and becomes an event after this host's counter was moved, so that no cache is believed.
 */
#ifndef MCP_CARRIER_H
#define MCP_CARRIER_H

#include "base/buf.h"
#include "call/call.h"
#include "mcp/bus.h"

enum {
    CARRIER_NOTICES_MAX = 256, /* under way at once; further ones are dropped, and logged */
    CARRIER_AWAIT_MS = 2000,
};

/* Once, behind notices_init(). */
void carrier_start(void);
void carrier_end(void);

/* What another worker told; `file`: -1, or where the text is, and ours to close. */
void carrier_told(struct str bytes, int file);

/*
 * For whoever has just begun to listen and is about to tell somebody so: waits until other nodes are really heard, which takes
 * the process's first listener the time of connecting to the database. OK also when that takes longer. Waits.
 */
MUST_CHECK int carrier_await(struct call *call);

/*
 * For tests: the notice that carries the text from `offset` on, and where the next begins; and back: true when `unfinished` is
 * the whole text.
 */
size_t carrier_cut(struct arena *arena, struct str text, size_t offset, struct str *ret_notice);
MUST_CHECK bool carrier_join(struct str notice, struct buf *unfinished);

/* For tests: an event as text (on the heap of `out`), and back. */
void carrier_write(const struct bus_event *event, struct buf *out);
MUST_CHECK bool carrier_read(struct str text, struct bus_event *ret);

#endif

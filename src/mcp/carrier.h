/*
 * Takes the bus's events (mcp/bus.h) out of this process and brings those of others in:
 *
 *     to the other workers of this machine   by way of the supervisor (net/worker.h)
 *     to other nodes on the same database    by NOTIFY (store/notices.h), where it has that; what is too large for it stays here
 *
 * An event travels as text: "TOPIC CONNECTION NUMBER KEY-BYTES\n" KEY PAYLOAD. What a node tells of changed rights (accounts/
 * generation.h) comes in here, too, and becomes an event after this host's counter was moved, so that no cache is believed.
 */
#ifndef MCP_CARRIER_H
#define MCP_CARRIER_H

#include "base/buf.h"
#include "mcp/bus.h"

enum { CARRIER_NOTICES_MAX = 256 /* under way at once; further ones are dropped, and logged */ };

/* Once, behind notices_init(). */
void carrier_start(void);
void carrier_end(void);

/* What another worker told; `file`: -1, or where the text is, and ours to close. */
void carrier_told(struct str bytes, int file);

/* For tests: an event as text (on the heap of `out`), and back. */
void carrier_write(const struct bus_event *event, struct buf *out);
MUST_CHECK bool carrier_read(struct str text, struct bus_event *ret);

#endif

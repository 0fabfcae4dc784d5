/*
 * Tells the dashboards that people have open what changed: every event of the audit log, and what a webhook brought,
 * makes a hint on the bus (BUS_ACCOUNT), for its person, with the kinds of things to look at again. What happens in
 * quick succession is one hint, so that a busy token costs no more than a few a second. Hints reach other workers and
 * nodes like every event of the bus.
 */
#ifndef MCP_FEED_H
#define MCP_FEED_H

#include "base/str.h"

enum {
    FEED_GATHER_MS = 400,
    FEED_PEOPLE_MAX = 256, /* gathered at once; one more, and all are told now */
};

/* Bits of what a hint is about. */
enum feed_kind {
    FEED_AUDIT = 1 << 0,    /* tool calls and the like: something new in the log */
    FEED_APPROVAL = 1 << 1, /* somebody has to agree, or has agreed */
    FEED_CONNECTION = 1 << 2,
    FEED_TOKEN = 1 << 3,
    FEED_ACCOUNT = 1 << 4, /* logins, the person themselves, everything else */
    FEED_KINDS = 5,
};
const char *feed_kind_name(unsigned kind); /* of one bit: "audit" */
/* Of the key of a BUS_ACCOUNT event. */
unsigned feed_kinds_parse(struct str key);

/* What is not audited, such as a message that came: the bits of what changed, for its person. */
void feed_changed(int64_t user_id, unsigned kinds);

/* Once, behind loop_init(). */
void feed_start(void);
void feed_end(void);

#endif

/*
 * Short messages between processes on one PostgreSQL, on this machine or others: LISTEN and NOTIFY. On SQLite, and on engines or
 * poolers without them, nothing is sent and nothing arrives; whoever uses this must be right without it, only later.
 *
 * Idle is silent: nothing polls. The listening connection is made when somebody first wants to hear, and when it is lost after
 * the database has been left alone for long (hosters put such databases to sleep), it is made anew only when the database is
 * used again.
 */
#ifndef STORE_NOTICES_H
#define STORE_NOTICES_H

#include "store/db.h"

enum {
    NOTICE_MAX_BYTES = 7800, /* PostgreSQL takes less than 8,000 */
    NOTICES_ASLEEP_MS = 4 * 60 * 1000,
    NOTICES_RETRY_MS = 1000,
    NOTICES_RETRY_MAX_MS = 60 * 1000,
    NOTICES_ORIGIN_BYTES = 33,
};

/*
 * Once, behind store_init(). direct_url: where LISTEN works when `url` leads to a pooler; else the same. origin: what tells our
 * own group of processes from others; empty: a random one is made. All are copied.
 */
void notices_init(struct db *db, struct str direct_url, struct str origin);
void notices_done(void);

/*
 * Tells all other processes on this database that listen, except those of our origin. In an open transaction: when it commits.
 * Cannot fail the caller, who has no error recorded: what is lost is logged. May wait.
 */
void notices_send(struct call *call, struct str text);

/*
 * From now on heard(text) is called on the loop's stack for each notice, and with empty text when some may have been missed.
 * A second call changes nothing.
 */
void notices_listen(void (*heard)(struct str text));
/* Is the first connection for listening still being made? */
bool notices_are_starting(void);
/* Is somebody listening, right now? For tests and for what people are shown. */
bool notices_are_heard(void);

#endif

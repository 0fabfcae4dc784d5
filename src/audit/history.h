/*
 * What was changed at connected services, kept for wp_history and for taking it back: before and after of each change are sealed
 * under its owner's data key, bound to the connection and the row. A row is committed before the request goes out; no row, no
 * change. Whose it is stands in every query.
 *
 * Kept for a number of days, and of each connection a number of changes and of bytes; what is older goes when somebody writes,
 * never by a timer.
 */
#ifndef AUDIT_HISTORY_H
#define AUDIT_HISTORY_H

#include "call/call.h"
#include "providers/history.h"

enum {
    HISTORY_DAYS = 30,                     /* how long a change is kept */
    HISTORY_CHANGES_MAX = 5000,            /* of one connection */
    HISTORY_BYTES_MAX = 256 * 1024 * 1024, /* of one connection, sealed */
    HISTORY_PRUNE_MS = 60 * 60 * 1000,     /* between two looks for what is too old */
    HISTORY_PRUNE_ROWS = 500,              /* removed by one statement */
    HISTORY_PRUNE_ROUNDS = 20,
    HISTORY_COUNT_EVERY = 16, /* changes of a connection between two looks at its number and size */
};

struct history_limits {
    int64_t days, changes_max, bytes_max;
};
/* Before the first call; otherwise the figures above hold. */
void history_set_limits(const struct history_limits *limits);

struct history_owner {
    int64_t user_id, connection_id, token_id;
    struct str wrapped_key; /* the user's data key */
    struct str tool;
};

/* Sets number and id. The call's id is kept with it, as in the audit rows of the call. Waits. */
MUST_CHECK int history_begin(struct call *call, const struct history_owner *owner, struct site_change *change);

/*
 * How it ended: `change` is what history_begin() had, with item_id, note, after as they are known now. CHANGE_FAILED forgets it.
 * Waits.
 */
MUST_CHECK int history_end(struct call *call, const struct history_owner *owner, struct site_change *change,
                           enum change_state state);

/*
 * The same with a transaction of somebody else: sealed before it, posted in it (db_post(); one that is not kept any more makes it fail),
 * and when it has ended, one way or the other, history_end_posted() gives the memory back. Only the first waits.
 */
struct history_ending;
MUST_CHECK int history_seal_end(struct call *call, const struct history_owner *owner, struct site_change *change,
                                enum change_state state, struct history_ending **ret);
MUST_CHECK int history_post_end(struct call *call, const struct history_ending *ending);
void history_end_posted(struct history_ending *ending);

/* E_NOT_FOUND: none of that number in this connection (any more). E_CRYPTO: it cannot be opened. Waits. */
MUST_CHECK int history_get(struct call *call, const struct history_owner *owner, int64_t number,
                           struct site_change *ret);

/* One that cannot be opened is listed as such. Waits. */
MUST_CHECK int history_list(struct call *call, const struct history_owner *owner, const struct change_query *query,
                            struct change_list *ret);

/* Removes what is too old now, of everybody; for tests and for history_begin(). Waits. */
MUST_CHECK int history_prune(struct call *call);

#endif

/*
 * Who did what: every account, connection, token and tool event is a row of mcp_audit_logs, in its final form at once.
 *
 * `data` holds the event's own members and one more, "chain":
 *     {"email":"ana@x.example","chain":{"v":1,"writer":"host/main","seq":12,"prev":"<hash of 11>","hash":"...",
 *      "user":7,"connection":null,"token":null,"action":"auth.login","at":1763897007693}}
 * hash = SHA-256 over the canonical bytes of data without "hash" (sorted members, see json_canonical()): they repeat user,
 * connection, action and time, so that the columns, two of which deletion empties, are only checked against them. There is one
 * chain per writer. Its head (mcp_audit_heads) moves in the same transaction and carries a MAC under a key of the server, so
 * that somebody who can write rows, but has no key, can neither change, remove or reorder rows nor cut the end off unseen.
 */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include "json/json_write.h"
#include "store/audit.h"

enum {
    AUDIT_ACTION_BYTES_MAX = 60,
    AUDIT_DATA_BYTES_MAX = 8 * 1024, /* larger data is replaced by its size */
    AUDIT_BATCH_ROWS = 256,          /* that begin a batch at once, and the most of one ... */
    AUDIT_BATCH_ROWS_MAX =
        1024, /* ... but when the disk is slow, and more of them wait: few large commits instead of many */
    AUDIT_BATCH_BYTES_MAX = 1024 * 1024, /* of their data, then */
    AUDIT_BATCH_MS = 1000,
    AUDIT_QUEUE_ROWS_MAX = 20 * 1000, /* beyond, while the database is down, events are counted and dropped */
    AUDIT_RETRY_MS = 5 * 1000,
    AUDIT_DEPTH_MAX = 16,
};

/* Members named "chain" are left out; numbers that are no 64-bit integers become strings; what is no object is dropped. */
struct audit_event {
    int64_t user_id, connection_id, token_id; /* 0: none */
    struct str action;                        /* "connections.create", "tool.wp_edit.intent" */
    struct str data_json;                     /* an object without secrets, or empty */
};

/* Writes the members every event of a request has: "call" (its id, as in our log) and "client" (whence it came, if known). */
void audit_write_origin(struct json_writer *w, const struct call *call);

/*
 * Committed when it returns; in an open transaction of the call: with it. No record, no action: whoever gets an error here
 * must not go on. Record right before the commit: the chain's head is locked until then.
 */
MUST_CHECK int audit_record(struct call *call, const struct audit_event *event);

/*
 * The same with what `post` adds to the transaction (db_post()). It may be called a second time, in a second transaction after the
 * first was rolled back. Whatever of it fails, nothing of it is done.
 */
MUST_CHECK int audit_record_with(struct call *call, const struct audit_event *event,
                                 int (*post)(struct call *call, void *context), void *context);

/* For what only reads: copied, and written within a second or with 255 others. Does not wait, cannot fail the caller. */
void audit_later(const struct audit_event *event);

/* Writes what is queued, and a checkpoint; at shutdown, and at the end of a command. Waits for what the timers began. */
int audit_flush(struct call *call);
/* Something of it is still under way: audit_flush() failed. The database must not be closed then. */
bool audit_is_busy(void);

/* One who is told of each event as it is written (mcp/feed.h); it must not wait. NULL: nobody. */
void audit_set_observer(void (*observer)(const struct audit_event *event));

/* Newest first. */
MUST_CHECK int audit_list(struct call *call, const struct audit_query *query, struct audit_rows *ret);

/* An event as people read it: the row's data without the chain. */
struct audit_shown {
    int64_t id, at_ms, user_id, connection_id, token_id; /* as the chain has them: also of what is gone */
    struct str action;
    struct str data_json; /* without "chain" */
    bool is_chained;      /* false: written by the earlier system */
};
struct audit_shown audit_show(struct call *call, const struct audit_row *row);

struct audit_verdict {
    int64_t rows, chained, chains;
    int64_t checkpoints; /* that were compared */
    int64_t foreign;     /* lines of the file that another server signed */
    int64_t removed;     /* rows that retention took, as the tombstones say */
    bool ok;
    int64_t broken_id;  /* the first broken row, or 0 when what is missing is at the end of a chain */
    int64_t last_id;    /* then the last row of that chain; 0: there is none */
    struct str problem; /* what is wrong there */
};
/*
 * Recomputes every chain and compares the checkpoints: of the database, and of the file `checkpoints` (NULL: none). OK whenever it
 * came to a verdict. Waits long: the rows pass through in batches.
 */
MUST_CHECK int audit_verify(struct call *call, const char *checkpoints, struct audit_verdict *ret);

/* By accounts_open(). writer: see struct accounts_options. */
MUST_CHECK int audit_init(struct call *call, struct str writer);
void audit_done(void);

#endif

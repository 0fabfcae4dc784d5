/* The rows of mcp_audit_checkpoints and mcp_audit_tombstones: signed statements about a place in a chain (audit/checkpoint.h). */
#ifndef STORE_AUDIT_MARKS_H
#define STORE_AUDIT_MARKS_H

#include "store/store.h"

struct audit_mark {
    struct str writer;
    int64_t seq;
    struct str hash; /* of the row with that number */
    int64_t at_ms;
    struct str signature;
};
struct audit_marks {
    size_t count;
    struct audit_mark *items;
};

MUST_CHECK int store_checkpoint_add(struct call *call, const struct audit_mark *mark);
/* By writer and number, behind (after_writer, after_seq). */
MUST_CHECK int store_checkpoints_after(struct call *call, struct str after_writer, int64_t after_seq, int64_t limit,
                                       struct audit_marks *ret);

MUST_CHECK int store_tombstones(struct call *call, struct audit_marks *ret);
/* In the transaction that removes the rows. A tombstone never moves back. */
MUST_CHECK int store_tombstone_set(struct call *call, const struct audit_mark *mark);

/* In a transaction: one prunes at a time, until its end. */
MUST_CHECK int store_prune_lock(struct call *call);
/* Removes the rows up to this id, with their index, and a writer's checkpoints up to a number. */
MUST_CHECK int store_prune_rows(struct call *call, int64_t last_id);
MUST_CHECK int store_prune_checkpoints(struct call *call, struct str writer, int64_t seq);

#endif

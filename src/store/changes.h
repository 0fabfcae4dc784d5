/* The rows of mcp_changes. Whose they are stands in every query: user and connection. */
#ifndef STORE_CHANGES_H
#define STORE_CHANGES_H

#include "store/store.h"

struct change_row {
    struct str id; /* random; the seals are bound to it */
    int64_t user_id, connection_id, token_id;
    int64_t number;
    struct str call_id; /* "call" of the audit rows that go with it */
    struct str tool, kind, item_type;
    int64_t item_id, undo_of, part_of;                   /* 0: none */
    struct str state;                                    /* "begun", "done", "unknown" */
    struct str note_sealed, before_sealed, after_sealed; /* ptr NULL: none */
    int64_t created_at_ms, ended_at_ms;                  /* ended 0: not */
    int64_t size_bytes;                                  /* of what is sealed */
    /* only read */
    int64_t undone_by; /* the newest change that is done and took this one back; 0: none */
    struct str token_name;
};
struct change_rows {
    struct change_row *items;
    size_t count;
};

/* The next number of the connection. E_CONFLICT: somebody else took it at this moment; again is fine. */
MUST_CHECK int store_changes_insert(struct call *call, const struct change_row *row, int64_t *ret_number);

/* state, item_id, note, after, ended_at; size_bytes is that of note and after; *ret_done: there was that row of that owner. */
MUST_CHECK int store_changes_end(struct call *call, const struct change_row *row, bool *ret_done);
MUST_CHECK int store_changes_delete(struct call *call, const struct change_row *row);
/* Either of them with an open transaction (db_post()): a row without a state goes; one that is not there any more is E_CONFLICT. */
MUST_CHECK int store_changes_post_end(struct call *call, const struct change_row *row);

/* One with everything. E_NOT_FOUND. */
MUST_CHECK int store_changes_get(struct call *call, int64_t user_id, int64_t connection_id, int64_t number,
                                 struct change_row *ret);

/* Newest first, without before and after. 0 for item_id, part_of, below: does not matter, except that without both item_id and
 * part_of those that are part of another are left out. Made at or after from_ms. */
struct change_filter {
    int64_t user_id, connection_id, item_id, part_of, below, from_ms, limit;
};
MUST_CHECK int store_changes_list(struct call *call, const struct change_filter *filter, struct change_rows *ret);

/* --- forgetting. The newest row of a connection stays (emptied), so that no number is ever given twice. */

/* Of all connections, at most `limit` rows made before that time; *ret_count tells how many went. */
MUST_CHECK int store_changes_delete_old(struct call *call, int64_t before_ms, int64_t limit, int64_t *ret_count);
MUST_CHECK int store_changes_empty_old(struct call *call, int64_t before_ms);

/* Numbers and sizes of one connection, newest first. */
MUST_CHECK int store_changes_sizes(struct call *call, int64_t connection_id, int64_t limit, struct change_rows *ret);
MUST_CHECK int store_changes_delete_up_to(struct call *call, int64_t connection_id, int64_t number);

#endif

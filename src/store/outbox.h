/* The rows of mcp_outbox: mails that wait to be sent, and for a while those that were. */
#ifndef STORE_OUTBOX_H
#define STORE_OUTBOX_H

#include "store/store.h"

struct outbox_row {
    struct str id;
    int64_t user_id;
    struct str kind, mail_sealed;
    int64_t attempts, next_at_ms, created_at_ms;
};

MUST_CHECK int store_outbox_insert(struct call *call, const struct outbox_row *row);

/*
 * The oldest that is due, now this process's until `until_ms`, with one attempt more. *ret_found false: none is due; then
 * ret->next_at_ms is when the next one will be, 0 when there is none.
 */
MUST_CHECK int store_outbox_claim(struct call *call, int64_t now_ms, int64_t until_ms, struct outbox_row *ret,
                                  bool *ret_found);
MUST_CHECK int store_outbox_sent(struct call *call, struct str id, int64_t now_ms);
/* next_at_ms 0: given up. */
MUST_CHECK int store_outbox_failed(struct call *call, struct str id, struct str problem, int64_t next_at_ms);
/* Those that were sent or given up before that time. */
MUST_CHECK int store_outbox_forget(struct call *call, int64_t before_ms);

#endif

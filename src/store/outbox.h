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

#endif

/* The rows of mcp_whatsapp_approvers and mcp_whatsapp_approvals: whose number says yes, and to what it was asked. */
#ifndef STORE_APPROVERS_H
#define STORE_APPROVERS_H

#include "store/store.h"

struct approver_row {
    int64_t user_id, connection_id;
    struct str phone;
    struct str code_hash; /* ptr NULL: none is out */
    int64_t code_until_ms;
    int64_t tries;
    int64_t verified_at_ms; /* 0: not yet */
};

/* Takes the place of the one there was, which counts no more. */
MUST_CHECK int store_approvers_set(struct call *call, const struct approver_row *row, int64_t now_ms);
/* *ret_found */
MUST_CHECK int store_approvers_get(struct call *call, int64_t user_id, struct approver_row *ret, bool *ret_found);
MUST_CHECK int store_approvers_by_phone(struct call *call, int64_t connection_id, struct str phone,
                                        struct approver_row *ret, bool *ret_found);
/* One try with a code; *ret_done: it was the right one, in time, within the tries. */
MUST_CHECK int store_approvers_verify(struct call *call, int64_t user_id, struct str code_hash, int64_t tries_max,
                                      int64_t now_ms, bool *ret_done);
MUST_CHECK int store_approvers_delete(struct call *call, int64_t user_id);

struct approval_row {
    struct str confirmation_id;
    int64_t user_id, connection_id;
    struct str phone, message_id, code_hash;
};
MUST_CHECK int store_approvals_insert(struct call *call, const struct approval_row *row, int64_t now_ms);
MUST_CHECK int store_approvals_set_message(struct call *call, struct str confirmation_id, struct str message_id);
/* Of that number at that connection: the one whose message was answered, or whose code was repeated. */
MUST_CHECK int store_approvals_find(struct call *call, int64_t connection_id, struct str phone, struct str message_id,
                                    struct str code_hash, struct approval_row *ret, bool *ret_found);
MUST_CHECK int store_approvals_delete(struct call *call, struct str confirmation_id);

#endif

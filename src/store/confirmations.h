/* The rows of mcp_confirmations: actions that wait for somebody's yes, and those that were agreed to. */
#ifndef STORE_CONFIRMATIONS_H
#define STORE_CONFIRMATIONS_H

#include "store/store.h"

struct confirmation_row {
    struct str id;
    int64_t user_id, connection_id, token_id;
    struct str kind; /* "code", "asked" or "human" */
    struct str tool;
    struct str digest; /* of the exact arguments */
    struct str what;   /* the sentence that says what would be done */
    struct str proof;  /* a MAC of what the client holds; ptr NULL: none */
    struct str state;  /* "pending", "approved", "refused", "used" */
    int64_t created_at_ms, expires_at_ms, decided_at_ms;
    struct str difference_sealed; /* before and after, for whoever decides; ptr NULL: not known */
};
struct confirmation_rows {
    size_t count;
    struct confirmation_row *items;
};

/* E_CONFLICT: that proof was used before. Forgets rows that ended before `forget_ms`. */
MUST_CHECK int store_confirmations_insert(struct call *call, const struct confirmation_row *row, int64_t forget_ms);

/* A pending code of these arguments becomes used; *ret_done: there was one. */
MUST_CHECK int store_confirmations_use_code(struct call *call, const struct confirmation_row *row, int64_t now_ms,
                                            bool *ret_done);
/* One approval of these arguments becomes used; *ret_done: there was one. */
MUST_CHECK int store_confirmations_use_approval(struct call *call, const struct confirmation_row *row, int64_t now_ms,
                                                bool *ret_done);
/* The newest of kind "human" for these arguments that has not ended; *ret_state is empty when there is none. */
MUST_CHECK int store_confirmations_state(struct call *call, const struct confirmation_row *row, int64_t now_ms,
                                         struct str *ret_state);
MUST_CHECK int store_confirmations_count_pending(struct call *call, int64_t token_id, int64_t now_ms, int64_t *ret);

/* Of kind "human" that have not ended, oldest first; of that user, or with user_id -1 of all. */
MUST_CHECK int store_confirmations_list(struct call *call, int64_t user_id, int64_t now_ms,
                                        struct confirmation_rows *ret);
/* A pending one; *ret is filled in. E_NOT_FOUND: there is none of that id (any more). */
MUST_CHECK int store_confirmations_decide(struct call *call, int64_t user_id, struct str id, struct str state,
                                          int64_t now_ms, struct confirmation_row *ret);

#endif

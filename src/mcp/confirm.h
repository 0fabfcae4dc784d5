/*
 * Confirmation of what has consequences: one mechanism for the tools of every provider (host_confirm()), by the token's setting.
 *
 *     none    nothing is asked, except for what cannot be taken back (host_confirm_for_good()): there it is as with model
 *     model   the client's person is asked, where the client can; else the model gets a preview and a one-use code, bound to
 *             the exact arguments, and has to call again with it: that guards against slips, not against a model that wants it
 *     human   a person approves outside the chat (porteiro approval). What the model gets to see would approve nothing. It holds
 *             for all that others see or miss: publishing, changes to what is public, the trash (host_agree()).
 *
 * An agreement is for one call with exactly these arguments and to exactly that sentence, once, and for a limited time: what the
 * arguments find (the items of a query) belongs into the sentence.
 */
#ifndef MCP_CONFIRM_H
#define MCP_CONFIRM_H

#include "store/confirmations.h"

enum {
    CONFIRM_CODE_CHARS = 8,
    CONFIRM_CODE_LIFE_MS = 10 * 60 * 1000,
    CONFIRM_HUMAN_LIFE_MS = 24 * 60 * 60 * 1000,
    CONFIRM_KEEP_MS = 7 * 24 * 60 * 60 * 1000, /* how long ended rows are kept */
    CONFIRM_PENDING_MAX = 100,                 /* of a token */
    CONFIRM_WHAT_MAX_BYTES = 40 * 1024,        /* what is longer is refused */
    CONFIRM_DIFFERENCE_MAX_BYTES = 64 * 1024,  /* what is longer is cut */
};

/*
 * What would be different, in lines with - and + and "field: before -> after", as it was when the question was asked; empty: not
 * known. Sealed under its owner's data key. E_CRYPTO. Waits.
 */
MUST_CHECK int confirm_difference(struct call *call, const struct confirmation_row *row, struct str *ret);

/* What waits for a person or was decided lately; user_id owns it, or USER_ANY. */
MUST_CHECK int confirm_list(struct call *call, int64_t user_id, struct confirmation_rows *ret);

/* Audited with it. E_NOT_FOUND. */
MUST_CHECK int confirm_decide(struct call *call, int64_t user_id, struct str id, bool approve,
                              struct confirmation_row *ret);

#endif

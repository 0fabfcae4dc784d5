/*
 * Approvals by message: what waits for an owner's yes is sent to the owner's own number through one of the owner's connections,
 * and a yes or no that comes back from there decides it, once.
 *
 * The number is the owner's when the owner has repeated a code that was sent there. An answer counts when it answers the very
 * message of the question, or repeats its code: a bare "yes" to something else decides nothing.
 */
#ifndef MCP_APPROVE_H
#define MCP_APPROVE_H

#include "providers/provider.h"
#include "store/approvers.h"
#include "store/confirmations.h"

enum {
    APPROVE_CODE_CHARS = 4,    /* of a question: names it among the few that wait */
    APPROVE_VERIFY_DIGITS = 6, /* of the number */
    APPROVE_VERIFY_LIFE_MS = 15 * 60 * 1000,
    APPROVE_VERIFY_TRIES = 5,
};

/* Sends the code to the number. E_INVALID, E_NOT_FOUND (the connection is not that user's, or cannot send). Waits. */
MUST_CHECK int approve_begin(struct call *call, int64_t user_id, int64_t connection_id, struct str phone);
/* E_DENIED: not that code, too late, or too many tries. Waits. */
MUST_CHECK int approve_verify(struct call *call, int64_t user_id, struct str code);
MUST_CHECK int approve_end(struct call *call, int64_t user_id);

/* Sends the question, if its owner has such a number. What cannot be sent waits in the dashboard all the same. Waits. */
void approve_ask(struct call *call, const struct confirmation_row *row);

/* A message that came: if it is an answer of an owner's, it decides. OK also when it is none. Waits. */
MUST_CHECK int approve_answer(struct call *call, int64_t connection_id, const struct message *message);

#endif

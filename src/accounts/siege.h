/*
 * Accounts that are being guessed at just now: once the tries of strangers are used up, further ones are refused out
 * of this memory, without asking the database whose the account is and where its owner is logged in. That is asked
 * again every two seconds. Memory of this process, of fixed size; what finds no room in it costs the questions, and
 * is refused all the same. Nothing here waits.
 */
#ifndef ACCOUNTS_SIEGE_H
#define ACCOUNTS_SIEGE_H

#include "call/call.h"

enum {
    SIEGE_MS = 2000,
    SIEGES = 64,
    SIEGE_ADDRESSES =
        50, /* at which the owner is logged in: SESSIONS_PER_USER_MAX; with more of them there is no siege */
};

/* Is that name besieged, and the address none of its owner's? Then the tries are those of strangers of that account. */
bool siege_holds(struct str who, struct str address, int64_t *ret_user_id);

/* Strangers of that account (0: nobody has the name) were refused. `addresses`: of its owner. */
void siege_begin(struct str who, int64_t user_id, const struct str *addresses, size_t count);

#endif

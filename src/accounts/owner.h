/* A person as the owner of things: their data key, and the lock under which their things change. May wait. */
#ifndef ACCOUNTS_OWNER_H
#define ACCOUNTS_OWNER_H

#include "call/call.h"

/*
 * In a transaction: the owner's data key (wrapped), made when there is none yet, and the lock on all their things until the
 * end of the transaction. E_NOT_FOUND: no such user.
 */
MUST_CHECK int owner_lock(struct call *call, int64_t user_id, struct str *ret_wrapped);

#endif

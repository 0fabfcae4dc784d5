/* A person as the owner of things: their data key, and the lock under which their things change. May wait. */
#ifndef ACCOUNTS_OWNER_H
#define ACCOUNTS_OWNER_H

#include "call/call.h"

/*
 * In a transaction: the owner's data key (wrapped), made when there is none yet, and the lock on all their things until the
 * end of the transaction. E_NOT_FOUND: no such user.
 */
MUST_CHECK int owner_lock(struct call *call, int64_t user_id, struct str *ret_wrapped);

/*
 * The same for who was let in by the password that has this hash; empty: by something else. E_UNAUTHENTICATED: the password was changed
 * since, and who changes it takes this lock, so it stays as it is now.
 */
MUST_CHECK int owner_lock_proved(struct call *call, int64_t user_id, struct str password_hash);

#endif

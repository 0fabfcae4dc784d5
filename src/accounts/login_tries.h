/*
 * Whose tries a login uses up (accounts/login.h says why). They are counted in the memory that the processes of a
 * host share (limits/tries.h): ten in a row and one more each minute of an account, thirty and ten more each minute
 * of an address.
 */
#ifndef ACCOUNTS_LOGIN_TRIES_H
#define ACCOUNTS_LOGIN_TRIES_H

#include "accounts/device.h"
#include "accounts/login.h"

struct login_tries {
    struct device device;
    bool is_taken;
    bool is_stranger; /* nobody logged in from there before */
};

/* Once at start: how many in a row, of an address and of an account. */
void login_tries_init(int64_t per_address, int64_t per_account);

/* Before it is known whose the account is: what can be refused without asking the database is refused here. E_LIMIT. */
MUST_CHECK int login_tries_begin(struct call *call, const struct login_proof *proof, struct login_tries *ret);

/* When it is; user_id 0: nobody's, which is counted like any other. E_LIMIT. May wait. */
MUST_CHECK int login_tries_take(struct call *call, const struct login_proof *proof, int64_t user_id,
                                struct login_tries *tries);

#endif

/*
 * The password check behind every login: at the command line, in a browser, before something grave.
 *
 * It takes the same time whether the person is known, the password right, or the hash an old one; a bcrypt or weak hash is
 * replaced on success. Each attempt is audited. May wait.
 *
 * Guessers use up tries, and never those of an account's owner. Who comes with the cookie of a browser in which this
 * person logged in before (or chose a new password by a mailed link) has tries of that browser; who comes from an
 * address at which they are logged in has tries of that address; all others share the tries of the account, and those
 * of their address. So a person whose account is being guessed at, and who is nowhere known, is let in by a new
 * password: its link opens the browser it is opened in.
 */
#ifndef ACCOUNTS_LOGIN_H
#define ACCOUNTS_LOGIN_H

#include "store/users.h"

enum { LOGIN_MS = 250 /* a multiple of it, whatever comes out */ };

struct login_proof {
    struct str who; /* an e-mail address, or a phone number in any form */
    struct str password;
    struct str code;    /* of the second factor, or one of the recovery codes; empty: not given */
    bool needs_no_code; /* it was given before: this proves the password only */
    struct str address; /* of the client, for the audit and the limits; empty: the operator's own machine */
    struct str device;  /* the browser's cookie of accounts/device.h; empty: none */
};

/*
 * E_UNAUTHENTICATED: wrong, whichever it was. E_WAITING: the password is right, and the person has a second factor whose code
 * was not given. E_LIMIT: too many tries, or too many checks
 * at once; the text says when to come again. `ret` may be NULL; it is set with OK and E_WAITING: whose password it is, with its hash,
 * by which owner_lock_proved() sees whether it still is.
 */
MUST_CHECK int login_check(struct call *call, const struct login_proof *proof, struct user_row *ret);

/* The code alone, of somebody whose password was checked before: the same errors, limits, time and audit. */
MUST_CHECK int login_check_code(struct call *call, int64_t user_id, struct str code, struct str address,
                                struct str device);

#endif

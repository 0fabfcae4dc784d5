/*
 * Who may make an account, and the links that are mailed or passed on by hand: invitations, the set-up address of the first
 * administrator, the confirmation of an e-mail address, a forgotten password. Each is good once. All of these may wait.
 */
#ifndef ACCOUNTS_REGISTRATION_H
#define ACCOUNTS_REGISTRATION_H

#include "accounts/users.h"
#include "store/proofs.h"

enum registration_mode { REGISTRATION_CLOSED, REGISTRATION_INVITATION, REGISTRATION_OPEN };

enum {
    INVITATION_LIFE_MS = 7 * 24 * 3600 * 1000,
    SETUP_LIFE_MS = 24 * 3600 * 1000,
    CONFIRM_LIFE_MS = 2 * 24 * 3600 * 1000,
    INVITATIONS_MAX = 1000,
};

/* Once at start. `url`: what links begin with; it lives as long as the process. */
void registration_init(enum registration_mode mode, struct str url);
enum registration_mode registration_mode(void);

/*
 * invitation: the token of an invitation or of the set-up address (then the account is an administrator's); ptr NULL: none.
 * E_DENIED: not like this; E_LIMIT: too many from that address; and users_add()'s. A mail to confirm the address is queued where mail is set up.
 */
MUST_CHECK int registration_add(struct call *call, const struct user_new *user, struct str invitation,
                                struct str address, int64_t *ret_id);

/* What an invitation or set-up address would do, without using it up: *ret_email may be empty. E_DENIED: it is none (any more). */
MUST_CHECK int registration_look(struct call *call, struct str invitation, bool *ret_is_setup, struct str *ret_email);

/* email may be empty: whoever has the link. by_user_id 0: the operator, who passes it on. *ret_link is shown once. */
MUST_CHECK int registration_invite(struct call *call, int64_t by_user_id, struct str email, struct str *ret_id,
                                   struct str *ret_link);
MUST_CHECK int registration_invitations(struct call *call, struct proof_rows *ret);
MUST_CHECK int registration_uninvite(struct call *call, int64_t by_user_id, struct str id);

/* A new set-up address for the first administrator; the one before ends. E_CONFLICT: there is an administrator. */
MUST_CHECK int registration_setup_link(struct call *call, struct str *ret_link);

/*
 * A new address, or the same one again, whose confirmation is then asked for anew. users_change()'s errors; E_LIMIT: too often for
 * this person or this address.
 */
MUST_CHECK int registration_change_email(struct call *call, int64_t user_id, struct str email);
MUST_CHECK int registration_confirm_email(struct call *call, struct str token);

/* Mails a link for a new password, if somebody has that e-mail or phone and mail is set up; OK also if not. E_LIMIT. */
MUST_CHECK int registration_mail_reset(struct call *call, struct str email_or_phone, struct str address);
/* The link itself, for the operator. E_NOT_FOUND. */
MUST_CHECK int registration_reset_link(struct call *call, struct str email_or_phone, struct str *ret_link);

/*
 * What nobody used in its time goes, of every kind: an "authorized" one holds a password. Not within a transaction, for others may
 * hold some of these rows and want what it holds.
 */
void registration_forget_expired(struct call *call);

#endif

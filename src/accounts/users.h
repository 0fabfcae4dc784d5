/* People with an account. Every change is audited in its own transaction. All of these may wait. */
#ifndef ACCOUNTS_USERS_H
#define ACCOUNTS_USERS_H

#include "store/profiles.h"
#include "store/users.h"

enum { RESET_LIFE_MS = 30 * 60 * 1000 };

struct user_new {
    struct str name;
    struct str email; /* kept in lower case */
    struct str phone; /* in any form with a country code; kept as E.164 digits */
    struct str password;
    struct str language; /* "en" or "pt-BR"; empty: not chosen */
    bool is_admin;
};

/* E_INVALID (with what is wrong), E_CONFLICT (e-mail or phone are registered). */
MUST_CHECK int users_add(struct call *call, const struct user_new *user, int64_t *ret_id);

/* The same in two steps, for a transaction in which hashing would take too long: the rules and the hash, then the row. */
MUST_CHECK int users_prepare(struct call *call, const struct user_new *user, struct user_row *ret);
MUST_CHECK int users_insert(struct call *call, const struct user_new *user, struct user_row *prepared);

/* By e-mail: exactly, else in lower case if only one fits. E_NOT_FOUND. */
MUST_CHECK int users_find(struct call *call, struct str email, struct user_row *ret);
/* The same, or by a phone number that only one person has. What has no '@' and no digits is nobody's. */
MUST_CHECK int users_find_who(struct call *call, struct str email_or_phone, struct user_row *ret);
MUST_CHECK int users_list(struct call *call, struct user_rows *ret);

/* ptr NULL: stays as it is. A new e-mail is not confirmed. E_INVALID, E_CONFLICT. */
struct user_change {
    struct str name, email, phone, language;
};
MUST_CHECK int users_change(struct call *call, int64_t id, const struct user_change *change);

/* Ends all logins but `keep_session_id` (empty: all); API tokens stay. */
MUST_CHECK int users_set_password(struct call *call, int64_t id, struct str password, struct str keep_session_id);

/* The same by the person, who proved the password of `proved`. E_UNAUTHENTICATED: it was changed since. */
MUST_CHECK int users_change_password(struct call *call, const struct user_row *proved, struct str password,
                                     struct str keep_session_id);

/*
 * A reset that somebody asked for: *ret_token goes into a mail, never to who asked. E_NOT_FOUND: nobody has that e-mail or
 * phone, which must not be told either. It voids an earlier one.
 */
MUST_CHECK int users_begin_reset(struct call *call, struct str email_or_phone, struct user_row *ret,
                                 struct str *ret_token);
/*
 * E_DENIED: used, too old, or none. All logins and API tokens end; the second factor stays. A link that went by mail
 * (PROOF_RESET) confirms the address it went to.
 */
MUST_CHECK int users_reset_password(struct call *call, struct str token, struct str password, int64_t *ret_id);

MUST_CHECK int users_set_admin(struct call *call, int64_t id, bool is_admin);
/*
 * Stop everything: from now on none of this person's tokens is good for anything, until they are let go on. What an administrator
 * stopped, the person does not let go on: E_DENIED.
 */
MUST_CHECK int users_set_stopped(struct call *call, int64_t id, bool is_stopped, bool by_admin);
MUST_CHECK int users_confirm_email(struct call *call, int64_t id, struct str email);

/* Takes connections and tokens along; the audit stays. E_CONFLICT: the only administrator. */
MUST_CHECK int users_delete(struct call *call, int64_t id);

#endif

/* People with an account. Every change is audited in its own transaction. All of these may wait. */
#ifndef ACCOUNTS_USERS_H
#define ACCOUNTS_USERS_H

#include "store/users.h"

struct user_new {
    struct str name;
    struct str email; /* kept in lower case */
    struct str phone; /* in any form with a country code; kept as E.164 digits */
    struct str password;
};

/* E_INVALID (with what is wrong), E_CONFLICT (e-mail or phone are registered). */
MUST_CHECK int users_add(struct call *call, const struct user_new *user, int64_t *ret_id);

/* By e-mail: exactly, else in lower case if only one fits. E_NOT_FOUND. */
MUST_CHECK int users_find(struct call *call, struct str email, struct user_row *ret);
MUST_CHECK int users_list(struct call *call, struct user_rows *ret);

MUST_CHECK int users_set_password(struct call *call, int64_t id, struct str password);

/* Takes connections and tokens along; the audit stays. */
MUST_CHECK int users_delete(struct call *call, int64_t id);

/*
 * The password check behind every login. A bcrypt or weaker hash is replaced on success. A refusal takes the same time for
 * people nobody knows. E_UNAUTHENTICATED; E_LIMIT (too many checks at once: try again). ret_id may be NULL.
 */
MUST_CHECK int users_check(struct call *call, struct str email, struct str password, int64_t *ret_id);

/* The forms in which they are kept; E_INVALID with what is wrong. */
MUST_CHECK int users_clean_email(struct call *call, struct str text, struct str *ret_email);
MUST_CHECK int users_clean_phone(struct call *call, struct str text, struct str *ret_phone);

#endif

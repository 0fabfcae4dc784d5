/* The rows of mcp_users. */
#ifndef STORE_USERS_H
#define STORE_USERS_H

#include "store/store.h"

struct user_row {
    int64_t id;
    struct str name, email, phone, password_hash;
    int64_t created_at_ms, updated_at_ms;
};
struct user_rows {
    size_t count;
    struct user_row *items;
};

/* By id, oldest first. password_hash stays empty. */
MUST_CHECK int store_users_list(struct call *call, struct user_rows *ret);

MUST_CHECK int store_users_by_email(struct call *call, struct str email,
                                    struct user_row *ret); /* exactly; E_NOT_FOUND */
/* All whose e-mail is this one when both are in lower case, at most two of them. */
MUST_CHECK int store_users_by_lower_email(struct call *call, struct str email, struct user_rows *ret);
MUST_CHECK int store_users_by_id(struct call *call, int64_t id, struct user_row *ret); /* E_NOT_FOUND */
/* All with that phone, at most two of them. */
MUST_CHECK int store_users_by_phone(struct call *call, struct str phone, struct user_rows *ret);
/* Whose password reset has that hash and has not expired. E_NOT_FOUND. */
MUST_CHECK int store_users_by_reset(struct call *call, struct str reset_hash, int64_t now_ms, struct user_row *ret);

/* id and times of `user` are not read. E_CONFLICT: the e-mail is there. */
MUST_CHECK int store_users_insert(struct call *call, const struct user_row *user, int64_t *ret_id);

/* Also forgets an open password reset. With `only_if_hash` the row must still have that hash. E_NOT_FOUND. */
MUST_CHECK int store_users_set_password(struct call *call, int64_t id, struct str password_hash,
                                        const struct str *only_if_hash);
/* Takes the reset away, so that it is good once. E_NOT_FOUND. */
MUST_CHECK int store_users_use_reset(struct call *call, int64_t id, struct str reset_hash);
/* Name, e-mail and phone of the row with that id. E_NOT_FOUND, E_CONFLICT (e-mail). */
MUST_CHECK int store_users_update(struct call *call, const struct user_row *user);
/* An earlier reset ends. E_NOT_FOUND. */
MUST_CHECK int store_users_set_reset(struct call *call, int64_t id, struct str reset_hash, int64_t expires_at_ms);
MUST_CHECK int store_users_delete(struct call *call, int64_t id); /* E_NOT_FOUND */

#endif

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
MUST_CHECK int store_users_phone_exists(struct call *call, struct str phone, bool *ret);

/* id and times of `user` are not read. E_CONFLICT: the e-mail is there. */
MUST_CHECK int store_users_insert(struct call *call, const struct user_row *user, int64_t *ret_id);

/* Also forgets an open password reset. With `only_if_hash` the row must still have that hash. E_NOT_FOUND. */
MUST_CHECK int store_users_set_password(struct call *call, int64_t id, struct str password_hash,
                                        const struct str *only_if_hash);
MUST_CHECK int store_users_delete(struct call *call, int64_t id); /* E_NOT_FOUND */

#endif

/* The rows of mcp_user_profiles: what the given mcp_users has no column for. A user without a row has the zero profile. */
#ifndef STORE_PROFILES_H
#define STORE_PROFILES_H

#include "store/users.h"

struct profile_row {
    bool is_admin;
    struct str language; /* "en" or "pt-BR"; empty: never chosen, so the browser's, and English in mails */
    int64_t email_confirmed_at_ms;
    int64_t stopped_at_ms;  /* not 0: none of this person's tokens is good for anything until it is 0 again */
    bool stopped_by_admin;  /* only an administrator makes it 0 again */
    struct str totp_sealed; /* the second factor's key; empty: none was ever begun */
    int64_t totp_since_ms;  /* 0: not (yet) asked for at login */
    int64_t totp_step;      /* the last time step whose code was used */
};

MUST_CHECK int store_profiles_get(struct call *call, int64_t user_id, struct profile_row *ret);
/* Everybody with an account, by id. password_hash and totp_sealed stay empty. */
struct people_rows {
    size_t count;
    struct people_row {
        struct user_row user;
        struct profile_row profile;
    } * items;
};
MUST_CHECK int store_profiles_people(struct call *call, struct people_rows *ret);
/* Makes the row or replaces it. E_NOT_FOUND: no such user. Inside a transaction with the lock of that user. */
MUST_CHECK int store_profiles_put(struct call *call, int64_t user_id, const struct profile_row *row);
/* How many administrators there are. */
MUST_CHECK int store_profiles_count_admins(struct call *call, int64_t *ret);
/* A code of that step may be used only when no later or equal one was; *ret_done: it was free. */
MUST_CHECK int store_profiles_use_totp_step(struct call *call, int64_t user_id, int64_t step, bool *ret_done);

#endif

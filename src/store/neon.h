/*
 * The people of Neon Auth, where the database has it: neon_auth."user" (Better Auth), else neon_auth.users_sync (Stack Auth). Only
 * read, and only these columns: neither its sessions nor its keys. Without that schema nothing is found.
 */
#ifndef STORE_NEON_H
#define STORE_NEON_H

#include "store/store.h"

struct neon_row {
    bool has_schema, found;
    struct str email;
    bool says_verified, is_verified; /* what the row says about the e-mail address, if it does */
    bool is_banned;
};
MUST_CHECK int store_neon_user(struct call *call, struct str subject, struct neon_row *ret);

#endif

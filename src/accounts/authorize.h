/*
 * Connecting by a click at the service instead of a typed password:
 *
 *     authorize_begin()    looks at the service and says to which of its pages the person's browser goes
 *     authorize_return()   the browser is back, with a password in its query: sealed at once, so that the address can be left
 *     authorize_finish()   proves it and makes the connection
 *
 * What carries a person from one step to the next is good once, for ten minutes, and for that person only. All may wait.
 */
#ifndef ACCOUNTS_AUTHORIZE_H
#define ACCOUNTS_AUTHORIZE_H

#include "accounts/connections.h"

enum { AUTHORIZE_LIFE_MS = 10 * 60 * 1000 };

/*
 * new->secret_json is not read. `return_url`: where the browser shall come back, to which ?state=... is added. E_UPSTREAM: the
 * service cannot be connected so; *ret_check and the text say why. E_INVALID: its provider knows no such page.
 */
MUST_CHECK int authorize_begin(struct call *call, const struct connection_new *new, struct str return_url,
                               struct site_check *ret_check, struct str *ret_url);

/* `query`: of the address the browser came to. E_DENIED: the owner said no, or the state is not this person's (any more). */
MUST_CHECK int authorize_return(struct call *call, int64_t user_id, struct str query, struct str *ret_token);

/* What authorize_finish() would make, for its owner to agree to: without the password, and the token stays good. Waits. */
struct authorize_shown {
    struct str provider_name, name;
    struct str address; /* as the service gave it; may be empty */
};
MUST_CHECK int authorize_look(struct call *call, int64_t user_id, struct str token, struct authorize_shown *ret);

/* As connect_add(). */
MUST_CHECK int authorize_finish(struct call *call, int64_t user_id, struct str token, struct site_check *ret_check,
                                struct token_made *ret_made);

#endif

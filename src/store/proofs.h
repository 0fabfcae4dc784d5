/* The rows of mcp_proofs: what is good once and was sent or shown to somebody. Only hashes are kept. */
#ifndef STORE_PROOFS_H
#define STORE_PROOFS_H

#include "store/store.h"

#define PROOF_EMAIL "email"           /* confirms `value`, an e-mail address, for its user */
#define PROOF_INVITE "invite"         /* lets somebody register; value: the e-mail it is for, or empty */
#define PROOF_SETUP "setup"           /* makes the first administrator */
#define PROOF_AUTHORIZE "authorize"   /* a person went to a service to let us in; value: what is to be connected */
#define PROOF_AUTHORIZED "authorized" /* and came back; value: the same with the secret, sealed */
#define PROOF_LOGIN "login"           /* its user gave the right password, and a code is still needed */
#define PROOF_RESET "reset" /* a link for a new password went to `value`, by mail; the link is that of mcp_users */
#define PROOF_REPLACED "replaced" /* the token of mcp_tokens with that hash was replaced, and goes on for a while */
#define PROOF_RECOVERY "recovery" /* instead of a second factor */

struct proof_row {
    struct str id;
    int64_t user_id; /* 0: of nobody yet */
    struct str kind, hash, value;
    int64_t created_at_ms;
    int64_t expires_at_ms; /* 0: never */
};
struct proof_rows {
    size_t count;
    struct proof_row *items;
};

MUST_CHECK int store_proofs_insert(struct call *call, const struct proof_row *row);
/* Takes it away, so that it is good once. E_NOT_FOUND: used, expired, or never there. */
MUST_CHECK int store_proofs_use(struct call *call, struct str kind, struct str hash, int64_t now_ms,
                                struct proof_row *ret);
/* The same without taking it. */
MUST_CHECK int store_proofs_look(struct call *call, struct str kind, struct str hash, int64_t now_ms,
                                 struct proof_row *ret);
/* user_id 0: those of nobody. */
MUST_CHECK int store_proofs_list(struct call *call, int64_t user_id, struct str kind, int64_t now_ms,
                                 struct proof_rows *ret);
MUST_CHECK int store_proofs_delete(struct call *call, struct str kind, struct str id); /* E_NOT_FOUND */
MUST_CHECK int store_proofs_delete_all(struct call *call, int64_t user_id, struct str kind);
/* Those of that kind that have expired. */
MUST_CHECK int store_proofs_forget(struct call *call, int64_t user_id, struct str kind, int64_t now_ms);
/* All that have expired: none of the functions above finds them. */
MUST_CHECK int store_proofs_forget_expired(struct call *call, int64_t now_ms);

#endif

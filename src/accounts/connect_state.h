/* Whether the service's side of a connection is up, for services that a person logs in at, and where their webhook goes. */
#ifndef ACCOUNTS_CONNECT_STATE_H
#define ACCOUNTS_CONNECT_STATE_H

#include "accounts/webhook_place.h"

/*
 * E_INVALID: this kind of service has no such state. *ret_place is empty when it has no webhook. `own_url`: our address from
 * outside. `pair`: begin a log-in there, if one is needed. Waits.
 */
MUST_CHECK int connect_state(struct call *call, int64_t user_id, int64_t id, struct str own_url, bool pair,
                             struct connection_state *ret, struct webhook_place *ret_place);

/* Only where it goes. E_INVALID: it sends nothing by itself. Waits for the database. */
MUST_CHECK int connect_webhook(struct call *call, int64_t user_id, int64_t id, struct str own_url,
                               struct webhook_place *ret);

/* Tells the service where to send to. E_INVALID: its owner has to enter it there; the text says where. Audited. Waits. */
MUST_CHECK int connect_register_webhook(struct call *call, int64_t user_id, int64_t id, struct str own_url);

/*
 * Opens a connection that has conversations, for its owner. E_NOT_FOUND: it is not that user's (USER_ANY: of anybody). E_INVALID: it is
 * of a kind without conversations. Waits.
 */
struct connect_desk {
    const struct provider *provider;
    const struct conversations *conversations;
    struct site site; /* with its owner's id */
};
MUST_CHECK int connect_conversations(struct call *call, int64_t user_id, int64_t id, struct connect_desk *ret);
/* A person as conversations have it, by the first provider that has any. E_INVALID. Does not wait. */
MUST_CHECK int connect_person(struct call *call, struct str typed, struct str *ret);

#endif

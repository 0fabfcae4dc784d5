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

/* Tells the service where to send to. E_INVALID: its owner has to enter it there; the text says where. Audited. Waits. */
MUST_CHECK int connect_register_webhook(struct call *call, int64_t user_id, int64_t id, struct str own_url);

#endif

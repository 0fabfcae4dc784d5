/* Where a service sends what it has to tell by itself: an address and a secret for each connection. */
#ifndef ACCOUNTS_WEBHOOK_PLACE_H
#define ACCOUNTS_WEBHOOK_PLACE_H

#include "providers/provider.h"

/*
 * The secret is a MAC under a key of the server over connection and owner: nothing is stored, and it stays the same. `own_url`:
 * our own address from outside, without a slash at its end. Does not wait.
 */
struct webhook_place webhook_place_of(struct call *call, struct str own_url, struct str provider_key,
                                      int64_t connection_id, int64_t user_id);

#endif

/*
 * The seal of what a person agreed to for a client (mcp_oauth_grants): whoever can only write rows can neither widen
 * it, nor hand it to tokens of his own, nor make it last longer, nor bring it back once it ended
 * (store_oauth_grants_end() takes the seal away).
 */
#ifndef ACCOUNTS_CONSENT_H
#define ACCOUNTS_CONSENT_H

#include "store/oauth_grants.h"

/* The MAC of the row as it is, with its state and its times; in the call's memory. */
struct str consent_mac(struct call *call, const struct oauth_grant_row *row);

/* Was the row made by us, and is it as we left it? */
MUST_CHECK bool consent_is_right(struct call *call, const struct oauth_grant_row *row);

#endif

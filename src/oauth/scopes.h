/* Scopes: the words of call/rights.h, with spaces between. Nothing here waits. */
#ifndef OAUTH_SCOPES_H
#define OAUTH_SCOPES_H

#include "call/rights.h"

/*
 * `read` is always among them. Words of others are passed over (clients ask for what they know of elsewhere), but one of ours must be
 * there, else E_INVALID. "offline_access" alone is RIGHTS_DEFAULT.
 */
MUST_CHECK int scopes_parse(struct call *call, struct str text, unsigned *ret_rights);

#endif

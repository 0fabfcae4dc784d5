/*
 * Taking a change at a service back in its owner's name, as a person does in the dashboard: the provider's own tool,
 * with all rights and without a token, audited and kept like any other write.
 */
#ifndef MCP_TAKE_BACK_H
#define MCP_TAKE_BACK_H

#include "base/buf.h"
#include "call/call.h"

/*
 * *ret_text: the tool's words. E_NOT_FOUND: no such connection or change of this person; E_CONFLICT: it moved on
 * meanwhile; E_DENIED: it cannot be taken back. Waits.
 */
MUST_CHECK int take_back(struct call *call, int64_t user_id, int64_t connection_id, int64_t number,
                         struct str *ret_text);

#endif

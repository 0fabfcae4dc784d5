/* Values of the Mcp-* headers (2026-07-28, basic/transports): "=?base64?...?=" is how one carries what is not plain ASCII. */
#ifndef MCP_HEADER_H
#define MCP_HEADER_H

#include "call/call.h"

enum { HEADER_DECODED_MAX_BYTES = 8 * 1024 };

/* What does not have both the prefix and the suffix stands for itself. False: bad Base64. */
MUST_CHECK bool header_decode(struct call *call, struct str value, struct str *ret);

#endif

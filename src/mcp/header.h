/* Values of the Mcp-* headers (2026-07-28, basic/transports): "=?base64?...?=" is how one carries what is not plain ASCII. */
#ifndef MCP_HEADER_H
#define MCP_HEADER_H

#include "call/call.h"
#include "net/http_server.h"

enum { HEADER_DECODED_MAX_BYTES = 8 * 1024 };

/* The value, or ptr NULL: missing, or there twice, so that a proxy may have read another one than we do. */
struct str header_once(const struct http_request *http, struct str name);

/* What does not have both the prefix and the suffix stands for itself. False: bad Base64. */
MUST_CHECK bool header_decode(struct call *call, struct str value, struct str *ret);

#endif

/* JSON-RPC 2.0 messages: reading one, and writing results and errors. Pure; never waits. */
#ifndef MCP_RPC_H
#define MCP_RPC_H

#include "base/buf.h"
#include "json/json.h"

enum rpc_code {
    RPC_PARSE_ERROR = -32700,
    RPC_INVALID_REQUEST = -32600,
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_INVALID_PARAMS = -32602,
    RPC_INTERNAL_ERROR = -32603,
    RPC_RESOURCE_NOT_FOUND = -32002, /* before 2026-07-28 */
    RPC_UNAVAILABLE = 503,           /* the database does not answer; nothing was done */
    RPC_TOO_MANY = 429,              /* as HTTP says it; the range below -32000 is JSON-RPC's and MCP's */
    /* MCP 2026-07-28 */
    RPC_HEADER_MISMATCH = -32020,
    RPC_MISSING_CAPABILITY = -32021,
    RPC_UNSUPPORTED_VERSION = -32022,
};

enum rpc_kind {
    RPC_INVALID, /* not a JSON-RPC 2.0 message */
    RPC_REQUEST,
    RPC_NOTIFICATION,
    RPC_RESPONSE,
};

struct rpc_message {
    enum rpc_kind kind;
    struct str id_raw; /* the id's JSON bytes; empty when there is none that may be echoed */
    struct str method;
    const struct json *params; /* JSON_MISSING when absent */
    const char *reason;        /* of RPC_INVALID */
};

/* MCP allows string and integer ids, never null (basic/index, "Requests"). */
struct rpc_message rpc_read(const struct json *value);

/* {"jsonrpc":"2.0","id":ID,"result":{ ... the caller writes members, then rpc_end_result() */
void rpc_begin_result(struct buf *out, struct str id_raw);
void rpc_end_result(struct buf *out);

/* An empty id_raw leaves the member out; an empty data_raw too. */
void rpc_error(struct buf *out, struct str id_raw, int code, struct str message, struct str data_raw);

#endif

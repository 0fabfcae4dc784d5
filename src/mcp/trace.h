/*
 * Trace context (W3C Trace Context, Baggage) as clients send it, in _meta or as headers: traceparent, tracestate, baggage. It
 * comes from outside and goes on to the services we call as headers, so whatever is not exactly right is dropped, silently:
 * a trace is no reason to refuse a request.
 */
#ifndef MCP_TRACE_H
#define MCP_TRACE_H

#include "mcp/protocol.h"

struct span;

enum { TRACE_STATE_MAX_BYTES = 512, TRACE_BAGGAGE_MAX_BYTES = 1024 };

/* Into the call. `http` NULL: there are no headers. */
void trace_read(struct call *call, const struct json *meta, const struct http_request *http);

/*
 * A request of ours, as a span: OpenTelemetry's semantic conventions for MCP. What is in _meta comes before what the HTTP headers
 * say; either goes into the call, also where nothing is traced.
 */
struct span *trace_begin(struct call *call, const struct mcp_request *request);
/* What came of it. */
void trace_end(struct call *call, struct span *span, const struct mcp_reply *reply);

#endif

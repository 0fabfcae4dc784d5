/*
 * Trace context (W3C Trace Context, Baggage) as clients of 2026-07-28 send it in _meta: traceparent, tracestate, baggage. It
 * comes from outside and goes on to the services we call as headers, so whatever is not exactly right is dropped, silently:
 * a trace is no reason to refuse a request.
 */
#ifndef MCP_TRACE_H
#define MCP_TRACE_H

#include "call/call.h"
#include "json/json.h"

enum { TRACE_STATE_MAX_BYTES = 512, TRACE_BAGGAGE_MAX_BYTES = 1024 };

/* Into the call. */
void trace_read(struct call *call, const struct json *meta);

bool trace_parent_is_good(struct str text);

#endif

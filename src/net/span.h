/*
 * Spans: what a request did, and for how long, for the operator's traces (net/otlp.h). Off unless that is on: then span_begin()
 * returns NULL, and all other functions take NULL.
 *
 * A span of a request (SPAN_SERVER) has the W3C trace context of the client as its parent, if there is a good one; whether it is
 * recorded at all is what the client decided, or else by chance (trace_percent). A span of what we ask of others (SPAN_CLIENT) is a
 * child of the span that the call is in; outside of one there is none. While a span lasts, call->traceparent names it, so that
 * the services we call go on from there.
 *
 * Attributes are words of ours, numbers, and the names of hosts. Never an argument, an address with a path, a text of a site or a
 * secret.
 */
#ifndef NET_SPAN_H
#define NET_SPAN_H

#include "call/call.h"

enum span_kind { SPAN_SERVER = 2, SPAN_CLIENT = 3 }; /* as OTLP numbers them */

enum { SPAN_ATTRIBUTES_MAX = 16, SPAN_NAME_BYTES_MAX = 128 };

struct span;

/* How many of 100 requests are recorded that come without a trace context. */
void span_set_percent(int64_t percent);

/* Does not wait. The name may be set later. */
struct span *span_begin(struct call *call, enum span_kind kind, struct str name);
void span_name(struct span *span, struct str name);

/* Key and text must last as long as the call. What is beyond SPAN_ATTRIBUTES_MAX is left out. */
void span_text(struct span *span, const char *key, struct str text);
void span_integer(struct span *span, const char *key, int64_t number);
/* error.type: what kind of failure it was; the first one stays. */
void span_error(struct span *span, struct str type);

/* The call is in the span's parent again. A span that is not ended when its call ends is ended then, as "abandoned". */
void span_end(struct call *call, struct span *span);

/* "00-32 hex-16 hex-2 hex", not all zero: W3C Trace Context, level 1. */
bool span_parent_is_good(struct str traceparent);

#endif

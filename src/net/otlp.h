/*
 * Sends finished spans (net/span.h) to the operator's collector: OTLP over HTTP, JSON encoding (opentelemetry-proto 1.x,
 * "OTLP/HTTP"). Spans wait in memory, bounded, and go in batches from a task of their own; nobody waits for them, and what does
 * not fit or cannot be delivered is counted (porteiro_spans_total) and dropped. Silent while there is nothing to send.
 *
 * The address is the operator's own choice, so it may be private and speak plain http; it goes through net/http_client.h all the
 * same: no redirects, limits in size and time, certificates checked.
 */
#ifndef NET_OTLP_H
#define NET_OTLP_H

#include "call/call.h"

enum {
    OTLP_WAITING_MAX = 2048, /* spans */
    OTLP_BATCH_MAX = 512,
    OTLP_SPAN_BYTES_MAX = 4096,
    OTLP_DELAY_MS = 1000, /* after which a batch goes that is not full */
    OTLP_TRIES = 3,
    OTLP_HEADERS_MAX = 8,
};

struct otlp_settings {
    struct str endpoint; /* https://HOST[:PORT][/PATH]: spans go to its /v1/traces; empty: nowhere */
    struct str headers;  /* NAME=VALUE,... with values percent-encoded, as OTEL_EXPORTER_OTLP_HEADERS has them */
    struct str service;  /* service.name */
    struct str instance; /* service.instance.id */
};

/* As otlp_init() judges them, for a process that sends nothing. It must not have begun to: this turns it off. */
MUST_CHECK int otlp_check(const struct otlp_settings *settings, const char **ret_problem);

/*
 * Once at start, before anything is added; copies what it needs. E_INVALID: the endpoint is no address, or the headers are none;
 * *ret_problem says which setting and why.
 */
MUST_CHECK int otlp_init(const struct otlp_settings *settings, const char **ret_problem);
bool otlp_is_on(void);

/* One span as JSON. Does not wait. */
void otlp_add(struct str span_json);

/* Sends nothing, and tells whether the collector would take something. For doctor. Waits. */
MUST_CHECK int otlp_try(struct call *call, int64_t *ret_elapsed_ms);

/* Sends what waits, for a few seconds; what is left then is dropped. */
void otlp_done(struct call *call);

#endif

/* /metrics: base/metrics.h as text for Prometheus. */
#ifndef WEB_METRICS_PAGE_H
#define WEB_METRICS_PAGE_H

#include "net/http_server.h"

/* `token`: that the main address asks for; empty: it has no /metrics. Must live as long as the process. */
void metrics_page_init(struct str token, int64_t started_ms);

/* On the listener of its own: whoever reaches it may read it. */
void metrics_page_serve(struct call *call, struct http_exchange *exchange, void *context);

/* On the main address: with the token only. */
void metrics_page(struct call *call, struct http_exchange *exchange, struct str segment);

#endif

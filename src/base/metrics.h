/*
 * Numbers for operators, as Prometheus reads them (web/metrics_page.h). They lie in memory that the processes of one host share:
 * counters outlive the workers that count, and any worker can answer for all. Counting is an atomic addition; nothing waits.
 *
 * A series is one row of metric_families with one set of label values. Values are words of ours (names of tools, kinds of
 * errors, patterns of paths): never a name that an outsider chooses, an id or an address, so their number is bounded; what is
 * beyond METRIC_SERIES_MAX is counted in the family's series "other".
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include "base/buf.h"

enum metric {
    METRIC_HTTP,       /* histogram: route, status */
    METRIC_CALLS,      /* histogram: tool, provider, era, outcome */
    METRIC_METHODS,    /* counter: method, era, outcome */
    METRIC_UPSTREAM,   /* histogram: provider, outcome */
    METRIC_DATABASE,   /* histogram: engine, outcome */
    METRIC_CACHE,      /* counter: cache, result */
    METRIC_REFUSED,    /* counter: limit */
    METRIC_BREAKER,    /* counter: change */
    METRIC_HANDSHAKES, /* counter: outcome */
    METRIC_ALERTS,     /* counter: kind, outcome */
    METRIC_SPANS,      /* counter: outcome */
    METRICS,
};

enum metric_gauge {
    GAUGE_CONNECTIONS,
    GAUGE_REQUESTS,
    GAUGE_HANDSHAKES,
    GAUGE_UPSTREAM,
    GAUGE_UPSTREAM_QUEUED,
    GAUGE_ANSWER_BYTES,
    GAUGES,
};

enum { METRIC_LABELS_MAX = 4, METRIC_SERIES_MAX = 1024, METRIC_PROCESSES_MAX = 128 };

/* The memory for several processes; -1 when it cannot be made. The descriptor is the caller's. */
int metrics_file(void);
/* Is it of this program's layout? */
bool metrics_file_fits(int file);
/* file: metrics_file()'s, or -1 for memory of this process alone. False: it cannot be mapped; nothing is counted then. */
MUST_CHECK bool metrics_open(int file);
void metrics_close(void);

/* One more. `labels`: as many as the family has, in its order. */
#define metric_count(metric, ...) metric_add((metric), (const struct str[METRIC_LABELS_MAX]){__VA_ARGS__}, 1)
void metric_add(enum metric metric, const struct str labels[METRIC_LABELS_MAX], uint64_t more);
/* One that took so long: a histogram's. */
#define metric_time(metric, duration_us, ...)                                                                          \
    metric_observe((metric), (const struct str[METRIC_LABELS_MAX]){__VA_ARGS__}, (duration_us))
void metric_observe(enum metric metric, const struct str labels[METRIC_LABELS_MAX], int64_t duration_us);

/* More or less of a gauge. What a process that ends had of it is taken off. */
void metric_move(enum metric_gauge gauge, int64_t by);
/* Of all processes together. */
int64_t metric_get(enum metric_gauge gauge);

/* All of it as text/plain; version=0.0.4. */
void metrics_write(struct buf *out);

#endif

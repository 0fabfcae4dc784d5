/* Numbers for operators. */
#include "base/metrics.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUCKETS = 13, KEY_BYTES_MAX = 104, LINE_BYTES = 512 };

static const int64_t bucket_us[BUCKETS] = {1000,   2500,   5000,    10000,   25000,    50000,   100000,
                                           250000, 500000, 1000000, 2500000, 10000000, 30000000};
static const char *const bucket_names[BUCKETS] = {"0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1",
                                                  "0.25",  "0.5",    "1",     "2.5",  "10",    "30"};

static const struct family {
    const char *name, *help;
    const char *labels[METRIC_LABELS_MAX];
    bool histogram;
} families[METRICS] = {
    [METRIC_HTTP] = {"porteiro_http_request_duration_seconds", "HTTP requests, by route", {"route", "status"}, true},
    [METRIC_CALLS] = {"porteiro_tool_call_duration_seconds",
                      "Calls of tools",
                      {"tool", "provider", "era", "outcome"},
                      true},
    [METRIC_METHODS] = {"porteiro_mcp_requests_total",
                        "Requests of MCP, by method",
                        {"method", "era", "outcome"},
                        false},
    [METRIC_UPSTREAM] = {"porteiro_upstream_request_duration_seconds",
                         "Requests to sites",
                         {"provider", "outcome"},
                         true},
    [METRIC_DATABASE] = {"porteiro_database_statement_duration_seconds",
                         "Statements of the database",
                         {"engine", "outcome"},
                         true},
    [METRIC_CACHE] = {"porteiro_cache_lookups_total", "Look-ups in caches", {"cache", "result"}, false},
    [METRIC_REFUSED] = {"porteiro_refused_total", "What was refused by a limit", {"limit"}, false},
    [METRIC_BREAKER] = {"porteiro_breaker_changes_total", "Sites left alone, and taken up again", {"change"}, false},
    [METRIC_HANDSHAKES] = {"porteiro_tls_handshakes_total", "TLS handshakes", {"outcome"}, false},
    [METRIC_ALERTS] = {"porteiro_alerts_total", "Alerts to the operator", {"kind", "outcome"}, false},
    [METRIC_SPANS] = {"porteiro_spans_total", "Spans for the collector of traces", {"outcome"}, false},
};

static const struct {
    const char *name, *help;
} gauges[GAUGES] = {
    [GAUGE_CONNECTIONS] = {"porteiro_connections", "Clients connected"},
    [GAUGE_REQUESTS] = {"porteiro_requests_in_flight", "HTTP requests under way"},
    [GAUGE_HANDSHAKES] = {"porteiro_tls_handshakes_in_flight", "TLS handshakes under way"},
    [GAUGE_UPSTREAM] = {"porteiro_upstream_in_flight", "Requests to sites under way"},
    [GAUGE_UPSTREAM_QUEUED] = {"porteiro_upstream_queued", "Requests that wait for a site"},
    [GAUGE_ANSWER_BYTES] = {"porteiro_upstream_answer_bytes", "Memory that answers of sites take"},
};

struct series {
    atomic_uint_fast32_t state; /* FREE, TAKEN (key is being written), READY */
    uint32_t metric;
    uint32_t key_len;
    char key[KEY_BYTES_MAX]; /* label values, each with a NUL behind it */
    atomic_uint_fast64_t count, sum_us, buckets[BUCKETS];
};
enum { FREE, TAKEN, READY };

struct memory {
    struct series series[METRIC_SERIES_MAX + METRICS]; /* behind the hashed ones: of each family, "other" */
    struct {
        atomic_int pid; /* 0: free */
        atomic_int_fast64_t gauges[GAUGES];
    } processes[METRIC_PROCESSES_MAX];
};

static struct memory *memory; /* NULL: not open */
static size_t own_column;

/* ---- the memory */

int metrics_file(void)
{
    int file = memfd_create("porteiro-metrics", MFD_CLOEXEC);
    if (file >= 0 && ftruncate(file, sizeof(struct memory)) != 0) {
        close(file);
        file = -1;
    }
    return file;
}

bool metrics_file_fits(int file)
{
    struct stat status;
    return fstat(file, &status) == 0 && status.st_size == (off_t)sizeof(struct memory);
}

static void clear(size_t column)
{
    for (size_t i = 0; i < GAUGES; i++)
        atomic_store(&memory->processes[column].gauges[i], 0);
}

/* A column for our gauges. Those of processes that died are free again. */
static bool claim(void)
{
    int self = getpid();
    bool found = false;
    for (size_t i = 0; i < METRIC_PROCESSES_MAX; i++) {
        int pid = atomic_load(&memory->processes[i].pid);
        if (pid && (pid == self || (kill(pid, 0) && errno == ESRCH)) &&
            atomic_compare_exchange_strong(&memory->processes[i].pid, &pid, 0)) {
            clear(i);
            pid = 0;
        }
        if (!found && pid == 0 && atomic_compare_exchange_strong(&memory->processes[i].pid, &pid, self)) {
            found = true;
            own_column = i;
        }
    }
    return found;
}

bool metrics_open(int file)
{
    int flags = file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    metrics_close();
    if (file >= 0 && !metrics_file_fits(file))
        return false;
    void *mapping = mmap(NULL, sizeof *memory, PROT_READ | PROT_WRITE, flags, file, 0);
    if (mapping == MAP_FAILED)
        return false;
    memory = mapping;
    if (claim())
        return true;
    munmap(memory, sizeof *memory);
    memory = NULL;
    return false;
}

void metrics_close(void)
{
    if (!memory)
        return;
    clear(own_column);
    atomic_store(&memory->processes[own_column].pid, 0);
    munmap(memory, sizeof *memory);
    memory = NULL;
}

/* ---- finding a series */

static size_t write_key(const struct family *family, const struct str *labels, char key[KEY_BYTES_MAX])
{
    size_t len = 0;
    for (size_t i = 0; i < METRIC_LABELS_MAX && family->labels[i]; i++) {
        if (len + labels[i].len + 1 > KEY_BYTES_MAX)
            return 0;
        if (labels[i].len)
            memcpy(key + len, labels[i].ptr, labels[i].len);
        len += labels[i].len;
        key[len++] = 0;
    }
    return len;
}

static uint32_t hash_of(enum metric metric, const char *key, size_t len) /* FNV-1a */
{
    uint32_t hash = 2166136261U ^ metric;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)key[i]) * 16777619U;
    return hash;
}

static bool is_it(const struct series *series, enum metric metric, const char *key, size_t len)
{
    return series->metric == metric && series->key_len == len && memcmp(series->key, key, len) == 0;
}

static struct series *other(enum metric metric)
{
    struct series *series = &memory->series[METRIC_SERIES_MAX + metric];
    series->metric = metric;
    atomic_store(&series->state, READY);
    return series;
}

/* Open addressing; a row is claimed once and never given back. A claim that is being written just now is passed over. */
static struct series *find(enum metric metric, const struct str *labels)
{
    char key[KEY_BYTES_MAX] UNSET;
    size_t len = write_key(&families[metric], labels, key);
    if (!len)
        return other(metric);
    uint32_t at = hash_of(metric, key, len);
    for (size_t tried = 0; tried < 32; tried++, at++) {
        struct series *series = &memory->series[at % METRIC_SERIES_MAX];
        uint_fast32_t state = atomic_load_explicit(&series->state, memory_order_acquire);
        if (state == FREE && atomic_compare_exchange_strong(&series->state, &state, TAKEN)) {
            series->metric = metric;
            series->key_len = (uint32_t)len;
            memcpy(series->key, key, len);
            atomic_store_explicit(&series->state, READY, memory_order_release);
            return series;
        }
        if (state == READY && is_it(series, metric, key, len))
            return series;
    }
    return other(metric);
}

/* ---- counting */

void metric_add(enum metric metric, const struct str labels[METRIC_LABELS_MAX], uint64_t more)
{
    if (memory)
        atomic_fetch_add_explicit(&find(metric, labels)->count, more, memory_order_relaxed);
}

void metric_observe(enum metric metric, const struct str labels[METRIC_LABELS_MAX], int64_t duration_us)
{
    size_t bucket = 0;
    if (!memory)
        return;
    struct series *series = find(metric, labels);
    duration_us = duration_us < 0 ? 0 : duration_us;
    while (bucket < BUCKETS && duration_us > bucket_us[bucket])
        bucket++;
    if (bucket < BUCKETS)
        atomic_fetch_add_explicit(&series->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&series->count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&series->sum_us, (uint64_t)duration_us, memory_order_relaxed);
}

void metric_move(enum metric_gauge gauge, int64_t by)
{
    if (memory)
        atomic_fetch_add_explicit(&memory->processes[own_column].gauges[gauge], by, memory_order_relaxed);
}

int64_t metric_get(enum metric_gauge gauge)
{
    int64_t sum = 0;
    for (size_t i = 0; memory && i < METRIC_PROCESSES_MAX; i++)
        sum += atomic_load_explicit(&memory->processes[i].gauges[gauge], memory_order_relaxed);
    return sum;
}

/* ---- writing */

static void add(struct buf *out, const char *format, ...) PRINTF_LIKE(2, 3);
static void add(struct buf *out, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list list;
    va_start(list, format);
    int len = vsnprintf(line, sizeof line, format, list);
    va_end(list);
    if (len > 0 && (size_t)len < sizeof line)
        buf_add(out, str_of(line, (size_t)len));
}

/* {tool="wp_find",...; with `more` behind them. Values are words of ours, but who knows. */
static void add_labels(struct buf *out, const struct series *series, const char *more)
{
    const struct family *family = &families[series->metric];
    const char *value = series->key;
    buf_add(out, STR("{"));
    for (size_t i = 0; i < METRIC_LABELS_MAX && family->labels[i]; i++) {
        add(out, "%s%s=\"", i ? "," : "", family->labels[i]);
        if (series->key_len == 0)
            buf_add(out, STR("other"));
        for (; series->key_len && *value; value++) {
            char c = *value;
            if (c == '"' || c == '\\')
                buf_add(out, STR("\\"));
            buf_add(out, str_of((unsigned char)c < ' ' ? "?" : &c, 1));
        }
        value += series->key_len != 0;
        buf_add(out, STR("\""));
    }
    add(out, "%s} ", more);
}

static void write_series(struct buf *out, const struct series *series)
{
    const struct family *family = &families[series->metric];
    uint64_t sum = 0, count = atomic_load(&series->count), total_us = atomic_load(&series->sum_us);
    char more[32];
    if (!family->histogram) {
        buf_add(out, str_from(family->name));
        add_labels(out, series, "");
        add(out, "%llu\n", (unsigned long long)count);
        return;
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        sum += atomic_load(&series->buckets[i]);
        snprintf(more, sizeof more, ",le=\"%s\"", bucket_names[i]);
        add(out, "%s_bucket", family->name);
        add_labels(out, series, more);
        add(out, "%llu\n", (unsigned long long)sum);
    }
    count = count < sum ? sum : count; /* another process is between the two additions */
    add(out, "%s_bucket", family->name);
    add_labels(out, series, ",le=\"+Inf\"");
    add(out, "%llu\n%s_sum", (unsigned long long)count, family->name);
    add_labels(out, series, "");
    add(out, "%llu.%06llu\n%s_count", (unsigned long long)(total_us / 1000000),
        (unsigned long long)(total_us % 1000000), family->name);
    add_labels(out, series, "");
    add(out, "%llu\n", (unsigned long long)count);
}

void metrics_write(struct buf *out)
{
    if (!memory)
        return;
    for (size_t i = 0; i < GAUGES; i++)
        add(out, "# HELP %s %s\n# TYPE %s gauge\n%s %lld\n", gauges[i].name, gauges[i].help, gauges[i].name,
            gauges[i].name, (long long)metric_get((enum metric_gauge)i));
    for (size_t f = 0; f < METRICS; f++) {
        bool begun = false;
        for (size_t i = 0; i < ARRAY_LENGTH(memory->series); i++) {
            const struct series *series = &memory->series[i];
            if (atomic_load_explicit(&series->state, memory_order_acquire) != READY || series->metric != f)
                continue;
            if (!begun)
                add(out, "# HELP %s %s\n# TYPE %s %s\n", families[f].name, families[f].help, families[f].name,
                    families[f].histogram ? "histogram" : "counter");
            begun = true;
            write_series(out, series);
        }
    }
}

/* Batches of spans to the operator's collector. */
#include "net/otlp.h"

#include "base/crash.h"
#include "base/log.h"
#include "base/metrics.h"
#include "json/json_write.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "net/task.h"
#include "net/url.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    TEXT_BYTES = 2048, /* of an address, of the headers */
    BODY_BYTES_MAX = 1024 * 1024,
    RESOURCE_BYTES_MAX = 2048,
    BUDGET_BYTES = 4 * 1024 * 1024,
    POST_MS = 10 * 1000,
    CALL_MS = 15 * 1000,
    ANSWER_BYTES_MAX = 64 * 1024,
    PAUSE_MAX_MS = 60 * 1000,
    LOOK_MS = 10,
    STOP_MS = 3 * 1000,
};

static struct {
    char url[TEXT_BYTES], header_text[TEXT_BYTES];
    struct http_header headers[OTLP_HEADERS_MAX];
    size_t n_headers;
    char head[RESOURCE_BYTES_MAX]; /* of each body, up to the spans */
    struct egress_policy anywhere;
    struct str waiting[OTLP_WAITING_MAX]; /* a ring, each from malloc() */
    size_t first, count;
    size_t n_sending; /* the first of them, which are under way */
    int tries;
    struct loop_timer timer;
    bool is_on, is_armed, is_stopping, has_complained;
} otlp;

bool otlp_is_on(void)
{
    return otlp.is_on;
}

/* ---- settings */

static int set_url(struct arena *arena, struct str endpoint, const char **ret_problem)
{
    struct url url;
    while (str_ends_with(endpoint, STR("/")))
        endpoint.len--;
    struct str whole =
        str_ends_with(endpoint, STR("/v1/traces")) ? endpoint : str_format(arena, "%.*s/v1/traces", STR_ARG(endpoint));
    *ret_problem = "OTEL_EXPORTER_OTLP_ENDPOINT is no address of a collector; right is for example "
                   "http://127.0.0.1:4318";
    return url_parse(arena, whole, &url) == OK && !url.query.len && str_to_cstr(whole, otlp.url, sizeof otlp.url)
               ? OK
               : E_INVALID;
}

static bool is_plain(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' || (unsigned char)text.ptr[i] > '~')
            return false;
    return true;
}

/* NAME=VALUE,NAME=VALUE (W3C Baggage's form, as OpenTelemetry's specification of exporters says). */
static int set_headers(struct arena *arena, struct str text, const char **ret_problem)
{
    struct str pair;
    size_t used = 0;
    *ret_problem = "OTEL_EXPORTER_OTLP_HEADERS is not NAME=VALUE,... with at most 8 headers";
    while (text.len && str_next(&text, ',', &pair)) {
        size_t equals = str_find_char(pair, '=');
        struct str name = str_trim(str_sub(pair, 0, equals));
        if (equals == STR_NOT_FOUND || !name.len || otlp.n_headers == OTLP_HEADERS_MAX)
            return E_INVALID;
        struct str value = url_decode(arena, str_trim(str_from_offset(pair, equals + 1)), false);
        if (!is_plain(name) || !is_plain(value) || used + name.len + value.len > sizeof otlp.header_text)
            return E_INVALID;
        char *place = otlp.header_text + used;
        memcpy(place, name.ptr, name.len);
        memcpy(place + name.len, value.ptr, value.len);
        otlp.headers[otlp.n_headers++] =
            (struct http_header){str_of(place, name.len), str_of(place + name.len, value.len)};
        used += name.len + value.len;
    }
    return OK;
}

static void write_resource_text(struct json_writer *w, const char *key, struct str text)
{
    json_object(w);
    json_member_str(w, "key", str_from(key));
    json_key(w, STR("value"));
    json_object(w);
    json_member_str(w, "stringValue", text);
    json_end(w);
    json_end(w);
}

/* {"resourceSpans":[{"resource":{...},"scopeSpans":[{"scope":{...},"spans":[ */
static bool set_head(struct arena *arena, const struct otlp_settings *settings)
{
    struct buf attributes;
    struct json_writer w;
    buf_init(&attributes, arena, RESOURCE_BYTES_MAX);
    json_write_init(&w, &attributes);
    json_array(&w);
    write_resource_text(&w, "service.name", settings->service);
    write_resource_text(&w, "service.version", STR(PORTEIRO_VERSION));
    write_resource_text(&w, "service.instance.id", settings->instance);
    json_end(&w);
    return !buf_failed(&attributes) &&
           str_to_cstr(str_format(arena,
                                  "{\"resourceSpans\":[{\"resource\":{\"attributes\":%.*s},\"scopeSpans\":[{\"scope\":"
                                  "{\"name\":\"porteiro\",\"version\":\"" PORTEIRO_VERSION "\"},\"spans\":[",
                                  STR_ARG(buf_str(&attributes))),
                       otlp.head, sizeof otlp.head);
}

static void timer_ran(void *context);

int otlp_check(const struct otlp_settings *settings, const char **ret_problem)
{
    otlp.is_on = false;
    otlp.n_headers = 0;
    *ret_problem = "OTEL_EXPORTER_OTLP_ENDPOINT cannot be used: no memory";
    if (!settings->endpoint.len)
        return OK;
    struct arena *arena = arena_new(BUDGET_BYTES);
    if (!arena)
        return E_INVALID;
    int error = set_url(arena, settings->endpoint, ret_problem);
    if (!error)
        error = set_headers(arena, settings->headers, ret_problem);
    if (!error && !set_head(arena, settings)) {
        *ret_problem = "OTEL_SERVICE_NAME is too long";
        error = E_INVALID;
    }
    arena_free(arena);
    return error;
}

int otlp_init(const struct otlp_settings *settings, const char **ret_problem)
{
    struct str bad;
    int error = otlp_check(settings, ret_problem);
    if (error || !settings->endpoint.len)
        return error;
    if (!otlp.anywhere.n_ranges)
        error = egress_policy_parse(&otlp.anywhere, STR("0.0.0.0/0,::/0"), &bad);
    if (!error && !otlp.timer.event && !loop_timer_init(&otlp.timer, timer_ran, NULL))
        error = E_INVALID;
    otlp.is_on = !error;
    return error;
}

/* ---- the queue */

static void drop_first(size_t count, struct str why)
{
    for (size_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)otlp.waiting[otlp.first].ptr);
        otlp.first = (otlp.first + 1) % OTLP_WAITING_MAX;
        otlp.count--;
    }
    if (count)
        metric_add(METRIC_SPANS, (const struct str[METRIC_LABELS_MAX]){why}, count);
}

static void arm(int64_t after_ms)
{
    otlp.is_armed = true;
    loop_timer_set(&otlp.timer, after_ms);
}

void otlp_add(struct str span_json)
{
    char *text = otlp.is_on && otlp.count < OTLP_WAITING_MAX ? malloc(span_json.len) : NULL;
    if (!text) {
        metric_count(METRIC_SPANS, STR("dropped"));
        return;
    }
    memcpy(text, span_json.ptr, span_json.len);
    otlp.waiting[(otlp.first + otlp.count++) % OTLP_WAITING_MAX] = str_of(text, span_json.len);
    if (otlp.n_sending || otlp.tries || otlp.is_stopping)
        return; /* what is under way sets the pace */
    if (otlp.count >= OTLP_BATCH_MAX)
        arm(0);
    else if (!otlp.is_armed)
        arm(OTLP_DELAY_MS);
}

/* ---- a batch, on a task */

static int post(struct call *call, struct str body, struct http_fetched *ret)
{
    struct http_header headers[OTLP_HEADERS_MAX + 1];
    size_t n = 0;
    headers[n++] = (struct http_header){STR("Content-Type"), STR("application/json")};
    for (size_t i = 0; i < otlp.n_headers; i++)
        headers[n++] = otlp.headers[i];
    const struct http_fetch request = {
        .method = STR("POST"),
        .url = str_from(otlp.url),
        .headers = headers,
        .n_headers = n,
        .body = body,
        .pool_key = STR("otlp"),
        .policy = &otlp.anywhere,
        .timeout_ms = POST_MS,
        .max_body_bytes = ANSWER_BYTES_MAX,
    };
    return http_fetch(call, &request, ret);
}

static struct str batch(struct call *call)
{
    struct buf body;
    buf_init(&body, call->arena, BODY_BYTES_MAX);
    buf_add(&body, str_from(otlp.head));
    otlp.n_sending = 0;
    while (otlp.n_sending < otlp.count && otlp.n_sending < OTLP_BATCH_MAX) {
        struct str span = otlp.waiting[(otlp.first + otlp.n_sending) % OTLP_WAITING_MAX];
        if (body.len + span.len + 16 > BODY_BYTES_MAX)
            break;
        if (otlp.n_sending++)
            buf_add_char(&body, ',');
        buf_add(&body, span);
    }
    buf_add(&body, STR("]}]}]}"));
    return buf_str(&body);
}

/* These may be tried again, says the specification; what comes of them otherwise is final. */
static bool may_try_again(const struct http_fetched *answer, int error)
{
    return error || answer->status == 429 || answer->status == 502 || answer->status == 503 || answer->status == 504;
}

/* {"partialSuccess":{"rejectedSpans":"3"}} */
static size_t rejected_by(struct call *call, struct str body)
{
    const struct json *answer;
    int64_t number;
    if (!body.len || json_parse(call->arena, body, NULL, &answer, NULL) != OK)
        return 0;
    const struct json *count = json_get(json_get(answer, STR("partialSuccess")), STR("rejectedSpans"));
    if (!json_to_i64(count, &number) && !str_to_i64(json_str(count), &number))
        return 0;
    return number > 0 && (size_t)number <= otlp.n_sending ? (size_t)number : 0;
}

static int64_t pause_ms(const struct http_fetched *answer)
{
    int64_t seconds;
    struct str text = http_header_get(answer->headers, answer->n_headers, STR("retry-after"));
    int64_t ms = OTLP_DELAY_MS << (otlp.tries - 1);
    if (text.ptr && str_to_i64(text, &seconds) && seconds >= 0 && seconds <= PAUSE_MAX_MS / 1000)
        ms = seconds * 1000;
    return ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS;
}

/* Once until it works again: a collector that is away would fill the log. */
static void complain(const struct call *call, const struct http_fetched *answer, int error)
{
    if (!otlp.has_complained)
        log_warning("traces cannot be delivered: %.*s",
                    STR_ARG(error ? call->error_text : str_format(call->arena, "the answer was %d", answer->status)));
    otlp.has_complained = true;
}

static void send_batch(struct call *call, void *context)
{
    struct http_fetched answer = {0};
    int64_t *next_ms = context;
    struct str body = batch(call);
    size_t count = otlp.n_sending;
    int error = post(call, body, &answer);
    *next_ms = 0;
    if (!error && answer.status >= 200 && answer.status < 300) {
        size_t rejected = rejected_by(call, answer.body);
        drop_first(rejected, STR("rejected"));
        drop_first(count - rejected, STR("sent"));
        otlp.tries = 0;
        otlp.has_complained = false;
        return;
    }
    complain(call, &answer, error);
    if (may_try_again(&answer, error) && ++otlp.tries < OTLP_TRIES && !otlp.is_stopping) {
        *next_ms = pause_ms(&answer);
        return;
    }
    drop_first(count, STR("lost"));
    otlp.tries = 0;
}

static int64_t next_pause_ms;

static void ended(struct call *call, void *context)
{
    (void)context;
    otlp.n_sending = 0;
    arena_free(call->arena);
    free(call);
    if (otlp.is_stopping)
        return;
    if (otlp.tries)
        arm(next_pause_ms);
    else if (otlp.count)
        arm(otlp.count >= OTLP_BATCH_MAX ? 0 : OTLP_DELAY_MS);
}

static bool begin(int64_t within_ms)
{
    struct call *call = calloc(1, sizeof *call);
    struct arena *arena = call ? arena_new(BUDGET_BYTES) : NULL;
    if (arena) {
        call_init(call, arena, within_ms);
        otlp.n_sending = 1; /* nothing else begins from here on */
        if (task_spawn(call, send_batch, ended, &next_pause_ms) == OK)
            return true;
        otlp.n_sending = 0;
    }
    arena_free(arena);
    free(call);
    return false;
}

static void timer_ran(void *context)
{
    (void)context;
    otlp.is_armed = false;
    if (otlp.n_sending || !otlp.count)
        return;
    if (!begin(CALL_MS))
        arm(OTLP_DELAY_MS);
}

/* ---- */

int otlp_try(struct call *call, int64_t *ret_elapsed_ms)
{
    struct http_fetched answer;
    int error = post(call, call_format(call, "%s]}]}]}", otlp.head), &answer);
    *ret_elapsed_ms = answer.elapsed_ms;
    if (error)
        return error;
    if (answer.status >= 200 && answer.status < 300)
        return OK;
    return fail(call, E_UPSTREAM, "%s answered %d.", otlp.url, answer.status);
}

void otlp_done(struct call *call)
{
    if (!otlp.is_on)
        return;
    int64_t latest_ms = clock_monotonic_ms() + STOP_MS;
    call->deadline_ms = latest_ms + LOOK_MS;
    otlp.is_stopping = true;
    while (clock_monotonic_ms() < latest_ms && (otlp.n_sending || otlp.count)) {
        if (!otlp.n_sending && !begin(latest_ms - clock_monotonic_ms()))
            break;
        if (task_sleep(call, LOOK_MS) != OK)
            break;
    }
    otlp.is_on = false;
    drop_first(otlp.n_sending ? 0 : otlp.count, STR("lost"));
    loop_timer_done(&otlp.timer);
    otlp.timer.event = NULL;
    otlp.is_stopping = false;
}

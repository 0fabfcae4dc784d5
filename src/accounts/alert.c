/* Tells the operator what somebody should see to. */
#include "accounts/alert.h"

#include "accounts/mail.h"
#include "base/log.h"
#include "base/metrics.h"
#include "json/json_write.h"
#include "net/helper.h"
#include "net/loop.h"
#include "net/smtp.h"
#include "net/task.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    TEXT_BYTES = 600,
    HOST_BYTES = 256,
    BODY_BYTES_MAX = 8 * 1024,
    BUDGET_BYTES = 256 * 1024,
    POST_TIMEOUT_S = 10,
    TRY_AGAIN_MS = 2000,
    CALL_MS = 180 * 1000,
    LOOK_MS = 10,
    STOP_MS = 20 * 1000, /* longer than one try may take */
};

struct alert {
    const char *kind;
    char text[TEXT_BYTES], host[HOST_BYTES];
    int64_t user_id, connection_id, time_ms;
};

static struct {
    struct alert_settings to;
    struct helper *thread;
    struct alert waiting[ALERTS_WAITING_MAX]; /* a ring */
    size_t first, count;
    bool is_running, is_stopping;
    struct {
        const char *kind;
        char host[HOST_BYTES];
        int64_t connection_id, told_ms;
    } told[ALERTS_WAITING_MAX];
    size_t next_told;
} alerts;

bool alert_url_is_good(struct str text)
{
    return str_starts_with(text, STR("https://")) || str_starts_with(text, STR("http://127.0.0.1:")) ||
           str_starts_with(text, STR("http://localhost:")) || str_starts_with(text, STR("http://[::1]:"));
}

void alert_init(const struct alert_settings *settings)
{
    alerts.to = *settings;
}

/* ---- one alert, on a task */

struct posting {
    struct str body;
    CURLcode result;
    long status;
};

static size_t ignore(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

static void post(void *context)
{
    struct posting *posting = context;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    posting->result = CURLE_OUT_OF_MEMORY;
    if (curl && headers) {
        curl_easy_setopt(curl, CURLOPT_URL, alerts.to.url);
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
        if (alerts.to.ca_file)
            curl_easy_setopt(curl, CURLOPT_CAINFO, alerts.to.ca_file);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, posting->body.ptr);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)posting->body.len);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)POST_TIMEOUT_S);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
        curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
        posting->result = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &posting->status);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
}

static struct str as_json(struct call *call, const struct alert *alert)
{
    struct buf body;
    struct json_writer writer;
    char when[CLOCK_TEXT_BYTES];
    clock_format(alert->time_ms, when);
    buf_init(&body, call->arena, BODY_BYTES_MAX);
    json_write_init(&writer, &body);
    json_object(&writer);
    json_member_str(&writer, "kind", str_from(alert->kind));
    json_member_str(&writer, "text", str_from(alert->text));
    if (alert->host[0])
        json_member_str(&writer, "host", str_from(alert->host));
    if (alert->user_id)
        json_member_i64(&writer, "user", alert->user_id);
    if (alert->connection_id)
        json_member_i64(&writer, "connection", alert->connection_id);
    json_member_str(&writer, "time", str_from(when));
    json_end(&writer);
    return buf_str(&body);
}

static int send_post(struct call *call, const struct alert *alert)
{
    struct posting posting = {.body = as_json(call, alert)};
    if (!alerts.thread)
        alerts.thread = helper_new(1);
    if (!alerts.thread)
        return fail(call, E_UNAVAILABLE, "No thread can be made.");
    helper_run(call, alerts.thread, post, &posting);
    if (posting.result == CURLE_OK && posting.status >= 200 && posting.status < 300)
        return OK;
    return fail(call, E_UPSTREAM, "%s (answer %ld)", curl_easy_strerror(posting.result), posting.status);
}

static int send_mail(struct call *call, const struct alert *alert)
{
    char when[CLOCK_TEXT_BYTES];
    clock_format(alert->time_ms, when);
    struct str text = call_format(call, "%s (%s, %s UTC)", alert->text, alert->kind, when);
    const struct mail mail = {.kind = MAIL_ALERT, .to = str_from(alerts.to.mail), .details = text};
    return mail_send(call, &mail);
}

/* Where alerts go; each way has its own tries. */
static const struct way {
    const char *name;
    int (*send)(struct call *call, const struct alert *alert);
} ways[] = {{"by POST", send_post}, {"by mail", send_mail}};

static bool is_open(const struct way *way)
{
    return way->send == send_post ? alerts.to.url != NULL : alerts.to.mail && smtp_is_set_up();
}

static void deliver(struct call *call, const struct alert *alert, const struct way *way)
{
    int error = E_UPSTREAM;
    for (int i = 0; error && i < ALERT_TRIES; i++) {
        if (i > 0 && (alerts.is_stopping || task_sleep(call, TRY_AGAIN_MS) != OK))
            break;
        error = way->send(call, alert);
    }
    metric_count(METRIC_ALERTS, str_from(alert->kind), error ? STR("lost") : STR("sent"));
    if (error)
        log_warning("an alert (%s) could not be delivered %s: %.*s", alert->kind, way->name, STR_ARG(call->error_text));
}

static void run(struct call *call, void *context)
{
    const struct alert alert = alerts.waiting[alerts.first];
    (void)context;
    for (size_t i = 0; i < ARRAY_LENGTH(ways); i++)
        if (is_open(&ways[i]))
            deliver(call, &alert, &ways[i]);
}

static void begin(void);

static void ended(struct call *call, void *context)
{
    (void)context;
    alerts.is_running = false;
    alerts.first = (alerts.first + 1) % ALERTS_WAITING_MAX;
    alerts.count--;
    arena_free(call->arena);
    free(call);
    if (!alerts.is_stopping)
        begin();
}

static void begin(void)
{
    struct call *call = NULL;
    struct arena *arena = NULL;
    if (alerts.is_running || alerts.count == 0)
        return;
    call = calloc(1, sizeof *call);
    arena = call ? arena_new(BUDGET_BYTES) : NULL;
    if (arena) {
        call_init(call, arena, CALL_MS);
        alerts.is_running = true;
        if (task_spawn(call, run, ended, NULL) == OK)
            return;
        alerts.is_running = false;
    }
    arena_free(arena);
    free(call);
}

/* ---- raising */

static bool was_told(const char *kind, const char *host, int64_t connection_id)
{
    int64_t now_ms = clock_monotonic_ms();
    for (size_t i = 0; i < ALERTS_WAITING_MAX; i++)
        if (alerts.told[i].kind == kind && alerts.told[i].connection_id == connection_id &&
            now_ms - alerts.told[i].told_ms < ALERT_AGAIN_MS && str_eq(str_from(alerts.told[i].host), str_from(host)))
            return true;
    size_t at = alerts.next_told++ % ALERTS_WAITING_MAX;
    alerts.told[at].kind = kind;
    alerts.told[at].connection_id = connection_id;
    alerts.told[at].told_ms = now_ms;
    snprintf(alerts.told[at].host, sizeof alerts.told[at].host, "%s", host);
    return false;
}

void alert_raise(const char *kind, struct str text, struct str host, int64_t user_id, int64_t connection_id)
{
    struct alert alert = {.kind = kind, .user_id = user_id, .connection_id = connection_id, .time_ms = clock_now_ms()};
    snprintf(alert.text, sizeof alert.text, "%.*s", STR_ARG(text));
    snprintf(alert.host, sizeof alert.host, "%.*s", STR_ARG(host));
    if (was_told(kind, alert.host, connection_id))
        return;
    log_warning("alert %s: %s", kind, alert.text);
    if (!is_open(&ways[0]) && !is_open(&ways[1]))
        return;
    if (alerts.count == ALERTS_WAITING_MAX) {
        metric_count(METRIC_ALERTS, str_from(kind), STR("lost"));
        return;
    }
    alerts.waiting[(alerts.first + alerts.count++) % ALERTS_WAITING_MAX] = alert;
    begin();
}

void alert_done(struct call *call)
{
    alerts.is_stopping = true;
    call->deadline_ms = clock_monotonic_ms() + STOP_MS;
    while (alerts.is_running && task_sleep(call, LOOK_MS) == OK)
        ;
    helper_free(alerts.thread);
    alerts.thread = NULL;
}

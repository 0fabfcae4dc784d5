/* Spans on their way to a collector in a thread: settings, batches, what is tried again and what is lost. */
#include "net/otlp.h"

#include "base/metrics.h"
#include "json/json.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "net/task.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TAKEN "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
#define BUSY "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
#define BROKEN "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

enum { REQUESTS_MAX = 4, REQUEST_BYTES = 256 * 1024, PATIENCE_MS = 10 * 1000 };

/* Answers request i with answers[i], and keeps it. */
static struct {
    int fd;
    uint16_t port;
    pthread_t thread;
    const char *answers[REQUESTS_MAX];
    char *requests[REQUESTS_MAX];
    atomic_int n;
} collector;

static bool is_whole(const char *request, size_t len)
{
    const char *end = strstr(request, "\r\n\r\n"), *length = strcasestr(request, "\r\nContent-Length: ");
    return end && len >= (size_t)(end + 4 - request) + (length ? strtoul(length + 18, NULL, 10) : 0);
}

static void *collect(void *context)
{
    int fd;
    (void)context;
    while ((fd = accept(collector.fd, NULL, NULL)) >= 0) {
        char *request = calloc(1, REQUEST_BYTES + 1);
        size_t len = 0;
        ssize_t got;
        int n = collector.n;
        while (!is_whole(request, len) && (got = recv(fd, request + len, REQUEST_BYTES - len, 0)) > 0)
            len += (size_t)got;
        const char *answer = n < REQUESTS_MAX && collector.answers[n] ? collector.answers[n] : BROKEN;
        if (n < REQUESTS_MAX)
            collector.requests[n] = request;
        else
            free(request);
        collector.n++;
        send(fd, answer, strlen(answer), MSG_NOSIGNAL);
        close(fd);
    }
    return NULL;
}

static void open_collector(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    for (collector.port = 27800; collector.port < 27900; collector.port++) {
        collector.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        setsockopt(collector.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        address.sin_port = htons(collector.port);
        if (bind(collector.fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(collector.fd, 16) == 0)
            break;
        close(collector.fd);
    }
    assert_true(collector.port < 27900);
    assert_int_equal(pthread_create(&collector.thread, NULL, collect, NULL), 0);
}

static void close_collector(void)
{
    shutdown(collector.fd, SHUT_RDWR);
    pthread_join(collector.thread, NULL);
    close(collector.fd);
}

/* ---- one test's scene */

static struct call call;
static bool is_done;

static int set_up_all(void **state)
{
    static struct egress_policy policy;
    const struct http_client_settings settings = {.policy = &policy, .connect_ms = 500, .first_byte_ms = 2000};
    (void)state;
    open_collector();
    return loop_init() && http_client_init(&settings) == OK ? 0 : -1;
}

static int tear_down_all(void **state)
{
    (void)state;
    close_collector();
    http_client_done();
    loop_done();
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    collector.n = 0;
    memset(collector.answers, 0, sizeof collector.answers);
    call_init(&call, arena_new(16 * 1024 * 1024), 60 * 1000);
    return metrics_open(-1) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    metrics_close();
    arena_free(call.arena);
    for (size_t i = 0; i < REQUESTS_MAX; i++) {
        free(collector.requests[i]);
        collector.requests[i] = NULL;
    }
    return 0;
}

static struct otlp_settings settings_of(const char *headers)
{
    return (struct otlp_settings){.endpoint = call_format(&call, "http://127.0.0.1:%d/in/", collector.port),
                                  .headers = str_from(headers),
                                  .service = STR("porteiro \"x\""),
                                  .instance = STR("host/1")};
}

static void begin(const char *headers)
{
    const struct otlp_settings settings = settings_of(headers);
    const char *problem = "";
    if (otlp_init(&settings, &problem) != OK)
        fail_msg("%s", problem);
    assert_true(otlp_is_on());
}

static void add(size_t count)
{
    for (size_t i = 0; i < count; i++)
        otlp_add(call_format(&call, "{\"name\":\"%zu\"}", i));
}

static void run_done(struct call *task, void *context)
{
    (void)context;
    otlp_done(task);
}

static void note_done(struct call *task, void *context)
{
    (void)task;
    (void)context;
    is_done = true;
}

static void run(void (*work)(struct call *, void *), void *context)
{
    struct call task;
    is_done = false;
    call_init(&task, arena_new(4 * 1024 * 1024), PATIENCE_MS);
    assert_int_equal(task_spawn(&task, work, note_done, context), OK);
    while (!is_done)
        loop_turn();
    arena_free(task.arena);
}

/* The spans that came to that end. */
static int64_t counted(const char *outcome)
{
    struct buf text;
    int64_t count = 0;
    buf_init(&text, call.arena, 1024 * 1024);
    metrics_write(&text);
    struct str start = call_format(&call, "porteiro_spans_total{outcome=\"%s\"} ", outcome), line,
               rest = buf_str(&text);
    while (str_next(&rest, '\n', &line))
        if (str_starts_with(line, start))
            assert_true(str_to_i64(str_from_offset(line, start.len), &count));
    return count;
}

/* Turns until so many spans have come to that end. */
static void until(const char *outcome, int64_t count)
{
    int64_t latest_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (counted(outcome) < count) {
        assert_true(clock_monotonic_ms() < latest_ms);
        loop_turn();
    }
    assert_int_equal(counted(outcome), count);
}

static const struct json *body_at(size_t i)
{
    const struct json *body;
    assert_non_null(collector.requests[i]);
    const char *at = strstr(collector.requests[i], "\r\n\r\n");
    assert_non_null(at);
    assert_int_equal(json_parse(call.arena, str_from(at + 4), NULL, &body, NULL), OK);
    return body;
}

static const struct json *first_of(const struct json *object, const char *member)
{
    return json_at(json_get(object, str_from(member)), 0);
}

static const struct json *spans_at(size_t i)
{
    return json_get(first_of(first_of(body_at(i), "resourceSpans"), "scopeSpans"), STR("spans"));
}

/* ---- tests */

static void refused(const struct otlp_settings *settings, const char *word)
{
    const char *problem = NULL;
    assert_int_equal(otlp_init(settings, &problem), E_INVALID);
    assert_true(problem && strstr(problem, word));
    assert_false(otlp_is_on());
    otlp_add(STR("{}"));
    assert_int_equal(counted("sent"), 0);
}

static void test_settings(void **state)
{
    static const char *const bad_addresses[] = {"collector", "ftp://a", "http://a/?b=c", "http://"};
    static const char *const bad_headers[] = {"a", "=b", "a=%0d%0ab", "a=1,b=2,c=3,d=4,e=5,f=6,g=7,h=8,i=9"};
    (void)state;
    struct otlp_settings settings = settings_of("");
    const char *problem;
    for (size_t i = 0; i < ARRAY_LENGTH(bad_addresses); i++) {
        settings.endpoint = str_from(bad_addresses[i]);
        refused(&settings, "OTEL_EXPORTER_OTLP_ENDPOINT");
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad_headers); i++) {
        settings = settings_of(bad_headers[i]);
        refused(&settings, "OTEL_EXPORTER_OTLP_HEADERS");
    }
    settings = settings_of("");
    settings.service = str_of(arena_alloc(call.arena, 4096), 4096);
    refused(&settings, "OTEL_SERVICE_NAME");
    settings.endpoint = STR_EMPTY;
    assert_int_equal(otlp_init(&settings, &problem), OK);
    assert_false(otlp_is_on());
}

static void test_sent(void **state)
{
    (void)state;
    collector.answers[0] = TAKEN;
    begin("x-key=a%20b, x-two = c");
    add(3);
    run(run_done, NULL); /* does not wait until a batch is due */
    assert_false(otlp_is_on());
    assert_int_equal(counted("sent"), 3);
    assert_int_equal(collector.n, 1);
    assert_non_null(strstr(collector.requests[0], "POST /in/v1/traces HTTP/1.1\r\n"));
    assert_non_null(strstr(collector.requests[0], "\r\nx-key: a b\r\n"));
    assert_non_null(strstr(collector.requests[0], "\r\nx-two: c\r\n"));
    assert_int_equal(json_count(spans_at(0)), 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(str_eq(json_str(json_get(json_at(spans_at(0), i), STR("name"))), call_format(&call, "%zu", i)));
    const struct json *service =
        first_of(json_get(first_of(body_at(0), "resourceSpans"), STR("resource")), "attributes");
    assert_true(str_eq(json_str(json_get(service, STR("key"))), STR("service.name")));
    assert_true(str_eq(json_str(json_get(json_get(service, STR("value")), STR("stringValue"))), STR("porteiro \"x\"")));
}

/* What the collector does not want is counted apart; more of it than there was is not believed. */
static void test_rejected(void **state)
{
    (void)state;
    collector.answers[0] = "HTTP/1.1 200 OK\r\nContent-Length: 40\r\nConnection: close\r\n\r\n"
                           "{\"partialSuccess\":{\"rejectedSpans\":\"2\"}}";
    collector.answers[1] = "HTTP/1.1 200 OK\r\nContent-Length: 40\r\nConnection: close\r\n\r\n"
                           "{\"partialSuccess\":{\"rejectedSpans\":999}}";
    begin("");
    add(OTLP_BATCH_MAX);
    until("sent", OTLP_BATCH_MAX - 2);
    assert_int_equal(counted("rejected"), 2);
    add(OTLP_BATCH_MAX);
    until("sent", 2 * OTLP_BATCH_MAX - 2);
    run(run_done, NULL);
    assert_int_equal(counted("rejected"), 2);
}

static void test_tried_again(void **state)
{
    (void)state;
    collector.answers[0] = collector.answers[1] = BUSY;
    collector.answers[2] = TAKEN;
    begin("");
    add(OTLP_BATCH_MAX + 1); /* the last waits its turn */
    until("sent", OTLP_BATCH_MAX);
    assert_int_equal(collector.n, OTLP_TRIES);
    for (size_t i = 0; i < OTLP_TRIES; i++)
        assert_int_equal(json_count(spans_at(i)), OTLP_BATCH_MAX);
    collector.answers[3] = TAKEN;
    run(run_done, NULL);
    assert_int_equal(counted("sent"), OTLP_BATCH_MAX + 1);
    assert_int_equal(json_count(spans_at(3)), 1);
    assert_int_equal(counted("lost"), 0);
}

static void test_lost(void **state)
{
    (void)state;
    collector.answers[0] = collector.answers[1] = collector.answers[2] = BUSY;
    begin("");
    add(OTLP_BATCH_MAX);
    until("lost", OTLP_BATCH_MAX); /* after three tries */
    assert_int_equal(collector.n, OTLP_TRIES);
    add(OTLP_BATCH_MAX);
    until("lost", 2 * OTLP_BATCH_MAX); /* 400: at once */
    assert_int_equal(collector.n, OTLP_TRIES + 1);
    run(run_done, NULL);
    assert_int_equal(counted("sent"), 0);
}

/* Nobody waits for a collector, and memory has an end. */
static void test_dropped(void **state)
{
    (void)state;
    begin("");
    add(OTLP_WAITING_MAX + 7);
    assert_int_equal(counted("dropped"), 7);
    assert_int_equal(collector.n, 0);
    collector.answers[0] = collector.answers[1] = collector.answers[2] = collector.answers[3] = TAKEN;
    run(run_done, NULL);
    assert_int_equal(counted("sent"), OTLP_WAITING_MAX);
}

static void test_away(void **state)
{
    (void)state;
    struct otlp_settings settings = settings_of("");
    const char *problem;
    settings.endpoint = STR("http://127.0.0.1:1");
    assert_int_equal(otlp_init(&settings, &problem), OK);
    add(2);
    int64_t began_ms = clock_monotonic_ms();
    run(run_done, NULL);
    assert_in_range(clock_monotonic_ms() - began_ms, 0, 5000);
    assert_int_equal(counted("lost"), 2);
}

static void run_try(struct call *task, void *context)
{
    int64_t elapsed_ms;
    int *error = context;
    *error = otlp_try(task, &elapsed_ms);
    if (*error == OK)
        assert_in_range(elapsed_ms, 0, PATIENCE_MS);
    else
        assert_true(str_ends_with(task->error_text, STR("/in/v1/traces answered 400.")));
}

static void test_try(void **state)
{
    (void)state;
    int error;
    collector.answers[0] = TAKEN;
    begin("");
    run(run_try, &error);
    assert_int_equal(error, OK);
    assert_int_equal(json_count(spans_at(0)), 0);
    run(run_try, &error);
    assert_int_equal(error, E_UPSTREAM);
    run(run_done, NULL);
}

int main(void)
{
    setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failed test leaves tasks with pointers into its stack */
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_settings), TEST(test_sent),    TEST(test_rejected), TEST(test_tried_again),
        TEST(test_lost),     TEST(test_dropped), TEST(test_away),     TEST(test_try),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}

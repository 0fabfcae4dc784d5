/* Bodies that a handler reads in pieces: framing, back pressure, limits of size and time, clients that leave. */
#include "net/http_test_help.h"

enum { BODY_MAX = 96 << 20, PIECE = 64 * 1024 };

static struct {
    int error;
    size_t bytes, largest, whole;
    int64_t length;
    uint64_t sum;
} got;

static uint64_t streamed_max(const struct http_request *request, void *context)
{
    (void)context;
    return str_starts_with(request->path, STR("/in")) ? BODY_MAX : 0;
}

/* A sum that does not depend on how the bytes are cut. */
static uint64_t add_up(uint64_t sum, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum = sum * 31 + (unsigned char)bytes[i];
    return sum;
}

static int read_all(struct call *call, struct http_exchange *exchange, int64_t pause_ms, size_t piece)
{
    char *room = arena_alloc(call->arena, piece);
    for (;;) {
        size_t count;
        int error = http_body_read(call, exchange, room, piece, &count);
        if (error || !count)
            return error;
        got.bytes += count;
        got.largest = count > got.largest ? count : got.largest;
        got.sum = add_up(got.sum, room, count);
        if (pause_ms && (error = task_sleep(call, pause_ms)))
            return error;
    }
}

static void serve(struct call *call, struct http_exchange *exchange, void *context)
{
    const struct http_request *request = http_exchange_request(exchange);
    struct str path = request->path;
    (void)context;
    got.whole = request->body.len;
    got.length = http_body_length(exchange);
    if (str_eq(path, STR("/in/refuse"))) {
        http_answer(exchange, 403, STR("text/plain"), STR("no"));
        return;
    }
    if (str_eq(path, STR("/in/wait")) && task_sleep(call, 300) != OK)
        return;
    got.error = read_all(call, exchange, str_eq(path, STR("/in/slow")) ? 60 : 0,
                         str_eq(path, STR("/in/small")) ? 7 : (size_t)PIECE);
    int status = got.error == E_TIMEOUT ? 408 : got.error == E_LIMIT ? 413 : got.error ? 400 : 200;
    http_answer(exchange, status, STR("text/plain"),
                call_format(call, "%zu %llx", got.bytes, (unsigned long long)got.sum));
}

static void play_body(void (*client)(struct scene *), struct http_server_settings settings)
{
    struct scene scene;
    memset(&got, 0, sizeof got);
    settings.handler = serve;
    settings.streamed_body_max = streamed_max;
    play_with(settings, &scene, client);
}

static char pattern[1 << 20];

static void expect_sum(struct str answer, int status, const char *bytes, size_t len)
{
    char text[64];
    snprintf(text, sizeof text, "%zu %llx", len, (unsigned long long)add_up(0, bytes, len));
    CHECK(status_is(answer, status));
    CHECK(str_ends_with(answer, str_from(text)));
}

/* --- framing ----------------------------------------------------------------------------------------------------------- */

static void client_plain(struct scene *scene)
{
    char room[4096], head[128];
    int fd = dial(scene->port);
    for (size_t len = 1; len <= sizeof pattern; len = len * 5 + 3) {
        int n = snprintf(head, sizeof head, "PUT /in HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", len);
        got.bytes = 0, got.sum = 0;
        say(fd, str_of(head, (size_t)n));
        say(fd, str_of(pattern, len / 3));
        pause_ms(5);
        say(fd, str_of(pattern + len / 3, len - len / 3));
        char end[64];
        snprintf(end, sizeof end, "%zu %llx", len, (unsigned long long)add_up(0, pattern, len));
        expect_sum(hear(fd, room, sizeof room, end), 200, pattern, len);
        CHECK(got.length == (int64_t)len && got.whole == 0);
    }
    close(fd);
}

/* Two chunked ones and a plain request in one go; in pieces of one byte, and read in pieces of seven. */
static void client_chunked(struct scene *scene)
{
    static const char bytes[] = "PUT /in/small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "b;x=y\r\nhello world\r\n1\r\n!\r\n0\r\nT: x\r\n\r\n"
                                "GET /in HTTP/1.1\r\nHost: x\r\n\r\n"
                                "PUT /in HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";
    char room[4096];
    for (size_t step = 1; step < sizeof bytes; step = step == 1 ? 10 : sizeof bytes) {
        int fd = dial(scene->port);
        got.bytes = 0, got.sum = 0;
        for (size_t at = 0; at < sizeof bytes - 1; at += step)
            say(fd, str_sub(STR(bytes), at, step));
        struct str answer = hear(fd, room, sizeof room, NULL);
        CHECK(count_of(answer, "HTTP/1.1 200 OK") == 3);
        CHECK(str_contains(answer, STR("\r\n\r\n12 ")) && str_contains(answer, STR("\r\n\r\n15 ")));
        close(fd);
    }
}

static void client_bad_chunk(struct scene *scene)
{
    CHECK(status_is(ask(scene,
                        STR("PUT /in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n"
                            "GET /in HTTP/1.1\r\nHost: x\r\n\r\n"),
                        false),
                    400));
    CHECK(got.error == E_INVALID);
}

static void test_framing(void **state)
{
    (void)state;
    play_body(client_plain, (struct http_server_settings){0});
    play_body(client_chunked, (struct http_server_settings){0});
    play_body(client_bad_chunk, (struct http_server_settings){0});
}

/* --- size -------------------------------------------------------------------------------------------------------------- */

static void client_too_large(struct scene *scene)
{
    char room[4096];
    CHECK(status_is(ask(scene, STR("PUT /in HTTP/1.1\r\nHost: x\r\nContent-Length: 100663297\r\n\r\n"), false), 413));
    CHECK(got.length == 0); /* the handler never ran */
    int fd = dial(scene->port);
    say(fd, STR("PUT /in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n6000001\r\n"));
    for (int i = 0; i < 96; i++)
        say(fd, str_of(pattern, sizeof pattern));
    say(fd, STR("x\r\n0\r\n\r\n"));
    CHECK(status_is(hear(fd, room, sizeof room, NULL), 413));
    CHECK(got.error == E_LIMIT);
    close(fd);
}

static void test_size(void **state)
{
    (void)state;
    play_body(client_too_large, (struct http_server_settings){0});
}

/* --- back pressure ----------------------------------------------------------------------------------------------------- */

/* As long as nobody reads, what the client can send is what sockets hold; nothing collects in our memory. */
static void client_pressure(struct scene *scene)
{
    char room[4096];
    int fd = dial(scene->port);
    struct rusage before, after;
    say(fd, STR("PUT /in/wait HTTP/1.1\r\nHost: x\r\nContent-Length: 67108864\r\n\r\n"));
    getrusage(RUSAGE_SELF, &before);
    size_t early = 0, sent = 0;
    int64_t begun_ms = clock_monotonic_ms();
    for (ssize_t count; clock_monotonic_ms() - begun_ms < 150;) {
        count = send(fd, pattern, sizeof pattern, MSG_NOSIGNAL | MSG_DONTWAIT);
        early += count > 0 ? (size_t)count : 0;
        if (count <= 0)
            pause_ms(5);
    }
    CHECK(early < 32 << 20);
    for (sent = early; sent < 64 << 20;) {
        size_t left = (64 << 20) - sent;
        ssize_t count = send(fd, pattern, left < sizeof pattern ? left : sizeof pattern, MSG_NOSIGNAL);
        if (count <= 0)
            break;
        sent += (size_t)count;
    }
    CHECK(status_is(hear(fd, room, sizeof room, "\r\n\r\n67108864 "), 200));
    getrusage(RUSAGE_SELF, &after);
    CHECK(got.bytes == 64 << 20 && got.largest <= PIECE);
    scene->connections = (size_t)(after.ru_maxrss - before.ru_maxrss);
    close(fd);
}

static void test_pressure(void **state)
{
    (void)state;
    struct scene scene;
    memset(&got, 0, sizeof got);
    play_with(
        (struct http_server_settings){.handler = serve, .streamed_body_max = streamed_max, .idle_timeout_ms = 100},
        &scene, client_pressure);
    assert_true(scene.connections < 4096); /* KiB, for 64 MiB */
}

/* --- 100-continue, answers before the end ------------------------------------------------------------------------------ */

static void client_continue(struct scene *scene)
{
    char room[4096];
    int fd = dial(scene->port);
    say(fd, STR("PUT /in/refuse HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"));
    struct str answer = hear(fd, room, sizeof room, NULL);
    CHECK(str_starts_with(answer, STR("HTTP/1.1 403 ")) && str_contains(answer, STR("\r\nConnection: close\r\n")));
    close(fd);
    fd = dial(scene->port);
    say(fd, STR("PUT /in HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"));
    answer = hear(fd, room, sizeof room, "\r\n\r\n");
    CHECK(str_eq(answer, STR("HTTP/1.1 100 Continue\r\n\r\n")));
    say(fd, STR("hello"));
    CHECK(status_is(hear(fd, room, sizeof room, "5 "), 200));
    close(fd);
}

/* The answer reaches a client that goes on sending for a while. */
static void client_early_answer(struct scene *scene)
{
    char room[4096];
    int fd = dial(scene->port);
    say(fd, STR("PUT /in/refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 4194304\r\n\r\n"));
    for (int i = 0; i < 4; i++)
        say(fd, str_of(pattern, sizeof pattern));
    CHECK(status_is(hear(fd, room, sizeof room, NULL), 403));
    close(fd);
}

static void test_early_answers(void **state)
{
    (void)state;
    play_body(client_continue, (struct http_server_settings){0});
    play_body(client_early_answer, (struct http_server_settings){0});
}

/* --- slow and gone clients --------------------------------------------------------------------------------------------- */

static void client_stalls(struct scene *scene)
{
    struct str answer =
        ask(scene, STR("PUT /in HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nhalf of it"), false);
    CHECK(status_is(answer, 408));
    CHECK(got.error == E_TIMEOUT);
}

static void client_trickles(struct scene *scene)
{
    char room[4096];
    int fd = dial(scene->port);
    int64_t begun_ms = clock_monotonic_ms();
    say(fd, STR("PUT /in HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"));
    while (!got.error && clock_monotonic_ms() - begun_ms < 3000) {
        say(fd, STR("x"));
        pause_ms(20);
    }
    CHECK(got.error == E_TIMEOUT);
    CHECK(clock_monotonic_ms() - begun_ms < 1500);
    CHECK(status_is(hear(fd, room, sizeof room, NULL), 408));
    close(fd);
}

/* It is the handler that takes its time here: twenty pieces, 60 ms each, with 150 ms granted in all. */
static void client_patient(struct scene *scene)
{
    char room[4096];
    int fd = dial(scene->port);
    say(fd, STR("PUT /in/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n"));
    say(fd, str_of(pattern, sizeof pattern));
    char end[64];
    snprintf(end, sizeof end, "%zu %llx", sizeof pattern, (unsigned long long)add_up(0, pattern, sizeof pattern));
    expect_sum(hear(fd, room, sizeof room, end), 200, pattern, sizeof pattern);
    CHECK(got.bytes == sizeof pattern && !got.error);
    close(fd);
}

static void client_leaves(struct scene *scene)
{
    int fd = dial(scene->port);
    say(fd, STR("PUT /in HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nhalf of it"));
    pause_ms(20);
    close(fd);
    for (int i = 0; i < 200 && !got.error; i++)
        pause_ms(10);
    CHECK(got.error == E_CANCELLED);
}

static void test_time(void **state)
{
    (void)state;
    play_body(client_stalls, (struct http_server_settings){.body_stall_ms = 80});
    play_body(client_trickles, (struct http_server_settings){.body_grace_ms = 150});
    play_body(client_leaves, (struct http_server_settings){0});
}

static void test_own_slowness(void **state)
{
    (void)state;
    struct scene scene;
    memset(&got, 0, sizeof got);
    play_with((struct http_server_settings){.handler = serve,
                                            .streamed_body_max = streamed_max,
                                            .body_grace_ms = 150,
                                            .body_min_bytes_per_s = 100 << 20},
              &scene, client_patient);
}

int main(void)
{
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (char)(i * 7 + i / 251);
    if (!loop_init())
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_framing),       cmocka_unit_test(test_size), cmocka_unit_test(test_pressure),
        cmocka_unit_test(test_early_answers), cmocka_unit_test(test_time), cmocka_unit_test(test_own_slowness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

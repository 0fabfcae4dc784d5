/* The server on real sockets: a thread plays the client, the main thread serves the loop. */
#include "net/http_server.h"

#include "net/http_connection.h"
#include "net/loop.h"
#include "net/task.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* --- the handler: what it does is in the path -------------------------------------------------------------------------- */

static struct {
    int calls;
    int cancelled;
    int echoed, drained;
    int stream_result;

} seen;

static void answer_echo(struct call *call, struct http_exchange *exchange)
{
    const struct http_request *request = http_exchange_request(exchange);
    struct str text = call_format(call, "%.*s %.*s?%.*s [%.*s]", STR_ARG(request->method), STR_ARG(request->path),
                                  STR_ARG(request->query), STR_ARG(request->body));
    http_answer_header(exchange, STR("X-Test"), STR("yes"));
    http_answer(exchange, 200, STR("text/plain"), text);
    seen.echoed++;
}

static void answer_sum(struct call *call, struct http_exchange *exchange)
{
    struct str body = http_exchange_request(exchange)->body;
    http_answer(exchange, 200, STR("text/plain"),
                call_format(call, "%zu %llx", body.len, (unsigned long long)str_hash(body)));
}

static void answer_stream(struct call *call, struct http_exchange *exchange, size_t pieces, size_t piece_bytes)
{
    char *piece = arena_alloc(call->arena, piece_bytes);
    seen.stream_result = http_stream_begin(call, exchange, 200, STR("text/event-stream"));
    for (size_t i = 0; i < pieces && !seen.stream_result; i++) {
        memset(piece, 'a' + (int)(i % 26), piece_bytes);
        seen.stream_result = http_stream_write(call, exchange, str_of(piece, piece_bytes));
    }
    if (!seen.stream_result)
        http_stream_end(exchange);
}

static void handler(struct call *call, struct http_exchange *exchange, void *context)
{
    const struct http_request *request = http_exchange_request(exchange);
    struct str path = request->path;
    (void)context;
    seen.calls++;
    if (str_eq(path, STR("/echo"))) {
        answer_echo(call, exchange);
    } else if (str_eq(path, STR("/slow"))) {
        if (task_sleep(call, 20) == OK)
            answer_echo(call, exchange);
    } else if (str_eq(path, STR("/sum"))) {
        answer_sum(call, exchange);
    } else if (str_eq(path, STR("/empty"))) {
        http_answer(exchange, 204, STR_EMPTY, STR_EMPTY);
    } else if (str_eq(path, STR("/large"))) {
        size_t size = 8 << 20;
        http_answer(exchange, 200, STR("text/plain"), str_of(memset(arena_alloc(call->arena, size), 'x', size), size));
    } else if (str_eq(path, STR("/stream"))) {
        answer_stream(call, exchange, 10, 5);
    } else if (str_eq(path, STR("/flood"))) {
        answer_stream(call, exchange, 400, 100000);
    } else if (str_eq(path, STR("/broken-stream"))) {
        seen.stream_result = http_stream_begin(call, exchange, 200, STR("text/event-stream"));
    } else if (str_eq(path, STR("/greedy"))) {
        for (;;)
            arena_alloc(call->arena, 100000);
    } else if (str_eq(path, STR("/split"))) {
        http_answer_header(exchange, STR("X-Test"), STR("a\r\nSet-Cookie: b"));
        http_answer(exchange, 200, STR("text/plain"), STR("never seen"));
    } else if (str_eq(path, STR("/wait"))) {
        http_exchange_cancel_on_close(exchange, true);
        if (task_sleep(call, 5000) == E_CANCELLED)
            seen.cancelled++;
        else
            answer_echo(call, exchange);
    }
    /* anything else: no answer */
}

/* cmocka's own assertions jump, and must not do so in the client's thread. */
static int failures;
#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                    \
            failures++;                                                                                                \
        }                                                                                                              \
    } while (0)

/* --- the client's side ------------------------------------------------------------------------------------------------- */

struct scene {
    struct http_server *server;
    int port;
    void (*play)(struct scene *);
    bool ended;
    struct loop_post post;
    pthread_t thread;
    size_t connections; /* a number from the client's side to the test */
};

static int dial(int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = 20};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        return -1;
    return fd;
}

static void say(int fd, struct str text)
{
    while (text.len) {
        ssize_t sent = send(fd, text.ptr, text.len, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        text = str_from_offset(text, (size_t)sent);
    }
}

/* All that comes until the end, or until `enough` has come. */
static struct str hear(int fd, char *room, size_t size, const char *enough)
{
    size_t len = 0;
    while (len < size) {
        ssize_t count = read(fd, room + len, size - len);
        if (count <= 0)
            break;
        len += (size_t)count;
        if (enough && str_contains(str_of(room, len), str_from(enough)))
            break;
    }
    return str_of(room, len);
}

static size_t count_of(struct str text, const char *part)
{
    size_t count = 0, at;
    struct str what = str_from(part);
    while ((at = str_find(text, what)) != STR_NOT_FOUND) {
        count++;
        text = str_from_offset(text, at + what.len);
    }
    return count;
}

static void scene_ended(void *context)
{
    ((struct scene *)context)->ended = true;
}

static void *client_thread(void *context)
{
    struct scene *scene = context;
    scene->play(scene);
    scene->post = (struct loop_post){.run = scene_ended, .context = scene};
    loop_post(&scene->post);
    return NULL;
}

static void play_with(struct http_server_settings settings, struct scene *scene, void (*play)(struct scene *))
{
    struct str error = STR_EMPTY;
    memset(&seen, 0, sizeof seen);
    failures = 0;
    settings.handler = handler;
    *scene = (struct scene){.server = http_server_new(&settings), .play = play};
    assert_non_null(scene->server);
    assert_int_equal(http_server_listen(scene->server, STR("127.0.0.1:0"), &error), OK);
    scene->port = http_server_port(scene->server);
    pthread_create(&scene->thread, NULL, client_thread, scene);
    while (!scene->ended)
        loop_turn();
    pthread_join(scene->thread, NULL);
    http_server_drain(scene->server);
    http_server_cancel_all(scene->server);
    while (http_server_busy(scene->server))
        loop_turn();
    http_server_free(scene->server);
    assert_int_equal(failures, 0);
}

static void play(void (*client)(struct scene *))
{
    struct scene scene;
    play_with((struct http_server_settings){0}, &scene, client);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

/* --- plain requests ---------------------------------------------------------------------------------------------------- */

static void client_plain(struct scene *scene)
{
    char room[4096];
    int fd = dial(scene->port);
    for (int i = 0; i < 3; i++) {
        say(fd, STR("POST /echo?a=b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"));
        struct str answer = hear(fd, room, sizeof room, "hello]");
        CHECK(str_starts_with(answer, STR("HTTP/1.1 200 OK\r\nDate: ")));
        CHECK(str_contains(answer, STR(" GMT\r\nContent-Length: 22\r\n")));
        CHECK(str_contains(answer, STR("\r\nX-Test: yes\r\nContent-Type: text/plain\r\n\r\nPOST /echo?a=b [hello]")));
        CHECK(!str_contains(answer, STR("Connection:")));
        CHECK(!str_contains_nocase(answer, STR("\r\nServer:")));
    }
    close(fd);
}

static void client_pipeline(struct scene *scene)
{
    char room[16384];
    int fd = dial(scene->port);
    say(fd, STR(GET("/slow?1") GET("/echo?2") "POST /slow?3 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi" GET(
                "/empty") "POST /echo?4 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                          "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" GET("/echo?5")));
    struct str answer = hear(fd, room, sizeof room, "?5 []");
    size_t last = 0;
    static const char *const parts[] = {"GET /slow?1 []", "GET /echo?2 []",     "POST /slow?3 [hi]",
                                        "204 No Content", "POST /echo?4 [abc]", "GET /echo?5 []"};
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
        size_t at = str_find(answer, str_from(parts[i]));
        CHECK(at != STR_NOT_FOUND && at > last);
        last = at;
    }
    CHECK(count_of(answer, "HTTP/1.1 200 OK") == 5);
    close(fd);
}

static void test_plain(void **state)
{
    (void)state;
    play(client_plain);
    assert_int_equal(seen.calls, 3);
}

static void test_pipeline(void **state)
{
    (void)state;
    play(client_pipeline);
    assert_int_equal(seen.calls, 6);
}

/* Says all, closes its side when asked to, and hears until the server closes. */
static struct str ask(struct scene *scene, struct str bytes, bool half_close)
{
    static char room[1 << 16];
    int fd = dial(scene->port);
    say(fd, bytes);
    if (half_close)
        shutdown(fd, SHUT_WR);
    struct str answer = hear(fd, room, sizeof room, NULL);
    close(fd);
    return answer;
}

static bool status_is(struct str answer, int status)
{
    char line[32];
    snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
    return str_starts_with(answer, str_from(line)) &&
           count_of(answer, "HTTP/1.1 2") + count_of(answer, "HTTP/1.1 4") + count_of(answer, "HTTP/1.1 5") == 1;
}

/* --- framing: each of these must be refused once, and the connection closed ------------------------------------------- */

#define START "POST /echo HTTP/1.1\r\n"
#define HEADERS "Host: 127.0.0.1\r\nContent-Type: application/json\r\nAuthorization: Bearer t\r\n"
#define BODY "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}" /* 40 bytes: 28 in hexadecimal */
#define LENGTH "Content-Length: 40\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define GOOD START HEADERS LENGTH "\r\n" BODY

static const struct {
    const char *what;
    struct str bytes;
    int status;
} probes[] = {
    {"bare CR hides TE (CVE-2023-30589)",
     STR_INIT(START HEADERS "X-Abc: \rxTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n0\r\n\r\n"), 400},
    {"length and chunked", STR_INIT(START HEADERS LENGTH CHUNKED "\r\n0\r\n\r\n" GOOD), 400},
    {"two different lengths", STR_INIT(START HEADERS LENGTH "Content-Length: 0\r\n\r\n" BODY), 400},
    {"length with a plus sign", STR_INIT(START HEADERS "Content-Length: +40\r\n\r\n" BODY), 400},
    {"space before the colon", STR_INIT(START HEADERS "Content-Length : 40\r\n\r\n" BODY), 400},
    {"folded line", STR_INIT(START HEADERS LENGTH "X: a\r\n b\r\n\r\n" BODY), 400},
    {"bare LF lines", STR_INIT("POST /echo HTTP/1.1\nHost: 127.0.0.1\nContent-Length: 40\n\n" BODY), 400},
    {"xchunked", STR_INIT(START HEADERS "Transfer-Encoding: xchunked\r\n\r\n" BODY), 501},
    {"chunked, identity", STR_INIT(START HEADERS "Transfer-Encoding: chunked, identity\r\n\r\n" BODY), 400},
    {"NUL in a header", STR_INIT(START HEADERS LENGTH "X: a\0b\r\n\r\n" BODY), 400},
    {"no Host", STR_INIT(START LENGTH "\r\n" BODY), 400},
    {"two Hosts", STR_INIT(START HEADERS "Host: evil.example.com\r\n" LENGTH "\r\n" BODY), 400},
    {"chunk extension ends in LF", STR_INIT(START HEADERS CHUNKED "\r\n28;a\n" BODY "\r\n0\r\n\r\n"), 400},
    {"negative chunk size", STR_INIT(START HEADERS CHUNKED "\r\n-1\r\n" BODY "\r\n0\r\n\r\n"), 400},
    {"chunk longer than its size", STR_INIT(START HEADERS CHUNKED "\r\n5\r\n" BODY "\r\n0\r\n\r\n"), 400},
    {"no version", STR_INIT("POST /echo\r\n" HEADERS LENGTH "\r\n" BODY), 400},
    {"HTTP/2", STR_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505},
    {"TLS", STR_INIT("\x16\x03\x01\x00\xc8\x01"), 400},
    {"length beyond the limit", STR_INIT(START HEADERS "Content-Length: 4194305\r\n\r\n"), 413},
    {"chunk beyond the limit", STR_INIT(START HEADERS CHUNKED "\r\n100000000\r\n"), 413},
};

static void client_probes(struct scene *scene)
{
    for (size_t i = 0; i < ARRAY_LENGTH(probes); i++) {
        struct str answer = ask(scene, probes[i].bytes, false);
        if (!status_is(answer, probes[i].status) || !str_contains(answer, STR("\r\nConnection: close\r\n"))) {
            fprintf(stderr, "%s: %.*s\n", probes[i].what, STR_ARG(answer));
            failures++;
        }
    }
    CHECK(str_contains(ask(scene, STR(GOOD), true), STR("POST /echo? [" BODY "]")));
    CHECK(str_contains(ask(scene, STR(START HEADERS CHUNKED "\r\n28\r\n" BODY "\r\n0\r\n\r\n"), true),
                       STR("POST /echo? [" BODY "]")));
}

static void test_probes(void **state)
{
    (void)state;
    play(client_probes);
    assert_int_equal(seen.calls, 2); /* none of the refused ones reached the handler */
}

/* --- arrival ----------------------------------------------------------------------------------------------------------- */

static void pause_ms(int ms)
{
    usleep((useconds_t)ms * 1000);
}

static const struct str whole[] = {
    STR_INIT("POST /echo?q HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"),
    STR_INIT("POST /echo?q HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2;a\r\nhe\r\n3\r\nllo\r\n0\r\nT: "
             "x\r\n\r\n"),
};

/* On one connection: every request cut in two at each place, and once sent byte by byte. */
static void client_split(struct scene *scene)
{
    char room[1024];
    int fd = dial(scene->port), one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    for (size_t i = 0; i < ARRAY_LENGTH(whole); i++) {
        for (size_t cut = 1; cut < whole[i].len; cut++) {
            say(fd, str_sub(whole[i], 0, cut));
            sched_yield();
            say(fd, str_from_offset(whole[i], cut));
            CHECK(str_contains(hear(fd, room, sizeof room, "hello]"), STR("POST /echo?q [hello]")));
        }
        for (size_t at = 0; at < whole[i].len; at++) {
            say(fd, str_sub(whole[i], at, 1));
            usleep(200);
        }
        CHECK(str_contains(hear(fd, room, sizeof room, "hello]"), STR("POST /echo?q [hello]")));
    }
    close(fd);
}

static void test_split(void **state)
{
    (void)state;
    play(client_split);
    assert_int_equal(seen.calls, whole[0].len + whole[1].len);
}

/* Bodies that do not fit behind their head, with the next request at once behind them. */
static void client_large_bodies(struct scene *scene)
{
    static char body[3 << 20], room[4096], expected[64];
    static const size_t sizes[] = {7000, 8192, 9000, 100000, sizeof body};
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (char)(i * 31 + i / 251);
    int fd = dial(scene->port);
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        struct str text = str_of(body, sizes[i]);
        snprintf(expected, sizeof expected, "\r\n\r\n%zu %llx", text.len, (unsigned long long)str_hash(text));
        for (int chunked = 0; chunked < 2; chunked++) {
            char head[200];
            size_t head_len =
                (size_t)(chunked ? snprintf(head, sizeof head,
                                            "POST /sum HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
                                 : snprintf(head, sizeof head,
                                            "POST /sum HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", text.len));
            say(fd, str_of(head, head_len));
            for (size_t at = 0, part = 1; at < text.len; at += part, part = part * 3 + 1) {
                struct str piece = str_sub(text, at, part);
                char size[32];
                if (chunked)
                    say(fd, str_of(size, (size_t)snprintf(size, sizeof size, "%zx\r\n", piece.len)));
                say(fd, piece);
                if (chunked)
                    say(fd, STR("\r\n"));
            }
            if (chunked)
                say(fd, STR("0\r\n\r\n"));
            say(fd, STR(GET("/echo?next")));
            struct str answer = hear(fd, room, sizeof room, "next []");
            CHECK(str_contains(answer, str_from(expected)));
            CHECK(str_contains(answer, STR("GET /echo?next []")));
        }
    }
    close(fd);
}

static void test_large_bodies(void **state)
{
    (void)state;
    play(client_large_bodies);
    assert_int_equal(seen.calls, 20);
}

/* A head close to its limit, so that the buffer grows, with a chunked body behind it. */
static void client_large_head(struct scene *scene)
{
    static char request[HTTP_HEAD_MAX_BYTES + 100];
    size_t len = (size_t)snprintf(request, sizeof request, "POST /echo?%08000d HTTP/1.1\r\nHost: x\r\n", 7);
    for (int i = 0; i < 30; i++)
        len += (size_t)snprintf(request + len, sizeof request - len, "X-%d: %01000d\r\n", i, i);
    len +=
        (size_t)snprintf(request + len, sizeof request - len, "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
    struct str answer = ask(scene, str_of(request, len), true);
    CHECK(status_is(answer, 200) && str_ends_with(answer, STR("0007 [hi]")));
    /* one too many */
    memset(request, 'x', sizeof request);
    memcpy(request, "GET / HTTP/1.1\r\nHost: x\r\nX: ", 28);
    CHECK(status_is(ask(scene, str_of(request, sizeof request), false), 431));
    memcpy(request, "GET /", 5);
    memset(request + 5, 'x', 100);
    CHECK(status_is(ask(scene, str_of(request, sizeof request), false), 414));
}

static void test_large_head(void **state)
{
    (void)state;
    play(client_large_head);
    assert_int_equal(seen.calls, 1);
}

/* --- answers ----------------------------------------------------------------------------------------------------------- */

static void client_answers(struct scene *scene)
{
    struct str answer = ask(scene, STR("HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\n" GET("/empty")), true);
    CHECK(str_contains(answer, STR("Content-Length: 14\r\n")) && !str_contains(answer, STR("[]")));
    answer = str_from_offset(answer, str_find(answer, STR("HTTP/1.1 204 No Content\r\n")));
    CHECK(answer.len && !str_contains(answer, STR("Content-")) && str_ends_with(answer, STR("\r\n\r\n")));
    answer = ask(scene, STR("GET /echo HTTP/1.0\r\n\r\n"), false);
    CHECK(status_is(answer, 200) && str_contains(answer, STR("Connection: close\r\n")));
    answer =
        ask(scene, STR("GET /echo?1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /echo?2 HTTP/1.0\r\n\r\n"), false);
    CHECK(count_of(answer, "Connection: keep-alive\r\n") == 1 && count_of(answer, "Connection: close\r\n") == 1);
    CHECK(str_ends_with(answer, STR("?2 []")));
    answer = ask(scene, STR("GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" GET("/echo")), false);
    CHECK(status_is(answer, 200) && str_contains(answer, STR("Connection: close\r\n")));
    CHECK(status_is(ask(scene, STR(GET("/nothing")), true), 500));
    answer = ask(scene, STR(GET("/split")), true);
    CHECK(status_is(answer, 500) && !str_contains(answer, STR("Set-Cookie")) &&
          !str_contains(answer, STR("never seen")));
    answer = ask(scene, STR(GET("/greedy")), true);
    CHECK(status_is(answer, 503) && str_contains(answer, STR("Retry-After: ")) &&
          str_contains(answer, STR("more memory")));
    CHECK(status_is(ask(scene, STR(GET("/echo")), true), 200));
}

static void test_answers(void **state)
{
    (void)state;
    play(client_answers);
}

static void client_expect(struct scene *scene)
{
    char room[4096];
    int fd = dial(scene->port);
    say(fd, STR("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"));
    CHECK(str_eq(hear(fd, room, sizeof room, "\r\n\r\n"), STR("HTTP/1.1 100 Continue\r\n\r\n")));
    say(fd, STR("hello"));
    CHECK(str_contains(hear(fd, room, sizeof room, "]"), STR("[hello]")));
    /* the body came along: no 100 any more */
    say(fd, STR("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello"));
    CHECK(str_starts_with(hear(fd, room, sizeof room, "]"), STR("HTTP/1.1 200")));
    /* refused before it is sent */
    say(fd, STR("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\nExpect: 100-continue\r\n\r\n"));
    CHECK(str_starts_with(hear(fd, room, sizeof room, NULL), STR("HTTP/1.1 413")));
    close(fd);
}

static void test_expect(void **state)
{
    (void)state;
    play(client_expect);
    assert_int_equal(seen.calls, 2);
}

static void client_many_requests(struct scene *scene)
{
    struct str answer = ask(scene, STR(GET("/echo?1") GET("/echo?2") GET("/echo?3") GET("/echo?4")), false);
    CHECK(count_of(answer, "HTTP/1.1 200") == 3 && count_of(answer, "Connection: close") == 1);
    CHECK(str_ends_with(answer, STR("?3 []")));
}

static void test_many_requests(void **state)
{
    struct scene scene;
    (void)state;
    play_with((struct http_server_settings){.max_requests_per_connection = 3}, &scene, client_many_requests);
    assert_int_equal(seen.calls, 3);
}

/* The body is thrown away for a moment after 413, so that the client, still sending, can read the answer. */
static void client_too_large(struct scene *scene)
{
    static char body[1 << 20], room[4096];
    memset(body, 'x', sizeof body);
    for (int chunked = 0; chunked < 2; chunked++) {
        int fd = dial(scene->port);
        say(fd, chunked ? STR("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n")
                        : STR("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n"));
        say(fd, str_of(body, sizeof body));
        CHECK(status_is(hear(fd, room, sizeof room, NULL), 413));
        close(fd);
    }
}

static void test_too_large(void **state)
{
    struct scene scene;
    (void)state;
    play_with((struct http_server_settings){.max_body_bytes = 1000}, &scene, client_too_large);
    assert_int_equal(seen.calls, 0);
}

/* --- slow and gone clients --------------------------------------------------------------------------------------------- */

static void client_slow(struct scene *scene)
{
    char room[4096];
    int head = dial(scene->port), body = dial(scene->port), steady = dial(scene->port), idle = dial(scene->port);
    int64_t began_ms = clock_monotonic_ms();
    say(head, STR("GET /echo HTTP/1.1\r\nHost"));
    say(body, STR("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx"));
    say(steady, STR("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n"));
    for (int i = 0; i < 40; i++) { /* 100 bytes a second: as fast as it must be, for longer than the grace */
        pause_ms(10);
        say(steady, STR("x"));
        if (i % 10 == 0)
            say(head, STR("a")); /* a byte now and then buys no time */
    }
    CHECK(status_is(hear(steady, room, sizeof room, "]"), 200));
    CHECK(status_is(hear(head, room, sizeof room, NULL), 408));
    CHECK(status_is(hear(body, room, sizeof room, NULL), 408));
    CHECK(hear(idle, room, sizeof room, NULL).len == 0); /* closed without a word */
    CHECK(clock_monotonic_ms() - began_ms < 5000);
    close(head), close(body), close(steady), close(idle);
}

static void test_slow(void **state)
{
    struct scene scene;
    (void)state;
    struct http_server_settings settings = {
        .head_timeout_ms = 200, .body_grace_ms = 200, .body_min_bytes_per_s = 50, .idle_timeout_ms = 800};
    play_with(settings, &scene, client_slow);
    assert_int_equal(seen.calls, 1);
}

static void client_half(struct scene *scene)
{
    /* all of it is answered, though the client's side was closed before */
    struct str answer = ask(scene, STR(GET("/slow?1") GET("/slow?2") GET("/echo?3")), true);
    CHECK(count_of(answer, "HTTP/1.1 200") == 3 && str_ends_with(answer, STR("?3 []")));
    CHECK(count_of(answer, "Connection: close") == 1);
    /* half a request behind it is not */
    answer = ask(scene, STR(GET("/slow?1") "GET /slow?2 HT"), true);
    CHECK(count_of(answer, "HTTP/1.1 ") == 1);
    CHECK(ask(scene, STR("GET /slow?2 HT"), true).len == 0);
    CHECK(ask(scene, STR("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel"), true).len == 0);
    CHECK(ask(scene, STR_EMPTY, true).len == 0);
    /* gone at every place */
    for (size_t i = 0; i < ARRAY_LENGTH(whole); i++) {
        for (size_t cut = 0; cut <= whole[i].len; cut++) {
            struct linger reset = {.l_onoff = 1};
            int fd = dial(scene->port);
            say(fd, str_sub(whole[i], 0, cut));
            if (cut % 2)
                setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            close(fd);
        }
    }
    CHECK(status_is(ask(scene, STR(GET("/echo")), true), 200));
}

static void test_half(void **state)
{
    (void)state;
    play(client_half);
}

static void client_cancel(struct scene *scene)
{
    char room[1024];
    int fd = dial(scene->port);
    int64_t began_ms = clock_monotonic_ms();
    say(fd, STR(GET("/wait")));
    pause_ms(50);
    close(fd);
    fd = dial(scene->port);
    say(fd, STR(GET("/wait")));
    shutdown(fd, SHUT_WR);
    CHECK(status_is(hear(fd, room, sizeof room, NULL),
                    500)); /* its own side is open still: told that there is no answer */
    close(fd);
    CHECK(clock_monotonic_ms() - began_ms < 4000);
    /* one that does not ask for it runs to its end */
    fd = dial(scene->port);
    say(fd, STR(GET("/slow")));
    struct linger reset = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    pause_ms(100);
}

static void test_cancel(void **state)
{
    (void)state;
    play(client_cancel);
    assert_int_equal(seen.cancelled, 2);
    assert_int_equal(seen.echoed, 1);
}

/* --- much to write ----------------------------------------------------------------------------------------------------- */

/* Reads slowly at first; returns how many bytes came until `end` bytes or the close. */
static size_t drink(int fd, size_t end)
{
    static char away[1 << 20];
    size_t total = 0;
    for (int i = 0; total < end; i++) {
        size_t size = i < 20 ? 1000 : sizeof away;
        ssize_t count = read(fd, away, size < end - total ? size : end - total);
        if (count <= 0)
            break;
        total += (size_t)count;
        if (i < 20)
            pause_ms(5);
    }
    return total;
}

static void client_large_answer(struct scene *scene)
{
    char room[4096];
    size_t size = 8 << 20;
    int fd = dial(scene->port);
    say(fd, STR(GET("/large") GET("/echo?after")));
    struct str head = hear(fd, room, 200, "\r\n\r\n"); /* and a part of the body */
    CHECK(str_contains(head, STR("Content-Length: 8388608\r\n")));
    size_t body = head.len - str_find(head, STR("\r\n\r\n")) - 4;
    CHECK(body + drink(fd, size - body) == size);
    CHECK(str_contains(hear(fd, room, sizeof room, "[]"), STR("GET /echo?after []")));
    close(fd);
}

static void test_large_answer(void **state)
{
    (void)state;
    play(client_large_answer);
    assert_int_equal(seen.calls, 2);
}

static void client_stalls(struct scene *scene)
{
    int large = dial(scene->port), flood = dial(scene->port);
    say(large, STR(GET("/large")));
    say(flood, STR(GET("/flood")));
    pause_ms(1500); /* reads nothing */
    CHECK(drink(large, 8 << 20) < 8 << 20);
    CHECK(drink(flood, 40000000) < 40000000);
    close(large), close(flood);
}

static void test_stalls(void **state)
{
    struct scene scene;
    (void)state;
    play_with((struct http_server_settings){.write_stall_ms = 300}, &scene, client_stalls);
    assert_int_equal(seen.stream_result, E_CANCELLED);
}

static void client_stream(struct scene *scene)
{
    struct str answer = ask(scene, STR(GET("/stream") GET("/echo?after")), true);
    CHECK(str_contains(answer, STR("Transfer-Encoding: chunked\r\n")) &&
          !str_contains(answer, STR("Content-Length: 0")));
    CHECK(str_contains(answer, STR("Content-Type: text/event-stream\r\n\r\n5\r\naaaaa\r\n5\r\nbbbbb\r\n")));
    CHECK(str_contains(answer, STR("5\r\njjjjj\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n")) &&
          str_ends_with(answer, STR("after []")));
    answer = ask(scene, STR("GET /stream HTTP/1.0\r\n\r\n"), true);
    CHECK(str_contains(answer, STR("\r\n\r\naaaaabbbbb")) && str_ends_with(answer, STR("jjjjj")));
    answer = ask(scene, STR("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n" GET("/echo?after")), true);
    CHECK(!str_contains(answer, STR("aaaaa")) && str_ends_with(answer, STR("after []")));
    answer = ask(scene, STR(GET("/broken-stream") GET("/echo?after")), true);
    CHECK(status_is(answer, 200) && !str_contains(answer, STR("\r\n0\r\n")));
}

static void test_stream(void **state)
{
    (void)state;
    play(client_stream);
    assert_int_equal(seen.stream_result, OK);
}

/* 40 MB through a socket whose client is slow at first: the handler waits, its memory does not grow. */
static void client_flood(struct scene *scene)
{
    int fd = dial(scene->port);
    say(fd, STR("GET /flood HTTP/1.0\r\n\r\n"));
    char room[200];
    struct str head = hear(fd, room, sizeof room, "\r\n\r\n");
    size_t body = head.len - str_find(head, STR("\r\n\r\n")) - 4;
    CHECK(body + drink(fd, SIZE_MAX) == 40000000);
    close(fd);
}

static void test_flood(void **state)
{
    (void)state;
    play(client_flood);
    assert_int_equal(seen.stream_result, OK);
}

static void client_leaves_stream(struct scene *scene)
{
    int fd = dial(scene->port);
    say(fd, STR(GET("/flood")));
    drink(fd, 100000);
    close(fd);
    pause_ms(100);
}

static void test_leaves_stream(void **state)
{
    (void)state;
    play(client_leaves_stream);
    assert_int_equal(seen.stream_result, E_CANCELLED);
}

/* --- many connections -------------------------------------------------------------------------------------------------- */

enum { MANY = 5000 };

static void client_many(struct scene *scene)
{
    static int fds[MANY];
    char room[1024];
    for (size_t i = 0; i < MANY; i++) {
        fds[i] = dial(scene->port);
        CHECK(fds[i] >= 0);
    }
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < MANY; i++)
            say(fds[i], STR(GET("/slow")));
        for (size_t i = 0; i < MANY; i++)
            if (!status_is(hear(fds[i], room, sizeof room, "[]"), 200))
                failures++;
    }
    scene->connections = http_server_connections(scene->server);
    for (size_t i = 0; i < MANY; i++)
        close(fds[i]);
}

static void test_many(void **state)
{
    (void)state;
    struct scene scene;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < 2 * MANY + 100)
        fail_msg("this test needs %d open files; the hard limit is %lu", 2 * MANY + 100, (unsigned long)limit.rlim_max);
    play_with((struct http_server_settings){0}, &scene, client_many);
    assert_int_equal(seen.calls, 2 * MANY);
    assert_int_equal(scene.connections, MANY);
}

static void client_too_many(struct scene *scene)
{
    char room[1024];
    int fds[4];
    for (size_t i = 0; i < 3; i++) {
        fds[i] = dial(scene->port);
        say(fds[i], STR(GET("/echo")));
        CHECK(status_is(hear(fds[i], room, sizeof room, "[]"), 200));
    }
    /* the first is idle longest, and makes room */
    fds[3] = dial(scene->port);
    say(fds[3], STR(GET("/echo")));
    CHECK(status_is(hear(fds[3], room, sizeof room, "[]"), 200));
    CHECK(hear(fds[0], room, sizeof room, NULL).len == 0);
    close(fds[0]);
    /* none is idle */
    for (size_t i = 1; i < 4; i++)
        say(fds[i], STR(GET("/wait")));
    pause_ms(50);
    CHECK(status_is(hear(fds[0] = dial(scene->port), room, sizeof room, NULL), 503));
    for (size_t i = 0; i < 4; i++)
        close(fds[i]);
}

static void test_too_many(void **state)
{
    struct scene scene;
    (void)state;
    play_with((struct http_server_settings){.max_connections = 3}, &scene, client_too_many);
    assert_int_equal(seen.cancelled, 3);
}

/* No descriptor left: what is idle is closed; when nothing is, the server waits, without burning the processor. */
static void client_no_descriptors(struct scene *scene)
{
    char room[1024];
    int busy = dial(scene->port), waiting[3];
    struct rlimit before, none;
    say(busy, STR(GET("/wait")));
    for (size_t i = 0; i < 3; i++)
        waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pause_ms(50);
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)scene->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (size_t i = 0; i < 3; i++) {
        CHECK(connect(waiting[i], (struct sockaddr *)&address, sizeof address) == 0);
        say(waiting[i], STR("GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    }
    struct rusage from, to;
    getrusage(RUSAGE_SELF, &from);
    pause_ms(400);
    getrusage(RUSAGE_SELF, &to);
    int64_t used_us = (to.ru_utime.tv_sec - from.ru_utime.tv_sec) * 1000000 + to.ru_utime.tv_usec -
                      from.ru_utime.tv_usec + (to.ru_stime.tv_sec - from.ru_stime.tv_sec) * 1000000 +
                      to.ru_stime.tv_usec - from.ru_stime.tv_usec;
    CHECK(used_us < 100000);
    setrlimit(RLIMIT_NOFILE, &before);
    for (size_t i = 0; i < 3; i++) {
        CHECK(status_is(hear(waiting[i], room, sizeof room, NULL), 200));
        close(waiting[i]);
    }
    close(busy);
}

static void test_no_descriptors(void **state)
{
    (void)state;
    play(client_no_descriptors);
    assert_int_equal(seen.calls, 4);
}

static void client_refused_tasks(struct scene *scene)
{
    char room[1024];
    int fd = dial(scene->port);
    say(fd, STR(GET("/wait")));
    pause_ms(50);
    struct str answer = ask(scene, STR(GET("/echo")), true);
    CHECK(status_is(answer, 503) && str_contains(answer, STR("Retry-After: 2\r\n")));
    close(fd);
    pause_ms(50);
    CHECK(status_is(ask(scene, STR(GET("/echo")), true), 200));
    (void)room;
}

static void test_refused_tasks(void **state)
{
    (void)state;
    task_set_limit(1);
    play(client_refused_tasks);
    task_set_limit(20000);
    assert_int_equal(seen.calls, 2);
}

/* --- the end ----------------------------------------------------------------------------------------------------------- */

static void drain(void *context)
{
    http_server_drain(((struct scene *)context)->server);
}

static void client_drain(struct scene *scene)
{
    char room[1024];
    int busy = dial(scene->port), idle = dial(scene->port), fresh = dial(scene->port);
    say(idle, STR(GET("/echo")));
    CHECK(status_is(hear(idle, room, sizeof room, "[]"), 200));
    say(busy, STR(GET("/slow")));
    pause_ms(5);
    struct loop_post post = {.run = drain, .context = scene};
    loop_post(&post);
    CHECK(hear(idle, room, sizeof room, NULL).len == 0);
    CHECK(hear(fresh, room, sizeof room, NULL).len == 0);
    struct str answer = hear(busy, room, sizeof room, NULL);
    CHECK(status_is(answer, 200) && str_contains(answer, STR("Connection: close\r\n")));
    CHECK(dial(scene->port) < 0);
    close(busy), close(idle), close(fresh);
    for (int i = 0; i < 200 && !seen.drained; i++)
        pause_ms(10);
    CHECK(seen.drained == 1);
}

static void note_drained(void *context)
{
    (void)context;
    seen.drained++;
}

static void test_drain(void **state)
{
    struct scene scene;
    (void)state;
    play_with((struct http_server_settings){.drained = note_drained}, &scene, client_drain);
    assert_int_equal(seen.drained, 1);
}

static void client_leaves_open(struct scene *scene)
{
    say(dial(scene->port), STR(GET("/wait")));
    say(dial(scene->port), STR("GET /wai"));
    say(dial(scene->port), STR("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\nx"));
    say(dial(scene->port), STR(GET("/flood")));
    say(dial(scene->port), STR(GET("/large")));
    dial(scene->port);
    pause_ms(50);
}

/* Whatever is under way: cancel_all ends it, and free releases everything (seen by the leak check). */
static void test_end(void **state)
{
    (void)state;
    play(client_leaves_open);
    assert_int_equal(seen.cancelled, 1);
    assert_int_equal(seen.stream_result, E_CANCELLED);
    for (int fd = 3; fd < 64; fd++) {
        struct sockaddr_in address;
        socklen_t len = sizeof address;
        if (getpeername(fd, (struct sockaddr *)&address, &len) == 0)
            close(fd); /* the client's ends */
    }
}

static void test_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        int error;
    } cases[] = {
        {"127.0.0.1:0", OK},
        {"[::1]:0", OK},
        {"0.0.0.0:0", OK},
        {"127.0.0.1", E_INVALID},
        {"localhost:0", E_INVALID},
        {"127.0.0.1:", E_INVALID},
        {":8080", E_INVALID},
        {"127.0.0.1:65536", E_INVALID},
        {"::1:8080", E_INVALID},
        {"[127.0.0.1]:0", E_INVALID},
        {"127.0.0.1:-1", E_INVALID},
        {"", E_INVALID},
        {"192.0.2.1:0", E_UNAVAILABLE},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct http_server_settings settings = {.handler = handler};
        struct http_server *server = http_server_new(&settings);
        struct str error = STR_EMPTY;
        int result = http_server_listen(server, str_from(cases[i].address), &error);
        if (result != cases[i].error)
            fail_msg("%s: %d", cases[i].address, result);
        assert_int_equal(result == OK, error.len == 0);
        assert_int_equal(result == OK, http_server_port(server) != 0);
        http_server_free(server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),          cmocka_unit_test(test_pipeline),
        cmocka_unit_test(test_probes),         cmocka_unit_test(test_split),
        cmocka_unit_test(test_large_bodies),   cmocka_unit_test(test_large_head),
        cmocka_unit_test(test_answers),        cmocka_unit_test(test_expect),
        cmocka_unit_test(test_many_requests),  cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_slow),           cmocka_unit_test(test_half),
        cmocka_unit_test(test_cancel),         cmocka_unit_test(test_large_answer),
        cmocka_unit_test(test_stalls),         cmocka_unit_test(test_stream),
        cmocka_unit_test(test_flood),          cmocka_unit_test(test_leaves_stream),
        cmocka_unit_test(test_many),           cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_no_descriptors), cmocka_unit_test(test_refused_tasks),
        cmocka_unit_test(test_drain),          cmocka_unit_test(test_end),
        cmocka_unit_test(test_addresses),
    };
    if (!loop_init())
        return 1;
    int failed = cmocka_run_group_tests_name("http_server", tests, NULL, NULL);
    loop_done();
    return failed;
}

/*
 * For the tests of the HTTP server on real sockets: a thread plays the client, the main thread serves the loop. Each test
 * program has its own copy of all this.
 */
#ifndef NET_HTTP_TEST_HELP_H
#define NET_HTTP_TEST_HELP_H

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

static __attribute__((unused)) void answer_echo(struct call *call, struct http_exchange *exchange)
{
    const struct http_request *request = http_exchange_request(exchange);
    struct str text = call_format(call, "%.*s %.*s?%.*s [%.*s]", STR_ARG(request->method), STR_ARG(request->path),
                                  STR_ARG(request->query), STR_ARG(request->body));
    http_answer_header(exchange, STR("X-Test"), STR("yes"));
    http_answer(exchange, 200, STR("text/plain"), text);
    seen.echoed++;
}

static __attribute__((unused)) void answer_sum(struct call *call, struct http_exchange *exchange)
{
    struct str body = http_exchange_request(exchange)->body;
    http_answer(exchange, 200, STR("text/plain"),
                call_format(call, "%zu %llx", body.len, (unsigned long long)str_hash(body)));
}

static __attribute__((unused)) void answer_stream(struct call *call, struct http_exchange *exchange, size_t pieces,
                                                  size_t piece_bytes)
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

static __attribute__((unused)) void handler(struct call *call, struct http_exchange *exchange, void *context)
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

static __attribute__((unused)) int dial(int port)
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

static __attribute__((unused)) void say(int fd, struct str text)
{
    while (text.len) {
        ssize_t sent = send(fd, text.ptr, text.len, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        text = str_from_offset(text, (size_t)sent);
    }
}

/* All that comes until the end, or until `enough` has come. */
static __attribute__((unused)) struct str hear(int fd, char *room, size_t size, const char *enough)
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

static __attribute__((unused)) size_t count_of(struct str text, const char *part)
{
    size_t count = 0, at;
    struct str what = str_from(part);
    while ((at = str_find(text, what)) != STR_NOT_FOUND) {
        count++;
        text = str_from_offset(text, at + what.len);
    }
    return count;
}

static __attribute__((unused)) void scene_ended(void *context)
{
    ((struct scene *)context)->ended = true;
}

static __attribute__((unused)) void *client_thread(void *context)
{
    struct scene *scene = context;
    scene->play(scene);
    scene->post = (struct loop_post){.run = scene_ended, .context = scene};
    loop_post(&scene->post);
    return NULL;
}

static __attribute__((unused)) void play_with(struct http_server_settings settings, struct scene *scene,
                                              void (*play)(struct scene *))
{
    struct str error = STR_EMPTY;
    memset(&seen, 0, sizeof seen);
    failures = 0;
    if (!settings.handler)
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

static __attribute__((unused)) void play(void (*client)(struct scene *))
{
    struct scene scene;
    play_with((struct http_server_settings){0}, &scene, client);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

/* Says all, closes its side when asked to, and hears until the server closes. */
static __attribute__((unused)) struct str ask(struct scene *scene, struct str bytes, bool half_close)
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

static __attribute__((unused)) bool status_is(struct str answer, int status)
{
    char line[32];
    snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
    return str_starts_with(answer, str_from(line)) &&
           count_of(answer, "HTTP/1.1 2") + count_of(answer, "HTTP/1.1 4") + count_of(answer, "HTTP/1.1 5") == 1;
}

static __attribute__((unused)) void pause_ms(int ms)
{
    usleep((useconds_t)ms * 1000);
}

/* Two good requests. */
static const struct str whole[] = {
    STR_INIT("POST /echo?q HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"),
    STR_INIT("POST /echo?q HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2;a\r\nhe\r\n3\r\nllo\r\n0\r\nT: "
             "x\r\n\r\n"),
};

#endif

/* Connections: slow, gone and many clients; large answers, streams, drain. */
#include "net/http_test_help.h"

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

/* A client that has gone before the handler says that it would be told: it is told then. */
static void handle_late(struct call *call, struct http_exchange *exchange, void *context)
{
    (void)context;
    seen.calls++;
    if (task_sleep(call, 100) != OK)
        return;
    http_exchange_cancel_on_close(exchange, true);
    if (task_sleep(call, 5000) == E_CANCELLED)
        seen.cancelled++;
}

static void client_gone_early(struct scene *scene)
{
    int fd = dial(scene->port);
    struct linger reset = {.l_onoff = 1};
    say(fd, STR(GET("/")));
    pause_ms(30);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    pause_ms(1000);
    CHECK(seen.cancelled == 1);
}

static void test_gone_early(void **state)
{
    struct scene scene;
    (void)state;
    play_with((struct http_server_settings){.handler = handle_late}, &scene, client_gone_early);
    assert_int_equal(seen.calls, 1);
}

/* --- what an abandoned handler held ------------------------------------------------------------------------------------ */

static enum http_phase released_in;

static void note_release(void *exchange)
{
    released_in = ((struct http_exchange *)exchange)->connection->phase;
}

static void handle_greedily(struct call *call, struct http_exchange *exchange, void *context)
{
    (void)context;
    arena_defer(call->arena, note_release, exchange);
    for (;;)
        arena_alloc(call->arena, 100000);
}

static void client_greedy(struct scene *scene)
{
    released_in = HTTP_PHASES;
    CHECK(status_is(ask(scene, STR(GET("/")), true), 503));
}

/* It is released before the client has its answer, which may take as long as the client likes. */
static void test_greedy(void **state)
{
    struct scene scene;
    (void)state;
    play_with((struct http_server_settings){.handler = handle_greedily}, &scene, client_greedy);
    assert_int_equal(released_in, HTTP_CALL);
}

/* --- bodies that take memory ------------------------------------------------------------------------------------------- */

static void say_zeros(int fd, size_t count)
{
    static const char zeros[64 * 1024];
    for (; count > sizeof zeros; count -= sizeof zeros)
        say(fd, str_of(zeros, sizeof zeros));
    say(fd, str_of(zeros, count));
}

/* Much came quickly, and then nothing: what it has earned by that is no right to lie there for hours. */
static void client_stalls_in_body(struct scene *scene)
{
    static const char *const heads[] = {
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4194304\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n400000\r\n",
    };
    char room[4096];
    for (size_t i = 0; i < ARRAY_LENGTH(heads); i++) {
        int fd = dial(scene->port);
        int64_t began_ms = clock_monotonic_ms();
        say(fd, str_from(heads[i]));
        say_zeros(fd, 3 << 20);
        CHECK(status_is(hear(fd, room, sizeof room, NULL), 408));
        CHECK(clock_monotonic_ms() - began_ms < 5000);
        close(fd);
    }
}

/* So many that the oldest has to go; small requests and new ones are served all the while. */
static void client_many_bodies(struct scene *scene)
{
    static const char one[] = "POST /sum HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n";
    static char room[4096], request[sizeof one - 1 + 200000];
    int first = dial(scene->port), second = dial(scene->port), third = dial(scene->port);
    say(first, STR("POST /sum HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"));
    say_zeros(first, 400000);
    pause_ms(50);
    say(second, STR("POST /sum HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n927c0\r\n"));
    say_zeros(second, 600000);
    struct str answer = hear(first, room, sizeof room, NULL);
    CHECK(status_is(answer, 503));
    CHECK(str_contains(answer, STR("\r\nRetry-After: ")) && str_contains(answer, STR("\r\nConnection: close\r\n")));
    CHECK(str_ends_with(ask(scene, whole[0], true), STR("[hello]")));
    say(second, STR("\r\n0\r\n\r\n"));
    CHECK(status_is(hear(second, room, sizeof room, "\r\n\r\n600000 "), 200));
    say(third, STR("POST /sum HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n")); /* more than all may have */
    say_zeros(third, 1200000);
    CHECK(status_is(hear(third, room, sizeof room, NULL), 503));
    memcpy(request, one, sizeof one - 1);
    for (int i = 0; i < 20; i++) /* what was taken has been given back */
        CHECK(status_is(ask(scene, str_of(request, sizeof request), true), 200));
    CHECK(scene->server->body_bytes == 0);
    close(first), close(second), close(third);
}

/* Calls that have their bodies, together more than may come at once, keep nobody out: their own limits bound them. */
static void client_bodies_in_calls(struct scene *scene)
{
    static const char one[] = "POST /sum HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n";
    static char request[sizeof one - 1 + 200000];
    int waiting[6];
    for (size_t i = 0; i < ARRAY_LENGTH(waiting); i++) {
        waiting[i] = dial(scene->port);
        say(waiting[i], STR("POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n"));
        say_zeros(waiting[i], 200000);
        for (int tries = 0; seen.calls <= (int)i && tries < 500; tries++) /* one after the other */
            pause_ms(10);
    }
    memcpy(request, one, sizeof one - 1);
    CHECK(status_is(ask(scene, str_of(request, sizeof request), true), 200));
    CHECK(seen.calls == 1 + ARRAY_LENGTH(waiting));
    for (size_t i = 0; i < ARRAY_LENGTH(waiting); i++)
        close(waiting[i]);
}

static void test_bodies(void **state)
{
    struct scene scene;
    (void)state;
    play_with((struct http_server_settings){.body_stall_ms = 300}, &scene, client_stalls_in_body);
    assert_int_equal(seen.calls, 0);
    play_with((struct http_server_settings){.bodies_max_bytes = 1 << 20}, &scene, client_many_bodies);
    assert_int_equal(seen.calls, 22);
    play_with((struct http_server_settings){.bodies_max_bytes = 1 << 20}, &scene, client_bodies_in_calls);
    assert_int_equal(seen.cancelled, 6);
}

/* --- one after the other ----------------------------------------------------------------------------------------------- */

/* As a proxy comes that keeps no connections: each finds the server without any, and the tick comes all the same. */
static void client_one_by_one(struct scene *scene)
{
    for (int64_t until_ms = clock_monotonic_ms() + 300; clock_monotonic_ms() < until_ms;)
        CHECK(status_is(ask(scene, STR(GET("/echo")), true), 200));
    CHECK(scene->server->tidied_ms > 0);
}

static void test_one_by_one(void **state)
{
    struct scene scene;
    (void)state;
    play_with((struct http_server_settings){.linger_ms = 80}, &scene, client_one_by_one);
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

/* What the kernel holds of the answer for the server's end of this connection. */
static size_t held_by_kernel(int fd, uint16_t server_port)
{
    struct sockaddr_in own;
    socklen_t size = sizeof own;
    char line[512];
    size_t held = 0;
    FILE *file = fopen("/proc/net/tcp", "r");
    CHECK(file && getsockname(fd, (struct sockaddr *)&own, &size) == 0);
    while (fgets(line, sizeof line, file)) {
        unsigned local, remote, queued;
        // NOLINTNEXTLINE(cert-err34-c): the kernel writes these numbers
        if (sscanf(line, "%*d: %*8x:%x %*8x:%x %*x %x:", &local, &remote, &queued) == 3 && local == server_port &&
            remote == ntohs(own.sin_port))
            held = queued;
    }
    (void)fclose(file);
    return held;
}

/* Of an answer that nobody fetches, the kernel gets a part only: its own limit for a connection is 4 MiB. */
static void client_fetches_nothing(struct scene *scene)
{
    enum { LIMIT = 1 << 20 };
    int fd = dial(scene->port);
    say(fd, STR(GET("/large")));
    size_t before, held = 0;
    do {
        before = held;
        pause_ms(200);
        held = held_by_kernel(fd, scene->port);
    } while (held == 0 || held > before);
    if (held >= LIMIT)
        fprintf(stderr, "%zu bytes are held\n", held);
    CHECK(held < LIMIT);
    CHECK(drink(fd, 8 << 20) == 8 << 20); /* with it comes the rest */
    close(fd);
}

static void test_fetches_nothing(void **state)
{
    (void)state;
    play(client_fetches_nothing);
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

static void retire(void *context)
{
    http_server_retire(((struct scene *)context)->server, 300);
}

/* Idle clients may send one more; those that do not are closed, and then it is drained. */
static void client_retire(struct scene *scene)
{
    char room[1024];
    int used = dial(scene->port), fresh = dial(scene->port), silent = dial(scene->port);
    say(used, STR(GET("/echo")));
    CHECK(status_is(hear(used, room, sizeof room, "[]"), 200));
    struct loop_post post = {.run = retire, .context = scene};
    loop_post(&post);
    pause_ms(100);
    CHECK(dial(scene->port) < 0);
    CHECK(seen.drained == 0);
    say(used, STR(GET("/echo")));
    struct str answer = hear(used, room, sizeof room, NULL);
    CHECK(status_is(answer, 200) && str_contains(answer, STR("Connection: close\r\n")));
    say(fresh, STR(GET("/echo")));
    answer = hear(fresh, room, sizeof room, NULL);
    CHECK(status_is(answer, 200) && str_contains(answer, STR("Connection: close\r\n")));
    CHECK(hear(silent, room, sizeof room, NULL).len == 0);
    close(used), close(fresh), close(silent);
    for (int i = 0; i < 200 && !seen.drained; i++)
        pause_ms(10);
    CHECK(seen.drained == 1);
}

static void test_retire(void **state)
{
    struct scene scene;
    (void)state;
    play_with((struct http_server_settings){.drained = note_drained, .linger_ms = 200}, &scene, client_retire);
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
        cmocka_unit_test(test_slow),
        cmocka_unit_test(test_half),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_gone_early),
        cmocka_unit_test(test_greedy),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_one_by_one),
        cmocka_unit_test(test_large_answer),
        cmocka_unit_test(test_fetches_nothing),
        cmocka_unit_test(test_stalls),
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_leaves_stream),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_no_descriptors),
        cmocka_unit_test(test_refused_tasks),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_retire),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_addresses),
    };
    if (!loop_init())
        return 1;
    int failed = cmocka_run_group_tests_name("http_connection", tests, NULL, NULL);
    loop_done();
    return failed;
}

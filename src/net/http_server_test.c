/* Requests and answers: framing, pipelining, arrival in pieces, limits of size. */
#include "net/http_test_help.h"

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

static void put(char *room, struct str s)
{
    memcpy(room, s.ptr, s.len);
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
    put(request, STR("GET / HTTP/1.1\r\nHost: x\r\nX: "));
    CHECK(status_is(ask(scene, str_of(request, sizeof request), false), 431));
    put(request, STR("GET /"));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),     cmocka_unit_test(test_pipeline),     cmocka_unit_test(test_probes),
        cmocka_unit_test(test_split),     cmocka_unit_test(test_large_bodies), cmocka_unit_test(test_large_head),
        cmocka_unit_test(test_answers),   cmocka_unit_test(test_expect),       cmocka_unit_test(test_many_requests),
        cmocka_unit_test(test_too_large),
    };
    if (!loop_init())
        return 1;
    int failed = cmocka_run_group_tests_name("http_server", tests, NULL, NULL);
    loop_done();
    return failed;
}

/* Heads that are refused, with their status; heads that are accepted, with what they say; the limits; the same byte by byte. */
#include "net/http_parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define HOST "Host: a.example\r\n"

struct refused {
    const char *what;
    struct str bytes;
    int status;
};

static const struct refused refused[] = {
    /* the request line */
    {"no version", STR_INIT("POST /mcp\r\n" HOST "\r\n"), 400},
    {"two spaces", STR_INIT("POST  /mcp HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"no target", STR_INIT("GET  HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"two spaces before the version", STR_INIT("POST /mcp  HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"space at the end", STR_INIT("POST /mcp HTTP/1.1 \r\n" HOST "\r\n"), 400},
    {"tab", STR_INIT("POST\t/mcp HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"leading space", STR_INIT(" GET / HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"two empty lines before", STR_INIT("\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"TLS", STR_INIT("\x16\x03\x01"), 400},
    {"brace in the method", STR_INIT("{\"a\":1}"), 400},
    {"method too long", STR_INIT("GETGETGETGETGETGETGETGETGETGETGETGET"), 501},
    {"HTTP/0.9", STR_INIT("GET / HTTP/0.9\r\n"), 505},
    {"HTTP/1.2", STR_INIT("GET / HTTP/1.2\r\n"), 505},
    {"HTTP/2", STR_INIT("PRI * HTTP/2.0\r\n"), 505},
    {"lower case http", STR_INIT("GET / http/1.1\r\n"), 400},
    {"version of three digits", STR_INIT("GET / HTTP/1.10\r\n"), 400},
    {"no dot", STR_INIT("GET / HTTP/1,1\r\n"), 400},
    {"letter as version", STR_INIT("GET / HTTP/x.1\r\n"), 400},
    {"letter behind the dot", STR_INIT("GET / HTTP/1.x\r\n"), 400},
    {"CONNECT", STR_INIT("CONNECT a.example:443 HTTP/1.1\r\n"), 501},
    {"* for GET", STR_INIT("GET * HTTP/1.1\r\n"), 400},
    {"no leading slash", STR_INIT("GET mcp HTTP/1.1\r\n"), 400},
    {"other scheme", STR_INIT("GET ftp://a.example/ HTTP/1.1\r\n"), 400},
    {"user name in the target", STR_INIT("GET http://u@a.example/ HTTP/1.1\r\n"), 400},
    {"no host in the target", STR_INIT("GET http:///x HTTP/1.1\r\n"), 400},
    {"fragment", STR_INIT("GET /a#b HTTP/1.1\r\n"), 400},
    {"control in the target", STR_INIT("GET /a\x01 HTTP/1.1\r\n"), 400},
    {"DEL in the target", STR_INIT("GET /a\x7f HTTP/1.1\r\n"), 400},
    {"UTF-8 in the target", STR_INIT("GET /\xc3\xa4 HTTP/1.1\r\n"), 400},
    {"NUL in the target", STR_INIT("GET /a\0b HTTP/1.1\r\n"), 400},
    {"angle bracket in the target", STR_INIT("GET /<script> HTTP/1.1\r\n"), 400},
    {"backslash in the path", STR_INIT("GET /a\\b HTTP/1.1\r\n"), 400},
    {"bare LF", STR_INIT("GET / HTTP/1.1\n" HOST "\n"), 400},
    {"bare CR", STR_INIT("GET / HTTP/1.1\r" HOST "\r\n\r\n"), 400},
    /* headers */
    {"bare CR hides TE (CVE-2023-30589)",
     STR_INIT("POST / HTTP/1.1\r\n" HOST "X: \rxTransfer-Encoding: chunked\r\n\r\n"), 400},
    {"bare LF after a header", STR_INIT("GET / HTTP/1.1\r\n" HOST "X: a\nY: b\r\n\r\n"), 400},
    {"bare LF as the empty line", STR_INIT("GET / HTTP/1.1\r\n" HOST "\n"), 400},
    {"space before the colon", STR_INIT("GET / HTTP/1.1\r\n" HOST "X : a\r\n\r\n"), 400},
    {"folded line", STR_INIT("GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n"), 400},
    {"folded with a tab", STR_INIT("GET / HTTP/1.1\r\n" HOST "X: a\r\n\tb\r\n\r\n"), 400},
    {"first header folded", STR_INIT("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), 400},
    {"empty name", STR_INIT("GET / HTTP/1.1\r\n" HOST ": a\r\n\r\n"), 400},
    {"no colon", STR_INIT("GET / HTTP/1.1\r\n" HOST "abc\r\n\r\n"), 400},
    {"bracket in a name", STR_INIT("GET / HTTP/1.1\r\n" HOST "X(a): b\r\n\r\n"), 400},
    {"UTF-8 in a name", STR_INIT("GET / HTTP/1.1\r\n" HOST "\xc3\xa4: b\r\n\r\n"), 400},
    {"NUL in a value", STR_INIT("GET / HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n"), 400},
    {"control in a value", STR_INIT("GET / HTTP/1.1\r\n" HOST "X: a\x1b[2J\r\n\r\n"), 400},
    {"DEL in a value", STR_INIT("GET / HTTP/1.1\r\n" HOST "X: a\x7f\r\n\r\n"), 400},
    {"no Host", STR_INIT("GET / HTTP/1.1\r\n\r\n"), 400},
    {"two Hosts", STR_INIT("GET / HTTP/1.1\r\n" HOST HOST "\r\n"), 400},
    {"two Hosts in HTTP/1.0", STR_INIT("GET / HTTP/1.0\r\n" HOST HOST "\r\n"), 400},
    {"path in Host", STR_INIT("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400},
    {"space in Host", STR_INIT("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400},
    {"Host differs from the target", STR_INIT("GET http://b.example/ HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"other expectation", STR_INIT("GET / HTTP/1.1\r\n" HOST "Expect: tea\r\n\r\n"), 417},
    /* framing */
    {"length twice, different", STR_INIT("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
     400},
    {"length twice, the same", STR_INIT("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"),
     400},
    {"two lengths in one", STR_INIT("POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\n"), 400},
    {"length with a plus", STR_INIT("POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n"), 400},
    {"length of 20 digits", STR_INIT("POST / HTTP/1.1\r\n" HOST "Content-Length: 00000000000000000001\r\n\r\n"), 400},
    {"length with a minus", STR_INIT("POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n"), 400},
    {"length in hexadecimal", STR_INIT("POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\n"), 400},
    {"length with a space", STR_INIT("POST / HTTP/1.1\r\n" HOST "Content-Length: 1 0\r\n\r\n"), 400},
    {"empty length", STR_INIT("POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n"), 400},
    {"length beyond 64 bits", STR_INIT("POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551656\r\n\r\n"), 400},
    {"length and coding",
     STR_INIT("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
    {"coding and length",
     STR_INIT("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"), 400},
    {"coding twice",
     STR_INIT("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
    {"xchunked", STR_INIT("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n"), 501},
    {"chunked, identity", STR_INIT("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, identity\r\n\r\n"), 400},
    {"gzip, chunked", STR_INIT("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501},
    {"quoted chunked", STR_INIT("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \"chunked\"\r\n\r\n"), 501},
    {"chunked with a vertical tab",
     STR_INIT("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \x0b"
              "chunked\r\n\r\n"),
     400},
    {"empty coding", STR_INIT("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n"), 501},
    {"chunked in HTTP/1.0", STR_INIT("POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"), 400},
};

/* The first `len` bytes arrive singly, each time at the end of a piece of memory that is exactly as long as what has come. */
static enum http_progress parse_singly(struct http_head *head, struct str bytes)
{
    enum http_progress progress = HTTP_MORE;
    char *memory = NULL;
    http_head_init(head);
    for (size_t len = 1; len <= bytes.len && progress == HTTP_MORE; len++) {
        free(memory);
        memory = malloc(len);
        memcpy(memory, bytes.ptr, len);
        progress = http_head_parse(head, memory, len);
    }
    free(memory);
    return progress;
}

static void test_refused(void **state)
{
    (void)state;
    static struct http_head head;
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++) {
        http_head_init(&head);
        enum http_progress progress = http_head_parse(&head, refused[i].bytes.ptr, refused[i].bytes.len);
        if (progress != HTTP_ERROR || head.status != refused[i].status)
            fail_msg("%s: progress %d, status %d", refused[i].what, progress, head.status);
        assert_non_null(head.problem);
        const char *problem = head.problem;
        progress = parse_singly(&head, refused[i].bytes);
        if (progress != HTTP_ERROR || head.status != refused[i].status || head.problem != problem)
            fail_msg("%s, singly: progress %d, status %d", refused[i].what, progress, head.status);
    }
}

static enum http_progress parse(struct http_head *head, struct str bytes)
{
    http_head_init(head);
    return http_head_parse(head, bytes.ptr, bytes.len);
}

#define ASSERT_STR(value, literal) assert_true(str_eq((value), STR(literal)))

static void test_accepted(void **state)
{
    (void)state;
    static struct http_head head;
    struct str bytes = STR(
        "\r\nPOST /mcp/wordpress?a=b&c=%20 HTTP/1.1\r\nhost:a.example:8080\r\nX-Empty:\r\n"
        "X-Latin: caf\xe9 \t\r\ncontent-LENGTH: 0042\r\nConnection: Upgrade, TE\r\nExpect: 100-Continue\r\n\r\nbody");
    for (size_t len = 0; len < bytes.len - 4; len++)
        assert_int_equal(parse(&head, str_sub(bytes, 0, len)), HTTP_MORE);
    assert_int_equal(parse(&head, bytes), HTTP_DONE);
    assert_int_equal(head.size, bytes.len - 4);
    ASSERT_STR(head.method, "POST");
    ASSERT_STR(head.target, "/mcp/wordpress?a=b&c=%20");
    ASSERT_STR(head.path, "/mcp/wordpress");
    ASSERT_STR(head.query, "a=b&c=%20");
    ASSERT_STR(head.host, "a.example:8080");
    assert_int_equal(head.n_headers, 6);
    ASSERT_STR(head.headers[1].name, "X-Empty");
    ASSERT_STR(head.headers[1].value, "");
    ASSERT_STR(head.headers[2].value, "caf\xe9");
    assert_true(head.has_length && head.content_length == 42);
    assert_true(head.keep_alive && head.expect_continue && !head.chunked && head.minor_version == 1);
}

static void test_edges(void **state)
{
    struct http_head head;
    (void)state;
    assert_int_equal(
        parse(&head, STR("GET http://a.example HTTP/1.1\r\nHost: a.example\r\nX-Seventeen-Chars:\t v \t\r\n\r\n")),
        HTTP_DONE);
    assert_true(str_eq(head.path, STR("/")) && str_eq(head.host, STR("a.example")));
    assert_true(str_eq(head.headers[1].value, STR("v")));
    /* As long as those that say where a request ends, and none of them. */
    assert_int_equal(
        parse(&head, STR("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Lengths: 1\r\nAccept-Charset: 5\r\n"
                         "Content-Length: 3\r\n\r\n")),
        HTTP_DONE);
    assert_true(head.has_length && head.content_length == 3);
    assert_int_equal(parse(&head, STR("GET http://a.example?b HTTP/1.1\r\nHost: a.example\r\n\r\n")), HTTP_DONE);
    assert_true(str_eq(head.path, STR("/")) && str_eq(head.query, STR("b")));
}

static void test_versions(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        bool keep_alive;
    } cases[] = {
        {"GET / HTTP/1.1\r\n" HOST "\r\n", true},
        {"GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: keep-alive, CLOSE\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: keep-alive\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
    };
    static struct http_head head;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_int_equal(parse(&head, str_from(cases[i].bytes)), HTTP_DONE);
        assert_int_equal(head.keep_alive, cases[i].keep_alive);
    }
}

static void test_targets(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *path, *query;
    } cases[] = {
        {"GET /? HTTP/1.1\r\n" HOST "\r\n", "/", ""},
        {"GET //evil.example/ HTTP/1.1\r\n" HOST "\r\n", "//evil.example/", ""},
        {"GET /a?b?c\\d HTTP/1.1\r\n" HOST "\r\n", "/a", "b?c\\d"},
        {"GET http://A.example/x?y HTTP/1.1\r\n" HOST "\r\n", "/x", "y"},
        {"GET https://a.example?y HTTP/1.1\r\n" HOST "\r\n", "/", "y"},
        {"M / HTTP/1.1\r\n" HOST "\r\n", "/", ""}, /* a method of one letter is one */
        {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "*", ""},
    };
    static struct http_head head;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_int_equal(parse(&head, str_from(cases[i].bytes)), HTTP_DONE);
        assert_true(str_eq(head.path, str_from(cases[i].path)));
        assert_true(str_eq(head.query, str_from(cases[i].query)));
    }
}

static size_t put(char *room, size_t at, struct str text, size_t fill)
{
    size_t len = text.len;
    memcpy(room + at, text.ptr, len);
    memset(room + at + len, 'x', fill);
    return at + len + fill;
}

static void test_line_limit(void **state)
{
    (void)state;
    static struct http_head head;
    static char room[HTTP_HEAD_MAX_BYTES];
    for (size_t extra = 0; extra < 2; extra++) {
        size_t len = put(room, 0, STR("GET /"), HTTP_LINE_MAX_BYTES - strlen("GET / HTTP/1.1\r\n") + extra);
        len = put(room, len, STR(" HTTP/1.1\r\n" HOST "\r\n"), 0);
        assert_int_equal(parse(&head, str_of(room, len)), extra ? HTTP_ERROR : HTTP_DONE);
        assert_int_equal(parse_singly(&head, str_of(room, len)), extra ? HTTP_ERROR : HTTP_DONE);
        assert_int_equal(head.status, extra ? 414 : 0);
    }
}

static void test_header_limits(void **state)
{
    (void)state;
    static struct http_head head;
    static char room[HTTP_HEAD_MAX_BYTES + 100];
    for (size_t extra = 0; extra < 2; extra++) {
        size_t len = put(room, 0, STR("GET / HTTP/1.1\r\n" HOST "X:"),
                         HTTP_HEADERS_MAX_BYTES - strlen(HOST "X:\r\n\r\n") + extra);
        len = put(room, len, STR("\r\n\r\n"), 0);
        assert_int_equal(parse(&head, str_of(room, len)), extra ? HTTP_ERROR : HTTP_DONE);
        assert_int_equal(head.status, extra ? 431 : 0);
        len = put(room, 0, STR("GET / HTTP/1.1\r\n" HOST), 0);
        for (size_t i = 0; i < HTTP_HEADERS_MAX - 1 + extra; i++)
            len = put(room, len, STR("X: a\r\n"), 0);
        len = put(room, len, STR("\r\n"), 0);
        assert_int_equal(parse(&head, str_of(room, len)), extra ? HTTP_ERROR : HTTP_DONE);
        assert_int_equal(head.status, extra ? 431 : 0);
        assert_int_equal(head.n_headers, HTTP_HEADERS_MAX);
    }
}

/* What may stand where, byte by byte: written down once more, from the RFCs. */
static void test_bytes(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char c = (char)byte;
        bool token = ascii_is_alnum(c) || (byte && strchr("!#$%&'*+-.^_`|~", byte));
        bool value = byte == '\t' || (byte >= ' ' && byte != 0x7F);
        assert_int_equal(http_is_token(str_of(&c, 1)), token);
        assert_int_equal(http_is_field_value(str_of(&c, 1)), value);
    }
    assert_false(http_is_token(STR_EMPTY));
    assert_true(http_is_field_value(STR_EMPTY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused), cmocka_unit_test(test_accepted),   cmocka_unit_test(test_versions),
        cmocka_unit_test(test_targets), cmocka_unit_test(test_line_limit), cmocka_unit_test(test_header_limits),
        cmocka_unit_test(test_bytes),   cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests_name("http_parse", tests, NULL, NULL);
}

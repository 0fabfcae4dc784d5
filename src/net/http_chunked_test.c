/* Chunked bodies: refused and accepted ones, each in one piece and byte by byte. */
#include "net/http_chunked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

struct result {
    enum http_progress progress;
    int status;
    size_t used, len;
    char data[4096];
};

/* In pieces of at most `piece` bytes, each in memory of its own size. */
static void decode(struct str input, size_t piece, struct result *result)
{
    struct http_chunked chunked = {0};
    *result = (struct result){0};
    while (result->progress == HTTP_MORE && result->used < input.len) {
        struct str part = str_sub(input, result->used, piece), data;
        char *memory = malloc(part.len);
        memcpy(memory, part.ptr, part.len);
        size_t used = 0;
        result->progress = http_chunked_decode(&chunked, str_of(memory, part.len), &used, &data);
        assert_true(used > 0 || result->progress == HTTP_ERROR);
        assert_in_range(used, 0, part.len);
        assert_in_range(result->len + data.len, 0, sizeof result->data);
        if (data.len)
            memcpy(result->data + result->len, data.ptr, data.len);
        result->len += data.len;
        result->used += used;
        free(memory);
    }
    result->status = chunked.status;
}

static void expect(const char *what, struct str input, enum http_progress progress, int status, struct str data,
                   size_t left)
{
    static const size_t pieces[] = {1, 2, 3, 7, SIZE_MAX};
    static struct result result;
    for (size_t i = 0; i < ARRAY_LENGTH(pieces); i++) {
        decode(input, pieces[i], &result);
        if (result.progress != progress || result.status != status)
            fail_msg("%s: progress %d, status %d", what, result.progress, result.status);
        if (progress == HTTP_ERROR)
            continue;
        assert_true(str_eq(str_of(result.data, result.len), data));
        assert_int_equal(input.len - result.used, left);
    }
}

static void test_accepted(void **state)
{
    (void)state;
    expect("empty", STR("0\r\n\r\n"), HTTP_DONE, 0, STR(""), 0);
    expect("one", STR("5\r\nhello\r\n0\r\n\r\n"), HTTP_DONE, 0, STR("hello"), 0);
    expect("two, and what follows", STR("5\r\nhello\r\n000A\r\n, world...\r\n0\r\n\r\nGET /"), HTTP_DONE, 0,
           STR("hello, world..."), 5);
    expect("hexadecimal", STR("1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n"), HTTP_DONE, 0,
           STR("abcdefghijklmnopqrstuvwxyz"), 0);
    expect("extensions", STR("1;a=b;c=\"d e\"\r\nx\r\n0;z\r\n\r\n"), HTTP_DONE, 0, STR("x"), 0);
    expect("trailers", STR("1\r\nx\r\n0\r\nX-A: b\r\nHost:\r\n\r\n"), HTTP_DONE, 0, STR("x"), 0);
    expect("line ends as data", STR("4\r\n\r\n\r\n\r\n0\r\n\r\n"), HTTP_DONE, 0, STR("\r\n\r\n"), 0);
    expect("incomplete", STR("5\r\nhel"), HTTP_MORE, 0, STR("hel"), 0);
    expect("incomplete end", STR("1\r\nx\r\n0\r\n\r"), HTTP_MORE, 0, STR("x"), 0);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct str input;
        int status;
    } cases[] = {
        {"no size", STR_INIT("\r\nhello"), 400},
        {"minus", STR_INIT("-1\r\nhello"), 400},
        {"plus", STR_INIT("+1\r\nhello"), 400},
        {"0x", STR_INIT("0x5\r\nhello"), 400},
        {"leading space", STR_INIT(" 5\r\nhello"), 400},
        {"space behind the size", STR_INIT("5 \r\nhello"), 400},
        {"bare LF behind the size", STR_INIT("5\nhello\r\n"), 400},
        {"bare CR behind the size", STR_INIT("5\rhello\r\n"), 400},
        {"LF in an extension", STR_INIT("5;a\nhello\r\n"), 400},
        {"CR in an extension", STR_INIT("5;a\rb\r\nhello\r\n"), 400},
        {"NUL in an extension", STR_INIT("5;a\0\r\nhello\r\n"), 400},
        {"chunk longer than its size", STR_INIT("4\r\nhello\r\n"), 400},
        {"bare LF behind the data", STR_INIT("5\r\nhello\n0\r\n\r\n"), 400},
        {"bare CR behind the data", STR_INIT("5\r\nhello\r0\r\n\r\n"), 400},
        {"4 GiB", STR_INIT("100000000\r\n"), 413},
        {"beyond 64 bits", STR_INIT("10000000000000005\r\nhello"), 413},
        {"bare LF as the end", STR_INIT("0\r\n\n"), 400},
        {"trailer without a colon", STR_INIT("0\r\nabc\r\n\r\n"), 400},
        {"trailer with a space", STR_INIT("0\r\na : b\r\n\r\n"), 400},
        {"folded trailer", STR_INIT("0\r\na: b\r\n c\r\n\r\n"), 400},
        {"bare CR in a trailer", STR_INIT("0\r\na: b\rc\r\n\r\n"), 400},
        {"bare LF in a trailer", STR_INIT("0\r\na: b\n\r\n"), 400},
        {"NUL in a trailer", STR_INIT("0\r\na: b\0\r\n\r\n"), 400},
        {"bare CR as the end", STR_INIT("0\r\n\rGET / HTTP/1.1\r\n"), 400},
        {"trailer without a name", STR_INIT("0\r\n: b\r\n\r\n"), 400},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        expect(cases[i].what, cases[i].input, HTTP_ERROR, cases[i].status, STR_EMPTY, 0);
}

static void put(char *room, struct str s)
{
    memcpy(room, s.ptr, s.len);
}

static void test_limits(void **state)
{
    (void)state;
    static char room[HTTP_TRAILERS_MAX_BYTES + 100];
    memset(room, 'x', sizeof room);
    put(room, STR("5;"));
    expect("long extension", str_of(room, HTTP_CHUNK_LINE_MAX_BYTES), HTTP_MORE, 0, STR_EMPTY, 0);
    expect("too long extension", str_of(room, HTTP_CHUNK_LINE_MAX_BYTES + 1), HTTP_ERROR, 400, STR_EMPTY, 0);
    put(room, STR("0\r\na:"));
    expect("long trailers", str_of(room, 3 + HTTP_TRAILERS_MAX_BYTES), HTTP_MORE, 0, STR_EMPTY, 0);
    expect("too long trailers", str_of(room, 3 + HTTP_TRAILERS_MAX_BYTES + 1), HTTP_ERROR, 400, STR_EMPTY, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests_name("http_chunked", tests, NULL, NULL);
}

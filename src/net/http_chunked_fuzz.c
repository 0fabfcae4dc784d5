/*
 * Any bytes as a chunked body. The same in one piece and singly; and what is accepted, written again as plain chunks, gives
 * the same body.
 */
#include "net/http_chunked.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
    enum http_progress progress;
    int status;
    size_t used, len;
    char *body;
};

static struct result decode(struct str input, size_t piece)
{
    struct http_chunked chunked = {0};
    struct result result = {.body = malloc(input.len + 1)};
    while (result.progress == HTTP_MORE && result.used < input.len) {
        struct str part = str_sub(input, result.used, piece), data;
        char *memory = malloc(part.len);
        memcpy(memory, part.ptr, part.len);
        size_t used = 0;
        result.progress = http_chunked_decode(&chunked, str_of(memory, part.len), &used, &data);
        assert(used <= part.len && (used > 0 || result.progress == HTTP_ERROR));
        assert(data.len == 0 || (data.ptr >= memory && data.ptr + data.len <= memory + part.len));
        if (data.len)
            memcpy(result.body + result.len, data.ptr, data.len);
        result.len += data.len;
        result.used += used;
        free(memory);
    }
    result.status = chunked.status;
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = str_of((const char *)data, size);
    struct result whole = decode(input, SIZE_MAX), singly = decode(input, 1);
    assert(whole.progress == singly.progress && whole.status == singly.status);
    assert(whole.len == singly.len && memcmp(whole.body, singly.body, whole.len) == 0);
    if (whole.progress != HTTP_ERROR)
        assert(whole.used == singly.used);
    if (whole.progress == HTTP_DONE) {
        char *again = malloc(whole.len + 64);
        size_t len = 0;
        if (whole.len) {
            len = (size_t)snprintf(again, 32, "%zx\r\n", whole.len);
            memcpy(again + len, whole.body, whole.len);
            memcpy(again + len + whole.len, "\r\n", 2);
            len += whole.len + 2;
        }
        memcpy(again + len, "0\r\n\r\n", 5);
        len += 5;
        struct result twice = decode(str_of(again, len), SIZE_MAX);
        assert(twice.progress == HTTP_DONE && twice.used == len && twice.len == whole.len);
        assert(memcmp(twice.body, whole.body, whole.len) == 0);
        free(twice.body);
        free(again);
    }
    free(whole.body);
    free(singly.body);
    return 0;
}

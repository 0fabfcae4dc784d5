/*
 * Any bytes as the head of a request. The same in one piece, singly in place (with a line end lying in wait behind what has
 * come), and singly while the memory moves; all results inside the input; what is accepted is framed one way only.
 */
#include "net/http_parse.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool inside(struct str s, const char *bytes, size_t size)
{
    return s.len == 0 || (s.ptr >= bytes && s.ptr + s.len <= bytes + size);
}

static void check_done(const struct http_head *head, const char *bytes, size_t size)
{
    assert(head->size <= size && head->size <= HTTP_HEAD_MAX_BYTES && head->n_headers <= HTTP_HEADERS_MAX);
    assert(str_ends_with(str_of(bytes, head->size), STR("\r\n\r\n")));
    assert(inside(head->method, bytes, head->size) && inside(head->target, bytes, head->size));
    assert(inside(head->query, bytes, head->size) && inside(head->host, bytes, head->size));
    assert(http_is_token(head->method) && head->path.len > 0);
    assert(!(head->chunked && head->has_length) && (head->has_length || head->content_length == 0));
    size_t hosts = 0, lengths = 0, codings = 0;
    for (size_t i = 0; i < head->n_headers; i++) {
        struct str name = head->headers[i].name, value = head->headers[i].value;
        assert(inside(name, bytes, head->size) && inside(value, bytes, head->size));
        assert(http_is_token(name) && http_is_field_value(value));
        hosts += str_eq_nocase(name, STR("Host"));
        lengths += str_eq_nocase(name, STR("Content-Length"));
        codings += str_eq_nocase(name, STR("Transfer-Encoding"));
    }
    assert(hosts <= 1 && lengths + codings <= 1 && (hosts == 1 || head->minor_version == 0));
    assert(head->has_length == (lengths == 1) && head->chunked == (codings == 1));
}

static void same(const struct http_head *a, const struct http_head *b)
{
    assert(a->status == b->status && a->problem == b->problem);
    assert(a->size == b->size && a->n_headers == b->n_headers && str_eq(a->method, b->method));
    assert(str_eq(a->path, b->path) && str_eq(a->query, b->query) && str_eq(a->host, b->host));
    assert(a->chunked == b->chunked && a->content_length == b->content_length && a->keep_alive == b->keep_alive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_head whole, in_place, moving;
    char *bytes = malloc(size + 1), *room = malloc(size + 1), *other = NULL;
    memcpy(bytes, data, size);
    http_head_init(&whole);
    enum http_progress progress = http_head_parse(&whole, bytes, size);
    if (progress == HTTP_DONE)
        check_done(&whole, bytes, size);
    if (progress == HTTP_ERROR)
        assert(whole.status >= 400 && whole.status <= 505 && whole.problem);

    http_head_init(&in_place);
    enum http_progress singly = HTTP_MORE;
    memset(room, '\n', size + 1);
    for (size_t len = 1; len <= size && singly == HTTP_MORE; len++) {
        room[len - 1] = bytes[len - 1];
        singly = http_head_parse(&in_place, room, len);
        /* The verdict comes with the byte that decides it. */
        assert(singly != HTTP_DONE || len == in_place.size);
    }
    assert(singly == progress);
    if (progress == HTTP_DONE || progress == HTTP_ERROR)
        same(&whole, &in_place);

    /* Quadratic, so only for small inputs. */
    http_head_init(&moving);
    singly = HTTP_MORE;
    for (size_t len = 1; size <= 512 && len <= size && singly == HTTP_MORE; len++) {
        char *next = malloc(len);
        memcpy(next, bytes, len);
        free(other);
        other = next;
        singly = http_head_parse(&moving, other, len);
    }
    assert(size > 512 || singly == progress);
    if (size <= 512 && progress != HTTP_MORE)
        same(&whole, &moving);
    free(other);
    free(bytes);
    free(room);
    return 0;
}

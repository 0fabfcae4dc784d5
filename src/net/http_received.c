/* What a site answers, as libcurl hands it over and as the caller gets it. */
#include "net/http_budget.h"
#include "net/http_transfer.h"

#include "base/clock.h"

static size_t too_large(struct http_transfer *transfer)
{
    transfer->failure = HTTP_FETCH_TOO_LARGE;
    return 0; /* libcurl gives the transfer up */
}

static void note_answer(struct http_transfer *transfer)
{
    if (transfer->answer_began)
        return;
    transfer->answer_began = true;
    transfer->window_ms = clock_monotonic_ms();
}

static void note_length(struct http_transfer *transfer, struct str line)
{
    struct str name = STR("content-length:");
    uint64_t length;
    if (str_starts_with_nocase(line, name) && str_to_u64(str_trim(str_from_offset(line, name.len)), &length))
        transfer->content_length = length;
    if (str_starts_with_nocase(line, STR("content-encoding:")))
        transfer->is_encoded = true;
}

size_t http_received_header(char *bytes, size_t size, size_t count, void *context)
{
    struct http_carrier *carrier = context;
    struct http_transfer *transfer = carrier->transfer;
    struct str line = {bytes, size * count};
    note_answer(transfer);
    transfer->head_bytes += line.len;
    if (transfer->head_bytes > HTTP_FETCH_HEAD_MAX_BYTES)
        return too_large(transfer);
    if (str_starts_with(line, STR("HTTP/")) && transfer->body.len == 0) { /* the next head follows a 1xx */
        buf_clear(&transfer->head);
        transfer->head_ended = false;
        transfer->content_length = SIZE_MAX;
        transfer->is_encoded = false;
    }
    if (str_trim(line).len == 0) {
        transfer->head_ended = true;
        bool is_head = str_eq(transfer->request->method, STR("HEAD"));
        if (transfer->content_length != SIZE_MAX && transfer->content_length > transfer->max_body_bytes && !is_head)
            return too_large(transfer);
        http_download_head(transfer);
    } else if (!transfer->head_ended) { /* trailers are not wanted */
        note_length(transfer, line);
        buf_add(&transfer->head, line);
        if (buf_failed(&transfer->head)) {
            transfer->failure = HTTP_FETCH_MEMORY;
            return 0;
        }
    }
    return line.len;
}

/* The largest that the answer can become, as far as we know. */
static size_t may_become(const struct http_transfer *transfer)
{
    return transfer->is_encoded || transfer->content_length > transfer->max_body_bytes ? transfer->max_body_bytes
                                                                                       : transfer->content_length;
}

/* At once what is to come, where that is known and there is memory for it: growing piece by piece copies. */
static void make_room(struct http_transfer *transfer, size_t piece)
{
    size_t length = transfer->content_length, most = transfer->reserved_bytes;
    if (length == SIZE_MAX || transfer->is_encoded || length <= piece + transfer->body.len)
        return;
    most = most > HTTP_BUDGET_FREE_BYTES ? most : HTTP_BUDGET_FREE_BYTES;
    length = length < most ? length : most;
    if (length > transfer->body.capacity && length > transfer->body.len)
        (void)buf_reserve(&transfer->body, length - transfer->body.len);
}

size_t http_received_body(char *bytes, size_t size, size_t count, void *context)
{
    struct http_carrier *carrier = context;
    struct http_transfer *transfer = carrier->transfer;
    struct str piece = {bytes, size * count};
    note_answer(transfer);
    if (transfer->is_download)
        return http_download_take(transfer, piece);
    if (piece.len > transfer->max_body_bytes - transfer->body.len)
        return too_large(transfer);
    if (piece.len + transfer->body.len > HTTP_BUDGET_FREE_BYTES && !http_budget_take(transfer, may_become(transfer)))
        return CURL_WRITEFUNC_PAUSE;
    make_room(transfer, piece.len);
    buf_add(&transfer->body, piece);
    if (buf_failed(&transfer->body)) {
        transfer->failure = HTTP_FETCH_MEMORY;
        return 0;
    }
    return piece.len;
}

static void read_headers(struct call *call, const struct http_transfer *transfer, struct http_fetched *ret)
{
    struct str rest = buf_str(&transfer->head), line;
    size_t max = 0;
    for (size_t at = 0, next; (next = str_find_char(str_from_offset(rest, at), '\n')) != STR_NOT_FOUND; at += next + 1)
        max++;
    struct http_header *headers = arena_array_of(call->arena, struct http_header, max + 1);
    size_t n_headers = 0;
    while (str_next(&rest, '\n', &line)) {
        size_t colon = str_find_char(line, ':');
        if (colon == STR_NOT_FOUND || colon == 0 || ascii_is_space(line.ptr[0])) /* status line, continuation, end */
            continue;
        headers[n_headers++] =
            (struct http_header){str_trim(str_sub(line, 0, colon)), str_trim(str_from_offset(line, colon + 1))};
    }
    ret->headers = headers;
    ret->n_headers = n_headers;
    struct str type = http_header_get(headers, n_headers, STR("Content-Type"));
    ret->content_type = type.ptr ? type : STR_EMPTY;
}

void http_received_fill(struct call *call, const struct http_transfer *transfer, struct http_fetched *ret)
{
    ret->failure = transfer->failure;
    ret->elapsed_ms = transfer->elapsed_ms;
    ret->primary_ip = str_from(transfer->primary_ip);
    ret->is_reused = transfer->sockets == 0 && transfer->attempts > 0;
    ret->may_have_arrived = transfer->failure != HTTP_FETCH_OK && transfer->attempts > 0;
    if (transfer->failure != HTTP_FETCH_OK && !transfer->answer_began)
        return;
    ret->status = (int)transfer->status;
    if (transfer->head_ended)
        read_headers(call, transfer, ret);
    if (transfer->failure == HTTP_FETCH_OK && !transfer->is_download)
        ret->body = buf_str(&transfer->body);
}

/* An answer that is read in pieces. */
#include "net/http_download.h"

#include "net/http_transfer.h"
#include "net/task.h"

struct http_download {
    struct http_transfer *transfer;
    struct url url;
    int64_t length;
};

/* --- libcurl's side ---------------------------------------------------------------------------------------------------- */

size_t http_download_take(struct http_transfer *transfer, struct str piece)
{
    size_t before = transfer->read_bytes + transfer->body.len;
    if (piece.len > transfer->max_body_bytes - before) {
        transfer->failure = HTTP_FETCH_TOO_LARGE;
        return 0;
    }
    if (transfer->body.len && piece.len > transfer->body.max - transfer->body.len) {
        transfer->is_held = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    buf_add(&transfer->body, piece);
    if (buf_failed(&transfer->body)) {
        transfer->failure = HTTP_FETCH_MEMORY;
        return 0;
    }
    if (transfer->call)
        task_wake(transfer->call);
    return piece.len;
}

void http_download_head(struct http_transfer *transfer)
{
    if (!transfer->is_download)
        return;
    curl_easy_getinfo(transfer->carrier->easy, CURLINFO_RESPONSE_CODE, &transfer->status);
    if (transfer->call)
        task_wake(transfer->call);
}

/* --- the call's side --------------------------------------------------------------------------------------------------- */

int http_download_begin(struct call *call, const struct http_fetch *request, struct http_fetched *ret,
                        struct http_download **ret_download)
{
    struct http_transfer *transfer;
    struct url url;
    *ret_download = NULL;
    int error = http_transfer_perform(call, request, true, &url, ret, &transfer);
    if (error)
        return error;
    *ret_download = arena_new_of(call->arena, struct http_download);
    **ret_download = (struct http_download){
        .transfer = transfer,
        .url = url,
        .length = transfer->content_length == SIZE_MAX ? -1 : (int64_t)transfer->content_length,
    };
    return OK;
}

int64_t http_download_length(const struct http_download *download)
{
    return download->length;
}

enum http_fetch_failure http_download_failure(const struct http_download *download)
{
    return download->transfer->failure;
}

static void resume(void *context)
{
    struct http_transfer *transfer = context;
    transfer->is_held = false;
    if (transfer->carrier)
        http_pool_resume(transfer->carrier);
}

/* Of what has come; all of it read makes room for more. */
static size_t take_out(struct call *call, struct http_transfer *transfer, char *room, size_t size)
{
    struct str piece = str_sub(str_from_offset(buf_str(&transfer->body), transfer->body_at), 0, size);
    memcpy(room, piece.ptr, piece.len);
    transfer->body_at += piece.len;
    if (transfer->body_at < transfer->body.len)
        return piece.len;
    transfer->read_bytes += transfer->body.len;
    transfer->body_at = 0;
    buf_clear(&transfer->body);
    if (transfer->is_held)
        task_on_loop_stack(call, resume, transfer);
    return piece.len;
}

static enum http_fetch_failure failure_of(int error)
{
    return error == E_TIMEOUT ? HTTP_FETCH_TIMEOUT_ANSWER : HTTP_FETCH_CANCELLED;
}

int http_download_read(struct call *call, struct http_download *download, char *room, size_t size, size_t *ret_read)
{
    struct http_transfer *transfer = download->transfer;
    *ret_read = 0;
    while (size && transfer->body.len == 0 && transfer->state != TRANSFER_DONE) {
        int error = task_park(call);
        if (error) {
            http_transfer_withdraw(call, transfer);
            transfer->failure = failure_of(error);
            return http_transfer_report(call, transfer, &download->url);
        }
    }
    if (transfer->body.len && size)
        *ret_read = take_out(call, transfer, room, size);
    else if (size && transfer->failure != HTTP_FETCH_OK)
        return http_transfer_report(call, transfer, &download->url);
    return OK;
}

void http_download_end(struct call *call, struct http_download *download)
{
    http_transfer_withdraw(call, download->transfer);
}

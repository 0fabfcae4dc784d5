/* Bodies of requests that are sent in pieces: libcurl takes one, pauses, and the call fetches the next from its source. */
#include "net/http_transfer.h"
#include "net/task.h"

size_t http_upload_give(char *room, size_t size, size_t count, void *context)
{
    struct http_carrier *carrier = context;
    struct http_transfer *transfer = carrier->transfer;
    struct str rest = str_from_offset(buf_str(&transfer->out), transfer->out_at);
    if (rest.len == 0 && transfer->out_ended)
        return 0;
    if (rest.len == 0) {
        transfer->out_awaited = true;
        if (transfer->call)
            task_wake(transfer->call);
        return CURL_READFUNC_PAUSE;
    }
    struct str piece = str_sub(rest, 0, size * count);
    memcpy(room, piece.ptr, piece.len);
    transfer->out_at += piece.len;
    return piece.len;
}

static void resume(void *context)
{
    struct http_transfer *transfer = context;
    if (transfer->carrier)
        http_pool_resume(transfer->carrier);
}

/* A body must be exactly as long as announced: one that is shorter would leave the site waiting, or be cut. */
static int check_length(struct call *call, const struct http_transfer *transfer)
{
    int64_t announced = transfer->request->source->size_bytes;
    if (announced < 0 || (transfer->out_ended ? transfer->out_bytes == announced : transfer->out_bytes <= announced))
        return OK;
    return fail(call, E_UPSTREAM, "What was to be sent has %s than the %lld bytes announced, so it was given up.",
                transfer->out_ended ? "less" : "more", (long long)announced);
}

int http_upload_feed(struct call *call, struct http_transfer *transfer)
{
    const struct http_source *source = transfer->request->source;
    size_t count = 0;
    buf_clear(&transfer->out);
    transfer->out_at = 0;
    char *room = buf_reserve(&transfer->out, HTTP_FETCH_PIECE_BYTES);
    int error = room ? source->read(call, source->context, room, HTTP_FETCH_PIECE_BYTES, &count)
                     : fail(call, E_UNAVAILABLE, "There is not enough memory right now. Try again.");
    if (transfer->state == TRANSFER_DONE) /* the site has answered, or gone, meanwhile: that is what counts */
        return OK;
    if (!error) {
        transfer->out.len = count;
        transfer->out_bytes += (int64_t)count;
        transfer->out_ended = count == 0;
        error = check_length(call, transfer);
    }
    if (error) {
        transfer->source_error = error;
        return error;
    }
    transfer->out_awaited = false;
    task_on_loop_stack(call, resume, transfer);
    return OK;
}

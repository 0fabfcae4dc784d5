/* One request and its answer. */
#include "base/log.h"
#include "net/http_connection.h"
#include "net/task.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

/* --- the pool ---------------------------------------------------------------------------------------------------------- */

void http_exchange_reset(struct http_exchange *exchange)
{
    http_head_init(&exchange->head);
    exchange->chunked = (struct http_chunked){0};
    exchange->body_apart = false;
    exchange->body_streams = exchange->body_ended = exchange->body_awaited = exchange->body_late = false;
    exchange->body_received = 0;
    exchange->body_waited_ms = 0;
    exchange->size = 0;
    exchange->request.method = STR_EMPTY;
    exchange->request.path = STR_EMPTY;
    exchange->call.arena = NULL;
    exchange->status = 0;
    exchange->answer_refused = false;
    exchange->streaming = exchange->stream_ended = exchange->stream_torn = false;
    exchange->cancel_on_close = false;
    exchange->ended = false;
    exchange->n_out = 0;
    exchange->stream_sent = 0;
    exchange->answer_body = STR_EMPTY;
    buf_clear(&exchange->answer_headers);
    buf_clear(&exchange->stream_out);
    http_body_release(exchange); /* up to max_body_bytes: not kept */
}

void http_exchange_free(struct http_exchange *exchange)
{
    http_body_release(exchange);
    buf_done(&exchange->answer_headers);
    buf_done(&exchange->stream_out);
    arena_free(exchange->unused_arena);
    free(exchange->bytes);
    free(exchange);
}

struct http_exchange *http_exchange_take(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    struct http_exchange *exchange = server->exchanges;
    if (exchange) {
        server->exchanges = exchange->next;
        if (--server->n_exchanges < server->n_unused)
            server->n_unused = server->n_exchanges;
    } else {
        exchange = calloc(1, sizeof *exchange);
        if (exchange)
            exchange->bytes = malloc(HTTP_READ_BYTES);
        if (!exchange || !exchange->bytes) {
            free(exchange);
            return NULL;
        }
        exchange->capacity = HTTP_READ_BYTES;
        buf_init_heap(&exchange->body, server->settings.max_body_bytes);
        buf_init_heap(&exchange->answer_headers, HTTP_ANSWER_HEADERS_MAX_BYTES);
        buf_init_heap(&exchange->stream_out, HTTP_STREAM_WAITING_MAX_BYTES);
        http_exchange_reset(exchange);
    }
    exchange->connection = connection;
    server->n_taken++;
    return exchange;
}

void http_exchange_give_back(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    struct http_exchange *exchange = connection->exchange;
    connection->exchange = NULL;
    bool grown = exchange->capacity > HTTP_READ_BYTES ||
                 exchange->answer_headers.capacity + exchange->stream_out.capacity > HTTP_READ_BYTES;
    if (grown) {
        http_exchange_free(exchange);
        return;
    }
    http_exchange_reset(exchange);
    exchange->n_bytes = 0;
    exchange->next = server->exchanges;
    server->exchanges = exchange;
    server->n_exchanges++;
}

/* --- the request ------------------------------------------------------------------------------------------------------- */

struct str http_header_value(const struct http_request *request, struct str name)
{
    return http_header_get(request->headers, request->n_headers, name);
}

bool http_header_repeated(const struct http_request *request, struct str name)
{
    size_t count = 0;
    for (size_t i = 0; i < request->n_headers; i++)
        count += http_header_is(&request->headers[i], name);
    return count > 1;
}

const struct http_request *http_exchange_request(const struct http_exchange *exchange)
{
    return &exchange->request;
}

void http_exchange_cancel_on_close(struct http_exchange *exchange, bool on)
{
    exchange->cancel_on_close = on;
    if (on && (exchange->connection->client_closed || exchange->connection->fd < 0))
        call_cancel(&exchange->call);
}

/* --- the head of the answer -------------------------------------------------------------------------------------------- */

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

const char *http_status_reason(int status)
{
    for (size_t i = 0; i < ARRAY_LENGTH(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

/* RFC 9110 5.6.7. By hand: strftime() speaks the locale's language. */
static struct str date_line(struct http_server *server)
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t now_s = time(NULL);
    if (now_s != server->date_s) {
        struct tm tm;
        char text[64];
        time_t seconds = (time_t)now_s;
        gmtime_r(&seconds, &tm);
        snprintf(text, sizeof text, "Date: %.3s, %02u %.3s %04u %02u:%02u:%02u GMT\r\n", days + 3 * tm.tm_wday,
                 (unsigned)tm.tm_mday % 100, months + 3 * tm.tm_mon, (unsigned)(tm.tm_year + 1900) % 10000,
                 (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
        memcpy(server->date, text, sizeof server->date);
        server->date_s = now_s;
    }
    return str_of(server->date, sizeof server->date);
}

static char *put(char *at, struct str s)
{
    memcpy(at, s.ptr, s.len);
    return at + s.len;
}

static char *put_u64(char *at, uint64_t value)
{
    char digits[20];
    size_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    return put(at, str_of(digits + first, sizeof digits - first));
}

static bool has_no_body(int status)
{
    return status < 200 || status == 204 || status == 304;
}

static bool is_head(const struct http_exchange *exchange)
{
    return str_eq(exchange->request.method, STR("HEAD"));
}

static void decide_close(struct http_exchange *exchange)
{
    struct http_connection *connection = exchange->connection;
    const struct http_server *server = connection->server;
    bool last = connection->client_closed && exchange->n_bytes == exchange->size;
    if (!exchange->head.keep_alive || last || server->draining || http_body_is_left(exchange) ||
        connection->n_requests >= server->settings.max_requests_per_connection)
        connection->close_after = true;
}

void http_exchange_start(struct http_exchange *exchange, int status, struct str body)
{
    struct http_connection *connection = exchange->connection;
    assert(status >= 200 && status <= 599);
    decide_close(exchange);
    char *at = put(exchange->start, STR("HTTP/1.1 "));
    at = put_u64(at, (uint64_t)status);
    *at++ = ' ';
    at = put(at, str_from(http_status_reason(status)));
    at = put(at, STR("\r\n"));
    at = put(at, date_line(connection->server));
    if (exchange->streaming) {
        if (exchange->request.minor_version == 1)
            at = put(at, STR("Transfer-Encoding: chunked\r\n"));
        else
            connection->close_after = true; /* HTTP/1.0: the close is the end */
    } else if (!has_no_body(status)) {
        at = put(at, STR("Content-Length: "));
        at = put_u64(at, body.len);
        at = put(at, STR("\r\n"));
    }
    if (connection->close_after)
        at = put(at, STR("Connection: close\r\n"));
    else if (exchange->request.minor_version == 0)
        at = put(at, STR("Connection: keep-alive\r\n"));
    struct buf *headers = &exchange->answer_headers;
    if (headers->len == 0)
        at = put(at, STR("\r\n"));
    else
        buf_add(headers, STR("\r\n")); /* begin_answer() has made room */
    exchange->out[0] = (struct iovec){exchange->start, (size_t)(at - exchange->start)};
    exchange->out[1] = (struct iovec){headers->ptr, headers->len};
    exchange->n_out = headers->len ? 2 : 1;
    if (body.len && !has_no_body(status) && !is_head(exchange))
        exchange->out[exchange->n_out++] = (struct iovec){(void *)(uintptr_t)body.ptr, body.len};
}

/* --- the whole answer -------------------------------------------------------------------------------------------------- */

void http_answer_header(struct http_exchange *exchange, struct str name, struct str value)
{
    struct buf *headers = &exchange->answer_headers;
    if (exchange->status)
        return;
    if (!http_is_token(name) || !http_is_field_value(value) || value.len > headers->max) {
        exchange->answer_refused = true;
        return;
    }
    char *at = buf_reserve(headers, name.len + value.len + 4);
    if (!at)
        return; /* seen when the answer begins */
    at = put(at, name);
    at = put(at, STR(": "));
    if (value.len)
        at = put(at, value);
    at = put(at, STR("\r\n"));
    headers->len = (size_t)(at - headers->ptr);
}

/* False: the answer cannot be what the handler wants, and is 500 now. */
static bool begin_answer(struct http_exchange *exchange, int status, struct str content_type)
{
    if (content_type.len)
        http_answer_header(exchange, STR("Content-Type"), content_type);
    exchange->status = status;
    /* Room for the empty line now, so that nothing can fail later. */
    if (!exchange->answer_refused && buf_reserve(&exchange->answer_headers, 2))
        return true;
    log_error("http: an answer header of %.*s is not valid or too large; answered 500",
              STR_ARG(exchange->request.path));
    http_exchange_own_answer(exchange, 500, STR("The server has failed to answer."));
    return false;
}

void http_exchange_own_answer(struct http_exchange *exchange, int status, struct str text)
{
    buf_clear(&exchange->answer_headers);
    exchange->answer_refused = false;
    exchange->status = 0;
    http_answer_header(exchange, STR("Content-Type"), STR("text/plain; charset=utf-8"));
    if (status == 503)
        http_answer_header(exchange, STR("Retry-After"), STR("2"));
    if (!buf_reserve(&exchange->answer_headers, 2))
        buf_clear(&exchange->answer_headers); /* no memory: without them */
    exchange->status = status;
    exchange->answer_body = text;
}

bool http_answered(const struct http_exchange *exchange)
{
    return exchange->status != 0;
}

int http_answer_status(const struct http_exchange *exchange)
{
    return exchange->status;
}

void http_answer(struct http_exchange *exchange, int status, struct str content_type, struct str body)
{
    if (exchange->status) {
        log_error("http: %.*s was answered twice", STR_ARG(exchange->request.path));
        return;
    }
    if (begin_answer(exchange, status, content_type))
        exchange->answer_body = body;
}

/* --- streams ----------------------------------------------------------------------------------------------------------- */

static int gone(struct call *call)
{
    return fail(call, E_CANCELLED, "The client has closed the connection.");
}

/* What the socket does not take at once is kept. False: the client has gone. */
static bool send_or_keep(struct http_exchange *exchange, struct iovec *out, size_t n_out)
{
    struct http_connection *connection = exchange->connection;
    if (http_connection_send(connection, out, &n_out) < 0)
        return false;
    for (size_t i = 0; i < n_out; i++)
        buf_add(&exchange->stream_out, str_of(out[i].iov_base, out[i].iov_len));
    if (buf_failed(&exchange->stream_out))
        return false;
    if (exchange->stream_out.len && !connection->throttled) {
        connection->throttled = true;
        http_connection_enter(connection, HTTP_CALL);
        http_connection_set_events(connection, connection->events | EV_WRITE);
    }
    return true;
}

bool http_exchange_flush_stream(struct http_exchange *exchange)
{
    struct http_connection *connection = exchange->connection;
    struct buf *waiting = &exchange->stream_out;
    struct iovec out = {waiting->ptr + exchange->stream_sent, waiting->len - exchange->stream_sent};
    size_t n_out = 1;
    ssize_t sent = out.iov_len ? http_connection_send(connection, &out, &n_out) : 0;
    if (sent < 0)
        return false;
    exchange->stream_sent += (size_t)sent;
    if (exchange->stream_sent == waiting->len) {
        exchange->stream_sent = 0;
        buf_clear(waiting);
    }
    return true;
}

int http_stream_begin(struct call *call, struct http_exchange *exchange, int status, struct str content_type)
{
    struct http_connection *connection = exchange->connection;
    if (exchange->status)
        return fail(call, E_INTERNAL, "The request was answered twice.");
    if (!begin_answer(exchange, status, content_type))
        return fail(call, E_INTERNAL, "The answer has an invalid header.");
    if (connection->fd < 0)
        return gone(call);
    exchange->streaming = true;
    http_exchange_start(exchange, status, STR_EMPTY);
    size_t n_out = exchange->n_out;
    exchange->n_out = 0;
    if (!send_or_keep(exchange, exchange->out, n_out)) {
        http_connection_close(connection);
        return gone(call);
    }
    return OK;
}

/* Of at most HTTP_STREAM_PIECE_BYTES, when nothing waits any more. */
static bool send_piece(struct http_exchange *exchange, struct str piece)
{
    char size[16];
    struct iovec out[3];
    size_t n_out = 0;
    bool chunked = exchange->request.minor_version == 1;
    if (chunked)
        out[n_out++] = (struct iovec){size, (size_t)snprintf(size, sizeof size, "%zx\r\n", piece.len)};
    out[n_out++] = (struct iovec){(void *)(uintptr_t)piece.ptr, piece.len};
    if (chunked)
        out[n_out++] = (struct iovec){(void *)(uintptr_t) "\r\n", 2};
    return send_or_keep(exchange, out, n_out);
}

/* Takes from *bytes what went out. */
static int write_pieces(struct call *call, struct http_exchange *exchange, struct str *bytes)
{
    struct http_connection *connection = exchange->connection;
    while (bytes->len) {
        while (connection->fd >= 0 && exchange->stream_out.len) {
            int error = task_park(call);
            if (error)
                return error;
        }
        if (connection->fd < 0)
            return gone(call);
        if (call->cancelled)
            return gone(call);
        struct str piece = str_sub(*bytes, 0, HTTP_STREAM_PIECE_BYTES);
        *bytes = str_from_offset(*bytes, piece.len);
        if (!send_piece(exchange, piece)) {
            http_connection_close(connection);
            return gone(call);
        }
    }
    return OK;
}

int http_stream_write(struct call *call, struct http_exchange *exchange, struct str bytes)
{
    size_t whole = bytes.len;
    assert(exchange->streaming && !exchange->stream_ended);
    if (is_head(exchange))
        return OK;
    if (exchange->stream_torn)
        return gone(call);
    int error = write_pieces(call, exchange, &bytes);
    exchange->stream_torn = error && bytes.len < whole;
    return error;
}

void http_stream_end(struct http_exchange *exchange)
{
    struct http_connection *connection = exchange->connection;
    if (!exchange->streaming || exchange->stream_ended || exchange->stream_torn)
        return;
    exchange->stream_ended = true;
    struct iovec last = {(void *)(uintptr_t) "0\r\n\r\n", 5};
    if (connection->fd < 0 || exchange->request.minor_version == 0 || is_head(exchange))
        return;
    /* Behind what waits already; otherwise at once. */
    if (exchange->stream_out.len)
        buf_add(&exchange->stream_out, STR("0\r\n\r\n"));
    else if (!send_or_keep(exchange, &last, 1))
        http_connection_close(connection);
}

/* The bodies of requests: whole, before the handler begins, or in pieces that it reads straight off the socket. */
#include "base/clock.h"
#include "net/http_connection.h"
#include "net/task.h"

/* --- whole bodies ------------------------------------------------------------------------------------------------------ */

/* A body with a length that does not fit behind its head: straight to its place. */
enum http_read http_body_fill(struct http_connection *connection)
{
    struct http_exchange *exchange = connection->exchange;
    uint64_t left = exchange->head.content_length - exchange->body_received;
    size_t size = left < HTTP_BODY_READ_BYTES ? (size_t)left : HTTP_BODY_READ_BYTES, count = 0;
    char *room = buf_reserve(&exchange->body, size);
    if (!room)
        return HTTP_READ_BROKEN;
    enum http_read result = http_connection_read(connection, room, size, &count);
    exchange->body.len += count;
    exchange->body_received += count;
    return result;
}

void http_body_uncount(struct http_exchange *exchange)
{
    if (exchange->body_counted) /* else it may lie in the pool, and have no connection */
        exchange->connection->server->body_bytes -= exchange->body_counted;
    exchange->body_counted = 0;
}

void http_body_release(struct http_exchange *exchange)
{
    buf_done(&exchange->body);
    http_body_uncount(exchange);
}

/* The one that is at it longest, of those that take memory. */
static struct http_connection *oldest_body(const struct http_server *server)
{
    struct http_connection *oldest = server->lists[HTTP_BODY].first;
    while (!oldest->exchange->body_counted)
        oldest = oldest->next;
    return oldest;
}

/*
 * What all bodies that are still coming take together has an end; who begins many and goes on slowly must not keep others out, so the
 * oldest goes. False: it is this one.
 */
static bool make_room(struct http_connection *connection)
{
    static const char sentence[] = "The server has too many large requests at once. Try again in a moment.";
    struct http_server *server = connection->server;
    struct http_exchange *exchange = connection->exchange;
    server->body_bytes += exchange->body.capacity - exchange->body_counted;
    exchange->body_counted = exchange->body.capacity;
    while (exchange->body_counted && server->body_bytes > server->settings.bodies_max_bytes) {
        struct http_connection *oldest = oldest_body(server);
        http_body_release(oldest->exchange);
        if (oldest == connection) {
            http_connection_refuse(connection, 503, str_from(sentence));
            return false;
        }
        http_connection_give_up(oldest, 503, str_from(sentence));
    }
    return true;
}

int64_t http_body_deadline_ms(const struct http_exchange *exchange)
{
    const struct http_server *server = exchange->connection->server;
    const struct http_server_settings *settings = &server->settings;
    int64_t granted_ms = exchange->body_since_ms + settings->body_grace_ms +
                         (int64_t)(exchange->body_received * 1000 / settings->body_min_bytes_per_s);
    int64_t stalled_ms = exchange->body_last_ms + settings->body_stall_ms;
    return (granted_ms < stalled_ms ? granted_ms : stalled_ms) + server->tick_ms;
}

static void refuse_body(struct http_connection *connection)
{
    http_connection_refuse(connection, 413, STR("The body of the request is too large."));
}

/* The one place where the bytes of a body apart go. */
static bool take_body(struct http_exchange *exchange, struct str bytes)
{
    exchange->body_received += bytes.len;
    buf_add(&exchange->body, bytes);
    return !buf_failed(&exchange->body);
}

/* How large may it be, and is it read in pieces? */
static void decide_body(struct http_connection *connection)
{
    struct http_exchange *exchange = connection->exchange;
    const struct http_server_settings *settings = &connection->server->settings;
    exchange->body_max = settings->max_body_bytes;
    if (!settings->streamed_body_max || (!exchange->head.chunked && exchange->head.content_length == 0))
        return;
    http_connection_describe(connection);
    uint64_t max = settings->streamed_body_max(&exchange->request, settings->context);
    if (!max)
        return;
    exchange->body_streams = true;
    exchange->body_max = max;
}

void http_body_begin(struct http_connection *connection)
{
    struct http_exchange *exchange = connection->exchange;
    const struct http_head *head = &exchange->head;
    size_t behind = exchange->n_bytes - head->size;
    decide_body(connection);
    if (head->content_length > exchange->body_max) {
        refuse_body(connection);
        return;
    }
    exchange->size = head->size;
    http_connection_enter(connection, HTTP_BODY);
    if (!head->chunked && (exchange->body_streams || head->content_length <= behind))
        return; /* all here, the usual case, or the handler's business */
    exchange->body_since_ms = connection->server->now_ms;
    exchange->body_apart =
        !exchange->body_streams && (head->chunked || head->content_length > exchange->capacity - head->size);
    if (exchange->body_apart && !head->chunked) {
        take_body(exchange, str_of(exchange->bytes + head->size, behind));
        exchange->n_bytes = head->size;
    }
    if (head->chunked && exchange->capacity - head->size < HTTP_READ_BYTES / 2) {
        http_head_init(&exchange->head); /* it moves, and is read again */
        if (!http_exchange_grow(exchange, exchange->capacity + HTTP_READ_BYTES) ||
            http_head_parse(&exchange->head, exchange->bytes, exchange->n_bytes) != HTTP_DONE) {
            http_connection_refuse(connection, 503, STR("The server is short of memory."));
            return;
        }
    }
    if (head->expect_continue && behind == 0 && !exchange->body_streams)
        http_connection_continue(connection);
}

static enum http_progress read_chunks(struct http_connection *connection)
{
    struct http_exchange *exchange = connection->exchange;
    struct str rest = str_of(exchange->bytes + exchange->size, exchange->n_bytes - exchange->size), data;
    enum http_progress progress = HTTP_MORE;
    while (progress == HTTP_MORE && rest.len) {
        size_t used;
        progress = http_chunked_decode(&exchange->chunked, rest, &used, &data);
        rest = str_from_offset(rest, used);
        if (data.len && !take_body(exchange, data)) {
            refuse_body(connection);
            return HTTP_ERROR;
        }
    }
    if (progress == HTTP_ERROR) {
        http_connection_refuse(connection, exchange->chunked.status, str_from(exchange->chunked.problem));
        return HTTP_ERROR;
    }
    if (rest.len) /* the next request, behind this one's head */
        memmove(exchange->bytes + exchange->size, rest.ptr, rest.len);
    exchange->n_bytes = exchange->size + rest.len;
    return progress;
}

static enum http_progress collect(struct http_connection *connection)
{
    struct http_exchange *exchange = connection->exchange;
    const struct http_head *head = &exchange->head;
    struct str *body = &exchange->request.body;
    if (exchange->body_streams) {
        *body = STR_EMPTY;
        return HTTP_DONE; /* the handler begins without it */
    }
    if (head->chunked) {
        enum http_progress progress = read_chunks(connection);
        if (progress == HTTP_DONE)
            *body = buf_str(&exchange->body);
        return progress;
    }
    if (exchange->body_apart) {
        *body = buf_str(&exchange->body);
        return exchange->body_received == head->content_length ? HTTP_DONE : HTTP_MORE;
    }
    size_t behind = exchange->n_bytes - head->size;
    exchange->body_received = behind;
    if (behind < head->content_length)
        return HTTP_MORE;
    *body = str_of(exchange->bytes + head->size, (size_t)head->content_length);
    exchange->size = head->size + body->len;
    return HTTP_DONE;
}

enum http_progress http_body_collect(struct http_connection *connection)
{
    connection->exchange->body_last_ms = connection->server->now_ms;
    enum http_progress progress = collect(connection);
    return progress == HTTP_ERROR || make_room(connection) ? progress : HTTP_ERROR;
}

/* --- in pieces ----------------------------------------------------------------------------------------------------------- */

int64_t http_body_length(const struct http_exchange *exchange)
{
    return exchange->head.chunked ? -1 : (int64_t)exchange->head.content_length;
}

void http_body_arrived(struct http_connection *connection)
{
    /* Whoever reads next asks for more; until then the client waits. */
    http_connection_set_events(connection, connection->events & ~EV_READ);
    if (connection->exchange->body_awaited)
        task_wake(&connection->exchange->call);
}

void http_body_overdue(struct http_connection *connection)
{
    connection->exchange->body_late = true;
    connection->deadline_ms = INT64_MAX / 2;
    task_wake(&connection->exchange->call);
}

/* --- waiting ----------------------------------------------------------------------------------------------------------- */

/* What the client is still granted: no longer than a stall, and less when it has been slow all along. */
static int64_t patience_ms(const struct http_exchange *exchange)
{
    const struct http_server_settings *settings = &exchange->connection->server->settings;
    int64_t granted_ms = settings->body_grace_ms +
                         (int64_t)(exchange->body_received * 1000 / settings->body_min_bytes_per_s) -
                         exchange->body_waited_ms;
    granted_ms = granted_ms < settings->body_stall_ms ? granted_ms : settings->body_stall_ms;
    return granted_ms > 0 ? granted_ms : 0;
}

static int gone(struct call *call)
{
    return fail(call, E_CANCELLED, "The client has closed the connection before all had come.");
}

/* Until there may be something to read. */
static int await(struct call *call, struct http_exchange *exchange)
{
    struct http_connection *connection = exchange->connection;
    int64_t begun_ms = clock_monotonic_ms();
    int error = OK;
    connection->deadline_ms = begun_ms + patience_ms(exchange);
    exchange->body_awaited = true;
    http_connection_set_events(connection, connection->events | EV_READ);
    while (!error && connection->fd >= 0 && connection->events & EV_READ && !exchange->body_late)
        error = task_park(call);
    exchange->body_awaited = false;
    exchange->body_waited_ms += clock_monotonic_ms() - begun_ms;
    if (connection->fd < 0)
        return error ? error : gone(call);
    connection->deadline_ms = INT64_MAX / 2;
    if (error)
        http_connection_set_events(connection, connection->events & ~EV_READ);
    if (!error && exchange->body_late)
        return fail(call, E_TIMEOUT, "What was to be sent came too slowly, so the connection was given up. Try again.");
    return error;
}

/* OK: something was read, or has to be waited for (*result says which). */
static int see(struct call *call, struct http_connection *connection, enum http_read result)
{
    if (result == HTTP_READ_SOME || result == HTTP_READ_NOTHING)
        return OK;
    http_connection_close(connection);
    return gone(call);
}

/* --- reading ----------------------------------------------------------------------------------------------------------- */

static int count_in(struct call *call, struct http_exchange *exchange, size_t read)
{
    exchange->body_received += read;
    if (exchange->body_received <= exchange->body_max)
        return OK;
    return fail(call, E_LIMIT, "This is larger than the %llu bytes that are taken here.",
                (unsigned long long)exchange->body_max);
}

/* What came with the head. */
static size_t take_behind_head(struct http_exchange *exchange, char *room, size_t size)
{
    size_t behind = exchange->n_bytes - exchange->size;
    size = behind < size ? behind : size;
    memcpy(room, exchange->bytes + exchange->size, size);
    exchange->size += size;
    return size;
}

static int read_plain(struct call *call, struct http_exchange *exchange, char *room, size_t size, size_t *ret_read)
{
    uint64_t left = exchange->head.content_length - exchange->body_received;
    size = left < size ? (size_t)left : size;
    if (exchange->n_bytes > exchange->size) {
        *ret_read = take_behind_head(exchange, room, size);
    } else {
        int error = see(call, exchange->connection, http_connection_read(exchange->connection, room, size, ret_read));
        if (error)
            return error;
    }
    int error = count_in(call, exchange, *ret_read);
    exchange->body_ended = exchange->body_received == exchange->head.content_length;
    return error;
}

/* At most `size` bytes of what is in bytes[] are decoded, so that they fit. */
static int decode(struct call *call, struct http_exchange *exchange, char *room, size_t size, size_t *ret_read)
{
    struct str rest = str_of(exchange->bytes + exchange->size, exchange->n_bytes - exchange->size);
    enum http_progress progress = HTTP_MORE;
    while (progress == HTTP_MORE && rest.len && *ret_read < size) {
        struct str data;
        size_t used;
        progress = http_chunked_decode(&exchange->chunked, str_sub(rest, 0, size - *ret_read), &used, &data);
        if (data.len)
            memcpy(room + *ret_read, data.ptr, data.len);
        *ret_read += data.len;
        rest = str_from_offset(rest, used);
    }
    if (progress == HTTP_ERROR)
        return fail(call, E_INVALID, "%s", exchange->chunked.problem);
    if (rest.len)
        memmove(exchange->bytes + exchange->size, rest.ptr, rest.len);
    exchange->n_bytes = exchange->size + rest.len;
    exchange->body_ended = progress == HTTP_DONE;
    return count_in(call, exchange, *ret_read);
}

static int read_chunked(struct call *call, struct http_exchange *exchange, char *room, size_t size, size_t *ret_read)
{
    if (exchange->n_bytes == exchange->size) {
        int error = see(call, exchange->connection, http_connection_fill(exchange->connection));
        if (error)
            return error;
    }
    return decode(call, exchange, room, size, ret_read);
}

int http_body_read(struct call *call, struct http_exchange *exchange, char *room, size_t size, size_t *ret_read)
{
    struct http_connection *connection = exchange->connection;
    *ret_read = 0;
    if (!http_body_is_left(exchange) || size == 0)
        return OK;
    if (connection->fd < 0)
        return gone(call);
    if (exchange->head.expect_continue && exchange->n_bytes == exchange->head.size && !exchange->body_received)
        http_connection_continue(connection);
    exchange->head.expect_continue = false;
    while (!*ret_read && !exchange->body_ended) {
        int error = exchange->head.chunked ? read_chunked(call, exchange, room, size, ret_read)
                                           : read_plain(call, exchange, room, size, ret_read);
        if (!error && !*ret_read && !exchange->body_ended)
            error = await(call, exchange);
        if (error) {
            exchange->body_ended = false; /* the connection is good for no further request */
            return error;
        }
    }
    if (exchange->body_ended) /* from now on what comes is the next request */
        http_connection_set_events(connection, connection->events | EV_READ);
    return OK;
}

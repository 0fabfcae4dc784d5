/* One connection: read a request, run its call, write the answer, again. */
#include "net/http_connection.h"

#include "base/metrics.h"
#include "base/clock.h"
#include "net/task.h"
#include "net/tls.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static void step(struct http_connection *connection);

/* --- phases, lists, events --------------------------------------------------------------------------------------------- */

static void leave_list(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        server->lists[connection->phase].first = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    else
        server->lists[connection->phase].last = connection->previous;
}

static void join_list(struct http_connection *connection, enum http_phase phase)
{
    struct http_server *server = connection->server;
    connection->phase = phase;
    connection->next = NULL;
    connection->previous = server->lists[phase].last;
    if (connection->previous)
        connection->previous->next = connection;
    else
        server->lists[phase].first = connection;
    server->lists[phase].last = connection;
}

static int64_t time_limit_ms(const struct http_connection *connection, enum http_phase phase)
{
    const struct http_server_settings *settings = &connection->server->settings;
    switch (phase) {
    case HTTP_SHAKE:
        return settings->handshake_timeout_ms;
    case HTTP_IDLE:
        return connection->server->draining && connection->server->last_idle_ms < settings->idle_timeout_ms
                   ? connection->server->last_idle_ms
                   : settings->idle_timeout_ms;
    case HTTP_HEAD:
        return settings->head_timeout_ms;
    case HTTP_BODY: /* prolonged by what has come, see http_connection_overdue() */
        return settings->body_grace_ms < settings->body_stall_ms ? settings->body_grace_ms : settings->body_stall_ms;
    case HTTP_CALL:
        return connection->throttled ? settings->write_stall_ms : INT64_MAX / 2;
    case HTTP_SEND:
        return settings->write_stall_ms;
    case HTTP_LINGER:
        return settings->linger_ms;
    case HTTP_CLOSED:
    case HTTP_PHASES:
        break;
    }
    return INT64_MAX / 2;
}

void http_connection_enter(struct http_connection *connection, enum http_phase phase)
{
    leave_list(connection);
    int shaking = (phase == HTTP_SHAKE) - (connection->phase == HTTP_SHAKE);
    connection->server->n_shaking += (size_t)shaking;
    if (shaking)
        metric_move(GAUGE_HANDSHAKES, shaking);
    join_list(connection, phase);
    /* now_ms is up to a tick old: never too early, at most a tick too late. */
    connection->deadline_ms =
        connection->server->now_ms + connection->server->tick_ms + time_limit_ms(connection, phase);
}

static void on_event(evutil_socket_t fd, short what, void *context);

/* What TLS has already read off the socket, no event of the socket tells. */
static void see_more(struct http_connection *connection)
{
    if (connection->tls && connection->events & EV_READ && tls_has_more(connection->tls))
        event_active(&connection->event, EV_READ, 0);
}

void http_connection_set_events(struct http_connection *connection, short events)
{
    if (connection->events == events || connection->fd < 0)
        return;
    event_del(&connection->event);
    connection->events = events;
    if (events & (EV_READ | EV_WRITE)) {
        event_assign(&connection->event, loop_base(), connection->fd, events | EV_PERSIST, on_event, connection);
        event_add(&connection->event, NULL);
        see_more(connection);
    }
}

/* --- arenas ----------------------------------------------------------------------------------------------------------- */

/* They stay with their exchange. */
static struct arena *arena_take(struct http_exchange *exchange)
{
    struct arena *arena = exchange->unused_arena;
    exchange->unused_arena = NULL;
    return arena ? arena : arena_new(exchange->connection->server->settings.arena_budget_bytes);
}

static void arena_give_back(struct http_exchange *exchange)
{
    struct arena *arena = exchange->call.arena;
    if (!arena)
        return;
    arena_reset(arena);
    exchange->unused_arena = arena;
    exchange->call.arena = NULL;
}

/* Of a listener for both families: an IPv4 address that was written as one of IPv6 (RFC 4291 2.5.5.2). */
static void write_as_four(struct http_connection *connection)
{
    const struct sockaddr_in6 six = connection->peer.v6;
    if (connection->peer.any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&six.sin6_addr))
        return;
    memset(&connection->peer, 0, sizeof connection->peer);
    connection->peer.v4.sin_family = AF_INET;
    connection->peer.v4.sin_port = six.sin6_port;
    memcpy(&connection->peer.v4.sin_addr, six.sin6_addr.s6_addr + 12, sizeof connection->peer.v4.sin_addr);
}

/* --- beginning and end of a connection --------------------------------------------------------------------------------- */

bool http_connection_new(struct http_server *server, int fd, struct tls_context *tls, const struct sockaddr *peer,
                         socklen_t peer_len)
{
    struct http_connection *connection = calloc(1, sizeof *connection);
    if (!connection)
        return false;
    connection->server = server;
    connection->fd = fd;
    connection->events = EV_READ;
    connection->peer.any.sa_family = AF_UNSPEC;
    if (peer_len <= sizeof connection->peer) /* a longer one is a local socket's: no address */
        memcpy(&connection->peer, peer, peer_len);
    write_as_four(connection);
    event_assign(&connection->event, loop_base(), fd, EV_READ | EV_PERSIST, on_event, connection);
    connection->tls = tls ? tls_new(tls, fd) : NULL;
    if ((tls && !connection->tls) || event_add(&connection->event, NULL) != 0) {
        tls_free(connection->tls);
        free(connection);
        return false;
    }
    server->n_connections++;
    metric_move(GAUGE_CONNECTIONS, 1);
    join_list(connection, HTTP_IDLE);
    http_connection_enter(connection, tls ? HTTP_SHAKE : HTTP_IDLE);
    return true;
}

static void destroy(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    if (connection->exchange) {
        arena_give_back(connection->exchange);
        http_exchange_give_back(connection);
    }
    leave_list(connection);
    if (connection->phase == HTTP_SHAKE) {
        server->n_shaking--;
        metric_move(GAUGE_HANDSHAKES, -1);
    }
    metric_move(GAUGE_CONNECTIONS, -1);
    free(connection);
    http_server_left(server);
}

static void cancel(struct http_exchange *exchange)
{
    call_cancel(&exchange->call);
    task_wake(&exchange->call);
}

static void end_tls(struct http_connection *connection)
{
    if (!connection->tls)
        return;
    tls_goodbye(connection->tls);
    tls_free(connection->tls);
    connection->tls = NULL;
}

void http_connection_close(struct http_connection *connection)
{
    struct http_exchange *exchange = connection->exchange;
    if (connection->fd < 0)
        return;
    http_connection_set_events(connection, 0);
    end_tls(connection);
    close(connection->fd);
    connection->fd = -1;
    if (connection->phase != HTTP_CALL) {
        destroy(connection);
        return;
    }
    /* The handler goes on: what it does may be half done already. It is told when it asked to be, and when it writes. */
    assert(exchange);
    http_connection_enter(connection, HTTP_CLOSED);
    if (exchange->cancel_on_close)
        cancel(exchange);
    else if (exchange->streaming || exchange->body_awaited)
        task_wake(&exchange->call);
}

/*
 * Closes our side and throws away what still comes for a moment: closing at once with bytes unread would reset the connection,
 * and the client might lose the answer (RFC 9112 9.6).
 */
static void linger(struct http_connection *connection)
{
    arena_give_back(connection->exchange);
    http_exchange_give_back(connection);
    end_tls(connection); /* what still comes is thrown away unread */
    shutdown(connection->fd, SHUT_WR);
    http_connection_enter(connection, HTTP_LINGER);
    http_connection_set_events(connection, EV_READ);
}

/* --- reading ----------------------------------------------------------------------------------------------------------- */

static enum http_read read_tls(struct http_connection *connection, char *room, size_t size, size_t *ret_read)
{
    switch (tls_read(connection->tls, room, size, ret_read)) {
    case TLS_DONE:
        see_more(connection);
        return HTTP_READ_SOME;
    case TLS_WAIT_READ:
    case TLS_WAIT_WRITE: /* an answer of the protocol itself: it goes with our next record */
        return HTTP_READ_NOTHING;
    case TLS_END:
        return HTTP_READ_END;
    case TLS_BROKEN:
    case TLS_PLAIN:
        break;
    }
    return HTTP_READ_BROKEN;
}

enum http_read http_connection_read(struct http_connection *connection, char *room, size_t size, size_t *ret_read)
{
    ssize_t count;
    if (connection->tls)
        return read_tls(connection, room, size, ret_read);
    do
        count = read(connection->fd, room, size);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? HTTP_READ_NOTHING : HTTP_READ_BROKEN;
    if (count == 0)
        return HTTP_READ_END;
    *ret_read = (size_t)count;
    return HTTP_READ_SOME;
}

/* More room behind what has come; moves the head, so that it has to be read again. */
bool http_exchange_grow(struct http_exchange *exchange, size_t capacity)
{
    char *bytes = realloc(exchange->bytes, capacity);
    if (!bytes)
        return false;
    exchange->bytes = bytes;
    exchange->capacity = capacity;
    return true;
}

enum http_read http_connection_fill(struct http_connection *connection)
{
    struct http_exchange *exchange = connection->exchange;
    size_t count = 0;
    enum http_read result = http_connection_read(connection, exchange->bytes + exchange->n_bytes,
                                                 exchange->capacity - exchange->n_bytes, &count);
    exchange->n_bytes += count;
    return result;
}

void http_connection_refuse(struct http_connection *connection, int status, struct str sentence)
{
    http_exchange_own_answer(connection->exchange, status, sentence);
    connection->close_after = true;
    http_exchange_start(connection->exchange, status, sentence);
    http_connection_enter(connection, HTTP_SEND);
}

void http_connection_describe(struct http_connection *connection)
{
    const struct http_head *head = &connection->exchange->head;
    struct http_request *request = &connection->exchange->request;
    request->method = head->method;
    request->target = head->target;
    request->path = head->path;
    request->query = head->query;
    request->headers = head->headers;
    request->n_headers = head->n_headers;
    request->minor_version = head->minor_version;
    memcpy(&request->peer, &connection->peer, sizeof connection->peer);
}

void http_connection_continue(struct http_connection *connection)
{
    struct iovec out = {(void *)(uintptr_t) "HTTP/1.1 100 Continue\r\n\r\n", 25};
    size_t n_out = 1;
    if (http_connection_send(connection, &out, &n_out) < 0 || n_out) /* nothing else is on its way: it fits */
        connection->close_after = true;
}

/* --- the call ---------------------------------------------------------------------------------------------------------- */

static void call_ended(struct call *call, void *context)
{
    struct http_exchange *exchange = context;
    struct http_connection *connection = exchange->connection;
    /* Of one that was abandoned where it stood: what it holds must not wait for its client either, nor point into its stack. */
    arena_run_deferred(call->arena);
    exchange->ended = true;
    connection->server->n_busy--;
    metric_move(GAUGE_REQUESTS, -1);
    if (!connection->starting)
        step(connection);
}

static void run_handler(struct call *call, void *context)
{
    struct http_exchange *exchange = context;
    const struct http_server_settings *settings = &exchange->connection->server->settings;
    settings->handler(call, exchange, settings->context);
    /* Locks and descriptors must not wait for a client that takes its answer slowly; the answer itself is memory. */
    arena_run_deferred(call->arena);
}

static void begin_call(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    struct http_exchange *exchange = connection->exchange;
    http_body_uncount(exchange);
    http_connection_describe(connection);
    connection->n_requests++;
    http_connection_enter(connection, HTTP_CALL);
    struct arena *arena = arena_take(exchange);
    if (arena) {
        call_init(&exchange->call, arena, server->settings.call_timeout_ms);
        server->n_busy++;
        metric_move(GAUGE_REQUESTS, 1);
        connection->starting = true; /* should it end at once, the caller goes on */
        int error = task_spawn(&exchange->call, run_handler, call_ended, exchange);
        connection->starting = false;
        if (!error)
            return;
        server->n_busy--;
        metric_move(GAUGE_REQUESTS, -1);
    }
    http_exchange_own_answer(exchange, 503, STR("The server is busy. Try again in a moment."));
    exchange->ended = true;
}

static void end_call(struct http_connection *connection)
{
    struct http_exchange *exchange = connection->exchange;
    if (!exchange->status) {
        if (exchange->call.error == E_UNAVAILABLE && exchange->call.error_text.len)
            http_exchange_own_answer(exchange, 503, exchange->call.error_text);
        else
            http_exchange_own_answer(exchange, 500, STR("The server has failed to answer."));
    }
    connection->throttled = false;
    http_connection_enter(connection, HTTP_SEND);
    if (!exchange->streaming)
        http_exchange_start(exchange, exchange->status, exchange->answer_body);
}

/* --- writing ----------------------------------------------------------------------------------------------------------- */

static ssize_t send_plain(struct http_connection *connection, struct iovec *out, size_t n_out)
{
    struct msghdr message = {.msg_iov = out, .msg_iovlen = n_out};
    ssize_t sent;
    do
        sent = sendmsg(connection->fd, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    return sent;
}

static ssize_t send_tls(struct http_connection *connection, struct iovec *out, size_t n_out)
{
    size_t taken;
    enum tls_result result = tls_write(connection->tls, out, n_out, &taken);
    return result == TLS_BROKEN || result == TLS_END || result == TLS_PLAIN ? -1 : (ssize_t)taken;
}

ssize_t http_connection_send(struct http_connection *connection, struct iovec *out, size_t *n_out)
{
    ssize_t sent = connection->tls ? send_tls(connection, out, *n_out) : send_plain(connection, out, *n_out);
    if (sent <= 0)
        return sent;
    size_t left = (size_t)sent, done = 0;
    while (done < *n_out && left >= out[done].iov_len)
        left -= out[done++].iov_len;
    *n_out -= done;
    if (*n_out) {
        memmove(out, out + done, *n_out * sizeof *out);
        out[0].iov_base = (char *)out[0].iov_base + left;
        out[0].iov_len -= left;
    }
    return sent;
}

/* HTTP_DONE: the answer is out. HTTP_ERROR: the client has gone. */
static enum http_progress send_answer(struct http_connection *connection)
{
    struct http_exchange *exchange = connection->exchange;
    bool waits;
    if (exchange->streaming) {
        if (!exchange->stream_ended || !http_exchange_flush_stream(exchange))
            return HTTP_ERROR; /* not ended: the client must see that it is broken off */
        waits = exchange->stream_out.len > 0;
    } else {
        if (http_connection_send(connection, exchange->out, &exchange->n_out) < 0)
            return HTTP_ERROR;
        waits = exchange->n_out > 0;
    }
    if (!waits)
        return HTTP_DONE;
    http_connection_set_events(connection, connection->events | EV_WRITE);
    return HTTP_MORE;
}

/* After the answer. True: there is more to do. */
static bool finish(struct http_connection *connection)
{
    struct http_exchange *exchange = connection->exchange;
    size_t behind = exchange->n_bytes > exchange->size ? exchange->n_bytes - exchange->size : 0;
    if (connection->close_after) {
        bool all_came = !behind && !http_body_is_left(exchange);
        bool client_knows = connection->client_closed || (exchange->ended && !exchange->head.keep_alive && all_came);
        if (client_knows)
            http_connection_close(connection);
        else
            linger(connection);
        return false;
    }
    arena_give_back(exchange);
    if (behind) {
        memmove(exchange->bytes, exchange->bytes + exchange->size, behind);
        http_exchange_reset(exchange);
        exchange->n_bytes = behind;
        http_connection_enter(connection, HTTP_HEAD);
        http_connection_set_events(connection, connection->client_closed ? 0 : EV_READ);
        return true;
    }
    http_exchange_give_back(connection);
    http_connection_enter(connection, HTTP_IDLE);
    http_connection_set_events(connection, EV_READ);
    return false;
}

/* --- all together ------------------------------------------------------------------------------------------------------ */

/* True: the head is there. */
static bool step_head(struct http_connection *connection)
{
    struct http_exchange *exchange = connection->exchange;
    switch (http_head_parse(&exchange->head, exchange->bytes, exchange->n_bytes)) {
    case HTTP_DONE:
        http_body_begin(connection);
        return true;
    case HTTP_ERROR:
        http_connection_refuse(connection, exchange->head.status, str_from(exchange->head.problem));
        return true;
    case HTTP_MORE:
        break;
    }
    if (connection->client_closed) {
        http_connection_close(connection);
        return false;
    }
    if (connection->phase != HTTP_HEAD)
        http_connection_enter(connection, HTTP_HEAD);
    if (exchange->n_bytes < exchange->capacity)
        return false;
    if (http_exchange_grow(exchange, exchange->capacity < HTTP_HEAD_MAX_BYTES ? HTTP_HEAD_MAX_BYTES + HTTP_READ_BYTES
                                                                              : exchange->capacity * 2))
        return false;
    http_connection_refuse(connection, 503, STR("The server is short of memory."));
    return true;
}

/* Goes on until it has to wait for the client or the handler. The connection may be gone afterwards. */
static void step(struct http_connection *connection)
{
    for (;;) {
        enum http_progress progress;
        switch ((enum http_phase)connection->phase) {
        case HTTP_IDLE:
        case HTTP_HEAD:
            if (!step_head(connection))
                return;
            break;
        case HTTP_BODY:
            progress = http_body_collect(connection);
            if (progress == HTTP_MORE)
                return;
            if (progress == HTTP_DONE)
                begin_call(connection);
            break;
        case HTTP_CALL:
            if (!connection->exchange->ended)
                return;
            end_call(connection);
            break;
        case HTTP_SEND:
            progress = send_answer(connection);
            if (progress == HTTP_MORE)
                return;
            if (progress == HTTP_ERROR) {
                http_connection_close(connection);
                return;
            }
            if (!finish(connection))
                return;
            break;
        case HTTP_CLOSED:
            if (connection->exchange->ended)
                destroy(connection);
            return;
        case HTTP_SHAKE:
        case HTTP_LINGER:
        case HTTP_PHASES:
            return;
        }
    }
}

/* TLS. Afterwards the connection is idle, or gone. */
static void shake(struct http_connection *connection)
{
    static const char not_tls[] =
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 44\r\nConnection: close\r\n\r\n"
        "This port speaks HTTPS: begin with https://.";
    enum tls_result result = tls_handshake(connection->tls);
    if (result == TLS_WAIT_READ || result == TLS_WAIT_WRITE) {
        http_connection_set_events(connection, result == TLS_WAIT_READ ? EV_READ : EV_WRITE);
        return;
    }
    metric_count(METRIC_HANDSHAKES, result == TLS_DONE    ? STR("ok")
                                    : result == TLS_PLAIN ? STR("plain_http")
                                                          : STR("failed"));
    if (result == TLS_PLAIN)
        send(connection->fd, not_tls, sizeof not_tls - 1, MSG_NOSIGNAL);
    if (result != TLS_DONE) {
        http_connection_close(connection);
        return;
    }
    http_connection_enter(connection, HTTP_IDLE);
    http_connection_set_events(connection, EV_READ);
    see_more(connection);
}

/* While the handler runs, or the answer waits: take what the client sends ahead, as far as there is room, and see it leave. */
static void read_ahead(struct http_connection *connection)
{
    struct http_exchange *exchange = connection->exchange;
    if (http_body_is_left(exchange)) {
        http_body_arrived(connection);
        return;
    }
    if (exchange->n_bytes == exchange->capacity) {
        http_connection_set_events(connection, connection->events & ~EV_READ);
        return;
    }
    switch (http_connection_fill(connection)) {
    case HTTP_READ_SOME:
    case HTTP_READ_NOTHING:
        break;
    case HTTP_READ_END:
        connection->client_closed = true;
        http_connection_set_events(connection, connection->events & ~EV_READ);
        if (connection->phase == HTTP_CALL && exchange->cancel_on_close)
            cancel(exchange);
        break;
    case HTTP_READ_BROKEN:
        http_connection_close(connection);
        break;
    }
}

static void read_away(struct http_connection *connection)
{
    char away[4096];
    size_t count;
    for (int i = 0; i < 16; i++) {
        enum http_read result = http_connection_read(connection, away, sizeof away, &count);
        if (result == HTTP_READ_NOTHING)
            return;
        if (result != HTTP_READ_SOME) {
            http_connection_close(connection);
            return;
        }
    }
}

static void read_request(struct http_connection *connection)
{
    if (!connection->exchange && !(connection->exchange = http_exchange_take(connection))) {
        http_connection_close(connection);
        return;
    }
    bool straight =
        connection->phase == HTTP_BODY && connection->exchange->body_apart && !connection->exchange->head.chunked;
    switch (straight ? http_body_fill(connection) : http_connection_fill(connection)) {
    case HTTP_READ_SOME:
        step(connection);
        break;
    case HTTP_READ_NOTHING:
        if (connection->phase == HTTP_IDLE)
            http_exchange_give_back(connection);
        break;
    case HTTP_READ_END: /* in the middle of a request, or between two */
    case HTTP_READ_BROKEN:
        http_connection_close(connection);
        break;
    }
}

static void on_readable(struct http_connection *connection)
{
    switch ((enum http_phase)connection->phase) {
    case HTTP_SHAKE:
        shake(connection);
        break;
    case HTTP_IDLE:
    case HTTP_HEAD:
    case HTTP_BODY:
        read_request(connection);
        break;
    case HTTP_CALL:
    case HTTP_SEND:
        read_ahead(connection);
        break;
    case HTTP_LINGER:
        read_away(connection);
        break;
    case HTTP_CLOSED:
    case HTTP_PHASES:
        break;
    }
}

static void on_writable(struct http_connection *connection)
{
    struct http_exchange *exchange = connection->exchange;
    if (connection->phase == HTTP_SHAKE) {
        shake(connection);
        return;
    }
    if (connection->phase == HTTP_SEND) {
        http_connection_enter(connection, HTTP_SEND); /* the client takes something: its time begins anew */
        step(connection);
        return;
    }
    if (connection->phase != HTTP_CALL)
        return;
    if (!http_exchange_flush_stream(exchange)) {
        http_connection_close(connection);
        return;
    }
    connection->throttled = exchange->stream_out.len > 0;
    http_connection_enter(connection, HTTP_CALL);
    if (connection->throttled)
        return;
    http_connection_set_events(connection, connection->events & ~EV_WRITE);
    task_wake(&exchange->call);
}

static void on_event(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    /* One at a time, for the connection may be gone afterwards; the other is reported again. */
    struct http_connection *connection = context;
    if (what & EV_WRITE)
        on_writable(connection);
    else if (what & EV_READ && connection->events & EV_READ)
        on_readable(connection);
}

void http_connection_give_up(struct http_connection *connection, int status, struct str sentence)
{
    http_connection_refuse(connection, status, sentence);
    step(connection);
}

void http_connection_overdue(struct http_connection *connection)
{
    struct http_exchange *exchange = connection->exchange;
    if (connection->phase == HTTP_BODY) {
        const struct http_server *server = connection->server;
        connection->deadline_ms = http_body_deadline_ms(exchange);
        if (connection->deadline_ms > server->now_ms)
            return;
    }
    if (connection->phase == HTTP_HEAD || connection->phase == HTTP_BODY) {
        http_connection_give_up(connection, 408, STR("The request did not come in time."));
        return;
    }
    if (connection->phase == HTTP_SHAKE)
        metric_count(METRIC_HANDSHAKES, STR("timeout"));
    if (connection->phase == HTTP_CALL && exchange->body_awaited) {
        http_body_overdue(connection);
        return;
    }
    http_connection_close(connection);
}

void http_connection_drain(struct http_connection *connection)
{
    assert(connection->phase == HTTP_IDLE && !connection->exchange);
    struct http_server *server = connection->server;
    on_readable(connection);
    /* Still idle, and not gone? Then it is where it was, the oldest in its list. */
    if (server->lists[HTTP_IDLE].first == connection)
        http_connection_close(connection); // NOLINT(clang-analyzer-unix.Malloc): a freed one is in no list
}

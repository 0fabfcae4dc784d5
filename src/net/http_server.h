/*
 * The HTTP/1.1 server: strict framing (net/http_parse.h), keep-alive, pipelining in order, one task per request.
 *
 * The handler runs as a task with its own call (arena, deadline); it reads http_exchange_request(), may wait, and answers
 * exactly once with http_answer(), or with http_stream_begin(), _write()..., _end(). A handler that ends without an answer
 * gives 500 (503 when its arena was exhausted). The answer is sent when the handler has ended; a stream as it is written.
 * A body is there as a whole when the handler begins, except where settings.streamed_body_max() wants it in pieces.
 * TLS (net/tls.h) is a listener's; HTTP/2 is left to a proxy in front.
 */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include "call/call.h"
#include "net/http_parse.h"
#include "net/tls.h"

#include <sys/socket.h>

struct http_server;
struct http_exchange; /* one request and its answer; lives until done, which is after the handler has ended */

/* All slices live as long as the exchange. */
struct http_request {
    struct str method, target;
    struct str path, query; /* raw, as received: percent-encoded; query without its '?' */
    const struct http_header *headers;
    size_t n_headers;
    struct str body;              /* empty when it is streamed */
    struct sockaddr_storage peer; /* as accepted; a trusted proxy's headers are the upper layers' business */
    int minor_version;            /* of HTTP/1.x */
};

/* The first header of that name, in any (ASCII) case; .ptr is NULL when there is none. */
struct str http_header_value(const struct http_request *request, struct str name);
/* More than one header of that name? */
bool http_header_repeated(const struct http_request *request, struct str name);

typedef void http_handler(struct call *call, struct http_exchange *exchange, void *context);

/* 0 in a number means its default. */
struct http_server_settings {
    http_handler *handler;
    void *context;
    void (*drained)(void *context); /* may be NULL; see http_server_drain() */
    /*
     * Asked when a head has come: how large a body may this request have that its handler reads in pieces with
     * http_body_read()? 0: none such, the usual rules hold. May be NULL. Only the request's head is filled in.
     */
    uint64_t (*streamed_body_max)(const struct http_request *request, void *context);

    size_t max_connections;             /* 20,000; one more closes the connection that is idle longest, or gets 503 */
    size_t max_requests_per_connection; /* 1,000; the last is answered with Connection: close */
    size_t max_body_bytes;              /* 4 MiB; more is 413 */
    size_t arena_budget_bytes;          /* 16 MiB, of each call */
    int64_t call_timeout_ms;            /* 60,000: the call's deadline */
    size_t max_handshakes;              /* 512 under way; one more ends the one that is at it longest */
    int64_t handshake_timeout_ms;       /* 10,000, from the connection to the end of the TLS handshake */
    int64_t head_timeout_ms;            /* 10,000, from the first byte of a request to the end of its head */
    int64_t body_grace_ms;              /* 5,000, then the body must have come at ... */
    size_t body_min_bytes_per_s;        /* 500 */
    int64_t body_stall_ms;              /* 20,000 in which nothing comes of a body */
    size_t bodies_max_bytes; /* 256 MiB, of all bodies still coming; more ends the one that is at it longest */
    int64_t idle_timeout_ms; /* 60,000 without a request */
    int64_t write_stall_ms;  /* 20,000 in which the client takes nothing */
    int64_t linger_ms;       /* 2,000: how long bytes still coming are taken before the final close */
};

/* Needs loop_init(). NULL when there is no memory. */
struct http_server *http_server_new(const struct http_server_settings *settings);

/*
 * Accepts on "127.0.0.1:8080", "[::1]:8080", "0.0.0.0:80" (port 0: any free one). OK or E_INVALID, E_UNAVAILABLE; then
 * *ret_error says why (it belongs to the server).
 */
MUST_CHECK int http_server_listen(struct http_server *server, struct str address, struct str *ret_error);
/* The same for a socket that listens already, such as an inherited one; the server closes it. `tls`: NULL for a plain one. */
MUST_CHECK int http_server_listen_fd(struct http_server *server, int fd, struct tls_context *tls,
                                     struct str *ret_error);
/* Opens and binds only: for a supervisor, whose workers inherit the socket. The descriptor, or an error as above. */
MUST_CHECK int http_listen_socket(struct str address, char error[200]);
/* Of the first listener. */
int http_server_port(const struct http_server *server);

/*
 * Stops accepting, closes idle connections, and answers what is under way with Connection: close. When the last connection has
 * gone, settings.drained(context) is called from the loop, once.
 */
void http_server_drain(struct http_server *server);
/*
 * The same for a server whose place another process has taken: idle connections may send one more request within `idle_ms`, so
 * that none is closed in the face of a client that is just writing. http_server_drain() afterwards ends their time.
 */
void http_server_retire(struct http_server *server, int64_t idle_ms);
/* Cancels all calls that are under way (call->cancelled): for the end of a drain's patience. */
void http_server_cancel_all(struct http_server *server);
size_t http_server_connections(const struct http_server *server); /* open, idle ones included */
size_t http_server_busy(const struct http_server *server);        /* calls under way */

/* Closes everything. No call may be under way: drain, cancel, and serve the loop first. NULL is fine. */
void http_server_free(struct http_server *server);

/* --- within a handler -------------------------------------------------------------------------------------------------- */

const struct http_request *http_exchange_request(const struct http_exchange *exchange);

/*
 * The next piece of a streamed body, as it comes off the socket: nothing is kept, so who does not read holds the client up.
 * Waits. *ret_read 0: that was all. E_TIMEOUT: it came too slowly (body_grace_ms, body_min_bytes_per_s, body_stall_ms: only
 * while somebody waits for it) or the call's time is up; E_CANCELLED: the client has gone; E_LIMIT: longer than allowed;
 * E_INVALID: its chunks are not well-formed. An answer given before all was read closes the connection.
 */
MUST_CHECK int http_body_read(struct call *call, struct http_exchange *exchange, char *room, size_t size,
                              size_t *ret_read);
/* As announced; -1: unknown (chunked). */
int64_t http_body_length(const struct http_exchange *exchange);

/* When the client closes its side while the handler runs, call->cancelled is set and the task woken. Off by default. */
void http_exchange_cancel_on_close(struct http_exchange *exchange, bool on);

/*
 * Adds a header to the answer, before it begins. Copies both. A name that is no token, or a value with CR, LF, NUL or another
 * control turns the answer into 500: it is our bug, and must not split the answer. Content-Length, Transfer-Encoding, Connection
 * and Date are the server's own.
 */
void http_answer_header(struct http_exchange *exchange, struct str name, struct str value);

/*
 * The whole answer, sent when the handler has ended. `body` is not copied: it lies in the call's arena or is static.
 * An empty content_type adds no Content-Type. Of HEAD, 204 and 304 the body is not sent.
 */
void http_answer(struct http_exchange *exchange, int status, struct str content_type, struct str body);

bool http_answered(const struct http_exchange *exchange);
int http_answer_status(const struct http_exchange *exchange); /* 0: not answered yet */

/*
 * An answer in pieces (SSE), each sent at once. write() waits while the client is slow; after the write stall, or when the
 * client has gone, it returns E_CANCELLED, and E_TIMEOUT when the call's deadline passes (move call->deadline_ms for long
 * streams). Without http_stream_end(), or after a write that was given up in its middle, the client sees the answer as broken off.
 */
MUST_CHECK int http_stream_begin(struct call *call, struct http_exchange *exchange, int status,
                                 struct str content_type);
MUST_CHECK int http_stream_write(struct call *call, struct http_exchange *exchange, struct str bytes);
void http_stream_end(struct http_exchange *exchange);

#endif

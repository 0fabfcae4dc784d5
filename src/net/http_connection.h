/*
 * Inside of the HTTP server: what http_server.c (listeners, time limits), http_connection.c (one connection: read, call, write,
 * close), http_exchange.c (one request and its answer) and http_body.c (bodies in pieces) know of each other. Others include
 * net/http_server.h.
 *
 * A connection that is idle has no exchange: it costs its struct, and no buffer. The exchange comes from the server's pool with
 * the first byte of a request and goes back when the answer is out and nothing more was read.
 */
#ifndef NET_HTTP_CONNECTION_H
#define NET_HTTP_CONNECTION_H

#include "base/buf.h"
#include "net/http_chunked.h"
#include "net/http_server.h"
#include "net/loop.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <sys/uio.h>

enum {
    HTTP_LISTENERS_MAX = 8,
    HTTP_READ_BYTES = 3 * 1024, /* of a pooled exchange's buffer: most requests fit whole */
    HTTP_POOL_MAX = 64,         /* exchanges kept for the next requests; more only as long as they are needed */
    HTTP_ANSWER_HEADERS_MAX_BYTES = 16 * 1024,
    HTTP_BODY_READ_BYTES = 64 * 1024,
    HTTP_STREAM_PIECE_BYTES = 32 * 1024, /* what of a stream may wait in our memory for a slow client; */
    HTTP_STREAM_WAITING_MAX_BYTES =
        HTTP_STREAM_PIECE_BYTES + HTTP_ANSWER_HEADERS_MAX_BYTES + 1024, /* and its framing */
};

enum http_phase {
    HTTP_SHAKE,  /* TLS is not agreed on yet */
    HTTP_IDLE,   /* between requests */
    HTTP_HEAD,   /* part of a head has come */
    HTTP_BODY,   /* the head has come, the body not yet */
    HTTP_CALL,   /* the handler runs */
    HTTP_SEND,   /* the handler has ended, the answer is not out yet */
    HTTP_LINGER, /* the answer is out, our side is closed; what still comes is thrown away */
    HTTP_CLOSED, /* the socket is closed; only its handler still runs */
    HTTP_PHASES,
};

struct http_connection {
    struct http_server *server;
    struct http_connection *next, *previous; /* in the list of its phase, oldest first */
    struct http_exchange *exchange;
    int64_t deadline_ms; /* of the phase, on the server's clock */
    struct tls *tls;     /* NULL: plain */
    int fd;
    unsigned n_requests;
    uint8_t phase;
    short events;       /* what the event waits for */
    bool client_closed; /* the client has closed its side: no more requests, but it may still read */
    bool close_after;   /* no request after this one */
    bool starting;      /* task_spawn() is on the stack */
    bool throttled;     /* stream output waits in HTTP_CALL */
    struct event event;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } peer;
};

struct http_exchange {
    struct http_connection *connection;
    struct http_exchange *next; /* in the pool */
    /* what has come: this request's head, its body when that fits, and what was sent behind it */
    char *bytes;
    size_t n_bytes, capacity;
    size_t size; /* of this request in bytes[] */
    struct http_chunked chunked;
    struct buf body;     /* heap: a chunked body, or one that does not fit */
    size_t body_counted; /* of its capacity, in the server's body_bytes; 0 when all of it is there */
    bool body_apart;
    bool body_streams; /* the handler reads it in pieces: http_body.c */
    bool body_ended;   /* of a streamed one: all of it has been read */
    bool body_awaited; /* the handler waits for more of it */
    bool body_late;    /* and it did not come in time */
    uint64_t body_max, body_received;
    int64_t body_waited_ms;              /* in all */
    int64_t body_since_ms, body_last_ms; /* when it began, and something of it came; on the server's clock */
    struct http_request request;
    struct call call;
    struct arena *unused_arena; /* for the next call: NULL while call.arena is in use */
    /* the answer */
    int status;          /* 0: not answered yet */
    bool answer_refused; /* a header of it was not valid */
    bool streaming, stream_ended;
    bool stream_torn; /* a write was given up between its pieces: what came behind would be taken for the rest of it */
    bool cancel_on_close;
    bool ended; /* the handler has */
    struct str answer_body;
    struct buf answer_headers; /* heap */
    char start[192];           /* status line, Date, Content-Length, Connection */
    struct iovec out[3];
    size_t n_out;
    struct buf stream_out; /* heap: of a stream, what the socket did not take at once */
    size_t stream_sent;    /* of stream_out */
    struct http_head head; /* large, last */
};

struct http_server {
    struct http_server_settings settings;
    struct http_listener {
        struct event *event;
        struct http_server *server;
        struct tls_context *tls; /* NULL: plain */
        int fd;
    } listeners[HTTP_LISTENERS_MAX];
    size_t n_listeners;
    struct {
        struct http_connection *first, *last;
    } lists[HTTP_PHASES];
    size_t n_connections, n_shaking, n_busy;
    size_t body_bytes;               /* in memory, of bodies still coming that do not fit behind their heads */
    int64_t last_idle_ms;            /* draining: how long an idle connection may still send a request */
    struct http_exchange *exchanges; /* the pool */
    size_t n_exchanges;
    size_t n_taken;  /* exchanges, since tidied_ms */
    size_t n_unused; /* so many of the pool were never taken since tidied_ms */
    int64_t tidied_ms;
    struct loop_timer tick; /* runs while there are connections, and until memory is tidied behind them */
    bool ticks;
    int64_t tick_ms, now_ms; /* now_ms: the time of the last tick */
    struct loop_timer accept_again;
    int64_t next_pause_log_ms;
    bool draining, drained_told;
    struct loop_post drained_post;
    int64_t date_s;
    char date[37]; /* "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", no NUL */
    char error[200];
};

/* http_server.c */
void http_server_left(struct http_server *server); /* a connection has gone */

/* http_connection.c */
/* Takes over an accepted, non-blocking socket. False (fd still the caller's): no memory. */
MUST_CHECK bool http_connection_new(struct http_server *server, int fd, struct tls_context *tls,
                                    const struct sockaddr *peer, socklen_t peer_len);
/* Closes the socket. The connection is gone after this, unless its handler still runs. */
void http_connection_close(struct http_connection *connection);
void http_connection_overdue(struct http_connection *connection); /* its deadline has passed */
void http_connection_drain(struct http_connection *connection);   /* an idle one: serve what has come, else close */
/* Moves it to the phase's list, newest, with the phase's deadline. */
void http_connection_enter(struct http_connection *connection, enum http_phase phase);
void http_connection_set_events(struct http_connection *connection, short events);
/* sendmsg() without SIGPIPE; the bytes taken, 0 when it would block, -1 when the client has gone. Cuts what was taken off out[]. */
ssize_t http_connection_send(struct http_connection *connection, struct iovec *out, size_t *n_out);

enum http_read { HTTP_READ_SOME, HTTP_READ_NOTHING, HTTP_READ_END, HTTP_READ_BROKEN };
MUST_CHECK enum http_read http_connection_read(struct http_connection *connection, char *room, size_t size,
                                               size_t *ret_read);
/* Into bytes[], as far as there is room. */
MUST_CHECK enum http_read http_connection_fill(struct http_connection *connection);
/* "100 Continue". */
void http_connection_continue(struct http_connection *connection);
/* Answers with a sentence of ours and closes. */
void http_connection_refuse(struct http_connection *connection, int status, struct str sentence);
/* The same for one whose turn it is not. It may be gone afterwards. */
void http_connection_give_up(struct http_connection *connection, int status, struct str sentence);
/* Fills in the request from its head. */
void http_connection_describe(struct http_connection *connection);
/* More room behind what has come; moves the head, so that it has to be read again. */
MUST_CHECK bool http_exchange_grow(struct http_exchange *exchange, size_t capacity);

/* http_body.c */
/* The head has come: into HTTP_BODY, or refused. */
void http_body_begin(struct http_connection *connection);
/* When it will have come too slowly, or not at all for too long. */
int64_t http_body_deadline_ms(const struct http_exchange *exchange);
/* It is a call's now: what calls hold, their own limits bound. */
void http_body_uncount(struct http_exchange *exchange);
/* Its memory goes back. */
void http_body_release(struct http_exchange *exchange);
/* What has come of it so far: HTTP_DONE when the handler may begin, HTTP_ERROR when it was refused. */
enum http_progress http_body_collect(struct http_connection *connection);
/* A body with a length that does not fit behind its head: straight to its place. */
enum http_read http_body_fill(struct http_connection *connection);
/* Something of the body has come, or the client has gone: who waits for it sees. */
void http_body_arrived(struct http_connection *connection);
/* Nothing has come in time. */
void http_body_overdue(struct http_connection *connection);
/* A streamed body of which something is not read yet: nothing behind it can be read either. */
static inline bool http_body_is_left(const struct http_exchange *exchange)
{
    return exchange->body_streams && !exchange->body_ended;
}

/* http_exchange.c */
MUST_CHECK struct http_exchange *http_exchange_take(struct http_connection *connection); /* NULL: no memory */
void http_exchange_give_back(struct http_connection *connection);                        /* the connection's */
void http_exchange_reset(struct http_exchange *exchange);                                /* for the next request */
void http_exchange_free(struct http_exchange *exchange);
void http_exchange_start(struct http_exchange *exchange, int status, struct str body); /* fills start[] and out[] */
/* In place of the handler's answer: a sentence as plain text. */
void http_exchange_own_answer(struct http_exchange *exchange, int status, struct str text);
/* Sends what waits in stream_out. False: the client has gone. */
bool http_exchange_flush_stream(struct http_exchange *exchange);
const char *http_status_reason(int status);

#endif

/*
 * One request on its way. For the files of the client only: net/http_client.c, and http_slots.c, http_request.c, http_received.c,
 * http_failure.c, http_upload.c, http_download.c, http_budget.c.
 */
#ifndef NET_HTTP_TRANSFER_H
#define NET_HTTP_TRANSFER_H

#include "net/http_client.h"
#include "net/http_pool.h"
#include "net/url.h"

#include <arpa/inet.h>

enum {
    HTTP_TRANSFER_LINES_MAX = HTTP_FETCH_HEADERS_MAX + 4, /* Authorization, Expect, Content-Type, Transfer-Encoding */
};

/*
 * On the heap, because it outlives an abandoned task: the call's arena releases it (arena_defer), whatever happened. The answer
 * lies in it until then.
 */
struct http_transfer {
    TAILQ_ENTRY(http_transfer)
    link; /* in one list at a time: waiting for a slot, to be started, in flight, or unused */
    enum http_transfer_state {
        TRANSFER_NEW,
        TRANSFER_WAITING, /* for a slot */
        TRANSFER_STARTING,
        TRANSFER_IN_FLIGHT,
        TRANSFER_DONE,
    } state;
    struct call *call;
    unsigned generation;              /* of the client: after http_client_done() nothing but its own memory is left */
    const struct http_fetch *request; /* the caller's: not to be touched when it is done */
    struct http_pool *pool;
    struct http_carrier *carrier;  /* while in flight */
    struct http_slots *waiting_in; /* while waiting */
    bool *waiting_for;             /* which of the next two will be set by whoever passes its slot on */
    bool holds_key_slot, holds_global_slot;

    /* The request as libcurl wants it. */
    struct buf text;  /* origin, target, header lines; wiped when it is done */
    size_t target_at; /* the target's place in it */
    struct curl_slist lines[HTTP_TRANSFER_LINES_MAX];
    size_t n_lines;
    const struct egress_policy *policy;
    bool is_https;
    bool is_repeatable; /* GET, HEAD, OPTIONS */
    size_t max_body_bytes;

    /* How far it is. */
    int64_t started_ms, deadline_ms;
    int64_t activity_ms; /* the last byte we know of */
    int64_t uploaded_bytes;
    int64_t window_ms;   /* since when slowness is measured ... */
    size_t window_bytes; /* ... and what had been received by then */
    unsigned sockets;    /* opened for it */
    unsigned attempts;   /* how often the request was handed to a connection */
    bool answer_began;

    /* A body that is sent in pieces: http_upload.c. */
    struct buf out;    /* the piece that libcurl takes from */
    size_t out_at;     /* taken so far */
    int64_t out_bytes; /* given by the source so far */
    bool out_awaited;  /* libcurl waits for the next piece */
    bool out_ended;
    int source_error;

    /* An answer that is read in pieces: http_download.c. */
    bool is_download;
    bool is_held;      /* libcurl waits until `body` has been read */
    size_t body_at;    /* read so far, of what is in `body` */
    size_t read_bytes; /* read and gone from `body` */

    /* Memory for a large answer: http_budget.c. */
    TAILQ_ENTRY(http_transfer) line;
    size_t reserved_bytes, wanted_bytes; /* wanted: it stands in line */
    bool is_crowded;                     /* it stood there until its time was up */
    bool is_encoded;                     /* Content-Length says nothing about the body's */

    /* The answer. */
    struct buf head, body;
    size_t head_bytes; /* of all heads and trailers */
    bool head_ended;
    size_t content_length; /* SIZE_MAX: unknown */
    long status;

    /* How it ended. */
    CURLcode result;
    enum http_fetch_failure failure; /* known before libcurl's result, or derived from it */
    bool is_slow;                    /* HTTP_FETCH_TIMEOUT_ANSWER because it trickled */
    enum http_fetch_failure refusal; /* of the last address that was refused; another one may have served */
    const char *refused_why;
    char refused_ip[INET6_ADDRSTRLEN];
    char primary_ip[INET6_ADDRSTRLEN];
    char error[CURL_ERROR_SIZE]; /* libcurl's words */
    int64_t elapsed_ms;
};

/* --- net/http_request.c --- */

#define HTTP_REQUEST_ENCODINGS "gzip, deflate, br"

/* What is wrong with the request, or NULL. The following expect it to be right. */
const char *http_request_check(const struct http_fetch *request);
bool http_request_is_repeatable(const struct http_fetch *request); /* GET, HEAD, OPTIONS */

/* Fills transfer->text and ->lines. False: no memory. */
MUST_CHECK bool http_request_write(struct http_transfer *transfer, const struct http_fetch *request,
                                   const struct url *url);

/* Tells the easy handle what differs from request to request. False: no memory. */
MUST_CHECK bool http_request_set_options(CURL *easy, struct http_transfer *transfer);

/* --- net/http_slots.c --- */

/* OK, E_LIMIT when too many wait, or as task_park(). */
MUST_CHECK int http_slots_take(struct call *call, struct http_slots *slots, struct http_transfer *transfer,
                               bool *holds);
void http_slots_give(struct http_slots *slots, bool *holds);
void http_slots_leave(struct http_transfer *transfer); /* it waits no more */
size_t http_slots_queued(void);                        /* who waits, for any of them */

/* --- net/http_received.c --- */

size_t http_received_header(char *bytes, size_t size, size_t count, void *carrier); /* CURLOPT_HEADERFUNCTION */
size_t http_received_body(char *bytes, size_t size, size_t count, void *carrier);   /* CURLOPT_WRITEFUNCTION */
/* What the caller gets of it. */
void http_received_fill(struct call *call, const struct http_transfer *transfer, struct http_fetched *ret);

/* --- net/http_upload.c --- */

size_t http_upload_give(char *room, size_t size, size_t count, void *carrier); /* CURLOPT_READFUNCTION */
/* Fetches the next piece from the source. Waits. An error is the source's. */
MUST_CHECK int http_upload_feed(struct call *call, struct http_transfer *transfer);

/* --- net/http_download.c --- */

/* What http_received_body() does with a piece: its length, or CURL_WRITEFUNC_PAUSE. */
size_t http_download_take(struct http_transfer *transfer, struct str piece);
/* The head has come: who waits for it goes on. */
void http_download_head(struct http_transfer *transfer);

/* --- net/http_client.c --- */

/*
 * Sends the request and waits until it is done, or, for a download, until the answer's head is there. *ret_transfer is NULL
 * when the request could not even be made.
 */
MUST_CHECK int http_transfer_perform(struct call *call, const struct http_fetch *request, bool is_download,
                                     struct url *ret_url, struct http_fetched *ret,
                                     struct http_transfer **ret_transfer);
/* Gives it up, if it is not done. May be called again. */
void http_transfer_withdraw(struct call *call, struct http_transfer *transfer);
int http_transfer_report(struct call *call, struct http_transfer *transfer, const struct url *url);

/* --- net/http_failure.c --- */

/* Records in the call what went wrong with this transfer, and returns the code. */
int http_failure_report(struct call *call, const struct http_transfer *transfer, const struct url *url,
                        const struct http_client_settings *limits);

/* The cause behind libcurl's code, when we did not know one ourselves. */
enum http_fetch_failure http_failure_of(const struct http_transfer *transfer);

#endif

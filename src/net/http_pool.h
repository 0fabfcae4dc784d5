/*
 * The HTTP client's connections, on the loop. For net/http_client.c only.
 *
 *   http_pool (key)
 *     ├─ lanes       each a CURLM: connection cache, DNS cache. One, unless many requests are in flight
 *     ├─ carriers    easy handles, kept for the next request with the same key
 *     └─ slots       how many requests of this key are in flight, and who waits
 *
 * Why lanes: libcurl walks through all connections of a multi handle to find a free one, and again when a request has ended. With
 * a thousand in flight that is more work than the requests themselves; in lanes it is HTTP_LANE_MAX at most.
 *
 * A pool that nobody holds is kept for idle_ms, at most max_pools of them, the longest unused goes first. A lane that is not
 * needed any more goes after idle_ms, but for the pool's last.
 *
 * Functions marked "loop" run libcurl and must be called on the loop's stack; the others may be called from a task.
 */
#ifndef NET_HTTP_POOL_H
#define NET_HTTP_POOL_H

#include "net/loop.h"
#include "net/url.h"

#include <curl/curl.h>
#include <sys/queue.h>

struct http_transfer;

TAILQ_HEAD(http_transfers, http_transfer);

struct http_slots {
    size_t used, limit;
    struct http_transfers waiting;
    size_t n_waiting, max_waiting; /* 0: as many as want to */
};

struct http_pool;

enum { HTTP_LANE_MAX = 16 }; /* requests in flight in one lane, and connections kept */

struct http_lane {
    struct http_pool *pool;
    CURLM *multi;
    size_t n_used; /* requests in flight */
    struct loop_timer timer;
    int64_t due_ms;   /* when libcurl wants to be called, or when an unused one is to go; INT64_MAX: not at all */
    int64_t armed_ms; /* when the timer will fire: not later than due_ms */
    TAILQ_ENTRY(http_lane) link;
};

/* An easy handle and whom it works for. */
struct http_carrier {
    CURL *easy;
    struct http_lane *lane; /* NULL while it lies in the pool, as is: */
    struct http_transfer *transfer;
    struct http_carrier *next;
    bool has_streamed; /* options of streamed bodies are set */
    CURLU *origin;     /* what origin_text says; NULL: none was set yet */
    char origin_text[URL_HOST_MAX_BYTES + sizeof "https://[]:65535"];
    char error[CURL_ERROR_SIZE];
};

struct http_pool {
    struct http_slots slots;
    TAILQ_HEAD(, http_lane) lanes; /* made as they are needed; those with room first */
    struct http_carrier *carriers; /* unused ones */
    size_t users;
    int64_t idle_since_ms;
    struct http_pool *next_in_bucket;
    TAILQ_ENTRY(http_pool) in_idle;
    size_t key_len;
    char key[];
};

struct http_pool_settings {
    size_t max_pools;
    size_t max_per_pool; /* requests in flight, and connections kept */
    size_t max_waiting;  /* for a slot of one pool; 0: no limit */
    int64_t idle_ms;
    bool (*set_up)(struct http_carrier *carrier);                    /* once for each new easy handle */
    void (*finished)(struct http_carrier *carrier, CURLcode result); /* loop; calls http_pool_stop() */
};

MUST_CHECK bool http_pools_init(const struct http_pool_settings *settings);
void http_pools_done(void); /* loop; nothing is in flight, and who still holds a pool must not touch it any more */
void http_pools_each(void (*visit)(struct http_pool *pool));
size_t http_pools_count(void);
size_t http_pools_lanes(void);   /* of all pools; for tests */
size_t http_pools_watched(void); /* descriptors registered with the loop; for tests */

/* NULL: no memory. The key is copied. */
struct http_pool *http_pool_hold(struct str key);
void http_pool_let_go(struct http_pool *pool);

struct http_carrier *http_pool_take(struct http_pool *pool);   /* loop; NULL: no memory */
MUST_CHECK bool http_pool_start(struct http_carrier *carrier); /* loop; finished() may run within */
void http_pool_stop(struct http_carrier *carrier);             /* loop; the carrier goes back into the pool */
void http_pool_resume(struct http_carrier *carrier);           /* loop; a callback of it had libcurl pause */

/* For CURLOPT_OPENSOCKETFUNCTION and CURLOPT_CLOSESOCKETFUNCTION. */
curl_socket_t http_pool_open_socket(const struct curl_sockaddr *address);
int http_pool_close_socket(void *context, curl_socket_t fd);

#endif

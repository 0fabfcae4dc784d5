/*
 * The HTTP client: the only way out to the network, behind the address guard of net/egress.h.
 *
 * libcurl's multi interface on the loop. Connections are kept for reuse, each only among requests with the same pool key, so
 * that no tenant ever speaks over another's connection or TLS session. No redirect is followed, no proxy, cookie, netrc, alt-svc
 * or HSTS store is used. A request is not repeated here, except that libcurl sends a GET or HEAD again when a kept connection
 * turned out dead before any byte of an answer; a write is sent once, and when its connection breaks, it is unknown
 * whether it was done.
 *
 * Limits: how many requests at once in all and per pool key (more wait in a queue, with their call's deadline), how long each
 * stage may take, how large head and body of the answer may be (counted after decompression).
 */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include "call/call.h"
#include "net/egress.h"
#include "net/http_header.h"

enum {
    HTTP_FETCH_HEAD_MAX_BYTES = 64 * 1024,
    HTTP_FETCH_HEADERS_MAX = 32,                     /* of a request */
    HTTP_FETCH_BODY_DEFAULT_BYTES = 8 * 1024 * 1024, /* of an answer */
    HTTP_FETCH_KEY_MAX_BYTES = 64,
    HTTP_FETCH_PIECE_BYTES = 64 * 1024, /* of a streamed body: what of it lies in our memory */
};

/* Zero or NULL means the default named behind it. The policy must outlive the client. */
struct http_client_settings {
    const struct egress_policy *policy;
    const char *ca_file;            /* certificate authorities in PEM, besides the system's (PORTEIRO_CA_FILE) */
    size_t max_in_flight;           /* 512 */
    size_t max_in_flight_per_key;   /* 8 */
    size_t max_queued_per_key;      /* 64; one more is E_LIMIT */
    size_t max_answer_memory_bytes; /* 64 MiB: of large answers together (net/http_budget.h); more wait */
    size_t max_pools;               /* 512 keys with kept connections; those in use are never dropped */
    int64_t connect_ms;             /* 5,000: DNS and TCP */
    int64_t tls_ms;                 /* 8,000: DNS, TCP and TLS */
    int64_t first_byte_ms;          /* 20,000: without a byte sent or received, before the answer begins */
    int64_t total_ms;               /* 30,000: when the request names none */
    int64_t slow_ms;                /* 10,000: so long may an answer stay below slow_bytes_per_s */
    int64_t slow_bytes_per_s;       /* 100 */
    int64_t idle_ms;                /* 60,000: then a key's connections are closed */
};

/* Once per process after loop_init(); SIGPIPE is ignored from then on. E_INVALID: the CA file cannot be read. E_UNAVAILABLE: no memory. */
MUST_CHECK int http_client_init(const struct http_client_settings *settings);

/* On the loop's stack. Closes all connections; requests in flight and in the queue end with E_CANCELLED. */
void http_client_done(void);

enum http_fetch_failure {
    HTTP_FETCH_OK,
    HTTP_FETCH_BAD_REQUEST,     /* the URL or a header cannot be sent */
    HTTP_FETCH_DNS,             /* no such name, or the resolver does not answer */
    HTTP_FETCH_CONNECT,         /* refused or unreachable */
    HTTP_FETCH_TLS_CERTIFICATE, /* expired, wrong name, unknown authority */
    HTTP_FETCH_TLS,             /* no handshake */
    HTTP_FETCH_TIMEOUT_CONNECT,
    HTTP_FETCH_TIMEOUT_ANSWER, /* connected, but the answer did not begin, did not end in time, or trickled */
    HTTP_FETCH_RESET,          /* the connection broke before the answer was complete */
    HTTP_FETCH_TOO_LARGE,
    HTTP_FETCH_REFUSED_ADDRESS,
    HTTP_FETCH_REFUSED_PORT,
    HTTP_FETCH_REFUSED_LOOP, /* our own listener or public_url */
    HTTP_FETCH_PLAIN_HTTP_REFUSED,
    HTTP_FETCH_PROTOCOL, /* not HTTP, or an encoding that cannot be read */
    HTTP_FETCH_BUSY, /* too many requests with this key wait already (E_LIMIT), or its turn did not come (E_TIMEOUT) */
    HTTP_FETCH_CANCELLED,
    HTTP_FETCH_MEMORY,
    HTTP_FETCH_SOURCE, /* what was to be sent could not be read: the source's own error */
};

/* Short stable name for logs: "dns", "tls_certificate", ... */
const char *http_fetch_failure_name(enum http_fetch_failure failure);

/*
 * A request's body in pieces. read() runs within http_fetch() on the call's own stack, whenever the site has taken the piece
 * before, so it may wait, and a slow site holds it up. *ret_read 0 is the end. Its error ends the request and is http_fetch()'s.
 * With a length that is known, exactly so much must come.
 */
struct http_source {
    int (*read)(struct call *call, void *context, char *room, size_t size, size_t *ret_read);
    void *context;
    int64_t size_bytes; /* -1: unknown, sent chunked; many web servers refuse that */
};

/* All slices must stay until http_fetch() has returned. The body is sent as it is, with Content-Length. */
struct http_fetch {
    struct str method; /* GET HEAD POST PUT PATCH DELETE OPTIONS */
    struct str url;
    const struct http_header *headers; /* sent as they are; Host, Content-Length, Connection and the like are refused */
    size_t n_headers;
    struct str body;
    const struct http_source *source;      /* instead of `body`; such a request never goes over a kept connection */
    struct str basic_user, basic_password; /* sent when the user is not empty; our copies are wiped */
    struct str pool_key;                   /* the tenant; at most HTTP_FETCH_KEY_MAX_BYTES */
    int64_t timeout_ms;    /* for all of it, from when it leaves the queue; the call's deadline holds too */
    size_t max_body_bytes; /* 0: HTTP_FETCH_BODY_DEFAULT_BYTES */
    int64_t first_byte_ms; /* 0: as in the settings */
    /* NULL: the client's. For addresses that the operator chose: what it allows; must outlive the client. */
    const struct egress_policy *policy;
};

/* Belongs to the call's arena. */
struct http_fetched {
    enum http_fetch_failure failure; /* set whatever http_fetch() returns */
    int status;                      /* 0: no answer began */
    const struct http_header *headers;
    size_t n_headers;
    struct str body;
    struct str content_type; /* the header's value, or empty */
    struct str primary_ip;   /* whom we spoke to, or empty; for logs and operators, not for clients */
    int64_t elapsed_ms;      /* without the time in the queue */
    bool is_reused;          /* on a kept connection */
    bool may_have_arrived;   /* after a failure: the request may have reached the site all the same */
};

/*
 * Waits. Any HTTP status is OK. E_INVALID, E_EGRESS, E_TIMEOUT, E_UPSTREAM (DNS, connection, TLS, protocol), E_LIMIT (answer too
 * large, queue full), E_CANCELLED, E_UNAVAILABLE (memory); the call's text names cause and fix, ret->failure is for programs.
 */
MUST_CHECK int http_fetch(struct call *call, const struct http_fetch *request, struct http_fetched *ret);

/* egress_host_allowed() under the client's policy: for an address that a service is asked to fetch by itself. */
struct url;
bool http_client_may_pass_on(const struct url *url, const char **ret_why);

/* For /metrics and tests. */
struct http_client_counts {
    size_t in_flight, queued, pools;
    uint64_t started, connections_opened, refused;
};
struct http_client_counts http_client_counts(void);

#endif

/*
 * Opening a connection's secret and calling its service: one function, so that no code above it ever holds a password, and so
 * that it can become a process of its own later.
 */
#ifndef PROVIDERS_SITE_H
#define PROVIDERS_SITE_H

#include "net/http_client.h"
#include "providers/provider.h"

enum {
    SITE_ANSWER_MAX_BYTES = 8 * 1024 * 1024,
    SITE_HEADERS_MAX = 4,
};

/* How the secret goes along: header: prefix + the secret's member. */
struct site_credential {
    const char *field;  /* "apikey" */
    const char *header; /* "Authorization" */
    const char *prefix; /* "Bearer ", or "" */
};

struct site_request {
    struct str method;
    struct str url;  /* must lie under the origin of the connection's config "url" */
    struct str body; /* with content_type, or empty */
    struct str content_type;
    const struct http_source *source;  /* a body in pieces, instead of `body`; goes over connections of its own */
    const struct http_header *headers; /* besides those of every request; at most SITE_HEADERS_MAX */
    size_t n_headers;
    int64_t timeout_ms;                       /* 0: upstream_total_s of the settings */
    size_t max_body_bytes;                    /* 0: SITE_ANSWER_MAX_BYTES */
    int64_t first_byte_ms;                    /* 0: as always */
    bool anonymous;                           /* without the credential */
    const struct site_credential *credential; /* NULL: user name and password (RFC 7617) */
    const char *const
        *other_hosts; /* ended by NULL; besides the connection's own, https below these names is allowed: the service's
                                       own other hosts. The credential goes there, so it is for const tables only. */
    bool fresh;       /* ask caches on the way for a new answer */
};

/*
 * Calls the service with the connection's credential. Errors as http_fetch(); E_CRYPTO when the secret
 * does not open; E_EGRESS when the address is not the connection's own. Waits.
 */
MUST_CHECK int site_fetch(struct call *call, const struct site *site, const struct site_request *request,
                          struct http_fetched *ret);

/* HMAC-SHA-256 of a message under a member of the connection's secret. E_CRYPTO: it does not open, or has no such member. */
MUST_CHECK int site_hmac(struct call *call, const struct site *site, const char *field, struct str message,
                         unsigned char ret[32]);

/* The origin ("https://example.com:8443") of an absolute http(s) address; empty when it is none. */
struct str site_origin(struct str url);

#endif

/*
 * Talking to one WordPress site's REST API: addresses, queries, answers, and errors in words.
 *
 * WordPress lets parameters change what a request does: `_method=DELETE` turns a GET into a deletion, `rest_route` in the query
 * overrides the path. So names never come from outside unchecked (wp_name_is_reserved), and on sites without pretty
 * permalinks the rest_route pair is written last, where PHP lets it win.
 */
#ifndef PROVIDERS_WORDPRESS_REST_H
#define PROVIDERS_WORDPRESS_REST_H

#include "net/http_client.h"
#include "providers/provider.h"

struct wp {
    const struct site *site;
    unsigned rights;
    struct str rest_root; /* "https://example.com/wp-json/", or "https://example.com/?rest_route=/" */
    struct host *host;    /* keeps what is changed where no tool_context is at hand; NULL: nobody does */
    int64_t part_of;      /* the change over many items that what is written belongs to, or 0 */
    struct str version;   /* of WordPress when the connection was last made, or empty: its REST API does not tell */
};

/* From the connection's config: "rest" as found when it was connected, else "url" (or the earlier "base_url") + /wp-json/. */
MUST_CHECK int wp_open(struct call *call, const struct site *site, unsigned rights, struct wp *ret);

/* "a=b&c=d", names and values encoded. */
struct wp_query {
    struct buf text;
};
void wp_query_init(struct call *call, struct wp_query *query);
void wp_query_add(struct wp_query *query, const char *name, struct str value);
void wp_query_add_i64(struct wp_query *query, const char *name, int64_t value);
/* Value from a client, name already checked: a scalar, or an array of scalars as name[]=. E_INVALID on anything else. */
MUST_CHECK int wp_query_add_json(struct call *call, struct wp_query *query, struct str name, const struct json *value);

/* Names that change what a request does, whatever a route's schema says. */
bool wp_name_is_reserved(struct str name);

/* Filled as far as it is known, also when the request failed. */
struct wp_answer {
    int status;              /* 0: no answer came */
    const struct json *json; /* never NULL */
    int64_t total;           /* X-WP-Total, or -1 */
    int64_t retry_after_s;   /* or -1 */
    struct str code;         /* WordPress's error code ("rest_post_invalid_id"), or empty */
    bool outcome_unknown;    /* a write failed in a way that leaves open whether it was done */
    int64_t attachment_id;   /* of an upload that failed after its file was taken: X-WP-Upload-Attachment-ID; else 0 */
};

/* A body in pieces, and the headers that belong to it. */
struct wp_stream {
    struct http_source source;
    struct str content_type;
    struct http_header headers[2];
    size_t n_headers;
};

/*
 * route: "wp/v2/posts/12", built by us (never a piece of a client's text but numbers and checked slugs). query may be NULL.
 * Only a 2xx with JSON is OK; all else is an error in words: E_NOT_FOUND, E_DENIED, E_LIMIT (429), E_UPSTREAM, ... Waits.
 * wp_get() asks once more when no answer came, or one that says "later" and means seconds; wp_send() never does. What wp_get()
 * reads is no cache's.
 */
MUST_CHECK int wp_get(struct call *call, const struct wp *wp, struct str route, const struct wp_query *query,
                      struct wp_answer *ret);
/* body: a JSON object's text, or empty. */
MUST_CHECK int wp_send(struct call *call, const struct wp *wp, const char *method, struct str route,
                       const struct wp_query *query, struct str body, struct wp_answer *ret);

/* The same with a body in pieces: for files, with time to send them and for WordPress to make its sizes of an image. */
MUST_CHECK int wp_send_stream(struct call *call, const struct wp *wp, struct str route, const struct wp_query *query,
                              const struct wp_stream *stream, struct wp_answer *ret);

/* The same as wp_get(), kept for this connection for up to ttl_ms: for what changes rarely (types, taxonomies, schemas). */
MUST_CHECK int wp_get_kept(struct call *call, const struct wp *wp, const char *method, struct str route,
                           const struct wp_query *query, int64_t ttl_ms, struct wp_answer *ret);
/* Forgets what is kept of routes that begin so. */
void wp_forget_kept(const struct wp *wp, struct str route_prefix);

/* Absolute address of a route; also used while a connection is being made. */
struct str wp_url(struct call *call, struct str rest_root, struct str route, struct str query);

/* The JSON of an answer: a byte order mark and stray output before the first brace are passed over. */
MUST_CHECK int wp_parse_answer(struct call *call, struct str body, const struct json **ret);

#endif

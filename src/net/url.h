/*
 * Web addresses: those people type, those sites hand out, and those we call. http and https only.
 *
 * libcurl's URL parser does the splitting, so that what we judge is what libcurl will call; on top of it the refusals are ours:
 * no user name or password, no control characters, spaces or backslashes, no percent signs in the host, no dot segments that
 * hide behind percent-encoding. A host is only a spelling here: whether it may be called is judged on the resolved address
 * (net/egress.h), so 0x7f.1 and friends gain nothing.
 *
 * Nothing here waits. Slices live in the arena that was passed.
 */
#ifndef NET_URL_H
#define NET_URL_H

#include "base/buf.h"
#include "call/call.h"

enum {
    URL_MAX_BYTES = 8 * 1024,
    URL_HOST_MAX_BYTES = 253,
};

struct url {
    bool is_https;
    struct str scheme;   /* "http" or "https" */
    struct str host;     /* lower case, IDN as punycode, without brackets and without a trailing dot */
    bool host_is_ipv6;   /* written in brackets */
    uint16_t port;       /* never 0; the scheme's default when none was written */
    struct str path;     /* begins with '/', percent-encoded, dot segments removed */
    struct str query;    /* without '?', percent-encoded */
    const char *problem; /* after E_INVALID: what is wrong, to be put into a sentence for the person */
};

/* OK or E_INVALID. A fragment is dropped. */
MUST_CHECK int url_parse(struct arena *arena, struct str text, struct url *ret);

/* The same without the short cut for plain addresses: for tests. */
MUST_CHECK int url_parse_carefully(struct arena *arena, struct str text, struct url *ret);

/*
 * The address of a site as a person typed it: white space around it is dropped, a missing scheme is https (then
 * *ret_guessed_scheme is true, if it is not NULL), the path loses its trailing slashes ("" for the root), a query is refused.
 */
MUST_CHECK int url_parse_site(struct arena *arena, struct str typed, struct url *ret, bool *ret_guessed_scheme);

/* The default port is left out. url_format_origin() is scheme, host and port only. */
struct str url_format(struct arena *arena, const struct url *url);
struct str url_format_origin(struct arena *arena, const struct url *url);
void url_add(struct buf *buf, const struct url *url);
void url_add_origin(struct buf *buf, const struct url *url);
void url_add_target(struct buf *buf, const struct url *url); /* path and query, as a request line has them */

bool url_same_origin(const struct url *a, const struct url *b);

/*
 * `path` below the base's path: "https://a.example/blog" and "/wp-json/" make "https://a.example/blog/wp-json/". The base's
 * query is dropped; `path` is taken as it is, percent-encoded, and may bring a query.
 */
MUST_CHECK int url_join(struct arena *arena, const struct url *base, struct str path, struct url *ret);

/* A reference (Location, Link, src) as a browser would follow it from base: RFC 3986 section 5. OK or E_INVALID. */
MUST_CHECK int url_resolve(struct arena *arena, const struct url *base, struct str reference, struct url *ret);

/* Percent-encodes all but RFC 3986's unreserved characters. */
void url_encode_component(struct buf *buf, struct str text);

/* Adds name=value, both encoded, with '&' before it when the buffer holds something that does not end in '?' or '&'. */
void url_query_add(struct buf *buf, struct str name, struct str value);

/*
 * Percent-decoding. A '%' without two hex digits stays as it is. The result may hold any byte, NUL too; the same slice comes
 * back when there was nothing to decode.
 */
struct str url_decode(struct arena *arena, struct str text, bool plus_is_space);

/*
 * Takes the next pair off *rest, decoded; false at the end. Empty pairs are skipped, "a" is a pair with an empty value.
 * plus_is_space: true for forms (application/x-www-form-urlencoded) and the queries of browsers.
 */
bool url_query_next(struct arena *arena, struct str *rest, bool plus_is_space, struct str *ret_name,
                    struct str *ret_value);

#endif

/*
 * The head of an HTTP/1.x request (RFC 9112), read strictly: what two parsers could read differently is refused, for behind
 * such a difference requests are smuggled. Pure: no allocation, no waiting; all results point into the caller's bytes.
 *
 * Refused with 400: bare LF, bare CR, NUL and other controls, folded lines, white space before the colon, an empty name, no or
 * two Hosts (HTTP/1.1), Content-Length that is not digits or comes twice or beside Transfer-Encoding, Transfer-Encoding twice
 * or in HTTP/1.0, a target that is no path. 414: line too long. 417: an expectation other than 100-continue. 431: too many or too
 * large headers. 501: a transfer coding other than chunked, CONNECT, a method longer than any. 505: neither HTTP/1.0 nor 1.1.
 */
#ifndef NET_HTTP_PARSE_H
#define NET_HTTP_PARSE_H

#include "net/http_header.h"

enum {
    HTTP_METHOD_MAX_BYTES = 32,
    HTTP_LINE_MAX_BYTES = 8 * 1024,     /* the request line with its CRLF */
    HTTP_HEADERS_MAX_BYTES = 32 * 1024, /* all header lines with their CRLFs, and the empty line */
    HTTP_HEADERS_MAX = 64,
    HTTP_HEAD_MAX_BYTES = 2 + HTTP_LINE_MAX_BYTES + HTTP_HEADERS_MAX_BYTES, /* no head that is accepted is longer */
};

enum http_progress {
    HTTP_MORE, /* good so far */
    HTTP_DONE,
    HTTP_ERROR,
};

struct http_head {
    /* after HTTP_DONE */
    size_t size; /* bytes of the head, the empty line included: there the body starts */
    struct str method, target;
    struct str path, query;  /* raw, as received; of a target in absolute form the part behind the authority */
    struct str host;         /* .ptr NULL when absent (HTTP/1.0) */
    int minor_version;       /* of HTTP/1.x: 0 or 1 */
    bool chunked;            /* the body is chunked */
    bool has_length;         /* Content-Length was given */
    bool keep_alive;         /* by version and Connection */
    bool expect_continue;    /* Expect: 100-continue (HTTP/1.1) */
    uint64_t content_length; /* 0 without Content-Length */
    size_t n_headers;
    /* after HTTP_ERROR */
    int status;          /* to be answered */
    const char *problem; /* one sentence for the person; static */
    /* the parser's own */
    const char *bytes;
    size_t line_at, seen;
    bool in_headers, host_seen, transfer_seen, close_seen, keep_alive_seen;
    struct http_header headers[HTTP_HEADERS_MAX];
};

/* Ready for a new request. */
void http_head_init(struct http_head *head);

/*
 * Reads on in bytes[0 .. len), which must begin with the same bytes as in the calls before; the place in memory may change.
 * However the bytes arrive, in one piece or singly, the result is the same. After HTTP_DONE or HTTP_ERROR call http_head_init().
 */
MUST_CHECK enum http_progress http_head_parse(struct http_head *head, const char *bytes, size_t len);

/* Both for other parts that read or write headers: RFC 9110 5.6.2 token; 5.5 field value (no CR, LF, NUL, other controls). */
bool http_is_token(struct str s);
bool http_is_field_value(struct str s);

#endif

/*
 * The chunked transfer coding of a request's body (RFC 9112 7.1), read strictly: sizes are hexadecimal digits only, every line
 * ends in CR LF. Extensions and trailers are checked and dropped. Pure: data comes back as slices of the input.
 */
#ifndef NET_HTTP_CHUNKED_H
#define NET_HTTP_CHUNKED_H

#include "net/http_parse.h"

enum {
    HTTP_CHUNK_LINE_MAX_BYTES = 1024,   /* of one chunk: its size and extensions */
    HTTP_CHUNK_SIZE_DIGITS_MAX = 8,     /* 4 GiB; beyond is refused as 413 */
    HTTP_TRAILERS_MAX_BYTES = 8 * 1024, /* all trailer lines */
};

struct http_chunked {
    int state;
    uint64_t left;    /* of the current chunk */
    size_t line_size; /* of the size line or the trailers so far */
    int digits;
    /* after HTTP_ERROR */
    int status;
    const char *problem;
};

/* Zero-initialised is ready. */

/*
 * Reads on in `input` and takes *ret_used bytes off its front; *ret_data is the body's next part (may be empty), inside input.
 * HTTP_MORE with all input used: more is needed. HTTP_MORE with some left: call again with the rest. HTTP_DONE: what is left
 * belongs to the next request.
 */
MUST_CHECK enum http_progress http_chunked_decode(struct http_chunked *chunked, struct str input, size_t *ret_used,
                                                  struct str *ret_data);

#endif

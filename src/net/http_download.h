/*
 * An answer that is read in pieces, for what is too large to lie in memory: as http_fetch() until the head has come, then the
 * body with http_download_read(). Who does not read holds the sender up; HTTP_FETCH_PIECE_BYTES lie in our memory at most.
 * Nothing is decoded: "Accept-Encoding: identity" is sent, and an answer that is encoded all the same comes as it is.
 *
 *     http_download_begin() -> status, headers -> http_download_read() ... 0
 *
 * A download that is left before its end is given up with http_download_end(), or when the call ends.
 */
#ifndef NET_HTTP_DOWNLOAD_H
#define NET_HTTP_DOWNLOAD_H

#include "net/http_client.h"

struct http_download;

/*
 * Waits. Errors as http_fetch(). `request` and what it points to must stay until the download has ended; its max_body_bytes,
 * timeout_ms and the client's slow_ms hold for the whole of it, but time in which we do not read is no slowness of the sender.
 */
MUST_CHECK int http_download_begin(struct call *call, const struct http_fetch *request, struct http_fetched *ret,
                                   struct http_download **ret_download);

/* Content-Length, or -1. */
int64_t http_download_length(const struct http_download *download);

/* Waits. *ret_read 0: the end, and all has come. Errors as http_fetch(): E_LIMIT when it is larger than allowed. */
MUST_CHECK int http_download_read(struct call *call, struct http_download *download, char *room, size_t size,
                                  size_t *ret_read);

/* What went wrong, for programs. */
enum http_fetch_failure http_download_failure(const struct http_download *download);

/* Lets go of the connection now. */
void http_download_end(struct call *call, struct http_download *download);

#endif

/* The certificate authorities that the HTTP client trusts: one store for all connections. For net/http_client.c only. */
#ifndef NET_HTTP_AUTHORITIES_H
#define NET_HTTP_AUTHORITIES_H

#include "call/call.h"

#include <curl/curl.h>

/* The system's, and those of the file unless it is NULL. E_INVALID: the file cannot be read. E_UNAVAILABLE: no memory. */
MUST_CHECK int http_authorities_init(const char *file);
void http_authorities_done(void);

/*
 * For CURLOPT_SSL_CTX_FUNCTION: libcurl would read the system's bundle for each pool, which costs milliseconds and a megabyte
 * each.
 */
CURLcode http_authorities_install(CURL *easy, void *context, void *user);

#endif

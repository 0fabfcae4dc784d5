/*
 * What is served without TLS beside a server with it: the certificate authority's question (RFC 8555 8.3), and to everybody else
 * the address with https. Nothing else: a token that comes this way was readable on its way.
 */
#ifndef WEB_PLAIN_HTTP_H
#define WEB_PLAIN_HTTP_H

#include "net/http_server.h"

/* Both must live as long as the process. */
void plain_http_init(struct str https_url, struct str challenge_directory);

void plain_http_serve(struct call *call, struct http_exchange *exchange, void *context);

#endif

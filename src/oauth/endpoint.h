/*
 * What clients call: registering (RFC 7591), getting tokens (OAuth 2.1), giving them back (RFC 7009), and what says that all this
 * is there (RFC 8414 and RFC 9728). Pages of any origin may call them: nothing here looks at a cookie. All of these may wait.
 */
#ifndef OAUTH_ENDPOINT_H
#define OAUTH_ENDPOINT_H

#include "net/http_server.h"

/* For the table of routes. `segment`: the path of the resource without its first '/', or empty. */
void oauth_register(struct call *call, struct http_exchange *exchange, struct str segment);
void oauth_token(struct call *call, struct http_exchange *exchange, struct str segment);
void oauth_revoke(struct call *call, struct http_exchange *exchange, struct str segment);
void oauth_server_metadata(struct call *call, struct http_exchange *exchange, struct str segment);
void oauth_resource_metadata(struct call *call, struct http_exchange *exchange, struct str segment);
/* A browser asks whether a page may call one of these. */
void oauth_preflight(struct call *call, struct http_exchange *exchange, struct str segment);

/* {"error":...,"error_description":...} */
void oauth_answer_error(struct call *call, struct http_exchange *exchange, int status, const char *code,
                        struct str description);
/* Is the Host ours? Else it has been answered. */
bool oauth_may_come(struct call *call, struct http_exchange *exchange);
/* The answer may be read by pages of any origin. */
void oauth_open_to_pages(struct http_exchange *exchange);

#endif

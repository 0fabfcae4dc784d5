/*
 * GET /connect/return: where a browser comes back to from the service whose owner let us in, with a password in the query. It is
 * sealed and the browser sent on at once (303), so that the address is in no history; no log of ours has queries, and the answer
 * is neither cached nor a referrer. The page behind it, /connect/finish, gets a token that is good once, or an error's code.
 */
#ifndef WEB_CONNECT_RETURN_H
#define WEB_CONNECT_RETURN_H

#include "net/http_server.h"

void connect_return(struct call *call, struct http_exchange *exchange, struct str segment);

#endif

/*
 * Upload links: how a file that lies at the client gets to the service without passing through a model.
 *
 *     tools/call without a file  -> a link, kept as a row (store/uploads.h): token, tool, arguments, end
 *     PUT /u/{link}/{name}       -> the same tool with the same arguments runs again, with the file in hand
 *
 * A link is good once, for UPLOAD_LIFE_MS, on any worker and node. What it stands for cannot be changed, not even in the database
 * (a MAC covers it); the token's rights are looked up anew when the file comes, so a revoked token's links are dead.
 */
#ifndef MCP_UPLOAD_H
#define MCP_UPLOAD_H

#include "net/http_server.h"

enum {
    UPLOAD_LIFE_MS = 20 * 60 * 1000,
    UPLOAD_OPEN_MAX = 20,                     /* of a token, not used yet */
    UPLOAD_AT_ONCE = 32,                      /* in this process */
    UPLOAD_KEEP_MS = 7 * 24 * 60 * 60 * 1000, /* how long ended rows are kept */
    UPLOAD_TIMEOUT_MS = 30 * 60 * 1000,       /* of a file on its way in */
};

/* PUT /u/{...}. Waits. */
void upload_serve(struct call *call, struct http_exchange *exchange, struct str rest);

/* For http_server_settings: the bodies of upload links are read in pieces. */
uint64_t upload_streamed_max(const struct http_request *request, void *context);

#endif

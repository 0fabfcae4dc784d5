/*
 * Client ID metadata documents: a client whose id is the https address at which it describes itself. Read through the address
 * guard, only for somebody who is logged in, without redirects, 64 KiB and 5 seconds at most; kept as its Cache-Control says,
 * between 5 minutes and a day.
 */
#ifndef OAUTH_DOCUMENT_H
#define OAUTH_DOCUMENT_H

#include "json/json.h"
#include "store/oauth_clients.h"

enum {
    DOCUMENT_BYTES_MAX = 64 * 1024,
    DOCUMENT_MS = 5000,
    DOCUMENT_FRESH_MIN_S = 5 * 60,
    DOCUMENT_FRESH_MAX_S = 24 * 3600,
};

/* Can this be the address of such a document? https, a path, and written as everybody would write it. */
bool document_is_id(struct arena *arena, struct str id);

/* What a client's description says, of a document or of who registers itself: name, redirects, grant types, method. */
struct client_words {
    struct str name;
    struct str redirect_uris; /* JSON array of good ones */
    bool wants_refresh;
};
/* E_INVALID; *ret_code: as RFC 7591 names it. */
MUST_CHECK int client_words_read(struct call *call, const struct json *document, struct client_words *ret,
                                 const char **ret_code);

/* E_INVALID: what lies there is no such document; E_LIMIT: too many are read just now; else as http_fetch(). Waits. */
MUST_CHECK int document_read(struct call *call, struct str id, int64_t user_id, struct oauth_client_row *ret);

#endif

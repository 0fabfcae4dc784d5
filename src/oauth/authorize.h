/*
 * A request for somebody's agreement (OAuth 2.1 section 4.1.1), and the answer to it: what the page web/page_authorize.c shows
 * and does. A wrong client or address to go back to is for the person to read; all else is for the client. Where it is sent at once: only to
 * a client that an administrator made or that this person agreed to before. To others the person goes by a click, so that nobody
 * who registers a client gets a redirector to any address out of us (RFC 9700 section 4.11.2).
 */
#ifndef OAUTH_AUTHORIZE_H
#define OAUTH_AUTHORIZE_H

#include "net/http_server.h"
#include "oauth/clients.h"
#include "oauth/redirect.h"
#include "store/oauth_grants.h"

enum { AUTHORIZE_STATE_BYTES_MAX = 4096 };

struct authorize {
    struct oauth_client_row client;
    struct redirect redirect;
    struct str redirect_uri;
    struct str state; /* ptr NULL: none */
    struct str challenge, resource;
    unsigned rights;   /* that are asked for */
    bool must_ask;     /* prompt=consent */
    bool must_not_ask; /* prompt=none */
    /* What this person agreed to before, for this client and resource. */
    bool is_remembered;
    struct oauth_grant_row remembered;
    unsigned remembered_rights;
    const char *error; /* for the client: "invalid_scope", ...; NULL: all is well */
    struct str error_text;
};

/*
 * user_id 0: nobody is logged in; then E_UNAUTHENTICATED for a client whose description would have to be read first. E_INVALID,
 * E_NOT_FOUND, E_UPSTREAM, ...: for the person. OK may leave ret->error. Waits.
 */
MUST_CHECK int authorize_read(struct call *call, const struct http_request *request, int64_t user_id,
                              struct authorize *ret);

/* May this be granted without asking? Only to a client that proves who it is, by the address it is sent back to. */
bool authorize_goes_without_saying(const struct authorize *asked);
/* May the person be sent there without a click? */
bool authorize_is_trusted(const struct authorize *asked);

/* connection_ids ascending; rights as the person chose. E_INVALID, E_NOT_FOUND, E_CONFLICT. Waits. */
MUST_CHECK int authorize_agree(struct call *call, const struct authorize *asked, int64_t user_id,
                               const int64_t *connection_ids, size_t n_connections, unsigned rights,
                               struct str *ret_code);

/* Where the person's browser goes with a code, or with code empty and an error. Each has `state` as it came, and `iss`. */
struct str authorize_address(struct call *call, const struct http_request *request, const struct authorize *asked,
                             struct str code, const char *error);

#endif

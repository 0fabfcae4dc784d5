/*
 * Clients: programs that ask people for access to their connections. Three kinds: those that describe themselves at an https
 * address (oauth/document.h), those that registered themselves (RFC 7591; anyone may, so they prove nothing), and those that an
 * administrator made. All of these may wait.
 */
#ifndef OAUTH_CLIENTS_H
#define OAUTH_CLIENTS_H

#include "call/rights.h"
#include "json/json.h"
#include "store/oauth_clients.h"

enum {
    CLIENTS_UNUSED_MAX = 1000,            /* registered, and nobody agreed to anything yet */
    CLIENTS_UNUSED_MS = 24 * 3600 * 1000, /* so long such a one is kept */
    CLIENTS_MANUAL_MAX = 200,
    CLIENT_NAME_BYTES_MAX = 64,
};
static const int64_t CLIENTS_IDLE_MS = INT64_C(400) * 24 * 3600 * 1000; /* since anybody last used it */

/* E_NOT_FOUND: there is none of that id, or its row was tampered with. Documents: as they were read last. */
MUST_CHECK int clients_find(struct call *call, struct str id, struct oauth_client_row *ret);
/* The same for that person, who is asked to agree: a document that was not read yet, or is too old, is read. */
MUST_CHECK int clients_find_for(struct call *call, struct str id, int64_t user_id, struct oauth_client_row *ret);

/* RFC 7591. E_INVALID, with *ret_code as it names it; E_LIMIT: too many from that address. */
MUST_CHECK int clients_register(struct call *call, const struct json *description, struct str address,
                                struct oauth_client_row *ret, const char **ret_code);

struct client_new {
    struct str name;
    const struct str *redirect_uris;
    size_t n_redirect_uris;
    bool is_public;        /* without a secret */
    int64_t connection_id; /* client credentials for that connection instead of asking people; else 0 */
    unsigned rights;       /* then */
    int64_t made_by;       /* USER_ANY: the operator */
};
/* *ret_secret: shown once; empty for a public one. The connection must be made_by's own. E_INVALID, E_NOT_FOUND, E_LIMIT. */
MUST_CHECK int clients_add(struct call *call, const struct client_new *new, struct oauth_client_row *ret,
                           struct str *ret_secret);
MUST_CHECK int clients_list(struct call *call, struct oauth_client_rows *ret);
/* One of an administrator's, with all that came of it. `by`: who, for the audit; 0: the operator. */
MUST_CHECK int clients_delete(struct call *call, struct str id, int64_t by);

bool client_redirects_to(struct call *call, const struct oauth_client_row *client, struct str redirect_uri);
bool client_may(const struct oauth_client_row *client, const char *grant_type);
bool client_secret_is_right(const struct oauth_client_row *client, struct str secret);

#endif

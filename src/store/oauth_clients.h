/* The rows of mcp_oauth_clients: programs that may ask people for access. */
#ifndef STORE_OAUTH_CLIENTS_H
#define STORE_OAUTH_CLIENTS_H

#include "store/store.h"

#define CLIENT_DOCUMENT "document" /* its id is the address of its own description */
#define CLIENT_DYNAMIC "dynamic"   /* registered itself */
#define CLIENT_MANUAL "manual"     /* made by an administrator */

struct oauth_client_row {
    struct str id, kind, name;
    struct str redirect_uris; /* a JSON array of strings */
    struct str grant_types;   /* "authorization_code,refresh_token", "client_credentials" */
    struct str auth_method;   /* "none", "client_secret" (in the form or as Basic) */
    struct str secret_hash;   /* ptr NULL: none */
    int64_t connection_id;    /* of client credentials; else 0 */
    struct str rights;        /* of client credentials; ptr NULL: none */
    int64_t made_by;          /* 0: nobody, or one who is gone */
    struct str mac;
    int64_t created_at_ms;
    int64_t used_at_ms;     /* somebody agreed to something; 0: never */
    int64_t fresh_until_ms; /* of a document */
};
struct oauth_client_rows {
    size_t count;
    struct oauth_client_row *items;
};

/* E_NOT_FOUND. */
MUST_CHECK int store_oauth_clients_get(struct call *call, struct str id, struct oauth_client_row *ret);
/* Of that kind, newest first. */
MUST_CHECK int store_oauth_clients_list(struct call *call, struct str kind, struct oauth_client_rows *ret);

MUST_CHECK int store_oauth_clients_insert(struct call *call, const struct oauth_client_row *row);
/* What a document says now: inserts or replaces. */
MUST_CHECK int store_oauth_clients_put_document(struct call *call, const struct oauth_client_row *row);
MUST_CHECK int store_oauth_clients_used(struct call *call, struct str id, int64_t now_ms);

/* With all that came of it. E_NOT_FOUND: there is no such client of that kind. */
MUST_CHECK int store_oauth_clients_delete(struct call *call, struct str id, struct str kind);

/* Dynamic ones that nobody ever agreed to: those made before that time, and the oldest beyond so many. */
MUST_CHECK int store_oauth_clients_forget_unused(struct call *call, int64_t made_before_ms, int64_t keep);
/* Dynamic ones and documents without grants that were last used (or read) before that time. */
MUST_CHECK int store_oauth_clients_forget_idle(struct call *call, int64_t used_before_ms);

#endif

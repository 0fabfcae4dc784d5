/* The rows of mcp_token_grants: the sites of a token that is good for several. */
#ifndef STORE_GRANTS_H
#define STORE_GRANTS_H

#include "store/store.h"

struct grant_row {
    int64_t connection_id;
    struct str alias, rights, mac;
    /* Of the connection; it has the same owner as the token's own, or it is not among them. */
    struct str provider_key, status, name, config_json, secret_json;
    bool provider_enabled;
};
struct grant_rows {
    size_t count;
    struct grant_row *items;
};

/* The token's own connection first, then by alias. Waits. */
MUST_CHECK int store_grants_of(struct call *call, int64_t token_id, struct grant_rows *ret);
MUST_CHECK int store_grants_insert(struct call *call, int64_t token_id, const struct grant_row *grant);

#endif

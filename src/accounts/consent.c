/* The seal of what a person agreed to. */
#include "accounts/consent.h"

#include "crypto/keyring.h"

struct str consent_mac(struct call *call, const struct oauth_grant_row *row)
{
    char *mac = arena_alloc(call->arena, MAC_HEX_BYTES);
    keyring_mac(KEYRING_TOKEN_MAC,
                call_format(call, "oauth-grant|v2|%.*s|%lld|%.*s|%lld|%.*s|%.*s|%.*s|%.*s|%lld|%lld", STR_ARG(row->id),
                            (long long)row->user_id, STR_ARG(row->client_id), (long long)row->connection_id,
                            STR_ARG(row->connections), STR_ARG(row->rights), STR_ARG(row->resource),
                            STR_ARG(row->state), (long long)row->expires_at_ms, (long long)row->ends_at_ms),
                mac);
    return str_from(mac);
}

bool consent_is_right(struct call *call, const struct oauth_grant_row *row)
{
    return row->mac.len && str_eq(row->mac, consent_mac(call, row));
}

/* The seal of what a person agreed to. */
#include "accounts/consent.h"

#include "crypto/keyring.h"

/* 2027-06-01: what was agreed to before times were sealed lasts 180 days at most, so none of it can honestly end later. */
static const int64_t UNTIMED_ENDS_MS = INT64_C(1811808000) * 1000;

static struct str mac_of(struct call *call, const char *version, const struct oauth_grant_row *row, struct str times)
{
    char *mac = arena_alloc(call->arena, MAC_HEX_BYTES);
    keyring_mac(KEYRING_TOKEN_MAC,
                call_format(call, "oauth-grant|%s|%.*s|%lld|%.*s|%lld|%.*s|%.*s|%.*s%.*s", version, STR_ARG(row->id),
                            (long long)row->user_id, STR_ARG(row->client_id), (long long)row->connection_id,
                            STR_ARG(row->connections), STR_ARG(row->rights), STR_ARG(row->resource), STR_ARG(times)),
                mac);
    return str_from(mac);
}

struct str consent_mac(struct call *call, const struct oauth_grant_row *row)
{
    return mac_of(call, "v2", row,
                  call_format(call, "|%.*s|%lld|%lld", STR_ARG(row->state), (long long)row->expires_at_ms,
                              (long long)row->ends_at_ms));
}

/* A client with credentials of its own (it has no resource) was given a row that ends in a hundred years. */
static bool is_right_untimed(struct call *call, const struct oauth_grant_row *row)
{
    return str_eq(row->mac, mac_of(call, "v1", row, STR_EMPTY)) &&
           (row->resource.len == 0 || (row->expires_at_ms <= row->ends_at_ms && row->ends_at_ms <= UNTIMED_ENDS_MS));
}

bool consent_is_right(struct call *call, const struct oauth_grant_row *row)
{
    return row->mac.len && (str_eq(row->mac, consent_mac(call, row)) || is_right_untimed(call, row));
}

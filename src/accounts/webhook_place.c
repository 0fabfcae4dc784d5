/* Where a service sends what it has to tell by itself. */
#include "accounts/webhook_place.h"

#include "crypto/keyring.h"

struct webhook_place webhook_place_of(struct call *call, struct str own_url, struct str provider_key,
                                      int64_t connection_id, int64_t user_id)
{
    enum { SECRET_CHARS = 48 };
    char *secret = arena_alloc(call->arena, MAC_HEX_BYTES);
    keyring_mac(KEYRING_MCP, call_format(call, "webhook|%lld|%lld", (long long)connection_id, (long long)user_id),
                secret);
    return (struct webhook_place){
        .url = call_format(call, "%.*s/hooks/%.*s/%lld", STR_ARG(own_url), STR_ARG(provider_key),
                           (long long)connection_id),
        .secret = str_of(secret, SECRET_CHARS),
    };
}

/* The rows of mcp_service_providers. */
#ifndef STORE_PROVIDERS_H
#define STORE_PROVIDERS_H

#include "store/store.h"

struct provider_row {
    int64_t id;
    struct str key, name, version;
    bool enabled; /* the database's NULL counts as true */
    int64_t created_at_ms, updated_at_ms;
};
struct provider_rows {
    size_t count;
    struct provider_row *items;
};

MUST_CHECK int store_providers_list(struct call *call, struct provider_rows *ret);                  /* by key */
MUST_CHECK int store_providers_by_key(struct call *call, struct str key, struct provider_row *ret); /* E_NOT_FOUND */
/* Makes the row, or brings name and version up to date; leaves `enabled` alone. */
MUST_CHECK int store_providers_put(struct call *call, struct str key, struct str name, struct str version);
MUST_CHECK int store_providers_set_enabled(struct call *call, struct str key, bool enabled); /* E_NOT_FOUND */

#endif

/* The rows of mcp_connection_checks: what the last look at each connection's service found. */
#ifndef STORE_CHECKS_H
#define STORE_CHECKS_H

#include "store/store.h"

struct check_row {
    bool found;
    bool ok;
    int64_t checked_at_ms, latency_ms;
    struct str error_code, error_text;
    struct str site_name, site_version, site_user, site_role;
    struct str details_json; /* object */
};

/* Replaces the one before. E_NOT_FOUND: the connection is gone. `found` is not read. */
MUST_CHECK int store_checks_put(struct call *call, int64_t connection_id, const struct check_row *check);

#endif

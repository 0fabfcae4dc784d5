/* The rows of mcp_connection_checks. */
#include "store/checks.h"

int store_checks_put(struct call *call, int64_t connection_id, const struct check_row *check)
{
    return db_query(call, store_db(), NULL,
                    "INSERT INTO mcp_connection_checks (connection_id, checked_at, ok, error_code, error_text, "
                    "latency_ms, site_name, site_version, site_user, site_role, details) "
                    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
                    "ON CONFLICT (connection_id) DO UPDATE SET checked_at = excluded.checked_at, ok = excluded.ok, "
                    "error_code = excluded.error_code, error_text = excluded.error_text, "
                    "latency_ms = excluded.latency_ms, site_name = excluded.site_name, "
                    "site_version = excluded.site_version, site_user = excluded.site_user, "
                    "site_role = excluded.site_role, details = excluded.details",
                    DB_INT(connection_id), DB_TIME(check->checked_at_ms), DB_BOOL(check->ok),
                    db_text_or_null(check->error_code), db_text_or_null(check->error_text), DB_INT(check->latency_ms),
                    db_text_or_null(check->site_name), db_text_or_null(check->site_version),
                    db_text_or_null(check->site_user), db_text_or_null(check->site_role), DB_TEXT(check->details_json));
}

/* The rows of mcp_data_keys. */
#include "store/keys.h"

int store_keys_read(struct call *call, struct server_keys *ret)
{
    struct db_rows rows;
    *ret = (struct server_keys){0};
    int error = db_query(call, store_db(), &rows,
                         "SELECT c.master_kid, c.wrapped, s.wrapped FROM mcp_data_keys c "
                         "LEFT JOIN mcp_data_keys s ON s.id = 'server' WHERE c.id = 'check'");
    if (error || rows.n_rows == 0)
        return error;
    *ret = (struct server_keys){true, db_int(&rows, 0, 0), db_text(&rows, 0, 1), db_text(&rows, 0, 2)};
    return OK;
}

int store_keys_insert(struct call *call, const struct server_keys *keys)
{
    return db_query(call, store_db(), NULL,
                    "INSERT INTO mcp_data_keys (id, master_kid, wrapped, created_at) "
                    "VALUES ('check', $1, $2, $4), ('server', $1, $3, $4)",
                    DB_INT(keys->master_kid), DB_TEXT(keys->check), DB_TEXT(keys->server), DB_TIME(clock_now_ms()));
}

int store_keys_needed(struct call *call, bool *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT (SELECT count(*) FROM mcp_data_keys) + (SELECT count(*) FROM mcp_token_details) + "
                         "(SELECT count(*) FROM mcp_service_connections WHERE secret_json ->> 'kid' IS NOT NULL) + "
                         "(SELECT count(*) FROM mcp_audit_heads)");
    if (!error)
        *ret = db_int(&rows, 0, 0) > 0;
    return error;
}

static struct str user_key_id(struct call *call, int64_t user_id)
{
    return call_format(call, "user:%lld", (long long)user_id);
}

int store_keys_of_user(struct call *call, int64_t user_id, struct str *ret_wrapped)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows, "SELECT wrapped FROM mcp_data_keys WHERE id = $1",
                         DB_TEXT(user_key_id(call, user_id)));
    if (!error && rows.n_rows == 0)
        return fail(call, E_NOT_FOUND, "This account has no key yet.");
    if (!error)
        *ret_wrapped = db_text(&rows, 0, 0);
    return error;
}

int store_keys_insert_user(struct call *call, int64_t user_id, int64_t master_kid, struct str wrapped)
{
    return db_query(call, store_db(), NULL,
                    "INSERT INTO mcp_data_keys (id, user_id, master_kid, wrapped, created_at) "
                    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING",
                    DB_TEXT(user_key_id(call, user_id)), DB_INT(user_id), DB_INT(master_kid), DB_TEXT(wrapped),
                    DB_TIME(clock_now_ms()));
}

int store_keys_lock(struct call *call, int64_t user_id)
{
    struct str id = user_id ? user_key_id(call, user_id) : STR("server");
    return db_query(call, store_db(), NULL, "UPDATE mcp_data_keys SET master_kid = master_kid WHERE id = $1",
                    DB_TEXT(id));
}

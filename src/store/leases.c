/* The rows of mcp_leases. */
#include "store/leases.h"

int store_leases_take(struct call *call, struct str name, struct str holder, int64_t until_ms, bool *ret_taken)
{
    struct db_rows rows;
    int error =
        db_query(call, store_db(), &rows,
                 "INSERT INTO mcp_leases (name, holder, until) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE "
                 "SET holder = $2, until = $3 WHERE mcp_leases.until < $4 OR mcp_leases.holder = $2 "
                 "RETURNING holder",
                 DB_TEXT(name), DB_TEXT(holder), DB_TIME(until_ms), DB_TIME(clock_now_ms()));
    if (!error)
        *ret_taken = rows.n_rows > 0;
    return error;
}

int store_leases_extend(struct call *call, struct str name, struct str holder, int64_t until_ms, bool *ret_held)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows, "UPDATE mcp_leases SET until = $3 WHERE name = $1 AND holder = $2",
                         DB_TEXT(name), DB_TEXT(holder), DB_TIME(until_ms));
    *ret_held = !error && db_changes(&rows) == 1;
    return error;
}

int store_leases_give_back(struct call *call, struct str name, struct str holder)
{
    return db_query(call, store_db(), NULL, "DELETE FROM mcp_leases WHERE name = $1 AND holder = $2", DB_TEXT(name),
                    DB_TEXT(holder));
}

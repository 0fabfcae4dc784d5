/* Does the database answer, and is there anything in it yet? */
#include "store/health.h"

#include "store/store.h"

int health_ask(struct call *call, struct db *db)
{
    return db_query(call, db, NULL, "SELECT 1");
}

int health_look(struct call *call, struct db *db, bool *ret_has_user, bool *ret_has_connection)
{
    struct db_rows rows;
    int error = db_query(call, db, &rows,
                         "SELECT CASE WHEN EXISTS (SELECT 1 FROM mcp_users) THEN 1 ELSE 0 END, "
                         "CASE WHEN EXISTS (SELECT 1 FROM mcp_service_connections) THEN 1 ELSE 0 END");
    if (error)
        return error;
    *ret_has_user = db_bool(&rows, 0, 0);
    *ret_has_connection = db_bool(&rows, 0, 1);
    return OK;
}

int health_server(struct call *call, struct db *db, struct health_server *ret)
{
    struct db_rows rows;
    bool is_sqlite = db_kind(db) == DB_SQLITE;
    int error = is_sqlite ? db_query(call, db, &rows, "SELECT 'SQLite ' || sqlite_version(), 0, 0")
                          : db_query(call, db, &rows,
                                     "SELECT version(), CAST(current_setting('server_version_num') AS bigint), "
                                     "CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint)");
    if (error)
        return error;
    *ret = (struct health_server){db_text(&rows, 0, 0), db_int(&rows, 0, 1), db_int(&rows, 0, 2)};
    return OK;
}

int health_counts(struct call *call, struct health_counts *ret)
{
    struct db_rows rows;
    int error = db_query(call, store_db(), &rows,
                         "SELECT (SELECT count(*) FROM mcp_users), "
                         "(SELECT count(*) FROM mcp_user_profiles WHERE is_admin = $1), "
                         "(SELECT count(*) FROM mcp_service_connections), "
                         "(SELECT count(*) FROM mcp_service_connections WHERE status = 'error'), "
                         "(SELECT count(*) FROM mcp_outbox WHERE sent_at IS NULL), "
                         "(SELECT count(*) FROM mcp_outbox WHERE sent_at IS NULL AND attempts > 0)",
                         DB_BOOL(true));
    if (error)
        return error;
    *ret = (struct health_counts){db_int(&rows, 0, 0), db_int(&rows, 0, 1), db_int(&rows, 0, 2),
                                  db_int(&rows, 0, 3), db_int(&rows, 0, 4), db_int(&rows, 0, 5)};
    return OK;
}

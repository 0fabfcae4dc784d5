/* Does the database answer, and is there anything in it yet? */
#include "store/health.h"

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

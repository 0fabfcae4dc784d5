/* PostgreSQL. */
#include "store/db_driver.h"

int db_postgres_open(struct call *call, struct str url, struct db **ret_db)
{
    (void)url;
    (void)ret_db;
    return fail(call, E_INVALID, "This build speaks only SQLite: DATABASE_URL must be sqlite:PATH.");
}

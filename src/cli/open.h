/* What commands and the server open in the same way: data directory, loop, database at this program's schema. */
#ifndef CLI_OPEN_H
#define CLI_OPEN_H

#include "cli/cli.h"
#include "store/db.h"

/* Loop and database, without looking into it. Everything is closed when the run ends. */
MUST_CHECK int open_database(struct cli *cli);

/*
 * The same, and brings the database to this program's schema: through PORTEIRO_DATABASE_URL_DIRECT when that is set. Costs a few
 * short reads when there is nothing to do.
 */
MUST_CHECK int open_migrated(struct cli *cli);

/* The database for migrations: *ret_db is cli->db, or another that is closed with the run. */
MUST_CHECK int open_for_migration(struct cli *cli, struct db **ret_db);

#endif

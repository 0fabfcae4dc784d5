/* What commands and the server open in the same way, one thing on top of the other, and close again in the end. */
#ifndef CLI_OPEN_H
#define CLI_OPEN_H

#include "cli/cli.h"
#include "crypto/keyring.h"
#include "net/egress.h"
#include "store/db.h"

/* Data directory, loop and database, without looking into it. */
MUST_CHECK int open_database(struct cli *cli);
/* The same with another database than the settings'. */
MUST_CHECK int open_database_at(struct cli *cli, struct str url);
/* On top of that: at this program's schema. */
MUST_CHECK int open_migrated(struct cli *cli);

/* The database for migrations: PORTEIRO_DATABASE_URL_DIRECT when that is set, else *ret_db is cli->db. */
MUST_CHECK int open_for_migration(struct cli *cli, struct db **ret_db);

/* The database at this program's schema, the keys, and the rows of the providers. A few short reads when all is in place. */
MUST_CHECK int open_accounts(struct cli *cli);

/* Where the master key may be. */
struct keyring_source open_key_source(struct cli *cli);

/* Who may register, and what links begin with: for a server that learns its address when it listens. */
void open_registration(struct cli *cli, struct str url);

/* The mail server of the settings; fine without one. */
MUST_CHECK int open_mail(struct cli *cli);

/* On top of that the way out to the network, behind the address guard, which knows our own address as the settings name it. */
MUST_CHECK int open_client(struct cli *cli);
/* Where traces go, as the settings say; behind open_client(). `instance` tells processes apart. E_INVALID: *ret_problem. */
MUST_CHECK int open_traces(struct cli *cli, struct str instance, const char **ret_problem);
/* The guard's list, for a server that learns its port when it listens. */
struct egress_policy *open_egress(void);

/* Writes what is queued and closes all that was opened. At the end of every run. */
void open_close(struct cli *cli);

#endif

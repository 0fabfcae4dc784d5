/* Does the database answer, and is there anything in it yet? */
#ifndef STORE_HEALTH_H
#define STORE_HEALTH_H

#include "store/db.h"

/* One statement that reads nothing. Waits. E_UNAVAILABLE or E_TIMEOUT. */
MUST_CHECK int health_ask(struct call *call, struct db *db);

/* What is there yet? For the hint at the start of a server. */
MUST_CHECK int health_look(struct call *call, struct db *db, bool *ret_has_user, bool *ret_has_connection);

#endif

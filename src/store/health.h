/* Does the database answer, and is there anything in it yet? */
#ifndef STORE_HEALTH_H
#define STORE_HEALTH_H

#include "store/db.h"

/* One statement that reads nothing. Waits. E_UNAVAILABLE or E_TIMEOUT. */
MUST_CHECK int health_ask(struct call *call, struct db *db);

/* What is there yet? For the hint at the start of a server. */
MUST_CHECK int health_look(struct call *call, struct db *db, bool *ret_has_user, bool *ret_has_connection);

/* What the database says of itself. now_ms 0: it is this machine's clock. */
struct health_server {
    struct str version; /* for people */
    int64_t number;     /* PostgreSQL's: 150018; 0: none */
    int64_t now_ms;
};
MUST_CHECK int health_server(struct call *call, struct db *db, struct health_server *ret);

struct health_counts {
    int64_t people, administrators, connections, connections_in_error, mails_waiting, mails_failing;
};
MUST_CHECK int health_counts(struct call *call, struct health_counts *ret);

#endif

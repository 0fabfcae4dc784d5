/*
 * The one database of this process. The modules of this folder and what stands on them use it; it is set once at start and
 * belongs to who opened it.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "store/db.h"

/* NULL takes it away again, before db_close(). */
void store_init(struct db *db);

/* Never NULL after store_init(). */
struct db *store_db(void);

/*
 * Begins a transaction unless the call has one open; *ret_mine tells who has to end it:
 *
 *     bool mine;
 *     int error = store_begin(call, &mine);
 *     if (!error)
 *         error = ...;
 *     return store_end(call, mine, error);       commits, or rolls back when there was an error
 */
MUST_CHECK int store_begin(struct call *call, bool *ret_mine);
MUST_CHECK int store_end(struct call *call, bool mine, int error);

#endif

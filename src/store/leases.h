/* The rows of mcp_leases: names that one holder has at a time, across all processes and nodes, until a time. */
#ifndef STORE_LEASES_H
#define STORE_LEASES_H

#include "store/store.h"

/* *ret_taken false: somebody else has it now. Taking again what one holds moves its end. Waits. */
MUST_CHECK int store_leases_take(struct call *call, struct str name, struct str holder, int64_t until_ms,
                                 bool *ret_taken);
/* *ret_held false: somebody else has it, or has had it since. One that is over and that nobody took is the holder's still. Waits. */
MUST_CHECK int store_leases_extend(struct call *call, struct str name, struct str holder, int64_t until_ms,
                                   bool *ret_held);
/* What is not held (any more) by this holder stays as it is. Waits. */
MUST_CHECK int store_leases_give_back(struct call *call, struct str name, struct str holder);

#endif

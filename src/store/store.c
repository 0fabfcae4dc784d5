/* The one database of this process. */
#include "store/store.h"

#include <assert.h>

static struct db *the_db;

void store_init(struct db *db)
{
    the_db = db;
}

struct db *store_db(void)
{
    assert(the_db);
    return the_db;
}

int store_begin(struct call *call, bool *ret_mine)
{
    *ret_mine = !call->db_link;
    return *ret_mine ? db_begin(call, store_db()) : OK;
}

int store_end(struct call *call, bool mine, int error)
{
    if (!mine)
        return error;
    if (!error)
        return db_commit(call, store_db());
    /* What went wrong first is what the caller wants to read. */
    struct call before = *call;
    db_rollback(call, store_db());
    call->error = before.error;
    call->error_text = before.error_text;
    call->error_detail = before.error_detail;
    call->retry_after_s = before.retry_after_s;
    return error;
}

/* Names that one call has at a time, across workers and nodes: a row each, given back when the tool has ended. */
#include "base/log.h"
#include "mcp/host.h"
#include "store/leases.h"

#include "net/task.h"

enum {
    PAUSE_MIN_MS = 20,
    PAUSE_MAX_MS = 200,
    SPARE_MS = 2000,     /* that a lease outlives its call's deadline */
    GIVE_BACK_MS = 5000, /* to give it back, whatever is left of the call */
};

struct mcp_lease {
    struct mcp_lease *next;
    struct str name;
    int64_t until_ms;
};

static int64_t end_ms(const struct call *call)
{
    return clock_now_ms() + call_time_left_ms(call) + SPARE_MS;
}

int host_lease_take(struct call *call, struct host *base, struct str name)
{
    struct mcp_host *host = (struct mcp_host *)base;
    bool taken = false;
    int64_t until_ms;
    if (db_kind(store_db()) == DB_SQLITE)
        return OK; /* one process serves: whoever waits, waits in its queue */
    for (int64_t pause_ms = PAUSE_MIN_MS;; pause_ms = pause_ms < PAUSE_MAX_MS ? 2 * pause_ms : PAUSE_MAX_MS) {
        until_ms = end_ms(call);
        int error = store_leases_take(call, name, str_from(call->id), until_ms, &taken);
        if (error)
            return error;
        if (taken)
            break;
        error = task_sleep(call, pause_ms);
        if (error == E_TIMEOUT)
            return fail(
                call, E_CONFLICT,
                "Somebody else is changing this item right now, for longer than this call may wait. Nothing was "
                "done. Read it, and try again.");
        if (error)
            return error;
    }
    struct mcp_lease *lease = arena_new_of(call->arena, struct mcp_lease);
    *lease = (struct mcp_lease){.next = host->leases, .name = name, .until_ms = until_ms};
    host->leases = lease;
    return OK;
}

/* Nothing is asked unless the call may last longer than when the lease was taken: it fetches a file, a person was asked. */
int host_lease_hold(struct call *call, struct host *base)
{
    struct mcp_host *host = (struct mcp_host *)base;
    int64_t until_ms = end_ms(call);
    int error = OK;
    for (struct mcp_lease *lease = host->leases; lease && !error; lease = lease->next) {
        bool held = true;
        if (lease->until_ms >= until_ms - SPARE_MS / 2)
            continue;
        error = store_leases_extend(call, lease->name, str_from(call->id), until_ms, &held);
        if (!error && !held)
            error = fail(call, E_CONFLICT,
                         "Somebody else has changed this item, or is about to, while this call took its time. This "
                         "call did not change it. Read it, and try again.");
        if (!error)
            lease->until_ms = until_ms;
    }
    return error;
}

/* Also for who has left or is out of time: others wait for it. One that cannot be given back ends by itself. */
void mcp_host_give_leases_back(struct call *call, struct mcp_host *host)
{
    struct call rest = *call;
    struct str id = str_from(call->id);
    rest.cancelled = false;
    rest.deadline_ms = clock_monotonic_ms() + GIVE_BACK_MS;
    for (; host->leases; host->leases = host->leases->next)
        if (store_leases_give_back(&rest, host->leases->name, id))
            log_warning("call %.*s: its lease of %.*s could not be given back and ends by itself", STR_ARG(id),
                        STR_ARG(host->leases->name));
}

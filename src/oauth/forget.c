/* Forgetting what is over. */
#include "oauth/forget.h"

#include "base/log.h"
#include "oauth/clients.h"
#include "store/oauth_grants.h"

enum { EVERY_MS = 60 * 1000, TOKENS_MS = 3600 * 1000 };
static const int64_t REST_MS =
    INT64_C(30) * 24 * 3600 * 1000; /* so long a code or refresh token that comes again is known for one */

static int64_t next_ms;

static int forget(struct call *call, int64_t now_ms)
{
    int error = store_oauth_forget(call, now_ms - TOKENS_MS, now_ms - REST_MS);
    if (!error)
        error = store_oauth_clients_forget_unused(call, now_ms - CLIENTS_UNUSED_MS, CLIENTS_UNUSED_MAX);
    return error ? error : store_oauth_clients_forget_idle(call, now_ms - CLIENTS_IDLE_MS);
}

void forget_old(struct call *call)
{
    bool mine;
    if (clock_monotonic_ms() < next_ms)
        return;
    next_ms = clock_monotonic_ms() + EVERY_MS;
    int error = store_begin(call, &mine);
    if (!error)
        error = store_end(call, mine, forget(call, clock_now_ms()));
    if (!error)
        return;
    log_warning("call %s: OAuth: what is over could not be forgotten: %.*s", call->id, STR_ARG(call->error_text));
    call_clear_error(call);
}

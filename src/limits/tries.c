/* How often something may be tried by somebody who is not known yet. */
#include "limits/tries.h"

#include "base/metrics.h"
#include "limits/table.h"
#include "net/client_address.h"

int tries_take(struct call *call, const struct tries_rule *rule, struct str name)
{
    int64_t refill_ns = rule->refill_ms * 1000 * 1000, now_ns = clock_monotonic_ns();
    uint64_t key = table_key(rule->what, 0, name);
    if (!table_lock())
        return OK;
    struct rate *rate = &table_entry(key)->calls;
    int64_t full_at_ns = rate->full_at_ns > now_ns ? rate->full_at_ns : now_ns;
    int64_t wait_ns = full_at_ns - now_ns - (rule->at_once - 1) * refill_ns;
    if (wait_ns <= 0)
        rate->full_at_ns = full_at_ns + refill_ns;
    table_unlock();
    if (wait_ns <= 0)
        return OK;
    int64_t wait_s = (wait_ns + 999999999) / 1000000000;
    metric_count(METRIC_REFUSED, STR("tries"));
    (void)fail(call, E_LIMIT, "Too many tries. Come again in %lld second%s.", (long long)wait_s,
               wait_s == 1 ? "" : "s");
    call->retry_after_s = wait_s;
    return E_LIMIT;
}

int tries_take_address(struct call *call, const struct tries_rule *rule, struct str address)
{
    char network[CLIENT_ADDRESS_BYTES];
    return tries_take(call, rule, client_network(address, network));
}

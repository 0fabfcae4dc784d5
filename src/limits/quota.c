/* How many calls a token, and a person with all tokens, may make a minute and at once. */
#include "limits/quota.h"

#include "base/metrics.h"
#include "limits/table.h"

struct quota_pass {
    uint64_t key;
    bool is_held;
};

void quota_end(struct quota_pass *pass)
{
    if (!pass || !pass->is_held)
        return;
    pass->is_held = false;
    if (!table_lock())
        return;
    struct table_entry *token = table_entry(pass->key);
    if (token->held[table_self()])
        token->held[table_self()]--;
    table_unlock();
}

static void end_pass(void *object)
{
    quota_end(object);
}

enum why { NOTHING, TOKEN_CALLS, TOKEN_WRITES, TOKEN_AT_ONCE, USER_CALLS };

struct verdict {
    enum why why;
    int64_t wait_ns;
};

/* Keeps the limit that makes it wait longest. */
static void consider(struct verdict *verdict, enum why why, int64_t wait_ns)
{
    if (wait_ns > verdict->wait_ns)
        *verdict = (struct verdict){why, wait_ns};
}

/* Between table_lock() and table_unlock(). Nothing is taken unless all of it can be. */
static struct verdict take(uint64_t token_key, uint64_t user_key, bool writes)
{
    static const int64_t second_ns = 1000 * 1000 * 1000;
    const struct limits_settings *limits = limits_settings();
    struct verdict verdict = {0};
    int64_t now_ns = clock_monotonic_ns();
    struct table_entry *token = table_entry(token_key);
    if (limits->token_calls_at_once && table_use(token).held >= limits->token_calls_at_once)
        consider(&verdict, TOKEN_AT_ONCE, second_ns);
    consider(&verdict, TOKEN_CALLS, rate_wait_ns(&token->calls, limits->token_calls_per_minute, now_ns));
    if (writes)
        consider(&verdict, TOKEN_WRITES, rate_wait_ns(&token->writes, limits->token_writes_per_minute, now_ns));
    struct table_entry *user = table_entry(user_key);
    consider(&verdict, USER_CALLS, rate_wait_ns(&user->calls, limits->user_calls_per_minute, now_ns));
    if (verdict.why)
        return verdict;
    rate_take(&user->calls, limits->user_calls_per_minute, now_ns);
    token = table_entry(token_key); /* in a full table the second one may have taken the place of the first */
    rate_take(&token->calls, limits->token_calls_per_minute, now_ns);
    if (writes)
        rate_take(&token->writes, limits->token_writes_per_minute, now_ns);
    if (token->held[table_self()] < UINT16_MAX)
        token->held[table_self()]++;
    return verdict;
}

static int refuse(struct call *call, const struct verdict *verdict, int64_t after_s)
{
    const struct limits_settings *limits = limits_settings();
    const char *plural = after_s == 1 ? "" : "s";
    metric_count(METRIC_REFUSED, verdict->why == TOKEN_AT_ONCE  ? STR("token_calls_at_once")
                                 : verdict->why == TOKEN_WRITES ? STR("token_writes_per_minute")
                                 : verdict->why == USER_CALLS   ? STR("user_calls_per_minute")
                                                                : STR("token_calls_per_minute"));
    long long after = (long long)after_s;
    if (verdict->why == TOKEN_AT_ONCE)
        return fail(
            call, E_LIMIT,
            "This token has %zu calls under way, and more at once are not taken. Wait for their answers, and try "
            "again in %lld second%s.",
            limits->token_calls_at_once, after, plural);
    if (verdict->why == TOKEN_WRITES)
        return fail(call, E_LIMIT,
                    "This token may make %zu changes a minute, and has. Nothing was done. Try again in %lld second%s.",
                    limits->token_writes_per_minute, after, plural);
    if (verdict->why == USER_CALLS)
        return fail(call, E_LIMIT,
                    "All tokens of this person together may make %zu calls a minute, and have. Nothing was done. Try "
                    "again in %lld second%s.",
                    limits->user_calls_per_minute, after, plural);
    return fail(call, E_LIMIT,
                "This token may make %zu calls a minute, and has. Nothing was done. Try again in %lld second%s.",
                limits->token_calls_per_minute, after, plural);
}

int quota_begin(struct call *call, int64_t token_id, int64_t user_id, bool writes, struct quota_pass **ret_pass,
                int64_t *ret_after_s)
{
    struct quota_pass *pass = arena_new_of(call->arena, struct quota_pass);
    *ret_pass = pass;
    *ret_after_s = 0;
    pass->key = table_key("token", token_id, STR_EMPTY);
    arena_defer(call->arena, end_pass, pass);
    uint64_t user_key = table_key("user calls", user_id, STR_EMPTY);
    if (!table_lock())
        return OK;
    struct verdict verdict = take(pass->key, user_key, writes);
    table_unlock();
    pass->is_held = !verdict.why;
    if (!verdict.why)
        return OK;
    *ret_after_s = (verdict.wait_ns + 999999999) / 1000000000;
    return refuse(call, &verdict, *ret_after_s);
}

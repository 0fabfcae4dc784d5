/* When a site that fails is left alone. */
#include "limits/breaker.h"

int64_t breaker_ask(struct breaker *breaker, int64_t now_ms, bool *ret_is_trial)
{
    *ret_is_trial = false;
    if (!breaker->open_until_ms)
        return 0;
    if (breaker->open_until_ms > now_ms)
        return breaker->open_until_ms - now_ms;
    if (breaker->trial_until_ms > now_ms)
        return 1000; /* it will be decided soon */
    breaker->trial_until_ms = now_ms + BREAKER_TRIAL_MS;
    *ret_is_trial = true;
    return 0;
}

static void count(struct breaker *breaker, int64_t now_ms, bool failed)
{
    if (now_ms - breaker->window_ms > BREAKER_WINDOW_MS) {
        breaker->window_ms = now_ms;
        breaker->window_all = breaker->window_failed = 0;
    }
    breaker->window_all++;
    breaker->window_failed += failed;
}

void breaker_answered(struct breaker *breaker, int64_t now_ms)
{
    if (breaker->open_until_ms)
        *breaker = (struct breaker){0}; /* it is back: what was before counts no more */
    breaker->failures_in_a_row = 0;
    count(breaker, now_ms, false);
}

void breaker_failed(struct breaker *breaker, int64_t now_ms, bool is_trial, size_t max_failures, int64_t pause_ms)
{
    if (breaker->open_until_ms && !is_trial)
        return; /* sent before it opened: nothing new */
    count(breaker, now_ms, true);
    breaker->failures_in_a_row++;
    if (!max_failures)
        return;
    if (is_trial || breaker->failures_in_a_row >= max_failures ||
        (breaker->window_all >= BREAKER_WINDOW_MIN && 2 * breaker->window_failed >= breaker->window_all)) {
        breaker->open_until_ms = now_ms + pause_ms;
        breaker->trial_until_ms = 0;
    }
}

void breaker_unknown(struct breaker *breaker, bool is_trial)
{
    if (is_trial)
        breaker->trial_until_ms = 0; /* the next one tries */
}

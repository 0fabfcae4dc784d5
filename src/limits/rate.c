/* So many a minute, half of them at once. */
#include "limits/rate.h"

static const int64_t minute_ns = 60LL * 1000 * 1000 * 1000;

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t rate_wait_ns(const struct rate *rate, size_t per_minute, int64_t now_ns)
{
    if (!per_minute)
        return 0;
    int64_t one_ns = minute_ns / (int64_t)per_minute, at_once = per_minute > 1 ? (int64_t)per_minute / 2 : 1;
    int64_t wait_ns = rate->full_at_ns - now_ns - (at_once - 1) * one_ns;
    return later(wait_ns, 0);
}

void rate_take(struct rate *rate, size_t per_minute, int64_t now_ns)
{
    if (per_minute)
        rate->full_at_ns = later(rate->full_at_ns, now_ns) + minute_ns / (int64_t)per_minute;
}

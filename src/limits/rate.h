/*
 * So many a minute, half of them at once: the rule, without clock or memory of its own (GCRA, a bucket that fills evenly).
 */
#ifndef LIMITS_RATE_H
#define LIMITS_RATE_H

#include "base/str.h"

/* Zeroed: full. */
struct rate {
    int64_t full_at_ns; /* when the bucket will be full again */
};

/* 0: there is one to take. Else in how many ns there is. per_minute 0: always. */
int64_t rate_wait_ns(const struct rate *rate, size_t per_minute, int64_t now_ns);
void rate_take(struct rate *rate, size_t per_minute, int64_t now_ns);

#endif

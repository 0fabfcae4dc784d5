/*
 * When a site that fails is left alone: the rule, without clock or memory of its own.
 *
 *     closed     all requests go; so many failures in a row, or half of the last ones in 30 s, open it
 *     open       none goes, for a pause
 *     half-open  one request tries; when the site answers it is closed, else open again
 */
#ifndef LIMITS_BREAKER_H
#define LIMITS_BREAKER_H

#include "base/str.h"

enum {
    BREAKER_WINDOW_MS = 30 * 1000,
    BREAKER_WINDOW_MIN = 20,      /* fewer requests in the window say nothing about the share that failed */
    BREAKER_TRIAL_MS = 40 * 1000, /* after which a trial without an outcome (its process died) is given up */
};

/* Zeroed: closed. */
struct breaker {
    size_t failures_in_a_row;
    int64_t window_ms; /* when it began */
    size_t window_all, window_failed;
    int64_t open_until_ms;  /* 0: closed */
    int64_t trial_until_ms; /* half-open and somebody tries; 0: nobody does */
};

/* 0: go. Else in how many ms to come again. *ret_is_trial: this request decides. */
int64_t breaker_ask(struct breaker *breaker, int64_t now_ms, bool *ret_is_trial);

/* How a request went that was let through. max_failures 0: it never opens. */
void breaker_answered(struct breaker *breaker, int64_t now_ms);
void breaker_failed(struct breaker *breaker, int64_t now_ms, bool is_trial, size_t max_failures, int64_t pause_ms);
/* It came to nothing for a reason that is not the site's. */
void breaker_unknown(struct breaker *breaker, bool is_trial);

#endif

/* Helper threads: for work that blocks or burns time (SQLite, argon2id), while the loop goes on. */
#ifndef NET_HELPER_H
#define NET_HELPER_H

#include "call/call.h"

struct helper;

/* NULL when no thread can be made. One thread gives a strict order: first come, first served. */
struct helper *helper_new(size_t threads);

/* Finishes what is queued, then ends the threads. NULL is fine. */
void helper_free(struct helper *helper);

/*
 * Runs work(context) on a helper thread and waits until it has ended, whatever the deadline: work that has begun uses the
 * caller's memory. work() must not touch a call, the loop, or an arena.
 */
void helper_run(struct call *call, struct helper *helper, void (*work)(void *context), void *context);

/*
 * From within work(): this thread lets the loop's go first when both want the same processor. It still gets a quarter of it at least.
 */
void helper_stays_behind(void);

#endif

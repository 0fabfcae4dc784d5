/* Helper threads: for work that blocks or burns time (SQLite, argon2id), while the loop goes on. */
#ifndef NET_HELPER_H
#define NET_HELPER_H

#include "call/call.h"
#include "net/loop.h"

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

/* The same without waiting: ended(context) runs on the loop's stack. The job is the caller's and lives until then. */
struct helper_job {
    void (*work)(void *context);
    void (*ended)(void *context);
    void *context;
    struct helper_job *next;
    struct loop_post post;
};
void helper_start(struct helper *helper, struct helper_job *job);

/*
 * From within work(): this thread lets the loop's go first when both want the same processor. It still gets a quarter of it at least.
 */
void helper_stays_behind(void);

#endif

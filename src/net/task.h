/*
 * Tasks: straight-line code that may wait, each on its own small stack on the loop (stackful coroutines).
 *
 *     loop's stack:  event -> task_spawn() -> [task runs] ... parks -> back to the loop
 *                    event -> task_wake()  -> [task goes on] ... ends -> done() on the loop's stack
 *
 * A task never changes thread. Code in a command (no task) uses the same functions: task_park() then runs the loop until it
 * is woken.
 *
 * Stacks are TASK_STACK_BYTES with a guard page below: no large arrays on them, and what needs much stack (OpenSSL, libpq's
 * connect, md4c) runs on the loop's stack (task_on_loop_stack) or a helper thread (net/helper.h).
 */
#ifndef NET_TASK_H
#define NET_TASK_H

#include "call/call.h"

/* Limits how many tasks may live at once; default 20,000. */
void task_set_limit(size_t max_tasks);
size_t task_count(void);

/*
 * Runs run(call, context) as a task, at once, until it first waits. When it has ended, done(call, context) runs on the loop's
 * stack; there the owner sends the answer and frees the arena. When the call's arena is exhausted, run() is abandoned at that
 * point and call->error is E_UNAVAILABLE.
 * E_LIMIT: too many tasks, or no memory for a stack; then neither function runs. Must be called on the loop's stack or from a
 * task.
 */
MUST_CHECK int task_spawn(struct call *call, void (*run)(struct call *call, void *context),
                          void (*done)(struct call *call, void *context), void *context);

/*
 * Waits until task_wake(call). OK, or E_TIMEOUT (call->deadline_ms passed) or E_CANCELLED (call->cancelled): both recorded with
 * fail(). May return OK although nothing happened: ask your own condition in a loop. A wake that came before is not lost.
 */
MUST_CHECK int task_park(struct call *call);

/* The same, but E_TIMEOUT is not recorded, which takes memory: for whom time runs out again and again, as it should. */
MUST_CHECK int task_doze(struct call *call);

/* The same without deadline or cancellation: for work that cannot be withdrawn, such as a helper thread's. */
void task_park_firmly(struct call *call);

MUST_CHECK int task_sleep(struct call *call, int64_t ms);

/* Lets the waiting call go on in the loop's next turn. Any number of times; on the loop's thread only. */
void task_wake(struct call *call);

/* Runs run(context) on the loop's roomy stack and returns when it has. run() must not wait. */
void task_on_loop_stack(struct call *call, void (*run)(void *context), void *context);

/* The call whose task runs right now; NULL: the loop itself does. For the log and the report of a crash. */
const struct call *task_current(void);

/* A queue of calls that wait for the same thing, first come first served. Zero-initialised is empty. */
struct task_queue {
    struct task_waiter *first, *last;
};
/* Waits in the queue until task_queue_wake_one() reaches it. As task_park(), but OK is only ever a real turn. */
MUST_CHECK int task_queue_wait(struct call *call, struct task_queue *queue);
/* Gives the turn to the first in the queue; false when nobody waits. */
bool task_queue_wake_one(struct task_queue *queue);

#endif

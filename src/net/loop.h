/*
 * The event loop: one per process, on the main thread (libevent). Sockets, timers, curl and libpq all live on it.
 *
 * Nothing here waits; what waits is in net/task.h.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "base/str.h"

struct event_base;

/* Once per process (again after a fork). False when there is no memory or no descriptor left. */
MUST_CHECK bool loop_init(void);
void loop_done(void);

/* For the drivers in net/ and store/ only. */
struct event_base *loop_base(void);

/*
 * Asks the kernel for short turns of the processor, which come sooner, for this thread: who works for long beside the loop (the
 * database's thread, other programs) must not make its events wait. After the helper threads were started, which do without.
 */
void loop_take_short_turns(void);

/* Serves events until loop_stop(). */
void loop_run(void);
void loop_stop(void);

/* Serves what is ready, or waits for the next event: how a command waits without being a task. */
void loop_turn(void);

/*
 * Runs run(post->context) on the loop's thread soon, in order. May be called from any thread; `post` belongs to the caller
 * and must live until it ran.
 */
struct loop_post {
    struct loop_post *next;
    void (*run)(void *context);
    void *context;
};
void loop_post(struct loop_post *post);

/* A single timer; embed it. loop_timer_set() again moves it. The callback runs on the loop's stack. */
struct loop_timer {
    void *event;
    void (*run)(void *context);
    void *context;
};
MUST_CHECK bool loop_timer_init(struct loop_timer *timer, void (*run)(void *context), void *context);
void loop_timer_set(struct loop_timer *timer, int64_t after_ms);
void loop_timer_clear(struct loop_timer *timer);
void loop_timer_done(struct loop_timer *timer);

/* Calls run(signal_number, context) on the loop's stack whenever the signal arrives. */
MUST_CHECK bool loop_on_signal(int signal_number, void (*run)(int signal_number, void *context), void *context);

#endif

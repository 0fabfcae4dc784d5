/* Tasks: the only file that switches stacks (by net/task_switch). */
#include "net/task.h"

#include "net/loop.h"
#include "net/task_switch.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define WITH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#elif __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#endif
#ifndef WITH_ASAN
#define WITH_ASAN 0
#endif
#ifndef WITH_TSAN
#define WITH_TSAN 0
#endif
#if WITH_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if WITH_TSAN
#include <sanitizer/tsan_interface.h>
#endif

enum {
    TASK_STACK_BYTES =
        WITH_ASAN || WITH_TSAN ? 512 * 1024 : 128 * 1024, /* address space; only touched pages cost memory */
    STACKS_KEPT = 64,                                     /* beyond that they go back to the kernel ... */
    STACKS_LOOK_MS = 5000,                                /* ... once they lay unused so long */
    TASKS_MAX_DEFAULT = 20000,
};

enum task_state {
    TASK_RUNNING, /* on its stack now, or lent the loop's stack */
    TASK_PARKED,  /* waits for task_wake(), its timer, or cancellation */
    TASK_READY,   /* in the ready list, goes on in the loop's next turn */
    TASK_ENDED,
};

/* Lies at the top of its own stack's mapping. */
struct task {
    struct call *call;
    void (*run)(struct call *call, void *context);
    void (*done)(struct call *call, void *context);
    void *context;
    enum task_state state;
    bool woken;              /* task_wake() came while it was not parked */
    struct task *next;       /* in the ready list, or among the kept stacks */
    struct loop_timer timer; /* of the current park */
    task_place place;
    sigjmp_buf escape;                    /* where an exhausted arena jumps to */
    void (*on_loop_stack)(void *context); /* what the loop's stack is lent for */
    void *on_loop_stack_context;
    char *stack;
#if WITH_ASAN
    void *fake_stack;
#endif
#if WITH_TSAN
    void *fiber;
#endif
};

static struct {
    task_place loop_place;
    struct task *current; /* NULL: on the loop's stack */
    struct task *ready_first, **ready_last;
    struct event *ready_event;
    struct task *kept;
    size_t n_kept, n_tasks, max_tasks;
    size_t n_unused; /* so many of the kept were never taken since the last look */
    struct loop_timer look;
    bool is_looking;
#if WITH_ASAN
    void *loop_fake_stack;
    const void *loop_stack;
    size_t loop_stack_size;
#endif
#if WITH_TSAN
    void *loop_fiber;
#endif
} tasks = {.max_tasks = TASKS_MAX_DEFAULT};

void task_set_limit(size_t max_tasks)
{
    tasks.max_tasks = max_tasks;
}

size_t task_count(void)
{
    return tasks.n_tasks;
}

const struct call *task_current(void)
{
    return tasks.current ? tasks.current->call : NULL;
}

/* --- stacks ------------------------------------------------------------------------------------------------------------ */

static void stack_free(struct task *task)
{
    size_t guard = (size_t)sysconf(_SC_PAGESIZE);
    loop_timer_done(&task->timer);
    munmap(task->stack - guard, TASK_STACK_BYTES + guard);
    free(task);
}

static struct task *stack_unkeep(void)
{
    struct task *task = tasks.kept;
    if (task) {
        tasks.kept = task->next;
        tasks.n_kept--;
        if (tasks.n_kept < tasks.n_unused)
            tasks.n_unused = tasks.n_kept;
    }
    return task;
}

/* Gives back what a busy time has left behind. */
static void look_at_kept(void *context)
{
    (void)context;
    for (size_t n = tasks.n_unused; n && tasks.n_kept > STACKS_KEPT; n--)
        stack_free(stack_unkeep());
    tasks.n_unused = tasks.n_kept;
    tasks.is_looking = tasks.n_kept > STACKS_KEPT;
    if (tasks.is_looking)
        loop_timer_set(&tasks.look, STACKS_LOOK_MS);
}

static struct task *stack_take(void)
{
    struct task *task = stack_unkeep();
    if (task) {
        *task = (struct task){.stack = task->stack, .timer = task->timer};
        return task;
    }
    size_t guard = (size_t)sysconf(_SC_PAGESIZE);
    char *mapping =
        mmap(NULL, TASK_STACK_BYTES + guard, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (mapping == MAP_FAILED)
        return NULL;
    task = calloc(1, sizeof *task);
    if (!task || mprotect(mapping, guard, PROT_NONE) != 0) {
        free(task);
        munmap(mapping, TASK_STACK_BYTES + guard);
        return NULL;
    }
    task->stack = mapping + guard;
    return task;
}

static void stack_give_back(struct task *task)
{
    /* Making one costs three system calls and a page fault for each page it touches, so a burst keeps what it needs. */
    task->next = tasks.kept;
    tasks.kept = task;
    if (++tasks.n_kept <= STACKS_KEPT || tasks.is_looking)
        return;
    tasks.n_unused = 0;
    tasks.is_looking = true;
    loop_timer_set(&tasks.look, STACKS_LOOK_MS);
}

/* --- switching --------------------------------------------------------------------------------------------------------- */

static void switch_to_loop(struct task *task)
{
    tasks.current = NULL;
#if WITH_ASAN
    /* NULL for an ended task: its fake stack is released. */
    __sanitizer_start_switch_fiber(task->state == TASK_ENDED ? NULL : &task->fake_stack, tasks.loop_stack,
                                   tasks.loop_stack_size);
#endif
#if WITH_TSAN
    __tsan_switch_to_fiber(tasks.loop_fiber, 0);
#endif
    task_switch(&task->place, &tasks.loop_place);
#if WITH_ASAN
    __sanitizer_finish_switch_fiber(task->fake_stack, &tasks.loop_stack, &tasks.loop_stack_size);
#endif
}

static void task_ended(struct task *task)
{
    struct call *call = task->call;
    void (*done)(struct call *, void *) = task->done;
    void *context = task->context;
    call->task = NULL;
    tasks.n_tasks--;
#if WITH_TSAN
    __tsan_destroy_fiber(task->fiber);
#endif
    done(call, context); /* it may still look at what lies on the stack, through what the call deferred */
    stack_give_back(task);
}

/* Lets the task run until it parks or ends. On the loop's stack only. */
static void switch_to_task(struct task *task)
{
    for (;;) {
        task->state = TASK_RUNNING;
        tasks.current = task;
#if WITH_ASAN
        __sanitizer_start_switch_fiber(&tasks.loop_fake_stack, task->stack, TASK_STACK_BYTES);
#endif
#if WITH_TSAN
        tasks.loop_fiber = __tsan_get_current_fiber();
        __tsan_switch_to_fiber(task->fiber, 0);
#endif
        task_switch(&tasks.loop_place, &task->place);
#if WITH_ASAN
        __sanitizer_finish_switch_fiber(tasks.loop_fake_stack, NULL, NULL);
#endif
        if (!task->on_loop_stack)
            break;
        void (*run)(void *) = task->on_loop_stack;
        task->on_loop_stack = NULL;
        run(task->on_loop_stack_context);
    }
    if (task->state == TASK_ENDED)
        task_ended(task);
}

static void escape_exhausted(struct arena *arena, size_t size, void *context)
{
    struct task *task = context;
    struct call *call = task->call;
    (void)arena;
    (void)size;
    call->error = E_UNAVAILABLE;
    call->error_text = STR("This request needed more memory than one request may use. Ask for less at a time.");
    call->error_detail = STR("arena exhausted");
    siglongjmp(task->escape, 1);
}

static void task_main(void)
{
    struct task *task = tasks.current;
#if WITH_ASAN
    __sanitizer_finish_switch_fiber(NULL, &tasks.loop_stack, &tasks.loop_stack_size);
#endif
    if (sigsetjmp(task->escape, 0) == 0) {
        arena_on_exhausted(task->call->arena, escape_exhausted, task);
        task->run(task->call, task->context);
    }
    task->state = TASK_ENDED;
    switch_to_loop(task);
    abort(); /* an ended task is never resumed */
}

static void run_ready(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
    struct task *task = tasks.ready_first; /* those made ready meanwhile wait for the next turn */
    tasks.ready_first = NULL;
    tasks.ready_last = &tasks.ready_first;
    while (task) {
        struct task *next = task->next;
        switch_to_task(task);
        task = next;
    }
}

static void make_ready(struct task *task)
{
    task->state = TASK_READY;
    task->next = NULL;
    if (!tasks.ready_first)
        tasks.ready_last = &tasks.ready_first;
    *tasks.ready_last = task;
    tasks.ready_last = &task->next;
    event_active(tasks.ready_event, EV_TIMEOUT, 0);
}

int task_spawn(struct call *call, void (*run)(struct call *call, void *context),
               void (*done)(struct call *call, void *context), void *context)
{
    if (!tasks.ready_event && (!loop_timer_init(&tasks.look, look_at_kept, NULL) ||
                               !(tasks.ready_event = event_new(loop_base(), -1, 0, run_ready, NULL))))
        return E_LIMIT;
    struct task *task = tasks.n_tasks < tasks.max_tasks ? stack_take() : NULL;
    if (!task)
        return E_LIMIT;
    task->call = call;
    task->run = run;
    task->done = done;
    task->context = context;
    call->task = task;
    tasks.n_tasks++;
#if WITH_TSAN
    task->fiber = __tsan_create_fiber(0);
#endif
    task_switch_prepare(&task->place, task->stack, TASK_STACK_BYTES, task_main);
    if (tasks.current)
        make_ready(task); /* a task does not switch to another: only the loop does */
    else
        switch_to_task(task);
    return OK;
}

/* --- waiting ----------------------------------------------------------------------------------------------------------- */

static void wake_by_timer(void *context)
{
    struct task *task = context;
    if (task->state == TASK_PARKED)
        make_ready(task);
}

/* A command waits by serving the loop itself. */
static bool main_woken;

static void wake_main(void *context)
{
    (void)context;
}

static void park_main(int64_t until_ms)
{
    struct loop_timer timer = {0};
    if (until_ms < INT64_MAX && loop_timer_init(&timer, wake_main, NULL))
        loop_timer_set(&timer, until_ms - clock_monotonic_ms() + 1);
    while (!main_woken && clock_monotonic_ms() < until_ms)
        loop_turn();
    main_woken = false;
    loop_timer_done(&timer);
}

/* Until woken or until_ms (INT64_MAX: only woken). */
static void park(struct call *call, int64_t until_ms)
{
    struct task *task = call->task;
    if (!task) {
        park_main(until_ms);
        return;
    }
    if (task->woken) {
        task->woken = false;
        return;
    }
    if (until_ms < INT64_MAX) {
        if (!task->timer.event && !loop_timer_init(&task->timer, wake_by_timer, task))
            return; /* no memory for a timer: seen as a wake-up for nothing; the next wait tries again */
        loop_timer_set(&task->timer, until_ms - clock_monotonic_ms());
    }
    task->state = TASK_PARKED;
    switch_to_loop(task);
    task->woken = false;
    if (until_ms < INT64_MAX)
        loop_timer_clear(&task->timer);
}

/* Is there a reason not to wait any longer? Without fail(): that allocates, and so may abandon the task where it stands. */
static int reason_to_end(const struct call *call)
{
    if (call->cancelled)
        return E_CANCELLED;
    return call_time_left_ms(call) == 0 ? E_TIMEOUT : OK;
}

static int park_quietly(struct call *call)
{
    int error = reason_to_end(call);
    if (error)
        return error;
    park(call, call->deadline_ms);
    return reason_to_end(call);
}

static int fail_wait(struct call *call, int error)
{
    return error == E_CANCELLED ? fail(call, E_CANCELLED, "The request was cancelled.")
                                : fail(call, E_TIMEOUT, "The request took longer than it may.");
}

int task_park(struct call *call)
{
    int error = park_quietly(call);
    return error ? fail_wait(call, error) : OK;
}

int task_doze(struct call *call)
{
    int error = park_quietly(call);
    return error == E_CANCELLED ? fail_wait(call, error) : error;
}

void task_park_firmly(struct call *call)
{
    park(call, INT64_MAX);
}

int task_sleep(struct call *call, int64_t ms)
{
    int64_t until_ms = clock_monotonic_ms() + ms;
    while (clock_monotonic_ms() < until_ms) {
        int error = reason_to_end(call); /* it may have come while the task waited for something firm */
        if (!error) {
            park(call, until_ms < call->deadline_ms ? until_ms : call->deadline_ms);
            error = reason_to_end(call);
        }
        if (error)
            return fail_wait(call, error);
    }
    return OK;
}

void task_wake(struct call *call)
{
    struct task *task = call->task;
    if (!task)
        main_woken = true;
    else if (task->state == TASK_PARKED)
        make_ready(task);
    else
        task->woken = true;
}

void task_on_loop_stack(struct call *call, void (*run)(void *context), void *context)
{
    struct task *task = call->task;
    if (!task) {
        run(context);
        return;
    }
    task->on_loop_stack = run;
    task->on_loop_stack_context = context;
    switch_to_loop(task);
}

/* --- queues ------------------------------------------------------------------------------------------------------------ */

struct task_waiter {
    struct task_waiter *next;
    struct call *call;
    bool has_turn;
};

static void queue_remove(struct task_queue *queue, struct task_waiter *waiter)
{
    struct task_waiter *previous = NULL;
    for (struct task_waiter *at = queue->first; at; previous = at, at = at->next) {
        if (at != waiter)
            continue;
        if (previous)
            previous->next = at->next;
        else
            queue->first = at->next;
        if (queue->last == at)
            queue->last = previous;
        return;
    }
}

int task_queue_wait(struct call *call, struct task_queue *queue)
{
    struct task_waiter *waiter = arena_new_of(call->arena, struct task_waiter);
    waiter->call = call;
    if (queue->last)
        queue->last->next = waiter;
    else
        queue->first = waiter;
    queue->last = waiter;
    while (!waiter->has_turn) {
        int error = park_quietly(call);
        if (error && !waiter->has_turn) {
            queue_remove(queue, waiter); /* before anything that may abandon the task */
            return fail_wait(call, error);
        }
    }
    return OK; /* even when the time is up: the turn is ours, and must be passed on by its holder */
}

bool task_queue_wake_one(struct task_queue *queue)
{
    struct task_waiter *waiter = queue->first;
    if (!waiter)
        return false;
    queue->first = waiter->next;
    if (!queue->first)
        queue->last = NULL;
    waiter->has_turn = true;
    task_wake(waiter->call);
    return true;
}

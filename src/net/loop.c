/* The event loop. */
#include "net/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    SIGNALS_MAX = 8,
    TURN_NS = 100 * 1000, /* the shortest that the kernel grants */
};

static struct {
    struct event_base *base;
    int wake_fd;
    struct event *wake_event;
    pthread_mutex_t lock; /* over the posts */
    struct loop_post *first, **last;
    struct {
        struct event *event;
        void (*run)(int, void *);
        void *context;
    } signals[SIGNALS_MAX];
    size_t n_signals;
} loop = {.wake_fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER};

static void run_posts(evutil_socket_t fd, short what, void *context)
{
    (void)what;
    (void)context;
    uint64_t count;
    while (read(fd, &count, sizeof count) < 0 && errno == EINTR)
        ;
    pthread_mutex_lock(&loop.lock);
    struct loop_post *post = loop.first;
    loop.first = NULL;
    loop.last = &loop.first;
    pthread_mutex_unlock(&loop.lock);
    while (post) {
        struct loop_post *next = post->next; /* run() may give the post back to its owner */
        post->run(post->context);
        post = next;
    }
}

/*
 * With precise timers libevent sets a timerfd before each epoll_wait(), a system call in every turn of the loop, for fractions of
 * a millisecond that nobody here asks for. Where a kernel has no timerfd it rounds up to epoll_wait()'s milliseconds and keeps the
 * precise clock, which is what we want; so this stands before the C library's, and nothing else in the process uses it.
 */
__attribute__((visibility("default"))) int timerfd_create(clockid_t clock, int flags)
{
    (void)clock;
    (void)flags;
    errno = ENOSYS;
    return -1;
}

bool loop_init(void)
{
    struct event_config *config = event_config_new();
    if (!config)
        return false;
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK); /* other threads only write to wake_fd */
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    loop.base = event_base_new_with_config(config);
    event_config_free(config);
    loop.last = &loop.first;
    loop.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop.base && loop.wake_fd >= 0)
        loop.wake_event = event_new(loop.base, loop.wake_fd, EV_READ | EV_PERSIST, run_posts, NULL);
    if (!loop.wake_event || event_add(loop.wake_event, NULL) != 0) {
        loop_done();
        return false;
    }
    return true;
}

void loop_done(void)
{
    for (size_t i = 0; i < loop.n_signals; i++)
        event_free(loop.signals[i].event);
    loop.n_signals = 0;
    if (loop.wake_event)
        event_free(loop.wake_event);
    if (loop.wake_fd >= 0)
        close(loop.wake_fd);
    if (loop.base)
        event_base_free(loop.base);
    loop.wake_event = NULL;
    loop.wake_fd = -1;
    loop.base = NULL;
}

struct event_base *loop_base(void)
{
    return loop.base;
}

/* sched_setattr(2); the kernel's header and the C library's cannot be included together. */
struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

void loop_take_short_turns(void)
{
    /* Kernels before 6.12 ignore it: a normal thread's share stays what it is, only cut into smaller pieces. */
    struct scheduling scheduling = {.size = sizeof scheduling, .policy = SCHED_OTHER, .runtime_ns = TURN_NS};
    scheduling.nice = getpriority(PRIO_PROCESS, 0);
    (void)syscall(SYS_sched_setattr, 0, &scheduling, 0);
}

void loop_run(void)
{
    event_base_loop(loop.base, EVLOOP_NO_EXIT_ON_EMPTY);
}

void loop_stop(void)
{
    event_base_loopbreak(loop.base);
}

void loop_turn(void)
{
    event_base_loop(loop.base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
}

void loop_post(struct loop_post *post)
{
    post->next = NULL;
    pthread_mutex_lock(&loop.lock);
    bool was_empty = loop.first == NULL;
    *loop.last = post;
    loop.last = &post->next;
    pthread_mutex_unlock(&loop.lock);
    uint64_t one = 1;
    if (was_empty)
        while (write(loop.wake_fd, &one, sizeof one) < 0 && errno == EINTR)
            ;
}

static void run_timer(evutil_socket_t fd, short what, void *context)
{
    struct loop_timer *timer = context;
    (void)fd;
    (void)what;
    timer->run(timer->context);
}

bool loop_timer_init(struct loop_timer *timer, void (*run)(void *context), void *context)
{
    timer->run = run;
    timer->context = context;
    timer->event = event_new(loop.base, -1, 0, run_timer, timer);
    return timer->event != NULL;
}

void loop_timer_set(struct loop_timer *timer, int64_t after_ms)
{
    if (after_ms < 0)
        after_ms = 0;
    struct timeval after = {.tv_sec = after_ms / 1000, .tv_usec = after_ms % 1000 * 1000};
    event_add(timer->event, &after);
}

void loop_timer_clear(struct loop_timer *timer)
{
    if (timer->event)
        event_del(timer->event);
}

void loop_timer_done(struct loop_timer *timer)
{
    if (timer->event)
        event_free(timer->event);
    timer->event = NULL;
}

static void run_signal(evutil_socket_t number, short what, void *context)
{
    (void)what;
    (void)context;
    for (size_t i = 0; i < loop.n_signals; i++)
        if (event_get_signal(loop.signals[i].event) == (int)number)
            loop.signals[i].run((int)number, loop.signals[i].context);
}

bool loop_on_signal(int signal_number, void (*run)(int signal_number, void *context), void *context)
{
    if (loop.n_signals == SIGNALS_MAX)
        return false;
    struct event *event = evsignal_new(loop.base, signal_number, run_signal, NULL);
    if (!event || event_add(event, NULL) != 0) {
        if (event)
            event_free(event);
        return false;
    }
    loop.signals[loop.n_signals].event = event;
    loop.signals[loop.n_signals].run = run;
    loop.signals[loop.n_signals].context = context;
    loop.n_signals++;
    return true;
}

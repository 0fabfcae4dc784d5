/* Helper threads. */
#include "net/helper.h"

#include "net/loop.h"
#include "net/task.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    HELPER_THREADS_MAX = 16,
    NICE_BEHIND = 5, /* a third of the weight of the loop's thread */
};

struct helper {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct helper_job *first, **last;
    bool stopping;
    size_t n_threads;
    pthread_t threads[HELPER_THREADS_MAX];
};

static void *helper_main(void *context)
{
    struct helper *helper = context;
    pthread_mutex_lock(&helper->lock);
    for (;;) {
        struct helper_job *job = helper->first;
        if (job) {
            helper->first = job->next;
            if (!helper->first)
                helper->last = &helper->first;
            pthread_mutex_unlock(&helper->lock);
            job->work(job->context);
            loop_post(&job->post);
            pthread_mutex_lock(&helper->lock);
        } else if (helper->stopping) {
            break;
        } else {
            pthread_cond_wait(&helper->more, &helper->lock);
        }
    }
    pthread_mutex_unlock(&helper->lock);
    return NULL;
}

struct helper *helper_new(size_t threads)
{
    struct helper *helper = calloc(1, sizeof *helper);
    if (!helper)
        return NULL;
    pthread_mutex_init(&helper->lock, NULL);
    pthread_cond_init(&helper->more, NULL);
    helper->last = &helper->first;
    /* Signals are the loop's business. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (helper->n_threads < threads && helper->n_threads < HELPER_THREADS_MAX &&
           pthread_create(&helper->threads[helper->n_threads], NULL, helper_main, helper) == 0)
        helper->n_threads++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (helper->n_threads == 0) {
        helper_free(helper);
        return NULL;
    }
    return helper;
}

void helper_free(struct helper *helper)
{
    if (!helper)
        return;
    pthread_mutex_lock(&helper->lock);
    helper->stopping = true;
    pthread_cond_broadcast(&helper->more);
    pthread_mutex_unlock(&helper->lock);
    for (size_t i = 0; i < helper->n_threads; i++)
        pthread_join(helper->threads[i], NULL);
    pthread_cond_destroy(&helper->more);
    pthread_mutex_destroy(&helper->lock);
    free(helper);
}

void helper_start(struct helper *helper, struct helper_job *job)
{
    job->next = NULL;
    job->post.run = job->ended;
    job->post.context = job->context;
    pthread_mutex_lock(&helper->lock);
    *helper->last = job;
    helper->last = &job->next;
    pthread_cond_signal(&helper->more);
    pthread_mutex_unlock(&helper->lock);
}

/* What helper_run() waits for. */
struct awaited {
    struct helper_job job;
    void (*work)(void *context);
    void *context;
    struct call *call;
    bool ended; /* set on the loop's thread */
};

static void work_awaited(void *context)
{
    struct awaited *awaited = context;
    awaited->work(awaited->context);
}

static void awaited_ended(void *context)
{
    struct awaited *awaited = context;
    awaited->ended = true;
    task_wake(awaited->call);
}

void helper_run(struct call *call, struct helper *helper, void (*work)(void *context), void *context)
{
    struct awaited awaited = {.work = work, .context = context, .call = call};
    awaited.job = (struct helper_job){.work = work_awaited, .ended = awaited_ended, .context = &awaited};
    helper_start(helper, &awaited.job);
    while (!awaited.ended)
        task_park_firmly(call);
}

void helper_stays_behind(void)
{
    int nice = getpriority(PRIO_PROCESS, 0) + NICE_BEHIND;
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), nice);
}

/* Hashing passwords beside the loop. */
#include "accounts/passwords.h"

#include "net/helper.h"
#include "net/task.h"

#include <unistd.h>

static struct helper *threads;
static size_t n_threads, n_busy, n_waiting;
static size_t all_max = PASSWORDS_QUEUE_MAX; /* that may wait */
static struct task_queue queue;

static int start_threads(struct call *call)
{
    enum { THREADS_MAX = 8 };
    if (threads)
        return OK;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    n_threads = cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (size_t)cores;
    threads = helper_new(n_threads);
    return threads ? OK : fail(call, E_UNAVAILABLE, "No thread can be made to check passwords. Try again later.");
}

void passwords_init(size_t queue_max)
{
    all_max = queue_max;
}

void passwords_done(void)
{
    helper_free(threads);
    threads = NULL;
}

static int too_many(struct call *call)
{
    enum { AGAIN_S = PASSWORDS_WAIT_MS / 1000 };
    (void)fail(call, E_LIMIT, "Too many passwords are being checked right now. Try again in %d seconds.", AGAIN_S);
    call->retry_after_s = AGAIN_S;
    return E_LIMIT;
}

/* One of the slots, each a core and up to 64 MiB. */
static int take_slot(struct call *call, size_t queue_max)
{
    int error = start_threads(call);
    if (error)
        return error;
    if (n_busy >= n_threads) {
        if (n_waiting >= queue_max)
            return too_many(call);
        int64_t deadline = call->deadline_ms, latest = clock_monotonic_ms() + PASSWORDS_WAIT_MS;
        call->deadline_ms = latest < deadline ? latest : deadline;
        n_waiting++;
        error = task_queue_wait(call, &queue);
        n_waiting--;
        call->deadline_ms = deadline;
        if (error == E_TIMEOUT)
            return too_many(call);
        if (error)
            return error;
    } else {
        n_busy++; /* who leaves hands his slot to the next in the queue */
    }
    return OK;
}

static void leave_slot(void)
{
    if (!task_queue_wake_one(&queue))
        n_busy--;
}

struct work {
    struct str password, hash;
    char made[PASSWORD_HASH_BYTES];
    int result;
};

static void work_hash(void *context)
{
    struct work *work = context;
    work->result = password_hash(work->password, work->made);
}

static void work_verify(void *context)
{
    struct work *work = context;
    work->result = password_verify(work->password, work->hash);
}

static int run(struct call *call, size_t queue_max, void (*function)(void *), struct work *work)
{
    int error = take_slot(call, queue_max);
    if (error)
        return error;
    helper_run(call, threads, function, work);
    leave_slot();
    if (work->result == E_UNAVAILABLE)
        return fail(call, E_UNAVAILABLE, "There is not enough memory to check passwords. Try again later.");
    return work->result;
}

int passwords_hash(struct call *call, struct str password, struct str *ret_hash)
{
    struct work work = {.password = password};
    int error = run(call, all_max, work_hash, &work);
    if (!error)
        *ret_hash = str_copy(call->arena, str_from(work.made));
    return error;
}

int passwords_verify(struct call *call, struct str password, struct str hash, bool is_stranger)
{
    struct work work = {.password = password, .hash = hash};
    int error = run(call, is_stranger ? all_max / 2 : all_max, work_verify, &work);
    return error == E_DENIED ? E_UNAUTHENTICATED : error;
}

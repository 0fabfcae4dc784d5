/* Which jobs this process holds: taking them, keeping their leases, running their steps one after the other. */
#include <sodium.h> /* before base/banned.h */

#include "jobs/runner.h"

#include "base/log.h"
#include "jobs/step.h"
#include "net/loop.h"
#include "net/task.h"

#include <assert.h>
#include <stdlib.h>

enum {
    HOLDER_BYTES = 16,
    STEP_ARENA_BYTES = 16 * 1024 * 1024, /* as a request has */
    OWN_ARENA_BYTES = 4 * 1024 * 1024,
    OWN_TIMEOUT_MS = 20 * 1000,
    SHORT_OF_ROOM_MS = 1000, /* until what could not begin is tried again */
};

struct running {
    struct running *next;
    char id[JOBS_ID_CHARS + 1];
    struct step_order order;
    struct call call; /* of the step that is under way */
    bool in_step;
    bool abandoned;          /* the last step used up its memory */
    struct loop_timer timer; /* until the next step */
    enum step_outcome outcome;
    int64_t taken_ms; /* monotonic */
    int64_t told_ms;
};

/* Something of our own on a task: a look for jobs, a renewal of leases. One of a kind at once. */
struct errand {
    struct call call;
    struct arena *arena;
    bool busy;
    struct loop_timer timer;
    int64_t due_ms; /* monotonic; 0: the timer is not set */
};

static struct runner {
    bool open, stopping;
    struct jobs_settings settings;
    char holder[2 * HOLDER_BYTES + 1];
    struct running *first;
    size_t n_running;
    struct errand look, renew;
    int64_t kept_until_ms; /* monotonic: until then the leases that this process has are good */
    int64_t looked_ms;     /* monotonic */
    int64_t pruned_ms;     /* monotonic; 0: never */
    void (*ended)(void *context);
    void *ended_context;
} runner;

/* ---- times */

static int64_t lease_ms(void)
{
    return runner.settings.lease_ms;
}

/* By how much clocks may differ, and how often a sign of life is given. */
static int64_t quarter_ms(void)
{
    return runner.settings.lease_ms / 4;
}

struct str runner_holder(void)
{
    return str_from(runner.holder);
}

int64_t runner_lease_end_ms(int64_t now_ms)
{
    return now_ms + lease_ms();
}

bool runner_is_open(void)
{
    return runner.open && !runner.stopping;
}

bool runner_has_room(void)
{
    return runner_is_open() && runner.n_running < runner.settings.max_running;
}

bool runner_is_stale(const struct job_row *row, int64_t now_ms)
{
    return str_eq(row->status, STR(JOB_QUEUED)) ||
           (str_eq(row->status, STR(JOB_WORKING)) && row->lease_until_ms + quarter_ms() < now_ms);
}

void jobs_tell(struct str id, int64_t connection_id, int what)
{
    if (runner.settings.tell)
        runner.settings.tell(&(struct jobs_news){.id = id, .connection_id = connection_id, .what = what});
}

/* ---- the end */

size_t jobs_busy(void)
{
    return runner.n_running + runner.look.busy + runner.renew.busy;
}

static void maybe_ended(void)
{
    if (runner.stopping && !jobs_busy() && runner.ended)
        runner.ended(runner.ended_context);
}

/* ---- errands */

static void errand_done(struct call *call, void *context)
{
    struct errand *errand = context;
    (void)call;
    errand->busy = false;
    arena_free(errand->arena);
    errand->arena = NULL;
    maybe_ended();
}

static bool errand_start(struct errand *errand, void (*run)(struct call *call, void *context))
{
    errand->arena = arena_new(OWN_ARENA_BYTES);
    if (!errand->arena)
        return false;
    call_init(&errand->call, errand->arena, OWN_TIMEOUT_MS);
    errand->busy = true;
    if (task_spawn(&errand->call, run, errand_done, errand) == OK)
        return true;
    errand->busy = false;
    arena_free(errand->arena);
    errand->arena = NULL;
    return false;
}

/* An earlier time stands. */
static void errand_in(struct errand *errand, int64_t ms)
{
    int64_t due_ms = clock_monotonic_ms() + ms;
    if (!runner_is_open() || (errand->due_ms && errand->due_ms <= due_ms))
        return;
    errand->due_ms = due_ms;
    loop_timer_set(&errand->timer, ms);
}

/* ---- steps */

static void begin_step(void *context);

static void forget(struct running *job)
{
    for (struct running **at = &runner.first; *at; at = &(*at)->next)
        if (*at == job) {
            *at = job->next;
            break;
        }
    runner.n_running--;
    loop_timer_done(&job->timer);
    free(job);
    runner_look_in(0); /* there is room for another one, if one waits */
    maybe_ended();
}

static void step_task(struct call *call, void *context)
{
    struct running *job = context;
    job->order.exhausted = job->abandoned;
    job->outcome = STEP_GO_ON;
    job->abandoned =
        true; /* should the arena be used up in the middle, nobody takes it back, and the next try ends the job */
    job->outcome = step_run(call, &job->order);
    job->abandoned = false;
}

static void step_done(struct call *call, void *context)
{
    struct running *job = context;
    job->in_step = false;
    arena_free(call->arena);
    if (job->outcome == STEP_OVER || job->order.lost)
        forget(job);
    else
        loop_timer_set(&job->timer, 0);
}

static void begin_step(void *context)
{
    struct running *job = context;
    struct arena *arena = arena_new(STEP_ARENA_BYTES);
    if (!arena) {
        loop_timer_set(&job->timer, SHORT_OF_ROOM_MS);
        return;
    }
    call_init(&job->call, arena, JOB_STEP_MS);
    job->in_step = true;
    if (task_spawn(&job->call, step_task, step_done, job) == OK)
        return;
    job->in_step = false;
    arena_free(arena);
    loop_timer_set(&job->timer, SHORT_OF_ROOM_MS);
}

static void interrupt(struct running *job)
{
    if (!job->in_step)
        return;
    job->call.cancelled = true;
    task_wake(&job->call);
}

void runner_take(const struct job_row *row)
{
    struct running *job = calloc(1, sizeof *job);
    if (!job || !loop_timer_init(&job->timer, begin_step, job)) {
        log_warning("job %.*s waits until its lease is over: no memory", STR_ARG(row->id));
        free(job);
        return;
    }
    snprintf(job->id, sizeof job->id, "%.*s", STR_ARG(row->id));
    job->taken_ms = clock_monotonic_ms();
    job->order = (struct step_order){
        .id = job->id,
        .claims = row->claims,
        .holder = runner_holder(),
        .settings = &runner.settings,
        .release = runner.stopping,
        .told_ms = &job->told_ms,
    };
    if (!runner.first)
        runner.kept_until_ms = job->taken_ms + lease_ms();
    job->next = runner.first;
    runner.first = job;
    runner.n_running++;
    errand_in(&runner.renew, quarter_ms());
    loop_timer_set(&job->timer, 0);
}

/* ---- leases */

static const struct job_held *find_held(const struct jobs_held *held, const struct running *job)
{
    for (size_t i = 0; i < held->count; i++)
        if (held->items[i].claims == job->order.claims && str_eq(held->items[i].id, str_from(job->id)))
            return &held->items[i];
    return NULL;
}

static void lose(struct running *job)
{
    job->order.lost = true;
    interrupt(job);
}

/* Copies: a job may be forgotten while the database is waited for. */
static struct str *ids_running(struct call *call, size_t *ret_n)
{
    struct str *ids = arena_array_of(call->arena, struct str, runner.n_running + 1);
    *ret_n = 0;
    for (const struct running *job = runner.first; job; job = job->next)
        ids[(*ret_n)++] = str_copy(call->arena, str_from(job->id));
    return ids;
}

static void renew(struct call *call, void *context)
{
    size_t n_ids;
    struct jobs_held held = {0};
    int64_t begun_ms = clock_monotonic_ms();
    (void)context;
    call->deadline_ms = begun_ms + quarter_ms();
    const struct str *ids = ids_running(call, &n_ids);
    int error = store_jobs_renew(call, runner_holder(), runner_lease_end_ms(clock_now_ms()), ids, n_ids, &held);
    if (!error)
        runner.kept_until_ms = begun_ms + lease_ms();
    else
        log_warning("the leases of %zu jobs could not be renewed: %.*s %.*s", runner.n_running,
                    STR_ARG(call->error_text), STR_ARG(call->error_detail));
    /* The last sign of life must be over before others may take the job: a step needs time to notice. */
    bool over = clock_monotonic_ms() > runner.kept_until_ms - quarter_ms();
    for (struct running *job = runner.first; job; job = job->next) {
        const struct job_held *row = error ? NULL : find_held(&held, job);
        if (error ? over : !row && job->taken_ms < begun_ms)
            lose(job);
        if (row && row->cancel && !job->order.stop) {
            job->order.stop = true;
            interrupt(job);
        }
    }
}

static void renew_now(void *context)
{
    (void)context;
    runner.renew.due_ms = 0;
    if (!runner.first)
        return;
    if (!runner.renew.busy && !errand_start(&runner.renew, renew))
        log_warning("the leases of %zu jobs could not be renewed: no memory", runner.n_running);
    /* Also while the process stops: the last steps are under way. */
    runner.renew.due_ms = clock_monotonic_ms() + quarter_ms();
    loop_timer_set(&runner.renew.timer, quarter_ms());
}

/* ---- looking for jobs that nobody holds */

static int take_all(struct call *call)
{
    while (runner_has_room()) {
        struct job_row row;
        bool found;
        int64_t now_ms = clock_now_ms();
        struct job_claim claim = {
            .holder = runner_holder(),
            .now_ms = now_ms,
            .until_ms = runner_lease_end_ms(now_ms),
            .stale_ms = now_ms - quarter_ms(),
            .per_connection_max = JOBS_PER_CONNECTION_MAX,
        };
        int error = store_jobs_claim(call, &claim, &row, &found);
        if (error || !found)
            return error;
        if (row.attempts > 1)
            log_info("job %.*s goes on here: its last step did not come to its end", STR_ARG(row.id));
        runner_take(&row);
    }
    return OK;
}

static void look(struct call *call, void *context)
{
    int64_t until_ms, queued, now_ms = clock_now_ms();
    (void)context;
    runner.looked_ms = clock_monotonic_ms();
    int error = OK;
    if (!runner.pruned_ms || runner.looked_ms - runner.pruned_ms > JOBS_PRUNE_MS) {
        runner.pruned_ms = runner.looked_ms;
        error = store_jobs_prune(call, now_ms);
    }
    if (!error)
        error = take_all(call);
    if (!error)
        error = store_jobs_next(call, now_ms, &until_ms, &queued);
    if (error) {
        log_warning("jobs that wait could not be looked for: %.*s %.*s", STR_ARG(call->error_text),
                    STR_ARG(call->error_detail));
        return; /* the next use of this process looks again */
    }
    if (queued && runner_has_room()) /* as many as may of one connection are held, or another process was faster */
        errand_in(&runner.look, quarter_ms());
    else if (until_ms) {
        int64_t in_ms = until_ms + quarter_ms() - clock_now_ms() + 1;
        errand_in(&runner.look, in_ms > quarter_ms() ? in_ms : quarter_ms());
    }
}

static void look_now(void *context)
{
    (void)context;
    runner.look.due_ms = 0;
    if (!runner_is_open())
        return;
    if (runner.look.busy)
        errand_in(&runner.look, SHORT_OF_ROOM_MS / 10);
    else if (!errand_start(&runner.look, look))
        errand_in(&runner.look, SHORT_OF_ROOM_MS);
}

void runner_look_in(int64_t ms)
{
    errand_in(&runner.look, ms);
}

void jobs_glance(void)
{
    if (runner_is_open() && clock_monotonic_ms() - runner.looked_ms > JOBS_GLANCE_MS)
        runner_look_in(0);
}

/* ---- what others tell */

static struct running *find_running(struct str id)
{
    for (struct running *job = runner.first; job; job = job->next)
        if (str_eq(str_from(job->id), id))
            return job;
    return NULL;
}

void jobs_heard(const struct jobs_news *news)
{
    struct running *job = find_running(news->id);
    if (news->what == JOBS_STOP && job) {
        job->order.stop = true;
        interrupt(job);
    }
    if (news->what == JOBS_WAITING && runner_has_room())
        runner_look_in(0);
    if (news->what == JOBS_CHANGED && !job) /* somebody holds it, and may die */
        runner_look_in(lease_ms() + 2 * quarter_ms());
}

/* ---- the process */

int jobs_open(const struct jobs_settings *settings)
{
    unsigned char random[HOLDER_BYTES];
    runner = (struct runner){.settings = *settings};
    if (!runner.settings.lease_ms)
        runner.settings.lease_ms = JOBS_LEASE_MS;
    if (!runner.settings.max_running)
        runner.settings.max_running = JOBS_RUNNING_MAX;
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(runner.holder, sizeof runner.holder, random, sizeof random);
    if (!loop_timer_init(&runner.look.timer, look_now, NULL))
        return E_UNAVAILABLE;
    if (!loop_timer_init(&runner.renew.timer, renew_now, NULL)) {
        loop_timer_done(&runner.look.timer);
        return E_UNAVAILABLE;
    }
    runner.open = true;
    runner_look_in(0);
    return OK;
}

void jobs_stop(void (*ended)(void *context), void *context)
{
    runner.ended = ended;
    runner.ended_context = context;
    runner.stopping = true;
    if (runner.open)
        loop_timer_clear(&runner.look.timer);
    for (struct running *job = runner.first; job; job = job->next)
        job->order.release = true;
    maybe_ended();
}

void jobs_cancel_all(void)
{
    for (struct running *job = runner.first; job; job = job->next) {
        job->order.release = true;
        interrupt(job);
    }
}

void jobs_close(void)
{
    assert(jobs_busy() == 0);
    if (!runner.open)
        return;
    loop_timer_done(&runner.look.timer);
    loop_timer_done(&runner.renew.timer);
    runner = (struct runner){0};
}

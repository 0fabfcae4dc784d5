/* Jobs as tools begin them and ask for them. */
#include "mcp/background.h"

#include "call/token_options.h"
#include "json/json_write.h"
#include "mcp/ask.h"
#include "mcp/bus.h"
#include "mcp/tasks.h"
#include "net/task.h"

enum {
    STOP_MS = 5000,
    LOOK_BYTES = 16 * 1024 * 1024,
    REST_MS = 60 * 1000, /* what the call has left to do behind the wait */
};

static int64_t wait_ms = 45 * 1000;

void background_set_wait(int64_t ms)
{
    wait_ms = ms;
}

struct waiter {
    struct bus_listener bus;
    struct call *call;
    struct str id;
    bool told;
};

static void hear(struct bus_listener *bus, const struct bus_event *event)
{
    struct waiter *waiter = (struct waiter *)bus;
    if (!str_eq(event->key, waiter->id))
        return;
    waiter->told = true;
    task_wake(waiter->call);
}

static void leave(void *object)
{
    struct waiter *waiter = object;
    bus_unlisten(&waiter->bus);
}

static struct waiter *begin_waiting(struct call *call, const struct mcp_host *host, struct str id)
{
    struct waiter *waiter = arena_new_of(call->arena, struct waiter);
    *waiter = (struct waiter){
        .bus = {.topics = 1U << BUS_JOB, .connection_id = host->request->who->connection_id, .deliver = hear},
        .call = call,
        .id = id,
    };
    bus_listen(&waiter->bus);
    arena_defer(call->arena, leave, waiter);
    return waiter;
}

/* The client has gone, or took its request back: nobody would hear of it any more. */
static void stop_with_client(const struct call *call, const struct mcp_host *host, struct str id)
{
    struct call rest = *call;
    rest.cancelled = false;
    rest.deadline_ms = clock_monotonic_ms() + STOP_MS;
    (void)!jobs_cancel(&rest, host->request->who, id);
}

static struct str how_far(struct call *call, const struct job_view *job)
{
    return job->total ? call_format(call, "%lld of %lld", (long long)job->done, (long long)job->total)
                      : call_format(call, "%lld", (long long)job->done);
}

/* Of one that goes on, for clients that compute with answers. */
static void write_under_way(struct call *call, const struct mcp_host *host, const struct job_view *job, struct str id,
                            struct tool_result *result)
{
    struct buf text;
    struct json_writer w;
    if (!(host->request->who->options & OPTION_STRUCTURED))
        return;
    buf_init(&text, call->arena, LOOK_BYTES);
    json_write_init(&w, &text);
    json_object(&w);
    json_member_str(&w, "job", id);
    json_member_str(&w, "status", job->status);
    json_member_i64(&w, "done", job->done);
    if (job->total)
        json_member_i64(&w, "total", job->total);
    json_end(&w);
    if (!buf_failed(&text))
        result->structured_json = buf_str(&text);
}

/* What an ended job is as the answer of a tool. */
static int end_of(struct call *call, const struct job_view *job, struct tool_result *result)
{
    if (str_eq(job->status, STR(JOB_COMPLETED))) {
        struct tool_result came;
        tasks_result_of(call, job, &came);
        buf_add(&result->text, buf_str(&came.text));
        buf_add(&result->blocks, buf_str(&came.blocks));
        result->structured_json = came.structured_json;
        result->is_error = came.is_error;
        return OK;
    }
    if (str_eq(job->status, STR(JOB_CANCELLED)))
        return fail(call, E_CONFLICT, "The job was stopped; %.*s were done.", STR_ARG(how_far(call, job)));
    return fail(call, E_UNAVAILABLE, "The job failed; %.*s were done. %.*s", STR_ARG(how_far(call, job)),
                STR_ARG(job->message));
}

/* Until it has ended, or the client has waited long enough; *job is what it is then. */
static int wait_for(struct call *call, struct mcp_host *host, struct str id, int64_t end_ms, struct job_view *job)
{
    struct waiter *waiter = begin_waiting(call, host, id);
    struct call piece;
    call_init_piece(&piece, call, LOOK_BYTES);
    int64_t keep_alive_ms = clock_monotonic_ms() + ASK_KEEP_ALIVE_MS;
    int error = OK;
    while (!error) {
        waiter->told = false;
        call->deadline_ms = clock_monotonic_ms() + ASK_KEEP_ALIVE_MS;
        arena_reset(piece.arena);
        piece.deadline_ms = call->deadline_ms;
        error = jobs_get(&piece, host->request->who, id, job);
        if (error)
            return fail(call, error, "%.*s", STR_ARG(piece.error_text));
        if (job->ended || clock_monotonic_ms() >= end_ms)
            return OK; /* *job lives as long as the call: the last look's memory is not reset */
        host_progress(call, &host->base, job->done, job->total, job->message);
        if (clock_monotonic_ms() >= keep_alive_ms && host->request->outlet) {
            keep_alive_ms = clock_monotonic_ms() + ASK_KEEP_ALIVE_MS;
            error = host->request->outlet->keep_alive(call, host->request->outlet);
        }
        call->deadline_ms = clock_monotonic_ms() + BACKGROUND_LOOK_MS;
        while (!error && !waiter->told)
            error = task_doze(call);
        if (error == E_TIMEOUT) {
            call_clear_error(call);
            error = OK;
        }
    }
    return error;
}

int background_start(struct call *call, struct host *base, const struct job_new *job, struct tool_result *result)
{
    struct mcp_host *host = (struct mcp_host *)base;
    struct job_view view;
    struct str id;
    bool follows = (host->abilities & HOST_TASKS) != 0;
    /* A client that cannot follow it cannot be asked by it either. */
    int error = jobs_begin(call, host->request->who, host->request->provider, job,
                           follows ? host->abilities & ~(unsigned)HOST_TASKS : 0, &id);
    if (error)
        return error;
    result->audit_json = call_format(call, "{\"job\":\"%.*s\"}", STR_ARG(id));
    if (follows) {
        host->task = id;
        return OK;
    }
    int64_t end_ms = job->look_up.len ? clock_monotonic_ms() + wait_ms : INT64_MAX;
    error = wait_for(call, host, id, end_ms, &view);
    call->deadline_ms = clock_monotonic_ms() + REST_MS;
    if (error == E_CANCELLED)
        stop_with_client(call, host, id);
    if (error)
        return error;
    if (view.ended)
        return end_of(call, &view, result);
    buf_add_format(&result->text, "Job %.*s goes on in the background: %.*s so far. %.*s", STR_ARG(id),
                   STR_ARG(how_far(call, &view)), STR_ARG(str_replace(call->arena, job->look_up, STR("{}"), id)));
    write_under_way(call, host, &view, id, result);
    return OK;
}

int background_tell(struct call *call, struct host *base, struct str id, struct tool_result *result)
{
    const struct mcp_host *host = (const struct mcp_host *)base;
    struct job_view job;
    int error = jobs_get(call, host->request->who, id, &job);
    if (error)
        return error;
    if (job.ended)
        return end_of(call, &job, result);
    buf_add_format(&result->text, "Job %.*s is %s: %.*s so far.", STR_ARG(id),
                   str_eq(job.status, STR(JOB_QUEUED))           ? "waiting for its turn"
                   : str_eq(job.status, STR(JOB_INPUT_REQUIRED)) ? "waiting for an answer of its client"
                                                                 : "under way",
                   STR_ARG(how_far(call, &job)));
    if (job.message.len)
        buf_add_format(&result->text, " %.*s", STR_ARG(job.message));
    write_under_way(call, host, &job, id, result);
    return OK;
}

int background_stop(struct call *call, struct host *base, struct str id)
{
    const struct mcp_host *host = (const struct mcp_host *)base;
    return jobs_cancel(call, host->request->who, id);
}

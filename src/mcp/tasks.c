/* Jobs as tasks of the protocol. */
#include "mcp/tasks.h"

#include "json/json_write.h"
#include "mcp/bus.h"
#include "mcp/job_host.h"
#include "mcp/methods.h"
#include "mcp/tools.h"

/* ---- the wire */

static struct str status_of(const struct job_view *job)
{
    return str_eq(job->status, STR(JOB_QUEUED)) ? STR(JOB_WORKING) : job->status; /* the others have the same names */
}

/* "2026-11-22T18:00:00.000Z" */
static struct str time_text(struct call *call, int64_t unix_ms)
{
    char text[CLOCK_TEXT_BYTES];
    clock_format(unix_ms, text);
    text[10] = 'T';
    return call_format(call, "%sZ", text);
}

static void write_base(struct call *call, const struct job_view *job, struct json_writer *w)
{
    json_member_str(w, "taskId", job->id);
    json_member_str(w, "status", status_of(job));
    if (job->message.len)
        json_member_str(w, "statusMessage", job->message);
    else if (job->done || job->total)
        json_member_str(w, "statusMessage",
                        job->total ? call_format(call, "%lld of %lld", (long long)job->done, (long long)job->total)
                                   : call_format(call, "%lld", (long long)job->done));
    json_member_str(w, "createdAt", time_text(call, job->created_at_ms));
    json_member_str(w, "lastUpdatedAt", time_text(call, job->updated_at_ms));
    json_member_i64(w, "ttlMs", job->expires_at_ms - job->created_at_ms);
    json_member_i64(w, "pollIntervalMs", TASK_POLL_MS);
}

static void write_questions(const struct job_view *job, struct json_writer *w)
{
    json_key(w, STR("inputRequests"));
    json_object(w);
    for (size_t i = 0; i < json_count(job->questions); i++) {
        const struct json *question = json_at(job->questions, i);
        json_key(w, json_str(json_get(question, STR("key"))));
        json_object(w);
        json_member_str(w, "method",
                        mcp_question_method((enum host_ability)json_i64_or(json_get(question, STR("kind")), 0)));
        json_member_value(w, "params", json_get(question, STR("params")));
        json_end(w);
    }
    json_end(w);
}

void tasks_result_of(struct call *call, const struct job_view *job, struct tool_result *ret)
{
    const struct json *blocks = json_get(job->result, STR("blocks"));
    *ret = (struct tool_result){
        .structured_json = json_raw(json_get(job->result, STR("structured"))),
        .is_error = json_bool_or(json_get(job->result, STR("is_error")), false),
    };
    buf_init(&ret->text, call->arena, TOOL_TEXT_MAX_BYTES);
    buf_init(&ret->blocks, call->arena, TOOL_BLOCKS_MAX_BYTES);
    buf_add(&ret->text, json_str(json_get(job->result, STR("text"))));
    for (size_t i = 0; i < json_count(blocks); i++)
        tool_result_block(ret, json_raw(json_at(blocks, i)));
}

static void write_result(struct call *call, const struct job_view *job, struct json_writer *w)
{
    struct tool_result result;
    struct buf text;
    buf_init(&text, call->arena, ANSWER_MAX_BYTES);
    tasks_result_of(call, job, &result);
    buf_add(&text, STR("{\"resultType\":\"complete\","));
    tools_write_result(call, &result, true, &text);
    buf_add_char(&text, '}');
    json_member_raw(w, "result", buf_str(&text));
}

static void write_error(const struct job_view *job, struct json_writer *w)
{
    json_key(w, STR("error"));
    json_object(w);
    json_member_i64(w, "code", RPC_INTERNAL_ERROR);
    json_member_str(w, "message", job->message.len ? job->message : STR("It failed."));
    json_end(w);
}

void tasks_write(struct call *call, const struct job_view *job, struct json_writer *w)
{
    write_base(call, job, w);
    if (str_eq(job->status, STR(JOB_INPUT_REQUIRED)))
        write_questions(job, w);
    else if (str_eq(job->status, STR(JOB_COMPLETED)))
        write_result(call, job, w);
    else if (str_eq(job->status, STR(JOB_FAILED)))
        write_error(job, w);
}

/* The members of an object that another one has begun. */
static void write_members(struct call *call, const struct job_view *job, bool detailed, struct buf *out)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, ANSWER_MAX_BYTES);
    json_write_init(&w, &text);
    json_object(&w);
    if (detailed)
        tasks_write(call, job, &w);
    else
        write_base(call, job, &w);
    json_end(&w);
    struct str object = buf_str(&text);
    buf_add(out, str_sub(object, 1, object.len - 2));
    if (buf_failed(&text))
        out->failed = true;
}

/* ---- the methods */

/* The task that is meant, and a client that may ask for it. */
static int read_id(struct call *call, struct mcp_host *host, struct str *ret)
{
    const struct json *id = json_get(host->request->message.params, STR("taskId"));
    if (!(host->abilities & HOST_TASKS)) {
        host->lacking = HOST_TASKS;
        return fail(call, E_DENIED,
                    "Declare the extension " MCP_EXTENSION_TASKS " in the request's clientCapabilities.");
    }
    *ret = json_str(id);
    return json_is(id, JSON_STRING) ? OK : fail(call, E_INVALID, "\"taskId\" must be a string.");
}

int tasks_write_begun(struct call *call, struct mcp_host *host, struct buf *out)
{
    struct job_view job;
    int error = jobs_get(call, host->request->who, host->task, &job);
    if (!error)
        write_members(call, &job, false, out);
    return error;
}

int tasks_get_write(struct call *call, struct mcp_host *host, struct buf *out)
{
    struct job_view job;
    struct str id;
    int error = read_id(call, host, &id);
    if (!error)
        error = jobs_get(call, host->request->who, id, &job);
    if (!error)
        write_members(call, &job, true, out);
    return error;
}

int tasks_update_write(struct call *call, struct mcp_host *host, struct buf *out)
{
    const struct json *responses = json_get(host->request->message.params, STR("inputResponses"));
    struct str id;
    (void)out; /* the acknowledgement has no members */
    int error = read_id(call, host, &id);
    if (!error && !json_is(responses, JSON_OBJECT))
        error = fail(call, E_INVALID, "\"inputResponses\" must be an object.");
    return error ? error : jobs_answer(call, host->request->who, id, responses, mcp_is_answer);
}

int tasks_cancel_write(struct call *call, struct mcp_host *host, struct buf *out)
{
    struct str id;
    (void)out;
    int error = read_id(call, host, &id);
    return error ? error : jobs_cancel(call, host->request->who, id);
}

/* ---- the process */

static void tell(const struct jobs_news *news)
{
    bus_publish(&(struct bus_event){
        .topic = BUS_JOB, .connection_id = news->connection_id, .number = news->what, .key = news->id});
}

static void hear(struct bus_listener *listener, const struct bus_event *event)
{
    (void)listener;
    jobs_heard(
        &(struct jobs_news){.id = event->key, .connection_id = event->connection_id, .what = (int)event->number});
}

static struct bus_listener listener = {.topics = 1U << BUS_JOB, .local = true, .deliver = hear};

int tasks_open(struct call *call, int64_t lease_ms)
{
    const struct jobs_settings settings = {.lease_ms = lease_ms,
                                           .find_provider = provider_find,
                                           .open_host = job_host_open,
                                           .close_host = job_host_close,
                                           .tell = tell};
    if (jobs_open(&settings))
        return fail(call, E_UNAVAILABLE, "there is no memory for work in the background");
    bus_listen(&listener);
    return OK;
}

void tasks_close(void)
{
    bus_unlisten(&listener);
    jobs_close();
}

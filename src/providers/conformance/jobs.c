/* Fixtures that work in the background. Each tool begins the job of its own name with its own arguments. */
#include "providers/conformance/conformance.h"

#include "base/log.h"
#include "json/json_write.h"
#include "net/task.h"

enum { SECOND_MS = 1000, SLICE_MS = 100 };

static struct str text_of(const struct json *object, const char *name)
{
    return json_str(json_get(object, str_from(name)));
}

static struct str arguments_text(const struct json *arguments)
{
    return json_is(arguments, JSON_OBJECT) ? json_raw(arguments) : STR("{}");
}

int conformance_start_job(struct call *call, const struct tool_context *context, const struct json *arguments,
                          struct tool_result *result)
{
    const struct job_new job = {
        .kind = context->tool->name,
        .arguments_json = arguments_text(arguments),
        .total = json_i64_or(json_get(arguments, STR("count")), json_i64_or(json_get(arguments, STR("seconds")), 0)),
    };
    return host_start_job(call, context->host, &job, result);
}

/* Asks first, and only then becomes a job. */
int conformance_ask_and_start(struct call *call, const struct tool_context *context, const struct json *arguments,
                              struct tool_result *result)
{
    struct question question = {
        .key = STR("user_name"),
        .kind = HOST_FORM,
        .params_json =
            STR("{\"message\":\"What is your name?\",\"requestedSchema\":{\"type\":\"object\",\"properties\":"
                "{\"name\":{\"type\":\"string\"}},\"required\":[\"name\"]}}"),
    };
    (void)arguments;
    int error = host_ask(call, context->host, &question, 1);
    if (error)
        return error;
    struct str name = json_str(json_path(question.answer, "content.name"));
    const struct job_new job = {
        .kind = context->tool->name,
        .arguments_json = call_format(call, "{\"name\":%.*s}", STR_ARG(json_quote(call->arena, name))),
    };
    return host_start_job(call, context->host, &job, result);
}

int conformance_tell_job(struct call *call, const struct tool_context *context, const struct json *arguments,
                         struct tool_result *result)
{
    return host_tell_job(call, context->host, text_of(arguments, "job"), result);
}

int conformance_stop_job(struct call *call, const struct tool_context *context, const struct json *arguments,
                         struct tool_result *result)
{
    buf_add(&result->text, STR("It was told to stop."));
    return host_stop_job(call, context->host, text_of(arguments, "job"));
}

int conformance_greet(struct call *call, const struct tool_context *context, const struct json *arguments,
                      struct tool_result *result)
{
    (void)call;
    (void)context;
    buf_add_format(&result->text, "Hello, %.*s!", STR_ARG(text_of(arguments, "name")));
    return OK;
}

/* ---- steps */

static int greet_later(struct call *call, const struct tool_context *context, struct job_step *step)
{
    step->finished = true;
    return conformance_greet(call, context, step->arguments, step->result);
}

/* A second in each step. */
static int slow_compute(struct call *call, const struct tool_context *context, struct job_step *step)
{
    (void)context;
    if (step->done < step->total) {
        int error = task_sleep(call, SECOND_MS);
        if (error)
            return error;
        step->done++;
    }
    step->finished = step->done >= step->total;
    if (step->finished)
        buf_add_format(&step->result->text, "%.*s: computed for %lld s", STR_ARG(text_of(step->arguments, "label")),
                       (long long)step->total);
    return OK;
}

static int fail_later(struct call *call, const struct tool_context *context, struct job_step *step)
{
    (void)context;
    (void)step;
    int error = task_sleep(call, SECOND_MS);
    return error ? error : fail(call, E_UPSTREAM, "This job always fails.");
}

static int break_later(struct call *call, const struct tool_context *context, struct job_step *step)
{
    (void)context;
    (void)step;
    int error = task_sleep(call, SLICE_MS);
    return error ? error : fail(call, E_INTERNAL, "This job always breaks.");
}

static struct question ask_yes(struct call *call, const char *key, struct str message)
{
    return (struct question){
        .key = str_from(key),
        .kind = HOST_FORM,
        .params_json = call_format(call,
                                   "{\"message\":%.*s,\"requestedSchema\":{\"type\":\"object\",\"properties\":{"
                                   "\"confirm\":{\"type\":\"boolean\"}},\"required\":[\"confirm\"]}}",
                                   STR_ARG(json_quote(call->arena, message))),
    };
}

static int confirm_delete(struct call *call, const struct tool_context *context, struct job_step *step)
{
    struct str name = text_of(step->arguments, "filename");
    struct question question = ask_yes(call, "confirm", call_format(call, "Delete %.*s?", STR_ARG(name)));
    int error = host_ask(call, context->host, &question, 1);
    if (error)
        return error;
    bool yes = json_bool_or(json_path(question.answer, "content.confirm"), false);
    buf_add_format(&step->result->text, "%.*s was %s.", STR_ARG(name), yes ? "deleted" : "kept");
    step->finished = true;
    return OK;
}

static int multi_input(struct call *call, const struct tool_context *context, struct job_step *step)
{
    struct question questions[] = {ask_yes(call, "first", STR("The first one?")),
                                   ask_yes(call, "second", STR("The second one?"))};
    int error = host_ask(call, context->host, questions, ARRAY_LENGTH(questions));
    if (error)
        return error;
    buf_add(&step->result->text, STR("Both were answered."));
    step->finished = true;
    return OK;
}

/* One item in each step, told in the log, where tests count what was done how often. */
static int count_items(struct call *call, const struct tool_context *context, struct job_step *step)
{
    (void)context;
    log_info("test item %lld of job %.*s%s", (long long)step->done, STR_ARG(step->id), step->again ? " again" : "");
    int error = task_sleep(call, json_i64_or(json_get(step->arguments, STR("each_ms")), SLICE_MS));
    if (error)
        return error;
    step->state_json = call_format(call, "{\"sum\":%lld}",
                                   (long long)(json_i64_or(json_get(step->state, STR("sum")), 0) + step->done));
    step->done++;
    step->message = call_format(call, "%lld done", (long long)step->done);
    step->finished = step->done >= step->total;
    if (step->finished)
        buf_add_format(&step->result->text, "%lld items, sum %lld", (long long)step->done,
                       (long long)(json_i64_or(json_get(step->state, STR("sum")), 0) + step->done - 1));
    return OK;
}

const struct job_kind conformance_jobs[CONFORMANCE_JOBS] = {
    {STR_INIT("slow_compute"), RIGHT_READ, slow_compute},
    {STR_INIT("failing_job"), RIGHT_READ, fail_later},
    {STR_INIT("protocol_error_job"), RIGHT_READ, break_later},
    {STR_INIT("confirm_delete"), RIGHT_READ, confirm_delete},
    {STR_INIT("multi_input"), RIGHT_READ, multi_input},
    {STR_INIT("test_tool_with_task"), RIGHT_READ, greet_later},
    {STR_INIT("test_job_items"), RIGHT_READ, count_items},
};

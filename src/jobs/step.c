/* One step: what the row says, what the provider does, what is saved. */
#include "jobs/step.h"

#include "accounts/connections.h"
#include "audit/audit.h"
#include "base/log.h"
#include "call/token_options.h"
#include "json/json_write.h"
#include "jobs/job_seal.h"
#include "jobs/runner.h"
#include "messages/messages.h"
#include "net/task.h"

enum {
    WRITE_MS = 10 * 1000, /* for one statement of ours, whatever is left of the step */
    RETRY_MS = 500,       /* while the database is away */
    TEXT_MAX_BYTES = 4 * 1024 * 1024,
};

struct work {
    struct call *call;
    struct step_order *order;
    struct job_row row;
    const struct principal *who; /* NULL: the token is not good any more */
    const struct provider *provider;
    const struct job_kind *kind;
    struct job_step step;
    struct tool_result result;
    struct jobs_run run;
};

/* ---- the database, with patience: as long as the lease lasts, a job is not given up because the database is away */

/* What is written must be written although the step was cancelled or took its time. */
static struct call own_call(const struct call *call)
{
    struct call own = *call;
    own.cancelled = false;
    own.deadline_ms = clock_monotonic_ms() + WRITE_MS;
    return own;
}

static bool try_again(struct call *own, const struct step_order *order, int error)
{
    if ((error != E_UNAVAILABLE && error != E_TIMEOUT) || order->lost)
        return false;
    own->deadline_ms = clock_monotonic_ms() + WRITE_MS;
    return task_sleep(own, RETRY_MS) == OK && !order->lost;
}

static int load(struct work *w)
{
    struct call own = own_call(w->call);
    struct step_order *order = w->order;
    bool held = false;
    int error;
    do {
        own.deadline_ms = clock_monotonic_ms() + WRITE_MS;
        error = store_jobs_held(&own, order->holder, order->claims, str_from(order->id), &w->row, &held);
        if (!error && held)
            error = authenticate_token(&own, w->row.token_id, &w->who);
        if (!error && held)
            error = principal_for(&own, w->who, w->row.connection_id, &w->who);
    } while (error && try_again(&own, order, error));
    if (!error && !held)
        order->lost = true;
    if (error)
        return fail(w->call, error, "%.*s", STR_ARG(own.error_text));
    return OK;
}

static int write_once(struct call *own, struct work *w, bool ends, bool *ret_cancel)
{
    bool mine, held = false;
    int error = store_begin(own, &mine);
    if (!error)
        error = store_jobs_write(own, &w->row, &held, ret_cancel);
    if (!error && !held)
        w->order->lost = true;
    if (!error && held && ends)
        error = jobs_record_end(own, &w->row, w->row.message);
    return store_end(own, mine, error);
}

/* Writes the row. False: the job is not this process's any more. */
static bool write_row(struct work *w, const char *status, bool *ret_cancel)
{
    struct call own = own_call(w->call);
    bool ends = jobs_status_ended(str_from(status));
    int error;
    w->row.status = str_from(status);
    do {
        w->row.updated_at_ms = clock_now_ms();
        w->row.ended_at_ms = ends ? w->row.updated_at_ms : 0;
        if (ends)
            w->row.expires_at_ms = w->row.updated_at_ms + JOBS_LIFE_MS;
        w->row.lease_until_ms = runner_lease_end_ms(w->row.updated_at_ms);
        error = write_once(&own, w, ends, ret_cancel);
    } while (error && try_again(&own, w->order, error));
    if (error)
        log_error("job %s could not be saved and is left to whoever takes it next: %.*s %.*s", w->order->id,
                  STR_ARG(own.error_text), STR_ARG(own.error_detail));
    return !error && !w->order->lost;
}

static void tell(const struct work *w, int what)
{
    jobs_tell(str_from(w->order->id), w->row.connection_id, what);
    *w->order->told_ms = clock_monotonic_ms();
}

/* ---- the ends */

static enum step_outcome end(struct work *w, const char *status)
{
    bool cancel;
    if (write_row(w, status, &cancel)) {
        log_info("job %s (%.*s) %s after %lld of %lld", w->order->id, STR_ARG(w->row.kind), status,
                 (long long)w->row.done, (long long)w->row.total);
        tell(w, JOBS_CHANGED);
    }
    return STEP_OVER;
}

/* For what is no answer of the job's own: the text says why. */
static enum step_outcome end_failed(struct work *w, struct str why)
{
    w->row.message = str_copy(w->call->arena, str_cut(why, JOBS_MESSAGE_MAX_BYTES));
    w->row.result = (struct str){NULL, 0};
    return end(w, JOB_FAILED);
}

static enum step_outcome end_cancelled(struct work *w)
{
    return end(w, JOB_CANCELLED);
}

static struct str result_json(struct call *call, const struct tool_result *result)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, JOB_RESULT_MAX_BYTES);
    json_write_init(&w, &text);
    json_object(&w);
    json_member_str(&w, "text", buf_str(&result->text));
    if (result->blocks.len)
        json_member_raw(&w, "blocks", call_format(call, "[%.*s]", STR_ARG(buf_str(&result->blocks))));
    if (result->structured_json.len)
        json_member_raw(&w, "structured", result->structured_json);
    json_member_bool(&w, "is_error", result->is_error);
    json_end(&w);
    return buf_failed(&text) || buf_failed(&result->text) || buf_failed(&result->blocks) ? STR_EMPTY : buf_str(&text);
}

static enum step_outcome end_with(struct work *w, const struct tool_result *result)
{
    struct str plain = result_json(w->call, result);
    if (!plain.len)
        plain = STR("{\"text\":\"It was done, but what there is to say of it is too large to be kept.\","
                    "\"is_error\":true}");
    if (job_seal(w->call, w->who, w->row.id, "result", plain, &w->row.result))
        return end_failed(w, w->call->error_text);
    return end(w, JOB_COMPLETED);
}

/* What the job itself could not do is its answer; our own mistakes are none. */
static enum step_outcome end_with_error(struct work *w, int error)
{
    struct call *call = w->call;
    if (error == E_INTERNAL)
        return end_failed(w, call->error_text);
    if (error == E_REFUSED) {
        struct call own = own_call(call);
        if (connections_refused(&own, &w->who->site, call->error_text))
            log_error("job %s: the connection is refused by its service, but could not be stopped: %.*s", w->order->id,
                      STR_ARG(own.error_text));
    }
    struct tool_result failed = {.is_error = true};
    buf_init(&failed.text, call->arena, TEXT_MAX_BYTES);
    buf_add(&failed.text, call->error_text);
    return end_with(w, &failed);
}

/* ---- in between */

/* Nobody's fault, so the try does not count; but who takes the job next is told of a step that had begun (`again`). */
static enum step_outcome release(struct work *w, bool had_begun)
{
    bool cancel = false;
    if (--w->row.attempts < had_begun)
        w->row.attempts = had_begun;
    if (!write_row(w, JOB_QUEUED, &cancel))
        return STEP_OVER;
    if (cancel) { /* said while the row was this process's to end */
        struct call own = own_call(w->call);
        struct job_row now;
        (void)!jobs_cancel_own(&own, w->row.user_id, w->row.id, &now);
    }
    tell(w, JOBS_WAITING);
    return STEP_OVER;
}

static enum step_outcome wait_for_answers(struct work *w)
{
    struct call *call = w->call;
    bool cancel = false;
    struct str answers = json_is(w->run.answers, JSON_OBJECT) ? json_raw(w->run.answers) : STR("{}");
    if (buf_failed(&w->run.asked) || w->run.asked.len + answers.len > JOBS_INPUT_MAX_BYTES) {
        call_clear_error(call);
        fail(call, E_LIMIT, "This asks too much; it was given up.");
        return end_with_error(w, E_LIMIT);
    }
    struct str plain =
        call_format(call, "{\"questions\":[%.*s],\"answers\":%.*s}", STR_ARG(buf_str(&w->run.asked)), STR_ARG(answers));
    if (job_seal(call, w->who, w->row.id, "input", plain, &w->row.input))
        return end_failed(w, call->error_text);
    w->row.attempts = 0;
    if (!write_row(w, JOB_INPUT_REQUIRED, &cancel))
        return STEP_OVER;
    if (cancel) {
        struct call own = own_call(call);
        (void)!jobs_cancel(&own, w->who, w->row.id);
    }
    tell(w, JOBS_CHANGED);
    return STEP_OVER;
}

static enum step_outcome save(struct work *w)
{
    struct call *call = w->call;
    struct job_step *step = &w->step;
    bool cancel = false;
    if (step->state_json.len > JOB_STATE_MAX_BYTES)
        return end_failed(w, STR("A step left more behind than may be kept."));
    if (job_seal(call, w->who, w->row.id, "state", step->state_json.len ? step->state_json : STR("{}"), &w->row.state))
        return end_failed(w, call->error_text);
    w->row.attempts = 1; /* the first try of the next step begins at once */
    if (!write_row(w, JOB_WORKING, &cancel))
        return STEP_OVER;
    if (clock_monotonic_ms() - *w->order->told_ms >= JOBS_TELL_MS)
        tell(w, JOBS_CHANGED);
    w->order->stop |= cancel;
    return STEP_GO_ON;
}

/* ---- the step */

static const struct job_kind *find_kind(const struct provider *provider, struct str name)
{
    for (size_t i = 0; provider && i < provider->n_jobs; i++)
        if (str_eq(provider->jobs[i].name, name))
            return &provider->jobs[i];
    return NULL;
}

/* What keeps it from going on, or empty. */
static struct str obstacle(struct work *w)
{
    struct call *call = w->call;
    if (w->order->exhausted)
        return STR("A step needed more memory than one may use.");
    if (w->row.attempts > JOBS_ATTEMPTS_MAX)
        return call_format(call, "It was given up after %d tries of one step that did not come to their end.",
                           JOBS_ATTEMPTS_MAX);
    if (w->row.expires_at_ms <= clock_now_ms())
        return STR("It took longer than a job may.");
    w->provider = w->order->settings->find_provider(w->who->provider_key);
    w->kind = find_kind(w->provider, w->row.kind);
    if (!w->kind)
        return STR("This program does not know this kind of job.");
    if (!(w->kind->needs_any & w->who->rights))
        return STR("The token that began it does not have the rights for it any more.");
    return STR_EMPTY;
}

static int record_begin(struct work *w)
{
    struct call own = own_call(w->call);
    struct audit_event event = {
        .user_id = w->row.user_id,
        .connection_id = w->row.connection_id,
        .token_id = w->row.token_id,
        .action = call_format(w->call, "job.%.*s.begin", STR_ARG(w->row.kind)),
        .data_json = call_format(w->call, "{\"job\":\"%s\",\"claim\":%lld,\"done\":%lld,\"total\":%lld}", w->order->id,
                                 (long long)w->row.claims, (long long)w->row.done, (long long)w->row.total),
    };
    int error;
    do {
        own.deadline_ms = clock_monotonic_ms() + WRITE_MS;
        error = audit_record(&own, &event);
    } while (error && try_again(&own, w->order, error));
    w->order->begun = !error;
    return error ? fail(w->call, error, "%.*s", STR_ARG(own.error_text)) : OK;
}

static int prepare(struct work *w)
{
    struct call *call = w->call;
    const struct json *input;
    struct str id = w->row.id;
    int error = job_unseal(call, w->who, id, "arguments", w->row.arguments, &w->step.arguments);
    if (!error)
        error = job_unseal(call, w->who, id, "state", w->row.state, &w->step.state);
    if (!error)
        error = job_unseal(call, w->who, id, "input", w->row.input, &input);
    if (error)
        return error;
    buf_init(&w->result.text, call->arena, TEXT_MAX_BYTES);
    buf_init(&w->result.blocks, call->arena, JOB_RESULT_MAX_BYTES);
    w->step.id = id;
    w->step.again = w->row.attempts > 1;
    w->step.done = w->row.done;
    w->step.total = w->row.total;
    w->step.result = &w->result;
    w->run = (struct jobs_run){
        .who = w->who,
        .provider = w->provider,
        .kind = w->kind,
        .step = &w->step,
        .abilities = (unsigned)w->row.abilities,
        .answers = json_get(input, STR("answers")),
    };
    buf_init(&w->run.asked, call->arena, JOBS_INPUT_MAX_BYTES);
    return OK;
}

static enum step_outcome run_kind(struct work *w)
{
    struct call *call = w->call;
    struct tool_context context = {
        .site = &w->who->site,
        .rights = w->who->rights,
        .host = w->order->settings->open_host(call, &w->run),
        .messages = messages_of(call, &w->who->site, w->who->token_id, principal_holder(w->who)),
        .wants_structured = w->who->options & OPTION_STRUCTURED,
    };
    call->deadline_ms = clock_monotonic_ms() + JOB_STEP_MS;
    call->who = (struct principal *)w->who;
    int error = w->kind->step(call, &context, &w->step);
    if (w->order->settings->close_host)
        w->order->settings->close_host(call, context.host);
    if (w->order->lost)
        return STEP_OVER;
    if (!error) {
        w->row.done = w->step.done;
        w->row.total = w->step.total;
        w->row.message = str_cut(w->step.message, JOBS_MESSAGE_MAX_BYTES);
        return w->step.finished ? end_with(w, &w->result) : save(w);
    }
    if (error == E_WAITING && w->run.asked.len)
        return wait_for_answers(w);
    if (error == E_CANCELLED && w->order->stop)
        return end_cancelled(w);
    if (error == E_CANCELLED && w->order->release)
        return release(w, true);
    log_info("job %s (%.*s): %s: %.*s %.*s", w->order->id, STR_ARG(w->row.kind), error_name(error),
             STR_ARG(call->error_text), STR_ARG(call->error_detail));
    return end_with_error(w, error);
}

enum step_outcome step_run(struct call *call, struct step_order *order)
{
    struct work *w = arena_new_of(call->arena, struct work);
    *w = (struct work){.call = call, .order = order};
    int error = load(w);
    if (order->lost || !w->row.id.len || error == E_UNAVAILABLE || error == E_TIMEOUT)
        return STEP_OVER; /* whoever takes it next goes on behind the last saved step */
    if (order->stop || w->row.cancel_at_ms)
        return end_cancelled(w);
    if (order->release && (!error || error == E_CANCELLED))
        return release(w, false);
    if (error) /* the token is not good any more, or its connection rests: whoever took it next would hear the same */
        return end_failed(w, call->error_text);
    struct str why = obstacle(w);
    if (why.len)
        return end_failed(w, why);
    if (!order->begun && record_begin(w))
        return STEP_OVER;
    if (prepare(w))
        return end_failed(w, call->error_text);
    return run_kind(w);
}

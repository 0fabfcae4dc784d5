/* Jobs as requests see them: begun, looked at, answered, cancelled. */
#include <sodium.h> /* before base/banned.h */

#include "jobs/jobs.h"

#include "audit/audit.h"
#include "jobs/job_seal.h"
#include "jobs/runner.h"
#include "json/json_write.h"

enum { ANSWER_TRIES = 10, ID_BYTES = JOBS_ID_CHARS / 2 };

bool jobs_status_ended(struct str status)
{
    return str_eq(status, STR(JOB_COMPLETED)) || str_eq(status, STR(JOB_FAILED)) || str_eq(status, STR(JOB_CANCELLED));
}

int jobs_record_end(struct call *call, const struct job_row *row, struct str text)
{
    struct buf data;
    struct json_writer w;
    buf_init(&data, call->arena, 4096);
    json_write_init(&w, &data);
    json_object(&w);
    json_member_str(&w, "job", row->id);
    json_member_str(&w, "outcome", row->status);
    json_member_i64(&w, "done", row->done);
    json_member_i64(&w, "total", row->total);
    if (str_eq(row->status, STR(JOB_FAILED)))
        json_member_str(&w, "error", text);
    json_end(&w);
    return audit_record(call, &(struct audit_event){
                                  .user_id = row->user_id,
                                  .connection_id = row->connection_id,
                                  .token_id = row->token_id,
                                  .action = call_format(call, "job.%.*s", STR_ARG(row->kind)),
                                  .data_json = buf_str(&data),
                              });
}

/* ---- begin */

static const struct job_kind *find_kind(const struct provider *provider, struct str name)
{
    for (size_t i = 0; i < provider->n_jobs; i++)
        if (str_eq(provider->jobs[i].name, name))
            return &provider->jobs[i];
    return NULL;
}

static struct str new_id(struct call *call)
{
    unsigned char bytes[ID_BYTES];
    char *id = arena_alloc(call->arena, JOBS_ID_CHARS + 1);
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(id, JOBS_ID_CHARS + 1, bytes, sizeof bytes);
    return str_of(id, JOBS_ID_CHARS);
}

static int check_new(struct call *call, const struct principal *who, const struct provider *provider,
                     const struct job_new *job)
{
    const struct job_kind *kind = find_kind(provider, job->kind);
    if (!kind)
        return fail(call, E_INVALID, "There is no kind of job '%.*s' here.", STR_ARG(str_sub(job->kind, 0, 100)));
    if (!(kind->needs_any & who->rights))
        return fail(call, E_DENIED, "This token does not have the rights for such a job.");
    if (job->arguments_json.len > JOB_ARGUMENTS_MAX_BYTES)
        return fail(call, E_LIMIT, "This is too much for one job. Do it in parts.");
    if (!runner_is_open())
        return fail(call, E_UNAVAILABLE, "This server begins no new work right now. Try again in a minute.");
    return OK;
}

int jobs_begin(struct call *call, const struct principal *who, const struct provider *provider,
               const struct job_new *job, unsigned abilities, struct str *ret_id)
{
    int64_t open, held, now_ms = clock_now_ms();
    int error = check_new(call, who, provider, job);
    if (!error)
        error = store_jobs_count(call, who->token_id, who->connection_id, now_ms, &open, &held);
    if (error)
        return error;
    if (open >= JOBS_OPEN_PER_TOKEN_MAX)
        return fail(call, E_LIMIT, "%d jobs of this token are under way already. Wait for some of them, or stop them.",
                    JOBS_OPEN_PER_TOKEN_MAX);
    bool here = runner_has_room() && held < JOBS_PER_CONNECTION_MAX;
    struct job_row row = {
        .id = new_id(call),
        .user_id = who->user_id,
        .connection_id = who->connection_id,
        .token_id = who->token_id,
        .kind = job->kind,
        .status = here ? STR(JOB_WORKING) : STR(JOB_QUEUED),
        .message = STR_EMPTY,
        .total = job->total,
        .abilities = abilities,
        .claims = here,
        .attempts = here,
        .lease_holder = here ? runner_holder() : (struct str){NULL, 0},
        .lease_until_ms = here ? runner_lease_end_ms(now_ms) : 0,
        .created_at_ms = now_ms,
        .updated_at_ms = now_ms,
        .expires_at_ms = now_ms + JOBS_LIFE_MS,
    };
    error = job_seal(call, who, row.id, "arguments", job->arguments_json, &row.arguments);
    if (!error)
        error = store_jobs_insert(call, &row);
    if (error)
        return error;
    *ret_id = row.id;
    if (here)
        runner_take(&row);
    jobs_tell(row.id, row.connection_id, here ? JOBS_CHANGED : JOBS_WAITING);
    return OK;
}

/* ---- look */

int jobs_get(struct call *call, const struct principal *who, struct str id, struct job_view *ret)
{
    struct job_row row;
    const struct json *input;
    int64_t now_ms = clock_now_ms();
    int error = store_jobs_get(call, who->token_id, id, now_ms, &row);
    if (!error && runner_is_stale(&row, now_ms))
        runner_look_in(0);
    if (error)
        return error;
    *ret = (struct job_view){
        .id = row.id,
        .kind = row.kind,
        .status = row.status,
        .message = row.message,
        .done = row.done,
        .total = row.total,
        .created_at_ms = row.created_at_ms,
        .updated_at_ms = row.updated_at_ms,
        .expires_at_ms = row.expires_at_ms,
        .ended = jobs_status_ended(row.status),
    };
    bool waits = str_eq(row.status, STR(JOB_INPUT_REQUIRED));
    error = job_unseal(call, who, id, "input", waits ? row.input : (struct str){NULL, 0}, &input);
    ret->questions = error ? NULL : json_get(input, STR("questions"));
    return error ? error : job_unseal(call, who, id, "result", row.result, &ret->result);
}

/* ---- answer */

/* Moves what is answered from the questions to the answers; *ret_left: how many questions are open still. */
static struct str merge(struct call *call, const struct json *input, const struct json *responses,
                        bool (*fits)(enum host_ability kind, const struct json *answer), size_t *ret_left,
                        bool *ret_any)
{
    const struct json *questions = json_get(input, STR("questions")), *answers = json_get(input, STR("answers"));
    struct buf open, all, text;
    struct json_writer w_open, w_all;
    buf_init(&open, call->arena, JOBS_INPUT_MAX_BYTES);
    buf_init(&all, call->arena, JOBS_INPUT_MAX_BYTES);
    json_write_init(&w_open, &open);
    json_write_init(&w_all, &all);
    json_array(&w_open);
    json_object(&w_all);
    for (size_t i = 0; i < json_count(answers); i++) {
        json_key(&w_all, json_member_at(answers, i).name);
        json_value(&w_all, json_member_at(answers, i).value);
    }
    *ret_left = 0;
    for (size_t i = 0; i < json_count(questions); i++) {
        const struct json *question = json_at(questions, i);
        struct str key = json_str(json_get(question, STR("key")));
        const struct json *answer = json_get(responses, key);
        if (fits((enum host_ability)json_i64_or(json_get(question, STR("kind")), 0), answer)) {
            *ret_any = true;
            json_key(&w_all, key);
            json_value(&w_all, answer);
            continue;
        }
        ++*ret_left;
        json_value(&w_open, question);
    }
    json_end(&w_open);
    json_end(&w_all);
    buf_init(&text, call->arena, JOBS_INPUT_MAX_BYTES);
    buf_add_format(&text, "{\"questions\":%.*s,\"answers\":%.*s}", STR_ARG(buf_str(&open)), STR_ARG(buf_str(&all)));
    return buf_failed(&open) || buf_failed(&all) || buf_failed(&text) ? STR_EMPTY : buf_str(&text);
}

int jobs_answer(struct call *call, const struct principal *who, struct str id, const struct json *responses,
                bool (*fits)(enum host_ability kind, const struct json *answer))
{
    for (int tries = 0; tries < ANSWER_TRIES; tries++) { /* somebody else may answer at the same time */
        struct job_row row;
        const struct json *input;
        size_t left;
        bool any = false, done;
        int64_t now_ms = clock_now_ms();
        int error = store_jobs_get(call, who->token_id, id, now_ms, &row);
        if (error || !str_eq(row.status, STR(JOB_INPUT_REQUIRED)))
            return error; /* nothing is asked: nothing to take */
        error = job_unseal(call, who, id, "input", row.input, &input);
        if (error)
            return error;
        struct str plain = merge(call, input, responses, fits, &left, &any);
        if (!any)
            return OK;
        if (!plain.len)
            return fail(call, E_LIMIT, "The answers are too large.");
        row.status = left ? STR(JOB_INPUT_REQUIRED) : STR(JOB_QUEUED);
        error = job_seal(call, who, id, "input", plain, &row.input);
        if (!error)
            error = store_jobs_answer(call, &row, now_ms, &done);
        if (error)
            return error;
        if (done) {
            jobs_tell(row.id, row.connection_id, left ? JOBS_CHANGED : JOBS_WAITING);
            return OK;
        }
    }
    return fail(call, E_CONFLICT, "The job is being answered by others all the time. Look what it still asks.");
}

/* ---- cancel */

static int cancel(struct call *call, int64_t token_id, struct str id, struct job_row *ret)
{
    bool mine, changed = false;
    int64_t now_ms = clock_now_ms();
    int error = store_begin(call, &mine);
    if (!error)
        error = store_jobs_cancel(call, token_id, id, now_ms, now_ms + JOBS_LIFE_MS, ret, &changed);
    if (!error && changed)
        error = jobs_record_end(call, ret, STR_EMPTY);
    error = store_end(call, mine, error);
    if (error)
        return error;
    if (changed)
        jobs_tell(ret->id, ret->connection_id, JOBS_CHANGED);
    else if (!ret->ended_at_ms)
        jobs_tell(ret->id, ret->connection_id, JOBS_STOP);
    if (runner_is_stale(ret, now_ms))
        runner_look_in(0);
    return OK;
}

int jobs_cancel(struct call *call, const struct principal *who, struct str id)
{
    struct job_row row = {0};
    return cancel(call, who->token_id, id, &row);
}

int jobs_list(struct call *call, int64_t user_id, struct job_rows *ret)
{
    return store_jobs_of_user(call, user_id, clock_now_ms(), JOBS_SHOWN_MAX, ret);
}

int jobs_cancel_own(struct call *call, int64_t user_id, struct str id, struct job_row *ret)
{
    int error = store_jobs_get_of_user(call, user_id, id, clock_now_ms(), ret);
    return error ? error : cancel(call, ret->token_id, id, ret);
}

/* /api/jobs */
#include "web/api_jobs.h"

#include "jobs/jobs.h"

#define JOB_SCHEMA                                                                                                     \
    "{\"type\":\"object\",\"properties\":{\"id\":" API_TEXT ",\"connection_id\":" API_INTEGER                          \
    ",\"token_id\":" API_INTEGER ",\"kind\":" API_TEXT ",\"status\":" API_TEXT ",\"stopping\":" API_BOOLEAN            \
    ",\"done\":" API_INTEGER ",\"total\":{\"type\":[\"integer\",\"null\"]},\"message\":" API_TEXT_OR_NULL              \
    ",\"created_at\":" API_TIME_OR_NULL ",\"updated_at\":" API_TIME_OR_NULL ",\"ended_at\":" API_TIME_OR_NULL          \
    "},\"required\":[\"id\",\"connection_id\",\"kind\",\"status\",\"done\"]}"

static void write_job(struct call *call, struct json_writer *w, const struct job_row *row)
{
    json_object(w);
    json_member_str(w, "id", row->id);
    json_member_i64(w, "connection_id", row->connection_id);
    json_member_i64(w, "token_id", row->token_id);
    json_member_str(w, "kind", row->kind);
    json_member_str(w, "status", row->status);
    json_member_bool(w, "stopping", row->cancel_at_ms && !row->ended_at_ms);
    json_member_i64(w, "done", row->done);
    api_member_number(w, "total", row->total);
    api_member_text(w, "message", row->message);
    api_member_time(call, w, "created_at", row->created_at_ms);
    api_member_time(call, w, "updated_at", row->updated_at_ms);
    api_member_time(call, w, "ended_at", row->ended_at_ms);
    json_end(w);
}

static int list(struct call *call, struct api *api)
{
    struct job_rows rows;
    int error = jobs_list(call, api->person.user_id, &rows);
    if (error)
        return error;
    api_list_begin(api);
    for (size_t i = 0; i < rows.count; i++)
        write_job(call, &api->out, &rows.items[i]);
    api_list_end(api);
    return OK;
}

const struct api_operation api_jobs_list = {
    .id = "jobsList",
    .summary = "Work on many items that goes on behind its request, and what ended within a day; the latest first, at "
               "most 50. status: queued, working, input_required, completed, failed, cancelled. total is null while it "
               "is not known.",
    .answer = API_LIST_SCHEMA(JOB_SCHEMA),
    .status = 200,
    .run = list,
};

static int stop(struct call *call, struct api *api)
{
    struct job_row row;
    int error = jobs_cancel_own(call, api->person.user_id, api->segment, &row);
    if (!error)
        write_job(call, &api->out, &row);
    return error;
}

const struct api_operation api_jobs_stop = {
    .id = "jobsStop",
    .summary = "Ends it behind the step that is under way; what was done stays done. OK also when it has ended.",
    .answer = JOB_SCHEMA,
    .status = 200,
    .run = stop,
};

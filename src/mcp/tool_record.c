/* What the audit log says of a call. */
#include "mcp/tool_record.h"

#include "audit/audit.h"
#include "base/log.h"
#include "json/json_write.h"
#include "mcp/methods.h"
#include "mcp/redact.h"

enum { DATA_BYTES_MAX = 64 * 1024 };

static void write_changes(struct json_writer *w, const struct mcp_host *host)
{
    if (!host->n_changes)
        return;
    json_key(w, STR("changes"));
    json_array(w);
    for (size_t i = 0; i < host->n_changes && i < HOST_CHANGES_AUDITED_MAX; i++)
        json_i64(w, host->changes[i]);
    json_end(w);
}

/* What is written of a call: its event, and the object of its data, which is open until end(). */
struct record {
    struct audit_event event;
    struct buf data;
    struct json_writer w;
};

static void begin(struct call *call, const struct tool *tool, const struct mcp_host *host, const char *suffix,
                  struct record *record)
{
    const struct principal *who = host->request->who;
    record->event = (struct audit_event){
        .user_id = who->user_id,
        .connection_id = who->connection_id,
        .token_id = who->token_id,
        .action = call_format(call, "tool.%.*s%s", STR_ARG(tool->name), suffix),
    };
    buf_init(&record->data, call->arena, DATA_BYTES_MAX);
    json_write_init(&record->w, &record->data);
    json_object(&record->w);
    audit_write_origin(&record->w, call);
    if (host->link_id.len)
        json_member_str(&record->w, "link", host->link_id);
}

static void end(struct record *record)
{
    json_end(&record->w);
    record->event.data_json = buf_str(&record->data);
}

static void write_outcome(struct call *call, struct json_writer *w, const struct mcp_host *host, int error,
                          const struct tool_result *result, int64_t elapsed_ms)
{
    json_member_str(w, "outcome", str_from(error_name(error)));
    json_member_i64(w, "ms", elapsed_ms);
    /* of text that the model reads: what the answer costs it */
    json_member_i64(w, "bytes", (int64_t)(result && !error ? result->text.len : call->error_text.len));
    struct str why = error ? redact_text_of(host->request->provider, call->error_text) : STR_EMPTY;
    if (why.len)
        json_member_str(w, "error", str_sub(why, 0, REDACT_STRING_MAX_BYTES));
}

int tool_record_refused(struct call *call, const struct tool *tool, const struct mcp_host *host, int error)
{
    struct record record;
    begin(call, tool, host, "", &record);
    write_outcome(call, &record.w, host, error, NULL, 0);
    json_member_raw(&record.w, "arguments", redact_of(call, host->request->provider, host->arguments));
    end(&record);
    audit_later(&record.event);
    return error;
}

static struct str done_of(struct call *call, const struct mcp_host *host, struct str audit_json)
{
    const struct json *done;
    if (!host->request->provider->conversations)
        return audit_json;
    return json_parse(call->arena, audit_json, NULL, &done, NULL) == OK ? redact_of(call, host->request->provider, done)
                                                                        : STR("{}");
}

void tool_record_done(struct call *call, const struct tool *tool, struct mcp_host *host, const struct json *arguments,
                      const struct tool_result *result, int error, int64_t elapsed_ms)
{
    struct record record;
    begin(call, tool, host, "", &record);
    write_outcome(call, &record.w, host, error, result, elapsed_ms);
    if (tool->reads_only)
        json_member_raw(&record.w, "arguments", redact_of(call, host->request->provider, arguments));
    if (!error && result->audit_json.len)
        json_member_raw(&record.w, "done", done_of(call, host, result->audit_json));
    write_changes(&record.w, host);
    end(&record);
    if (tool->reads_only) {
        audit_later(&record.event);
        return;
    }
    /* The deed is done, so its record is written even when the caller has gone or its time is up. */
    struct call rest = *call;
    rest.cancelled = false;
    rest.deadline_ms = clock_monotonic_ms() + RECORD_MS;
    if (mcp_host_record_outcome(&rest, host, &record.event) == OK)
        return;
    log_error("call %s: %.*s ended with %s, but its outcome could not be recorded yet: %.*s", call->id,
              STR_ARG(tool->name), error_name(error), STR_ARG(rest.error_text));
    audit_later(&record.event); /* when the database is back; twice, should the commit have been done */
}

int tool_record_intent(struct call *call, const struct tool *tool, struct mcp_host *host, const struct json *arguments)
{
    struct record record;
    begin(call, tool, host, ".intent", &record);
    json_member_raw(&record.w, "arguments", redact_of(call, host->request->provider, arguments));
    end(&record);
    struct call mine = *call; /* who waits for a database that is away hears of it soon */
    int64_t latest_ms = clock_monotonic_ms() + INTENT_MS;
    if (mine.deadline_ms > latest_ms)
        mine.deadline_ms = latest_ms;
    int error = audit_record(&mine, &record.event);
    if (error != E_UNAVAILABLE && error != E_TIMEOUT)
        return error ? fail(call, (enum error)error, "%.*s", STR_ARG(mine.error_text)) : OK;
    host->code = RPC_UNAVAILABLE;
    host->retry_after_s = INTENT_AGAIN_S;
    host->data_json = call_format(call, "{\"retryAfterSeconds\":%d}", INTENT_AGAIN_S);
    fail(call, E_UNAVAILABLE,
         "The database does not answer, and nothing is changed without a record of it: nothing was done. Try again in "
         "%d "
         "seconds.",
         INTENT_AGAIN_S);
    fail_detail(call, "%.*s", STR_ARG(mine.error_detail));
    return E_UNAVAILABLE;
}

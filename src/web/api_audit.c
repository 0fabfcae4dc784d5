/* /api/audit and /api/usage */
#include "web/api_audit.h"

#include "audit/audit.h"

enum { EXPORT_ROWS_MAX = 10 * 1000, USAGE_DAYS = 30, DAY_MS = 24 * 3600 * 1000 };

#define EVENT_SCHEMA                                                                                                   \
    "{\"type\":\"object\",\"properties\":{\"id\":" API_INTEGER ",\"at\":" API_TIME_OR_NULL ",\"action\":" API_TEXT     \
    ",\"connection_id\":{\"type\":[\"integer\",\"null\"]},\"token_id\":{\"type\":[\"integer\",\"null\"]},"             \
    "\"data\":{\"type\":\"object\"}},\"required\":[\"id\",\"at\",\"action\",\"data\"]}"

static const struct api_parameter filters[] = {
    {"connection", "{\"type\":\"integer\",\"minimum\":1}", "The number of a connection."},
    {"action", "{\"type\":\"string\",\"maxLength\":60}", "How the action begins: tool., users."},
    {"since", "{\"type\":\"string\",\"maxLength\":30,\"format\":\"date-time\"}",
     "A time such as 2026-11-22T16:00:00Z."},
    {"before", "{\"type\":\"integer\",\"minimum\":1}", "The last event of the page before."},
    {"limit", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000}", "1 to 1000."},
    {"format", "{\"type\":\"string\",\"enum\":[\"jsonl\",\"csv\"]}", "jsonl or csv."},
};
enum { N_LIST_FILTERS = 5, N_EXPORT_FILTERS = 6 };

static int read_query(struct call *call, struct api *api, struct audit_query *ret)
{
    struct str since = api_query(call, api, "since"), action = api_query(call, api, "action");
    *ret = (struct audit_query){
        .user_id = api->person.user_id,
        .connection_id = api_query_number(call, api, "connection"),
        .action_prefix = action.ptr ? action : STR_EMPTY,
        .before_id = api_query_number(call, api, "before"),
        .limit = api_query_number(call, api, "limit"),
    };
    if (since.ptr && !clock_parse(since, &ret->since_ms))
        return fail(call, E_INVALID, "since: \"%.*s\" is no time such as 2026-11-22T16:00:00Z.", STR_ARG(since));
    return OK;
}

static void write_event(struct call *call, struct json_writer *w, const struct audit_shown *event)
{
    json_object(w);
    json_member_i64(w, "id", event->id);
    api_member_time(call, w, "at", event->at_ms);
    json_member_str(w, "action", event->action);
    api_member_number(w, "connection_id", event->connection_id);
    api_member_number(w, "token_id", event->token_id);
    json_member_raw(w, "data", event->data_json.len ? event->data_json : STR("{}"));
    json_end(w);
}

static int list(struct call *call, struct api *api)
{
    struct audit_query query;
    struct audit_rows rows;
    int error = read_query(call, api, &query);
    if (!error)
        error = audit_list(call, &query, &rows);
    if (error)
        return error;
    api_list_begin(api);
    for (size_t i = 0; i < rows.count; i++) {
        struct audit_shown event = audit_show(call, &rows.items[i]);
        write_event(call, &api->out, &event);
    }
    json_end(&api->out);
    int64_t limit = query.limit ? query.limit : AUDIT_LIMIT_DEFAULT;
    api_member_number(&api->out, "next_before", rows.count == (size_t)limit ? rows.items[rows.count - 1].id : 0);
    json_end(&api->out);
    return OK;
}

const struct api_operation api_audit_list = {
    .id = "auditList",
    .summary = "What happened to the person's account and connections, newest first; next_before goes on.",
    .parameters = filters,
    .n_parameters = N_LIST_FILTERS,
    .answer = "{\"type\":\"object\",\"properties\":{\"items\":{\"type\":\"array\",\"items\":" EVENT_SCHEMA
              "},\"next_before\":{\"type\":[\"integer\",\"null\"]}},\"required\":[\"items\",\"next_before\"]}",
    .status = 200,
    .run = list,
};

/* ---- export */

/* A spreadsheet takes what begins with one of these for a formula. */
static void add_cell(struct buf *buf, struct str text)
{
    bool is_formula = text.len && str_find_char(STR("=+-@\t\r"), text.ptr[0]) != STR_NOT_FOUND;
    buf_add(buf, is_formula ? STR("\"'") : STR("\""));
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"')
            buf_add_char(buf, '"');
        buf_add_char(buf, text.ptr[i]);
    }
    buf_add_char(buf, '"');
}

/* As `porteiro audit export` writes it: an empty cell where there is none. */
static void add_id(struct buf *buf, int64_t id)
{
    if (id)
        buf_add_i64(buf, id);
    buf_add_char(buf, ',');
}

static void add_csv(struct call *call, struct buf *buf, const struct audit_shown *event)
{
    char at[CLOCK_TEXT_BYTES];
    clock_format(event->at_ms, at); /* "2026-11-22 16:00:00.000" */
    at[10] = 'T';
    buf_add_format(buf, "%lld,%sZ,", (long long)event->id, at);
    add_cell(buf, event->action);
    buf_add_char(buf, ',');
    add_id(buf, event->connection_id);
    add_id(buf, event->token_id);
    add_cell(buf, event->data_json);
    buf_add(buf, STR("\r\n"));
    (void)call;
}

static void add_json_line(struct call *call, struct buf *buf, const struct audit_shown *event)
{
    struct json_writer w;
    json_write_init(&w, buf);
    write_event(call, &w, event);
    buf_add_char(buf, '\n');
}

static int export(struct call *call, struct api *api)
{
    struct audit_query query;
    struct audit_rows rows;
    struct str format = api_query(call, api, "format");
    bool is_csv = format.ptr && str_eq(format, STR("csv"));
    size_t written = 0;
    int error = read_query(call, api, &query);
    query.limit = AUDIT_LIMIT_MAX;
    if (is_csv)
        buf_add(&api->answer, STR("id,at,action,connection_id,token_id,data\r\n"));
    do {
        error = error ? error : audit_list(call, &query, &rows);
        for (size_t i = 0; !error && i < rows.count; i++) {
            struct audit_shown event = audit_show(call, &rows.items[i]);
            (is_csv ? add_csv : add_json_line)(call, &api->answer, &event);
            query.before_id = event.id;
        }
        written += error ? 0 : rows.count;
    } while (!error && rows.count == AUDIT_LIMIT_MAX && written < EXPORT_ROWS_MAX);
    api->content_type = is_csv ? STR("text/csv; charset=utf-8") : STR("application/jsonl; charset=utf-8");
    http_answer_header(api->exchange, STR("Content-Disposition"),
                       is_csv ? STR("attachment; filename=\"audit.csv\"")
                              : STR("attachment; filename=\"audit.jsonl\""));
    return error;
}

const struct api_operation api_audit_export = {
    .id = "auditExport",
    .summary = "The same as a file, at most 10,000 events, as JSON lines or CSV.",
    .parameters = filters,
    .n_parameters = N_EXPORT_FILTERS,
    .status = 200,
    .run = export,
};

/* ---- usage */

static void write_known(struct json_writer *w, const char *key, int64_t known, int64_t value)
{
    if (known)
        json_member_i64(w, key, value);
    else
        json_member_null(w, key);
}

static int usage(struct call *call, struct api *api)
{
    struct audit_counts counts;
    int64_t days = api_query_number(call, api, "days");
    /* Whole days, as they are told: the sum is then that of the days. */
    int64_t since_ms = (clock_now_ms() / DAY_MS - ((days ? days : USAGE_DAYS) - 1)) * DAY_MS;
    struct str by = api_query(call, api, "by");
    bool by_token = by.ptr && str_eq(by, STR("token"));
    int error = store_audit_count(call, api->person.user_id, since_ms, by_token, &counts);
    if (error)
        return error;
    api_list_begin(api);
    for (size_t i = 0; i < counts.count; i++) {
        const struct audit_count *count = &counts.items[i];
        json_object(&api->out);
        json_member_str(&api->out, "day", count->day);
        api_member_number(&api->out, "connection_id", count->connection_id);
        api_member_number(&api->out, "token_id", count->token_id);
        json_member_str(&api->out, "action", count->action);
        json_member_str(&api->out, "outcome", count->outcome);
        json_member_i64(&api->out, "count", count->count);
        write_known(&api->out, "ms_total", count->timed, count->ms_total);
        write_known(&api->out, "ms_max", count->timed, count->ms_max);
        write_known(&api->out, "ms_p95", count->timed, count->ms_p95);
        write_known(&api->out, "bytes_total", count->sized, count->bytes_total);
        json_end(&api->out);
    }
    api_list_end(api);
    return OK;
}

static const struct api_parameter usage_parameters[] = {
    {"days", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":366}",
     "How many days of UTC, today among them: 1 to 366."},
    {"by", "{\"type\":\"string\",\"enum\":[\"tool\",\"token\"]}",
     "tool: by day, connection and tool; token: by connection and token."},
};

const struct api_operation api_usage_show = {
    .id = "usageShow",
    .summary = "How often which tool came to which outcome, how long that took (milliseconds: all together, the "
               "longest, and what 95 of 100 took at most) and how much text the model got (bytes), by day (UTC) and "
               "connection; or the same by token.",
    .parameters = usage_parameters,
    .n_parameters = ARRAY_LENGTH(usage_parameters),
    .answer =
        API_LIST_SCHEMA("{\"type\":\"object\",\"properties\":{\"day\":" API_TEXT
                        ",\"connection_id\":{\"type\":[\"integer\",\"null\"]},\"token_id\":{\"type\":[\"integer\","
                        "\"null\"]},\"action\":" API_TEXT ",\"outcome\":" API_TEXT ",\"count\":" API_INTEGER
                        ",\"ms_total\":{\"type\":[\"integer\",\"null\"]},\"ms_max\":{\"type\":[\"integer\",\"null\"]}"
                        ",\"ms_p95\":{\"type\":[\"integer\",\"null\"]},\"bytes_total\":{\"type\":[\"integer\",\"null\"]"
                        "}},\"required\":[\"day\",\"action\","
                        "\"outcome\",\"count\"]}"),
    .status = 200,
    .run = usage,
};

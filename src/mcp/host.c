/* What a provider asks of the protocol, in both eras. */
#include "mcp/host.h"

#include "json/json_write.h"
#include "mcp/ask.h"
#include "mcp/bus.h"
#include "mcp/state.h"

/* ---- abilities */

unsigned mcp_abilities_read(const struct json *capabilities)
{
    unsigned abilities = 0;
    const struct json *elicitation = json_get(capabilities, STR("elicitation"));
    if (json_is(elicitation, JSON_OBJECT)) {
        bool form = json_is(json_get(elicitation, STR("form")), JSON_OBJECT);
        bool url = json_is(json_get(elicitation, STR("url")), JSON_OBJECT);
        abilities |= (url ? HOST_URL : 0) | (form || !url ? HOST_FORM : 0); /* {} means forms */
    }
    if (json_is(json_get(capabilities, STR("sampling")), JSON_OBJECT))
        abilities |= HOST_SAMPLING;
    if (json_is(json_get(capabilities, STR("roots")), JSON_OBJECT))
        abilities |= HOST_ROOTS;
    if (json_is(json_get(json_get(capabilities, STR("extensions")), STR(MCP_EXTENSION_TASKS)), JSON_OBJECT))
        abilities |= HOST_TASKS;
    return abilities;
}

struct str mcp_abilities_json(struct call *call, unsigned abilities)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, 256);
    json_write_init(&w, &text);
    json_object(&w);
    if (abilities & HOST_URL)
        json_member_raw(&w, "elicitation",
                        abilities & HOST_FORM ? STR("{\"form\":{},\"url\":{}}") : STR("{\"url\":{}}"));
    else if (abilities & HOST_FORM)
        json_member_raw(&w, "elicitation", STR("{}"));
    if (abilities & HOST_SAMPLING)
        json_member_raw(&w, "sampling", STR("{}"));
    if (abilities & HOST_ROOTS)
        json_member_raw(&w, "roots", STR("{}"));
    if (abilities & HOST_TASKS)
        json_member_raw(&w, "extensions", STR("{\"" MCP_EXTENSION_TASKS "\":{}}"));
    json_end(&w);
    return buf_str(&text);
}

static unsigned abilities_of(const struct host *base)
{
    const struct mcp_host *host = (const struct mcp_host *)base;
    return host->may_ask ? host->abilities : 0;
}

static int require(struct call *call, struct host *base, unsigned abilities)
{
    struct mcp_host *host = (struct mcp_host *)base;
    unsigned lacking = abilities & ~abilities_of(base);
    if (!lacking)
        return OK;
    host->lacking |= lacking;
    return fail(call, E_DENIED, "This needs a client that can be asked (%.*s); yours did not say that it can.",
                STR_ARG(mcp_abilities_json(call, lacking)));
}

/* ---- ahead of the answer */

static const char *const levels[] = {"debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"};

int mcp_level_parse(struct str name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(levels); i++)
        if (str_eq(name, str_from(levels[i])))
            return (int)i;
    return -1;
}

static void begin_notification(struct call *call, struct buf *text, struct json_writer *w, const char *method)
{
    buf_init(text, call->arena, 4 * HOST_MESSAGE_MAX_BYTES);
    json_write_init(w, text);
    json_object(w);
    json_member_str(w, "jsonrpc", STR("2.0"));
    json_member_str(w, "method", str_from(method));
    json_key(w, STR("params"));
    json_object(w);
}

/* A client that has gone is noticed where the work waits next. */
static void send_notification(struct call *call, const struct mcp_host *host, struct json_writer *w)
{
    json_end(w);
    json_end(w);
    if (!buf_failed(w->buf) && host->request->outlet->send(call, host->request->outlet, buf_str(w->buf)))
        call_clear_error(call);
}

static void progress(struct call *call, struct host *base, int64_t done, int64_t total, struct str message)
{
    struct mcp_host *host = (struct mcp_host *)base;
    struct buf text;
    struct json_writer w;
    if (!host->progress_token_raw.len || !host->request->outlet || done <= host->last_progress)
        return;
    host->last_progress = done;
    begin_notification(call, &text, &w, "notifications/progress");
    json_member_raw(&w, "progressToken", host->progress_token_raw);
    json_member_i64(&w, "progress", done);
    if (total > 0)
        json_member_i64(&w, "total", total);
    if (message.len)
        json_member_str(&w, "message", str_sub(message, 0, HOST_MESSAGE_MAX_BYTES));
    send_notification(call, host, &w);
}

static void log_line(struct call *call, struct host *base, enum host_level level, struct str line)
{
    struct mcp_host *host = (struct mcp_host *)base;
    struct buf text;
    struct json_writer w;
    if (host->level < 0 || (int)level < host->level || !host->request->outlet)
        return;
    begin_notification(call, &text, &w, "notifications/message");
    json_member_str(&w, "level", str_from(levels[level]));
    json_member_str(&w, "logger", host->request->provider->key);
    json_member_str(&w, "data", str_sub(line, 0, HOST_MESSAGE_MAX_BYTES));
    send_notification(call, host, &w);
}

static void changed(struct host *base, enum host_change change, struct str uri)
{
    static const enum bus_topic topics[] = {
        [HOST_TOOLS_CHANGED] = BUS_TOOLS_CHANGED,
        [HOST_PROMPTS_CHANGED] = BUS_PROMPTS_CHANGED,
        [HOST_RESOURCES_CHANGED] = BUS_RESOURCES_CHANGED,
        [HOST_RESOURCE_UPDATED] = BUS_RESOURCE_UPDATED,
    };
    const struct mcp_host *host = (const struct mcp_host *)base;
    bus_publish(
        &(struct bus_event){.topic = topics[change], .connection_id = host->request->who->connection_id, .key = uri});
}

/* ---- questions */

struct str mcp_question_method(enum host_ability kind)
{
    return kind == HOST_SAMPLING ? STR("sampling/createMessage")
           : kind == HOST_ROOTS  ? STR("roots/list")
                                 : STR("elicitation/create");
}

/* What has not the shape of an answer is asked again. */
bool mcp_is_answer(enum host_ability kind, const struct json *answer)
{
    struct str action = json_str(json_get(answer, STR("action")));
    if (!json_is(answer, JSON_OBJECT))
        return false;
    if (kind == HOST_SAMPLING)
        return !json_is(json_get(answer, STR("content")), JSON_MISSING);
    if (kind == HOST_ROOTS)
        return json_is(json_get(answer, STR("roots")), JSON_ARRAY);
    return str_eq(action, STR("decline")) || str_eq(action, STR("cancel")) || str_eq(action, STR("accept"));
}

static void add_member(struct call *call, struct buf *members, struct str key, struct str value_json)
{
    if (members->len)
        buf_add_char(members, ',');
    buf_add(members, json_quote(call->arena, key));
    buf_add_char(members, ':');
    struct json_writer w;
    json_write_init(&w, members);
    json_raw_value(&w, value_json);
}

static bool find_answer(struct call *call, struct mcp_host *host, struct question *question)
{
    const struct json *answer = json_get(host->kept, question->key);
    if (json_is(answer, JSON_MISSING) && (host->nonce.len || !question->sealed))
        answer = json_get(host->responses, question->key);
    if (!mcp_is_answer(question->kind, answer))
        return false;
    question->answer = answer;
    add_member(call, &host->answers, question->key, json_raw(answer));
    return true;
}

static void add_question(struct call *call, struct mcp_host *host, const struct question *question)
{
    struct str params = question->params_json.len ? question->params_json : STR("{}");
    add_member(call, &host->asked, question->key,
               call_format(call, "{\"method\":\"%.*s\",\"params\":%.*s}", STR_ARG(mcp_question_method(question->kind)),
                           STR_ARG(params)));
    host->n_asked++;
}

static int ask_modern(struct call *call, struct mcp_host *host, struct question *questions, size_t n_questions)
{
    bool all = true;
    for (size_t i = 0; i < n_questions; i++) {
        if (find_answer(call, host, &questions[i]))
            continue;
        int error = require(call, &host->base, questions[i].kind);
        if (error)
            return error;
        add_question(call, host, &questions[i]);
        all = false;
    }
    if (all)
        return OK;
    if (host->round >= HOST_ROUNDS_MAX || host->n_asked > HOST_QUESTIONS_MAX)
        return fail(call, E_LIMIT, "This asks too much; it was given up.");
    host->waiting = true;
    return fail(call, E_WAITING, "The client was asked for what is needed to go on.");
}

static int ask_legacy(struct call *call, struct mcp_host *host, struct question *questions, size_t n_questions)
{
    if (!host->request->session || !host->request->outlet)
        return fail(call, E_DENIED,
                    "This needs to ask you something, and your client did not say in initialize that it can be asked "
                    "(elicitation or sampling), or did not send its Mcp-Session-Id.");
    for (size_t i = 0; i < n_questions; i++) {
        struct question *question = &questions[i];
        int error = require(call, &host->base, question->kind);
        if (!error)
            error = ask_client(call, host->request, mcp_question_method(question->kind), question->params_json,
                               &question->answer);
        if (error)
            return error;
        if (!mcp_is_answer(question->kind, question->answer))
            return fail(call, E_INVALID, "The client's answer is not one to the question '%.*s'.",
                        STR_ARG(question->key));
    }
    return OK;
}

static int ask(struct call *call, struct host *base, struct question *questions, size_t n_questions)
{
    struct mcp_host *host = (struct mcp_host *)base;
    if (!host->may_ask)
        return fail(call, E_DENIED, "Nothing can be asked here.");
    return host->modern ? ask_modern(call, host, questions, n_questions)
                        : ask_legacy(call, host, questions, n_questions);
}

static struct state_place place_of(const struct mcp_host *host)
{
    return (struct state_place){
        .holder = principal_holder(host->request->who),
        .method = host->request->message.method,
        .name = host->name,
        .arguments = host->sent,
    };
}

int mcp_host_write_questions(struct call *call, struct mcp_host *host, struct buf *out)
{
    struct state_place place = place_of(host);
    struct str sealed;
    int error = state_seal(call, &place,
                           call_format(call, "{\"round\":%lld,\"answers\":{%.*s}}", (long long)host->round + 1,
                                       STR_ARG(buf_str(&host->answers))),
                           &sealed);
    if (error)
        return error;
    buf_add(out, STR("\"inputRequests\":{"));
    buf_add(out, buf_str(&host->asked));
    buf_add(out, STR("},\"requestState\":\""));
    buf_add(out, sealed);
    buf_add_char(out, '"');
    if (buf_failed(&host->asked) || buf_failed(&host->answers))
        return fail(call, E_LIMIT, "The questions and answers are too long to go on with.");
    return OK;
}

/* ---- one request */

const struct host_functions mcp_host_functions = {
    .progress = progress,
    .log = log_line,
    .abilities = abilities_of,
    .require = require,
    .ask = ask,
    .confirm = confirm_action,
    .agree = confirm_agree,
    .changed = changed,
    .change_begin = host_change_keep,
    .change_end = host_change_settle,
    .change_get = host_change_find,
    .change_list = host_change_page,
    .lease = host_lease_take,
    .hold = host_lease_hold,
    .start_job = background_start,
    .tell_job = background_tell,
    .stop_job = background_stop,
    .upload_link = host_upload_link_make,
};

static int read_state(struct call *call, struct mcp_host *host)
{
    const struct json *params = host->request->message.params, *state = json_get(params, STR("requestState")), *plain;
    struct state_place place = place_of(host);
    struct str text;
    host->responses = json_get(params, STR("inputResponses"));
    if (!json_is(host->responses, JSON_MISSING) && !json_is(host->responses, JSON_OBJECT))
        return fail(call, E_INVALID, "\"inputResponses\" must be an object.");
    if (json_is(state, JSON_MISSING))
        return OK;
    if (!json_is(state, JSON_STRING))
        return fail(call, E_INVALID, "\"requestState\" must be a string.");
    int error = state_open(call, &place, json_str(state), &text, &host->nonce);
    if (error)
        return error;
    if (json_parse(call->arena, text, NULL, &plain, NULL) != OK)
        return fail(call, E_INTERNAL, "The kept answers cannot be read.");
    host->kept = json_get(plain, STR("answers"));
    host->round = json_i64_or(json_get(plain, STR("round")), 0);
    return OK;
}

static int read_meta(struct call *call, struct mcp_host *host)
{
    const struct json *meta = json_get(host->request->message.params, STR("_meta"));
    const struct json *token = json_get(meta, STR("progressToken"));
    const struct json *level = json_get(meta, STR("io.modelcontextprotocol/logLevel"));
    if ((json_is(token, JSON_STRING) || json_is(token, JSON_NUMBER)) && json_raw(token).len <= 1024)
        host->progress_token_raw = json_raw(token);
    if (!host->modern) {
        const struct mcp_session *session = host->request->session;
        host->abilities = session ? session->abilities : 0;
        host->level = session ? session_level(session) : HOST_INFO;
        return OK;
    }
    host->abilities = mcp_abilities_read(json_get(meta, STR("io.modelcontextprotocol/clientCapabilities")));
    if (json_is(level, JSON_MISSING))
        return OK;
    host->level = mcp_level_parse(json_str(level));
    if (host->level < 0)
        return fail(call, E_INVALID,
                    "io.modelcontextprotocol/logLevel must be debug, info, notice, warning, error, critical, alert or "
                    "emergency.");
    return OK;
}

int mcp_host_init(struct call *call, struct mcp_host *host, const struct mcp_request *request, bool modern,
                  struct str name, const struct json *arguments)
{
    const struct json *missing = json_at(request->message.params, 0); /* of an object: nothing */
    struct str method = request->message.method;
    *host = (struct mcp_host){
        .base = {&mcp_host_functions},
        .request = request,
        .modern = modern,
        .name = name,
        .arguments = arguments,
        .bound = arguments,
        .sent = arguments,
        .level = -1,
        .last_progress = -1,
        .responses = missing,
        .kept = missing,
    };
    host->may_ask = str_eq(method, STR("tools/call")) || str_eq(method, STR("prompts/get")) ||
                    str_eq(method, STR("resources/read"));
    buf_init(&host->asked, call->arena, HOST_ANSWER_MAX_BYTES);
    buf_init(&host->answers, call->arena, HOST_ANSWER_MAX_BYTES);
    int error = read_meta(call, host);
    if (!error && modern && host->may_ask)
        error = read_state(call, host);
    return error;
}

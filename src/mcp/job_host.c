/* The host of a job's step. */
#include "mcp/job_host.h"

#include "json/json_write.h"
#include "mcp/host.h"

struct job_host {
    struct mcp_host mcp; /* as of a request that nobody waits for */
    struct mcp_request request;
    struct jobs_run *run;
};

static struct job_host *self_of(const struct host *base)
{
    return (struct job_host *)base;
}

/* How far a job is, its saved steps say. */
static void progress(struct call *call, struct host *base, int64_t done, int64_t total, struct str message)
{
    (void)call;
    (void)base;
    (void)done;
    (void)total;
    (void)message;
}

static void log_line(struct call *call, struct host *base, enum host_level level, struct str line)
{
    (void)call;
    (void)base;
    (void)level;
    (void)line;
}

static unsigned abilities(const struct host *base)
{
    return self_of(base)->run->abilities;
}

static int require(struct call *call, struct host *base, unsigned wanted)
{
    unsigned lacking = wanted & ~abilities(base);
    if (!lacking)
        return OK;
    return fail(call, E_DENIED, "This needs a client that can be asked (%.*s); yours did not say that it can.",
                STR_ARG(mcp_abilities_json(call, lacking)));
}

static void add_question(struct jobs_run *run, const struct question *question)
{
    struct json_writer w;
    if (run->asked.len)
        buf_add_char(&run->asked, ',');
    json_write_init(&w, &run->asked);
    json_object(&w);
    json_member_str(&w, "key", question->key);
    json_member_i64(&w, "kind", question->kind);
    json_member_raw(&w, "params", question->params_json.len ? question->params_json : STR("{}"));
    json_end(&w);
}

static int ask(struct call *call, struct host *base, struct question *questions, size_t n_questions)
{
    struct jobs_run *run = self_of(base)->run;
    bool all = true;
    for (size_t i = 0; i < n_questions; i++) {
        const struct json *answer = json_get(run->answers, questions[i].key);
        if (mcp_is_answer(questions[i].kind, answer)) {
            questions[i].answer = answer;
            continue;
        }
        int error = require(call, base, questions[i].kind);
        if (error)
            return error;
        add_question(run, &questions[i]);
        all = false;
    }
    return all ? OK : fail(call, E_WAITING, "The client was asked for what is needed to go on.");
}

static int confirm(struct call *call, struct host *base, struct str what, bool for_good)
{
    (void)base;
    (void)for_good;
    (void)what;
    return fail(call, E_INTERNAL, "What a job does has to be confirmed before it begins.");
}

static int start_job(struct call *call, struct host *base, const struct job_new *job, struct tool_result *result)
{
    (void)base;
    (void)job;
    (void)result;
    return fail(call, E_INTERNAL, "A job begins no other.");
}

struct host *job_host_open(struct call *call, struct jobs_run *run)
{
    static struct host_functions functions;
    struct job_host *host = arena_new_of(call->arena, struct job_host);
    if (!functions.ask) {
        functions = mcp_host_functions;
        functions.progress = progress;
        functions.log = log_line;
        functions.abilities = abilities;
        functions.require = require;
        functions.ask = ask;
        functions.confirm = confirm;
        functions.agree = NULL; /* a person agrees before it begins */
        functions.start_job = start_job;
    }
    host->run = run;
    host->request = (struct mcp_request){.who = run->who, .provider = run->provider};
    host->mcp.base.functions = &functions;
    host->mcp.request = &host->request;
    host->mcp.name = run->kind->name;
    host->mcp.arguments = run->step->arguments;
    host->mcp.level = -1;
    return &host->mcp.base;
}

void job_host_close(struct call *call, struct host *base)
{
    mcp_host_give_leases_back(call, &self_of(base)->mcp);
}

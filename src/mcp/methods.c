/* The table of methods that both eras have. */
#include "mcp/methods.h"

#include "base/metrics.h"
#include "accounts/connections.h"
#include "base/log.h"
#include "limits/quota.h"
#include "mcp/tools.h"
#include "messages/messages.h"

#include <stdlib.h>

static bool has_resources(const struct provider *provider)
{
    return provider->resources != NULL;
}

static bool has_prompts(const struct provider *provider)
{
    return provider->n_prompts > 0;
}

static bool has_completions(const struct provider *provider)
{
    for (size_t i = 0; i < provider->n_prompts; i++)
        for (size_t k = 0; k < provider->prompts[i].n_arguments; k++)
            if (provider->prompts[i].arguments[k].complete)
                return true;
    for (size_t i = 0; provider->resources && i < provider->resources->n_templates; i++)
        if (provider->resources->templates[i].complete)
            return true;
    return false;
}

static bool has_jobs(const struct provider *provider)
{
    return provider->n_jobs > 0;
}

static const struct method methods[] = {
    {STR_INIT("tools/list"), NULL, false, LIST_TTL_MS, NULL, tools_list_write},
    {STR_INIT("tools/call"), "name", true, NO_CACHE_HINT, NULL, tools_call_write},
    {STR_INIT("resources/list"), NULL, true, LIST_TTL_MS, has_resources, resources_list_write},
    {STR_INIT("resources/templates/list"), NULL, false, LIST_TTL_MS, has_resources, resources_templates_write},
    {STR_INIT("resources/read"), "uri", true, 0, has_resources, resources_read_write},
    {STR_INIT("prompts/list"), NULL, false, LIST_TTL_MS, has_prompts, prompts_list_write},
    {STR_INIT("prompts/get"), "name", true, NO_CACHE_HINT, has_prompts, prompts_get_write},
    {STR_INIT("completion/complete"), NULL, true, NO_CACHE_HINT, has_completions, completion_write},
    {STR_INIT("tasks/get"), "taskId", false, NO_CACHE_HINT, has_jobs, tasks_get_write, true},
    {STR_INIT("tasks/update"), "taskId", false, NO_CACHE_HINT, has_jobs, tasks_update_write, true},
    {STR_INIT("tasks/cancel"), "taskId", false, NO_CACHE_HINT, has_jobs, tasks_cancel_write, true},
};

const struct method *method_find(struct str name, const struct provider *provider, bool modern)
{
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++)
        if (str_eq(methods[i].name, name) && (!methods[i].exists || methods[i].exists(provider)) &&
            (modern || !methods[i].modern_only))
            return &methods[i];
    return NULL;
}

bool method_is_known(struct str name)
{
    static const struct str others[] = {STR_INIT("initialize"),           STR_INIT("ping"),
                                        STR_INIT("server/discover"),      STR_INIT("subscriptions/listen"),
                                        STR_INIT("logging/setLevel"),     STR_INIT("resources/subscribe"),
                                        STR_INIT("resources/unsubscribe")};
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++)
        if (str_eq(methods[i].name, name))
            return true;
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        if (str_eq(others[i], name))
            return true;
    return false;
}

static void write_capability(struct json_writer *w, const char *name, bool list_changes, bool subscribe)
{
    json_key(w, str_from(name));
    json_object(w);
    if (subscribe)
        json_member_bool(w, "subscribe", true);
    if (list_changes)
        json_member_bool(w, "listChanged", true);
    json_end(w);
}

static void write_capabilities(const struct provider *provider, bool streams, struct buf *out)
{
    struct json_writer w;
    unsigned features = provider->features, changes = streams ? features : 0;
    json_write_init(&w, out);
    json_object(&w);
    write_capability(&w, "tools", changes & PROVIDER_TOOLS_CHANGE, false);
    if (has_resources(provider))
        write_capability(&w, "resources", changes & PROVIDER_RESOURCES_CHANGE,
                         changes & PROVIDER_RESOURCE_UPDATES || (!streams && features & PROVIDER_LEGACY_SUBSCRIBE));
    if (has_prompts(provider))
        write_capability(&w, "prompts", changes & PROVIDER_PROMPTS_CHANGE, false);
    if (has_completions(provider))
        json_member_raw(&w, "completions", STR("{}"));
    if (features & PROVIDER_LOGS)
        json_member_raw(&w, "logging", STR("{}"));
    if (has_jobs(provider) && streams)
        json_member_raw(&w, "extensions", STR("{\"" MCP_EXTENSION_TASKS "\":{}}"));
    json_end(&w);
}

/* Every client asks for it first, and it is the same for all of one provider: kept for the life of the process. */
struct introduction {
    struct introduction *next;
    const struct provider *provider;
    bool streams;
    struct buf text;
};
static struct introduction *introductions;

enum { INTRODUCTION_BYTES_MAX = 16 * 1024 };

static void write_introduction(struct call *call, const struct provider *provider, bool streams, struct buf *out)
{
    buf_add(out, STR("\"capabilities\":"));
    write_capabilities(provider, streams, out);
    if (!provider->instructions.len)
        return;
    buf_add(out, STR(",\"instructions\":"));
    buf_add(out, json_quote(call->arena, provider->instructions));
}

static void keep_introduction(const struct provider *provider, bool streams, struct str text)
{
    struct introduction *kept = calloc(1, sizeof *kept);
    if (!kept)
        return;
    *kept = (struct introduction){introductions, provider, streams};
    buf_init_heap(&kept->text, INTRODUCTION_BYTES_MAX);
    buf_add(&kept->text, text);
    if (!buf_failed(&kept->text)) {
        introductions = kept;
        return;
    }
    buf_done(&kept->text);
    free(kept);
}

void methods_introduce(struct call *call, const struct provider *provider, bool streams, struct buf *out)
{
    struct introduction *kept = introductions;
    while (kept && (kept->provider != provider || kept->streams != streams))
        kept = kept->next;
    if (kept) {
        buf_add(out, buf_str(&kept->text));
        return;
    }
    size_t before = out->len;
    write_introduction(call, provider, streams, out);
    if (!buf_failed(out))
        keep_introduction(provider, streams, str_from_offset(buf_str(out), before));
}

int method_error_code(const struct mcp_host *host, int error)
{
    if (host->code)
        return host->code;
    return error == E_INVALID || error == E_NOT_FOUND ? RPC_INVALID_PARAMS : RPC_INTERNAL_ERROR;
}

struct tool_context method_context(struct call *call, struct mcp_host *host)
{
    const struct principal *who = host->request->who;
    return (struct tool_context){.site = &who->site,
                                 .rights = who->rights,
                                 .file = host->file,
                                 .host = &host->base,
                                 .messages = messages_of(call, &who->site, who->token_id, principal_holder(who)),
                                 .wants_structured = who->options & OPTION_STRUCTURED};
}

void method_write_text(struct json_writer *w, const char *name, struct str text)
{
    if (text.len)
        json_member_str(w, name, text);
}

/* What is over a limit is refused before anything is done. A local client by stdio is the operator's own. */
static int take_quota(struct call *call, struct mcp_host *host, struct quota_pass **ret)
{
    const struct mcp_request *request = host->request;
    if (!request->http)
        return OK;
    bool writes = str_eq(request->message.method, STR("tools/call")) && tools_writes(request->provider, host->name);
    int error = quota_begin(call, request->who->token_id, request->who->user_id, writes, ret, &host->retry_after_s);
    if (!error)
        return OK;
    host->code = RPC_TOO_MANY;
    host->data_json = call_format(call, "{\"retryAfterSeconds\":%lld}", (long long)host->retry_after_s);
    return error;
}

void method_stop_connection(struct call *call, const struct principal *who)
{
    struct call rest = *call;
    rest.cancelled = false;
    rest.deadline_ms = clock_monotonic_ms() + RECORD_MS;
    if (connections_refused(&rest, &who->site, call->error_text) != OK)
        log_error("call %s: connection %lld is refused by its service, but could not be stopped: %.*s", call->id,
                  (long long)who->connection_id, STR_ARG(rest.error_text));
}

int method_run(struct call *call, const struct method *method, struct mcp_host *host, const struct mcp_request *request,
               bool modern, struct buf *out)
{
    const struct json *params = request->message.params;
    struct str name = method->named_by ? json_str(json_get(params, str_from(method->named_by))) : STR_EMPTY;
    struct quota_pass *pass = NULL;
    int error = mcp_host_init(call, host, request, modern, name, json_get(params, STR("arguments")));
    if (!error && method->is_counted)
        error = take_quota(call, host, &pass);
    if (!error)
        error = method->write(call, host, out);
    quota_end(pass);
    metric_count(METRIC_METHODS, method->name, modern ? STR("modern") : STR("legacy"),
                 error ? str_from(error_name(error)) : STR("ok"));
    if (error == E_REFUSED)
        method_stop_connection(call, request->who);
    return error;
}

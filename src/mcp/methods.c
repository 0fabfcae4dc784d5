/* The table of methods that both eras have. */
#include "mcp/methods.h"

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

static const struct method methods[] = {
    {STR_INIT("tools/list"), NULL, LIST_TTL_MS, NULL, tools_list_write},
    {STR_INIT("tools/call"), "name", NO_CACHE_HINT, NULL, tools_call_write},
    {STR_INIT("resources/list"), NULL, LIST_TTL_MS, has_resources, resources_list_write},
    {STR_INIT("resources/templates/list"), NULL, LIST_TTL_MS, has_resources, resources_templates_write},
    {STR_INIT("resources/read"), "uri", 0, has_resources, resources_read_write},
    {STR_INIT("prompts/list"), NULL, LIST_TTL_MS, has_prompts, prompts_list_write},
    {STR_INIT("prompts/get"), "name", NO_CACHE_HINT, has_prompts, prompts_get_write},
    {STR_INIT("completion/complete"), NULL, NO_CACHE_HINT, has_completions, completion_write},
};

const struct method *method_find(struct str name, const struct provider *provider)
{
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++)
        if (str_eq(methods[i].name, name) && (!methods[i].exists || methods[i].exists(provider)))
            return &methods[i];
    return NULL;
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

void methods_write_capabilities(const struct provider *provider, bool streams, struct buf *out)
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
    json_end(&w);
}

int method_error_code(const struct mcp_host *host, int error)
{
    if (host->code)
        return host->code;
    return error == E_INVALID || error == E_NOT_FOUND ? RPC_INVALID_PARAMS : RPC_INTERNAL_ERROR;
}

struct tool_context method_context(struct mcp_host *host)
{
    const struct principal *who = host->request->who;
    return (struct tool_context){.site = &who->site, .rights = who->rights, .host = &host->base};
}

void method_write_text(struct json_writer *w, const char *name, struct str text)
{
    if (text.len)
        json_member_str(w, name, text);
}

int method_run(struct call *call, const struct method *method, struct mcp_host *host, const struct mcp_request *request,
               bool modern, struct buf *out)
{
    const struct json *params = request->message.params;
    struct str name = method->named_by ? json_str(json_get(params, str_from(method->named_by))) : STR_EMPTY;
    int error = mcp_host_init(call, host, request, modern, name, json_get(params, STR("arguments")));
    return error ? error : method->write(call, host, out);
}

/* prompts/list, prompts/get, and completion/complete of their arguments and of resource templates. */
#include "audit/audit.h"
#include "base/log.h"
#include "mcp/methods.h"
#include "mcp/redact.h"

enum { ARGUMENT_MAX_BYTES = 64 * 1024, TYPED_MAX_BYTES = 1024 };

static bool may_use(const struct prompt *prompt, unsigned rights)
{
    return prompt->needs_any == 0 || (prompt->needs_any & rights) != 0;
}

static void write_prompt(struct json_writer *w, const struct prompt *prompt)
{
    json_object(w);
    json_member_str(w, "name", prompt->name);
    method_write_text(w, "title", prompt->title);
    method_write_text(w, "description", prompt->description);
    if (prompt->icons_json.len)
        json_member_raw(w, "icons", prompt->icons_json);
    if (prompt->n_arguments) {
        json_key(w, STR("arguments"));
        json_array(w);
        for (size_t i = 0; i < prompt->n_arguments; i++) {
            const struct prompt_argument *argument = &prompt->arguments[i];
            json_object(w);
            json_member_str(w, "name", argument->name);
            method_write_text(w, "title", argument->title);
            method_write_text(w, "description", argument->description);
            json_member_bool(w, "required", argument->required);
            json_end(w);
        }
        json_end(w);
    }
    json_end(w);
}

int prompts_list_write(struct call *call, struct mcp_host *host, struct buf *out)
{
    const struct provider *provider = host->request->provider;
    const struct json *cursor = json_get(host->request->message.params, STR("cursor"));
    struct json_writer w;
    if (!json_is(cursor, JSON_MISSING) && !json_is(cursor, JSON_NULL))
        return fail(call, E_INVALID, "There is no page with this cursor.");
    buf_add(out, STR("\"prompts\":"));
    json_write_init(&w, out);
    json_array(&w);
    for (size_t i = 0; i < provider->n_prompts; i++)
        if (may_use(&provider->prompts[i], host->request->who->rights))
            write_prompt(&w, &provider->prompts[i]);
    json_end(&w);
    return OK;
}

static const struct prompt *find_prompt(const struct provider *provider, unsigned rights, struct str name)
{
    for (size_t i = 0; i < provider->n_prompts; i++)
        if (str_eq(provider->prompts[i].name, name) && may_use(&provider->prompts[i], rights))
            return &provider->prompts[i];
    return NULL;
}

bool prompts_has(const struct provider *provider, struct str name)
{
    for (size_t i = 0; i < provider->n_prompts; i++)
        if (str_eq(provider->prompts[i].name, name))
            return true;
    return false;
}

static const struct prompt_argument *find_argument(const struct prompt *prompt, struct str name)
{
    for (size_t i = 0; i < prompt->n_arguments; i++)
        if (str_eq(prompt->arguments[i].name, name))
            return &prompt->arguments[i];
    return NULL;
}

static int check_arguments(struct call *call, const struct prompt *prompt, const struct json *arguments)
{
    if (!json_is(arguments, JSON_OBJECT) && !json_is(arguments, JSON_MISSING))
        return fail(call, E_INVALID, "\"arguments\" must be an object.");
    for (size_t i = 0; i < json_count(arguments); i++) {
        struct json_member member = json_member_at(arguments, i);
        if (!find_argument(prompt, member.name))
            return fail(call, E_INVALID, "The prompt '%.*s' has no argument '%.*s'.", STR_ARG(prompt->name),
                        STR_ARG(str_sub(member.name, 0, 100)));
        if (!json_is(member.value, JSON_STRING) || json_str(member.value).len > ARGUMENT_MAX_BYTES)
            return fail(call, E_INVALID, "The argument '%.*s' must be a string of at most %d bytes.",
                        STR_ARG(member.name), ARGUMENT_MAX_BYTES);
    }
    for (size_t i = 0; i < prompt->n_arguments; i++)
        if (prompt->arguments[i].required && json_is(json_get(arguments, prompt->arguments[i].name), JSON_MISSING))
            return fail(call, E_INVALID, "The prompt '%.*s' needs the argument '%.*s'.", STR_ARG(prompt->name),
                        STR_ARG(prompt->arguments[i].name));
    return OK;
}

static void record(struct call *call, const struct mcp_host *host, const struct prompt *prompt, int error)
{
    const struct principal *who = host->request->who;
    struct buf data;
    struct json_writer w;
    buf_init(&data, call->arena, 64 * 1024);
    json_write_init(&w, &data);
    json_object(&w);
    audit_write_origin(&w, call);
    json_member_str(&w, "outcome", str_from(error_name(error)));
    json_member_str(&w, "prompt", prompt->name);
    json_member_raw(&w, "arguments", redact_of(call, host->request->provider, host->arguments));
    json_end(&w);
    audit_later(&(struct audit_event){
        .user_id = who->user_id,
        .connection_id = who->connection_id,
        .token_id = who->token_id,
        .action = STR("prompt.get"),
        .data_json = buf_str(&data),
    });
}

int prompts_get_write(struct call *call, struct mcp_host *host, struct buf *out)
{
    const struct prompt *prompt = find_prompt(host->request->provider, host->request->who->rights, host->name);
    struct prompt_result result = {0};
    struct tool_context context = method_context(call, host);
    if (!prompt)
        return fail(call, E_INVALID, "There is no prompt '%.*s'. prompts/list names those there are.",
                    STR_ARG(str_sub(host->name, 0, 100)));
    int error = check_arguments(call, prompt, host->arguments);
    if (error)
        return error;
    buf_init(&result.messages, call->arena, ANSWER_MAX_BYTES);
    error = prompt->render(call, &context, host->arguments, &result);
    if (!error && buf_failed(&result.messages))
        error = fail(call, E_LIMIT, "The prompt is too large.");
    record(call, host, prompt, error);
    if (error)
        return error;
    struct str description = result.description.len ? result.description : prompt->description;
    if (description.len) {
        buf_add(out, STR("\"description\":"));
        buf_add(out, json_quote(call->arena, description));
        buf_add_char(out, ',');
    }
    buf_add(out, STR("\"messages\":["));
    buf_add(out, buf_str(&result.messages));
    buf_add_char(out, ']');
    return OK;
}

/* --- completion ---------------------------------------------------------------------------------------------------------- */

static int complete_prompt(struct call *call, struct mcp_host *host, struct str name, struct str argument,
                           struct str typed, const struct json *others, struct completion *ret)
{
    const struct prompt *prompt = find_prompt(host->request->provider, host->request->who->rights, name);
    struct tool_context context = method_context(call, host);
    if (!prompt)
        return fail(call, E_INVALID, "There is no prompt '%.*s'.", STR_ARG(str_sub(name, 0, 100)));
    const struct prompt_argument *found = find_argument(prompt, argument);
    if (!found)
        return fail(call, E_INVALID, "The prompt '%.*s' has no argument '%.*s'.", STR_ARG(prompt->name),
                    STR_ARG(str_sub(argument, 0, 100)));
    return found->complete ? found->complete(call, &context, typed, others, ret) : OK;
}

static int complete_template(struct call *call, struct mcp_host *host, struct str uri, struct str variable,
                             struct str typed, const struct json *others, struct completion *ret)
{
    const struct resources *resources = host->request->provider->resources;
    struct tool_context context = method_context(call, host);
    for (size_t i = 0; resources && i < resources->n_templates; i++) {
        const struct resource_template *template = &resources->templates[i];
        if (str_eq(template->uri_template, uri))
            return template->complete ? template->complete(call, &context, variable, typed, others, ret) : OK;
    }
    return fail(call, E_INVALID, "There is no resource template '%.*s'.", STR_ARG(str_sub(uri, 0, 200)));
}

static void write_completion(const struct completion *completion, struct buf *out)
{
    struct json_writer w;
    int64_t total = completion->total;
    buf_add(out, STR("\"completion\":"));
    json_write_init(&w, out);
    json_object(&w);
    json_key(&w, STR("values"));
    json_array(&w);
    for (size_t i = 0; i < completion->n_values; i++)
        json_string(&w, completion->values[i]);
    json_end(&w);
    if (total == 0 && !completion->has_more)
        total = (int64_t)completion->n_values;
    if (total > 0 || !completion->has_more)
        json_member_i64(&w, "total", total);
    json_member_bool(&w, "hasMore", completion->has_more || total > (int64_t)completion->n_values);
    json_end(&w);
}

int completion_write(struct call *call, struct mcp_host *host, struct buf *out)
{
    const struct json *params = host->request->message.params, *ref = json_get(params, STR("ref"));
    const struct json *name = json_path(params, "argument.name"), *typed = json_path(params, "argument.value");
    const struct json *others = json_path(params, "context.arguments");
    struct str type = json_str(json_get(ref, STR("type")));
    struct completion *completion = arena_new_of(call->arena, struct completion);
    if (!json_is(name, JSON_STRING) || !json_is(typed, JSON_STRING) || json_str(typed).len > TYPED_MAX_BYTES)
        return fail(call, E_INVALID, "\"argument\" must be an object with \"name\" and \"value\", strings both.");
    int error;
    if (str_eq(type, STR("ref/prompt")))
        error = complete_prompt(call, host, json_str(json_get(ref, STR("name"))), json_str(name), json_str(typed),
                                others, completion);
    else if (str_eq(type, STR("ref/resource")))
        error = complete_template(call, host, json_str(json_get(ref, STR("uri"))), json_str(name), json_str(typed),
                                  others, completion);
    else
        error = fail(call, E_INVALID, "\"ref\" must have the type ref/prompt or ref/resource.");
    if (!error)
        write_completion(completion, out);
    return error;
}

/* wa_templates: listed, and on the Cloud API made and deleted. */
#include "providers/whatsapp/tools.h"

enum { BODY_SHOWN_BYTES = 200 };

static int list(struct call *call, const struct wa *wa, struct str search, struct tool_result *result)
{
    struct message_template *items = arena_array_of(call->arena, struct message_template, WA_ITEMS_MAX);
    size_t n = 0, shown = 0;
    int error = wa->backend->templates(call, wa, items, &n);
    for (size_t i = 0; !error && i < n; i++) {
        if (search.len && !str_contains_nocase(items[i].name, search) && !str_contains_nocase(items[i].body, search))
            continue;
        buf_add_format(
            &result->text, "%.*s\t%.*s\t%.*s\t%.*s\t%.*s\n", STR_ARG(items[i].name), STR_ARG(items[i].language),
            STR_ARG(items[i].status), STR_ARG(items[i].category),
            STR_ARG(str_sub(str_replace(call->arena, items[i].body, STR("\n"), STR(" ")), 0, BODY_SHOWN_BYTES)));
        shown++;
    }
    if (!error && !shown)
        buf_add(&result->text, STR("No templates."));
    return error;
}

static int change(struct call *call, const struct tool_context *context, const struct wa *wa, const struct json *create,
                  struct str remove, struct tool_result *result)
{
    struct str status = STR_EMPTY, name = remove.len ? remove : json_str(json_get(create, STR("name")));
    unsigned needed = remove.len ? RIGHT_DELETE : RIGHT_PUBLISH;
    if (!wa->backend->template_create)
        return fail(call, E_INVALID, "Templates are made and deleted with the Cloud API only.");
    if (!(context->rights & needed))
        return fail(call, E_DENIED, "This token may not do that: it needs the right %s.",
                    remove.len ? "delete" : "publish");
    if (!remove.len &&
        (!name.len || !json_str(json_get(create, STR("language"))).len ||
         !json_str(json_get(create, STR("category"))).len || !json_count(json_get(create, STR("components")))))
        return fail(call, E_INVALID, "create needs name, language, category and components.");
    int error = host_confirm_for_good(
        call, context->host,
        remove.len ? call_format(call, "delete the template %.*s of %.*s in all its languages", STR_ARG(name),
                                 STR_ARG(context->site->name))
                   : call_format(call, "give Meta the template %.*s of %.*s to approve: %.*s", STR_ARG(name),
                                 STR_ARG(context->site->name), STR_ARG(json_raw(create))));
    if (!error)
        error = remove.len ? wa->backend->template_delete(call, wa, name)
                           : wa->backend->template_create(call, wa, create, &status);
    if (error)
        return error;
    result->audit_json = call_format(call, "{\"template\":%.*s}", STR_ARG(json_quote(call->arena, name)));
    buf_add_format(&result->text, remove.len ? "%.*s is deleted." : "%.*s was handed in.", STR_ARG(name));
    if (status.len)
        buf_add_format(&result->text, " Status: %.*s.", STR_ARG(status));
    return OK;
}

int tool_wa_templates(struct call *call, const struct tool_context *context, const struct json *arguments,
                      struct tool_result *result)
{
    struct wa wa;
    int error = wa_open(call, context->site, context->messages, &wa);
    return error ? error : list(call, &wa, json_str(json_get(arguments, STR("q"))), result);
}

int tool_wa_template_edit(struct call *call, const struct tool_context *context, const struct json *arguments,
                          struct tool_result *result)
{
    struct wa wa;
    const struct json *create = json_get(arguments, STR("create"));
    struct str remove = json_str(json_get(arguments, STR("delete")));
    int error = wa_open(call, context->site, context->messages, &wa);
    if (!error && json_is(create, JSON_OBJECT) == (remove.len > 0))
        return fail(call, E_INVALID, "Give create or delete, one of them.");
    return error ? error : change(call, context, &wa, create, remove, result);
}

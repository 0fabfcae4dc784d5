/* wp_get: runs a reading operation. */
#include "providers/wordpress/operation_answer.h"
#include "providers/wordpress/operation_request.h"
#include "providers/wordpress/tools.h"

enum {
    CHARS_DEFAULT = 8000,
    CHARS_MIN = 100,
    CHARS_MAX = 60000,
    FIELDS_MAX = 40,
};

/*
 * What WordPress itself is asked to leave out. Lists are cut there, so that less travels. The core's themes write when their
 * links are made (a record of the active theme's styles), so their fields are always named.
 */
static int add_fields(struct call *call, struct operation_request *request, const struct json *fields)
{
    static const struct str of_themes =
        STR_INIT("stylesheet,template,author,author_uri,description,name,requires_php,requires_wp,screenshot,status,"
                 "tags,textdomain,theme_supports,theme_uri,version,is_block_theme,stylesheet_uri,template_uri");
    struct operation_arg arg;
    struct str all = STR_EMPTY;
    if (json_count(fields) > FIELDS_MAX)
        return fail(call, E_LIMIT, "At most %d fields.", FIELDS_MAX);
    for (size_t i = 0; i < json_count(fields); i++) {
        struct str field = json_str(json_at(fields, i));
        for (size_t k = 0; k < field.len; k++)
            if (!ascii_is_alnum(field.ptr[k]) && !strchr("_-.:/ ", field.ptr[k]))
                return fail(call, E_INVALID, "'%.*s' is no field.", STR_ARG(str_sub(field, 0, 60)));
        if (!field.len || field.ptr[0] == '_')
            return fail(call, E_INVALID, "'%.*s' is no field.", STR_ARG(str_sub(field, 0, 60)));
        all = call_format(call, "%.*s%s%.*s", STR_ARG(all), i ? "," : "", STR_ARG(field));
    }
    if (request->operation->is_ability)
        return OK;
    if (str_starts_with(request->operation->path, STR("/wp/v2/themes")))
        wp_query_add(&request->query, "_fields", of_themes);
    else if (all.len && operation_arg(request->operation, STR("per_page"), &arg))
        wp_query_add(&request->query, "_fields", all);
    return OK;
}

int tool_get(struct call *call, const struct tool_context *context, const struct json *arguments,
             struct tool_result *result)
{
    struct wp wp;
    struct wp_answer answer;
    struct operation_request request;
    struct operation_needs needs;
    const struct json *fields = json_get(arguments, STR("fields"));
    int64_t max_chars = json_i64_or(json_get(arguments, STR("max_chars")), CHARS_DEFAULT);
    int error;
    if (max_chars < CHARS_MIN || max_chars > CHARS_MAX)
        return fail(call, E_INVALID, "max_chars must be %d to %d.", CHARS_MIN, CHARS_MAX);
    if ((error = wp_open(call, context->site, context->rights, &wp)) ||
        (error = operation_request_get(call, &wp, arguments, &request)))
        return error;
    if (request.method != OPERATION_GET)
        return fail(call, E_INVALID, "%.*s writes: that is for wp_call.", STR_ARG(request.name));
    operation_needs(request.operation,
                    request.operation->is_ability ? request.route : call_format(call, "/%.*s", STR_ARG(request.route)),
                    json_get(arguments, STR("args")), &needs);
    if ((error = operation_check_rights(call, &needs, wp.rights)) || (error = add_fields(call, &request, fields)) ||
        (error = wp_get(call, &wp, request.route, &request.query, &answer)))
        return error;
    operation_answer_write(call, context, &answer, fields, (size_t)max_chars, result);
    return OK;
}

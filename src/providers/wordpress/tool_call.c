/* wp_call: runs a writing operation. */
#include "json/json_write.h"
#include "providers/wordpress/item.h"
#include "providers/wordpress/operation_answer.h"
#include "providers/wordpress/operation_request.h"
#include "providers/wordpress/structured.h"
#include "providers/wordpress/tools.h"
#include "providers/wordpress/write.h"

enum { ANSWER_CHARS = 2000 };

/* What an autosave is kept for, or, of a draft, written into: it has no status of its own. */
static struct str route_with_status(struct str route)
{
    struct str autosaves = STR("/autosaves");
    return str_ends_with(route, autosaves) ? str_sub(route, 0, route.len - autosaves.len) : route;
}

/* With a status that says draft both before and after, `draft` is enough; whatever cannot be told counts as public. */
static int check_drafts(struct call *call, const struct wp *wp, const struct operation_request *request,
                        const struct json *args)
{
    const struct json *given = json_get(args, STR("status"));
    bool is_new = request->operation->classes.len == 0;
    struct wp_answer answer;
    struct wp_query query;
    int error;
    if (!json_is(given, JSON_MISSING) && (error = wp_may_write(call, wp, json_str(given))))
        return error;
    if (wp->rights & RIGHT_PUBLISH)
        return OK;
    if (is_new)
        return json_is(given, JSON_MISSING)
                   ? wp_may_write(call, wp, request->operation->is_public ? STR("publish") : STR("draft"))
                   : OK;
    wp_query_init(call, &query);
    wp_query_add(&query, "_fields", STR("status"));
    wp_query_add(&query, "context", STR("edit"));
    if ((error = wp_get(call, wp, route_with_status(request->route), &query, &answer)))
        return error;
    struct str status = json_str(json_get(answer.json, STR("status")));
    if (status.len)
        return wp_may_write(call, wp, status);
    return rights_lack(call, RIGHT_PUBLISH,
                       fail(call, E_DENIED,
                            "What %.*s changes has no status that says it is a draft, so it may be public: this token "
                            "lacks the right publish.",
                            STR_ARG(request->name)));
}

static int confirm(struct call *call, const struct tool_context *context, const struct operation_request *request,
                   const struct json *args)
{
    return host_confirm_for_good(call, context->host,
                                 call_format(call, "run %.*s %.*s of %.*s for good, with %.*s",
                                             STR_ARG(operation_method_name(request->method)), STR_ARG(request->route),
                                             STR_ARG(context->site->name),
                                             STR_ARG(json_is(args, JSON_MISSING) ? STR("{}") : json_raw(args))));
}

static void write_plan(const struct operation_request *request, const struct operation_needs *needs, struct buf *out)
{
    struct str query = buf_str(&request->query.text);
    buf_add_format(out, "Would send %.*s /%.*s%s%.*s\n", STR_ARG(operation_method_name(request->method)),
                   STR_ARG(request->route), query.len ? "?" : "", STR_ARG(query));
    if (request->body.len > 2)
        buf_add_format(out, "%.*s\n", STR_ARG(request->body));
    buf_add(out, needs->permanent ? STR("It cannot be taken back. Nothing was sent.") : STR("Nothing was sent."));
}

/* After what may have changed which routes there are, and what is kept of types, terms and schemas. */
static void forget(const struct wp *wp, const struct operation_request *request)
{
    wp_forget_kept(wp, STR_EMPTY);
    if (request->operation->is_ability || str_starts_with(request->route, STR("wp/v2/plugins")) ||
        str_starts_with(request->route, STR("wp/v2/settings")) || str_starts_with(request->route, STR("wp/v2/themes")))
        operations_forget(wp, 0);
}

static int run(struct call *call, const struct tool_context *context, const struct wp *wp,
               const struct operation_request *request, bool for_good, struct str agree_to, const struct json *fields,
               struct tool_result *result)
{
    struct wp_answer answer;
    struct wp_write write = {
        .kind = WP_WRITE_CALL,
        .context = context,
        .method = operation_method_name(request->method).ptr,
        .route = request->route,
        .query = &request->query,
        .body = request->body,
        .for_good = for_good,
        .agree_to = agree_to,
    };
    int error = wp_write(call, wp, &write, &answer);
    forget(wp, request);
    if (error)
        return error;
    result->audit_json =
        call_format(call, "{\"operation\":%.*s,\"route\":%.*s}", STR_ARG(json_quote(call->arena, request->name)),
                    STR_ARG(json_quote(call->arena, request->route)));
    if (answer.status == 204)
        buf_add(&result->text, STR("Done."));
    else
        operation_answer_write(call, context, &answer, fields, ANSWER_CHARS, result);
    return OK;
}

int tool_call(struct call *call, const struct tool_context *context, const struct json *arguments,
              struct tool_result *result)
{
    struct wp wp;
    struct operation_request request;
    struct operation_needs needs;
    const struct json *args = json_get(arguments, STR("args"));
    int error;
    if ((error = wp_open(call, context->site, context->rights, &wp)) ||
        (error = operation_request_get(call, &wp, arguments, &request)))
        return error;
    if (request.method == OPERATION_GET)
        return fail(call, E_INVALID, "%.*s reads: that is for wp_get.", STR_ARG(request.name));
    operation_needs(request.operation,
                    request.operation->is_ability ? request.route : call_format(call, "/%.*s", STR_ARG(request.route)),
                    args, &needs);
    if ((error = operation_check_rights(call, &needs, wp.rights)) ||
        (needs.draft_may_do && (error = check_drafts(call, &wp, &request, args))))
        return error;
    if (json_bool_or(json_get(arguments, STR("dry_run")), false)) {
        write_plan(&request, &needs, &result->text);
        structured_preview(call, context, result);
        return OK;
    }
    if (needs.permanent && (error = confirm(call, context, &request, args)))
        return error;
    /* Without the right publish it was found to be a draft's; with it, nobody looked. */
    bool is_draft = needs.draft_may_do && !(wp.rights & RIGHT_PUBLISH);
    struct str agree_to = needs.permanent || is_draft ? STR_EMPTY : STR("an operation that others may notice");
    return run(call, context, &wp, &request, needs.permanent, agree_to, json_get(arguments, STR("fields")), result);
}

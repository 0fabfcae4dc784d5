/* wa_discover and wa_call: the backend's remaining operations, by a table of those that are known. */
#include "crypto/sha256.h"
#include "providers/whatsapp/phone.h"
#include "providers/whatsapp/tools.h"

enum { ANSWER_SHOWN_BYTES = 8000, QUERY_MAX_BYTES = 8 * 1024, RECIPIENTS_MAX = 50 };

static const struct wa_operation *find(const struct wa *wa, struct str name)
{
    for (size_t i = 0; i < wa->backend->n_operations; i++)
        if (str_eq(wa->backend->operations[i].name, str_trim(name)))
            return &wa->backend->operations[i];
    return NULL;
}

/* Of a GET all arguments; of others those that its table says go there. */
static bool goes_into_query(const struct wa_operation *o, struct str name, struct call *call)
{
    return str_starts_with(o->name, STR("GET ")) ||
           str_contains(o->args, call_format(call, "%.*s (query)", STR_ARG(name)));
}

static bool is_named(const struct wa_operation *o, struct str name)
{
    struct str names = str_sub(o->args, 1, o->args.len - 2), piece; /* without the braces */
    while (names.len && str_next(&names, ',', &piece))
        if (str_eq(piece, name))
            return true;
    return false;
}

/*
 * More arguments can make another request of it: Meta takes a GET with method=post for a POST, and Evolution takes what is in the
 * query for what is in the path, such as another instance.
 */
static int check_argument(struct call *call, const struct wa_operation *o, struct str name)
{
    bool reads = str_starts_with(o->name, STR("GET "));
    if (reads ? is_named(o, name) : !str_eq_nocase(name, STR("method")) && !str_eq_nocase(name, STR("access_token")))
        return OK;
    return fail(call, E_INVALID, "%.*s takes args %.*s, no %.*s.", STR_ARG(o->name), STR_ARG(o->args),
                STR_ARG(str_cut(name, 80)));
}

static int write_request(struct call *call, const struct wa_operation *o, const struct json *args, struct str path,
                         struct wa_request *ret)
{
    struct buf *body = arena_new_of(call->arena, struct buf), *query = arena_new_of(call->arena, struct buf);
    struct json_writer w;
    buf_init(body, call->arena, WA_BODY_MAX_BYTES);
    buf_init(query, call->arena, QUERY_MAX_BYTES);
    json_write_init(&w, body);
    json_object(&w);
    for (size_t i = 0; i < json_count(args); i++) {
        struct json_member member = json_member_at(args, i);
        struct str value = json_is(member.value, JSON_STRING) ? json_str(member.value) : json_raw(member.value);
        int error = check_argument(call, o, member.name);
        if (error)
            return error;
        if (goes_into_query(o, member.name, call)) {
            buf_add_format(query, "%c%.*s=%.*s", query->len ? '&' : '?', STR_ARG(wa_encode(call, member.name)),
                           STR_ARG(wa_encode(call, value)));
            continue;
        }
        json_key(&w, member.name);
        json_value(&w, member.value);
    }
    json_end(&w);
    if (buf_failed(body) || buf_failed(query))
        return fail(call, E_LIMIT, "The arguments are too large.");
    *ret = (struct wa_request){.method = str_copy_cstr(call->arena, str_sub(o->name, 0, str_find_char(o->name, ' '))),
                               .path = str_concat(call->arena, path, buf_str(query))};
    if (!str_starts_with(o->name, STR("GET ")))
        ret->body = buf_str(body);
    return OK;
}

static int confirm(struct call *call, const struct tool_context *context, const struct wa_operation *o,
                   const struct json *args)
{
    struct str what = call_format(call, "run %.*s of %.*s for good", STR_ARG(o->name), STR_ARG(context->site->name));
    return host_confirm_for_good(call, context->host,
                                 call_format(call, "%.*s, with %.*s", STR_ARG(what),
                                             STR_ARG(json_is(args, JSON_MISSING) ? STR("{}") : json_raw(args))));
}

/* ---- who gets something by it */

static int add_recipient(struct call *call, const struct wa_operation *o, const struct json *given, struct str *to,
                         size_t *n)
{
    struct str one;
    int error = phone_recipient(call, json_str(given), &one);
    if (error)
        return error;
    for (size_t i = 0; i < *n; i++)
        if (str_eq(to[i], one))
            return OK;
    if (*n == RECIPIENTS_MAX)
        return fail(call, E_LIMIT, "%.*s: at most %d at a time.", STR_ARG(o->to), RECIPIENTS_MAX);
    to[(*n)++] = one;
    return OK;
}

/* Nobody for what nobody gets. */
static int read_recipients(struct call *call, const struct wa_operation *o, const struct json *args, struct str *to,
                           size_t *ret_n)
{
    const struct json *given = json_get(args, o->to);
    int error = OK;
    *ret_n = 0;
    if (!o->kind.len || (o->only_action.len && !str_eq(json_str(json_get(args, STR("action"))), o->only_action)))
        return OK;
    if (json_is(given, JSON_ARRAY))
        for (size_t i = 0; !error && i < json_count(given); i++)
            error = add_recipient(call, o, json_at(given, i), to, ret_n);
    else if (!json_is(given, JSON_MISSING))
        error = add_recipient(call, o, given, to, ret_n);
    if (!error && !*ret_n && !o->to_all.len)
        return fail(call, E_INVALID, "%.*s needs %.*s: who gets it.", STR_ARG(o->name), STR_ARG(o->to));
    if (!error && !*ret_n)
        to[(*ret_n)++] = o->to_all;
    return error;
}

static int send_out(struct call *call, const struct wa *wa, const struct wa_operation *o, const struct str *to,
                    size_t n_to, const struct wa_request *request, struct wa_answer *ret)
{
    char digest[SHA256_HEX_BYTES];
    sha256_hex(call_format(call, "%.*s %.*s", STR_ARG(request->path), STR_ARG(request->body)), digest);
    const struct wa_outgoing outgoing = {.kind = o->kind, .digest = str_from(digest), .to = to, .n_to = n_to};
    return wa_send_other(call, wa, &outgoing, request, ret);
}

static int perform(struct call *call, const struct tool_context *context, const struct wa *wa,
                   const struct json *arguments, bool only_reading, struct tool_result *result)
{
    struct wa_request request;
    struct wa_answer answer;
    struct str name = json_str(json_get(arguments, STR("name")));
    const struct json *args = json_get(arguments, STR("args"));
    const struct wa_operation *o = find(wa, name);
    struct str to[RECIPIENTS_MAX];
    size_t n_to = 0;
    char words[RIGHTS_TEXT_BYTES];
    if (!o)
        return fail(call, E_NOT_FOUND, "There is no operation \"%.*s\": wa_discover lists those there are.",
                    STR_ARG(str_sub(name, 0, 100)));
    if (only_reading && !(o->needs & RIGHT_READ))
        return fail(call, E_INVALID, "%.*s writes: that is for wa_call.", STR_ARG(o->name));
    if (!(context->rights & o->needs))
        return fail(call, E_DENIED, "This token may not use %.*s: it needs the right %.*s.", STR_ARG(o->name),
                    STR_ARG(rights_format(o->needs, words)));
    int error = write_request(call, o, args, wa->backend->operation_path(call, wa, o->name), &request);
    if (!error)
        error = read_recipients(call, o, args, to, &n_to);
    if (!error && o->is_for_good)
        error = confirm(call, context, o, args);
    else if (!error && !(o->needs & RIGHT_READ))
        error = host_agree(call, context->host, o->what);
    if (!error)
        error = n_to ? send_out(call, wa, o, to, n_to, &request, &answer) : wa_request(call, wa, &request, &answer);
    if (error)
        return error;
    result->audit_json = call_format(call, "{\"operation\":%.*s}", STR_ARG(json_quote(call->arena, o->name)));
    buf_add(&result->text, STR(WA_OUTSIDE));
    buf_add(&result->text, str_sub(answer.body, 0, ANSWER_SHOWN_BYTES));
    if (answer.body.len > ANSWER_SHOWN_BYTES)
        buf_add(&result->text, STR("... (cut)"));
    return OK;
}

int tool_wa_discover(struct call *call, const struct tool_context *context, const struct json *arguments,
                     struct tool_result *result)
{
    struct wa wa;
    struct str search = json_str(json_get(arguments, STR("q")));
    int error = wa_open(call, context->site, context->messages, &wa);
    if (error)
        return error;
    if (json_str(json_get(arguments, STR("name"))).len)
        return perform(call, context, &wa, arguments, true, result);
    for (size_t i = 0; i < wa.backend->n_operations; i++) {
        const struct wa_operation *o = &wa.backend->operations[i];
        char words[RIGHTS_TEXT_BYTES];
        if (search.len && !str_contains_nocase(o->name, search) && !str_contains_nocase(o->what, search))
            continue;
        buf_add_format(&result->text, "%.*s\t%.*s\targs %.*s\tneeds %.*s%s\n", STR_ARG(o->name), STR_ARG(o->what),
                       STR_ARG(o->args), STR_ARG(rights_format(o->needs, words)), o->is_for_good ? ", confirmed" : "");
    }
    if (!result->text.len)
        buf_add(&result->text, STR("Nothing of that name. Without q all are listed."));
    return OK;
}

int tool_wa_call(struct call *call, const struct tool_context *context, const struct json *arguments,
                 struct tool_result *result)
{
    struct wa wa;
    int error = wa_open(call, context->site, context->messages, &wa);
    return error ? error : perform(call, context, &wa, arguments, false, result);
}

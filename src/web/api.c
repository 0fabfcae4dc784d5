/* The REST API: who asks, what was sent, what is answered. */
#include "web/api.h"

#include "accounts/device.h"
#include "base/log.h"
#include "json/schema.h"
#include "net/client_address.h"
#include "net/own_address.h"
#include "net/url.h"
#include "web/cookie.h"
#include "web/problem.h"
#include "web/routes.h"

enum { SEGMENT_BYTES_MAX = 200, QUERY_PAIRS_MAX = 32, RETRY_UNAVAILABLE_S = 5 };

/* ---- errors */

static const struct {
    int error, status;
} statuses[] = {
    {E_INVALID, 400},  {E_UNAUTHENTICATED, 401}, {E_WAITING, 401},  {E_DENIED, 403},      {E_NOT_FOUND, 404},
    {E_CONFLICT, 409}, {E_LIMIT, 429},           {E_UPSTREAM, 422}, {E_REFUSED, 422},     {E_EGRESS, 422},
    {E_TIMEOUT, 504},  {E_CANCELLED, 499},       {E_CRYPTO, 409},   {E_UNAVAILABLE, 503},
};

int api_status_of(int error)
{
    for (size_t i = 0; i < ARRAY_LENGTH(statuses); i++)
        if (statuses[i].error == error)
            return statuses[i].status;
    return 500;
}

/* A browser's is told in the person's language, as pages do; a program's stays English. */
struct str api_sentence(struct call *call, const struct api *api, struct str text)
{
    struct str accepted = http_header_value(api->request, STR("accept-language"));
    enum language language = LANGUAGE_EN;
    if (api->person.by_api || !text.len)
        return text;
    if (!(api->person.user_id && language_parse(api->person.language, &language)) && accepted.ptr)
        (void)language_accepted(accepted, &language);
    return problem_of(call->arena, text, language).text;
}

static void answer_failure(struct call *call, const struct api *api, int error)
{
    int status = api_status_of(error);
    struct str text = call->error_text.len ? call->error_text : STR("Something went wrong inside.");
    if (status >= 500)
        log_error("call %s: %.*s (%.*s)", call->id, STR_ARG(text), STR_ARG(call->error_detail));
    if (status == 401)
        http_answer_header(api->exchange, STR("WWW-Authenticate"), STR("Bearer realm=\"porteiro\""));
    int64_t wait_s = status == 503 ? RETRY_UNAVAILABLE_S : status == 429 ? call->retry_after_s : 0;
    if (wait_s)
        http_answer_header(api->exchange, STR("Retry-After"), call_format(call, "%lld", (long long)wait_s));
    routes_error_steps(call, api->exchange, status, api->error_code ? api->error_code : error_name(error),
                       api_sentence(call, api, text), api->error_steps);
}

/* ---- who asks */

static struct str bearer_of(const struct http_request *request)
{
    struct str value = http_header_value(request, STR("authorization"));
    return value.ptr && str_starts_with_nocase(value, STR("bearer ")) ? str_trim(str_from_offset(value, 7))
                                                                      : (struct str){NULL, 0};
}

static bool changes_something(const struct http_request *request)
{
    return !str_eq(request->method, STR("GET")) && !str_eq(request->method, STR("HEAD"));
}

static bool is_json(const struct http_request *request)
{
    struct str type = http_header_value(request, STR("content-type"));
    return type.ptr && str_eq_nocase(str_trim(str_sub(type, 0, str_find_char(type, ';'))), STR("application/json"));
}

/* A page of somebody else cannot set the header, and browsers say truly where a request comes from. */
static int check_same_site(struct call *call, const struct http_request *request)
{
    struct str origin = http_header_value(request, STR("origin")),
               site = http_header_value(request, STR("sec-fetch-site"));
    bool is_ours = origin.ptr ? own_address_is_origin(origin) : site.ptr && str_eq(site, STR("same-origin"));
    if (!is_ours || (site.ptr && !str_eq(site, STR("same-origin"))) ||
        !http_header_value(request, STR("x-porteiro")).ptr)
        return fail(call, E_DENIED,
                    "This request does not come from a page of this server. Programs use an API token "
                    "(Authorization: Bearer prt_api_...).");
    return OK;
}

static int find_person(struct call *call, struct api *api, enum api_who who)
{
    struct str bearer = bearer_of(api->request), cookie = cookie_value(api->request, COOKIE_SESSION);
    if (!bearer.ptr && cookie.ptr && changes_something(api->request)) {
        int error = check_same_site(call, api->request);
        if (error)
            return error;
    }
    if (who == API_ANYONE)
        return OK;
    if (!bearer.ptr && !cookie.ptr)
        return fail(call, E_UNAUTHENTICATED, "Log in first, or send an API token (Authorization: Bearer prt_api_...).");
    int error = sessions_find(call, bearer.ptr ? bearer : cookie, &api->person);
    if (!error && api->person.by_api != (bearer.ptr != NULL))
        error =
            fail(call, E_UNAUTHENTICATED, "A cookie holds a session, Authorization an API token: not the other way.");
    if (!error && who == API_ADMIN && !api->person.is_admin)
        error = fail(call, E_DENIED, "Only an administrator may do this.");
    return error;
}

int api_browser(struct call *call, const struct http_request *request, struct person *ret)
{
    struct str cookie = cookie_value(request, COOKIE_SESSION);
    int error = sessions_find(call, cookie.ptr ? cookie : STR_EMPTY, ret);
    return error ? error : ret->by_api ? fail(call, E_UNAUTHENTICATED, "Log in with a browser.") : OK;
}

static int check_grave(struct call *call, struct api *api, const struct api_operation *operation)
{
    if (!(operation->is_grave || operation->is_grave_by_hand) || sessions_is_proven(&api->person))
        return OK;
    if (api->person.by_api && !operation->is_grave)
        return OK;
    if (api->person.by_api)
        return fail(call, E_DENIED, "This cannot be done with an API token: log in with a browser.");
    api->error_code = "password_needed";
    return fail(call, E_DENIED, "Enter your password again first (POST /api/auth/prove).");
}

/* ---- what was sent */

static int parse_body(struct call *call, struct api *api, const struct api_operation *operation)
{
    static const struct json_limits limits = {API_DEPTH_MAX, 4 * 1024 * 1024, true};
    const struct json *schema;
    struct json_error wrong;
    struct str text = api->request->body;
    if (!operation->body || (text.len == 0 && !str_contains(str_from(operation->body), STR("\"required\""))))
        text = STR("{}");
    else if (!is_json(api->request))
        return fail(call, E_INVALID, "Send a JSON object, with Content-Type: application/json.");
    if (json_parse(call->arena, text, &limits, &api->body, &wrong) < 0)
        return fail(call, E_INVALID, "The body is not good JSON: %s at byte %zu.", wrong.reason, wrong.offset);
    if (!operation->body)
        return OK;
    if (json_parse(call->arena, str_from(operation->body), NULL, &schema, NULL) < 0)
        return fail(call, E_INTERNAL, "The schema of this operation is broken.");
    return schema_validate(call, schema, api->body);
}

static int check_parameter(struct call *call, const struct api_parameter *parameter, struct str value)
{
    const struct json *schema, *parsed;
    if (json_parse(call->arena, str_from(parameter->schema), NULL, &schema, NULL) < 0)
        return fail(call, E_INTERNAL, "The schema of a parameter is broken.");
    bool is_text = str_eq(json_str(json_get(schema, STR("type"))), STR("string"));
    struct str text = is_text ? json_quote(call->arena, value) : value;
    if (json_parse(call->arena, text, NULL, &parsed, NULL) < 0 || schema_validate(call, schema, parsed))
        return fail(call, E_INVALID, "%s in the address: \"%.*s\" is not right. %s", parameter->name,
                    STR_ARG(str_sub(value, 0, 100)), parameter->meaning);
    return OK;
}

static int check_query(struct call *call, const struct api *api, const struct api_operation *operation)
{
    struct str rest = api->request->query, name, value;
    uint64_t seen = 0;
    for (size_t pairs = 0; rest.ptr && url_query_next(call->arena, &rest, true, &name, &value); pairs++) {
        size_t i = 0;
        while (i < operation->n_parameters && !str_eq(str_from(operation->parameters[i].name), name))
            i++;
        if (i == operation->n_parameters || (seen & (UINT64_C(1) << i)) || pairs == QUERY_PAIRS_MAX)
            return fail(call, E_INVALID, "The address has a parameter that is unknown here or stands twice: \"%.*s\".",
                        STR_ARG(str_sub(name, 0, 100)));
        seen |= UINT64_C(1) << i;
        int error = check_parameter(call, &operation->parameters[i], value);
        if (error)
            return error;
    }
    return OK;
}

struct str api_query(struct call *call, const struct api *api, const char *wanted)
{
    struct str rest = api->request->query, name, value;
    while (rest.ptr && url_query_next(call->arena, &rest, true, &name, &value))
        if (str_eq(name, str_from(wanted)))
            return value;
    return (struct str){NULL, 0};
}

static int id_of(struct call *call, struct str text, int64_t *ret_id)
{
    if (str_to_i64(text, ret_id) && *ret_id > 0 && *ret_id <= INT32_MAX)
        return OK;
    return fail(call, E_NOT_FOUND, "There is nothing with this number.");
}

int64_t api_query_number(struct call *call, const struct api *api, const char *name)
{
    struct str text = api_query(call, api, name);
    int64_t value = 0;
    return text.ptr && str_to_i64(text, &value) ? value : 0;
}

int api_id(struct call *call, const struct api *api, int64_t *ret_id)
{
    return id_of(call, api->segment, ret_id);
}

int api_second_id(struct call *call, const struct api *api, int64_t *ret_id)
{
    return id_of(call, api->segment2, ret_id);
}

struct str api_text(const struct api *api, const char *member)
{
    const struct json *value = json_get(api->body, str_from(member));
    return json_is(value, JSON_STRING) ? json_str(value) : (struct str){NULL, 0};
}

struct session_from api_from(struct call *call, const struct http_request *request)
{
    char *address = arena_alloc(call->arena, CLIENT_ADDRESS_BYTES);
    struct str agent = http_header_value(request, STR("user-agent"));
    client_address(request, address);
    struct str device = cookie_value(request, COOKIE_DEVICE);
    return (struct session_from){.address = str_from(address),
                                 .agent = agent.ptr ? agent : STR_EMPTY,
                                 .device = device.ptr ? device : STR_EMPTY};
}

void api_enter(struct call *call, struct http_exchange *exchange, int64_t user_id, struct str token)
{
    cookie_set(call, exchange, COOKIE_SESSION, token);
    cookie_set(call, exchange, COOKIE_DEVICE, device_make(call, user_id));
}

/* ---- what is answered */

void api_ok(struct api *api)
{
    json_object(&api->out);
    json_member_bool(&api->out, "ok", true);
    json_end(&api->out);
}

void api_list_begin(struct api *api)
{
    json_object(&api->out);
    json_key(&api->out, STR("items"));
    json_array(&api->out);
}

void api_list_end(struct api *api)
{
    json_end(&api->out);
    json_end(&api->out);
}

void api_member_time(struct call *call, struct json_writer *w, const char *key, int64_t unix_ms)
{
    char text[CLOCK_TEXT_BYTES];
    if (!unix_ms) {
        json_member_null(w, key);
        return;
    }
    clock_format(unix_ms, text);
    text[10] = 'T';
    json_member_str(w, key, call_format(call, "%sZ", text));
}

void api_member_number(struct json_writer *w, const char *key, int64_t number)
{
    if (number)
        json_member_i64(w, key, number);
    else
        json_member_null(w, key);
}

void api_member_text(struct json_writer *w, const char *key, struct str text)
{
    if (text.len)
        json_member_str(w, key, text);
    else
        json_member_null(w, key);
}

void api_member_words(struct json_writer *w, const char *key, struct str comma_list)
{
    struct str word;
    json_key(w, str_from(key));
    json_array(w);
    while (comma_list.len && str_next(&comma_list, ',', &word))
        json_string(w, word);
    json_end(w);
}

static int run(struct call *call, struct api *api, const struct api_operation *operation, enum api_who who)
{
    struct str host = http_header_value(api->request, STR("host"));
    if (!host.ptr || !own_address_has_host(host))
        return fail(call, E_DENIED,
                    "This Host is not ours. Behind a proxy or another name, set PORTEIRO_PUBLIC_URL to the address "
                    "people use.");
    int error = find_person(call, api, who);
    if (!error)
        error = check_grave(call, api, operation);
    if (!error)
        error = check_query(call, api, operation);
    if (!error)
        error = parse_body(call, api, operation);
    if (!error)
        error = operation->run(call, api);
    if (!error && buf_failed(&api->answer))
        error = fail(call, E_LIMIT, "The answer is too large. Ask for less at once.");
    return error;
}

void api_serve(struct call *call, struct http_exchange *exchange, const struct api_operation *operation,
               enum api_who who, const struct str segments[API_SEGMENTS_MAX])
{
    struct api api = {
        .exchange = exchange,
        .request = http_exchange_request(exchange),
        .segment = url_decode(call->arena, str_sub(segments[0], 0, SEGMENT_BYTES_MAX), false),
        .segment2 = url_decode(call->arena, str_sub(segments[1], 0, SEGMENT_BYTES_MAX), false),
        .status = operation->status,
        .content_type = STR("application/json"),
    };
    buf_init(&api.answer, call->arena, API_ANSWER_BYTES_MAX);
    json_write_init(&api.out, &api.answer);
    int error = run(call, &api, operation, who);
    if (http_answered(exchange))
        return;
    if (error) {
        answer_failure(call, &api, error);
        return;
    }
    http_answer_header(exchange, STR("Cache-Control"), STR("no-store"));
    http_answer(exchange, api.status, api.content_type, buf_str(&api.answer));
}

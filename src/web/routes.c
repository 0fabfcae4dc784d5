/* What is served at which address. */
#include "web/routes.h"

#include "accounts/resource.h"
#include "base/log.h"
#include "base/metrics.h"
#include "json/json_write.h"
#include "mcp/endpoint.h"
#include "mcp/upload.h"
#include "net/client_address.h"
#include "net/own_address.h"
#include "net/span.h"
#include "oauth/endpoint.h"
#include "web/api_approvals.h"
#include "web/api_approver.h"
#include "web/api_audit.h"
#include "web/api_auth.h"
#include "web/api_changes.h"
#include "web/api_connections.h"
#include "web/api_events.h"
#include "web/api_jobs.h"
#include "web/api_me.h"
#include "web/api_messages.h"
#include "web/api_oauth.h"
#include "web/api_openapi.h"
#include "web/api_people.h"
#include "web/api_providers.h"
#include "web/api_service.h"
#include "web/api_settings.h"
#include "web/api_tokens.h"
#include "web/assets.h"
#include "web/connect_return.h"
#include "web/health.h"
#include "web/hooks.h"
#include "web/page_account.h"
#include "web/page_authorize.h"
#include "web/page_connect.h"
#include "web/page_home.h"
#include "web/page_login.h"
#include "web/metrics_page.h"

enum { ERROR_BYTES_MAX = 16 * 1024, ALLOW_BYTES_MAX = 256, LOGGED_PATH_BYTES = 512 };

/* /mcp/bearer never speaks of OAuth, for clients that would rather log in than use the token they were given. */
static void serve_bearer(struct call *call, struct http_exchange *exchange, struct str segment)
{
    (void)segment;
    mcp_endpoint(call, exchange, STR_EMPTY);
}

#define ANYONE(method, path, what)                                                                                     \
    {                                                                                                                  \
        STR_INIT(method), STR_INIT(path), ROUTE_ANYONE, NULL, &(what)                                                  \
    }
#define PERSON(method, path, what)                                                                                     \
    {                                                                                                                  \
        STR_INIT(method), STR_INIT(path), ROUTE_PERSON, NULL, &(what)                                                  \
    }
#define ADMIN(method, path, what)                                                                                      \
    {                                                                                                                  \
        STR_INIT(method), STR_INIT(path), ROUTE_ADMIN, NULL, &(what)                                                   \
    }

#define PAGE(method, path, page)                                                                                       \
    {                                                                                                                  \
        STR_INIT(method), STR_INIT(path), ROUTE_ANYONE, NULL, NULL, page                                               \
    }
#define FORM(path, page) PAGE("GET", path, page), PAGE("POST", path, page)

const struct route routes[] = {
    {STR_INIT("*"), STR_INIT("/mcp"), ROUTE_BEARER, mcp_endpoint},
    {STR_INIT("*"), STR_INIT("/mcp/bearer"), ROUTE_BEARER, serve_bearer},
    {STR_INIT("*"), STR_INIT("/mcp/{}"), ROUTE_BEARER, mcp_endpoint},
    {STR_INIT("*"), STR_INIT("/api/mcp"), ROUTE_BEARER, mcp_endpoint},
    {STR_INIT("*"), STR_INIT("/api/mcp/{}"), ROUTE_BEARER, mcp_endpoint},
    {STR_INIT("PUT"), STR_INIT("/u/{...}"), ROUTE_LINK, upload_serve},
    {STR_INIT("GET"), STR_INIT("/.well-known/oauth-authorization-server"), ROUTE_ANYONE, oauth_server_metadata},
    {STR_INIT("OPTIONS"), STR_INIT("/.well-known/oauth-authorization-server"), ROUTE_ANYONE, oauth_preflight},
    {STR_INIT("GET"), STR_INIT("/.well-known/oauth-protected-resource"), ROUTE_ANYONE, oauth_resource_metadata},
    {STR_INIT("OPTIONS"), STR_INIT("/.well-known/oauth-protected-resource"), ROUTE_ANYONE, oauth_preflight},
    {STR_INIT("GET"), STR_INIT("/.well-known/oauth-protected-resource/{...}"), ROUTE_ANYONE, oauth_resource_metadata},
    {STR_INIT("OPTIONS"), STR_INIT("/.well-known/oauth-protected-resource/{...}"), ROUTE_ANYONE, oauth_preflight},
    {STR_INIT("POST"), STR_INIT("/oauth/register"), ROUTE_ANYONE, oauth_register},
    {STR_INIT("OPTIONS"), STR_INIT("/oauth/register"), ROUTE_ANYONE, oauth_preflight},
    {STR_INIT("POST"), STR_INIT("/oauth/token"), ROUTE_ANYONE, oauth_token},
    {STR_INIT("OPTIONS"), STR_INIT("/oauth/token"), ROUTE_ANYONE, oauth_preflight},
    {STR_INIT("POST"), STR_INIT("/oauth/revoke"), ROUTE_ANYONE, oauth_revoke},
    {STR_INIT("OPTIONS"), STR_INIT("/oauth/revoke"), ROUTE_ANYONE, oauth_preflight},
    {STR_INIT("GET"), STR_INIT("/healthz"), ROUTE_ANYONE, health_alive},
    {STR_INIT("GET"), STR_INIT("/readyz"), ROUTE_ANYONE, health_ready},
    {STR_INIT("GET"), STR_INIT("/metrics"), ROUTE_ANYONE, metrics_page}, /* with its own token */
    ANYONE("POST", "/api/auth/register", api_auth_register),
    ANYONE("POST", "/api/auth/login", api_auth_login),
    ANYONE("POST", "/api/auth/neon", api_auth_neon),
    ANYONE("POST", "/api/auth/request-reset", api_auth_request_reset),
    ANYONE("POST", "/api/auth/reset", api_auth_reset),
    ANYONE("POST", "/api/auth/confirm-email", api_auth_confirm_email),
    PERSON("POST", "/api/auth/logout", api_auth_logout),
    PERSON("POST", "/api/auth/prove", api_auth_prove),
    PERSON("GET", "/api/me", api_me_show),
    PERSON("PATCH", "/api/me", api_me_change),
    PERSON("DELETE", "/api/me", api_me_delete),
    PERSON("POST", "/api/me/email", api_me_change_email),
    PERSON("POST", "/api/me/password", api_me_change_password),
    PERSON("POST", "/api/me/stop", api_me_stop),
    PERSON("POST", "/api/me/resume", api_me_resume),
    PERSON("GET", "/api/me/sessions", api_me_sessions),
    PERSON("DELETE", "/api/me/sessions", api_me_end_others),
    PERSON("DELETE", "/api/me/sessions/{session}", api_me_end_session),
    PERSON("GET", "/api/me/api-tokens", api_me_api_tokens),
    PERSON("POST", "/api/me/api-tokens", api_me_add_api_token),
    PERSON("DELETE", "/api/me/api-tokens/{session}", api_me_end_api_token),
    PERSON("POST", "/api/me/second-factor", api_me_begin_totp),
    PERSON("POST", "/api/me/second-factor/confirm", api_me_confirm_totp),
    PERSON("DELETE", "/api/me/second-factor", api_me_end_totp),
    PERSON("GET", "/api/me/approver", api_approver_show),
    PERSON("POST", "/api/me/approver", api_approver_set),
    PERSON("POST", "/api/me/approver/confirm", api_approver_confirm),
    PERSON("DELETE", "/api/me/approver", api_approver_end),
    PERSON("GET", "/api/connections", api_connections_list),
    PERSON("POST", "/api/connections", api_connections_add),
    PERSON("POST", "/api/connections/import", api_connections_import),
    PERSON("POST", "/api/connections/authorize", api_connections_authorize),
    PERSON("POST", "/api/connections/finish", api_connections_finish),
    PERSON("GET", "/api/connections/{id}", api_connections_show),
    PERSON("PATCH", "/api/connections/{id}", api_connections_change),
    PERSON("POST", "/api/connections/{id}/doctor", api_connections_doctor),
    PERSON("DELETE", "/api/connections/{id}", api_connections_delete),
    PERSON("POST", "/api/connections/{id}/rotate-token", api_connections_rotate_token),
    PERSON("POST", "/api/connections/{id}/pause", api_connections_pause),
    PERSON("POST", "/api/connections/{id}/resume", api_connections_resume),
    PERSON("POST", "/api/connections/{id}/revoke", api_connections_revoke),
    PERSON("POST", "/api/connections/{id}/test", api_connections_test),
    PERSON("GET", "/api/connections/{id}/tokens", api_tokens_of_connection),
    PERSON("POST", "/api/connections/{id}/tokens", api_tokens_add),
    PERSON("GET", "/api/connections/{id}/changes", api_changes_list),
    PERSON("GET", "/api/connections/{id}/changes/{number}", api_changes_show),
    PERSON("POST", "/api/connections/{id}/changes/{number}/undo", api_changes_undo),
    PERSON("GET", "/api/connections/{id}/state", api_service_state),
    PERSON("POST", "/api/connections/{id}/pair", api_service_pair),
    PERSON("POST", "/api/connections/{id}/webhook", api_service_webhook),
    PERSON("GET", "/api/connections/{id}/chats", api_messages_chats),
    PERSON("GET", "/api/connections/{id}/chats/{chat}/messages", api_messages_of_chat),
    PERSON("GET", "/api/connections/{id}/templates", api_messages_templates),
    PERSON("GET", "/api/connections/{id}/sends", api_messages_sends),
    PERSON("GET", "/api/connections/{id}/optouts", api_messages_optouts),
    PERSON("POST", "/api/connections/{id}/optouts", api_messages_opt_out),
    PERSON("DELETE", "/api/connections/{id}/optouts/{person}", api_messages_opt_in),
    PERSON("GET", "/api/connections/{id}/people/{person}", api_messages_person),
    PERSON("DELETE", "/api/connections/{id}/people/{person}", api_messages_erase_person),
    PERSON("GET", "/api/tokens", api_tokens_list),
    PERSON("DELETE", "/api/tokens/{id}", api_tokens_revoke),
    PERSON("POST", "/api/tokens/{id}/rotate", api_tokens_rotate),
    PERSON("GET", "/api/oauth/grants", api_oauth_grants),
    PERSON("DELETE", "/api/oauth/grants/{grant}", api_oauth_end_grant),
    ADMIN("GET", "/api/oauth/clients", api_oauth_clients),
    ADMIN("POST", "/api/oauth/clients", api_oauth_add_client),
    ADMIN("DELETE", "/api/oauth/clients/{client}", api_oauth_delete_client),
    PERSON("GET", "/api/approvals", api_approvals_list),
    PERSON("POST", "/api/approvals/{approval}/approve", api_approvals_approve),
    PERSON("POST", "/api/approvals/{approval}/refuse", api_approvals_refuse),
    PERSON("GET", "/api/jobs", api_jobs_list),
    PERSON("POST", "/api/jobs/{job}/stop", api_jobs_stop),
    PERSON("GET", "/api/audit", api_audit_list),
    PERSON("GET", "/api/audit/export", api_audit_export),
    PERSON("GET", "/api/usage", api_usage_show),
    PERSON("GET", "/api/events", api_events),
    PERSON("GET", "/api/providers", api_providers_list),
    ADMIN("PATCH", "/api/providers/{key}", api_providers_change),
    ADMIN("GET", "/api/settings", api_settings_list),
    ADMIN("GET", "/api/users", api_users_list),
    ADMIN("PATCH", "/api/users/{id}", api_users_change),
    ADMIN("DELETE", "/api/users/{id}", api_users_delete),
    ADMIN("GET", "/api/invitations", api_invitations_list),
    ADMIN("POST", "/api/invitations", api_invitations_add),
    ADMIN("DELETE", "/api/invitations/{invitation}", api_invitations_delete),
    ANYONE("GET", "/api/openapi.json", api_openapi),
    {STR_INIT("*"), STR_INIT("/hooks/{...}"), ROUTE_ANYONE, hooks_serve},
    {STR_INIT("GET"), STR_INIT("/connect/return"), ROUTE_PERSON, connect_return, NULL},
    FORM("/connect/finish", page_connect_finish),
    FORM("/login", page_login),
    PAGE("POST", "/login/code", page_login_code),
    FORM("/oauth/authorize", page_authorize),
    FORM("/logout", page_logout),
    FORM("/register", page_register),
    FORM("/setup", page_invitation),
    FORM("/invitation", page_invitation),
    FORM("/reset", page_reset),
    FORM("/confirm-email", page_confirm_email),
    {STR_INIT("GET"), STR_INIT("/"), ROUTE_ANYONE, page_home},
    {STR_INIT("GET"), STR_INIT("/assets/{...}"), ROUTE_ANYONE, assets_serve},
    {STR_INIT("GET"), STR_INIT("/favicon.svg"), ROUTE_ANYONE, assets_serve},
    {STR_INIT("GET"), STR_INIT("/favicon.ico"), ROUTE_ANYONE, assets_serve},
};
const size_t n_routes = ARRAY_LENGTH(routes);

static bool is_logged;

void routes_init(bool access_log)
{
    is_logged = access_log;
}

/* ---- the access log */

struct access {
    const struct call *call;
    int64_t begun_ns;
    struct str method, path; /* when they are logged */
    struct str route;        /* its pattern; empty: none */
    char client[CLIENT_ADDRESS_BYTES];
    bool done;
};

static void log_access(struct access *access, int status)
{
    int64_t us = (clock_monotonic_ns() - access->begun_ns) / 1000;
    char digits[12];
    struct buf number = {.ptr = digits, .capacity = sizeof digits, .max = sizeof digits};
    access->done = true;
    buf_add_i64(&number, status);
    metric_time(METRIC_HTTP, us, access->route.len ? access->route : STR("none"), buf_str(&number));
    if (!is_logged)
        return;
    log_info("%.*s %.*s %d %lld.%03lld ms, client %s, call %s", STR_ARG(access->method), STR_ARG(access->path), status,
             (long long)(us / 1000), (long long)(us % 1000), access->client, access->call->id);
}

/* Of a handler that was abandoned because its memory was used up: what comes behind it in routes_serve() never ran. */
static void log_abandoned(void *object)
{
    struct access *access = object;
    if (!access->done)
        log_access(access, 503);
}

static bool path_matches(const struct route *route, struct str path, struct str ret_segments[API_SEGMENTS_MAX]);

/* Without the secret of a link, or what looks like a token. */
static struct str shown_path(struct call *call, struct str path)
{
    struct str segments[API_SEGMENTS_MAX];
    for (size_t i = 0; i < n_routes; i++)
        if (routes[i].who == ROUTE_LINK && path_matches(&routes[i], path, segments))
            return call_format(call, "%.*s...", STR_ARG(str_sub(path, 0, path.len - segments[0].len)));
    size_t token = str_find(path, STR("prt_")); /* put into the path by mistake: it stays a secret */
    if (token < LOGGED_PATH_BYTES)
        return call_format(call, "%.*s...", STR_ARG(str_sub(path, 0, token)));
    return str_copy(call->arena, str_sub(path, 0, LOGGED_PATH_BYTES));
}

static struct access *begin_access(struct call *call, const struct http_request *request)
{
    struct access *access = arena_new_of(call->arena, struct access);
    access->call = call;
    access->begun_ns = clock_monotonic_ns();
    if (is_logged) {
        access->method = str_copy(call->arena, request->method);
        access->path = shown_path(call, request->path);
    }
    client_address(request, access->client);
    call->client = str_from(access->client);
    arena_defer(call->arena, log_abandoned, access);
    return access;
}

/* ---- traces */

/* MCP has spans of its own (mcp/trace.h); nobody wants any of probes and of files. */
static bool is_traced(const struct route *route)
{
    static const struct str apart[] = {STR_INIT("/mcp"),     STR_INIT("/api/mcp"), STR_INIT("/assets/"),
                                       STR_INIT("/favicon"), STR_INIT("/healthz"), STR_INIT("/readyz"),
                                       STR_INIT("/metrics")};
    for (size_t i = 0; i < ARRAY_LENGTH(apart); i++)
        if (str_starts_with(route->path, apart[i]))
            return false;
    return true;
}

/* OpenTelemetry's semantic conventions for HTTP servers. */
static struct span *begin_span(struct call *call, const struct http_request *request, const struct route *route)
{
    if (!route || !is_traced(route))
        return NULL;
    struct str parent = http_header_value(request, STR("traceparent"));
    if (span_parent_is_good(parent) && !http_header_repeated(request, STR("traceparent")))
        call->traceparent = parent;
    struct str method = str_eq(route->method, STR("*")) ? STR("HTTP") : route->method;
    struct span *span =
        span_begin(call, SPAN_SERVER, call_format(call, "%.*s %.*s", STR_ARG(method), STR_ARG(route->path)));
    span_text(span, "http.request.method", method);
    span_text(span, "http.route", route->path);
    span_text(span, "porteiro.call", str_from(call->id));
    return span;
}

static void end_span(struct call *call, struct span *span, int status)
{
    span_integer(span, "http.response.status_code", status);
    if (span && status >= 500)
        span_error(span, call_format(call, "%d", status));
    span_end(call, span);
}

/* ---- finding the row */

static bool path_matches(const struct route *route, struct str path, struct str ret_segments[API_SEGMENTS_MAX])
{
    struct str pattern = route->path;
    for (size_t i = 0; i < API_SEGMENTS_MAX; i++)
        ret_segments[i] = STR_EMPTY;
    for (size_t n = 0; pattern.len; n++) {
        size_t open = str_find_char(pattern, '{'), close = str_find_char(pattern, '}');
        struct str before = str_sub(pattern, 0, open);
        if (!str_starts_with(path, before))
            return false;
        path = str_from_offset(path, before.len);
        if (open == STR_NOT_FOUND)
            break;
        bool takes_rest = str_eq(str_from_offset(pattern, open), STR("{...}"));
        struct str segment = str_sub(path, 0, takes_rest ? path.len : str_find_char(path, '/'));
        if (segment.len == 0 || n == API_SEGMENTS_MAX)
            return false;
        ret_segments[n] = segment;
        path = str_from_offset(path, segment.len);
        pattern = str_from_offset(pattern, close + 1);
    }
    return path.len == 0;
}

static bool method_matches(const struct route *route, struct str method)
{
    return str_eq(route->method, STR("*")) || str_eq(route->method, method) ||
           (str_eq(method, STR("HEAD")) && str_eq(route->method, STR("GET")));
}

/* As the table has it: MCP and what describes it (RFC 9728) are also served with one slash behind. */
static struct str routed_path(struct str path)
{
    struct str metadata = STR(RESOURCE_METADATA_PATH), resource = str_from_offset(path, metadata.len);
    if (!str_starts_with(path, metadata))
        return resource_plain_path(path);
    return str_sub(path, 0, metadata.len + resource_plain_path(resource).len);
}

/* The first row of that path and method. None: *ret_allow is what the path's rows allow, empty when there are none. */
static const struct route *find(struct call *call, const struct http_request *request,
                                struct str ret_segments[API_SEGMENTS_MAX], struct str *ret_allow)
{
    struct str path = routed_path(request->path);
    struct buf allow;
    buf_init(&allow, call->arena, ALLOW_BYTES_MAX);
    for (size_t i = 0; i < n_routes; i++) {
        if (!path_matches(&routes[i], path, ret_segments))
            continue;
        if (method_matches(&routes[i], request->method))
            return &routes[i];
        if (str_contains(buf_str(&allow), routes[i].method))
            continue;
        if (allow.len)
            buf_add(&allow, STR(", "));
        buf_add(&allow, routes[i].method);
        if (str_eq(routes[i].method, STR("GET")))
            buf_add(&allow, STR(", HEAD"));
    }
    *ret_allow = buf_str(&allow);
    return NULL;
}

/* ---- serving */

void routes_error(struct call *call, struct http_exchange *exchange, int status, const char *code, struct str message)
{
    routes_error_steps(call, exchange, status, code, message, STR_EMPTY);
}

void routes_error_steps(struct call *call, struct http_exchange *exchange, int status, const char *code,
                        struct str message, struct str steps_json)
{
    struct buf body;
    struct json_writer writer;
    buf_init(&body, call->arena, ERROR_BYTES_MAX);
    json_write_init(&writer, &body);
    json_object(&writer);
    json_key(&writer, STR("error"));
    json_object(&writer);
    json_member_str(&writer, "code", str_from(code));
    json_member_str(&writer, "message", message);
    if (steps_json.len)
        json_member_raw(&writer, "steps", steps_json);
    json_end(&writer);
    json_end(&writer);
    http_answer_header(exchange, STR("Cache-Control"), STR("no-store"));
    http_answer(exchange, status, STR("application/json"), buf_str(&body));
}

static enum api_who who_of(enum route_who who)
{
    return who == ROUTE_ANYONE ? API_ANYONE : who == ROUTE_PERSON ? API_PERSON : API_ADMIN;
}

static void dispatch(struct call *call, struct http_exchange *exchange, const struct http_request *request,
                     struct access *access)
{
    struct str segments[API_SEGMENTS_MAX], allow = STR_EMPTY;
    const struct route *route = find(call, request, segments, &allow);
    access->route = route ? route->path : STR_EMPTY;
    struct span *span = begin_span(call, request, route);
    http_answer_header(exchange, STR("X-Content-Type-Options"), STR("nosniff"));
    if (own_address_is_https()) /* RFC 6797: who was here once never comes in the clear again; this very host only */
        http_answer_header(exchange, STR("Strict-Transport-Security"), STR("max-age=31536000"));
    if (route && route->operation) {
        api_serve(call, exchange, route->operation, who_of(route->who), segments);
    } else if (route && route->page) {
        page_serve(call, exchange, route->page);
    } else if (route) {
        route->handler(call, exchange, segments[0]);
    } else if (page_is_wanted(request)) {
        if (allow.len)
            http_answer_header(exchange, STR("Allow"), allow);
        page_serve_error(call, exchange, allow.len ? 405 : 404);
    } else if (allow.len) {
        http_answer_header(exchange, STR("Allow"), allow);
        routes_error(call, exchange, 405, "method_not_allowed",
                     call_format(call, "This address takes %.*s only.", STR_ARG(allow)));
    } else {
        routes_error(call, exchange, 404, "not_found", STR("There is nothing at this address. MCP is served at /mcp."));
    }
    end_span(call, span, http_answer_status(exchange));
}

void routes_serve(struct call *call, struct http_exchange *exchange, void *context)
{
    const struct http_request *request = http_exchange_request(exchange);
    struct access *access = begin_access(call, request);
    (void)context;
    dispatch(call, exchange, request, access);
    if (call->error_detail.len)
        log_warning("call %s: %s: %.*s", call->id, error_name(call->error), STR_ARG(call->error_detail));
    log_access(access, http_answer_status(exchange));
}

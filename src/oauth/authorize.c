/* A request for somebody's agreement. */
#include "oauth/authorize.h"

#include "accounts/resource.h"
#include "net/url.h"
#include "oauth/document.h"
#include "oauth/family.h"
#include "oauth/grants.h"
#include "oauth/scopes.h"

enum { PAIRS_MAX = 64, ADDRESS_BYTES_MAX = 32 * 1024 };

/* ---- parameters */

/* ptr NULL: not there. More than one of that name: *ret_twice. */
static struct str parameter(struct call *call, const struct http_request *request, const char *wanted, bool *ret_twice)
{
    struct str rest = request->query, name, value, found = {NULL, 0};
    for (size_t n = 0; rest.ptr && n < PAIRS_MAX && url_query_next(call->arena, &rest, true, &name, &value); n++) {
        if (!str_eq(name, str_from(wanted)))
            continue;
        if (found.ptr)
            *ret_twice = true;
        found = value.ptr ? value : STR_EMPTY;
    }
    return found;
}

static int tell(struct authorize *asked, const char *error, struct str text)
{
    asked->error = error;
    asked->error_text = text;
    return OK;
}

/* ---- who asks, and where the answer goes: nothing is sent anywhere before both are known to be right */

static int read_client(struct call *call, const struct http_request *request, int64_t user_id, struct authorize *asked)
{
    bool twice = false;
    struct str id = parameter(call, request, "client_id", &twice);
    struct str uri = parameter(call, request, "redirect_uri", &twice);
    if (!id.len || !uri.len || twice)
        return fail(call, E_INVALID,
                    "The app did not say properly who it is or where you should be sent back to (client_id, "
                    "redirect_uri). Begin again in the app.");
    if (!user_id && document_is_id(call->arena, id))
        return fail(call, E_UNAUTHENTICATED, "Log in first.");
    int error = clients_find_for(call, id, user_id, &asked->client);
    if (error == E_NOT_FOUND)
        return fail(call, E_INVALID,
                    "This app is not known here (any more). Remove the connection in the app and add it again.");
    if (error)
        return error;
    asked->redirect_uri = uri;
    asked->redirect = redirect_judge(call->arena, uri);
    if (asked->redirect.kind == REDIRECT_BAD || !client_redirects_to(call, &asked->client, uri))
        return fail(call, E_INVALID,
                    "The app wants you to be sent to an address that is not among those it gave before. That may be an "
                    "attempt to steal your login, so nothing was sent there.");
    return OK;
}

/* ---- what it asks for */

static int read_resource(struct call *call, const struct http_request *request, struct authorize *asked)
{
    bool twice = false;
    struct str said = parameter(call, request, "resource", &twice);
    if (twice)
        return tell(asked, "invalid_target", STR("One resource at a time."));
    if (!said.len) /* clients from before RFC 8707 mean the one there is */
        asked->resource = call_format(call, "%.*s" RESOURCE_DEFAULT_PATH, STR_ARG(resource_origin(call, request)));
    else if (!resource_find(call, request, said, &asked->resource))
        return tell(asked, "invalid_target", STR("No MCP of this server is at the address in resource."));
    return OK;
}

static int read_prompt(struct str prompt, struct authorize *asked)
{
    struct str word;
    while (prompt.len && str_next(&prompt, ' ', &word)) {
        asked->must_ask |= str_eq(word, STR("consent")) || str_eq(word, STR("select_account"));
        asked->must_not_ask |= str_eq(word, STR("none"));
    }
    return asked->must_ask && asked->must_not_ask
               ? tell(asked, "invalid_request", STR("prompt=none goes with no other."))
               : OK;
}

static const struct {
    const char *parameter, *error;
} not_taken[] = {{"request", "request_not_supported"}, {"request_uri", "request_uri_not_supported"}};

static int read_wishes(struct call *call, const struct http_request *request, struct authorize *asked)
{
    bool twice = false;
    asked->state = parameter(call, request, "state", &twice);
    struct str type = parameter(call, request, "response_type", &twice);
    struct str mode = parameter(call, request, "response_mode", &twice);
    struct str method = parameter(call, request, "code_challenge_method", &twice);
    struct str scope = parameter(call, request, "scope", &twice);
    struct str prompt = parameter(call, request, "prompt", &twice);
    asked->challenge = parameter(call, request, "code_challenge", &twice);
    if (asked->state.len > AUTHORIZE_STATE_BYTES_MAX)
        asked->state = (struct str){NULL, 0}, twice = true;
    if (twice)
        return tell(asked, "invalid_request", STR("A parameter stands there twice, or is too long."));
    for (size_t i = 0; i < ARRAY_LENGTH(not_taken); i++)
        if (parameter(call, request, not_taken[i].parameter, &twice).ptr)
            return tell(asked, not_taken[i].error, STR("Request objects are not taken."));
    if (!type.len)
        return tell(asked, "invalid_request", STR("response_type is missing."));
    if (!str_eq(type, STR("code")))
        return tell(asked, "unsupported_response_type", STR("response_type must be code."));
    if (mode.len && !str_eq(mode, STR("query")))
        return tell(asked, "invalid_request", STR("response_mode must be query."));
    if (!client_may(&asked->client, "authorization_code"))
        return tell(asked, "unauthorized_client", STR("This client is not for asking people."));
    if (!pkce_is_challenge(asked->challenge) || !str_eq(method, STR("S256")))
        return tell(asked, "invalid_request", STR("PKCE is needed: code_challenge with code_challenge_method=S256."));
    asked->rights = RIGHTS_DEFAULT;
    if (scope.len && scopes_parse(call, scope, &asked->rights)) {
        call_clear_error(call);
        return tell(asked, "invalid_scope", STR("scope has no word of this server."));
    }
    int error = read_resource(call, request, asked);
    return error || asked->error ? error : read_prompt(prompt, asked);
}

static int remember(struct call *call, int64_t user_id, struct authorize *asked)
{
    int error = grants_remembered(call, user_id, asked->client.id, &asked->remembered, &asked->is_remembered);
    return error || !asked->is_remembered ? error
                                          : rights_parse(call, asked->remembered.rights, &asked->remembered_rights);
}

int authorize_read(struct call *call, const struct http_request *request, int64_t user_id, struct authorize *ret)
{
    *ret = (struct authorize){.error = NULL};
    int error = read_client(call, request, user_id, ret);
    if (!error)
        error = read_wishes(call, request, ret);
    return error || !user_id ? error : remember(call, user_id, ret);
}

/* ---- judging */

bool authorize_goes_without_saying(const struct authorize *asked)
{
    return asked->is_remembered && !asked->must_ask && !(asked->rights & ~asked->remembered_rights) &&
           !str_eq(asked->client.kind, STR(CLIENT_DYNAMIC)) && asked->redirect.kind == REDIRECT_HTTPS &&
           str_eq(asked->remembered.redirect_host, asked->redirect.host);
}

bool authorize_is_trusted(const struct authorize *asked)
{
    return str_eq(asked->client.kind, STR(CLIENT_MANUAL)) ||
           (asked->is_remembered && str_eq(asked->remembered.redirect_host, asked->redirect.host));
}

/* ---- answering */

int authorize_agree(struct call *call, const struct authorize *asked, int64_t user_id, const int64_t *connection_ids,
                    size_t n_connections, unsigned rights, struct str *ret_code)
{
    const struct grant_new new = {
        .user_id = user_id,
        .client = &asked->client,
        .connection_ids = connection_ids,
        .n_connections = n_connections,
        .rights = rights,
        .resource = asked->resource,
        .redirect_uri = asked->redirect_uri,
        .redirect_host = asked->redirect.host,
        .challenge = asked->challenge,
    };
    return grants_agree(call, &new, ret_code);
}

struct str authorize_address(struct call *call, const struct http_request *request, const struct authorize *asked,
                             struct str code, const char *error)
{
    struct buf address;
    buf_init(&address, call->arena, ADDRESS_BYTES_MAX);
    buf_add(&address, asked->redirect_uri);
    if (str_find_char(asked->redirect_uri, '?') == STR_NOT_FOUND)
        buf_add_char(&address, '?');
    if (code.len)
        url_query_add(&address, STR("code"), code);
    else
        url_query_add(&address, STR("error"), str_from(error));
    if (!code.len && asked->error)
        url_query_add(&address, STR("error_description"), asked->error_text);
    if (asked->state.ptr)
        url_query_add(&address, STR("state"), asked->state);
    url_query_add(&address, STR("iss"), resource_origin(call, request));
    return buf_str(&address);
}

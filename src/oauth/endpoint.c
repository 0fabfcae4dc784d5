/* What clients call: registering, tokens, giving tokens back. */
#include "oauth/endpoint.h"

#include "accounts/resource.h"
#include "base/log.h"
#include "crypto/keyring.h"
#include "json/json_write.h"
#include "limits/tries.h"
#include "net/client_address.h"
#include "net/own_address.h"
#include "net/url.h"
#include "oauth/clients.h"
#include "oauth/forget.h"
#include "oauth/grants.h"
#include "oauth/scopes.h"

#include <sodium.h>

enum {
    FORM_BYTES_MAX = 32 * 1024,
    FORM_FIELDS_MAX = 32,
    ANSWER_BYTES_MAX = 64 * 1024,
    DESCRIPTION_BYTES_MAX = 64 * 1024,
    DESCRIPTION_DEPTH_MAX = 8,
    CREDENTIALS_BYTES_MAX = 4096,
};

/* ---- answering */

void oauth_open_to_pages(struct http_exchange *exchange)
{
    http_answer_header(exchange, STR("Access-Control-Allow-Origin"), STR("*"));
}

static void answer_secret(struct http_exchange *exchange, int status, const struct buf *text)
{
    oauth_open_to_pages(exchange);
    http_answer_header(exchange, STR("Cache-Control"), STR("no-store"));
    http_answer_header(exchange, STR("Pragma"), STR("no-cache"));
    http_answer(exchange, status, STR("application/json"), buf_str(text));
}

void oauth_answer_error(struct call *call, struct http_exchange *exchange, int status, const char *code,
                        struct str description)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, ANSWER_BYTES_MAX);
    json_write_init(&w, &text);
    json_object(&w);
    json_member_str(&w, "error", str_from(code));
    json_member_str(&w, "error_description", description);
    json_end(&w);
    answer_secret(exchange, status, &text);
}

/* What is nobody's mistake: the database is not there, too many tries. */
static void answer_failure(struct call *call, struct http_exchange *exchange, int error)
{
    bool too_often = error == E_LIMIT;
    http_answer_header(exchange, STR("Retry-After"),
                       call_format(call, "%lld", (long long)(call->retry_after_s ? call->retry_after_s : 5)));
    if (!too_often)
        log_error("call %s: OAuth: %s: %.*s (%.*s)", call->id, error_name(error), STR_ARG(call->error_text),
                  STR_ARG(call->error_detail));
    oauth_answer_error(call, exchange, too_often ? 429 : 503, "temporarily_unavailable",
                       too_often ? call->error_text : STR("This does not work just now. Try again in a moment."));
}

bool oauth_may_come(struct call *call, struct http_exchange *exchange)
{
    struct str host = http_header_value(http_exchange_request(exchange), STR("host"));
    if (host.ptr && own_address_has_host(host))
        return true;
    oauth_answer_error(call, exchange, 403, "invalid_request",
                       STR("This Host is not ours. Behind a proxy or another name, set PORTEIRO_PUBLIC_URL to the "
                           "address people use."));
    return false;
}

void oauth_preflight(struct call *call, struct http_exchange *exchange, struct str segment)
{
    (void)call;
    (void)segment;
    oauth_open_to_pages(exchange);
    http_answer_header(exchange, STR("Access-Control-Allow-Methods"), STR("GET, POST"));
    http_answer_header(exchange, STR("Access-Control-Allow-Headers"),
                       STR("Authorization, Content-Type, MCP-Protocol-Version"));
    http_answer_header(exchange, STR("Access-Control-Max-Age"), STR("600"));
    http_answer(exchange, 204, STR_EMPTY, STR_EMPTY);
}

/* ---- what was sent */

static bool has_type(const struct http_request *request, struct str wanted)
{
    struct str type = http_header_value(request, STR("content-type"));
    return type.ptr && !http_header_repeated(request, STR("content-type")) &&
           str_eq_nocase(str_trim(str_sub(type, 0, str_find_char(type, ';'))), wanted);
}

struct form {
    size_t n;
    struct str names[FORM_FIELDS_MAX], values[FORM_FIELDS_MAX];
};

/* ptr NULL: it was not sent, or without a value, which is the same (RFC 6749 section 3.2). */
static struct str field(const struct form *form, const char *name)
{
    for (size_t i = 0; i < form->n; i++)
        if (str_eq(form->names[i], str_from(name)) && form->values[i].len)
            return form->values[i];
    return (struct str){NULL, 0};
}

static const struct form *refuse_form(struct call *call, struct http_exchange *exchange, struct str why)
{
    oauth_answer_error(call, exchange, 400, "invalid_request", why);
    return NULL;
}

/* NULL: it has been answered. */
static const struct form *read_form(struct call *call, struct http_exchange *exchange)
{
    const struct http_request *request = http_exchange_request(exchange);
    struct str rest = request->body, name, value;
    struct form *form = arena_new_of(call->arena, struct form);
    form->n = 0;
    if (!has_type(request, STR("application/x-www-form-urlencoded")) || request->body.len > FORM_BYTES_MAX)
        return refuse_form(call, exchange,
                           STR("Send a form: Content-Type: application/x-www-form-urlencoded, at most 32 KiB."));
    if (request->query.len)
        return refuse_form(call, exchange, STR("Nothing is taken from the address, because addresses end up in logs."));
    while (url_query_next(call->arena, &rest, true, &name, &value)) {
        for (size_t i = 0; i < form->n; i++)
            if (str_eq(form->names[i], name))
                return refuse_form(call, exchange, STR("A field stands there twice."));
        if (form->n == FORM_FIELDS_MAX || !str_is_utf8(name) || !str_is_utf8(value) ||
            str_find_char(value, '\0') != STR_NOT_FOUND)
            return refuse_form(call, exchange, STR("The form has too many fields, or what is no text."));
        form->names[form->n] = name;
        form->values[form->n++] = value;
    }
    return form;
}

/* ---- who sends it */

static bool answer_no_client(struct call *call, struct http_exchange *exchange, bool by_header)
{
    if (by_header)
        http_answer_header(exchange, STR("WWW-Authenticate"), STR("Basic realm=\"porteiro\""));
    oauth_answer_error(call, exchange, 401, "invalid_client",
                       STR("This client is not known here, or its secret is wrong. Register again."));
    return false;
}

/* "Basic ..." to id and secret, each form-encoded (RFC 6749 section 2.3.1). */
static bool read_basic(struct call *call, struct str header, struct str *ret_id, struct str *ret_secret)
{
    size_t size = 0;
    char *text = arena_alloc(call->arena, CREDENTIALS_BYTES_MAX);
    struct str encoded = str_trim(str_from_offset(header, 6));
    if (sodium_base642bin((unsigned char *)text, CREDENTIALS_BYTES_MAX, encoded.ptr, encoded.len, NULL, &size, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return false;
    keyring_wipe_later(call, text, size);
    struct str both = str_of(text, size);
    size_t colon = str_find_char(both, ':');
    if (colon == STR_NOT_FOUND)
        return false;
    *ret_id = url_decode(call->arena, str_sub(both, 0, colon), true);
    *ret_secret = url_decode(call->arena, str_from_offset(both, colon + 1), true);
    return true;
}

/* False: it has been answered. */
static bool find_client(struct call *call, struct http_exchange *exchange, const struct form *form,
                        struct oauth_client_row *ret)
{
    const struct http_request *request = http_exchange_request(exchange);
    struct str header = http_header_value(request, STR("authorization"));
    struct str id = field(form, "client_id"), secret = field(form, "client_secret");
    if (header.ptr) {
        struct str named = id;
        if (secret.ptr || http_header_repeated(request, STR("authorization"))) {
            oauth_answer_error(call, exchange, 400, "invalid_request",
                               STR("Send the client's secret in one way only."));
            return false;
        }
        if (!str_starts_with_nocase(header, STR("basic ")) || !read_basic(call, header, &id, &secret) ||
            (named.ptr && !str_eq(named, id)))
            return answer_no_client(call, exchange, true);
    }
    if (!id.ptr) {
        oauth_answer_error(call, exchange, 400, "invalid_request", STR("client_id is missing."));
        return false;
    }
    int error = clients_find(call, id, ret);
    if (error && error != E_NOT_FOUND) {
        answer_failure(call, exchange, error);
        return false;
    }
    bool has_secret = !error && ret->secret_hash.ptr;
    if (error || (has_secret ? !secret.ptr || !client_secret_is_right(ret, secret) : secret.len > 0))
        return answer_no_client(call, exchange, header.ptr != NULL);
    return true;
}

/* ---- POST /oauth/token */

static void answer_tokens(struct call *call, struct http_exchange *exchange, const struct grant_tokens *tokens)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, ANSWER_BYTES_MAX);
    json_write_init(&w, &text);
    json_object(&w);
    json_member_str(&w, "access_token", tokens->access);
    json_member_str(&w, "token_type", STR("Bearer"));
    json_member_i64(&w, "expires_in", tokens->expires_in_s);
    if (tokens->refresh.len)
        json_member_str(&w, "refresh_token", tokens->refresh);
    json_member_str(&w, "scope", resource_scopes(call, tokens->rights));
    json_end(&w);
    answer_secret(exchange, 200, &text);
}

static void answer_refusal(struct call *call, struct http_exchange *exchange, int error, const char *code)
{
    if (error == E_DENIED || error == E_INVALID)
        oauth_answer_error(call, exchange, 400, code, call->error_text);
    else
        answer_failure(call, exchange, error);
}

/* *ret_rights 0: not said. */
static int read_scope(struct call *call, const struct form *form, unsigned *ret_rights, const char **ret_code)
{
    struct str scope = field(form, "scope");
    *ret_rights = 0;
    *ret_code = "invalid_scope";
    return scope.ptr ? scopes_parse(call, scope, ret_rights) : OK;
}

/* ptr NULL: not said. */
static int read_resource(struct call *call, const struct http_request *request, const struct form *form,
                         struct str *ret_resource, const char **ret_code)
{
    struct str said = field(form, "resource");
    *ret_code = "invalid_target";
    *ret_resource = (struct str){NULL, 0};
    if (!said.ptr || resource_find(call, request, said, ret_resource))
        return OK;
    return fail(call, E_DENIED, "No MCP of this server is at the address in resource.");
}

static int by_code(struct call *call, const struct http_request *request, const struct form *form,
                   const struct oauth_client_row *client, struct grant_tokens *ret, const char **ret_code)
{
    struct redemption asked = {.code = field(form, "code"),
                               .verifier = field(form, "code_verifier"),
                               .redirect_uri = field(form, "redirect_uri")};
    *ret_code = "invalid_request";
    if (!asked.code.ptr || !asked.verifier.ptr)
        return fail(call, E_INVALID, "code and code_verifier must be there.");
    int error = read_resource(call, request, form, &asked.resource, ret_code);
    return error ? error : grants_redeem(call, client, &asked, ret, ret_code);
}

static int by_refresh(struct call *call, const struct http_request *request, const struct form *form,
                      const struct oauth_client_row *client, struct grant_tokens *ret, const char **ret_code)
{
    struct str refresh = field(form, "refresh_token"), resource;
    unsigned rights;
    *ret_code = "invalid_request";
    if (!refresh.ptr)
        return fail(call, E_INVALID, "refresh_token must be there.");
    int error = read_scope(call, form, &rights, ret_code);
    if (!error)
        error = read_resource(call, request, form, &resource, ret_code);
    return error ? error : grants_refresh(call, client, refresh, rights, resource, ret, ret_code);
}

static int by_credentials(struct call *call, const struct http_request *request, const struct form *form,
                          const struct oauth_client_row *client, struct grant_tokens *ret, const char **ret_code)
{
    struct str resource;
    unsigned rights;
    int error = read_scope(call, form, &rights, ret_code);
    if (!error)
        error = read_resource(call, request, form, &resource, ret_code);
    if (error)
        return error;
    if (!resource.ptr)
        resource = call_format(call, "%.*s" RESOURCE_DEFAULT_PATH, STR_ARG(resource_origin(call, request)));
    return grants_give_standing(call, client, rights, resource, ret, ret_code);
}

static const struct {
    const char *name;
    int (*run)(struct call *call, const struct http_request *request, const struct form *form,
               const struct oauth_client_row *client, struct grant_tokens *ret, const char **ret_code);
} grant_types[] = {
    {"authorization_code", by_code}, {"refresh_token", by_refresh}, {"client_credentials", by_credentials}};

void oauth_token(struct call *call, struct http_exchange *exchange, struct str segment)
{
    struct oauth_client_row client;
    struct grant_tokens tokens;
    const char *code = "invalid_request";
    (void)segment;
    const struct form *form = oauth_may_come(call, exchange) ? read_form(call, exchange) : NULL;
    struct str type = form ? field(form, "grant_type") : STR_EMPTY;
    size_t i = 0;
    if (!form)
        return;
    while (i < ARRAY_LENGTH(grant_types) && !str_eq(type, str_from(grant_types[i].name)))
        i++;
    if (i == ARRAY_LENGTH(grant_types)) {
        oauth_answer_error(call, exchange, 400, type.ptr ? "unsupported_grant_type" : "invalid_request",
                           STR("grant_type must be authorization_code, refresh_token or client_credentials."));
        return;
    }
    if (!find_client(call, exchange, form, &client))
        return;
    if (!client_may(&client, grant_types[i].name)) {
        oauth_answer_error(call, exchange, 400, "unauthorized_client", STR("This client is not for that grant_type."));
        return;
    }
    int error = grant_types[i].run(call, http_exchange_request(exchange), form, &client, &tokens, &code);
    if (error) {
        answer_refusal(call, exchange, error, code);
        return;
    }
    answer_tokens(call, exchange, &tokens);
    forget_old(call);
}

/* ---- POST /oauth/revoke */

/* One that finds nothing is answered like any other (RFC 7009), but nobody needs many of them. */
static int count_vain_revocation(struct call *call, const struct http_request *request)
{
    static const struct tries_rule of_address = {"oauth revoke", 30, 6 * 1000};
    char address[CLIENT_ADDRESS_BYTES];
    client_address(request, address);
    return tries_take_address(call, &of_address, str_from(address));
}

void oauth_revoke(struct call *call, struct http_exchange *exchange, struct str segment)
{
    struct oauth_client_row client;
    bool changed;
    (void)segment;
    const struct form *form = oauth_may_come(call, exchange) ? read_form(call, exchange) : NULL;
    if (!form || !find_client(call, exchange, form, &client))
        return;
    struct str token = field(form, "token");
    if (!token.ptr) {
        oauth_answer_error(call, exchange, 400, "invalid_request", STR("token must be there."));
        return;
    }
    int error = grants_revoke_token(call, &client, token, &changed);
    if (!error && !changed)
        error = count_vain_revocation(call, http_exchange_request(exchange));
    if (error) {
        answer_failure(call, exchange, error);
        return;
    }
    oauth_open_to_pages(exchange);
    http_answer_header(exchange, STR("Cache-Control"), STR("no-store"));
    http_answer(exchange, 200, STR_EMPTY, STR_EMPTY);
}

/* ---- POST /oauth/register */

static void write_grants(struct json_writer *w, const struct oauth_client_row *client)
{
    struct str rest = client->grant_types, word;
    json_key(w, STR("grant_types"));
    json_array(w);
    while (str_next(&rest, ',', &word))
        json_string(w, word);
    json_end(w);
}

static void answer_client(struct call *call, struct http_exchange *exchange, const struct oauth_client_row *client)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, ANSWER_BYTES_MAX);
    json_write_init(&w, &text);
    json_object(&w);
    json_member_str(&w, "client_id", client->id);
    json_member_i64(&w, "client_id_issued_at", client->created_at_ms / 1000);
    json_member_str(&w, "client_name", client->name);
    json_member_raw(&w, "redirect_uris", client->redirect_uris);
    write_grants(&w, client);
    json_key(&w, STR("response_types"));
    json_array(&w);
    json_string(&w, STR("code"));
    json_end(&w);
    json_member_str(&w, "token_endpoint_auth_method", client->auth_method);
    json_end(&w);
    answer_secret(exchange, 201, &text);
}

void oauth_register(struct call *call, struct http_exchange *exchange, struct str segment)
{
    static const struct json_limits limits = {DESCRIPTION_DEPTH_MAX, DESCRIPTION_BYTES_MAX, true};
    const struct http_request *request = http_exchange_request(exchange);
    char address[CLIENT_ADDRESS_BYTES];
    struct oauth_client_row client;
    const struct json *description;
    const char *code;
    (void)segment;
    if (!oauth_may_come(call, exchange))
        return;
    if (!has_type(request, STR("application/json")) ||
        json_parse(call->arena, request->body, &limits, &description, NULL) != OK) {
        oauth_answer_error(call, exchange, 400, "invalid_client_metadata",
                           STR("Send a JSON object that describes the client, with Content-Type: application/json."));
        return;
    }
    client_address(request, address);
    int error = clients_register(call, description, str_from(address), &client, &code);
    if (error) {
        answer_refusal(call, exchange, error, code);
        return;
    }
    answer_client(call, exchange, &client);
}

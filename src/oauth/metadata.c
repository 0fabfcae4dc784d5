/* What says where OAuth is: RFC 8414 of the server, RFC 9728 of each address at which MCP is served. */
#include "accounts/resource.h"
#include "json/json_write.h"
#include "oauth/endpoint.h"

enum { METADATA_BYTES_MAX = 8 * 1024 };

static void write_words(struct json_writer *w, const char *key, struct str words)
{
    struct str word;
    json_key(w, str_from(key));
    json_array(w);
    while (str_next(&words, ' ', &word))
        json_string(w, word);
    json_end(w);
}

static void write_address(struct call *call, struct json_writer *w, const char *key, struct str origin,
                          const char *path)
{
    json_member_str(w, key, call_format(call, "%.*s%s", STR_ARG(origin), path));
}

static void answer(struct http_exchange *exchange, const struct buf *text)
{
    oauth_open_to_pages(exchange);
    http_answer_header(exchange, STR("Cache-Control"), STR("public, max-age=300"));
    http_answer_header(exchange, STR("Vary"), STR("Host"));
    http_answer(exchange, 200, STR("application/json"), buf_str(text));
}

void oauth_server_metadata(struct call *call, struct http_exchange *exchange, struct str segment)
{
    struct str origin = resource_origin(call, http_exchange_request(exchange));
    struct buf text;
    struct json_writer w;
    (void)segment;
    if (!oauth_may_come(call, exchange))
        return;
    buf_init(&text, call->arena, METADATA_BYTES_MAX);
    json_write_init(&w, &text);
    json_object(&w);
    json_member_str(&w, "issuer", origin);
    write_address(call, &w, "authorization_endpoint", origin, "/oauth/authorize");
    write_address(call, &w, "token_endpoint", origin, "/oauth/token");
    write_address(call, &w, "registration_endpoint", origin, "/oauth/register");
    write_address(call, &w, "revocation_endpoint", origin, "/oauth/revoke");
    write_words(&w, "response_types_supported", STR("code"));
    write_words(&w, "response_modes_supported", STR("query"));
    write_words(&w, "grant_types_supported", STR("authorization_code refresh_token client_credentials"));
    write_words(&w, "code_challenge_methods_supported", STR("S256"));
    write_words(&w, "token_endpoint_auth_methods_supported", STR("none client_secret_post client_secret_basic"));
    write_words(&w, "revocation_endpoint_auth_methods_supported", STR("none client_secret_post client_secret_basic"));
    write_words(&w, "scopes_supported",
                call_format(call, "%.*s offline_access", STR_ARG(resource_scopes(call, RIGHTS_ALL))));
    json_member_bool(&w, "client_id_metadata_document_supported", true);
    json_member_bool(&w, "authorization_response_iss_parameter_supported", true);
    json_end(&w);
    answer(exchange, &text);
}

void oauth_resource_metadata(struct call *call, struct http_exchange *exchange, struct str segment)
{
    struct str origin = resource_origin(call, http_exchange_request(exchange));
    struct str path = segment.len ? call_format(call, "/%.*s", STR_ARG(segment)) : STR(RESOURCE_DEFAULT_PATH);
    struct buf text;
    struct json_writer w;
    if (!oauth_may_come(call, exchange))
        return;
    if (!resource_is_path(path)) {
        oauth_answer_error(call, exchange, 404, "not_found", STR("No MCP with OAuth is served at that address."));
        return;
    }
    buf_init(&text, call->arena, METADATA_BYTES_MAX);
    json_write_init(&w, &text);
    json_object(&w);
    json_member_str(&w, "resource", call_format(call, "%.*s%.*s", STR_ARG(origin), STR_ARG(path)));
    write_words(&w, "authorization_servers", origin);
    /* The least that is of use; more is asked for when a tool needs it (403 insufficient_scope). */
    write_words(&w, "scopes_supported", resource_scopes(call, RIGHTS_DEFAULT));
    write_words(&w, "bearer_methods_supported", STR("header"));
    json_member_str(&w, "resource_name", STR("porteiro"));
    json_end(&w);
    answer(exchange, &text);
}

/* /api/oauth */
#include "web/api_oauth.h"

#include "oauth/clients.h"
#include "oauth/grants.h"
#include "oauth/redirect.h"

/* ---- the apps a person let in */

#define GRANT_SCHEMA                                                                                                   \
    "{\"type\":\"object\",\"properties\":{\"id\":" API_TEXT ",\"client\":{\"type\":\"object\",\"properties\":{"        \
    "\"id\":" API_TEXT ",\"name\":" API_TEXT ",\"kind\":" API_TEXT "},\"required\":[\"id\",\"name\",\"kind\"]},"       \
    "\"host\":" API_TEXT_OR_NULL ",\"connections\":{\"type\":\"array\",\"items\":" API_INTEGER "},"                    \
    "\"connection_name\":" API_TEXT ",\"rights\":{\"type\":\"array\",\"items\":" API_TEXT "},"                         \
    "\"resource\":" API_TEXT_OR_NULL ",\"created_at\":" API_TIME_OR_NULL ",\"last_used_at\":" API_TIME_OR_NULL         \
    ",\"expires_at\":" API_TIME_OR_NULL "},\"required\":[\"id\",\"client\",\"connections\",\"rights\"]}"

static void write_connections(struct json_writer *w, const struct oauth_grant_row *row)
{
    struct str rest = row->connections, word;
    int64_t id;
    json_key(w, STR("connections"));
    json_array(w);
    json_i64(w, row->connection_id);
    while (row->connections.len && str_next(&rest, ',', &word))
        if (str_to_i64(word, &id))
            json_i64(w, id);
    json_end(w);
}

static void write_grant(struct call *call, struct json_writer *w, const struct oauth_grant_row *row)
{
    bool stands = row->resource.len == 0; /* of a client with credentials of its own: it does not end by itself */
    json_object(w);
    json_member_str(w, "id", row->id);
    json_key(w, STR("client"));
    json_object(w);
    json_member_str(w, "id", row->client_id);
    json_member_str(w, "name", row->client_name);
    json_member_str(w, "kind", row->client_kind);
    json_end(w);
    api_member_text(w, "host", row->redirect_host);
    write_connections(w, row);
    json_member_str(w, "connection_name", row->connection_name);
    api_member_words(w, "rights", row->rights);
    api_member_text(w, "resource", row->resource);
    api_member_time(call, w, "created_at", row->created_at_ms);
    api_member_time(call, w, "last_used_at", row->last_used_at_ms);
    api_member_time(call, w, "expires_at", stands ? 0 : row->expires_at_ms);
    json_end(w);
}

static int list_grants(struct call *call, struct api *api)
{
    struct oauth_grant_rows rows;
    int error = grants_list(call, api->person.user_id, &rows);
    if (error)
        return error;
    api_list_begin(api);
    for (size_t i = 0; i < rows.count; i++)
        write_grant(call, &api->out, &rows.items[i]);
    api_list_end(api);
    return OK;
}

const struct api_operation api_oauth_grants = {
    .id = "oauthGrants",
    .summary = "The apps that the person let in, newest first. host: where it was sent back to.",
    .answer = API_LIST_SCHEMA(GRANT_SCHEMA),
    .status = 200,
    .run = list_grants,
};

static int end_grant(struct call *call, struct api *api)
{
    int error = grants_end(call, api->person.user_id, api->segment);
    if (!error)
        api_ok(api);
    return error;
}

const struct api_operation api_oauth_end_grant = {
    .id = "oauthEndGrant",
    .summary = "Ends what was agreed to for an app, with all its tokens, within a second everywhere.",
    .answer = API_OK_SCHEMA,
    .status = 200,
    .run = end_grant,
};

/* ---- an administrator's clients */

#define CLIENT_PROPERTIES                                                                                              \
    "\"client_id\":" API_TEXT ",\"name\":" API_TEXT ",\"method\":" API_TEXT                                            \
    ",\"redirect_uris\":{\"type\":\"array\",\"items\":" API_TEXT                                                       \
    "},\"connection_id\":{\"type\":[\"integer\",\"null\"]},\"rights\":{\"type\":\"array\",\"items\":" API_TEXT         \
    "},\"created_at\":" API_TIME_OR_NULL ",\"used_at\":" API_TIME_OR_NULL

static void write_client(struct call *call, struct json_writer *w, const struct oauth_client_row *row)
{
    json_member_str(w, "client_id", row->id);
    json_member_str(w, "name", row->name);
    json_member_str(w, "method", row->auth_method);
    json_member_raw(w, "redirect_uris", row->redirect_uris);
    if (row->connection_id)
        json_member_i64(w, "connection_id", row->connection_id);
    else
        json_member_null(w, "connection_id");
    api_member_words(w, "rights", row->rights.ptr ? row->rights : STR_EMPTY);
    api_member_time(call, w, "created_at", row->created_at_ms);
    api_member_time(call, w, "used_at", row->used_at_ms);
}

static int list_clients(struct call *call, struct api *api)
{
    struct oauth_client_rows rows;
    int error = clients_list(call, &rows);
    if (error)
        return error;
    api_list_begin(api);
    for (size_t i = 0; i < rows.count; i++) {
        json_object(&api->out);
        write_client(call, &api->out, &rows.items[i]);
        json_end(&api->out);
    }
    api_list_end(api);
    return OK;
}

const struct api_operation api_oauth_clients = {
    .id = "oauthClients",
    .summary = "The OAuth clients that administrators made. Others register themselves and are not listed.",
    .answer = API_LIST_SCHEMA("{\"type\":\"object\",\"properties\":{" CLIENT_PROPERTIES "},\"required\":[\"client_id\","
                              "\"name\",\"method\",\"redirect_uris\"]}"),
    .status = 200,
    .run = list_clients,
};

static int add_client(struct call *call, struct api *api)
{
    struct str redirects[REDIRECTS_MAX + 1], secret, rights = api_text(api, "rights");
    const struct json *list = json_get(api->body, STR("redirect_uris"));
    struct client_new new = {
        .name = api_text(api, "name"),
        .redirect_uris = redirects,
        .is_public = json_bool_or(json_get(api->body, STR("public")), false),
        .connection_id = json_i64_or(json_get(api->body, STR("connection_id")), 0),
        .made_by = api->person.user_id,
    };
    struct oauth_client_row made;
    while (new.n_redirect_uris < json_count(list) && new.n_redirect_uris <= REDIRECTS_MAX) {
        redirects[new.n_redirect_uris] = json_str(json_at(list, new.n_redirect_uris));
        new.n_redirect_uris++;
    }
    int error = rights.ptr ? rights_parse(call, rights, &new.rights) : OK;
    if (!error)
        error = clients_add(call, &new, &made, &secret);
    if (error)
        return error;
    json_object(&api->out);
    write_client(call, &api->out, &made);
    api_member_text(&api->out, "client_secret", secret);
    json_end(&api->out);
    return OK;
}

const struct api_operation api_oauth_add_client = {
    .id = "oauthAddClient",
    .summary =
        "Makes a client, with its secret, shown this once (public: none). Either redirect_uris, where people are sent "
        "back to, or connection_id (one of one's own) and rights: client credentials, which ask nobody.",
    .body = API_BODY("\"name\":" API_SHORT_TEXT ",\"redirect_uris\":{\"type\":\"array\",\"maxItems\":10,\"items\":"
                     "{\"type\":\"string\",\"maxLength\":2000}},\"public\":" API_BOOLEAN
                     ",\"connection_id\":" API_INTEGER ",\"rights\":" API_SHORT_TEXT,
                     "\"name\""),
    .answer = "{\"type\":\"object\",\"properties\":{" CLIENT_PROPERTIES ",\"client_secret\":" API_TEXT_OR_NULL
              "},\"required\":[\"client_id\",\"client_secret\"]}",
    .status = 201,
    .is_grave = true,
    .run = add_client,
};

static int delete_client(struct call *call, struct api *api)
{
    int error = clients_delete(call, api->segment, api->person.user_id);
    if (!error)
        api_ok(api);
    return error;
}

const struct api_operation api_oauth_delete_client = {
    .id = "oauthDeleteClient",
    .summary = "Deletes a client that an administrator made. Whatever it was let in to ends at once.",
    .answer = API_OK_SCHEMA,
    .status = 200,
    .is_grave = true,
    .run = delete_client,
};

/* /api/tokens */
#include "web/api_tokens.h"

#include "accounts/token_rotate.h"
#include "call/token_options.h"

#define TOKEN_SCHEMA                                                                                                   \
    "{\"type\":\"object\",\"properties\":{\"id\":" API_INTEGER ",\"connection_id\":" API_INTEGER                       \
    ",\"name\":" API_TEXT_OR_NULL ",\"last4\":" API_TEXT_OR_NULL ",\"rights\":{\"type\":\"array\",\"items\":" API_TEXT \
    "},\"options\":{\"type\":\"array\",\"items\":" API_TEXT "},\"sites\":{\"type\":\"array\",\"items\":" API_TEXT      \
    "},\"confirm\":" API_TEXT_OR_NULL ",\"primary\":" API_BOOLEAN ",\"state\":" API_TEXT                               \
    ",\"created_at\":" API_TIME_OR_NULL ",\"expires_at\":" API_TIME_OR_NULL ",\"revoked_at\":" API_TIME_OR_NULL        \
    ",\"last_used_at\":" API_TIME_OR_NULL "},\"required\":[\"id\",\"connection_id\",\"rights\",\"state\"]}"

static void write_token(struct call *call, struct json_writer *w, const struct token_row *row)
{
    json_object(w);
    json_member_i64(w, "id", row->id);
    json_member_i64(w, "connection_id", row->connection_id);
    api_member_text(w, "name", row->name);
    api_member_text(w, "last4", row->last4);
    api_member_words(w, "rights", row->rights);
    api_member_words(w, "options", row->options);
    api_member_words(w, "sites", row->sites);
    api_member_text(w, "confirm", row->confirm);
    json_member_bool(w, "primary", row->is_primary);
    json_member_str(w, "state", str_from(token_state(row)));
    api_member_time(call, w, "created_at", row->created_at_ms);
    api_member_time(call, w, "expires_at", row->expires_at_ms);
    api_member_time(call, w, "revoked_at", row->revoked_at_ms);
    api_member_time(call, w, "last_used_at", row->last_used_at_ms);
    json_end(w);
}

static int list(struct call *call, struct api *api, int64_t connection_id)
{
    struct token_rows rows;
    int error = tokens_list(call, api->person.user_id, connection_id, &rows);
    if (error)
        return error;
    api_list_begin(api);
    for (size_t i = 0; i < rows.count; i++)
        write_token(call, &api->out, &rows.items[i]);
    api_list_end(api);
    return OK;
}

static int list_all(struct call *call, struct api *api)
{
    return list(call, api, 0);
}

static int list_of_connection(struct call *call, struct api *api)
{
    struct connection_row row;
    int64_t id;
    int error = api_id(call, api, &id);
    if (!error)
        error = store_connections_get(call, api->person.user_id, id, &row);
    return error ? error : list(call, api, id);
}

const struct api_operation api_tokens_list = {.id = "tokensList",
                                              .summary = "The tokens of all the person's connections, newest first.",
                                              .answer = API_LIST_SCHEMA(TOKEN_SCHEMA),
                                              .status = 200,
                                              .run = list_all};
const struct api_operation api_tokens_of_connection = {.id = "tokensOfConnection",
                                                       .summary = "The tokens of one connection, newest first.",
                                                       .answer = API_LIST_SCHEMA(TOKEN_SCHEMA),
                                                       .status = 200,
                                                       .run = list_of_connection};

static int read_sites(struct call *call, const struct json *list, struct token_new *token)
{
    struct token_site *sites = arena_array_of(call->arena, struct token_site, json_count(list) + 1);
    for (size_t i = 0; i < json_count(list); i++) {
        struct str rights = json_str(json_get(json_at(list, i), STR("rights")));
        sites[i] =
            (struct token_site){.connection_id = json_i64_or(json_get(json_at(list, i), STR("connection_id")), 0)};
        int error = rights.len ? rights_parse(call, rights, &sites[i].rights) : OK;
        if (error)
            return error;
    }
    token->sites = sites;
    token->n_sites = json_count(list);
    return OK;
}

static int add(struct call *call, struct api *api)
{
    struct str name = api_text(api, "name"), rights = api_text(api, "rights"), confirm = api_text(api, "confirm"),
               expires = api_text(api, "expires"), options = api_text(api, "options");
    struct token_new token = {.name = name.ptr ? name : STR_EMPTY, .rights = RIGHTS_DEFAULT};
    struct token_made made;
    int64_t id;
    int error = api_id(call, api, &id);
    if (!error && rights.ptr)
        error = rights_parse(call, rights, &token.rights);
    if (!error && confirm.ptr)
        error = confirm_parse(call, confirm, &token.confirm);
    if (!error && options.ptr)
        error = token_options_parse(call, options, &token.options);
    if (!error)
        error = read_sites(call, json_get(api->body, STR("sites")), &token);
    if (!error)
        error = tokens_parse_expiry(call, expires.ptr ? expires : STR("90d"), &token.expires_at_ms);
    if (!error)
        error = tokens_add(call, api->person.user_id, id, &token, &made);
    if (error)
        return error;
    json_object(&api->out);
    json_member_i64(&api->out, "id", made.token_id);
    json_member_str(&api->out, "token", made.token);
    json_member_str(&api->out, "last4", made.last4);
    api_member_time(call, &api->out, "expires_at", token.expires_at_ms);
    json_end(&api->out);
    return OK;
}

const struct api_operation api_tokens_add = {
    .id = "tokensAdd",
    .summary =
        "A further token, shown this once. rights: read,draft (as without it), publish, delete, fetch, admin; "
        "confirm: none, model, human; expires: 90d (as without it), 12h, never; options: research, structured; sites: "
        "further connections it is good for, with their own rights if they are to differ.",
    .body = API_BODY("\"name\":" API_SHORT_TEXT ",\"rights\":" API_SHORT_TEXT ",\"confirm\":" API_SHORT_TEXT
                     ",\"expires\":" API_SHORT_TEXT ",\"options\":" API_SHORT_TEXT
                     ",\"sites\":{\"type\":\"array\",\"maxItems\":50,\"items\":" API_BODY(
                         "\"connection_id\":" API_INTEGER ",\"rights\":" API_SHORT_TEXT, "\"connection_id\"") "}",
                     ""),
    .answer = "{\"type\":\"object\",\"properties\":{\"id\":" API_INTEGER ",\"token\":" API_TEXT ",\"last4\":" API_TEXT
              ",\"expires_at\":" API_TIME_OR_NULL "},\"required\":[\"id\",\"token\",\"last4\"]}",
    .status = 201,
    .is_grave_by_hand = true,
    .run = add,
};

static int rotate(struct call *call, struct api *api)
{
    struct str overlap = api_text(api, "overlap");
    struct token_made made;
    int64_t id, ends_at_ms = 0, expires_at_ms;
    int error = api_id(call, api, &id);
    if (!error && overlap.ptr)
        error = tokens_parse_expiry(call, overlap, &ends_at_ms);
    if (!error && overlap.ptr && !ends_at_ms) /* "never", which the other end of this would take for "at once" */
        error = fail(call, E_INVALID, "The old token may go on for at most 7 days.");
    if (!error)
        error = token_rotate(call, api->person.user_id, id, &ends_at_ms, &made, &expires_at_ms);
    if (error)
        return error;
    json_object(&api->out);
    json_member_i64(&api->out, "id", made.token_id);
    json_member_str(&api->out, "token", made.token);
    json_member_str(&api->out, "last4", made.last4);
    api_member_time(call, &api->out, "expires_at", expires_at_ms);
    api_member_time(call, &api->out, "old_ends_at", ends_at_ms);
    json_end(&api->out);
    return OK;
}

const struct api_operation api_tokens_rotate = {
    .id = "tokensRotate",
    .summary = "A newer token in the place of one, shown this once: same name, rights, connections and length of life. "
               "overlap (1h, 24h, at most 7d): so long the old one goes on; without it, it ends at once.",
    .body = API_BODY("\"overlap\":" API_SHORT_TEXT, ""),
    .answer = "{\"type\":\"object\",\"properties\":{\"id\":" API_INTEGER ",\"token\":" API_TEXT ",\"last4\":" API_TEXT
              ",\"expires_at\":" API_TIME_OR_NULL ",\"old_ends_at\":" API_TIME_OR_NULL
              "},\"required\":[\"id\",\"token\",\"last4\"]}",
    .status = 200,
    .is_grave_by_hand = true,
    .run = rotate,
};

static int revoke(struct call *call, struct api *api)
{
    int64_t id;
    int error = api_id(call, api, &id);
    if (!error)
        error = tokens_revoke(call, api->person.user_id, id);
    if (!error)
        api_ok(api);
    return error;
}

const struct api_operation api_tokens_revoke = {.id = "tokensRevoke",
                                                .summary = "Ends a token for good, within a second everywhere.",
                                                .answer = API_OK_SCHEMA,
                                                .status = 200,
                                                .run = revoke};

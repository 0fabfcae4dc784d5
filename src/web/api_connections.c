/* /api/connections */
#include "web/api_connections.h"

#include "accounts/authorize.h"
#include "accounts/connect.h"
#include "accounts/connect_doctor.h"
#include "net/own_address.h"

enum { IMPORT_ROWS_MAX = 100, STEPS_BYTES_MAX = 4096 };

#define CHECK_SCHEMA                                                                                                   \
    "{\"type\":[\"object\",\"null\"],\"properties\":{\"ok\":" API_BOOLEAN ",\"checked_at\":" API_TIME_OR_NULL          \
    ",\"latency_ms\":" API_INTEGER ",\"site\":" API_TEXT_OR_NULL ",\"version\":" API_TEXT_OR_NULL                      \
    ",\"user\":" API_TEXT_OR_NULL ",\"role\":" API_TEXT_OR_NULL ",\"error\":" API_TEXT_OR_NULL                         \
    ",\"message\":" API_TEXT_OR_NULL "}}"
#define CONNECTION_SCHEMA                                                                                              \
    "{\"type\":\"object\",\"properties\":{\"id\":" API_INTEGER ",\"name\":" API_TEXT ",\"provider\":" API_TEXT         \
    ",\"status\":" API_TEXT ",\"address\":" API_TEXT_OR_NULL                                                           \
    ",\"config\":{\"type\":\"object\"},\"token_last4\":" API_TEXT_OR_NULL ",\"created_at\":" API_TIME_OR_NULL          \
    ",\"updated_at\":" API_TIME_OR_NULL ",\"last_used_at\":" API_TIME_OR_NULL ",\"check\":" CHECK_SCHEMA               \
    "},\"required\":[\"id\",\"name\",\"provider\",\"status\",\"config\",\"check\"]}"
#define FIELDS_SCHEMA "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\",\"maxLength\":4000}}"
#define RIGHTS_SCHEMA "{\"type\":\"string\",\"maxLength\":100}"

#define TERMS_PROPERTIES                                                                                               \
    "\"provider\":" API_SHORT_TEXT ",\"name\":" API_SHORT_TEXT ",\"config\":" FIELDS_SCHEMA                            \
    ",\"rights\":" RIGHTS_SCHEMA ",\"confirm\":" API_SHORT_TEXT ",\"expires\":" API_SHORT_TEXT
#define NEW_PROPERTIES TERMS_PROPERTIES ",\"secrets\":" FIELDS_SCHEMA
#define MADE_SCHEMA                                                                                                    \
    "{\"type\":\"object\",\"properties\":{\"id\":" API_INTEGER ",\"token\":" API_TEXT ",\"token_last4\":" API_TEXT     \
    ",\"token_id\":" API_INTEGER ",\"site\":" API_TEXT_OR_NULL ",\"version\":" API_TEXT_OR_NULL                        \
    ",\"user\":" API_TEXT_OR_NULL ",\"role\":" API_TEXT_OR_NULL ",\"warning\":" API_TEXT_OR_NULL                       \
    "},\"required\":[\"id\",\"token\",\"token_last4\",\"token_id\"]}"

/* ---- what is said of one */

static void write_check(struct call *call, struct api *api, const struct check_row *check)
{
    struct json_writer *w = &api->out;
    json_object(w);
    json_member_bool(w, "ok", check->ok);
    api_member_time(call, w, "checked_at", check->checked_at_ms);
    json_member_i64(w, "latency_ms", check->latency_ms);
    api_member_text(w, "site", check->site_name);
    api_member_text(w, "version", check->site_version);
    api_member_text(w, "user", check->site_user);
    api_member_text(w, "role", check->site_role);
    api_member_text(w, "error", check->error_code);
    api_member_text(w, "message", api_sentence(call, api, check->error_text));
    json_end(w);
}

static int64_t last_use_of(const struct connection_uses *uses, int64_t connection_id)
{
    for (size_t i = 0; i < uses->count; i++)
        if (uses->items[i].connection_id == connection_id)
            return uses->items[i].last_used_at_ms;
    return 0;
}

static void write_connection(struct call *call, struct api *api, const struct connection_row *row,
                             const struct connection_uses *uses)
{
    struct json_writer *w = &api->out;
    json_object(w);
    json_member_i64(w, "id", row->id);
    json_member_str(w, "name", row->name);
    json_member_str(w, "provider", row->provider_key);
    json_member_str(w, "status", row->status);
    api_member_text(w, "address", connect_address(call->arena, provider_find(row->provider_key), row->config_json));
    json_member_raw(w, "config", row->config_json);
    api_member_text(w, "token_last4", row->token_last4);
    api_member_time(call, w, "created_at", row->created_at_ms);
    api_member_time(call, w, "updated_at", row->updated_at_ms);
    api_member_time(call, w, "last_used_at", last_use_of(uses, row->id));
    json_key(w, STR("check"));
    if (row->check.found)
        write_check(call, api, &row->check);
    else
        json_null_value(w);
    json_end(w);
}

static int list(struct call *call, struct api *api)
{
    struct connection_rows rows;
    struct connection_uses uses;
    int error = connections_list(call, api->person.user_id, &rows);
    if (!error)
        error = store_connections_uses(call, api->person.user_id, &uses);
    if (error)
        return error;
    api_list_begin(api);
    for (size_t i = 0; i < rows.count; i++)
        write_connection(call, api, &rows.items[i], &uses);
    api_list_end(api);
    return OK;
}

const struct api_operation api_connections_list = {
    .id = "connectionsList",
    .summary = "The person's connections, each with what its last check found. Secrets are never shown.",
    .answer = API_LIST_SCHEMA(CONNECTION_SCHEMA),
    .status = 200,
    .run = list,
};

static int show(struct call *call, struct api *api)
{
    struct connection_row row;
    struct connection_uses uses;
    int64_t id;
    int error = api_id(call, api, &id);
    if (!error)
        error = connections_show(call, api->person.user_id, id, &row);
    if (!error)
        error = store_connections_uses(call, api->person.user_id, &uses);
    if (!error)
        write_connection(call, api, &row, &uses);
    return error;
}

const struct api_operation api_connections_show = {
    .id = "connectionsShow", .summary = "One connection.", .answer = CONNECTION_SCHEMA, .status = 200, .run = show};

/* ---- making one */

/* What was looked at, in its order: done, failed, or not come to. */
static struct str steps_of(struct call *call, const struct site_check *check)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, STEPS_BYTES_MAX);
    json_write_init(&w, &text);
    json_array(&w);
    for (size_t i = 0; i < check->n_steps; i++) {
        const struct site_step *step = &check->steps[i];
        json_object(&w);
        json_member_str(&w, "check", str_from(step->name));
        json_member_str(&w, "result", step->is_left_out ? STR("skip") : step->ok ? STR("ok") : STR("fail"));
        if (step->ms >= 0)
            json_member_i64(&w, "ms", step->ms);
        else
            json_member_null(&w, "ms");
        json_end(&w);
    }
    json_end(&w);
    return buf_str(&text);
}

static int fail_as(struct api *api, struct call *call, const struct site_check *check, int error)
{
    if (error == E_UPSTREAM && check->error_code.len) {
        api->error_code = str_copy_cstr(call->arena, check->error_code);
        api->error_steps = check->n_steps ? steps_of(call, check) : STR_EMPTY;
    }
    return error;
}

/* Everything but the fields of the form. */
static int read_terms(struct call *call, struct api *api, const struct json *body, struct connection_new *new,
                      const struct provider **ret_provider)
{
    struct str rights = json_str(json_get(body, STR("rights"))), confirm = json_str(json_get(body, STR("confirm")));
    struct str expires = json_str(json_get(body, STR("expires")));
    *new = (struct connection_new){.user_id = api->person.user_id,
                                   .provider_key = json_str(json_get(body, STR("provider"))),
                                   .name = json_str(json_get(body, STR("name"))),
                                   .token = {.name = STR_EMPTY, .rights = RIGHTS_DEFAULT}};
    int error = connect_provider(call, new->provider_key, ret_provider);
    if (!error && rights.len)
        error = rights_parse(call, rights, &new->token.rights);
    if (!error && confirm.len)
        error = confirm_parse(call, confirm, &new->token.confirm);
    if (!error && expires.len)
        error = tokens_parse_expiry(call, expires, &new->token.expires_at_ms);
    return error;
}

static int read_new(struct call *call, struct api *api, const struct json *body, struct connection_new *new)
{
    const struct provider *provider;
    int error = read_terms(call, api, body, new, &provider);
    return error ? error
                 : connect_fields(call, provider, json_get(body, STR("config")), json_get(body, STR("secrets")), NULL,
                                  &new->config_json, &new->secret_json);
}

static void write_made(struct json_writer *w, const struct token_made *made, const struct site_check *check)
{
    json_member_i64(w, "id", made->connection_id);
    json_member_str(w, "token", made->token);
    json_member_str(w, "token_last4", made->last4);
    json_member_i64(w, "token_id", made->token_id);
    api_member_text(w, "site", check->site_name);
    api_member_text(w, "version", check->site_version);
    api_member_text(w, "user", check->site_user);
    api_member_text(w, "role", check->site_role);
    api_member_text(w, "warning", check->warning);
}

static int add(struct call *call, struct api *api)
{
    struct connection_new new;
    struct site_check check = {0};
    struct token_made made;
    int error = read_new(call, api, api->body, &new);
    if (!error)
        error = connect_add(call, &new, &check, &made);
    if (error)
        return fail_as(api, call, &check, error);
    json_object(&api->out);
    write_made(&api->out, &made, &check);
    json_end(&api->out);
    return OK;
}

const struct api_operation api_connections_add = {
    .id = "connectionsAdd",
    .summary = "Connects a service: looks at it first, with the password given, and stores nothing that does not work. "
               "The token is shown this once. The error's code says what is wrong: wrong_password, not_wordpress, tls, "
               "...; its steps what was looked at (result: ok, fail, or skip, which was not come to).",
    .body = API_BODY(NEW_PROPERTIES, "\"provider\",\"name\""),
    .answer = MADE_SCHEMA,
    .status = 201,
    .run = add,
};

/* ---- with a click at the service */

static int authorize(struct call *call, struct api *api)
{
    const struct provider *provider;
    struct connection_new new;
    struct site_check check = {0};
    struct str url, address = str_concat(call->arena, own_address_url(), STR("/connect/return"));
    int error = read_terms(call, api, api->body, &new, &provider);
    if (error)
        return error;
    const struct json *config = json_get(api->body, STR("config"));
    new.config_json = json_is(config, JSON_OBJECT) ? json_raw(config) : STR("{}");
    error = authorize_begin(call, &new, address, &check, &url);
    if (error)
        return fail_as(api, call, &check, error);
    json_object(&api->out);
    json_member_str(&api->out, "url", url);
    api_member_text(&api->out, "site", check.site_name);
    json_end(&api->out);
    return OK;
}

const struct api_operation api_connections_authorize = {
    .id = "connectionsAuthorize",
    .summary =
        "Connecting without typing a password: the page of the service on which its owner lets us in. From there the "
        "browser comes back by itself.",
    .body = API_BODY(TERMS_PROPERTIES, "\"provider\",\"name\""),
    .answer = "{\"type\":\"object\",\"properties\":{\"url\":" API_TEXT ",\"site\":" API_TEXT_OR_NULL
              "},\"required\":[\"url\"]}",
    .status = 200,
    .run = authorize,
};

static int finish(struct call *call, struct api *api)
{
    struct site_check check = {0};
    struct token_made made;
    int error = authorize_finish(call, api->person.user_id, api_text(api, "token"), &check, &made);
    if (error)
        return fail_as(api, call, &check, error);
    json_object(&api->out);
    write_made(&api->out, &made, &check);
    json_end(&api->out);
    return OK;
}

const struct api_operation api_connections_finish = {
    .id = "connectionsFinish",
    .summary = "Makes the connection for which the browser came back with this token.",
    .body = API_BODY("\"token\":" API_SHORT_TEXT, "\"token\""),
    .answer = MADE_SCHEMA,
    .status = 201,
    .run = finish,
};

/* ---- many at once, for agencies */

static void import_one(struct call *call, struct api *api, const struct json *row)
{
    struct connection_new new;
    struct site_check check = {0};
    struct token_made made;
    int error = read_new(call, api, row, &new);
    if (!error)
        error = connect_add(call, &new, &check, &made);
    json_object(&api->out);
    json_member_str(&api->out, "name", json_str(json_get(row, STR("name"))));
    json_member_bool(&api->out, "ok", error == OK);
    if (error) {
        json_member_str(&api->out, "error",
                        error == E_UPSTREAM && check.error_code.len ? check.error_code : str_from(error_name(error)));
        json_member_str(&api->out, "message", call->error_text);
        call_clear_error(call);
    } else {
        write_made(&api->out, &made, &check);
    }
    json_end(&api->out);
}

static int import(struct call *call, struct api *api)
{
    const struct json *items = json_get(api->body, STR("items"));
    call->deadline_ms = clock_monotonic_ms() + (int64_t)IMPORT_ROWS_MAX * 10 * 1000;
    api_list_begin(api);
    for (size_t i = 0; i < json_count(items) && !call->cancelled; i++)
        import_one(call, api, json_at(items, i));
    api_list_end(api);
    return OK;
}

const struct api_operation api_connections_import = {
    .id = "connectionsImport",
    .summary = "Connects up to 100 services, one after the other, each with its own result; what fails stores nothing.",
    .body = API_BODY("\"items\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":100,\"items\":" API_BODY(
                         NEW_PROPERTIES, "\"provider\",\"name\"") "}",
                     "\"items\""),
    .answer = API_LIST_SCHEMA("{\"type\":\"object\",\"properties\":{\"name\":" API_TEXT ",\"ok\":" API_BOOLEAN
                              ",\"id\":" API_INTEGER ",\"token\":" API_TEXT ",\"error\":" API_TEXT
                              ",\"message\":" API_TEXT "},\"required\":[\"name\",\"ok\"]}"),
    .status = 200,
    .run = import,
};

/* ---- changing one */

static int change_secret(struct call *call, struct api *api, int64_t id, struct site_check *check)
{
    const struct json *before, *config = json_get(api->body, STR("config")),
                               *secrets = json_get(api->body, STR("secrets"));
    const struct provider *provider;
    struct connection_row row;
    struct str config_json, secret_json;
    if (!json_is(config, JSON_OBJECT) && !json_is(secrets, JSON_OBJECT))
        return OK;
    int error = connections_show(call, api->person.user_id, id, &row);
    if (!error)
        error = connect_provider(call, row.provider_key, &provider);
    if (!error && json_parse(call->arena, row.config_json, NULL, &before, NULL) < 0)
        error = fail(call, E_INTERNAL, "The connection's settings cannot be read.");
    if (!error)
        error = connect_fields(call, provider, config, secrets, before, &config_json, &secret_json);
    return error ? error : connect_set_secret(call, api->person.user_id, id, config_json, secret_json, check);
}

static int change(struct call *call, struct api *api)
{
    struct site_check check = {0};
    struct str name = api_text(api, "name");
    int64_t id;
    int error = api_id(call, api, &id);
    if (!error)
        error = change_secret(call, api, id, &check);
    if (!error && name.ptr)
        error = connections_rename(call, api->person.user_id, id, name);
    return error ? fail_as(api, call, &check, error) : show(call, api);
}

const struct api_operation api_connections_change = {
    .id = "connectionsChange",
    .summary = "Renames a connection, or gives it another address or password: those are proved first, and the secret "
               "fields have to be entered again.",
    .body = API_BODY("\"name\":" API_SHORT_TEXT ",\"config\":" FIELDS_SCHEMA ",\"secrets\":" FIELDS_SCHEMA, ""),
    .answer = CONNECTION_SCHEMA,
    .status = 200,
    .run = change,
};

typedef int connection_verb(struct call *call, int64_t user_id, int64_t id);

static int run_verb(struct call *call, struct api *api, connection_verb *verb)
{
    int64_t id;
    int error = api_id(call, api, &id);
    if (!error)
        error = verb(call, api->person.user_id, id);
    if (!error)
        api_ok(api);
    return error;
}

static int pause(struct call *call, struct api *api)
{
    return run_verb(call, api, connections_pause);
}

static int resume(struct call *call, struct api *api)
{
    return run_verb(call, api, connections_resume);
}

static int revoke(struct call *call, struct api *api)
{
    return run_verb(call, api, connections_revoke);
}

static int delete (struct call *call, struct api *api)
{
    return run_verb(call, api, connections_delete);
}

const struct api_operation api_connections_pause = {.id = "connectionsPause",
                                                    .summary = "Lets all tokens of the connection rest.",
                                                    .answer = API_OK_SCHEMA,
                                                    .status = 200,
                                                    .run = pause};
const struct api_operation api_connections_resume = {.id = "connectionsResume",
                                                     .summary = "Lets the tokens of a paused connection go on.",
                                                     .answer = API_OK_SCHEMA,
                                                     .status = 200,
                                                     .run = resume};
const struct api_operation api_connections_revoke = {.id = "connectionsRevoke",
                                                     .summary = "Ends the connection and all its tokens for good.",
                                                     .answer = API_OK_SCHEMA,
                                                     .status = 200,
                                                     .run = revoke};
const struct api_operation api_connections_delete = {.id = "connectionsDelete",
                                                     .summary = "Deletes the connection with its password and tokens.",
                                                     .answer = API_OK_SCHEMA,
                                                     .status = 200,
                                                     .run = delete};

static int rotate_token(struct call *call, struct api *api)
{
    struct token_made made;
    int64_t id;
    int error = api_id(call, api, &id);
    if (!error)
        error = connections_rotate_token(call, api->person.user_id, id, &made);
    if (error)
        return error;
    json_object(&api->out);
    json_member_str(&api->out, "token", made.token);
    json_member_str(&api->out, "token_last4", made.last4);
    json_member_i64(&api->out, "token_id", made.token_id);
    json_end(&api->out);
    return OK;
}

const struct api_operation api_connections_rotate_token = {
    .id = "connectionsRotateToken",
    .summary = "A new primary token, shown this once; the one before ends, others go on.",
    .answer = "{\"type\":\"object\",\"properties\":{\"token\":" API_TEXT ",\"token_last4\":" API_TEXT
              ",\"token_id\":" API_INTEGER "},\"required\":[\"token\",\"token_last4\",\"token_id\"]}",
    .status = 200,
    .is_grave_by_hand = true,
    .run = rotate_token,
};

/* ---- looking again */

static int test(struct call *call, struct api *api)
{
    struct site_check check;
    int64_t id;
    int error = api_id(call, api, &id);
    if (!error)
        error = connect_test(call, api->person.user_id, id, &check);
    if (error)
        return error;
    json_object(&api->out);
    json_member_bool(&api->out, "ok", check.ok);
    json_key(&api->out, STR("info"));
    json_object(&api->out);
    json_member_i64(&api->out, "latency_ms", check.latency_ms);
    api_member_text(&api->out, "site", check.site_name);
    api_member_text(&api->out, "version", check.site_version);
    api_member_text(&api->out, "user", check.site_user);
    api_member_text(&api->out, "role", check.site_role);
    api_member_text(&api->out, "error", check.error_code);
    api_member_text(&api->out, "message", api_sentence(call, api, check.error_text));
    api_member_text(&api->out, "warning", api_sentence(call, api, check.warning));
    json_end(&api->out);
    json_end(&api->out);
    return OK;
}

const struct api_operation api_connections_test = {
    .id = "connectionsTest",
    .summary = "Looks at the service with the stored password. ok false is an answer, not an error: info says why.",
    .answer = "{\"type\":\"object\",\"properties\":{\"ok\":" API_BOOLEAN
              ",\"info\":{\"type\":\"object\"}},\"required\":[\"ok\",\"info\"]}",
    .status = 200,
    .run = test,
};

/* ---- from end to end */

static int examine(struct call *call, struct api *api)
{
    struct findings *findings = arena_new_of(call->arena, struct findings);
    int64_t id;
    int error = api_id(call, api, &id);
    if (!error)
        error = connect_doctor(call, api->person.user_id, id, findings);
    if (error)
        return error;
    json_object(&api->out);
    json_member_bool(&api->out, "ok", findings->failed == 0);
    json_key(&api->out, STR("checks"));
    json_array(&api->out);
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        json_object(&api->out);
        json_member_str(&api->out, "check", str_from(finding->check));
        json_member_str(&api->out, "result", str_from(finding_result_name(finding->result)));
        json_member_str(&api->out, "code", finding->code);
        api_member_text(&api->out, "value", finding->value);
        json_member_str(&api->out, "text", api_sentence(call, api, finding->text));
        api_member_text(&api->out, "fix", api_sentence(call, api, finding->fix));
        if (finding->ms >= 0)
            json_member_i64(&api->out, "ms", finding->ms);
        else
            json_member_null(&api->out, "ms");
        json_end(&api->out);
    }
    json_end(&api->out);
    json_end(&api->out);
    return OK;
}

#define FINDING_SCHEMA                                                                                                 \
    "{\"type\":\"object\",\"properties\":{\"check\":" API_TEXT                                                         \
    ",\"result\":{\"type\":\"string\",\"enum\":[\"ok\",\"skip\",\"warn\",\"fail\"]},\"code\":" API_TEXT                \
    ",\"value\":" API_TEXT_OR_NULL ",\"text\":" API_TEXT ",\"fix\":" API_TEXT_OR_NULL                                  \
    ",\"ms\":{\"type\":[\"integer\",\"null\"]}},\"required\":[\"check\",\"result\",\"code\",\"text\"]}"

const struct api_operation api_connections_doctor = {
    .id = "connectionsDoctor",
    .summary = "Looks at the connection from end to end, step by step: each finding with what to do. Like "
               "connectionsTest, what "
               "does not work is an answer, not an error.",
    .answer = "{\"type\":\"object\",\"properties\":{\"ok\":" API_BOOLEAN
              ",\"checks\":{\"type\":\"array\",\"items\":" FINDING_SCHEMA "}},\"required\":[\"ok\",\"checks\"]}",
    .status = 200,
    .run = examine,
};

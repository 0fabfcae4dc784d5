/* /api/connections/{id}/state, pair, webhook */
#include "web/api_service.h"

#include "accounts/connect_state.h"
#include "net/own_address.h"

#define STATE_SCHEMA                                                                                                   \
    "{\"type\":\"object\",\"properties\":{\"state\":" API_TEXT ",\"text\":" API_TEXT ",\"qr_png\":" API_TEXT_OR_NULL   \
    ",\"pairing_code\":" API_TEXT_OR_NULL ",\"details\":{\"type\":\"object\"}"                                         \
    ",\"webhook\":" API_BOOLEAN "},\"required\":[\"state\",\"text\",\"qr_png\",\"pairing_code\",\"details\","          \
    "\"webhook\"]}"

static int look(struct call *call, struct api *api, bool pair)
{
    struct connection_state state;
    struct webhook_place place;
    int64_t id;
    int error = api_id(call, api, &id);
    if (!error)
        error = connect_state(call, api->person.user_id, id, own_address_url(), pair, &state, &place);
    if (error)
        return error;
    json_object(&api->out);
    json_member_str(&api->out, "state", state.state);
    json_member_str(&api->out, "text", state.text);
    api_member_text(&api->out, "qr_png", state.qr_png);
    api_member_text(&api->out, "pairing_code", state.pairing_code);
    json_member_raw(&api->out, "details", state.details_json.len ? state.details_json : STR("{}"));
    json_member_bool(&api->out, "webhook", place.url.len > 0);
    json_end(&api->out);
    return OK;
}

static int show_state(struct call *call, struct api *api)
{
    return look(call, api, false);
}

const struct api_operation api_service_state = {
    .id = "connectionsState",
    .summary = "Asks the service whether its side is up: open, connecting or closed. 400: this kind has no such state. "
               "webhook: it sends by itself what happens there.",
    .answer = STATE_SCHEMA,
    .status = 200,
    .run = show_state,
};

static int pair(struct call *call, struct api *api)
{
    return look(call, api, true);
}

const struct api_operation api_service_pair = {
    .id = "connectionsPair",
    .summary = "Begins a log-in at the service when its side is not up: qr_png is a picture (base64) to be scanned, "
               "pairing_code what can be typed instead. Ask for the state until it is open.",
    .answer = STATE_SCHEMA,
    .status = 200,
    .run = pair,
};

static int webhook(struct call *call, struct api *api)
{
    struct webhook_place place;
    bool registers = json_bool_or(json_get(api->body, STR("register")), false);
    int64_t id;
    int error = api_id(call, api, &id);
    if (!error)
        error = connect_webhook(call, api->person.user_id, id, own_address_url(), &place);
    if (!error && registers)
        error = connect_register_webhook(call, api->person.user_id, id, own_address_url());
    if (error)
        return error;
    json_object(&api->out);
    json_member_str(&api->out, "url", place.url);
    json_member_str(&api->out, "secret", place.secret);
    json_member_bool(&api->out, "registered", registers);
    json_end(&api->out);
    return OK;
}

const struct api_operation api_service_webhook = {
    .id = "connectionsWebhook",
    .summary = "Where the service is to send to, and the secret it is to show there; register tells it so, where the "
               "service lets programs do that.",
    .body = API_BODY("\"register\":" API_BOOLEAN, ""),
    .answer = "{\"type\":\"object\",\"properties\":{\"url\":" API_TEXT ",\"secret\":" API_TEXT
              ",\"registered\":" API_BOOLEAN "},\"required\":[\"url\",\"secret\",\"registered\"]}",
    .status = 200,
    .is_grave = true,
    .run = webhook,
};

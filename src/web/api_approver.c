/* /api/me/approver */
#include "web/api_approver.h"

#include "mcp/approve.h"

#define APPROVER_SCHEMA                                                                                                \
    "{\"type\":\"object\",\"properties\":{\"phone\":" API_TEXT_OR_NULL ",\"connection_id\":" API_INTEGER               \
    ",\"confirmed_at\":" API_TIME_OR_NULL "},\"required\":[\"phone\",\"connection_id\",\"confirmed_at\"]}"

static int show(struct call *call, struct api *api)
{
    struct approver_row row = {.phone = STR_EMPTY};
    bool found;
    int error = store_approvers_get(call, api->person.user_id, &row, &found);
    if (error)
        return error;
    json_object(&api->out);
    api_member_text(&api->out, "phone", found ? row.phone : STR_EMPTY);
    json_member_i64(&api->out, "connection_id", found ? row.connection_id : 0);
    api_member_time(call, &api->out, "confirmed_at", found ? row.verified_at_ms : 0);
    json_end(&api->out);
    return OK;
}

const struct api_operation api_approver_show = {
    .id = "approverShow",
    .summary =
        "The number from which a yes is taken; null and 0 when there is none, unconfirmed until its code came back.",
    .answer = APPROVER_SCHEMA,
    .status = 200,
    .run = show,
};

static int set(struct call *call, struct api *api)
{
    int64_t connection_id = json_i64_or(json_get(api->body, STR("connection_id")), 0);
    int error = approve_begin(call, api->person.user_id, connection_id, api_text(api, "phone"));
    return error ? error : show(call, api);
}

const struct api_operation api_approver_set = {
    .id = "approverSet",
    .summary = "Sends a code to the person's own number, through a connection of theirs that sends messages. The "
               "number counts "
               "once the code came back; it takes the place of another.",
    .body = API_BODY("\"connection_id\":" API_INTEGER ",\"phone\":" API_SHORT_TEXT, "\"connection_id\",\"phone\""),
    .answer = APPROVER_SCHEMA,
    .status = 200,
    .is_grave = true,
    .run = set,
};

static int confirm(struct call *call, struct api *api)
{
    int error = approve_verify(call, api->person.user_id, api_text(api, "code"));
    return error ? error : show(call, api);
}

const struct api_operation api_approver_confirm = {
    .id = "approverConfirm",
    .summary = "The code that was sent to the number: from then on it approves.",
    .body = API_BODY("\"code\":" API_SHORT_TEXT, "\"code\""),
    .answer = APPROVER_SCHEMA,
    .status = 200,
    .is_grave = true,
    .run = confirm,
};

static int end(struct call *call, struct api *api)
{
    int error = approve_end(call, api->person.user_id);
    if (!error)
        api_ok(api);
    return error;
}

const struct api_operation api_approver_end = {
    .id = "approverEnd",
    .summary = "No number approves any more.",
    .answer = API_OK_SCHEMA,
    .status = 200,
    .run = end,
};

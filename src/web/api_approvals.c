/* /api/approvals */
#include "web/api_approvals.h"

#include "mcp/confirm.h"

#define APPROVAL_SCHEMA                                                                                                \
    "{\"type\":\"object\",\"properties\":{\"id\":" API_TEXT ",\"connection_id\":" API_INTEGER                          \
    ",\"token_id\":" API_INTEGER ",\"tool\":" API_TEXT ",\"what\":" API_TEXT ",\"action\":" API_TEXT_OR_NULL           \
    ",\"state\":" API_TEXT ",\"created_at\":" API_TIME_OR_NULL ",\"expires_at\":" API_TIME_OR_NULL                     \
    ",\"decided_at\":" API_TIME_OR_NULL ",\"difference\":" API_TEXT_OR_NULL                                            \
    "},\"required\":[\"id\",\"connection_id\",\"tool\",\"what\",\"state\"]}"

static size_t find_last(struct str text, struct str part)
{
    size_t found = STR_NOT_FOUND;
    for (size_t from = 0;;) {
        size_t at = str_find(str_from_offset(text, from), part);
        if (at == STR_NOT_FOUND)
            return found;
        found = from + at;
        from = found + 1;
    }
}

/*
 * What would be done, in the language of who reads it. "wp_edit: change what is public, at Blog, with {...}" (host_agree()): what is
 * between; "delete for good 1 of type post of Blog: ..." (host_confirm_for_good()): the sentence. Arguments are shown apart.
 */
static struct str action_of(struct call *call, const struct api *api, const struct confirmation_row *row)
{
    struct str start = str_concat(call->arena, row->tool, STR(": "));
    struct str text = str_sub(row->what, 0, str_find(row->what, STR(", with {")));
    if (str_starts_with(text, start)) {
        text = str_from_offset(text, start.len);
        text = str_sub(text, 0, find_last(text, STR(", at ")));
    }
    return api_sentence(call, api, text);
}

/* What cannot be opened any more is not shown; the sentence is. */
static void write_approval(struct call *call, struct api *api, const struct confirmation_row *row)
{
    struct json_writer *w = &api->out;
    struct str difference = STR_EMPTY;
    if (confirm_difference(call, row, &difference) != OK)
        call_clear_error(call);
    json_object(w);
    json_member_str(w, "id", row->id);
    json_member_i64(w, "connection_id", row->connection_id);
    json_member_i64(w, "token_id", row->token_id);
    json_member_str(w, "tool", row->tool);
    json_member_str(w, "what", row->what);
    api_member_text(w, "action", action_of(call, api, row));
    json_member_str(w, "state", row->state);
    api_member_time(call, w, "created_at", row->created_at_ms);
    api_member_time(call, w, "expires_at", row->expires_at_ms);
    api_member_time(call, w, "decided_at", row->decided_at_ms);
    api_member_text(w, "difference", difference);
    json_end(w);
}

static int list(struct call *call, struct api *api)
{
    struct confirmation_rows rows;
    int error = confirm_list(call, api->person.user_id, &rows);
    if (error)
        return error;
    api_list_begin(api);
    for (size_t i = 0; i < rows.count; i++)
        write_approval(call, api, &rows.items[i]);
    api_list_end(api);
    return OK;
}

const struct api_operation api_approvals_list = {
    .id = "approvalsList",
    .summary = "What waits for the person's yes, and what was decided within a day; oldest first.",
    .answer = API_LIST_SCHEMA(APPROVAL_SCHEMA),
    .status = 200,
    .run = list,
};

static int decide(struct call *call, struct api *api, bool approve)
{
    struct confirmation_row row;
    /* An API token may be in the hands of the very model that asks. */
    if (api->person.by_api)
        return fail(call, E_DENIED, "Approving is for people: log in with a browser.");
    int error = confirm_decide(call, api->person.user_id, api->segment, approve, &row);
    if (!error)
        write_approval(call, api, &row);
    return error;
}

static int approve(struct call *call, struct api *api)
{
    return decide(call, api, true);
}

static int refuse(struct call *call, struct api *api)
{
    return decide(call, api, false);
}

const struct api_operation api_approvals_approve = {.id = "approvalsApprove",
                                                    .summary = "Allows it once. Not with an API token.",
                                                    .answer = APPROVAL_SCHEMA,
                                                    .status = 200,
                                                    .run = approve};
const struct api_operation api_approvals_refuse = {.id = "approvalsRefuse",
                                                   .summary = "Says no. Not with an API token.",
                                                   .answer = APPROVAL_SCHEMA,
                                                   .status = 200,
                                                   .run = refuse};

/* /api/connections/{id}/changes */
#include "web/api_changes.h"

#include "accounts/connections.h"
#include "audit/history.h"
#include "mcp/take_back.h"
#include "providers/provider.h"

enum { LIMIT_DEFAULT = 50, WHAT_BYTES_MAX = 16 * 1024, DIFFERENCE_BYTES_MAX = 4 * 1024 * 1024 };

#define CHANGE_MEMBERS                                                                                                 \
    "\"number\":" API_INTEGER ",\"what\":" API_TEXT ",\"state\":" API_TEXT ",\"at\":" API_TIME_OR_NULL                 \
    ",\"token\":" API_TEXT_OR_NULL ",\"undo_of\":{\"type\":[\"integer\",\"null\"]},\"undone_by\":{\"type\":"           \
    "[\"integer\",\"null\"]},\"undo\":" API_BOOLEAN
#define CHANGE_REQUIRED "\"number\",\"what\",\"state\",\"at\",\"undone_by\",\"undo\""

struct view {
    struct history_owner owner;
    const struct provider_changes *changes; /* NULL: its provider keeps none */
};

static int open_view(struct call *call, const struct api *api, struct view *ret)
{
    struct connection_row row;
    struct site site;
    int64_t id;
    int error = api_id(call, api, &id);
    if (!error)
        error = connections_show(call, api->person.user_id, id, &row);
    if (!error)
        error = connections_site(call, api->person.user_id, id, &site);
    if (error)
        return error;
    const struct provider *provider = provider_find(row.provider_key);
    *ret = (struct view){
        .owner = {.user_id = api->person.user_id, .connection_id = id, .wrapped_key = site.secret.wrapped_key},
        .changes = provider ? provider->changes : NULL,
    };
    return OK;
}

static struct str state_of(const struct site_change *change)
{
    static const struct str names[] = {[CHANGE_BEGUN] = STR_INIT("begun"),
                                       [CHANGE_DONE] = STR_INIT("done"),
                                       [CHANGE_UNKNOWN] = STR_INIT("unknown"),
                                       [CHANGE_FAILED] = STR_INIT("failed")};
    return change->is_forgotten     ? STR("forgotten")
           : change->is_sealed_shut ? STR("cannot_be_opened")
                                    : names[change->state];
}

static void write_change(struct call *call, struct json_writer *w, const struct view *view,
                         const struct site_change *change, bool with_difference)
{
    struct buf what, difference;
    bool is_open = view->changes && !change->is_forgotten && !change->is_sealed_shut;
    buf_init(&what, call->arena, WHAT_BYTES_MAX);
    buf_init(&difference, call->arena, DIFFERENCE_BYTES_MAX);
    bool can_undo = is_open && view->changes->describe(call, change, &what, &difference);
    json_object(w);
    json_member_i64(w, "number", change->number);
    json_member_str(w, "what", buf_str(&what));
    json_member_str(w, "state", state_of(change));
    api_member_time(call, w, "at", change->begun_at_ms);
    api_member_text(w, "token", change->token_name);
    api_member_number(w, "undo_of", change->undo_of);
    api_member_number(w, "undone_by", change->undone_by);
    json_member_bool(w, "undo", can_undo);
    if (with_difference)
        json_member_str(w, "difference", str_trim(buf_str(&difference)));
    json_end(w);
}

/* ---- a list */

static int list(struct call *call, struct api *api)
{
    struct change_list found;
    struct view view;
    int64_t limit = api_query_number(call, api, "limit");
    const struct change_query query = {.below = api_query_number(call, api, "below"),
                                       .limit = limit ? (size_t)limit : LIMIT_DEFAULT};
    int error = open_view(call, api, &view);
    if (!error)
        error = history_list(call, &view.owner, &query, &found);
    if (error)
        return error;
    api_list_begin(api);
    for (size_t i = 0; i < found.count; i++)
        write_change(call, &api->out, &view, &found.items[i], false);
    json_end(&api->out);
    api_member_number(&api->out, "next_below", found.has_more ? found.items[found.count - 1].number : 0);
    json_end(&api->out);
    return OK;
}

static const struct api_parameter list_parameters[] = {
    {"below", "{\"type\":\"integer\",\"minimum\":1}", "The last number of the page before."},
    {"limit", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":500}", "1 to 500."},
};

const struct api_operation api_changes_list = {
    .id = "changesList",
    .summary = "What was changed at the service through the connection, newest first, kept for 30 days; next_below "
               "goes on. Parts of a change over many items are left out.",
    .parameters = list_parameters,
    .n_parameters = ARRAY_LENGTH(list_parameters),
    .answer = "{\"type\":\"object\",\"properties\":{\"items\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
              "\"properties\":{" CHANGE_MEMBERS "},\"required\":[" CHANGE_REQUIRED
              "]}},\"next_below\":{\"type\":[\"integer\",\"null\"]}},\"required\":[\"items\",\"next_below\"]}",
    .status = 200,
    .run = list,
};

/* ---- one */

static int show(struct call *call, struct api *api)
{
    struct site_change change = {0};
    struct view view;
    int64_t number;
    int error = open_view(call, api, &view);
    if (!error)
        error = api_second_id(call, api, &number);
    if (!error)
        error = history_get(call, &view.owner, number, &change);
    if (!error)
        write_change(call, &api->out, &view, &change, true);
    return error;
}

const struct api_operation api_changes_show = {
    .id = "changesShow",
    .summary = "One change with its differences. undo: it can be taken back here.",
    .answer = "{\"type\":\"object\",\"properties\":{" CHANGE_MEMBERS ",\"difference\":" API_TEXT
              "},\"required\":[" CHANGE_REQUIRED ",\"difference\"]}",
    .status = 200,
    .run = show,
};

static int undo(struct call *call, struct api *api)
{
    struct str text;
    int64_t id, number;
    int error = api_id(call, api, &id);
    if (!error)
        error = api_second_id(call, api, &number);
    if (!error)
        error = take_back(call, api->person.user_id, id, number, &text);
    if (error)
        return error;
    json_object(&api->out);
    json_member_bool(&api->out, "ok", true);
    json_member_str(&api->out, "text", text);
    json_end(&api->out);
    return OK;
}

const struct api_operation api_changes_undo = {
    .id = "changesUndo",
    .summary = "Takes a change back, if what it touched has not moved on meanwhile (409). It is a change itself.",
    .answer = "{\"type\":\"object\",\"properties\":{\"ok\":" API_BOOLEAN ",\"text\":" API_TEXT
              "},\"required\":[\"ok\",\"text\"]}",
    .status = 200,
    .run = undo,
};

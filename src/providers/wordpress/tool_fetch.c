/* fetch: {"id","title","text","url","metadata"} of what search found (tool_search.c); the text is wp_read's. */
#include "json/json_write.h"
#include "providers/wordpress/resources.h"
#include "providers/wordpress/tools.h"

enum { FETCH_CHARS_MAX = 100000, ANSWER_MAX_BYTES = 2 * 1024 * 1024 };

static void write_metadata(const struct wp_item *item, struct json_writer *w)
{
    json_key(w, STR("metadata"));
    json_object(w);
    json_member_str(w, "type", item->type.slug);
    if (item->status.len)
        json_member_str(w, "status", item->status);
    if (item->date.len)
        json_member_str(w, "date", item->date);
    json_end(w);
}

/* A URI, or whatever wp_read takes: an id, an address, a slug. */
static int get_item(struct call *call, const struct wp *wp, struct str id, struct wp_item *ret)
{
    struct wp_uri uri;
    if (!wp_uri_parse(id, &uri))
        return wp_item_get(call, wp, STR_EMPTY, id, STR_EMPTY, ret);
    if (!uri.id)
        return fail(call, E_INVALID, "Only what search found can be fetched.");
    return wp_item_get(call, wp, uri.collection, call_format(call, "%lld", (long long)uri.id), STR_EMPTY, ret);
}

int tool_fetch(struct call *call, const struct tool_context *context, const struct json *arguments,
               struct tool_result *result)
{
    struct wp wp;
    struct wp_item item;
    struct buf json;
    struct json_writer w;
    struct str text;
    int error = wp_open(call, context->site, context->rights, &wp);
    if (error || (error = get_item(call, &wp, json_str(json_get(arguments, STR("id"))), &item)))
        return error;
    struct wp_uri uri = {wp_uri_collection(item.type.route), item.id};
    struct str name = wp_uri_format(call->arena, uri.collection, uri.id);
    if (!name.len)
        return fail(call, E_INVALID, "Only what search found can be fetched.");
    if ((error = wp_resource_text(call, context, &uri, FETCH_CHARS_MAX, &text)))
        return error;
    buf_init(&json, call->arena, ANSWER_MAX_BYTES);
    json_write_init(&w, &json);
    json_object(&w);
    json_member_str(&w, "id", name);
    json_member_str(&w, "title", item.title);
    json_member_str(&w, "text", text);
    json_member_str(&w, "url", item.link);
    write_metadata(&item, &w);
    json_end(&w);
    return tool_result_json(call, result, &json);
}

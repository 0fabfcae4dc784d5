/* resources/list, resources/templates/list, resources/read. */
#include "audit/audit.h"
#include "base/log.h"
#include "mcp/methods.h"
#include "mcp/redact.h"

enum { URI_MAX_BYTES = 2048, CURSOR_MAX_BYTES = 1024 };

static void write_resource(struct json_writer *w, const struct resource *resource)
{
    json_object(w);
    json_member_str(w, "uri", resource->uri);
    json_member_str(w, "name", resource->name);
    method_write_text(w, "title", resource->title);
    method_write_text(w, "description", resource->description);
    method_write_text(w, "mimeType", resource->mime_type);
    if (resource->size_bytes > 0)
        json_member_i64(w, "size", resource->size_bytes);
    if (resource->last_modified.len) {
        json_key(w, STR("annotations"));
        json_object(w);
        json_member_str(w, "lastModified", resource->last_modified);
        json_end(w);
    }
    json_end(w);
}

int resources_list_write(struct call *call, struct mcp_host *host, struct buf *out)
{
    const struct json *cursor = json_get(host->request->message.params, STR("cursor"));
    struct tool_context context = method_context(call, host);
    struct resource_page *page = arena_new_of(call->arena, struct resource_page);
    bool first = json_is(cursor, JSON_MISSING) || json_is(cursor, JSON_NULL);
    if (!first && (!json_str(cursor).len || json_str(cursor).len > CURSOR_MAX_BYTES))
        return fail(call, E_INVALID, "There is no page with this cursor.");
    int error = host->request->provider->resources->list(call, &context, json_str(cursor), page);
    if (error)
        return error;
    struct json_writer w;
    buf_add(out, STR("\"resources\":"));
    json_write_init(&w, out);
    json_array(&w);
    for (size_t i = 0; i < page->n_items; i++)
        write_resource(&w, &page->items[i]);
    json_end(&w);
    if (page->next_cursor.len) {
        buf_add(out, STR(",\"nextCursor\":"));
        buf_add(out, json_quote(call->arena, page->next_cursor));
    }
    return OK;
}

int resources_templates_write(struct call *call, struct mcp_host *host, struct buf *out)
{
    const struct resources *resources = host->request->provider->resources;
    const struct json *cursor = json_get(host->request->message.params, STR("cursor"));
    struct json_writer w;
    if (!json_is(cursor, JSON_MISSING) && !json_is(cursor, JSON_NULL))
        return fail(call, E_INVALID, "There is no page with this cursor.");
    buf_add(out, STR("\"resourceTemplates\":"));
    json_write_init(&w, out);
    json_array(&w);
    for (size_t i = 0; i < resources->n_templates; i++) {
        const struct resource_template *template = &resources->templates[i];
        json_object(&w);
        json_member_str(&w, "uriTemplate", template->uri_template);
        json_member_str(&w, "name", template->name);
        method_write_text(&w, "title", template->title);
        method_write_text(&w, "description", template->description);
        method_write_text(&w, "mimeType", template->mime_type);
        json_end(&w);
    }
    json_end(&w);
    return OK;
}

static void record(struct call *call, const struct mcp_host *host, struct str uri, int error)
{
    const struct principal *who = host->request->who;
    struct buf data;
    struct json_writer w;
    buf_init(&data, call->arena, 8 * 1024);
    json_write_init(&w, &data);
    json_object(&w);
    audit_write_origin(&w, call);
    json_member_str(&w, "outcome", str_from(error_name(error)));
    json_member_str(&w, "uri", str_sub(redact_uri_of(call, host->request->provider, uri), 0, REDACT_STRING_MAX_BYTES));
    json_end(&w);
    audit_later(&(struct audit_event){
        .user_id = who->user_id,
        .connection_id = who->connection_id,
        .token_id = who->token_id,
        .action = STR("resource.read"),
        .data_json = buf_str(&data),
    });
}

/* A scheme and something behind it; nothing that could break a line or a log. */
static bool is_uri(struct str uri)
{
    size_t colon = str_find_char(uri, ':');
    if (colon == STR_NOT_FOUND || colon == 0 || uri.len > URI_MAX_BYTES || !ascii_is_alpha(uri.ptr[0]))
        return false;
    for (size_t i = 0; i < uri.len; i++)
        if ((unsigned char)uri.ptr[i] <= ' ' || uri.ptr[i] == 0x7f)
            return false;
    return true;
}

int resources_read_write(struct call *call, struct mcp_host *host, struct buf *out)
{
    const struct json *uri = json_get(host->request->message.params, STR("uri"));
    struct resource_result result;
    struct tool_context context = method_context(call, host);
    if (!json_is(uri, JSON_STRING))
        return fail(call, E_INVALID, "\"uri\" must be a string.");
    buf_init(&result.contents, call->arena, ANSWER_MAX_BYTES);
    int error = is_uri(json_str(uri)) ? host->request->provider->resources->read(call, &context, json_str(uri), &result)
                                      : fail(call, E_NOT_FOUND, "This is not the URI of a resource.");
    if (!error && buf_failed(&result.contents))
        error = fail(call, E_LIMIT, "The resource is too large to be read at once.");
    if (!error && result.contents.len == 0)
        error = fail(call, E_NOT_FOUND, "There is no resource with this URI.");
    record(call, host, json_str(uri), error);
    if (error == E_NOT_FOUND) {
        host->data_json = call_format(call, "{\"uri\":%.*s}", STR_ARG(json_raw(uri)));
        host->code = host->modern ? RPC_INVALID_PARAMS : RPC_RESOURCE_NOT_FOUND;
    }
    if (error) {
        log_info("call %s: resources/read: %s: %.*s", call->id, error_name(error), STR_ARG(call->error_detail));
        return error;
    }
    buf_add(out, STR("\"contents\":["));
    buf_add(out, buf_str(&result.contents));
    buf_add_char(out, ']');
    return OK;
}

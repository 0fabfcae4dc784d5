/* Small helpers that every provider uses to fill in its results. */
#include "providers/provider.h"

#include "json/json_write.h"

static void begin_item(struct buf *list)
{
    if (list->len)
        buf_add_char(list, ',');
}

void tool_result_block(struct tool_result *result, struct str block_json)
{
    struct json_writer w;
    begin_item(&result->blocks);
    json_write_init(&w, &result->blocks);
    json_raw_value(&w, block_json);
}

int tool_result_json(struct call *call, struct tool_result *result, const struct buf *json)
{
    if (buf_failed(json))
        return fail(call, E_LIMIT, "The answer is too large. Ask for less at a time.");
    buf_add(&result->text, buf_str(json));
    result->structured_json = buf_str(json);
    return OK;
}

void completion_add(struct completion *completion, struct str value)
{
    if (completion->n_values < COMPLETION_VALUES_MAX)
        completion->values[completion->n_values++] = value;
    else
        completion->has_more = true;
}

void prompt_add(struct prompt_result *result, const char *role, struct str content_json)
{
    struct json_writer w;
    begin_item(&result->messages);
    json_write_init(&w, &result->messages);
    json_object(&w);
    json_member_str(&w, "role", str_from(role));
    json_member_raw(&w, "content", content_json);
    json_end(&w);
}

void prompt_say(struct prompt_result *result, const char *role, struct str text)
{
    struct json_writer w;
    begin_item(&result->messages);
    json_write_init(&w, &result->messages);
    json_object(&w);
    json_member_str(&w, "role", str_from(role));
    json_key(&w, STR("content"));
    json_object(&w);
    json_member_str(&w, "type", STR("text"));
    json_member_str(&w, "text", text);
    json_end(&w);
    json_end(&w);
}

static void add_content(struct resource_result *result, struct str uri, struct str mime_type, const char *kind,
                        struct str value)
{
    struct json_writer w;
    begin_item(&result->contents);
    json_write_init(&w, &result->contents);
    json_object(&w);
    json_member_str(&w, "uri", uri);
    if (mime_type.len)
        json_member_str(&w, "mimeType", mime_type);
    json_member_str(&w, kind, value);
    json_end(&w);
}

void resource_text(struct resource_result *result, struct str uri, struct str mime_type, struct str text)
{
    add_content(result, uri, mime_type, "text", text);
}

void resource_blob(struct resource_result *result, struct str uri, struct str mime_type, struct str base64)
{
    add_content(result, uri, mime_type, "blob", base64);
}

/* Small helpers that every provider uses to fill in its results. */
#include "providers/provider.h"

#include "json/json_write.h"

bool provider_field_takes(const struct provider_field *field, struct str value)
{
    struct str rest = str_from(field->choices), word;
    if (field->kind != FIELD_CHOICE)
        return true;
    while (str_next(&rest, ' ', &word))
        if (str_eq(word, value))
            return true;
    return false;
}

static struct str default_of(const struct provider *provider, struct str name)
{
    for (size_t i = 0; i < provider->n_fields; i++) {
        const struct provider_field *field = &provider->fields[i];
        if (field->kind == FIELD_CHOICE && str_eq(str_from(field->name), name)) {
            struct str choices = str_from(field->choices);
            return str_sub(choices, 0, str_find_char(choices, ' '));
        }
    }
    return STR_EMPTY;
}

bool provider_field_applies(const struct provider *provider, const struct provider_field *field,
                            struct str (*value_of)(void *context, const char *name), void *context)
{
    enum { NAME_BYTES = 48 };
    char name[NAME_BYTES];
    struct str rule = str_from(field->only_with);
    size_t equals = str_find_char(rule, '=');
    if (!field->only_with || equals == STR_NOT_FOUND || !str_to_cstr(str_sub(rule, 0, equals), name, sizeof name))
        return true;
    struct str value = value_of(context, name);
    return str_eq(value.len ? value : default_of(provider, str_from(name)), str_from_offset(rule, equals + 1));
}

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

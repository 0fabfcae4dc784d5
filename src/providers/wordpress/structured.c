/* JSON objects beside the text of an answer. */
#include "providers/wordpress/structured.h"

#include "base/visible.h"

struct structured *structured_begin(struct call *call, const struct tool_context *context)
{
    if (!context || !context->wants_structured)
        return NULL;
    struct structured *s = arena_new_of(call->arena, struct structured);
    s->arena = call->arena;
    buf_init(&s->buf, call->arena, STRUCTURED_MAX_BYTES);
    json_write_init(&s->w, &s->buf);
    json_object(&s->w);
    return s;
}

void structured_end(struct structured *s, struct tool_result *result)
{
    if (!s)
        return;
    json_end(&s->w);
    if (!buf_failed(&s->buf))
        result->structured_json = buf_str(&s->buf);
}

static void write_string(struct structured *s, struct str text)
{
    json_string(&s->w, visible_text(s->arena, text));
}

static void write_key(struct structured *s, struct str name)
{
    json_key(&s->w, visible_text(s->arena, name));
}

void structured_str(struct structured *s, const char *name, struct str text)
{
    if (!s || !text.len)
        return;
    write_key(s, str_from(name));
    write_string(s, text);
}

void structured_i64(struct structured *s, const char *name, int64_t number)
{
    if (s)
        json_member_i64(&s->w, name, number);
}

void structured_bool(struct structured *s, const char *name, bool value)
{
    if (s)
        json_member_bool(&s->w, name, value);
}

void structured_id(struct structured *s, const char *name, int64_t id, struct str key)
{
    if (id)
        structured_i64(s, name, id);
    else
        structured_str(s, name, key);
}

void structured_cell(struct structured *s, struct str name, const struct json *value, struct str shown)
{
    if (!s)
        return;
    write_key(s, name);
    if (json_is(value, JSON_NUMBER) || json_is(value, JSON_BOOL) || json_is(value, JSON_NULL) ||
        json_is(value, JSON_MISSING))
        json_value(&s->w, value);
    else
        write_string(s, shown);
}

void structured_text(struct structured *s, struct str name, struct str text)
{
    if (!s)
        return;
    write_key(s, name);
    write_string(s, text);
}

void structured_object(struct structured *s, const char *name)
{
    if (!s)
        return;
    if (name)
        json_key(&s->w, str_from(name));
    json_object(&s->w);
}

void structured_array(struct structured *s, const char *name)
{
    if (!s)
        return;
    if (name)
        json_key(&s->w, str_from(name));
    json_array(&s->w);
}

void structured_item(struct structured *s, struct str text)
{
    if (s)
        write_string(s, text);
}

void structured_close(struct structured *s)
{
    if (s)
        json_end(&s->w);
}

struct structured structured_mark(const struct structured *s)
{
    return s ? *s : (struct structured){0};
}

void structured_back(struct structured *s, const struct structured *mark)
{
    if (!s)
        return;
    s->buf.len = mark->buf.len; /* the failure mark stays */
    s->w = mark->w;
}

void structured_undo(struct structured *s, const struct wp_write *write)
{
    int64_t number = wp_write_undo(write);
    if (number)
        structured_i64(s, "undo", number);
}

void structured_written(struct structured *s, const struct wp_write *write, const struct wp_item *item)
{
    structured_id(s, "id", item->id, item->key);
    structured_str(s, "type", item->type.slug);
    structured_str(s, "status", item->status);
    structured_str(s, "version", str_from(item->version));
    structured_str(s, "url", item->link);
    structured_undo(s, write);
}

void structured_preview(struct call *call, const struct tool_context *context, struct tool_result *result)
{
    struct structured *s = structured_begin(call, context);
    structured_bool(s, "dry_run", true);
    structured_str(s, "preview", buf_str(&result->text));
    structured_end(s, result);
}

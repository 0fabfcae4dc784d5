/* A REST answer in few words. */
#include "providers/wordpress/operation_answer.h"

#include "json/json_write.h"
#include "providers/wordpress/content/text.h"

enum {
    COLUMNS_MAX = 40,
    CELL_CHARS_MAX = 300,
    TEXT_MAX_BYTES = 4 * 1024 * 1024,
};

static bool is_noise(struct str name)
{
    return str_eq(name, STR("_links")) || str_eq(name, STR("_embedded"));
}

/* A value on one line. WordPress's {"rendered": "<p>..."} is its text. */
static void write_value(struct call *call, const struct json *value, size_t max_chars, struct buf *out)
{
    const struct json *rendered = json_get(value, STR("rendered"));
    struct str text;
    if (json_is(rendered, JSON_STRING)) {
        text = text_from_html(call->arena, json_str(rendered));
    } else if (json_is(value, JSON_STRING)) {
        text = json_str(value);
    } else {
        struct buf compact;
        struct json_writer w;
        buf_init(&compact, call->arena, TEXT_MAX_BYTES);
        json_write_init(&w, &compact);
        if (!json_is(value, JSON_MISSING))
            json_value(&w, value);
        text = buf_str(&compact);
    }
    struct str shown = max_chars ? text_cut(text, max_chars) : text;
    for (size_t i = 0; i < shown.len; i++) {
        char c = shown.ptr[i];
        buf_add_char(out, max_chars && (c == '\t' || c == '\n' || c == '\r') ? ' ' : c);
    }
    if (shown.len < text.len)
        buf_add(out, STR("…"));
}

/* The same, and as a member of the structured object. */
static void write_member(struct call *call, struct str name, const struct json *value, size_t max_chars,
                         struct structured *s, struct buf *out)
{
    size_t before = out->len;
    write_value(call, value, max_chars, out);
    structured_cell(s, name, value, str_from_offset(buf_str(out), before));
}

/* --- lists --------------------------------------------------------------------------------------------------------------- */

struct columns {
    struct str names[COLUMNS_MAX];
    size_t n;
};

static bool named_before(const struct json *fields, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (json_equal(json_at(fields, i), json_at(fields, index)))
            return true;
    return false;
}

static void choose_columns(const struct json *item, const struct json *fields, struct columns *columns)
{
    *columns = (struct columns){0};
    for (size_t i = 0; i < json_count(fields) && columns->n < COLUMNS_MAX; i++)
        if (!named_before(fields, i))
            columns->names[columns->n++] = json_str(json_at(fields, i));
    for (size_t i = 0; !json_count(fields) && i < json_count(item) && columns->n < COLUMNS_MAX; i++)
        if (!is_noise(json_member_at(item, i).name))
            columns->names[columns->n++] = json_member_at(item, i).name;
}

static void write_header(const struct columns *columns, const char *first, struct buf *out)
{
    buf_add(out, str_from(first));
    for (size_t i = 0; i < columns->n; i++) {
        buf_add(out, i || first[0] ? STR("\t") : STR(""));
        buf_add(out, columns->names[i]);
    }
}

/* A list's row; of a list by name, `first` is its name. */
static void write_row(struct call *call, const struct columns *columns, struct str first, const struct json *item,
                      struct structured *s, struct buf *out)
{
    structured_object(s, first.len ? str_copy_cstr(call->arena, first) : NULL);
    buf_add_char(out, '\n');
    buf_add(out, first);
    for (size_t i = 0; i < columns->n; i++) {
        buf_add(out, i || first.len ? STR("\t") : STR(""));
        write_member(call, columns->names[i], json_path(item, str_copy_cstr(call->arena, columns->names[i])),
                     CELL_CHARS_MAX, s, out);
    }
    structured_close(s);
}

static bool holds_objects(const struct json *value)
{
    for (size_t i = 0; i < json_count(value); i++)
        if (!json_is(json_is(value, JSON_OBJECT) ? json_member_at(value, i).value : json_at(value, i), JSON_OBJECT))
            return false;
    return json_count(value) > 0;
}

static void write_list(struct call *call, const struct json *list, const struct json *fields, struct structured *s,
                       struct buf *out)
{
    struct columns *columns = arena_new_of(call->arena, struct columns);
    bool rows = holds_objects(list);
    structured_array(s, "items");
    if (rows) {
        choose_columns(json_at(list, 0), fields, columns);
        write_header(columns, "", out);
    } else if (json_count(list) == 0) {
        buf_add(out, STR("An empty list."));
    }
    for (size_t i = 0; i < json_count(list); i++) {
        if (rows) {
            write_row(call, columns, STR_EMPTY, json_at(list, i), s, out);
            continue;
        }
        buf_add(out, i ? STR("\n") : STR(""));
        size_t before = out->len;
        write_value(call, json_at(list, i), CELL_CHARS_MAX, out);
        structured_item(s, str_from_offset(buf_str(out), before));
    }
    structured_close(s);
}

/* --- one thing ----------------------------------------------------------------------------------------------------------- */

static void write_line(struct call *call, struct str name, const struct json *value, struct structured *s,
                       struct buf *out)
{
    buf_add(out, out->len ? STR("\n") : STR(""));
    buf_add(out, name);
    buf_add(out, STR(": "));
    write_member(call, name, value, 0, s, out);
}

/* {"post": {...}, "page": {...}}: a list by name, unless the fields are paths from the top. */
static bool is_map(const struct json *object, const struct json *fields)
{
    if (json_count(object) < 2 || !holds_objects(object))
        return false;
    for (size_t i = 0; i < json_count(fields); i++) {
        struct str path = json_str(json_at(fields, i)), name;
        if (str_next(&path, '.', &name) && !json_is(json_get(object, name), JSON_MISSING))
            return false;
    }
    return json_is(json_path(object, "title.rendered"), JSON_MISSING);
}

static void write_map(struct call *call, const struct json *map, const struct json *fields, struct structured *s,
                      struct buf *out)
{
    struct columns *columns = arena_new_of(call->arena, struct columns);
    choose_columns(json_member_at(map, 0).value, fields, columns);
    write_header(columns, "key", out);
    for (size_t i = 0; i < json_count(map); i++)
        write_row(call, columns, json_member_at(map, i).name, json_member_at(map, i).value, s, out);
}

static void write_object(struct call *call, const struct json *object, const struct json *fields, struct structured *s,
                         struct buf *out)
{
    if (is_map(object, fields)) {
        structured_object(s, "named");
        write_map(call, object, fields, s, out);
        structured_close(s);
        return;
    }
    structured_object(s, "fields");
    for (size_t i = 0; i < json_count(fields); i++) {
        struct str path = json_str(json_at(fields, i));
        if (named_before(fields, i))
            continue;
        write_line(call, path, json_path(object, str_copy_cstr(call->arena, path)), s, out);
    }
    for (size_t i = 0; !json_count(fields) && i < json_count(object); i++)
        if (!is_noise(json_member_at(object, i).name))
            write_line(call, json_member_at(object, i).name, json_member_at(object, i).value, s, out);
    structured_close(s);
    if (json_count(object) == 0)
        buf_add(out, STR("An empty object."));
}

/* Whether all of it fits. */
static bool add_cut(struct call *call, struct str text, size_t max_chars, struct buf *out)
{
    struct str shown = text_cut(text, max_chars);
    if (shown.len == text.len) {
        buf_add(out, text);
        return true;
    }
    size_t line = str_find_last_char(shown, '\n');
    if (line != STR_NOT_FOUND && line > shown.len / 2)
        shown.len = line;
    buf_add(out, shown);
    buf_add_format(out, "\n[cut: %.*s of %.*s characters shown; name fields, or raise max_chars]",
                   STR_ARG(text_number(call->arena, text_chars(shown))),
                   STR_ARG(text_number(call->arena, text_chars(text))));
    return false;
}

void operation_answer_write(struct call *call, const struct tool_context *context, const struct wp_answer *answer,
                            const struct json *fields, size_t max_chars, struct tool_result *result)
{
    struct structured *s = structured_begin(call, context);
    struct buf text, *out = &result->text;
    buf_init(&text, call->arena, TEXT_MAX_BYTES);
    if (json_is(answer->json, JSON_ARRAY))
        write_list(call, answer->json, fields, s, &text);
    else if (json_is(answer->json, JSON_OBJECT))
        write_object(call, answer->json, fields, s, &text);
    else
        write_member(call, STR("value"), answer->json, 0, s, &text);
    if (buf_failed(&text))
        buf_add(out, STR("[the answer is too large to show whole; name fields]\n"));
    bool is_whole = add_cut(call, buf_str(&text), max_chars, out) && !buf_failed(&text);
    int64_t count = (int64_t)json_count(answer->json);
    if (json_is(answer->json, JSON_ARRAY) && answer->total > count) {
        buf_add_format(out, "\n%lld of %lld", (long long)count, (long long)answer->total);
        structured_i64(s, "total", answer->total);
    }
    if (is_whole)
        structured_end(s, result);
}

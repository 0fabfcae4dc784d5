/* The columns of a list. */
#include "providers/wordpress/columns.h"

#include "providers/wordpress/content/text.h"
#include "providers/wordpress/terms.h"

enum { CELL_CHARS_MAX = 200 };

/* --- which ones ---------------------------------------------------------------------------------------------------------- */

/* Everyday names for what WordPress calls otherwise, for all that are like posts. */
static const struct {
    struct str name, path, fields;
} known_columns[] = {
    {STR_INIT("id"), STR_INIT("id"), STR_INIT("id")},
    {STR_INIT("date"), STR_INIT("date"), STR_INIT("date")},
    {STR_INIT("status"), STR_INIT("status"), STR_INIT("status")},
    {STR_INIT("title"), STR_INIT("title.rendered"), STR_INIT("title.rendered")},
    {STR_INIT("excerpt"), STR_INIT("excerpt.rendered"), STR_INIT("excerpt.rendered")},
    {STR_INIT("url"), STR_INIT("link"), STR_INIT("link")},
    {STR_INIT("featured"), STR_INIT("featured_media"), STR_INIT("featured_media")},
    {STR_INIT("words"), STR_INIT(""), STR_INIT("content.rendered")},
    {STR_INIT("author"), STR_INIT(""), STR_INIT("author,_links,_embedded")},
    {STR_INIT("seo.title"), STR_INIT("yoast_head_json.title"), STR_INIT("yoast_head_json.title")},
    {STR_INIT("seo.description"), STR_INIT("yoast_head_json.description"), STR_INIT("yoast_head_json.description")},
};

/* Only shown to those who may edit. */
static const struct str edit_columns[] = {STR_INIT("roles"), STR_INIT("email"), STR_INIT("author_email")};

static bool is_plain_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!ascii_is_alnum(name.ptr[i]) && name.ptr[i] != '_' && name.ptr[i] != '-' && name.ptr[i] != '.')
            return false;
    return name.len > 0 && name.len <= 80 && name.ptr[0] != '_';
}

static int add_column(struct call *call, struct columns *columns, struct column column)
{
    for (size_t i = 0; i < columns->n; i++)
        if (str_eq(columns->list[i].name, column.name))
            return OK;
    if (columns->n == COLUMNS_MAX)
        return fail(call, E_LIMIT, "At most %d columns.", COLUMNS_MAX);
    columns->list[columns->n++] = column;
    return OK;
}

/*
 * What _fields must say to get the value at `path`. The core's controllers of posts know "title.rendered"; those of comments,
 * files, people and terms compare whole names, and for them "content.rendered" is nothing.
 */
static struct str asked_field(const struct wp_type *type, struct str path)
{
    return type->kind->flags & WP_HAS_BLOCKS ? path : str_sub(path, 0, str_find_char(path, '.'));
}

static int add_named_column(struct call *call, const struct wp *wp, const struct wp_type *type, struct columns *columns,
                            struct str name)
{
    struct wp_taxonomy taxonomy;
    for (size_t i = 0; (type->kind->flags & WP_HAS_BLOCKS) && i < ARRAY_LENGTH(known_columns); i++)
        if (str_eq(known_columns[i].name, name)) {
            columns->embeds_author |= str_eq(name, STR("author"));
            return add_column(call, columns,
                              (struct column){.name = known_columns[i].name,
                                              .path = known_columns[i].path,
                                              .fields = known_columns[i].fields});
        }
    /* What else has an address: a file's own, not that of its page. */
    if (str_eq(name, STR("url")) && str_eq(type->kind->name, STR("media")))
        return add_column(call, columns,
                          (struct column){.name = name, .path = STR("source_url"), .fields = STR("source_url")});
    if (str_eq(name, STR("url")) && (type->kind == &wp_kind_term || str_eq(type->kind->name, STR("comment"))))
        return add_column(call, columns, (struct column){.name = name, .path = STR("link"), .fields = STR("link")});
    if (str_eq(name, STR("terms"))) {
        for (size_t i = 0; i < type->n_taxonomies; i++) {
            int error = add_named_column(call, wp, type, columns, type->taxonomies[i]);
            if (error)
                return error;
        }
        return OK;
    }
    if (str_eq(name, STR("password"))) /* with an edit column beside it WordPress would show it */
        return fail(call, E_DENIED, "Passwords are not shown.");
    if (!is_plain_name(name))
        return fail(call, E_INVALID, "'%.*s' is no field.", STR_ARG(str_sub(name, 0, 60)));
    for (size_t i = 0; i < type->n_taxonomies; i++)
        if (str_eq(type->taxonomies[i], name) ||
            (str_eq(name, STR("tag")) && str_eq(type->taxonomies[i], STR("post_tag")))) {
            int error = wp_taxonomy_find(call, wp, type, name, &taxonomy);
            return error ? error
                         : add_column(call, columns,
                                      (struct column){
                                          .name = taxonomy.slug, .fields = taxonomy.rest_base, .taxonomy = taxonomy});
        }
    for (size_t i = 0; i < ARRAY_LENGTH(edit_columns); i++)
        columns->needs_edit |= str_eq(edit_columns[i], name);
    /* meta.price, slug, modified, acf.colour: a dotted path into the item as the REST API shows it. */
    return add_column(
        call, columns,
        (struct column){.name = name, .path = name, .fields = asked_field(type, name), .may_be_missing = true});
}

/* The kind's own: "id,date,title=title.rendered". */
static int add_kind_columns(struct call *call, const struct wp *wp, const struct wp_type *type, bool shows_status,
                            struct columns *columns)
{
    struct str rest = type->kind->columns, name;
    while (rest.len && str_next(&rest, ',', &name)) {
        size_t at = str_find_char(name, '=');
        if (shows_status && str_eq(name, STR("title"))) {
            int error = add_named_column(call, wp, type, columns, STR("status"));
            if (error)
                return error;
        }
        struct str path = at == STR_NOT_FOUND ? name : str_from_offset(name, at + 1);
        struct column column = {.name = str_sub(name, 0, at), .path = path, .fields = asked_field(type, path)};
        int error =
            at == STR_NOT_FOUND ? add_named_column(call, wp, type, columns, name) : add_column(call, columns, column);
        if (error)
            return error;
    }
    return OK;
}

int columns_choose(struct call *call, const struct wp *wp, const struct wp_type *type, const struct json *fields,
                   bool shows_status, struct columns *columns)
{
    int error = add_kind_columns(call, wp, type, shows_status, columns);
    columns->whole = type->kind->flags & WP_IS_MAP;
    for (size_t i = 0; i < columns->n; i++) /* nobody named these */
        columns->list[i].may_be_missing = false;
    for (size_t i = 0; !error && i < json_count(fields); i++)
        error = add_named_column(call, wp, type, columns, json_str(json_at(fields, i)));
    return error;
}

void columns_add_query(struct call *call, const struct columns *columns, struct wp_query *query)
{
    struct buf fields;
    buf_init(&fields, call->arena, 8192);
    for (size_t i = 0; i < columns->n; i++) {
        buf_add(&fields, i ? STR(",") : STR(""));
        buf_add(&fields, columns->list[i].fields);
    }
    if (columns->whole)
        return;
    wp_query_add(query, "_fields", buf_str(&fields));
    if (columns->embeds_author)
        wp_query_add(query, "_embed", STR("author"));
    if (columns->needs_edit)
        wp_query_add(query, "context", STR("edit"));
}

/* --- the rows ------------------------------------------------------------------------------------------------------------ */

static int write_terms(struct call *call, const struct wp *wp, const struct column *column, const struct json *item,
                       struct buf *out)
{
    const struct json *list = json_get(item, column->taxonomy.rest_base);
    size_t count = json_count(list);
    int64_t *ids = arena_array_of(call->arena, int64_t, count + 1);
    struct str names;
    for (size_t i = 0; i < count; i++)
        ids[i] = json_i64_or(json_at(list, i), 0);
    int error = wp_terms_names(call, wp, &column->taxonomy, ids, count, &names);
    if (!error)
        text_add_cell(out, names, CELL_CHARS_MAX);
    return error;
}

static struct str author_name(struct call *call, const struct json *item)
{
    struct str name = json_str(json_path(item, "_embedded.author.0.name"));
    return name.len ? text_from_html(call->arena, name)
                    : call_format(call, "%lld", (long long)json_i64_or(json_get(item, STR("author")), 0));
}

/* "a, b" for a list of plain values: a list of names is read easier so than as JSON. */
static struct str join(struct call *call, const struct json *list)
{
    struct str text = STR_EMPTY;
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *value = json_at(list, i);
        struct str item = json_is(value, JSON_STRING) ? json_str(value) : json_raw(value);
        text = call_format(call, "%.*s%s%.*s", STR_ARG(text), i ? ", " : "", STR_ARG(item));
    }
    return text;
}

static void write_value(struct call *call, const struct column *column, const struct json *value, struct buf *out)
{
    const struct json *rendered = json_get(value, STR("rendered"));
    bool is_html = json_is(rendered, JSON_STRING) || str_ends_with(column->path, STR("rendered"));
    if (json_is(rendered, JSON_STRING))
        value = rendered;
    struct str text = json_is(value, JSON_STRING)  ? json_str(value)
                      : json_is(value, JSON_ARRAY) ? join(call, value)
                                                   : json_raw(value);
    if (is_html)
        text = text_from_html(call->arena, text);
    if (str_eq(column->name, STR("date")))
        text = str_sub(text, 0, 10);
    text_add_cell(out, text, CELL_CHARS_MAX);
}

static int write_column(struct call *call, const struct wp *wp, const struct column *column, const struct json *item,
                        struct buf *out)
{
    if (column->taxonomy.route.len)
        return write_terms(call, wp, column, item, out);
    if (!column->path.len && str_eq(column->name, STR("words"))) {
        buf_add_u64(out, text_word_count(call->arena, json_str(json_path(item, "content.rendered"))));
    } else if (!column->path.len) {
        text_add_cell(out, author_name(call, item), CELL_CHARS_MAX);
    } else {
        write_value(call, column, json_path_str(item, column->path), out);
    }
    return OK;
}

static void write_member(struct structured *s, const struct column *column, const struct json *item, struct str cell)
{
    int64_t words;
    if (column->path.len)
        structured_cell(s, column->name, json_path_str(item, column->path), cell);
    else if (str_eq(column->name, STR("words")) && str_to_i64(cell, &words))
        structured_i64(s, "words", words);
    else
        structured_text(s, column->name, cell);
}

void columns_write_head(const struct columns *columns, struct buf *out)
{
    for (size_t i = 0; i < columns->n; i++) {
        buf_add(out, i ? STR("\t") : STR(""));
        buf_add(out, columns->list[i].name);
    }
}

struct str columns_missing(struct call *call, const struct columns *columns)
{
    struct str names = STR_EMPTY;
    for (size_t i = 0; i < columns->n; i++)
        if (columns->list[i].may_be_missing && !columns->list[i].is_there)
            names =
                call_format(call, "%.*s%s%.*s", STR_ARG(names), names.len ? ", " : "", STR_ARG(columns->list[i].name));
    return names;
}

int columns_write_row(struct call *call, const struct wp *wp, struct columns *columns, const struct json *item,
                      struct structured *s, struct buf *out)
{
    for (size_t i = 0; i < columns->n; i++) {
        struct column *column = &columns->list[i];
        column->is_there |= !json_is(json_path_str(item, column->path), JSON_MISSING);
        buf_add_char(out, i ? '\t' : '\n');
        size_t before = out->len;
        int error = write_column(call, wp, &columns->list[i], item, out);
        if (error)
            return error;
        if (s)
            write_member(s, &columns->list[i], item, str_from_offset(buf_str(out), before));
    }
    return OK;
}

/* wp_find: lists and searches, one compact row an item. */
#include "providers/wordpress/content/text.h"
#include "providers/wordpress/route_guard.h"
#include "providers/wordpress/terms.h"
#include "providers/wordpress/tools.h"

enum {
    LIMIT_DEFAULT = 10,
    LIMIT_MAX = 100,
    COLUMNS_MAX = 24,
    CELL_CHARS_MAX = 200,
    OFFSET_MAX = 1000000,
};

/* --- the query ----------------------------------------------------------------------------------------------------------- */

/* "2026-01-31" is meant as its beginning; WordPress wants a time. */
static void add_date(struct call *call, struct wp_query *query, const char *name, const struct json *value)
{
    struct str date = json_str(value);
    if (date.len)
        wp_query_add(query, name, date.len == 10 ? call_format(call, "%.*sT00:00:00", STR_ARG(date)) : date);
}

static int add_order(struct call *call, struct wp_query *query, struct str order)
{
    static const struct str names[] = {
        STR_INIT("date"), STR_INIT("modified"), STR_INIT("title"),     STR_INIT("id"),
        STR_INIT("slug"), STR_INIT("author"),   STR_INIT("relevance"), STR_INIT("menu_order"),
    };
    if (!order.len)
        return OK; /* WordPress's default is newest first */
    bool descending = order.ptr[0] == '-';
    struct str name = descending ? str_from_offset(order, 1) : order;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (str_eq(names[i], name)) {
            wp_query_add(query, "orderby", name);
            wp_query_add(query, "order", descending || str_eq(name, STR("relevance")) ? STR("desc") : STR("asc"));
            return OK;
        }
    return fail(call, E_INVALID,
                "order is date, modified, title, id, slug, author, relevance or menu_order, with '-' before it for "
                "descending.");
}

static int add_terms(struct call *call, const struct wp *wp, const struct wp_type *type, struct wp_query *query,
                     const struct json *named)
{
    struct wp_terms *terms;
    size_t count;
    int error = wp_terms_resolve(call, wp, type, named, &terms, &count);
    if (error)
        return error;
    for (size_t i = 0; i < count; i++) {
        if (terms[i].n_missing)
            return fail(call, E_INVALID, "%.*s has no term '%.*s'.", STR_ARG(terms[i].taxonomy.slug),
                        STR_ARG(terms[i].missing[0]));
        struct str name = call_format(call, "%.*s[]", STR_ARG(terms[i].taxonomy.rest_base));
        for (size_t k = 0; k < terms[i].n_ids; k++)
            wp_query_add_i64(query, name.ptr, terms[i].ids[k]);
    }
    return OK;
}

static int add_author(struct call *call, const struct wp *wp, struct wp_query *query, struct str author)
{
    int64_t id;
    struct wp_answer answer;
    struct wp_query search;
    if (str_to_i64(author, &id)) {
        wp_query_add_i64(query, "author", id);
        return OK;
    }
    wp_query_init(call, &search);
    wp_query_add(&search, "search", author);
    wp_query_add(&search, "_fields", STR("id,name,slug"));
    wp_query_add_i64(&search, "per_page", 20);
    int error = wp_get(call, wp, STR("wp/v2/users"), &search, &answer);
    if (error)
        return error;
    for (size_t i = 0; i < json_count(answer.json); i++) {
        const struct json *user = json_at(answer.json, i);
        if (!str_eq_nocase(json_str(json_get(user, STR("name"))), author) &&
            !str_eq_nocase(json_str(json_get(user, STR("slug"))), author))
            continue;
        wp_query_add_i64(query, "author", json_i64_or(json_get(user, STR("id")), 0));
        return OK;
    }
    return fail(call, E_INVALID, "There is no author called '%.*s' whom this WordPress user may see.",
                STR_ARG(str_sub(author, 0, 80)));
}

static int add_filter(struct call *call, const struct wp *wp, const struct wp_type *type, struct wp_query *query,
                      const struct json *filter)
{
    /* What has an argument of its own, or decides how the answer is cut, is not to be set twice. */
    static const struct str ours[] = {
        STR_INIT("page"),   STR_INIT("per_page"), STR_INIT("offset"), STR_INIT("search"),  STR_INIT("order"),
        STR_INIT("status"), STR_INIT("orderby"),  STR_INIT("author"), STR_INIT("include"), STR_INIT("password"),
    };
    for (size_t i = 0; i < json_count(filter) && json_is(filter, JSON_OBJECT); i++) {
        struct json_member member = json_member_at(filter, i);
        for (size_t k = 0; k < ARRAY_LENGTH(ours); k++)
            if (str_eq(ours[k], member.name))
                return fail(call, E_INVALID,
                            "filter may not hold '%.*s': use the arguments q, status, author, ids, order, limit "
                            "and cursor.",
                            STR_ARG(member.name));
        int error = wp_guard_query(call, wp, type->route, member.name);
        if (error || (error = wp_query_add_json(call, query, member.name, member.value)))
            return error;
    }
    return OK;
}

/* Several statuses are one list; "any" is WordPress's word for all but the trash. */
static void add_status(struct wp_query *query, struct str status)
{
    struct str piece;
    while (status.len && str_next(&status, ',', &piece))
        if (str_trim(piece).len)
            wp_query_add(query, "status[]", str_trim(piece));
}

struct search {
    int64_t limit, offset;
    bool shows_status;
};

static int build_query(struct call *call, const struct wp *wp, const struct wp_type *type, const struct json *arguments,
                       struct wp_query *query, struct search *search)
{
    const struct json *ids = json_get(arguments, STR("ids")), *cursor = json_get(arguments, STR("cursor"));
    struct str status = json_str(json_get(arguments, STR("status"))),
               author = json_str(json_get(arguments, STR("author")));
    int error;
    search->limit = json_i64_or(json_get(arguments, STR("limit")), LIMIT_DEFAULT);
    if (search->limit < 1 || search->limit > LIMIT_MAX)
        return fail(call, E_INVALID, "limit must be 1 to %d.", LIMIT_MAX);
    if (json_str(cursor).len &&
        (!str_to_i64(json_str(cursor), &search->offset) || search->offset < 0 || search->offset > OFFSET_MAX))
        return fail(call, E_INVALID, "There is no page with this cursor. Take the one the last answer gave.");
    wp_query_add_i64(query, "per_page", search->limit);
    if (search->offset)
        wp_query_add_i64(query, "offset", search->offset);
    if (json_str(json_get(arguments, STR("q"))).len)
        wp_query_add(query, "search", json_str(json_get(arguments, STR("q"))));
    search->shows_status = str_find_char(status, ',') != STR_NOT_FOUND || str_eq(status, STR("any"));
    add_status(query, status);
    add_date(call, query, "after", json_get(arguments, STR("after")));
    add_date(call, query, "before", json_get(arguments, STR("before")));
    if (json_is(json_get(arguments, STR("parent")), JSON_NUMBER))
        wp_query_add_i64(query, "parent", json_i64_or(json_get(arguments, STR("parent")), 0));
    for (size_t i = 0; i < json_count(ids); i++)
        wp_query_add_i64(query, "include[]", json_i64_or(json_at(ids, i), 0));
    if ((error = add_order(call, query, json_str(json_get(arguments, STR("order"))))) ||
        (error = add_terms(call, wp, type, query, json_get(arguments, STR("terms")))) ||
        (author.len && (error = add_author(call, wp, query, author))))
        return error;
    return add_filter(call, wp, type, query, json_get(arguments, STR("filter")));
}

/* --- the columns --------------------------------------------------------------------------------------------------------- */

struct column {
    struct str name;
    struct str path;             /* dotted, into the item's JSON; empty: made from several members */
    struct str fields;           /* what _fields must name */
    struct wp_taxonomy taxonomy; /* of a column with its terms' names */
};

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
};

struct columns {
    struct column list[COLUMNS_MAX];
    size_t n;
    bool embeds_author;
};

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

static int add_named_column(struct call *call, const struct wp *wp, const struct wp_type *type, struct columns *columns,
                            struct str name)
{
    struct wp_taxonomy taxonomy;
    for (size_t i = 0; i < ARRAY_LENGTH(known_columns); i++)
        if (str_eq(known_columns[i].name, name)) {
            columns->embeds_author |= str_eq(name, STR("author"));
            return add_column(call, columns,
                              (struct column){.name = known_columns[i].name,
                                              .path = known_columns[i].path,
                                              .fields = known_columns[i].fields});
        }
    if (str_eq(name, STR("terms"))) {
        for (size_t i = 0; i < type->n_taxonomies; i++) {
            int error = add_named_column(call, wp, type, columns, type->taxonomies[i]);
            if (error)
                return error;
        }
        return OK;
    }
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
    /* meta.price, slug, modified, acf.colour: a dotted path into the item as the REST API shows it. */
    return add_column(call, columns, (struct column){.name = name, .path = name, .fields = name});
}

static int choose_columns(struct call *call, const struct wp *wp, const struct wp_type *type, const struct json *fields,
                          bool shows_status, struct columns *columns)
{
    static const struct str always[] = {STR_INIT("id"), STR_INIT("date")};
    int error;
    for (size_t i = 0; i < ARRAY_LENGTH(always); i++)
        if ((error = add_named_column(call, wp, type, columns, always[i])))
            return error;
    if (shows_status && (error = add_named_column(call, wp, type, columns, STR("status"))))
        return error;
    if ((error = add_named_column(call, wp, type, columns, STR("title"))))
        return error;
    for (size_t i = 0; i < json_count(fields); i++)
        if ((error = add_named_column(call, wp, type, columns, json_str(json_at(fields, i)))))
            return error;
    return OK;
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

static int write_column(struct call *call, const struct wp *wp, const struct column *column, const struct json *item,
                        struct buf *out)
{
    if (column->taxonomy.route.len)
        return write_terms(call, wp, column, item, out);
    if (str_eq(column->name, STR("words"))) {
        buf_add_u64(out, text_word_count(call->arena, json_str(json_path(item, "content.rendered"))));
    } else if (str_eq(column->name, STR("author"))) {
        text_add_cell(out, author_name(call, item), CELL_CHARS_MAX);
    } else {
        const struct json *value = json_path_str(item, column->path);
        struct str text = json_is(value, JSON_STRING) ? json_str(value) : json_raw(value);
        if (str_ends_with(column->path, STR(".rendered")))
            text = text_from_html(call->arena, text);
        if (str_eq(column->name, STR("date")))
            text = str_sub(text, 0, 10);
        text_add_cell(out, text, CELL_CHARS_MAX);
    }
    return OK;
}

static int write_rows(struct call *call, const struct wp *wp, const struct columns *columns, const struct json *items,
                      struct buf *out)
{
    for (size_t c = 0; c < columns->n; c++) {
        buf_add(out, c ? STR("\t") : STR(""));
        buf_add(out, columns->list[c].name);
    }
    for (size_t i = 0; i < json_count(items); i++)
        for (size_t c = 0; c < columns->n; c++) {
            buf_add_char(out, c ? '\t' : '\n');
            int error = write_column(call, wp, &columns->list[c], json_at(items, i), out);
            if (error)
                return error;
        }
    return OK;
}

static void write_end(const struct search *search, size_t shown, int64_t total, struct buf *out)
{
    int64_t next = search->offset + (int64_t)shown;
    if (total > next)
        buf_add_format(out, "\n%lld of %lld, next cursor: %lld", (long long)shown, (long long)total, (long long)next);
    else if (search->offset)
        buf_add_format(out, "\nthe last of %lld", (long long)total);
}

int tool_find(struct call *call, const struct tool_context *context, const struct json *arguments,
              struct tool_result *result)
{
    struct wp wp;
    struct wp_type type;
    struct wp_query query;
    struct wp_answer answer;
    struct search search = {0};
    struct columns *columns = arena_new_of(call->arena, struct columns);
    struct buf fields;
    int error;
    if ((error = wp_open(call, context->site, context->rights, &wp)) ||
        (error = wp_type_find(call, &wp, json_str(json_get(arguments, STR("type"))), &type)))
        return error;
    wp_query_init(call, &query);
    if ((error = build_query(call, &wp, &type, arguments, &query, &search)) ||
        (error = choose_columns(call, &wp, &type, json_get(arguments, STR("fields")), search.shows_status, columns)))
        return error;
    buf_init(&fields, call->arena, 8192);
    for (size_t c = 0; c < columns->n; c++) {
        buf_add(&fields, c ? STR(",") : STR(""));
        buf_add(&fields, columns->list[c].fields);
    }
    wp_query_add(&query, "_fields", buf_str(&fields));
    if (columns->embeds_author)
        wp_query_add(&query, "_embed", STR("author"));
    if ((error = wp_get(call, &wp, type.route, &query, &answer)))
        return error;
    if (!json_is(answer.json, JSON_ARRAY))
        return fail(call, E_UPSTREAM, "The site's answer holds no list.");
    if (json_count(answer.json) == 0) {
        buf_add_format(
            &result->text, "No %.*s found%s.", STR_ARG(type.slug),
            json_is(json_get(arguments, STR("status")), JSON_STRING) ? "" : " (only status publish was searched)");
        return OK;
    }
    if ((error = write_rows(call, &wp, columns, answer.json, &result->text)))
        return error;
    write_end(&search, json_count(answer.json), answer.total, &result->text);
    return OK;
}

/* wp_find: lists and searches, one compact row an item. */
#include "providers/wordpress/columns.h"
#include "providers/wordpress/content/text.h"
#include "providers/wordpress/fields.h"
#include "providers/wordpress/item.h"
#include "providers/wordpress/route_guard.h"
#include "providers/wordpress/terms.h"
#include "providers/wordpress/tools.h"

enum {
    LIMIT_DEFAULT = 10,
    LIMIT_MAX = 100,
    OFFSET_MAX = 1000000,
    ROW_MAX_BYTES = 64 * 1024,
    ANSWER_BYTES = 20 * 1000,
};

/* --- the query ----------------------------------------------------------------------------------------------------------- */

/* "2026-01-31" is meant as its beginning; WordPress wants a time. */
static void add_date(struct call *call, struct wp_query *query, const char *name, const struct json *value)
{
    struct str date = json_str(value);
    if (date.len)
        wp_query_add(query, name, wp_date(call, date));
}

static bool is_word(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_is_alnum(text.ptr[i]) && text.ptr[i] != '_')
            return false;
    return text.len > 0 && text.len <= 40;
}

static int add_order(struct call *call, const struct wp_type *type, struct wp_query *query, struct str order)
{
    static const struct str names[] = {
        STR_INIT("date"), STR_INIT("modified"), STR_INIT("title"),     STR_INIT("id"),
        STR_INIT("slug"), STR_INIT("author"),   STR_INIT("relevance"), STR_INIT("menu_order"),
    };
    if (!order.len)
        return OK; /* WordPress's default; of posts: newest first */
    bool descending = order.ptr[0] == '-';
    struct str name = descending ? str_from_offset(order, 1) : order;
    bool known =
        type->kind != &wp_kind_post && is_word(name); /* others have words of their own: WordPress names them */
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        known |= str_eq(names[i], name);
    if (!known)
        return fail(call, E_INVALID,
                    "order is date, modified, title, id, slug, author, relevance or menu_order, with '-' before it for "
                    "descending.");
    wp_query_add(query, "orderby", name);
    wp_query_add(query, "order", descending || str_eq(name, STR("relevance")) ? STR("desc") : STR("asc"));
    return OK;
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
        if (!terms[i].n_ids)
            return fail(call, E_INVALID, "terms names no term of %.*s.", STR_ARG(terms[i].taxonomy.slug));
        struct str name = call_format(call, "%.*s[]", STR_ARG(terms[i].taxonomy.rest_base));
        for (size_t k = 0; k < terms[i].n_ids; k++)
            wp_query_add_i64(query, name.ptr, terms[i].ids[k]);
    }
    return OK;
}

static bool is_of_core(const struct wp_type *type)
{
    return type->kind != &wp_kind_post || str_eq(type->slug, STR("post")) || str_eq(type->slug, STR("page"));
}

/* A type of a plugin's need not have authors. */
static int add_author(struct call *call, const struct wp *wp, const struct wp_type *type, struct wp_query *query,
                      struct str author)
{
    int64_t id;
    int error = is_of_core(type) ? OK : wp_guard_query(call, wp, type, STR("author"));
    if (!error && !str_to_i64(author, &id))
        error = wp_find_named(call, wp, STR("wp/v2/users"), STR("author"), author, &id);
    if (!error)
        wp_query_add_i64(query, "author", id);
    return error;
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
        if (json_is(member.value, JSON_ARRAY) && !json_count(member.value))
            return fail(call, E_INVALID, "filter holds no value for '%.*s'.", STR_ARG(str_sub(member.name, 0, 60)));
        int error = wp_guard_query(call, wp, type, member.name);
        if (error || (error = wp_query_add_json(call, query, member.name, member.value)))
            return error;
    }
    return OK;
}

/*
 * Several statuses are one list; "any" is WordPress's word for all but the trash. Of files it does not know the word, and lists
 * them all when it is told none.
 */
static void add_status(const struct wp_type *type, struct wp_query *query, struct str status)
{
    struct str piece;
    bool is_media = str_eq(type->kind->name, STR("media"));
    if (status.len && (type->kind->flags & WP_HAS_STATE)) {
        wp_query_add(query, "status", wp_status_name(type, status));
        return;
    }
    while (status.len && str_next(&status, ',', &piece))
        if (str_trim(piece).len && !(is_media && str_eq(str_trim(piece), STR("any"))))
            wp_query_add(query, "status[]", str_trim(piece));
}

struct search {
    int64_t limit, offset; /* offset: the rows before the first one asked for */
    int64_t begin;         /* the rows before the site's page: fewer than offset where a list has only whole pages */
    bool shows_status;
    struct str q; /* to be looked for here, because WordPress does not */
};

/* Of posts and terms only those that stand below each other have parents; WordPress passes over the argument for others. */
static bool has_parents(const struct wp_type *type)
{
    bool may_lack_them = type->kind == &wp_kind_post || type->kind == &wp_kind_term;
    return (type->kind->flags & WP_HAS_PARENT) && (type->hierarchical || !may_lack_them);
}

/* An argument that this type's list cannot be asked for is refused: to leave it out would answer another question. */
static int check_arguments(struct call *call, const struct wp_type *type, const struct json *arguments)
{
    static const struct {
        struct str name;
        unsigned flags;
    } needs[] = {
        {STR_INIT("status"), WP_HAS_STATUS | WP_HAS_STATE},
        {STR_INIT("terms"), WP_HAS_TERMS},
        {STR_INIT("author"), WP_HAS_AUTHOR},
        {STR_INIT("ids"), WP_HAS_INCLUDE},
        {STR_INIT("after"), WP_HAS_DATES},
        {STR_INIT("before"), WP_HAS_DATES},
        {STR_INIT("order"), WP_HAS_ORDER},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(needs); i++)
        if (!(type->kind->flags & needs[i].flags) && !json_is(json_get(arguments, needs[i].name), JSON_MISSING))
            return fail(call, E_INVALID, "Type %.*s cannot be searched by %.*s.", STR_ARG(type->slug),
                        STR_ARG(needs[i].name));
    if (!has_parents(type) && !json_is(json_get(arguments, STR("parent")), JSON_MISSING))
        return fail(call, E_INVALID, "Type %.*s cannot be searched by parent.", STR_ARG(type->slug));
    return OK;
}

/*
 * Lists that come whole are searched and cut here. Where there are only whole pages, the one is asked for in which the cursor lies, and
 * what is before it is passed over.
 */
static void add_paging(const struct wp_type *type, struct wp_query *query, struct str q, struct search *search)
{
    bool by_pages = type->kind->flags & WP_PAGES;
    if (by_pages) {
        bool by_page = type->kind->flags & WP_BY_PAGE;
        wp_query_add_i64(query, "per_page", search->limit);
        search->begin = by_page ? search->offset - search->offset % search->limit : search->offset;
        if (search->begin)
            wp_query_add_i64(query, by_page ? "page" : "offset",
                             by_page ? search->begin / search->limit + 1 : search->begin);
    }
    if (q.len && (type->kind->flags & WP_SEARCHES))
        wp_query_add(query, "search", q);
    else
        search->q = q;
}

static int build_query(struct call *call, const struct wp *wp, const struct wp_type *type, const struct json *arguments,
                       struct wp_query *query, struct search *search)
{
    const struct json *ids = json_get(arguments, STR("ids")), *cursor = json_get(arguments, STR("cursor"));
    struct str status = json_str(json_get(arguments, STR("status"))),
               author = json_str(json_get(arguments, STR("author")));
    int error;
    if ((error = check_arguments(call, type, arguments)))
        return error;
    search->limit = json_i64_or(json_get(arguments, STR("limit")), LIMIT_DEFAULT);
    if (search->limit < 1 || search->limit > LIMIT_MAX)
        return fail(call, E_INVALID, "limit must be 1 to %d.", LIMIT_MAX);
    if (json_str(cursor).len &&
        (!str_to_i64(json_str(cursor), &search->offset) || search->offset < 0 || search->offset > OFFSET_MAX))
        return fail(call, E_INVALID, "There is no page with this cursor. Take the one the last answer gave.");
    add_paging(type, query, json_str(json_get(arguments, STR("q"))), search);
    if (search->q.len && (type->kind->flags & WP_PAGES))
        return fail(call, E_INVALID, "Type %.*s cannot be searched by q.", STR_ARG(type->slug));
    search->shows_status = str_find_char(status, ',') != STR_NOT_FOUND || str_eq(status, STR("any"));
    add_status(type, query, status);
    add_date(call, query, "after", json_get(arguments, STR("after")));
    add_date(call, query, "before", json_get(arguments, STR("before")));
    if (json_is(json_get(arguments, STR("parent")), JSON_NUMBER))
        wp_query_add_i64(query, "parent", json_i64_or(json_get(arguments, STR("parent")), 0));
    for (size_t i = 0; i < json_count(ids); i++)
        wp_query_add_i64(query, "include[]", json_i64_or(json_at(ids, i), 0));
    if ((error = add_order(call, type, query, json_str(json_get(arguments, STR("order"))))) ||
        (error = add_terms(call, wp, type, query, json_get(arguments, STR("terms")))) ||
        (author.len && (error = add_author(call, wp, type, query, author))))
        return error;
    return add_filter(call, wp, type, query, json_get(arguments, STR("filter")));
}

/* --- the rows ------------------------------------------------------------------------------------------------------------ */

/* A list, or one thing for each of some names. WordPress says [] for {}. */
static const struct json *item_at(const struct json *list, size_t index)
{
    return json_is(list, JSON_OBJECT) ? json_member_at(list, index).value : json_at(list, index);
}

static bool row_has(const struct buf *row, struct str q)
{
    return str_contains_nocase(buf_str(row), q);
}

/* From row `first` on as many whole ones as the answer may hold, but one at least; the cursor goes on behind the last. */
static int write_rows(struct call *call, const struct wp *wp, struct columns *columns, const struct json *items,
                      size_t first, size_t *ret_shown, struct structured *s, struct buf *out)
{
    *ret_shown = 0;
    if (first < json_count(items))
        columns_write_head(columns, out);
    for (; first + *ret_shown < json_count(items); ++*ret_shown) {
        size_t before = out->len;
        struct structured mark = structured_mark(s);
        structured_object(s, NULL);
        int error = columns_write_row(call, wp, columns, item_at(items, first + *ret_shown), s, out);
        if (error)
            return error;
        structured_close(s);
        if (out->len > ANSWER_BYTES && *ret_shown > 0) {
            out->len = before;
            structured_back(s, &mark);
            return OK;
        }
    }
    return OK;
}

/*
 * `came`: the rows of the site's page, of which `shown` were wanted and found room. WordPress takes what this user may not see out of
 * a page after it was cut and counted: then the next page begins behind the whole of this one, not behind its last row.
 */
static void write_end(struct call *call, const struct search *search, size_t came, size_t shown, int64_t total,
                      struct structured *s, struct buf *out)
{
    bool some_hidden = (int64_t)came < search->limit && total > search->begin + (int64_t)came;
    int64_t next = search->offset + (int64_t)shown;
    if (some_hidden && next >= search->begin + (int64_t)came)
        next = search->begin + search->limit;
    structured_i64(s, "total", total);
    if (total > next)
        structured_str(s, "next_cursor", call_format(call, "%lld", (long long)next));
    if (some_hidden || total > next)
        buf_add_format(out, "\n%lld of %lld%s", (long long)shown, (long long)total,
                       some_hidden ? ", others are not for this WordPress user" : "");
    else if (search->offset)
        buf_add_format(out, "\nthe last of %lld", (long long)total);
    if (total > next)
        buf_add_format(out, ", next cursor: %lld", (long long)next);
}

/* Of a list that came whole: only the rows asked for. *ret_total: how many there are of them. */
static int write_some_rows(struct call *call, const struct wp *wp, struct columns *columns, const struct json *items,
                           const struct search *search, size_t *ret_shown, int64_t *ret_total, struct structured *s,
                           struct buf *out)
{
    struct buf row;
    *ret_total = 0;
    *ret_shown = 0;
    for (size_t i = 0; i < json_count(items); i++) {
        struct structured mark = structured_mark(s);
        buf_init(&row, call->arena, ROW_MAX_BYTES);
        structured_object(s, NULL);
        int error = columns_write_row(call, wp, columns, item_at(items, i), s, &row);
        if (error)
            return error;
        structured_close(s);
        if (search->q.len && !row_has(&row, search->q)) {
            structured_back(s, &mark);
            continue;
        }
        bool has_room = *ret_shown == 0 || out->len + row.len <= ANSWER_BYTES;
        if (*ret_total == search->offset + (int64_t)*ret_shown && *ret_total < search->offset + search->limit &&
            has_room) {
            if ((*ret_shown)++ == 0)
                columns_write_head(columns, out);
            buf_add(out, buf_str(&row));
        } else {
            structured_back(s, &mark);
        }
        ++*ret_total;
    }
    return OK;
}

/* The settings: one row each. */
static void write_pairs(struct call *call, const struct json *object, struct str q, struct structured *s,
                        struct buf *out)
{
    buf_add(out, STR("name\tvalue"));
    for (size_t i = 0; json_is(object, JSON_OBJECT) && i < json_count(object); i++) {
        struct json_member member = json_member_at(object, i);
        struct str value = json_is(member.value, JSON_STRING) ? json_str(member.value) : json_raw(member.value);
        struct str shown = text_cut(value, 300);
        struct str row = call_format(call, "%.*s\t%.*s", STR_ARG(member.name), STR_ARG(shown));
        if (q.len && !str_contains_nocase(row, q))
            continue;
        buf_add_format(out, "\n%.*s", STR_ARG(row));
        structured_object(s, NULL);
        structured_str(s, "name", member.name);
        structured_cell(s, STR("value"), member.value, shown);
        structured_close(s);
    }
}

static void write_names(struct str names, struct structured *s, struct buf *out)
{
    struct str name;
    buf_add(out, STR("id"));
    while (names.len && str_next(&names, ',', &name)) {
        buf_add_format(out, "\n%.*s", STR_ARG(name));
        structured_object(s, NULL);
        structured_str(s, "id", name);
        structured_close(s);
    }
}

/* Which record of styles is the active theme's, only a link of the theme tells. */
static int write_styles(struct call *call, const struct wp *wp, struct structured *s, struct buf *out)
{
    struct wp_answer answer;
    struct wp_query query;
    wp_query_init(call, &query);
    wp_query_add(&query, "status", STR("active"));
    wp_query_add(&query, "_fields", STR("stylesheet,_links"));
    int error = wp_get(call, wp, STR("wp/v2/themes"), &query, &answer);
    if (error)
        return error;
    const struct json *theme = json_at(answer.json, 0);
    const struct json *links = json_get(json_get(theme, STR("_links")), STR("wp:user-global-styles"));
    struct str href = json_str(json_get(json_at(links, 0), STR("href")));
    struct str id = str_from_offset(href, str_find_last_char(href, '/') + 1);
    int64_t number;
    if (!str_to_i64(id, &number))
        return fail(call, E_NOT_FOUND, "The active theme has no styles of its own: it is no block theme.");
    buf_add_format(out, "id\ttheme\n%lld\t%.*s", (long long)number,
                   STR_ARG(json_str(json_get(theme, STR("stylesheet")))));
    structured_object(s, NULL);
    structured_i64(s, "id", number);
    structured_str(s, "theme", json_str(json_get(theme, STR("stylesheet"))));
    structured_close(s);
    return OK;
}

static int write_list(struct call *call, const struct wp *wp, const struct wp_type *type, struct columns *columns,
                      const struct search *search, const struct wp_answer *answer, bool all_statuses,
                      struct structured *s, struct buf *out)
{
    const struct wp_kind *kind = type->kind;
    size_t shown = 0, came = json_count(answer->json);
    int64_t total = answer->total, least = search->begin + (int64_t)came;
    int error = OK;
    if (total < least)
        total = least; /* the site did not say */
    if (!json_is(answer->json, JSON_ARRAY) && !json_is(answer->json, JSON_OBJECT))
        return fail(call, E_UPSTREAM, "The site's answer holds no list.");
    if (!(kind->flags & WP_PAGES)) {
        error = write_some_rows(call, wp, columns, answer->json, search, &shown, &total, s, out);
        came = (size_t)search->limit; /* nothing is missing from it */
    } else {
        error = write_rows(call, wp, columns, answer->json, (size_t)(search->offset - search->begin), &shown, s, out);
    }
    if (error)
        return error;
    structured_close(s);
    if (shown == 0) {
        if (total <= search->offset)
            structured_i64(s, "total", total);
        buf_add_format(out, "No %.*s found%s.", STR_ARG(type->slug),
                       all_statuses || !kind->not_public.len ? ""
                       : kind->flags & WP_HAS_BLOCKS         ? " (only status publish was searched)"
                                                             : " (only what is public was searched)");
    }
    struct str missing = shown ? columns_missing(call, columns) : STR_EMPTY;
    if (missing.len) {
        struct str note = call_format(call, "no row has %.*s", STR_ARG(missing));
        buf_add_format(out, "\nnote: %.*s", STR_ARG(note));
        structured_str(s, "note", note);
    }
    if (shown || total > search->offset)
        write_end(call, search, came, shown, total, s, out);
    return OK;
}

static int find(struct call *call, const struct tool_context *context, const struct json *arguments,
                struct structured *s, struct tool_result *result)
{
    struct wp wp;
    struct wp_type type;
    struct wp_query query;
    struct wp_answer answer;
    struct search search = {0};
    struct columns *columns = arena_new_of(call->arena, struct columns);
    int error;
    if ((error = wp_open(call, context->site, context->rights, &wp)) ||
        (error = wp_type_find(call, &wp, json_str(json_get(arguments, STR("type"))), &type)) ||
        (error = wp_may_read(call, &wp, &type)))
        return error;
    wp_query_init(call, &query);
    if ((error = build_query(call, &wp, &type, arguments, &query, &search)))
        return error;
    if (type.kind->flags & WP_NO_LIST) {
        write_names(type.kind->items, s, &result->text);
        structured_close(s);
        return OK;
    }
    if (str_eq(type.kind->name, STR("global_styles"))) {
        error = write_styles(call, &wp, s, &result->text);
        structured_close(s);
        return error;
    }
    if (type.kind->id == WP_ID_NONE) {
        if ((error = wp_get(call, &wp, type.route, NULL, &answer)))
            return error;
        write_pairs(call, answer.json, search.q, s, &result->text);
        structured_close(s);
        return OK;
    }
    if ((error = columns_choose(call, &wp, &type, json_get(arguments, STR("fields")), search.shows_status, columns)))
        return error;
    columns_add_query(call, columns, &query);
    if ((error = wp_get(call, &wp, type.route, &query, &answer)))
        return error;
    return write_list(call, &wp, &type, columns, &search, &answer,
                      json_is(json_get(arguments, STR("status")), JSON_STRING), s, &result->text);
}

int tool_find(struct call *call, const struct tool_context *context, const struct json *arguments,
              struct tool_result *result)
{
    struct structured *s = structured_begin(call, context);
    structured_array(s, "items");
    int error = find(call, context, arguments, s, result);
    if (!error)
        structured_end(s, result);
    return error;
}

/* --- for other tools ----------------------------------------------------------------------------------------------------- */

static void take_items(struct call *call, const struct json *list, size_t max, struct found_items *ret)
{
    for (size_t i = 0; i < json_count(list) && ret->count < max; i++) {
        const struct json *item = json_at(list, i), *title = json_path(item, "title.rendered");
        ret->ids[ret->count] = json_i64_or(json_get(item, STR("id")), 0);
        ret->titles[ret->count] = text_from_html(
            call->arena, json_is(title, JSON_STRING) ? json_str(title) : json_str(json_get(item, STR("name"))));
        ret->count += ret->ids[ret->count] != 0;
    }
}

/* The arguments with a page of LIMIT_MAX. */
static int page_of(struct call *call, const struct json *query, size_t offset, const struct json **ret)
{
    struct str members = str_trim(json_raw(query));
    members = str_trim(str_sub(members, 1, members.len - 2));
    struct str text = call_format(call, "{\"limit\":%d,\"cursor\":\"%zu\"%s%.*s}", LIMIT_MAX, offset,
                                  members.len ? "," : "", STR_ARG(members));
    if (json_parse(call->arena, text, NULL, ret, NULL) == OK)
        return OK;
    return fail(call, E_INVALID, "The query cannot be read: it is the arguments of wp_find.");
}

int tool_find_items(struct call *call, const struct wp *wp, const struct wp_type *type, const struct json *query,
                    size_t max, struct found_items *ret)
{
    *ret = (struct found_items){arena_array_of(call->arena, int64_t, max), arena_array_of(call->arena, struct str, max),
                                0};
    int error = wp_may_read(call, wp, type);
    if (!error && !(type->kind->flags & WP_PAGES))
        return fail(call, E_INVALID, "Type %.*s cannot be found in bulk.", STR_ARG(type->slug));
    for (size_t offset = 0; !error; offset += LIMIT_MAX) {
        struct wp_query parameters;
        struct wp_answer answer;
        struct search search = {0};
        const struct json *arguments;
        wp_query_init(call, &parameters);
        if ((error = page_of(call, query, offset, &arguments)) ||
            (error = build_query(call, wp, type, arguments, &parameters, &search)))
            return error;
        wp_query_add(&parameters, "_fields", STR("id,title,name"));
        if ((error = wp_get(call, wp, type->route, &parameters, &answer)))
            return error;
        if (answer.total > (int64_t)max)
            return fail(call, E_LIMIT, "That finds %lld; at most %zu at a time.", (long long)answer.total, max);
        take_items(call, answer.json, max, ret);
        /* A page can be short of what this user may not see, with more pages behind it. */
        if (json_count(answer.json) < LIMIT_MAX && answer.total <= (int64_t)(offset + LIMIT_MAX))
            break;
    }
    return error;
}

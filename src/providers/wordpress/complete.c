/* Values that the site really has. */
#include "providers/wordpress/complete.h"

#include "providers/wordpress/content/text.h"
#include "providers/wordpress/resource_uri.h"
#include "providers/wordpress/terms.h"

enum { PER_PAGE = COMPLETION_VALUES_MAX, SEARCH_MAX_BYTES = 200 };

/* What this user may not list, or the site does not have, completes to nothing. */
static int forgive(struct call *call, int error)
{
    if (error != E_DENIED && error != E_NOT_FOUND && error != E_INVALID)
        return error;
    call_clear_error(call);
    return OK;
}

static int ask(struct call *call, const struct wp *wp, struct str route, const char *fields, struct str search,
               bool with_drafts, struct wp_answer *ret)
{
    struct wp_query query;
    wp_query_init(call, &query);
    wp_query_add(&query, "_fields", str_from(fields));
    wp_query_add_i64(&query, "per_page", PER_PAGE);
    if (search.len)
        wp_query_add(&query, "search", str_sub(search, 0, SEARCH_MAX_BYTES));
    if (with_drafts) {
        wp_query_add(&query, "status", STR("any"));
        wp_query_add(&query, "orderby", STR("modified"));
    }
    return wp_get(call, wp, route, &query, ret);
}

/* Items as their editor finds them, or else as visitors do. */
static int ask_items(struct call *call, const struct wp *wp, struct str route, struct str search, struct wp_answer *ret)
{
    int error = ask(call, wp, route, "id,slug", search, true, ret);
    if (error != E_DENIED && error != E_INVALID)
        return error;
    call_clear_error(call);
    return ask(call, wp, route, "id,slug", search, false, ret);
}

/* --- names of terms and people ------------------------------------------------------------------------------------------- */

/* Those that begin with what was typed come first. `before` stands in front of each value. */
static void add_names(struct call *call, const struct wp_answer *answer, struct str before, struct str typed,
                      struct completion *ret)
{
    size_t count = json_count(answer->json);
    for (int begins = 1; begins >= 0; begins--)
        for (size_t i = 0; i < count; i++) {
            struct str name = text_from_html(call->arena, json_str(json_get(json_at(answer->json, i), STR("name"))));
            if (name.len && str_starts_with_nocase(name, typed) == (begins == 1))
                completion_add(ret, str_concat(call->arena, before, name));
        }
    if (answer->total > 0)
        ret->total = answer->total;
}

static int complete_names(struct call *call, const struct tool_context *context, const char *route, struct str before,
                          struct str typed, struct str search, struct completion *ret)
{
    struct wp wp;
    struct wp_answer answer;
    int error = wp_open(call, context->site, context->rights, &wp);
    if (!error)
        error = ask(call, &wp, str_from(route), "name", search, false, &answer);
    if (error)
        return forgive(call, error);
    add_names(call, &answer, before, typed, ret);
    return OK;
}

int complete_category(struct call *call, const struct tool_context *context, struct str typed,
                      const struct json *others, struct completion *ret)
{
    typed = str_trim(typed);
    (void)others;
    return complete_names(call, context, "wp/v2/categories", STR_EMPTY, typed, wp_term_as_stored(call, typed), ret);
}

int complete_tags(struct call *call, const struct tool_context *context, struct str typed, const struct json *others,
                  struct completion *ret)
{
    size_t comma = str_find_last_char(typed, ',');
    struct str before = STR_EMPTY, last = typed;
    (void)others;
    if (comma != STR_NOT_FOUND) {
        before = str_concat(call->arena, str_sub(typed, 0, comma), STR(", "));
        last = str_from_offset(typed, comma + 1);
    }
    last = str_trim(last);
    return complete_names(call, context, "wp/v2/tags", before, last, wp_term_as_stored(call, last), ret);
}

int complete_author(struct call *call, const struct tool_context *context, struct str typed, const struct json *others,
                    struct completion *ret)
{
    typed = str_trim(typed);
    (void)others;
    return complete_names(call, context, "wp/v2/users", STR_EMPTY, typed, typed, ret);
}

/* --- slugs and ids ------------------------------------------------------------------------------------------------------- */

static void add_slugs(struct call *call, const struct wp_answer *answer, struct completion *ret)
{
    for (size_t i = 0; i < json_count(answer->json); i++) {
        const struct json *item = json_at(answer->json, i);
        struct str slug = json_str(json_get(item, STR("slug")));
        completion_add(ret, slug.len ? slug
                                     : call_format(call, "%lld", (long long)json_i64_or(json_get(item, STR("id")), 0)));
    }
    if (answer->total > 0)
        ret->total += answer->total;
}

static bool has_value(const struct completion *completion, struct str value)
{
    for (size_t i = 0; i < completion->n_values; i++)
        if (str_eq(completion->values[i], value))
            return true;
    return false;
}

/* The one with exactly that slug, which its title may not tell. */
static int add_exact_slug(struct call *call, const struct wp *wp, struct str route, struct str typed,
                          struct completion *ret)
{
    struct wp_answer answer;
    struct wp_query query;
    wp_query_init(call, &query);
    wp_query_add(&query, "_fields", STR("id,slug"));
    wp_query_add(&query, "slug", str_sub(typed, 0, SEARCH_MAX_BYTES));
    int error = wp_get(call, wp, route, &query, &answer);
    if (!error)
        add_slugs(call, &answer, ret);
    return error;
}

/* WordPress searches titles and texts, not slugs: "about-u" is looked for as "about u". */
static int complete_slugs(struct call *call, const struct tool_context *context, const char *route, struct str typed,
                          struct completion *ret)
{
    struct wp wp;
    struct wp_answer answer;
    struct str words = str_trim(str_replace(call->arena, typed, STR("-"), STR(" ")));
    int error = wp_open(call, context->site, context->rights, &wp);
    if (!error)
        error = ask_items(call, &wp, str_from(route), words, &answer);
    if (error)
        return forgive(call, error);
    add_slugs(call, &answer, ret);
    if (typed.len && !has_value(ret, typed))
        return forgive(call, add_exact_slug(call, &wp, str_from(route), typed, ret));
    return OK;
}

int complete_post(struct call *call, const struct tool_context *context, struct str typed, const struct json *others,
                  struct completion *ret)
{
    (void)others;
    return complete_slugs(call, context, "wp/v2/posts", typed, ret);
}

int complete_page(struct call *call, const struct tool_context *context, struct str typed, const struct json *others,
                  struct completion *ret)
{
    (void)others;
    return complete_slugs(call, context, "wp/v2/pages", typed, ret);
}

int complete_post_or_page(struct call *call, const struct tool_context *context, struct str typed,
                          const struct json *others, struct completion *ret)
{
    int error = complete_post(call, context, typed, others, ret);
    return error ? error : complete_page(call, context, typed, others, ret);
}

static bool is_number(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_is_digit(text.ptr[i]))
            return false;
    return true;
}

static int find_route(struct call *call, const struct wp *wp, struct str collection, struct str *ret)
{
    struct wp_type type;
    if (str_eq(collection, STR("media"))) {
        *ret = STR("wp/v2/media");
        return OK;
    }
    int error = wp_type_find(call, wp, collection, &type);
    *ret = type.route;
    return error;
}

int wp_complete_ids(struct call *call, const struct wp *wp, struct str collection, struct str typed,
                    struct completion *ret)
{
    struct wp_answer answer;
    struct str route, search = is_number(typed) ? STR_EMPTY : typed;
    int error = find_route(call, wp, collection, &route);
    if (!error)
        error = str_eq(route, STR("wp/v2/media")) ? ask(call, wp, route, "id", search, false, &answer)
                                                  : ask_items(call, wp, route, search, &answer);
    if (error)
        return forgive(call, error);
    for (size_t i = 0; i < json_count(answer.json); i++) {
        int64_t id = json_i64_or(json_get(json_at(answer.json, i), STR("id")), 0);
        struct str text = call_format(call, "%lld", (long long)id);
        if (id > 0 && (search.len || str_starts_with(text, typed)))
            completion_add(ret, text);
    }
    if (search.len || !typed.len)
        ret->total = answer.total > 0 ? answer.total : 0;
    else
        ret->has_more = answer.total > PER_PAGE; /* only the newest were compared */
    return OK;
}

int wp_complete_collections(struct call *call, const struct wp *wp, struct str typed, struct completion *ret)
{
    struct wp_type *types;
    size_t count;
    int error = wp_type_list(call, wp, &types, &count);
    if (error)
        return forgive(call, error);
    for (size_t i = 0; i < count; i++) {
        struct str name = wp_uri_collection(types[i].route);
        if (str_starts_with_nocase(name, typed) && wp_uri_format(call->arena, name, 1).len)
            completion_add(ret, name);
    }
    if (str_starts_with_nocase(STR("media"), typed))
        completion_add(ret, STR("media"));
    return OK;
}

/* Terms by name. */
#include "providers/wordpress/terms.h"

#include "json/json_write.h"
#include "providers/wordpress/content/text.h"
#include "providers/wordpress/write.h"

enum {
    TERMS_PER_PAGE = 100,
    TERMS_KEPT_MS = 10000,
    NAME_MAX_BYTES = 200, /* WordPress's own limit */
};

/* The first hundred terms: on most sites all of them, and then one request answers for every name. */
static int get_terms(struct call *call, const struct wp *wp, const struct wp_taxonomy *taxonomy, struct wp_answer *ret)
{
    struct wp_query query;
    wp_query_init(call, &query);
    wp_query_add(&query, "_fields", STR("id,name,slug"));
    wp_query_add_i64(&query, "per_page", TERMS_PER_PAGE);
    return wp_get_kept(call, wp, "GET", taxonomy->route, &query, TERMS_KEPT_MS, ret);
}

struct str wp_term_as_stored(struct call *call, struct str name)
{
    struct buf text;
    buf_init(&text, call->arena, 6 * name.len + 1);
    text_escape(&text, name);
    return buf_str(&text);
}

static int search_terms(struct call *call, const struct wp *wp, const struct wp_taxonomy *taxonomy, struct str name,
                        struct wp_answer *ret)
{
    struct wp_query query;
    wp_query_init(call, &query);
    wp_query_add(&query, "_fields", STR("id,name,slug"));
    wp_query_add_i64(&query, "per_page", TERMS_PER_PAGE);
    wp_query_add(&query, "search", wp_term_as_stored(call, name));
    return wp_get(call, wp, taxonomy->route, &query, ret);
}

/* How many of the terms in the answer have this name (in any case) or this slug; the first one's id. */
static size_t match_terms(struct call *call, const struct json *terms, struct str name, int64_t *ret_id,
                          struct str *ret_all)
{
    size_t matches = 0;
    *ret_all = STR_EMPTY;
    for (size_t i = 0; i < json_count(terms); i++) {
        const struct json *term = json_at(terms, i);
        struct str its_name = text_from_html(call->arena, json_str(json_get(term, STR("name"))));
        int64_t id = json_i64_or(json_get(term, STR("id")), 0);
        if (!id || (!str_eq_nocase(its_name, name) && !str_eq(json_str(json_get(term, STR("slug"))), name)))
            continue;
        *ret_all = call_format(call, "%.*s%s%lld", STR_ARG(*ret_all), matches ? ", " : "", (long long)id);
        if (matches++ == 0)
            *ret_id = id;
    }
    return matches;
}

static int resolve_name(struct call *call, const struct wp *wp, struct wp_terms *terms, struct str name)
{
    struct wp_answer answer;
    struct str all;
    int64_t id;
    int error = get_terms(call, wp, &terms->taxonomy, &answer);
    if (error)
        return error;
    size_t matches = match_terms(call, answer.json, name, &id, &all);
    if (matches == 0 && answer.total > TERMS_PER_PAGE) {
        if ((error = search_terms(call, wp, &terms->taxonomy, name, &answer)))
            return error;
        matches = match_terms(call, answer.json, name, &id, &all);
    }
    if (matches > 1)
        return fail(call, E_INVALID, "%zu terms of %.*s are called '%.*s'. Give one of their ids: %.*s.", matches,
                    STR_ARG(terms->taxonomy.slug), STR_ARG(name), STR_ARG(all));
    if (matches == 1)
        terms->ids[terms->n_ids++] = id;
    else
        terms->missing[terms->n_missing++] = name;
    return OK;
}

int wp_find_named(struct call *call, const struct wp *wp, struct str route, struct str what, struct str name,
                  int64_t *ret_id)
{
    struct wp_answer answer;
    struct wp_query query;
    struct str all;
    wp_query_init(call, &query);
    wp_query_add(&query, "search", str_sub(name, 0, NAME_MAX_BYTES));
    wp_query_add(&query, "_fields", STR("id,name,slug"));
    wp_query_add_i64(&query, "per_page", TERMS_PER_PAGE);
    int error = wp_get_kept(call, wp, "GET", route, &query, TERMS_KEPT_MS, &answer);
    if (error)
        return error;
    size_t matches = match_terms(call, answer.json, name, ret_id, &all);
    if (matches == 0 && (error = wp_get(call, wp, route, &query, &answer))) /* it may have been made just now */
        return error;
    if (matches == 0)
        matches = match_terms(call, answer.json, name, ret_id, &all);
    if (matches > 1)
        return fail(call, E_INVALID, "%zu are called '%.*s'. Give the id of the %.*s: %.*s.", matches,
                    STR_ARG(str_sub(name, 0, 80)), STR_ARG(what), STR_ARG(all));
    if (matches == 0)
        return fail(call, E_INVALID, "There is no %.*s called '%.*s' whom this WordPress user may see.", STR_ARG(what),
                    STR_ARG(str_sub(name, 0, 80)));
    return OK;
}

static int resolve_one(struct call *call, const struct wp *wp, struct wp_terms *terms, const struct json *wanted)
{
    int64_t id;
    struct str name = str_trim(json_str(wanted));
    if (json_to_i64(wanted, &id) && id > 0) {
        terms->ids[terms->n_ids++] = id;
        return OK;
    }
    if (!name.len || name.len > NAME_MAX_BYTES)
        return fail(call, E_INVALID, "Terms of %.*s are given by name, slug or id.", STR_ARG(terms->taxonomy.slug));
    return resolve_name(call, wp, terms, name);
}

static int resolve_taxonomy(struct call *call, const struct wp *wp, struct wp_terms *terms, const struct json *wanted)
{
    size_t count = json_is(wanted, JSON_ARRAY) ? json_count(wanted) : 1;
    if (count > TERMS_MAX)
        return fail(call, E_LIMIT, "At most %d terms of a taxonomy at a time.", TERMS_MAX);
    terms->ids = arena_array_of(call->arena, int64_t, count + 1);
    terms->missing = arena_array_of(call->arena, struct str, count + 1);
    if (!json_is(wanted, JSON_ARRAY))
        return resolve_one(call, wp, terms, wanted);
    for (size_t i = 0; i < count; i++) {
        int error = resolve_one(call, wp, terms, json_at(wanted, i));
        if (error)
            return error;
    }
    return OK;
}

int wp_terms_resolve(struct call *call, const struct wp *wp, const struct wp_type *type, const struct json *named,
                     struct wp_terms **ret, size_t *ret_count)
{
    if (!json_is(named, JSON_OBJECT) && !json_is(named, JSON_MISSING))
        return fail(call, E_INVALID, "Terms are given by taxonomy: {\"category\":[\"News\"]}.");
    size_t count = json_count(named);
    struct wp_terms *all = arena_array_of(call->arena, struct wp_terms, count + 1);
    for (size_t i = 0; i < count; i++) {
        struct json_member member = json_member_at(named, i);
        int error = wp_taxonomy_find(call, wp, type, member.name, &all[i].taxonomy);
        for (size_t k = 0; !error && k < i; k++)
            if (str_eq(all[k].taxonomy.slug, all[i].taxonomy.slug))
                error = fail(call, E_INVALID, "%.*s and %.*s are the same taxonomy: name it once. Nothing was written.",
                             STR_ARG(json_member_at(named, k).name), STR_ARG(member.name));
        if (error || (error = resolve_taxonomy(call, wp, &all[i], member.value)))
            return error;
    }
    *ret = all;
    *ret_count = count;
    return OK;
}

static int make_term(struct call *call, const struct wp *wp, struct wp_terms *terms, struct str name)
{
    struct wp_answer answer;
    struct str body = call_format(call, "{\"name\":%.*s}", STR_ARG(json_quote(call->arena, name)));
    struct wp_write write = {.kind = WP_WRITE_CREATE, .method = "POST", .route = terms->taxonomy.route, .body = body};
    int error = wp_write(call, wp, &write, &answer);
    int64_t id = json_i64_or(json_get(answer.json, STR("id")), 0);
    if (error && str_eq(answer.code, STR("term_exists"))) {
        /* Somebody made it meanwhile, or its slug is taken by the same word in another spelling. */
        call_clear_error(call);
        error = OK;
        id = json_i64_or(json_path(answer.json, "data.term_id"), 0);
    }
    if (error)
        return error;
    if (!id)
        return fail(call, E_UPSTREAM, "WordPress made no term '%.*s'.", STR_ARG(name));
    terms->ids[terms->n_ids++] = id;
    return OK;
}

int wp_terms_make_missing(struct call *call, const struct wp *wp, struct wp_terms *terms, bool create)
{
    struct str names = STR_EMPTY;
    if (terms->n_missing == 0)
        return OK;
    for (size_t i = 0; i < terms->n_missing; i++)
        names = call_format(call, "%.*s%s%.*s", STR_ARG(names), i ? ", " : "", STR_ARG(terms->missing[i]));
    if (!create)
        return fail(call, E_INVALID, "%.*s has no term %.*s, and none are to be made here.",
                    STR_ARG(terms->taxonomy.slug), STR_ARG(names));
    if (!(wp->rights & RIGHT_PUBLISH))
        return rights_lack(call, RIGHT_PUBLISH,
                           fail(call, E_DENIED,
                                "%.*s has no term %.*s. Terms are public at once, so making them needs the right "
                                "publish, which this token lacks. Use existing terms, or leave these out.",
                                STR_ARG(terms->taxonomy.slug), STR_ARG(names)));
    for (size_t i = 0; i < terms->n_missing; i++) {
        int error = make_term(call, wp, terms, terms->missing[i]);
        if (error)
            return error;
    }
    terms->n_missing = 0;
    wp_forget_kept(wp, terms->taxonomy.route);
    return OK;
}

int wp_terms_names(struct call *call, const struct wp *wp, const struct wp_taxonomy *taxonomy, const int64_t *ids,
                   size_t n_ids, struct str *ret)
{
    struct wp_answer answer;
    int error = n_ids ? get_terms(call, wp, taxonomy, &answer) : OK;
    *ret = STR_EMPTY;
    if (error)
        return error;
    if (n_ids && answer.total > TERMS_PER_PAGE) {
        struct wp_query query;
        wp_query_init(call, &query);
        wp_query_add(&query, "_fields", STR("id,name"));
        wp_query_add_i64(&query, "per_page", TERMS_PER_PAGE);
        for (size_t i = 0; i < n_ids && i < TERMS_PER_PAGE; i++)
            wp_query_add_i64(&query, "include[]", ids[i]);
        if ((error = wp_get(call, wp, taxonomy->route, &query, &answer)))
            return error;
    }
    for (size_t i = 0; i < n_ids; i++) {
        struct str name = call_format(call, "%lld", (long long)ids[i]);
        for (size_t k = 0; k < json_count(answer.json); k++)
            if (json_i64_or(json_get(json_at(answer.json, k), STR("id")), 0) == ids[i])
                name = text_from_html(call->arena, json_str(json_get(json_at(answer.json, k), STR("name"))));
        *ret = call_format(call, "%.*s%s%.*s", STR_ARG(*ret), i ? ", " : "", STR_ARG(name));
    }
    return OK;
}

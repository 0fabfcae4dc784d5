/* The types of content a site has. */
#include "providers/wordpress/types.h"

enum { TYPES_KEPT_MS = 60000 };

/* Types with a REST route whose items are not edited like posts: their tools are others. */
static const struct str unlike_posts[] = {
    STR_INIT("attachment"),       STR_INIT("nav_menu_item"), STR_INIT("wp_template"),    STR_INIT("wp_template_part"),
    STR_INIT("wp_global_styles"), STR_INIT("wp_font_face"),  STR_INIT("wp_font_family"),
};

static bool is_unlike_posts(struct str slug)
{
    for (size_t i = 0; i < ARRAY_LENGTH(unlike_posts); i++)
        if (str_eq(unlike_posts[i], slug))
            return true;
    return false;
}

/* A route is built from what the site says: only plain path characters, so that it cannot leave the REST API. */
static bool is_plain_path(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_is_alnum(text.ptr[i]) && text.ptr[i] != '_' && text.ptr[i] != '-' && text.ptr[i] != '/')
            return false;
    return text.len > 0 && text.len <= 100;
}

static struct str route_of(struct call *call, const struct json *entry, struct str rest_base)
{
    struct str namespace = json_str_or(json_get(entry, STR("rest_namespace")), STR("wp/v2"));
    if (!is_plain_path(namespace) || !is_plain_path(rest_base))
        return STR_EMPTY;
    return call_format(call, "%.*s/%.*s", STR_ARG(namespace), STR_ARG(rest_base));
}

static bool read_type(struct call *call, const struct json *entry, struct wp_type *ret)
{
    struct str base = json_str(json_get(entry, STR("rest_base")));
    const struct json *taxonomies = json_get(entry, STR("taxonomies"));
    *ret = (struct wp_type){
        .slug = json_str(json_get(entry, STR("slug"))),
        .name = json_str(json_get(entry, STR("name"))),
        .hierarchical = json_bool_or(json_get(entry, STR("hierarchical")), false),
    };
    ret->route = route_of(call, entry, base.len ? base : ret->slug);
    for (size_t i = 0; i < json_count(taxonomies) && ret->n_taxonomies < TYPE_TAXONOMIES_MAX; i++)
        ret->taxonomies[ret->n_taxonomies++] = json_str(json_at(taxonomies, i));
    return ret->slug.len && ret->route.len && !is_unlike_posts(ret->slug);
}

int wp_type_list(struct call *call, const struct wp *wp, struct wp_type **ret, size_t *ret_count)
{
    struct wp_answer answer;
    /* No _fields: this answer is a map by slug, and WordPress would filter the slugs. */
    int error = wp_get_kept(call, wp, "GET", STR("wp/v2/types"), NULL, TYPES_KEPT_MS, &answer);
    if (error)
        return error;
    size_t count = json_count(answer.json);
    struct wp_type *types = arena_array_of(call->arena, struct wp_type, count + 1);
    *ret_count = 0;
    for (size_t i = 0; i < count && json_is(answer.json, JSON_OBJECT); i++)
        if (read_type(call, json_member_at(answer.json, i).value, &types[*ret_count]))
            ++*ret_count;
    *ret = types;
    return OK;
}

static const struct wp_type known_types[] = {
    {
        .slug = STR_INIT("post"),
        .name = STR_INIT("Posts"),
        .route = STR_INIT("wp/v2/posts"),
        .taxonomies = {STR_INIT("category"), STR_INIT("post_tag")},
        .n_taxonomies = 2,
    },
    {
        .slug = STR_INIT("page"),
        .name = STR_INIT("Pages"),
        .route = STR_INIT("wp/v2/pages"),
        .hierarchical = true,
    },
};

static struct str last_segment(struct str route)
{
    return str_from_offset(route, str_find_last_char(route, '/') + 1);
}

static bool type_is_called(const struct wp_type *type, struct str name)
{
    return str_eq_nocase(type->slug, name) || str_eq_nocase(last_segment(type->route), name);
}

int wp_type_find(struct call *call, const struct wp *wp, struct str name, struct wp_type *ret)
{
    if (!name.len)
        name = STR("post");
    for (size_t i = 0; i < ARRAY_LENGTH(known_types); i++)
        if (type_is_called(&known_types[i], name)) {
            *ret = known_types[i];
            return OK;
        }
    struct wp_type *types;
    size_t count;
    int error = wp_type_list(call, wp, &types, &count);
    if (error)
        return error;
    struct str slugs = STR_EMPTY;
    for (size_t i = 0; i < count; i++) {
        if (type_is_called(&types[i], name)) {
            *ret = types[i];
            return OK;
        }
        slugs = call_format(call, "%.*s%s%.*s", STR_ARG(slugs), i ? ", " : "", STR_ARG(types[i].slug));
    }
    return fail(call, E_INVALID, "There is no type '%.*s' to be edited like a post. This site has: %.*s.",
                STR_ARG(str_sub(name, 0, 60)), STR_ARG(slugs));
}

/* --- taxonomies ---------------------------------------------------------------------------------------------------------- */

static const struct wp_taxonomy known_taxonomies[] = {
    {STR_INIT("category"), STR_INIT("Categories"), STR_INIT("categories"), STR_INIT("wp/v2/categories"), true},
    {STR_INIT("post_tag"), STR_INIT("Tags"), STR_INIT("tags"), STR_INIT("wp/v2/tags"), false},
};

static bool taxonomy_is_called(const struct wp_taxonomy *taxonomy, struct str name)
{
    return str_eq_nocase(taxonomy->slug, name) || str_eq_nocase(taxonomy->rest_base, name) ||
           (str_eq(taxonomy->slug, STR("post_tag")) && str_eq_nocase(name, STR("tag")));
}

static bool type_has_taxonomy(const struct wp_type *type, struct str slug)
{
    for (size_t i = 0; i < type->n_taxonomies; i++)
        if (str_eq(type->taxonomies[i], slug))
            return true;
    return false;
}

static int find_on_site(struct call *call, const struct wp *wp, const struct wp_type *type, struct str name,
                        struct wp_taxonomy *ret)
{
    struct wp_answer answer;
    int error = wp_get_kept(call, wp, "GET", STR("wp/v2/taxonomies"), NULL, TYPES_KEPT_MS, &answer);
    if (error)
        return error;
    for (size_t i = 0; i < json_count(answer.json) && json_is(answer.json, JSON_OBJECT); i++) {
        const struct json *entry = json_member_at(answer.json, i).value;
        struct wp_taxonomy taxonomy = {
            .slug = json_str(json_get(entry, STR("slug"))),
            .name = json_str(json_get(entry, STR("name"))),
            .rest_base = json_str(json_get(entry, STR("rest_base"))),
            .hierarchical = json_bool_or(json_get(entry, STR("hierarchical")), false),
        };
        if (!taxonomy.rest_base.len)
            taxonomy.rest_base = taxonomy.slug;
        taxonomy.route = route_of(call, entry, taxonomy.rest_base);
        if (taxonomy.route.len && type_has_taxonomy(type, taxonomy.slug) && taxonomy_is_called(&taxonomy, name)) {
            *ret = taxonomy;
            return OK;
        }
    }
    return E_NOT_FOUND;
}

int wp_taxonomy_find(struct call *call, const struct wp *wp, const struct wp_type *type, struct str name,
                     struct wp_taxonomy *ret)
{
    for (size_t i = 0; i < ARRAY_LENGTH(known_taxonomies); i++)
        if (taxonomy_is_called(&known_taxonomies[i], name) && type_has_taxonomy(type, known_taxonomies[i].slug)) {
            *ret = known_taxonomies[i];
            return OK;
        }
    int error = type->n_taxonomies ? find_on_site(call, wp, type, name, ret) : E_NOT_FOUND;
    if (error != E_NOT_FOUND)
        return error;
    struct str slugs = STR_EMPTY;
    for (size_t i = 0; i < type->n_taxonomies; i++)
        slugs = call_format(call, "%.*s%s%.*s", STR_ARG(slugs), i ? ", " : "", STR_ARG(type->taxonomies[i]));
    return fail(call, E_INVALID, "Type %.*s has no taxonomy '%.*s'. It has: %.*s.", STR_ARG(type->slug),
                STR_ARG(str_sub(name, 0, 60)), STR_ARG(slugs.len ? slugs : STR("none")));
}

/* The types of things a site has. */
#include "providers/wordpress/types.h"

enum { TYPES_KEPT_MS = 60000 };

/* Types with a REST route whose items are not like posts: they are kinds of their own. */
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
    ret->kind = str_eq(ret->slug, STR("wp_navigation")) ? &wp_kind_navigation
                : str_eq(ret->slug, STR("wp_block"))    ? &wp_kind_block
                                                        : &wp_kind_post;
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
        .kind = &wp_kind_post,
        .slug = STR_INIT("post"),
        .name = STR_INIT("Posts"),
        .route = STR_INIT("wp/v2/posts"),
        .taxonomies = {STR_INIT("category"), STR_INIT("post_tag")},
        .n_taxonomies = 2,
    },
    {
        .kind = &wp_kind_post,
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

static bool read_taxonomy(struct call *call, const struct json *entry, struct wp_taxonomy *ret)
{
    *ret = (struct wp_taxonomy){
        .slug = json_str(json_get(entry, STR("slug"))),
        .name = json_str(json_get(entry, STR("name"))),
        .rest_base = json_str(json_get(entry, STR("rest_base"))),
        .hierarchical = json_bool_or(json_get(entry, STR("hierarchical")), false),
    };
    if (!ret->rest_base.len)
        ret->rest_base = ret->slug;
    ret->route = route_of(call, entry, ret->rest_base);
    return ret->slug.len && ret->route.len && !str_eq(ret->slug, STR("nav_menu"));
}

static int get_taxonomies(struct call *call, const struct wp *wp, const struct json **ret)
{
    struct wp_answer answer;
    int error = wp_get_kept(call, wp, "GET", STR("wp/v2/taxonomies"), NULL, TYPES_KEPT_MS, &answer);
    *ret = answer.json;
    return error;
}

/* type NULL: of any type. E_NOT_FOUND is not recorded. */
static int find_on_site(struct call *call, const struct wp *wp, const struct wp_type *type, struct str name,
                        struct wp_taxonomy *ret)
{
    const struct json *list;
    int error = get_taxonomies(call, wp, &list);
    if (error)
        return error;
    for (size_t i = 0; i < json_count(list) && json_is(list, JSON_OBJECT); i++)
        if (read_taxonomy(call, json_member_at(list, i).value, ret) && taxonomy_is_called(ret, name) &&
            (!type || type_has_taxonomy(type, ret->slug)))
            return OK;
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

/* --- by name ------------------------------------------------------------------------------------------------------------- */

static struct wp_type type_of_kind(const struct wp_kind *kind)
{
    return (struct wp_type){.kind = kind, .slug = kind->name, .name = kind->name, .route = kind->route};
}

static struct wp_type type_of_taxonomy(const struct wp_taxonomy *taxonomy)
{
    return (struct wp_type){
        .kind = &wp_kind_term,
        .slug = taxonomy->slug,
        .name = taxonomy->name,
        .route = taxonomy->route,
        .hierarchical = taxonomy->hierarchical,
    };
}

/* What a plugin brings is there when its part of the REST API is. */
static int site_has(struct call *call, const struct wp *wp, struct str namespace, bool *ret)
{
    struct wp_answer answer;
    struct wp_query query;
    *ret = namespace.len == 0;
    if (*ret)
        return OK;
    wp_query_init(call, &query);
    wp_query_add(&query, "_fields", STR("namespaces"));
    int error = wp_get_kept(call, wp, "GET", STR_EMPTY, &query, TYPES_KEPT_MS, &answer);
    const struct json *namespaces = json_get(answer.json, STR("namespaces"));
    for (size_t i = 0; !error && i < json_count(namespaces); i++)
        *ret |= str_eq(json_str(json_at(namespaces, i)), namespace);
    return error;
}

/* Known without asking the site, as far as they can be. E_NOT_FOUND is not recorded. */
static int find_known(struct call *call, const struct wp *wp, struct str name, struct wp_type *ret)
{
    for (size_t i = 0; i < ARRAY_LENGTH(known_types); i++)
        if (type_is_called(&known_types[i], name)) {
            *ret = known_types[i];
            return OK;
        }
    for (size_t i = 0; i < ARRAY_LENGTH(known_taxonomies); i++)
        if (taxonomy_is_called(&known_taxonomies[i], name)) {
            *ret = type_of_taxonomy(&known_taxonomies[i]);
            return OK;
        }
    const struct wp_kind *kind = wp_kind_find(name);
    bool is_there = false;
    int error = kind ? site_has(call, wp, kind->namespace, &is_there) : OK;
    if (error || !is_there)
        return error ? error : E_NOT_FOUND;
    *ret = type_of_kind(kind);
    return OK;
}

/* E_INVALID names what there is. */
static int find_registered(struct call *call, const struct wp *wp, struct str name, struct wp_type *ret)
{
    struct wp_type *types;
    struct wp_taxonomy taxonomy;
    size_t count;
    struct str slugs = STR_EMPTY;
    if (str_eq_nocase(name, STR("block")) || str_eq_nocase(name, STR("reusable_block")))
        name = STR("wp_block");
    int error = wp_type_list(call, wp, &types, &count);
    if (error)
        return error;
    for (size_t i = 0; i < count; i++) {
        if (type_is_called(&types[i], name)) {
            *ret = types[i];
            return OK;
        }
        slugs = call_format(call, "%.*s%s%.*s", STR_ARG(slugs), i ? ", " : "", STR_ARG(types[i].slug));
    }
    error = find_on_site(call, wp, NULL, name, &taxonomy);
    if (!error)
        *ret = type_of_taxonomy(&taxonomy);
    if (error != E_NOT_FOUND)
        return error;
    for (size_t i = 0; i < wp_kind_count(); i++)
        if (!wp_kind_at(i)->namespace.len)
            slugs = call_format(call, "%.*s, %.*s", STR_ARG(slugs), STR_ARG(wp_kind_at(i)->name));
    return fail(call, E_INVALID, "There is no type '%.*s'. This site has: %.*s, and its taxonomies (wp_site).",
                STR_ARG(str_sub(name, 0, 60)), STR_ARG(slugs));
}

/* "page/12/revisions" */
static int find_history(struct call *call, const struct wp *wp, struct str name, struct wp_type *ret)
{
    struct str of, id, what;
    int64_t number;
    struct wp_type type;
    (void)str_next(&name, '/', &of);
    if (!str_next(&name, '/', &id) || !str_to_i64(id, &number) || number < 1 || !str_next(&name, '/', &what) ||
        name.ptr || (!str_eq(what, STR("revisions")) && !str_eq(what, STR("autosaves"))))
        return fail(call, E_INVALID,
                    "Older texts of an item are the type TYPE/ID/revisions, such as page/12/revisions.");
    int error = wp_type_find(call, wp, of, &type);
    if (error)
        return error;
    if (type.kind->id != WP_ID_NUMBER || !(type.kind->flags & WP_HAS_BLOCKS) || type.kind == &wp_kind_revision)
        return fail(call, E_INVALID, "Type %.*s keeps no revisions that can be had here.", STR_ARG(type.slug));
    *ret = (struct wp_type){
        .kind = &wp_kind_revision,
        .slug = str_eq(what, STR("revisions")) ? STR("revision") : STR("autosave"),
        .name = type.name,
        .route = call_format(call, "%.*s/%lld/%.*s", STR_ARG(type.route), (long long)number, STR_ARG(what)),
    };
    return OK;
}

int wp_type_find(struct call *call, const struct wp *wp, struct str name, struct wp_type *ret)
{
    if (!name.len)
        name = STR("post");
    if (str_find_char(name, '/') != STR_NOT_FOUND)
        return find_history(call, wp, name, ret);
    if (wp_list_has(STR("revision,revisions,autosave,autosaves"), name))
        return fail(call, E_INVALID,
                    "Whose? Older texts of an item are the type TYPE/ID/revisions, such as page/12/revisions.");
    int error = find_known(call, wp, name, ret);
    return error == E_NOT_FOUND ? find_registered(call, wp, name, ret) : error;
}

/* resources/list: the site, then its posts, pages, files and items of custom types, each newest first. */
#include "providers/wordpress/content/text.h"
#include "providers/wordpress/resources.h"

enum {
    PER_PAGE = 50,
    TITLE_CHARS_MAX = 200,
    COLLECTIONS_MAX = 64,
    OFFSET_MAX = 1000000,
    REQUESTS_MAX = 12, /* of one page of ours: so many empty collections are passed over */
};

struct collection {
    struct str name;  /* in URIs, and in cursors */
    struct str route; /* REST */
    struct str label; /* "post" */
    bool is_media;
};

static const struct collection known[] = {
    {STR_INIT("posts"), STR_INIT("wp/v2/posts"), STR_INIT("post"), false},
    {STR_INIT("pages"), STR_INIT("wp/v2/pages"), STR_INIT("page"), false},
    {STR_INIT("media"), STR_INIT("wp/v2/media"), STR_INIT("media"), true},
};

/* Types of the core that are no content to read: menus, templates, styles, fonts. */
static bool is_content(const struct wp_type *type)
{
    return !str_starts_with(type->slug, STR("wp_")) && !str_starts_with(type->slug, STR("nav_menu")) &&
           !str_eq(type->slug, STR("attachment")) && !str_eq(type->slug, STR("post")) &&
           !str_eq(type->slug, STR("page"));
}

struct collections {
    struct collection list[COLLECTIONS_MAX];
    size_t n;
    bool is_complete; /* with the custom types, which have to be asked for */
};

static int add_custom_types(struct call *call, const struct wp *wp, struct collections *all)
{
    struct wp_type *types;
    size_t count;
    int error = wp_type_list(call, wp, &types, &count);
    if (error)
        return error;
    for (size_t i = 0; i < count && all->n < COLLECTIONS_MAX; i++) {
        struct str name = wp_uri_collection(types[i].route);
        if (is_content(&types[i]) && wp_uri_format(call->arena, name, 1).len)
            all->list[all->n++] = (struct collection){name, types[i].route, types[i].slug, false};
    }
    all->is_complete = true;
    return OK;
}

/* The collection at `index`; *ret is NULL behind the last one. */
static int collection_at(struct call *call, const struct wp *wp, struct collections *all, size_t index,
                         const struct collection **ret)
{
    int error = index >= all->n && !all->is_complete ? add_custom_types(call, wp, all) : OK;
    *ret = !error && index < all->n ? &all->list[index] : NULL;
    return error;
}

/* Cursors are "posts.50": where the next page begins. */
static int read_cursor(struct call *call, const struct wp *wp, struct collections *all, struct str cursor,
                       size_t *ret_index, int64_t *ret_offset)
{
    size_t dot = str_find_last_char(cursor, '.');
    const struct collection *collection = NULL;
    int error = OK;
    *ret_index = 0;
    *ret_offset = 0;
    if (!cursor.len)
        return OK;
    if (dot == STR_NOT_FOUND || !str_to_i64(str_from_offset(cursor, dot + 1), ret_offset) || *ret_offset < 0 ||
        *ret_offset > OFFSET_MAX)
        return fail(call, E_INVALID, "There is no page with this cursor.");
    for (size_t i = 0; !(error = collection_at(call, wp, all, i, &collection)) && collection; i++)
        if (str_eq(collection->name, str_sub(cursor, 0, dot))) {
            *ret_index = i;
            return OK;
        }
    return error ? error : fail(call, E_INVALID, "There is no page with this cursor.");
}

static int ask(struct call *call, const struct wp *wp, const struct collection *collection, int64_t offset,
               bool with_drafts, struct wp_answer *ret)
{
    struct wp_query query;
    wp_query_init(call, &query);
    wp_query_add(&query, "_fields",
                 collection->is_media ? STR("id,slug,title,modified_gmt,mime_type")
                                      : STR("id,slug,title,modified_gmt,status"));
    wp_query_add_i64(&query, "per_page", PER_PAGE);
    wp_query_add_i64(&query, "offset", offset);
    wp_query_add(&query, "orderby", STR("modified"));
    wp_query_add(&query, "order", STR("desc"));
    if (with_drafts)
        wp_query_add(&query, "status", STR("any"));
    return wp_get(call, wp, collection->route, &query, ret);
}

static const struct json nothing = {.type = JSON_MISSING};

/* With drafts where this user may see them; a collection that is closed to this user is empty. */
static int get_page(struct call *call, const struct wp *wp, const struct collection *collection, int64_t offset,
                    struct wp_answer *ret)
{
    int error = ask(call, wp, collection, offset, !collection->is_media, ret);
    if ((error == E_DENIED || error == E_INVALID) && !collection->is_media) {
        call_clear_error(call);
        error = ask(call, wp, collection, offset, false, ret);
    }
    if (error == E_DENIED || error == E_INVALID || error == E_NOT_FOUND) {
        call_clear_error(call);
        ret->json = &nothing;
        ret->total = 0;
        return OK;
    }
    return error;
}

static void add_item(struct call *call, const struct collection *collection, const struct json *item,
                     struct resource_page *page)
{
    int64_t id = json_i64_or(json_get(item, STR("id")), 0);
    struct str uri = wp_uri_format(call->arena, collection->name, id);
    struct str slug = json_str(json_get(item, STR("slug"))), status = json_str(json_get(item, STR("status")));
    struct str changed = json_str(json_get(item, STR("modified_gmt")));
    if (!uri.len || page->n_items >= RESOURCE_PAGE_MAX)
        return;
    page->items[page->n_items++] = (struct resource){
        .uri = uri,
        .name = slug.len ? slug : str_from_offset(uri, STR(WP_URI_SCHEME).len), /* a draft has no slug yet */
        .title = text_cut(text_from_html(call->arena, json_str(json_path(item, "title.rendered"))), TITLE_CHARS_MAX),
        .description = collection->is_media ? STR("file of the media library")
                                            : call_format(call, "%.*s, %.*s", STR_ARG(collection->label),
                                                          STR_ARG(status.len ? status : STR("publish"))),
        .mime_type = collection->is_media ? json_str(json_get(item, STR("mime_type"))) : STR("text/markdown"),
        .last_modified = changed.len == 19 ? call_format(call, "%.*sZ", STR_ARG(changed)) : STR_EMPTY,
    };
}

static const struct resource site_resource = {
    .uri = STR_INIT(WP_URI_SITE),
    .name = STR_INIT("site"),
    .title = STR_INIT("About the site"),
    .description = STR_INIT("name, address, time zone, WordPress user and role, content types, plugins"),
    .mime_type = STR_INIT("text/plain"),
};

int wp_resources_list(struct call *call, const struct tool_context *context, struct str cursor,
                      struct resource_page *ret)
{
    struct wp wp;
    struct collections *all = arena_new_of(call->arena, struct collections);
    const struct collection *collection;
    size_t index;
    int64_t offset;
    memcpy(all->list, known, sizeof known);
    all->n = ARRAY_LENGTH(known);
    int error = wp_open(call, context->site, context->rights, &wp);
    if (error || (error = read_cursor(call, &wp, all, cursor, &index, &offset)))
        return error;
    if (!cursor.len)
        ret->items[ret->n_items++] = site_resource;
    size_t before = ret->n_items;
    for (int requests = 0; !(error = collection_at(call, &wp, all, index, &collection)) && collection; requests++) {
        struct wp_answer answer;
        if (ret->n_items > before || requests == REQUESTS_MAX) {
            ret->next_cursor = call_format(call, "%.*s.%lld", STR_ARG(collection->name), (long long)offset);
            return OK;
        }
        if ((error = get_page(call, &wp, collection, offset, &answer)))
            return error;
        for (size_t i = 0; i < json_count(answer.json); i++)
            add_item(call, collection, json_at(answer.json, i), ret);
        offset += PER_PAGE;
        if (answer.total > offset && offset <= OFFSET_MAX)
            continue;
        index++;
        offset = 0;
    }
    return error;
}

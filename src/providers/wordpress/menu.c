/* The place of a new item in a classic menu. */
#include "providers/wordpress/menu.h"

#include "providers/wordpress/terms.h"

static bool is_set(const struct json *set, const char *name)
{
    return !json_is(json_get(set, str_from(name)), JSON_MISSING);
}

static int menu_id(struct call *call, const struct wp *wp, const struct json *menu, int64_t *ret)
{
    if (json_is(menu, JSON_ARRAY))
        menu = json_at(menu, 0);
    if (json_to_i64(menu, ret) || str_to_i64(json_str(menu), ret))
        return OK;
    if (!json_str(menu).len)
        return fail(call, E_INVALID, "set needs menus: the menu's id or name.");
    return wp_find_named(call, wp, STR("wp/v2/menus"), STR("menu"), json_str(menu), ret);
}

int wp_write_menu_place(struct call *call, const struct wp *wp, const struct json *set, struct json_writer *w)
{
    struct wp_answer answer;
    struct wp_query query;
    int64_t menu;
    int error = menu_id(call, wp, json_get(set, STR("menus")), &menu);
    if (error)
        return error;
    if (is_set(set, "object_id") && !is_set(set, "object"))
        json_member_str(w, "object", STR("page"));
    if (!is_set(set, "type"))
        json_member_str(w, "type", is_set(set, "object_id") ? STR("post_type") : STR("custom"));
    if (is_set(set, "menu_order"))
        return OK;
    wp_query_init(call, &query);
    wp_query_add_i64(&query, "menus", menu);
    wp_query_add(&query, "orderby", STR("menu_order"));
    wp_query_add(&query, "order", STR("desc"));
    wp_query_add_i64(&query, "per_page", 1);
    wp_query_add(&query, "_fields", STR("menu_order"));
    if ((error = wp_get(call, wp, STR("wp/v2/menu-items"), &query, &answer)))
        return error;
    int64_t last = json_i64_or(json_get(json_at(answer.json, 0), STR("menu_order")), 0);
    int64_t count = answer.total > 0 ? answer.total : 0; /* items that were never put in order all have 0 */
    json_member_i64(w, "menu_order", (last > count ? last : count) + 1);
    return OK;
}

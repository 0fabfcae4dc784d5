/* What of a client's free-form object may go to the site. */
#include "providers/wordpress/route_guard.h"

enum { SCHEMA_KEPT_MS = 300000 };

/*
 * Arguments that the core's collections of posts have had since 6.1 whatever the type, and that only narrow a list. Others belong to
 * what a type supports and to its taxonomies: WordPress passes over those that a type lacks, and lists everything.
 */
static const struct str core_query[] = {
    STR_INIT("exclude"),
    STR_INIT("modified_after"),
    STR_INIT("modified_before"),
    STR_INIT("slug"),
};

static bool is_listed(struct str name, const struct str *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(list[i], name))
            return true;
    return false;
}

static int get_schema(struct call *call, const struct wp *wp, struct str route, const struct json **ret)
{
    struct wp_answer answer;
    int error = wp_get_kept(call, wp, "OPTIONS", route, NULL, SCHEMA_KEPT_MS, &answer);
    *ret = answer.json;
    return error;
}

/* The args of the route's endpoint for this method. */
static const struct json *args_of(const struct json *schema, struct str method)
{
    const struct json *endpoints = json_get(schema, STR("endpoints"));
    for (size_t i = 0; i < json_count(endpoints); i++) {
        const struct json *methods = json_get(json_at(endpoints, i), STR("methods"));
        for (size_t k = 0; k < json_count(methods); k++)
            if (str_eq(json_str(json_at(methods, k)), method))
                return json_get(json_at(endpoints, i), STR("args"));
    }
    return json_get(schema, STR("args")); /* JSON_MISSING */
}

static struct str names_of(struct call *call, const struct json *object)
{
    struct str names = STR_EMPTY;
    for (size_t i = 0; i < json_count(object) && json_is(object, JSON_OBJECT); i++)
        if (!wp_name_is_reserved(json_member_at(object, i).name))
            names = call_format(call, "%.*s%s%.*s", STR_ARG(names), names.len ? ", " : "",
                                STR_ARG(json_member_at(object, i).name));
    return names.len ? names : STR("none");
}

static int refuse_reserved(struct call *call, struct str name)
{
    return fail(call, E_INVALID, "'%.*s' is not passed on: it would change what the request does.",
                STR_ARG(str_sub(name, 0, 60)));
}

int wp_guard_query(struct call *call, const struct wp *wp, const struct wp_type *type, struct str name)
{
    const struct json *schema;
    if (wp_name_is_reserved(name))
        return refuse_reserved(call, name);
    if (type->kind == &wp_kind_post && is_listed(name, core_query, ARRAY_LENGTH(core_query)))
        return OK;
    int error = get_schema(call, wp, type->route, &schema);
    if (error)
        return error;
    const struct json *args = args_of(schema, STR("GET"));
    if (json_is(json_get(args, name), JSON_MISSING))
        return fail(call, E_INVALID, "This route has no argument '%.*s'. It has: %.*s.", STR_ARG(str_sub(name, 0, 60)),
                    STR_ARG(names_of(call, args)));
    return OK;
}

static int guard_keys(struct call *call, const struct json *args, struct str field, const struct json *value)
{
    const struct json *known = json_get(json_get(args, field), STR("properties"));
    if (!json_is(known, JSON_OBJECT) && str_eq(field, STR("acf")))
        return OK; /* what it holds is not told: WordPress judges it */
    for (size_t i = 0; i < json_count(value) && json_is(value, JSON_OBJECT); i++) {
        struct str key = json_member_at(value, i).name;
        if (json_is(json_get(known, key), JSON_MISSING))
            return fail(call, E_INVALID,
                        "The site does not offer %.*s '%.*s' through its REST API. It offers: %.*s. Others must be "
                        "registered with "
                        "show_in_rest by the plugin that owns them.",
                        STR_ARG(field), STR_ARG(str_sub(key, 0, 80)), STR_ARG(names_of(call, known)));
    }
    return OK;
}

/*
 * What would make a credential, an administrator, or let anybody become one; and what would lead the site's visitors, or the mails
 * to its administrator, elsewhere.
 */
#define WHERE_THE_SITE_IS                                                                                              \
    "The site's address and its administrator's e-mail are not changed through tools: change them in WordPress "       \
    "itself (Settings, General)."

static const struct {
    struct str resource; /* empty: whichever takes them, for their names say what they are */
    struct str names;
    const char *why;
} never_set[] = {
    {STR_INIT("users"), STR_INIT("roles,capabilities,password,email,username,meta"),
     "Passwords, e-mail addresses, roles and capabilities of users are not changed through tools."},
    {STR_INIT(""), STR_INIT("default_role,users_can_register"),
     "Who may register and with which role is not changed through tools."},
    {STR_INIT(""), STR_INIT("siteurl,admin_email,new_admin_email"), WHERE_THE_SITE_IS},
    {STR_INIT("settings"), STR_INIT("url,home,email"), WHERE_THE_SITE_IS},
};

const char *wp_field_refusal(struct str resource, struct str name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(never_set); i++)
        if ((!never_set[i].resource.len || str_eq_nocase(never_set[i].resource, resource)) &&
            wp_list_has(never_set[i].names, name))
            return never_set[i].why;
    return NULL;
}

const char *wp_type_field_refusal(const struct wp_type *type, struct str name)
{
    return wp_field_refusal(str_from_offset(type->route, str_find_last_char(type->route, '/') + 1), name);
}

static int refuse_field(struct call *call, const struct wp_type *type, struct str name)
{
    const char *why = wp_type_field_refusal(type, name);
    if (why)
        return fail(call, E_DENIED, "%s", why);
    if (type->kind->only.len && !wp_list_has(type->kind->only, name))
        return fail(call, E_INVALID, "Of a %.*s only these are set here: %.*s.", STR_ARG(type->slug),
                    STR_ARG(type->kind->only));
    return OK;
}

int wp_offered_keys(struct call *call, const struct wp *wp, const struct wp_type *type, const char *field,
                    const struct json **ret)
{
    const struct json *schema;
    int error = get_schema(call, wp, type->route, &schema);
    *ret = json_get(json_get(args_of(schema, STR("POST")), str_from(field)), STR("properties"));
    return error;
}

int wp_guard_field(struct call *call, const struct wp *wp, const struct wp_type *type, struct str route,
                   struct str name, const struct json *value, const struct json *item)
{
    const struct json *schema;
    bool is_shown = !item || !json_is(json_get(item, name), JSON_MISSING);
    if (wp_name_is_reserved(name))
        return refuse_reserved(call, name);
    int error = refuse_field(call, type, name);
    if (error)
        return error;
    if (is_shown && wp_list_names(type->kind->known, name))
        return OK;
    error = get_schema(call, wp, type->kind->flags & WP_SCHEMA_AT_ITEM ? route : type->route, &schema);
    if (error)
        return error;
    const struct json *args = args_of(schema, STR("POST"));
    if (json_is(json_get(args, name), JSON_MISSING))
        return fail(call, E_INVALID, "This type has no field '%.*s' to be set. It has: %.*s.",
                    STR_ARG(str_sub(name, 0, 60)), STR_ARG(names_of(call, args)));
    /* WordPress passes over unknown keys without a word; the model would believe that they were stored. */
    if (str_eq(name, STR("meta")) || str_eq(name, STR("acf")))
        return guard_keys(call, args, name, value);
    return OK;
}

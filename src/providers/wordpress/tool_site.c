/* wp_site: what a model should know before it works on this site. */
#include "providers/wordpress/content/text.h"
#include "providers/wordpress/structured.h"
#include "providers/wordpress/tools.h"
#include "providers/wordpress/types.h"

/* Plugins worth naming, by the REST namespace each registers. */
static const struct {
    struct str namespace;
    const char *name;
} known_plugins[] = {
    {STR_INIT("yoast/v1"), "Yoast SEO"},
    {STR_INIT("rankmath/v1"), "Rank Math SEO"},
    {STR_INIT("wc/v3"), "WooCommerce"},
    {STR_INIT("acf/v3"), "ACF to REST"},
    {STR_INIT("elementor/v1"), "Elementor"},
    {STR_INIT("contact-form-7/v1"), "Contact Form 7"},
    {STR_INIT("jetpack/v4"), "Jetpack"},
    {STR_INIT("wp-abilities/v1"), "Abilities API"},
    {STR_INIT("gravityforms/v2"), "Gravity Forms"},
    {STR_INIT("learndash/v1"), "LearnDash"},
};

static bool wants(const struct json *include, const char *what)
{
    if (!json_count(include))
        return str_eq(str_from(what), STR("types")) || str_eq(str_from(what), STR("taxonomies")) ||
               str_eq(str_from(what), STR("plugins"));
    for (size_t i = 0; i < json_count(include); i++)
        if (str_eq(json_str(json_at(include, i)), str_from(what)))
            return true;
    return false;
}

static int write_site(struct call *call, const struct wp *wp, const struct json **ret_index, struct structured *s,
                      struct buf *out)
{
    struct wp_answer answer;
    struct wp_query query;
    wp_query_init(call, &query);
    wp_query_add(&query, "_fields", STR("name,description,home,timezone_string,gmt_offset,namespaces"));
    int error = wp_get(call, wp, STR_EMPTY, &query, &answer);
    if (error)
        return error;
    struct str zone = json_str(json_get(answer.json, STR("timezone_string")));
    struct str about = text_from_html(call->arena, json_str(json_get(answer.json, STR("description"))));
    struct str name = text_from_html(call->arena, json_str(json_get(answer.json, STR("name"))));
    const struct json *offset = json_get(answer.json, STR("gmt_offset"));
    if (!zone.len) /* a bare offset in hours: "-3", 5.5 */
        zone = call_format(call, "UTC, offset %.*s h",
                           STR_ARG(json_is(offset, JSON_STRING) ? json_str(offset) : json_raw(offset)));
    buf_add_format(out, "site: %.*s%s%.*s\nurl: %.*s\ntime zone: %.*s\n", STR_ARG(name), about.len ? " - " : "",
                   STR_ARG(about), STR_ARG(json_str(json_get(answer.json, STR("home")))), STR_ARG(zone));
    if (wp->version.len)
        buf_add_format(out, "WordPress: %.*s\n", STR_ARG(wp->version));
    structured_str(s, "site", name);
    structured_str(s, "description", about);
    structured_str(s, "url", json_str(json_get(answer.json, STR("home"))));
    structured_str(s, "time_zone", zone);
    structured_str(s, "wordpress", wp->version);
    *ret_index = answer.json;
    return OK;
}

static void structured_user(struct call *call, struct structured *s, const struct json *user, struct str rights)
{
    struct str word;
    structured_object(s, "user");
    structured_i64(s, "id", json_i64_or(json_get(user, STR("id")), 0));
    structured_str(s, "name", text_from_html(call->arena, json_str(json_get(user, STR("name")))));
    structured_str(s, "role", json_str(json_at(json_get(user, STR("roles")), 0)));
    structured_str(s, "language", json_str(json_get(user, STR("locale"))));
    structured_close(s);
    structured_array(s, "rights");
    while (rights.len && str_next(&rights, ',', &word))
        structured_item(s, str_trim(word));
    structured_close(s);
}

static int write_user(struct call *call, const struct wp *wp, struct structured *s, struct buf *out)
{
    struct wp_answer answer;
    struct wp_query query;
    wp_query_init(call, &query);
    wp_query_add(&query, "context", STR("edit"));
    wp_query_add(&query, "_fields", STR("id,name,roles,locale"));
    int error = wp_get(call, wp, STR("wp/v2/users/me"), &query, &answer);
    if (error)
        return error;
    char words[RIGHTS_TEXT_BYTES];
    const struct json *roles = json_get(answer.json, STR("roles"));
    struct str role = json_str_or(json_at(roles, 0), STR("no role"));
    struct str locale = json_str(json_get(answer.json, STR("locale")));
    buf_add_format(out, "you are: %.*s (user %lld, %.*s)%s%.*s\n",
                   STR_ARG(text_from_html(call->arena, json_str(json_get(answer.json, STR("name"))))),
                   (long long)json_i64_or(json_get(answer.json, STR("id")), 0), STR_ARG(role),
                   locale.len ? ", language " : "", STR_ARG(locale));
    buf_add_format(out, "this token may: %.*s\n", STR_ARG(rights_format(wp->rights, words)));
    if (s)
        structured_user(call, s, answer.json, rights_format(wp->rights, words));
    return OK;
}

static int write_types(struct call *call, const struct wp *wp, bool with_taxonomies, struct structured *s,
                       struct buf *out)
{
    struct wp_type *types;
    size_t count;
    int error = wp_type_list(call, wp, &types, &count);
    if (error)
        return error;
    buf_add(out, STR("types:"));
    structured_array(s, "types");
    for (size_t i = 0; i < count; i++) {
        buf_add_format(out, "%s %.*s", i ? "," : "", STR_ARG(types[i].slug));
        structured_object(s, NULL);
        structured_str(s, "type", types[i].slug);
        structured_array(s, "taxonomies");
        for (size_t k = 0; with_taxonomies && k < types[i].n_taxonomies; k++) {
            structured_item(s, types[i].taxonomies[k]);
            buf_add_format(out, "%s%.*s%s", k ? ", " : " (", STR_ARG(types[i].taxonomies[k]),
                           k + 1 == types[i].n_taxonomies ? ")" : "");
        }
        structured_close(s);
        structured_close(s);
    }
    structured_close(s);
    buf_add_char(out, '\n');
    return OK;
}

static void write_plugins(const struct json *index, struct structured *s, struct buf *out)
{
    const struct json *namespaces = json_get(index, STR("namespaces"));
    size_t found = 0;
    structured_array(s, "found");
    for (size_t i = 0; i < json_count(namespaces); i++)
        for (size_t k = 0; k < ARRAY_LENGTH(known_plugins); k++)
            if (str_eq(json_str(json_at(namespaces, i)), known_plugins[k].namespace)) {
                buf_add_format(out, "%s%s", found++ ? ", " : "found: ", known_plugins[k].name);
                structured_item(s, str_from(known_plugins[k].name));
            }
    structured_close(s);
    if (found)
        buf_add_char(out, '\n');
}

int tool_site(struct call *call, const struct tool_context *context, const struct json *arguments,
              struct tool_result *result)
{
    struct wp wp;
    const struct json *index, *include = json_get(arguments, STR("include"));
    struct structured *s = structured_begin(call, context);
    int error;
    if ((error = wp_open(call, context->site, context->rights, &wp)) ||
        (error = write_site(call, &wp, &index, s, &result->text)) || (error = write_user(call, &wp, s, &result->text)))
        return error;
    if ((wants(include, "types") || wants(include, "taxonomies")) &&
        (error = write_types(call, &wp, wants(include, "taxonomies"), s, &result->text)))
        return error;
    if (wants(include, "plugins"))
        write_plugins(index, s, &result->text);
    result->text.len -= result->text.len && result->text.ptr[result->text.len - 1] == '\n';
    structured_end(s, result);
    return OK;
}

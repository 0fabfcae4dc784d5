/* What search engines are told about an item. */
#include "providers/wordpress/seo.h"

#include "providers/wordpress/fields.h"
#include "providers/wordpress/route_guard.h"

enum { SEO_NAMES = 8 };

static const struct str names[SEO_NAMES] = {
    STR_INIT("title"),   STR_INIT("description"), STR_INIT("keyword"),        STR_INIT("canonical"),
    STR_INIT("noindex"), STR_INIT("og_title"),    STR_INIT("og_description"), STR_INIT("og_image"),
};

enum noindex { NOINDEX_DIGIT, NOINDEX_LIST };

/* The meta keys of each plugin, in the order of the names. */
static const struct seo_plugin {
    const char *name;
    struct str keys[SEO_NAMES];
    enum noindex noindex;
} plugins[] = {
    {"Yoast SEO",
     {STR_INIT("_yoast_wpseo_title"), STR_INIT("_yoast_wpseo_metadesc"), STR_INIT("_yoast_wpseo_focuskw"),
      STR_INIT("_yoast_wpseo_canonical"), STR_INIT("_yoast_wpseo_meta-robots-noindex"),
      STR_INIT("_yoast_wpseo_opengraph-title"), STR_INIT("_yoast_wpseo_opengraph-description"),
      STR_INIT("_yoast_wpseo_opengraph-image")},
     NOINDEX_DIGIT},
    {"Rank Math",
     {STR_INIT("rank_math_title"), STR_INIT("rank_math_description"), STR_INIT("rank_math_focus_keyword"),
      STR_INIT("rank_math_canonical_url"), STR_INIT("rank_math_robots"), STR_INIT("rank_math_facebook_title"),
      STR_INIT("rank_math_facebook_description"), STR_INIT("rank_math_facebook_image")},
     NOINDEX_LIST},
};

/* The plugin that offers one of its keys, or NULL. */
static const struct seo_plugin *plugin_of(const struct json *keys)
{
    for (size_t i = 0; i < ARRAY_LENGTH(plugins); i++)
        for (size_t k = 0; k < SEO_NAMES; k++)
            if (!json_is(json_get(keys, plugins[i].keys[k]), JSON_MISSING))
                return &plugins[i];
    return NULL;
}

/* What else robots are told (nofollow, noarchive) stays. */
static void write_robots(const struct json *stored, bool noindex, struct json_writer *w)
{
    json_array(w);
    for (size_t i = 0; stored && json_is(stored, JSON_ARRAY) && i < json_count(stored); i++) {
        struct str word = json_str(json_at(stored, i));
        if (word.len && !str_eq(word, STR("index")) && !str_eq(word, STR("noindex")))
            json_string(w, word);
    }
    json_string(w, noindex ? STR("noindex") : STR("index"));
    json_end(w);
}

static bool is_noindex(size_t name)
{
    return str_eq(names[name], STR("noindex"));
}

static void write_value(const struct seo_plugin *plugin, size_t name, const struct json *value, const struct json *meta,
                        struct json_writer *w)
{
    json_key(w, plugin->keys[name]);
    if (!is_noindex(name))
        json_value(w, value);
    else if (plugin->noindex == NOINDEX_DIGIT)
        json_string(w, json_bool_or(value, false) ? STR("1") : STR("2"));
    else
        write_robots(meta ? json_get(meta, plugin->keys[name]) : NULL, json_bool_or(value, false), w);
}

int wp_write_seo(struct call *call, const struct wp *wp, const struct wp_type *type, const struct json *seo,
                 const struct json *meta, const struct json *given, struct json_writer *w)
{
    const struct json *keys;
    if (!json_is(seo, JSON_OBJECT))
        return fail(call, E_INVALID, "seo is an object: {\"title\": ..., \"description\": ...}.");
    int error = wp_offered_keys(call, wp, type, "meta", &keys);
    if (error)
        return error;
    const struct seo_plugin *plugin = plugin_of(keys);
    if (!plugin)
        return fail(call, E_INVALID,
                    "This site's REST API offers no SEO fields for type %.*s: no SEO plugin has registered them there "
                    "(Yoast SEO does not by itself). Nothing was written.",
                    STR_ARG(type->slug));
    for (size_t i = 0; i < json_count(seo); i++) {
        struct json_member member = json_member_at(seo, i);
        size_t k = 0;
        while (k < SEO_NAMES && !str_eq(names[k], member.name))
            k++;
        if (k == SEO_NAMES)
            return fail(call, E_INVALID,
                        "seo has no '%.*s'. It has: title, description, keyword, canonical, noindex, og_title, "
                        "og_description, og_image.",
                        STR_ARG(str_sub(member.name, 0, 40)));
        if (json_is(json_get(keys, plugin->keys[k]), JSON_MISSING))
            return fail(call, E_INVALID, "%s does not offer seo.%.*s (meta %.*s) through this site's REST API.",
                        plugin->name, STR_ARG(names[k]), STR_ARG(plugin->keys[k]));
        if (!json_is(json_get(given, plugin->keys[k]), JSON_MISSING))
            return wp_refuse_twice(call, call_format(call, "seo.%.*s", STR_ARG(names[k])),
                                   call_format(call, "meta.%.*s", STR_ARG(plugin->keys[k])));
        if (is_noindex(k) && !json_is(member.value, JSON_BOOL)) /* a guess might take a page out of search engines */
            return fail(call, E_INVALID, "seo.noindex is true or false.");
        write_value(plugin, k, member.value, meta, w);
    }
    return OK;
}

static void show(const char *name, const struct json *value, struct buf *out)
{
    struct str text = json_is(value, JSON_STRING) ? json_str(value) : json_raw(value);
    if (text.len && !str_eq(text, STR("[]")) && !str_eq(text, STR("null")))
        buf_add_format(out, "seo.%s: %.*s\n", name, STR_ARG(str_sub(text, 0, 500)));
}

void wp_show_seo(struct call *call, const struct json *item, struct buf *out)
{
    const struct json *head = json_get(item, STR("yoast_head_json")), *meta = json_get(item, STR("meta"));
    for (size_t i = 0; i < ARRAY_LENGTH(plugins); i++)
        for (size_t k = 0; k < SEO_NAMES; k++)
            show(str_copy_cstr(call->arena, names[k]), json_get(meta, plugins[i].keys[k]), out);
    if (!json_is(head, JSON_OBJECT))
        return;
    show("shown_title", json_get(head, STR("title")), out);
    show("shown_description", json_get(head, STR("description")), out);
    show("robots", json_path(head, "robots.index"), out);
}

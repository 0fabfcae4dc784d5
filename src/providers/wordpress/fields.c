/* What a client wants to set on an item. */
#include "providers/wordpress/fields.h"

#include "providers/wordpress/route_guard.h"

int wp_check_new_status(struct call *call, const struct wp *wp, struct str status)
{
    for (size_t i = 0; i < status.len; i++)
        if (!ascii_is_alnum(status.ptr[i]) && status.ptr[i] != '-' && status.ptr[i] != '_')
            return fail(call, E_INVALID, "status is one word: draft, pending, private, publish, future.");
    return status.len ? wp_may_write(call, wp, status) : OK;
}

static bool has_own_place(struct str name)
{
    static const struct str names[] = {
        STR_INIT("terms"),
        STR_INIT("terms_add"),
        STR_INIT("terms_remove"),
        STR_INIT("featured_image"),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

/* A date without a zone is the site's local time, as in WordPress; "2026-01-31" is its beginning. */
static void write_value(struct call *call, struct json_writer *w, struct str name, const struct json *value)
{
    struct str text = json_str(value);
    json_key(w, name);
    if ((str_eq(name, STR("date")) || str_eq(name, STR("date_gmt"))) && text.len == 10)
        json_string(w, call_format(call, "%.*sT00:00:00", STR_ARG(text)));
    else if ((str_eq(name, STR("date")) || str_eq(name, STR("date_gmt"))) && text.len >= 16 && text.ptr[10] == ' ')
        json_string(w, call_format(call, "%.*sT%.*s%s", STR_ARG(str_sub(text, 0, 10)),
                                   STR_ARG(str_from_offset(text, 11)), text.len == 16 ? ":00" : ""));
    else
        json_value(w, value);
}

int wp_write_fields(struct call *call, const struct wp *wp, const struct wp_type *type, const struct json *set,
                    struct json_writer *w)
{
    for (size_t i = 0; i < json_count(set) && json_is(set, JSON_OBJECT); i++) {
        struct json_member member = json_member_at(set, i);
        if (has_own_place(member.name))
            continue;
        if (str_eq(member.name, STR("content")))
            return fail(call, E_INVALID,
                        "content is not set here: wp_create takes it as content, wp_edit changes it with edits.");
        if (str_eq(member.name, STR("id")) || str_eq(member.name, STR("password")))
            return fail(call, E_INVALID, "'%.*s' cannot be set.", STR_ARG(member.name));
        int error = wp_guard_field(call, wp, type->route, member.name, member.value);
        if (error)
            return error;
        if (str_eq(member.name, STR("status")) && (error = wp_check_new_status(call, wp, json_str(member.value))))
            return error;
        write_value(call, w, member.name, member.value);
    }
    return OK;
}

int wp_write_featured(struct call *call, const struct json *featured, struct json_writer *w)
{
    int64_t id;
    if (json_is(featured, JSON_MISSING))
        return OK;
    if (!json_to_i64(featured, &id) && !str_to_i64(json_str(featured), &id))
        return fail(call, E_INVALID, "featured_image takes the id of an image in the media library (0 removes it).");
    json_member_i64(w, "featured_media", id);
    return OK;
}

void wp_write_terms(const struct wp_terms *terms, size_t count, struct json_writer *w)
{
    for (size_t i = 0; i < count; i++) {
        json_key(w, terms[i].taxonomy.rest_base);
        json_array(w);
        for (size_t k = 0; k < terms[i].n_ids; k++)
            json_i64(w, terms[i].ids[k]);
        json_end(w);
    }
}

/* --- changes to the terms an item has ------------------------------------------------------------------------------------ */

struct id_set {
    int64_t *ids;
    size_t n;
};

static bool has_id(const struct id_set *set, int64_t id)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->ids[i] == id)
            return true;
    return false;
}

static const struct wp_terms *of_taxonomy(const struct wp_terms *terms, size_t count, struct str slug)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(terms[i].taxonomy.slug, slug))
            return &terms[i];
    return NULL;
}

static struct id_set changed_ids(struct call *call, const struct wp_item *item, const struct wp_taxonomy *taxonomy,
                                 const struct wp_terms *replace, const struct wp_terms *add,
                                 const struct wp_terms *remove)
{
    const struct json *have = json_get(item->json, taxonomy->rest_base);
    size_t room = json_count(have) + (replace ? replace->n_ids : 0) + (add ? add->n_ids : 0) + 1;
    struct id_set set = {arena_array_of(call->arena, int64_t, room), 0};
    struct id_set gone = {remove ? remove->ids : NULL, remove ? remove->n_ids : 0};
    for (size_t i = 0; !replace && i < json_count(have); i++) {
        int64_t id = json_i64_or(json_at(have, i), 0);
        if (!has_id(&gone, id))
            set.ids[set.n++] = id;
    }
    for (size_t i = 0; replace && i < replace->n_ids; i++)
        if (!has_id(&set, replace->ids[i]))
            set.ids[set.n++] = replace->ids[i];
    for (size_t i = 0; add && i < add->n_ids; i++)
        if (!has_id(&set, add->ids[i]))
            set.ids[set.n++] = add->ids[i];
    return set;
}

static int make_all(struct call *call, const struct wp *wp, struct wp_terms *terms, size_t count, bool create,
                    bool dry_run)
{
    for (size_t i = 0; i < count && !dry_run; i++) {
        int error = wp_terms_make_missing(call, wp, &terms[i], create);
        if (error)
            return error;
    }
    return OK;
}

int wp_write_changed_terms(struct call *call, const struct wp *wp, const struct wp_item *item, const struct json *set,
                           bool create, bool dry_run, struct json_writer *w)
{
    struct wp_terms *replace, *add, *remove;
    size_t n_replace, n_add, n_remove;
    int error;
    if ((error = wp_terms_resolve(call, wp, &item->type, json_get(set, STR("terms")), &replace, &n_replace)) ||
        (error = wp_terms_resolve(call, wp, &item->type, json_get(set, STR("terms_add")), &add, &n_add)) ||
        (error = wp_terms_resolve(call, wp, &item->type, json_get(set, STR("terms_remove")), &remove, &n_remove)) ||
        (error = make_all(call, wp, replace, n_replace, create, dry_run)) ||
        (error = make_all(call, wp, add, n_add, create, dry_run)))
        return error;
    for (size_t i = 0; i < item->type.n_taxonomies; i++) {
        struct str slug = item->type.taxonomies[i];
        const struct wp_terms *r = of_taxonomy(replace, n_replace, slug), *a = of_taxonomy(add, n_add, slug);
        const struct wp_terms *m = of_taxonomy(remove, n_remove, slug);
        if (!r && !a && !m)
            continue;
        const struct wp_taxonomy *taxonomy = &(r ? r : a ? a : m)->taxonomy;
        struct id_set ids = changed_ids(call, item, taxonomy, r, a, m);
        json_key(w, taxonomy->rest_base);
        json_array(w);
        for (size_t k = 0; k < ids.n; k++)
            json_i64(w, ids.ids[k]);
        json_end(w);
    }
    return OK;
}

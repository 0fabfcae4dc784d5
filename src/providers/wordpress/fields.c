/* What a client wants to set on an item. */
#include "providers/wordpress/fields.h"

#include "providers/wordpress/media.h"
#include "providers/wordpress/route_guard.h"
#include "providers/wordpress/seo.h"

int wp_refuse_twice(struct call *call, struct str one, struct str other)
{
    return fail(call, E_INVALID, "%.*s and %.*s are the same field: give one of them. Nothing was written.",
                STR_ARG(str_sub(one, 0, 80)), STR_ARG(str_sub(other, 0, 80)));
}

struct str wp_status_name(const struct wp_type *type, struct str status)
{
    if (!str_eq(type->kind->name, STR("comment")))
        return status;
    if (str_eq(status, STR("approved")))
        return STR("approve");
    return wp_list_has(STR("pending,unapproved"), status) ? STR("hold") : status;
}

int wp_check_new_status(struct call *call, const struct wp *wp, const struct wp_type *type, struct str status)
{
    for (size_t i = 0; i < status.len; i++)
        if (!ascii_is_alnum(status.ptr[i]) && status.ptr[i] != '-' && status.ptr[i] != '_')
            return fail(call, E_INVALID, "status is one word: draft, pending, private, publish, future.");
    if (str_eq(status, STR("trash")))
        return fail(call, E_INVALID, "wp_delete puts things into the trash.");
    return status.len ? wp_may_change(call, wp, type, status) : OK;
}

static bool has_own_place(const struct wp_type *type, struct str name)
{
    return str_eq(name, STR("meta")) || str_eq(name, STR("seo")) ||
           ((type->kind->flags & WP_HAS_TERMS) &&
            wp_list_names(STR("terms,terms_add,terms_remove,featured_image"), name));
}

static bool is_set(const struct json *set, struct str name)
{
    return !json_is(json_get(set, name), JSON_MISSING);
}

struct str wp_date(struct call *call, struct str text)
{
    if (text.len == 10)
        return call_format(call, "%.*sT00:00:00", STR_ARG(text));
    if (text.len < 16 || (text.ptr[10] != ' ' && text.ptr[10] != 'T'))
        return text;
    struct str rest = str_from_offset(text, 16);
    return call_format(call, "%.*sT%.*s%s%.*s", STR_ARG(str_sub(text, 0, 10)), STR_ARG(str_sub(text, 11, 5)),
                       rest.len && rest.ptr[0] == ':' ? "" : ":00", STR_ARG(rest));
}

static void write_date(struct call *call, struct json_writer *w, const struct json *value)
{
    if (json_is(value, JSON_STRING))
        json_string(w, wp_date(call, json_str(value)));
    else
        json_value(w, value);
}

/* A person or a menu may be given by name where WordPress wants a number. */
static int write_value(struct call *call, const struct wp *wp, const struct wp_type *type, struct json_writer *w,
                       struct str name, const struct json *value)
{
    int64_t id;
    struct str text = json_str(value);
    bool by_name = text.len && !str_to_i64(text, &id);
    int error = OK;
    if (by_name && str_eq(name, STR("author")) && (type->kind->flags & WP_HAS_AUTHOR))
        error = wp_find_named(call, wp, STR("wp/v2/users"), STR("author"), text, &id);
    else if (by_name && str_eq(name, STR("menus")))
        error = wp_find_named(call, wp, STR("wp/v2/menus"), STR("menu"), text, &id);
    else
        by_name = false;
    if (error)
        return error;
    json_key(w, name);
    if (by_name)
        json_i64(w, id);
    else if (str_eq(name, STR("date")) || str_eq(name, STR("date_gmt")))
        write_date(call, w, value);
    else
        json_value(w, value);
    return OK;
}

struct str wp_field_name(const struct wp_type *type, struct str name)
{
    if (str_eq(name, STR("title")) && type->kind->title.len)
        return type->kind->title;
    if (str_eq(name, STR("content")) && type->kind->text.len)
        return type->kind->text;
    return name;
}

static int write_field(struct call *call, const struct wp *wp, const struct wp_type *type, struct str route,
                       struct str name, const struct json *value, const struct json *item, struct json_writer *w)
{
    int error;
    if (str_eq(name, STR("content")) && (type->kind->flags & WP_HAS_BLOCKS))
        return fail(call, E_INVALID,
                    "content is not set here: wp_create takes it as content, wp_edit changes it with edits.");
    if (str_eq(name, STR("id")) || str_eq(name, STR("password")))
        return fail(call, E_INVALID, "'%.*s' cannot be set.", STR_ARG(name));
    name = wp_field_name(type, name);
    if ((error = wp_guard_field(call, wp, type, route, name, value, item)))
        return error;
    struct str status = wp_status_name(type, json_str(value));
    if (str_eq(name, STR("status")) && (error = wp_check_new_status(call, wp, type, status)))
        return error;
    if (str_eq(name, STR("status")) && status.len) {
        json_member_str(w, "status", status);
        return OK;
    }
    return write_value(call, wp, type, w, name, value);
}

/* meta and what the SEO plugin keeps there are one member of the body. */
static int write_meta(struct call *call, const struct wp *wp, const struct wp_type *type, struct str route,
                      const struct json *meta, const struct json *seo, const struct json *item, struct json_writer *w)
{
    int error = OK;
    if (json_is(meta, JSON_MISSING) && json_is(seo, JSON_MISSING))
        return OK;
    if (!json_is(meta, JSON_MISSING) && (error = wp_guard_field(call, wp, type, route, STR("meta"), meta, item)))
        return error;
    json_key(w, STR("meta"));
    json_object(w);
    for (size_t i = 0; json_is(meta, JSON_OBJECT) && i < json_count(meta); i++) {
        json_key(w, json_member_at(meta, i).name);
        json_value(w, json_member_at(meta, i).value);
    }
    if (!json_is(seo, JSON_MISSING))
        error = wp_write_seo(call, wp, type, seo, item ? json_get(item, STR("meta")) : NULL, meta, w);
    json_end(w);
    return error;
}

int wp_write_fields(struct call *call, const struct wp *wp, const struct wp_type *type, struct str route,
                    const struct json *set, const struct json *seo, const struct json *item, struct json_writer *w)
{
    for (size_t i = 0; i < json_count(set) && json_is(set, JSON_OBJECT); i++) {
        struct json_member member = json_member_at(set, i);
        struct str field = wp_field_name(type, member.name);
        if (has_own_place(type, member.name))
            continue;
        if (!str_eq(field, member.name) && is_set(set, field))
            return wp_refuse_twice(call, member.name, field);
        if (str_eq(field, STR("featured_media")) && is_set(set, STR("featured_image")) &&
            has_own_place(type, STR("featured_image")))
            return wp_refuse_twice(call, STR("featured_image"), field);
        int error = write_field(call, wp, type, route, member.name, member.value, item, w);
        if (error)
            return error;
    }
    return write_meta(call, wp, type, route, json_get(set, STR("meta")), seo, item, w);
}

static bool is_address(struct str text)
{
    return str_starts_with_nocase(text, STR("https://")) || str_starts_with_nocase(text, STR("http://"));
}

int wp_write_featured(struct call *call, const struct wp *wp, const struct json *featured, bool dry_run,
                      struct json_writer *w, int64_t *ret_made)
{
    int64_t id = 0;
    struct str text = str_trim(json_str(featured));
    *ret_made = 0;
    if (json_is(featured, JSON_MISSING))
        return OK;
    if (json_is(featured, JSON_NULL)) { /* as with other fields: there is to be none */
        json_member_i64(w, "featured_media", 0);
        return OK;
    }
    if (is_address(text)) {
        int error = dry_run ? media_may_fetch(call, wp) : media_image_from_url(call, wp, text, &id);
        if (error || dry_run)
            return error;
        *ret_made = id;
    } else if (!json_to_i64(featured, &id) && !str_to_i64(text, &id)) {
        return fail(call, E_INVALID,
                    "featured_image takes the id of an image in the media library (null removes it), or the address of "
                    "one (https://...).");
    }
    json_member_i64(w, "featured_media", id);
    return OK;
}

int wp_say_image_made(struct call *call, int64_t made, int error)
{
    if (error && made) /* what else the error holds stays: which right it lacks, when to come again */
        call->error_text = call_format(
            call, "%.*s The image is in the library already as %lld: if this is tried again, use featured_image=%lld.",
            STR_ARG(call->error_text), (long long)made, (long long)made);
    return error;
}

int wp_check_terms(struct call *call, const struct json *set, struct str argument, const struct wp_terms *terms,
                   size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_set(set, terms[i].taxonomy.rest_base))
            return wp_refuse_twice(call, terms[i].taxonomy.rest_base,
                                   call_format(call, "%.*s.%.*s", STR_ARG(argument), STR_ARG(terms[i].taxonomy.slug)));
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
        (error = wp_check_terms(call, set, STR("terms"), replace, n_replace)) ||
        (error = wp_check_terms(call, set, STR("terms_add"), add, n_add)) ||
        (error = wp_check_terms(call, set, STR("terms_remove"), remove, n_remove)) ||
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

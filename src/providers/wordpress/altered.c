/* What WordPress stored differently. */
#include "providers/wordpress/altered.h"

#include "providers/wordpress/fields.h"

enum { SHOWN_BYTES = 120 };

static bool is_compared(struct str name)
{
    /* Terms and images are numbers on the site; dates are stored in another form. */
    return !wp_list_has(STR("terms,terms_add,terms_remove,featured_image,seo,date,date_gmt,author,menus"), name);
}

static bool is_plain(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!ascii_is_alnum(name.ptr[i]) && name.ptr[i] != '_' && name.ptr[i] != '-')
            return false;
    return name.len > 0;
}

static bool holds_keys(struct str name)
{
    return str_eq(name, STR("meta")) || str_eq(name, STR("acf"));
}

/* An address became a new file's number, which WordPress takes. */
static bool featured_id(const struct json *featured, int64_t *ret)
{
    return json_to_i64(featured, ret) || str_to_i64(str_trim(json_str(featured)), ret);
}

void altered_featured(const struct json *featured, const struct json *after, struct buf *out)
{
    int64_t given, stored = 0;
    if (!featured_id(featured, &given) || !json_to_i64(json_get(after, STR("featured_media")), &stored) ||
        stored == given)
        return;
    buf_add_format(out, "\nWordPress did not take %lld as featured image: it is no image of the media library. ",
                   (long long)given);
    if (stored)
        buf_add_format(out, "It still is %lld.", (long long)stored);
    else
        buf_add(out, STR("There is none now."));
}

static void say_missing(const struct wp_type *type, struct str name, struct buf *out)
{
    buf_add_format(out, "\n%.*s was not set: WordPress shows no such field of type %.*s.", STR_ARG(name),
                   STR_ARG(type->slug));
}

void altered_missing(const struct wp_type *type, const struct json *set, const struct json *featured,
                     const struct json *after, struct buf *out)
{
    for (size_t i = 0; json_is(set, JSON_OBJECT) && i < json_count(set); i++) {
        struct str name = wp_field_name(type, json_member_at(set, i).name);
        if (wp_list_names(type->kind->known, name) && json_is(json_get(after, name), JSON_MISSING))
            say_missing(type, name, out);
    }
    if (!json_is(featured, JSON_MISSING) && json_is(json_get(after, STR("featured_media")), JSON_MISSING))
        say_missing(type, STR("featured_image"), out);
}

struct str altered_fields(struct call *call, const struct wp_type *type, const struct json *set)
{
    struct str fields = STR_EMPTY;
    for (size_t i = 0; json_is(set, JSON_OBJECT) && i < json_count(set); i++) {
        struct json_member member = json_member_at(set, i);
        if (str_eq(member.name, STR("featured_image")))
            fields = call_format(call, "%.*s%sfeatured_media", STR_ARG(fields), fields.len ? "," : "");
        bool is_known = wp_list_names(type->kind->known, wp_field_name(type, member.name));
        if ((!is_compared(member.name) && !is_known) || !is_plain(member.name))
            continue;
        size_t keys = holds_keys(member.name) && json_is(member.value, JSON_OBJECT) ? json_count(member.value) : 0;
        if (!keys)
            fields = call_format(call, "%.*s%s%.*s", STR_ARG(fields), fields.len ? "," : "",
                                 STR_ARG(wp_field_name(type, member.name)));
        for (size_t k = 0; k < keys; k++)
            fields = call_format(call, "%.*s%s%.*s.%.*s", STR_ARG(fields), fields.len ? "," : "", STR_ARG(member.name),
                                 STR_ARG(json_member_at(member.value, k).name));
    }
    return fields;
}

static struct str plain_text(const struct json *value)
{
    const struct json *raw = json_get(value, STR("raw"));
    if (json_is(raw, JSON_STRING))
        return json_str(raw);
    return json_is(value, JSON_STRING) ? json_str(value) : json_raw(value);
}

/* 12 and "12" are the same to WordPress. Objects and lists are not compared: it fills in their defaults. */
static bool is_same(const struct json *given, const struct json *stored)
{
    if (json_is(given, JSON_OBJECT) || json_is(given, JSON_ARRAY) || json_is(given, JSON_NULL) ||
        json_is(stored, JSON_MISSING) || json_is(stored, JSON_ARRAY) || json_equal(given, stored))
        return true;
    if (json_is(stored, JSON_OBJECT) && !json_is(json_get(stored, STR("raw")), JSON_STRING))
        return true;
    return str_eq(str_trim(plain_text(given)), str_trim(plain_text(stored)));
}

static void compare(struct str prefix, struct str name, const struct json *given, const struct json *stored,
                    struct buf *out)
{
    if (is_same(given, stored))
        return;
    struct str text = plain_text(stored);
    buf_add_format(out, "\nWordPress stored %.*s%.*s as: %.*s%s", STR_ARG(prefix), STR_ARG(name),
                   STR_ARG(str_sub(text, 0, SHOWN_BYTES)), text.len > SHOWN_BYTES ? "…" : "");
}

void altered_write(const struct wp_type *type, const struct json *set, const struct json *after, struct buf *out)
{
    for (size_t i = 0; json_is(set, JSON_OBJECT) && i < json_count(set); i++) {
        struct json_member member = json_member_at(set, i);
        if (str_eq(member.name, STR("featured_image")))
            altered_featured(member.value, after, out);
        if (!is_compared(member.name))
            continue;
        const struct json *stored = json_get(after, wp_field_name(type, member.name));
        if (str_eq(member.name, STR("status")) &&
            str_eq(wp_status_name(type, json_str(member.value)), wp_status_name(type, json_str(stored))))
            continue; /* "approve" is stored as "approved" */
        if (!holds_keys(member.name)) {
            compare(STR_EMPTY, member.name, member.value, stored, out);
            continue;
        }
        for (size_t k = 0; json_is(member.value, JSON_OBJECT) && k < json_count(member.value); k++) {
            struct json_member key = json_member_at(member.value, k);
            compare(str_eq(member.name, STR("meta")) ? STR("meta.") : STR("acf."), key.name, key.value,
                    json_get(stored, key.name), out);
        }
    }
}

/* What a write touches. */
#include "providers/wordpress/touched.h"

#include "json/json_write.h"

enum {
    NAMES_MAX_BYTES = 8 * 1024,
    FIELDS_MAX_BYTES = 24 * 1024 * 1024,
    IDS_COMPARED_MAX = 500,
    FLOATING_SECONDS = 2, /* between the two times of one save */
};

/* What WordPress may change by itself when the status does. */
static const struct str with_status[] = {STR_INIT("status"), STR_INIT("slug"), STR_INIT("date")};
static const struct str of_status[] = {STR_INIT("status"), STR_INIT("date"), STR_INIT("date_gmt")};

static bool is_one_of(struct str name, const struct str *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

static bool touches_status(const struct json *body)
{
    for (size_t i = 0; i < ARRAY_LENGTH(of_status); i++)
        if (!json_is(json_get(body, of_status[i]), JSON_MISSING))
            return true;
    return false;
}

/* Written by their companions, and gone with them. */
static bool is_passed_over(struct str name, bool with)
{
    return with && (is_one_of(name, with_status, ARRAY_LENGTH(with_status)) || str_eq(name, STR("date_gmt")));
}

struct str touched_names(struct call *call, const struct json *body)
{
    struct buf names;
    buf_init(&names, call->arena, NAMES_MAX_BYTES);
    for (size_t i = 0; i < json_count(body) && json_is(body, JSON_OBJECT); i++) {
        buf_add_char(&names, ',');
        buf_add(&names, json_member_at(body, i).name);
    }
    if (touches_status(body))
        buf_add(&names, STR(",status,slug,date,modified"));
    return buf_failed(&names) ? STR_EMPTY : buf_str(&names);
}

bool touched_is_missing(const struct json *item, const struct json *body)
{
    for (size_t i = 0; i < json_count(body) && json_is(body, JSON_OBJECT); i++)
        if (json_is(json_get(item, json_member_at(body, i).name), JSON_MISSING))
            return true;
    return touches_status(body) && !json_is(json_get(item, STR("slug")), JSON_MISSING) &&
           json_is(json_get(item, STR("modified")), JSON_MISSING);
}

/* Saved last when it was dated: its date goes with its saves. */
static bool has_floating_date(const struct json *item)
{
    static const struct str floating[] = {STR_INIT("draft"), STR_INIT("pending"), STR_INIT("auto-draft")};
    struct str date = json_str(json_get(item, STR("date"))), saved = json_str(json_get(item, STR("modified")));
    size_t minutes = STR("2026-01-31T12:34:").len;
    int64_t a, b;
    return is_one_of(json_str(json_get(item, STR("status"))), floating, ARRAY_LENGTH(floating)) && date.len > minutes &&
           saved.len > minutes && str_eq(str_sub(date, 0, minutes), str_sub(saved, 0, minutes)) &&
           str_to_i64(str_sub(date, minutes, 2), &a) && str_to_i64(str_sub(saved, minutes, 2), &b) &&
           b - a <= FLOATING_SECONDS && a - b <= FLOATING_SECONDS;
}

/* meta and acf are maps of which a request sets some. */
static void write_map(struct json_writer *w, const struct json *value, const struct json *wanted)
{
    json_object(w);
    for (size_t i = 0; i < json_count(wanted); i++) {
        struct str name = json_member_at(wanted, i).name;
        const struct json *member = json_get(value, name);
        if (json_is(member, JSON_MISSING))
            continue;
        json_key(w, name);
        json_value(w, member);
    }
    json_end(w);
}

static void write_field(struct json_writer *w, struct str name, const struct json *value, const struct json *wanted)
{
    const struct json *raw = json_get(value, STR("raw"));
    if (json_is(value, JSON_MISSING))
        return;
    if (json_is(raw, JSON_STRING))
        value = raw;
    json_key(w, name);
    if (json_is(value, JSON_STRING))
        json_string(w, json_str(value)); /* as the body has it: PHP escapes more, and what is equal is kept once */
    else if (json_is(value, JSON_OBJECT) && json_is(wanted, JSON_OBJECT))
        write_map(w, value, wanted);
    else
        json_value(w, value);
}

static size_t size_of(const struct json *item, const struct json *body)
{
    size_t size = 256;
    for (size_t i = 0; i < json_count(body) && json_is(body, JSON_OBJECT); i++) {
        struct str name = json_member_at(body, i).name;
        const struct json *value = json_get(item, name), *raw = json_get(value, STR("raw"));
        size += name.len + 8 + json_raw(json_is(raw, JSON_STRING) ? raw : value).len;
    }
    return size;
}

struct str touched_fields(struct call *call, const struct json *item, const struct json *body)
{
    struct buf fields;
    struct json_writer w;
    bool status = touches_status(body);
    buf_init(&fields, call->arena, FIELDS_MAX_BYTES);
    (void)buf_reserve(&fields, size_of(item, body)); /* at once: growing would leave as much behind */
    json_write_init(&w, &fields);
    json_object(&w);
    for (size_t i = 0; i < json_count(body) && json_is(body, JSON_OBJECT); i++) {
        struct json_member member = json_member_at(body, i);
        if (!is_passed_over(member.name, status))
            write_field(&w, member.name, json_get(item, member.name), member.value);
    }
    for (size_t i = 0; status && i < ARRAY_LENGTH(with_status); i++) {
        if (str_eq(with_status[i], STR("date")) && has_floating_date(item))
            json_member_null(&w, "date");
        else
            write_field(&w, with_status[i], json_get(item, with_status[i]), json_at(item, 0));
    }
    json_end(&w);
    return buf_failed(&fields) ? STR_EMPTY : buf_str(&fields);
}

/* Lists of ids, which WordPress tells in its own order (terms by name). */
static bool same_ids(const struct json *a, const struct json *b)
{
    if (!json_is(a, JSON_ARRAY) || !json_is(b, JSON_ARRAY) || json_count(a) != json_count(b) ||
        json_count(a) > IDS_COMPARED_MAX)
        return false;
    for (size_t i = 0; i < json_count(a); i++) {
        bool found = false;
        for (size_t k = 0; k < json_count(b) && json_is(json_at(a, i), JSON_NUMBER) && !found; k++)
            found = json_equal(json_at(a, i), json_at(b, k));
        if (!found)
            return false;
    }
    return true;
}

/* What a request would set, against what the item has; missing members are passed over. */
static bool is_alike(const struct json *item, struct str name, const struct json *wanted)
{
    const struct json *value = json_get(item, name), *raw = json_get(value, STR("raw"));
    if (str_eq(name, STR("date")) && has_floating_date(item))
        return json_is(wanted, JSON_NULL);
    if (json_is(value, JSON_MISSING))
        return true;
    if (json_is(raw, JSON_STRING))
        return json_equal(raw, wanted);
    if (!json_is(value, JSON_OBJECT) || !json_is(wanted, JSON_OBJECT))
        return json_equal(value, wanted) || same_ids(value, wanted);
    for (size_t i = 0; i < json_count(wanted); i++) {
        const struct json *member = json_get(value, json_member_at(wanted, i).name);
        if (!json_is(member, JSON_MISSING) && !json_equal(member, json_member_at(wanted, i).value))
            return false;
    }
    return true;
}

struct str touched_difference(const struct json *item, const struct json *fields)
{
    for (size_t i = 0; i < json_count(fields) && json_is(fields, JSON_OBJECT); i++) {
        struct json_member member = json_member_at(fields, i);
        if (!is_alike(item, member.name, member.value))
            return member.name;
    }
    return STR_EMPTY;
}

/* Does what is to be published later have a date to come? */
#include "providers/wordpress/schedule.h"

#include "providers/wordpress/fields.h"

enum {
    ZONE_KEPT_MS = 300000,
    MINUTE_MS = 60000, /* what is less than that away WordPress publishes at once */
    HOUR_MS = 60 * MINUTE_MS,
    ZONE_MAX_MS = 14 * HOUR_MS, /* no clock on earth differs more from UTC */
    SECONDS_END = 19,           /* of "2026-01-31T09:00:00" */
};

struct when {
    int64_t ms;
    bool is_utc; /* else the site's local time */
};

/* "+02:00", "-03", "Z"; false: it says none, or something else. */
static bool read_zone(struct str text, int64_t *ret_ms)
{
    int64_t hours, minutes = 0;
    *ret_ms = 0;
    if (str_eq_nocase(text, STR("Z")))
        return true;
    if (text.len < 3 || (text.ptr[0] != '+' && text.ptr[0] != '-') || !str_to_i64(str_sub(text, 1, 2), &hours))
        return false;
    struct str rest = str_from_offset(text, 3);
    if (rest.len && (rest.len != 3 || rest.ptr[0] != ':' || !str_to_i64(str_from_offset(rest, 1), &minutes)))
        return false;
    *ret_ms = (text.ptr[0] == '-' ? -1 : 1) * (hours * HOUR_MS + minutes * MINUTE_MS);
    return true;
}

/* False: no date that is understood here. */
static bool read_when(struct call *call, struct str text, struct when *ret)
{
    int64_t zone_ms;
    text = wp_date(call, text);
    if (text.len < SECONDS_END || !clock_parse(str_sub(text, 0, SECONDS_END), &ret->ms))
        return false;
    struct str rest = str_from_offset(text, SECONDS_END);
    while (rest.len && (rest.ptr[0] == '.' || ascii_is_digit(rest.ptr[0])))
        rest = str_from_offset(rest, 1);
    ret->is_utc = read_zone(rest, &zone_ms);
    ret->ms -= ret->is_utc ? zone_ms : 0;
    return ret->is_utc || !rest.len;
}

/* How far the site's clock is ahead of UTC now. False: the site does not say. */
static bool site_offset(struct call *call, const struct wp *wp, int64_t *ret_ms)
{
    struct wp_answer answer;
    struct wp_query query;
    double hours;
    wp_query_init(call, &query);
    wp_query_add(&query, "_fields", STR("gmt_offset"));
    int error = wp_get_kept(call, wp, "GET", STR_EMPTY, &query, ZONE_KEPT_MS, &answer);
    const struct json *offset = error ? NULL : json_get(answer.json, STR("gmt_offset"));
    call_clear_error(call);
    if (!offset ||
        (json_is(offset, JSON_STRING) && json_parse(call->arena, json_str(offset), NULL, &offset, NULL) != OK) ||
        !json_to_double(offset, &hours) || hours < -14 || hours > 14)
        return false;
    *ret_ms = (int64_t)(hours * HOUR_MS);
    return true;
}

/* What WordPress would take for the item's date: date wins over date_gmt, and null for either takes both away. */
static struct str date_of(const struct json *set, const struct json *stored, bool *ret_is_utc)
{
    const struct json *date = json_get(set, STR("date")), *gmt = json_get(set, STR("date_gmt"));
    *ret_is_utc = false;
    if (json_is(date, JSON_NULL) || json_is(gmt, JSON_NULL))
        return STR_EMPTY;
    if (json_str(date).len)
        return json_str(date);
    *ret_is_utc = !json_is(gmt, JSON_MISSING);
    if (*ret_is_utc)
        return json_str(gmt);
    return stored ? json_str(json_get(stored, STR("date"))) : STR_EMPTY;
}

static int refuse(struct call *call, struct str date, bool knows_zone, int64_t offset_ms)
{
    char text[CLOCK_TEXT_BYTES];
    clock_format(clock_now_ms() + offset_ms, text);
    text[10] = 'T';
    return fail(
        call, E_INVALID,
        "Status future needs a date to come in set.date: with %s%.*s WordPress would publish at once. Now it is "
        "%.16s %s. Nothing was written.",
        date.len ? "" : "no date", STR_ARG(str_sub(date, 0, 40)), text, knows_zone ? "at the site" : "UTC");
}

int wp_check_schedule(struct call *call, const struct wp *wp, const struct wp_type *type, struct str status,
                      const struct json *set, const struct json *stored)
{
    struct when when;
    bool is_utc;
    int64_t offset_ms = 0, soon_ms = clock_now_ms() + MINUTE_MS;
    if (!str_eq(status, STR("future")) || !(type->kind->flags & WP_HAS_BLOCKS))
        return OK;
    struct str date = date_of(set, stored, &is_utc);
    if (date.len && !read_when(call, date, &when))
        return OK; /* WordPress says what is wrong with it */
    if (date.len) {
        when.is_utc |= is_utc;
        if (when.ms - (when.is_utc ? 0 : ZONE_MAX_MS) >= soon_ms)
            return OK;
    }
    bool knows_zone = site_offset(call, wp, &offset_ms);
    if (date.len) {
        int64_t ahead_ms = when.is_utc ? 0 : knows_zone ? offset_ms : -ZONE_MAX_MS; /* only what is past everywhere */
        if (when.ms - ahead_ms >= soon_ms)
            return OK;
    }
    return refuse(call, date, knows_zone, offset_ms);
}

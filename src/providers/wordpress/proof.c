/* After a write whose answer did not come: was it done? */
#include "providers/wordpress/proof.h"

enum {
    NEWEST = 10,                   /* items that are looked through */
    CLOCKS_DIFFER_MS = 120 * 1000, /* the site's and ours, at most */
    WHY_MAX_BYTES = 400,
    LOOK_MS = 15 * 1000, /* at least so long it may take, also when the write used up the call's time */
};

static int say(struct call *call, int error, struct str why, struct str state)
{
    return fail(call, error, "Outcome unknown, verified state: %.*s (The answer did not come: %.*s)", STR_ARG(state),
                STR_ARG(str_sub(why, 0, WHY_MAX_BYTES)));
}

static struct str sent_text(const struct json *body, struct str name)
{
    const struct json *value = json_get(body, name), *raw = json_get(value, STR("raw"));
    return json_is(raw, JSON_STRING) ? json_str(raw) : json_str(value);
}

/* Titles and texts as they are stored, made or changed while the write was under way. */
static bool is_ours(const struct json *item, const struct json *body, int64_t sent_ms)
{
    int64_t modified_ms;
    return str_eq(json_str(json_path(item, "title.raw")), sent_text(body, STR("title"))) &&
           str_eq(json_str(json_path(item, "content.raw")), sent_text(body, STR("content"))) &&
           clock_parse(json_str(json_get(item, STR("modified_gmt"))), &modified_ms) &&
           modified_ms > sent_ms - CLOCKS_DIFFER_MS;
}

static int look_for_new(struct call *call, const struct wp *wp, struct wp_write *write, int64_t sent_ms, int error,
                        struct str why)
{
    struct wp_query query;
    struct wp_answer answer;
    struct wp_item found;
    const struct json *body;
    struct str type = write->type->slug;
    wp_query_init(call, &query);
    wp_query_add(&query, "status", STR("any"));
    wp_query_add(&query, "context", STR("edit"));
    wp_query_add(&query, "orderby", STR("id"));
    wp_query_add_i64(&query, "per_page", NEWEST);
    wp_query_add(&query, "_fields", STR(WP_ITEM_FIELDS ",modified_gmt"));
    if (json_parse(call->arena, write->body, NULL, &body, NULL) != OK ||
        wp_get(call, wp, write->type->route, &query, &answer) != OK)
        return say(call, error, why,
                   STR("it could not be read afterwards. Look with wp_find status=any order=-id before trying again."));
    for (size_t i = 0; i < json_count(answer.json); i++) {
        if (!is_ours(json_at(answer.json, i), body, sent_ms))
            continue;
        wp_item_read(call, write->type, json_at(answer.json, i), &found);
        wp_write_found(call, wp, write, &found);
        return say(
            call, error, why,
            call_format(call,
                        "it was made all the same. %.*s %lld has this title and text, status %.*s, version %s. Do "
                        "not make it again.",
                        STR_ARG(type), (long long)found.id, STR_ARG(str_sub(found.status, 0, 40)), found.version));
    }
    return say(call, error, why,
               call_format(call,
                           "no %.*s with this title and text is among the %d newest, so it was most likely not made. "
                           "Look with wp_find status=any order=-id, and try again.",
                           STR_ARG(type), NEWEST));
}

/* What is gone, in the trash, or out of it. */
static int look_at_one(struct call *call, const struct wp *wp, struct wp_write *write, int error, struct str why)
{
    struct wp_query query;
    struct wp_answer answer;
    wp_query_init(call, &query);
    wp_query_add(&query, "context", STR("edit"));
    wp_query_add(&query, "_fields", STR("id,status"));
    int looked = wp_get(call, wp, write->route, &query, &answer);
    struct str status = json_str(json_get(answer.json, STR("status")));
    if (looked == E_NOT_FOUND || (looked && answer.status == 410))
        return say(call, error, why, STR("it is not there any more. Do not repeat this."));
    if (looked)
        return say(call, error, why, STR("it could not be read afterwards. Read it before trying again."));
    return say(
        call, error, why,
        call_format(call, "it is there, status %.*s.", STR_ARG(status.len ? str_sub(status, 0, 40) : STR("unknown"))));
}

int proof_look(struct call *call, const struct wp *wp, struct wp_write *write, int64_t sent_ms, int error)
{
    struct str why = call->error_text;
    int64_t deadline_ms = call->deadline_ms, least_ms = clock_monotonic_ms() + LOOK_MS;
    if (call->cancelled)
        return error;
    call_clear_error(call);
    call->deadline_ms = deadline_ms > least_ms ? deadline_ms : least_ms;
    if (write->kind == WP_WRITE_CREATE && write->type && write->type->kind->flags & WP_HAS_BLOCKS)
        error = look_for_new(call, wp, write, sent_ms, error, why);
    else if (write->kind == WP_WRITE_CREATE || write->kind == WP_WRITE_CALL)
        error = say(call, error, why, STR("none. It may have been done; read what it changes before trying again."));
    else
        error = look_at_one(call, wp, write, error, why);
    call->deadline_ms = deadline_ms;
    return error;
}

/* wp_delete: into the trash; for good only when that was confirmed. */
#include "json/json_write.h"
#include "providers/wordpress/content/text.h"
#include "providers/wordpress/structured.h"
#include "providers/wordpress/tools.h"
#include "providers/wordpress/write.h"

#include <stdlib.h>

enum {
    IDS_MAX = 100,
    FOR_GOOD_MAX = 20, /* each is named in the question */
    TITLE_CHARS = 60,
    COMMENTS_MAX = 100, /* of all together; what WordPress gives in one answer */
};

/* --- which ones ---------------------------------------------------------------------------------------------------------- */

struct deletion {
    const struct wp *wp;
    const struct tool_context *context;
    struct wp_type type;
    bool for_good, is_typed; /* is_typed: the type was named */
    struct str *ids;         /* as they were given, each once, numbers ascending: so they can be locked */
    struct wp_item *items;
    bool *found;
    struct wp_comments **comments; /* of each; NULL: not read here */
    size_t n;
};

static int compare_ids(const void *a, const void *b)
{
    const struct str *left = a, *right = b;
    int64_t x, y;
    if (str_to_i64(*left, &x) && str_to_i64(*right, &y))
        return x < y ? -1 : x > y;
    return str_compare(*left, *right);
}

static int take_ids(struct call *call, const struct json *ids, struct deletion *d)
{
    size_t count = json_count(ids), limit = d->for_good ? FOR_GOOD_MAX : IDS_MAX;
    if (count == 0)
        return fail(call, E_INVALID, "ids names nothing.");
    if (count > limit)
        return fail(call, E_LIMIT, "At most %zu items %s at a time.", limit, d->for_good ? "for good" : "to the trash");
    d->ids = arena_array_of(call->arena, struct str, count);
    for (size_t i = 0; i < count; i++)
        d->ids[i] = str_trim(json_str(json_at(ids, i)));
    qsort(d->ids, count, sizeof d->ids[0], compare_ids);
    for (size_t i = 0; i < count; i++)
        if (d->n == 0 || !str_eq(d->ids[d->n - 1], d->ids[i]))
            d->ids[d->n++] = d->ids[i];
    d->items = arena_array_of(call->arena, struct wp_item, d->n);
    d->found = arena_array_of(call->arena, bool, d->n);
    d->comments = arena_array_of(call->arena, struct wp_comments *, d->n);
    return OK;
}

static int check_kind(struct call *call, const struct deletion *d)
{
    const struct wp_kind *kind = d->type.kind;
    char words[RIGHTS_TEXT_BYTES];
    unsigned right = RIGHT_DELETE | (kind->write_right & RIGHT_ADMIN);
    if (str_eq(kind->name, STR("user")))
        return fail(call, E_DENIED, "People are deleted in WordPress itself: what they wrote goes with them.");
    if (!(kind->flags & (WP_TRASHES | WP_DELETES)))
        return fail(call, E_INVALID, "Type %.*s is not deleted here.", STR_ARG(d->type.slug));
    if ((d->wp->rights & right) != right)
        return rights_lack(call, right,
                           fail(call, E_DENIED, "Deleting type %.*s needs the rights %.*s, which this token lacks.",
                                STR_ARG(d->type.slug), STR_ARG(rights_format(right, words))));
    if (!d->for_good && !(kind->flags & WP_TRASHES))
        return fail(call, E_INVALID,
                    "Type %.*s has no trash: it can only be deleted for good (permanent=true, with a confirmation).",
                    STR_ARG(d->type.slug));
    return OK;
}

/* --- reading them -------------------------------------------------------------------------------------------------------- */

static struct str fields_of(struct call *call, const struct deletion *d)
{
    return wp_item_fields(call, &d->type,
                          d->type.kind->flags & WP_HAS_TERMS ? STR("modified,comment_status") : STR_EMPTY);
}

static bool all_numbers(const struct deletion *d)
{
    int64_t id;
    for (size_t i = 0; i < d->n; i++)
        if (!str_to_i64(d->ids[i], &id) || id < 1)
            return false;
    return true;
}

/* Many of one type in one request. */
static int read_together(struct call *call, struct deletion *d)
{
    struct wp_answer answer;
    struct wp_query query;
    int64_t id = 0;
    int error;
    wp_query_init(call, &query);
    wp_query_add(&query, "context", STR("edit"));
    wp_query_add_i64(&query, "per_page", IDS_MAX);
    if (d->type.kind->flags & WP_HAS_BLOCKS) {
        wp_query_add(&query, "status[]", STR("any"));
        wp_query_add(&query, "status[]", STR("trash"));
    } else if (str_eq(d->type.kind->name, STR("comment"))) {
        wp_query_add(&query, "status", STR("any"));
        wp_query_add(&query, "type", STR("all"));
    }
    wp_query_add(&query, "_fields", fields_of(call, d));
    for (size_t i = 0; i < d->n; i++) {
        if (!str_to_i64(d->ids[i], &id))
            return fail(call, E_INTERNAL, "An id is no number after all.");
        if ((error = wp_item_lock(call, d->wp, id)))
            return error;
        wp_query_add_i64(&query, "include[]", id);
    }
    if ((error = wp_get(call, d->wp, d->type.route, &query, &answer)))
        return error;
    for (size_t k = 0; k < json_count(answer.json); k++) {
        struct wp_item item;
        wp_item_read(call, &d->type, json_at(answer.json, k), &item);
        for (size_t i = 0; i < d->n; i++)
            if (str_to_i64(d->ids[i], &id) && id == item.id) {
                d->items[i] = item;
                d->found[i] = true;
            }
    }
    return OK;
}

/* The comments of all that goes to the trash in one request, when they are few; else wp_write() asks for each. */
static void read_comments(struct call *call, struct deletion *d)
{
    struct wp_answer answer;
    struct wp_query query;
    wp_query_init(call, &query);
    wp_query_add(&query, "status", STR("any"));
    wp_query_add(&query, "type", STR("all"));
    wp_query_add(&query, "_fields", STR("id,status,post"));
    wp_query_add_i64(&query, "per_page", COMMENTS_MAX);
    for (size_t i = 0; i < d->n; i++)
        if (d->found[i])
            wp_query_add_i64(&query, "post[]", d->items[i].id);
    if (wp_get(call, d->wp, STR("wp/v2/comments"), &query, &answer)) {
        call_clear_error(call);
        return;
    }
    for (size_t i = 0; answer.total >= 0 && answer.total <= COMMENTS_MAX && i < d->n; i++) {
        d->comments[i] = wp_comments_new(call);
        for (size_t k = 0; k < json_count(answer.json); k++) {
            const struct json *comment = json_at(answer.json, k);
            if (json_i64_or(json_get(comment, STR("post")), 0) == d->items[i].id)
                wp_comments_keep(d->comments[i], comment);
        }
    }
}

static int read_one_by_one(struct call *call, struct deletion *d, struct str type_name)
{
    struct str extra = d->type.kind->flags & WP_HAS_TERMS ? STR("modified,comment_status") : STR_EMPTY;
    struct str *keys = arena_array_of(call->arena, struct str, d->n);
    memcpy(keys, d->ids, d->n * sizeof *keys);
    int error = wp_items_lock(call, d->wp, type_name, keys, d->n);
    for (size_t i = 0; !error && i < d->n; i++) {
        error = wp_item_get_locked(call, d->wp, type_name, keys[i], extra, &d->items[i]);
        d->found[i] = !error;
        if (error == E_NOT_FOUND) {
            call_clear_error(call);
            error = OK;
        }
    }
    return error;
}

/* WordPress says the same of what is gone, is of another type, or is not this user's to edit. */
static struct str not_found(struct call *call, const struct deletion *d, struct str id)
{
    return call_format(call, "no %.*s %.*s that this WordPress user may edit%s", STR_ARG(d->type.slug),
                       STR_ARG(str_sub(id, 0, 80)), d->is_typed ? "" : "; for other types give type");
}

/* "12", "012" and its slug are one item: it stays under the first of them. */
static void drop_doubles(struct deletion *d)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++) {
        size_t k = 0;
        while (k < n && !(d->found[i] && d->found[k] && str_eq(d->items[k].key, d->items[i].key)))
            k++;
        if (k < n)
            continue;
        d->ids[n] = d->ids[i];
        d->items[n] = d->items[i];
        d->found[n++] = d->found[i];
    }
    d->n = n;
}

static int read_items(struct call *call, struct deletion *d, struct str type_name)
{
    bool together = d->n > 1 && (d->type.kind->flags & WP_HAS_INCLUDE) && all_numbers(d);
    int error = together ? read_together(call, d) : read_one_by_one(call, d, type_name);
    if (!error)
        drop_doubles(d);
    if (!error && together && !d->for_good && (d->type.kind->flags & WP_HAS_TERMS))
        read_comments(call, d);
    for (size_t i = 0; !error && d->for_good && i < d->n; i++)
        if (!d->found[i])
            return fail(call, E_NOT_FOUND, "There is %.*s. Nothing was deleted.",
                        STR_ARG(not_found(call, d, d->ids[i])));
    return error;
}

/* --- asking -------------------------------------------------------------------------------------------------------------- */

/* What goes along with it, as far as it can be told. */
static const char *goes_along(const struct wp_kind *kind)
{
    if (str_eq(kind->name, STR("menu")))
        return "all their items";
    if (str_eq(kind->name, STR("media")))
        return "their files";
    if (str_eq(kind->name, STR("plugin")))
        return "their data where they remove it";
    return kind == &wp_kind_post ? "comments and revisions" : "";
}

static int confirm(struct call *call, const struct deletion *d)
{
    struct buf items;
    struct str type = d->type.slug, site = d->context->site->name;
    const char *along = goes_along(d->type.kind);
    buf_init(&items, call->arena, 16 * 1024);
    for (size_t i = 0; i < d->n; i++) {
        const struct wp_item *item = &d->items[i];
        int64_t count = json_i64_or(json_get(item->json, STR("count")), 0);
        struct str title = text_cut(item->title.len ? item->title : item->raw, TITLE_CHARS);
        buf_add_format(&items, "%s%.*s", i ? "; " : "", STR_ARG(item->key));
        if (title.len)
            buf_add_format(&items, " \"%.*s\"", STR_ARG(title));
        if (item->status.len)
            buf_add_format(&items, " (%.*s)", STR_ARG(item->status));
        if (count)
            buf_add_format(&items, " (of %lld items)", (long long)count);
    }
    if (buf_failed(&items))
        return fail(call, E_LIMIT, "That is too much to be named in one question. Delete fewer at a time.");
    struct str what = *along ? call_format(call, "delete for good %zu of type %.*s of %.*s, with %s: %.*s", d->n,
                                           STR_ARG(type), STR_ARG(site), along, STR_ARG(buf_str(&items)))
                             : call_format(call, "delete for good %zu of type %.*s of %.*s: %.*s", d->n, STR_ARG(type),
                                           STR_ARG(site), STR_ARG(buf_str(&items)));
    return host_confirm_for_good(call, d->context->host, what);
}

/* --- doing it ------------------------------------------------------------------------------------------------------------ */

/* What came of one item, as the line in the text says it. */
static void structured_line(struct structured *s, int64_t id, struct str key, const char *done, struct str why_not,
                            const struct wp_write *write)
{
    structured_object(s, NULL);
    structured_id(s, "id", id, key);
    structured_str(s, "done", str_from(done));
    structured_str(s, "not_done", why_not);
    if (write)
        structured_undo(s, write);
    structured_close(s);
}

static int delete_one(struct call *call, const struct deletion *d, size_t index, struct structured *s, struct buf *out)
{
    const struct wp_item *item = &d->items[index];
    struct wp_write *write = arena_new_of(call->arena, struct wp_write);
    struct wp_query query;
    struct wp_answer answer;
    wp_query_init(call, &query);
    /* The one place where force is said, and only after confirm(). */
    if (d->for_good && !(d->type.kind->flags & WP_NO_FORCE))
        wp_query_add(&query, "force", STR("true"));
    *write = (struct wp_write){
        .kind = d->for_good ? WP_WRITE_DELETE : WP_WRITE_TRASH,
        .context = d->context,
        .type = &item->type,
        .before = item,
        .method = "DELETE",
        .route = wp_item_route(call, item),
        .query = &query,
        .comments = d->comments[index],
    };
    int error = wp_write(call, d->wp, write, &answer);
    if (error && str_eq(answer.code, STR("rest_trash_not_supported")))
        return fail(call, error, "it has no trash here; permanent=true would delete it for good.");
    if (error && str_eq(answer.code, STR("rest_already_trashed"))) {
        call_clear_error(call);
        buf_add_format(out, "%.*s was in the trash already\n", STR_ARG(item->key));
        structured_line(s, item->id, item->key, "was in the trash already", STR_EMPTY, NULL);
        return OK;
    }
    if (error)
        return error;
    const char *done = "trashed";
    if (d->for_good)
        done = "deleted for good";
    else if (json_bool_or(json_get(answer.json, STR("deleted")), false)) /* a type of a plugin's own making */
        done = "deleted for good, because WordPress keeps no trash for it";
    buf_add_format(out, "%.*s %s", STR_ARG(item->key), done);
    wp_write_say(write, out);
    buf_add_char(out, '\n');
    structured_line(s, item->id, item->key, done, STR_EMPTY, write);
    return OK;
}

/* After these there is no sense in going on. */
static bool ends_all(int error)
{
    return error == E_REFUSED || error == E_CANCELLED || error == E_TIMEOUT || error == E_UNAVAILABLE;
}

static int delete_all(struct call *call, const struct deletion *d, struct tool_result *result)
{
    struct buf *out = &result->text;
    struct structured *s = structured_begin(call, d->context);
    size_t failed = 0;
    int last = OK;
    structured_str(s, "type", d->type.slug);
    structured_array(s, "items");
    for (size_t i = 0; i < d->n; i++) {
        struct str id = str_sub(d->ids[i], 0, 80);
        if (!d->found[i] || ends_all(last)) {
            struct str why = d->found[i] ? STR("what came before it failed") : not_found(call, d, id);
            buf_add_format(out, "%.*s: not done: %.*s\n", STR_ARG(id), STR_ARG(why));
            structured_line(s, 0, id, "", why, NULL);
            failed++;
            continue;
        }
        if (!d->for_good && str_eq(d->items[i].status, STR("trash"))) {
            buf_add_format(out, "%.*s was in the trash already\n", STR_ARG(id));
            structured_line(s, d->items[i].id, id, "was in the trash already", STR_EMPTY, NULL);
            continue;
        }
        last = delete_one(call, d, i, s, out);
        if (!last)
            continue;
        failed++;
        buf_add_format(out, "%.*s: not done: %.*s\n", STR_ARG(id), STR_ARG(call->error_text));
        structured_line(s, d->items[i].id, id, "", call->error_text, NULL);
        if (last == E_REFUSED) /* noticed above, so that the site is not asked again and again */
            return last;
        call_clear_error(call);
    }
    out->len -= out->len && out->ptr[out->len - 1] == '\n';
    result->is_error = failed == d->n;
    structured_close(s);
    if (!result->is_error)
        structured_end(s, result);
    return OK;
}

static void write_audit(struct call *call, const struct deletion *d, struct tool_result *result)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, 16 * 1024);
    json_write_init(&w, &text);
    json_object(&w);
    json_member_str(&w, "type", d->type.slug);
    json_member_bool(&w, "permanent", d->for_good);
    json_key(&w, STR("ids"));
    json_array(&w);
    for (size_t i = 0; i < d->n; i++)
        json_string(&w, str_sub(d->ids[i], 0, 100));
    json_end(&w);
    json_end(&w);
    if (!buf_failed(&text))
        result->audit_json = buf_str(&text);
}

int tool_delete(struct call *call, const struct tool_context *context, const struct json *arguments,
                struct tool_result *result)
{
    struct wp wp;
    struct deletion *d = arena_new_of(call->arena, struct deletion);
    struct str type_name = json_str(json_get(arguments, STR("type")));
    int error;
    *d = (struct deletion){
        .wp = &wp,
        .context = context,
        .for_good = json_bool_or(json_get(arguments, STR("permanent")), false),
        .is_typed = type_name.len > 0,
    };
    if ((error = take_ids(call, json_get(arguments, STR("ids")), d)) ||
        (error = wp_open(call, context->site, context->rights, &wp)))
        return error;
    wp.host = context->host;
    if ((error = wp_type_find(call, &wp, type_name, &d->type)) || (error = check_kind(call, d)) ||
        (error = read_items(call, d, type_name.len ? type_name : STR("post"))) ||
        (d->for_good && (error = confirm(call, d))))
        return error;
    write_audit(call, d, result);
    return delete_all(call, d, result);
}

/* One post, page or item of a custom type. */
#include "providers/wordpress/item.h"

#include "net/task.h"
#include "net/url.h"
#include "providers/wordpress/content/text.h"

#include <sodium.h>
#include <stdlib.h>

enum { SLUG_MAX_BYTES = 200 };

/* --- what an answer holds ------------------------------------------------------------------------------------------------ */

static void make_version(const struct wp_item *item, char out[VERSION_BYTES])
{
    unsigned char hash[crypto_generichash_BYTES_MIN];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    const struct str parts[] = {item->title, item->status, item->raw};
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
        uint64_t length = parts[i].len; /* so that no two splits of the same bytes are alike */
        crypto_generichash_update(&state, (const unsigned char *)&length, sizeof length);
        crypto_generichash_update(&state, (const unsigned char *)parts[i].ptr, parts[i].len);
    }
    crypto_generichash_final(&state, hash, sizeof hash);
    sodium_bin2hex(out, VERSION_BYTES, hash, (VERSION_BYTES - 1) / 2);
}

void wp_item_read(struct call *call, const struct wp_type *type, const struct json *json, struct wp_item *ret)
{
    const struct json *raw = json_path(json, "content.raw"), *title = json_path(json, "title.raw");
    *ret = (struct wp_item){
        .type = *type,
        .id = json_i64_or(json_get(json, STR("id")), 0),
        .status = json_str(json_get(json, STR("status"))),
        .slug = json_str(json_get(json, STR("slug"))),
        .link = json_str(json_get(json, STR("link"))),
        .date = json_str(json_get(json, STR("date"))),
        .is_raw = json_is(raw, JSON_STRING),
        .json = json,
    };
    ret->raw = ret->is_raw ? json_str(raw) : json_str(json_path(json, "content.rendered"));
    ret->title = json_is(title, JSON_STRING) ? json_str(title)
                                             : text_from_html(call->arena, json_str(json_path(json, "title.rendered")));
    make_version(ret, ret->version);
}

/* --- finding one --------------------------------------------------------------------------------------------------------- */

static void add_fields(struct call *call, struct wp_query *query, struct str extra_fields)
{
    wp_query_add(query, "_fields",
                 call_format(call, WP_ITEM_FIELDS "%s%.*s", extra_fields.len ? "," : "", STR_ARG(extra_fields)));
}

static bool is_denied_context(const struct wp_answer *answer)
{
    return str_eq(answer->code, STR("rest_forbidden_context")) || str_eq(answer->code, STR("rest_cannot_edit")) ||
           str_eq(answer->code, STR("rest_forbidden_status")) || str_eq(answer->code, STR("rest_invalid_param"));
}

/* The item or the list at `route`, as an editor sees it, or else as a visitor does. */
static int get_either(struct call *call, const struct wp *wp, struct str route, struct str slug,
                      struct str extra_fields, struct wp_answer *ret)
{
    struct wp_query query;
    wp_query_init(call, &query);
    if (slug.len) {
        wp_query_add(&query, "slug", slug);
        wp_query_add(&query, "status", STR("any"));
    }
    wp_query_add(&query, "context", STR("edit"));
    add_fields(call, &query, extra_fields);
    int error = wp_get(call, wp, route, &query, ret);
    if (!error || !is_denied_context(ret))
        return error;
    call_clear_error(call);
    wp_query_init(call, &query);
    if (slug.len)
        wp_query_add(&query, "slug", slug);
    add_fields(call, &query, extra_fields);
    return wp_get(call, wp, route, &query, ret);
}

static int get_by_id(struct call *call, const struct wp *wp, const struct wp_type *type, int64_t id,
                     struct str extra_fields, struct wp_item *ret)
{
    struct wp_answer answer;
    struct str route = call_format(call, "%.*s/%lld", STR_ARG(type->route), (long long)id);
    int error = get_either(call, wp, route, STR_EMPTY, extra_fields, &answer);
    if (error == E_NOT_FOUND && str_eq(answer.code, STR("rest_post_invalid_id")))
        return fail(call, E_NOT_FOUND, "There is no %.*s %lld.", STR_ARG(type->slug), (long long)id);
    if (error)
        return error;
    wp_item_read(call, type, answer.json, ret);
    return ret->id ? OK : fail(call, E_UPSTREAM, "The site's answer holds no item.");
}

static int get_by_slug(struct call *call, const struct wp *wp, const struct wp_type *type, struct str slug,
                       struct str extra_fields, struct wp_item *ret)
{
    struct wp_answer answer;
    int error = get_either(call, wp, type->route, slug, extra_fields, &answer);
    if (error)
        return error;
    if (json_count(answer.json) == 0)
        return fail(call, E_NOT_FOUND, "There is no %.*s with the slug '%.*s'.", STR_ARG(type->slug), STR_ARG(slug));
    if (json_count(answer.json) > 1)
        return fail(call, E_CONFLICT,
                    "%zu items of type %.*s have the slug '%.*s': give an id (wp_find with filter {\"slug\": ...}).",
                    json_count(answer.json), STR_ARG(type->slug), STR_ARG(slug));
    wp_item_read(call, type, json_at(answer.json, 0), ret);
    return ret->id ? OK : fail(call, E_UPSTREAM, "The site's answer holds no item.");
}

struct reference {
    int64_t id; /* or 0 */
    struct str slug;
};

static bool is_slug(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x80 && !ascii_is_alnum((char)c) && c != '-' && c != '_' && c != '%')
            return false;
    }
    return text.len > 0 && text.len <= SLUG_MAX_BYTES;
}

/* An address on this site: ?p=12, ?page_id=12, post.php?post=12, or a pretty one whose last segment is the slug. */
static int read_address(struct call *call, const struct wp *wp, struct str text, struct reference *ret)
{
    struct url url, root;
    if (url_parse(call->arena, text, &url) != OK || url_parse(call->arena, wp->rest_root, &root) != OK)
        return fail(call, E_INVALID, "'%.*s' is not an address that can be read.", STR_ARG(str_sub(text, 0, 200)));
    if (!str_eq(url.host, root.host))
        return fail(call, E_INVALID, "The address belongs to %.*s, but this connection is to %.*s.", STR_ARG(url.host),
                    STR_ARG(root.host));
    struct str name, value, query = url.query;
    while (url_query_next(call->arena, &query, true, &name, &value))
        if ((str_eq(name, STR("p")) || str_eq(name, STR("page_id")) || str_eq(name, STR("post"))) &&
            str_to_i64(value, &ret->id))
            return OK;
    struct str path = url.path;
    while (str_ends_with(path, STR("/")))
        path.len--;
    ret->slug = url_decode(call->arena, str_from_offset(path, str_find_last_char(path, '/') + 1), false);
    if (!is_slug(ret->slug))
        return fail(call, E_INVALID,
                    "The address names no single item. Give the item's own address, its id or its slug.");
    return OK;
}

static int read_reference(struct call *call, const struct wp *wp, struct str text, struct reference *ret)
{
    *ret = (struct reference){0};
    text = str_trim(text);
    if (str_to_i64(text, &ret->id) && ret->id > 0)
        return OK;
    ret->id = 0;
    if (str_starts_with_nocase(text, STR("http://")) || str_starts_with_nocase(text, STR("https://")))
        return read_address(call, wp, text, ret);
    if (!is_slug(text))
        return fail(call, E_INVALID, "'%.*s' is no id, address or slug.", STR_ARG(str_sub(text, 0, 200)));
    ret->slug = text;
    return OK;
}

static int get_referenced(struct call *call, const struct wp *wp, struct str type_name,
                          const struct reference *reference, struct str extra_fields, struct wp_item *ret)
{
    struct wp_type type;
    int error = wp_type_find(call, wp, type_name, &type);
    if (error)
        return error;
    return reference->id ? get_by_id(call, wp, &type, reference->id, extra_fields, ret)
                         : get_by_slug(call, wp, &type, reference->slug, extra_fields, ret);
}

int wp_item_get(struct call *call, const struct wp *wp, struct str type, struct str id, struct str extra_fields,
                struct wp_item *ret)
{
    struct reference reference;
    int error = read_reference(call, wp, id, &reference);
    if (error)
        return error;
    error = get_referenced(call, wp, type, &reference, extra_fields, ret);
    if (error != E_NOT_FOUND || type.len)
        return error;
    /* No type was named: what is no post may be a page. */
    call_clear_error(call);
    error = get_referenced(call, wp, STR("page"), &reference, extra_fields, ret);
    if (error == E_NOT_FOUND)
        return fail(call, E_NOT_FOUND, "There is no post or page '%.*s'. For other types give type.",
                    STR_ARG(str_sub(id, 0, 200)));
    return error;
}

/* --- who may write ------------------------------------------------------------------------------------------------------- */

bool wp_status_is_public(struct str status)
{
    return !str_eq(status, STR("draft")) && !str_eq(status, STR("pending")) && !str_eq(status, STR("private")) &&
           !str_eq(status, STR("auto-draft"));
}

int wp_may_write(struct call *call, const struct wp *wp, struct str status)
{
    if (str_eq(status, STR("trash")))
        return fail(call, E_INVALID, "An item in the trash is not changed, and none is put there this way.");
    if (wp_status_is_public(status)) {
        if (wp->rights & RIGHT_PUBLISH)
            return OK;
        return fail(
            call, E_DENIED,
            "Status '%.*s' is public, and this token may not change what is public: it lacks the right publish. It may "
            "write drafts.",
            STR_ARG(str_sub(status, 0, 40)));
    }
    if (wp->rights & (RIGHT_DRAFT | RIGHT_PUBLISH))
        return OK;
    return fail(call, E_DENIED, "This token may only read.");
}

/* --- one edit at a time -------------------------------------------------------------------------------------------------- */

struct item_lock {
    struct item_lock *next;
    int64_t connection_id, id;
    size_t users; /* holder and those who wait */
    bool is_held;
    struct task_queue queue;
};
static struct item_lock *locks;

static void drop_user(struct item_lock *lock)
{
    if (--lock->users > 0)
        return;
    for (struct item_lock **at = &locks; *at; at = &(*at)->next)
        if (*at == lock) {
            *at = lock->next;
            free(lock);
            return;
        }
}

static void unlock(void *object)
{
    struct item_lock *lock = object;
    lock->is_held = task_queue_wake_one(&lock->queue); /* handed on, not free in between */
    drop_user(lock);
}

static int lock_item(struct call *call, const struct wp *wp, int64_t id)
{
    struct item_lock *lock = locks;
    while (lock && (lock->connection_id != wp->site->connection_id || lock->id != id))
        lock = lock->next;
    if (!lock) {
        if (!(lock = calloc(1, sizeof *lock)))
            return fail(call, E_UNAVAILABLE, "There is not enough memory right now. Try again.");
        lock->connection_id = wp->site->connection_id;
        lock->id = id;
        lock->next = locks;
        locks = lock;
    }
    lock->users++;
    if (lock->is_held) {
        int error = task_queue_wait(call, &lock->queue);
        if (error) {
            drop_user(lock);
            return error;
        }
    }
    lock->is_held = true;
    arena_defer(call->arena, unlock, lock);
    return OK;
}

int wp_item_get_locked(struct call *call, const struct wp *wp, struct str type, struct str id, struct str extra_fields,
                       struct wp_item *ret)
{
    struct reference reference;
    int error = read_reference(call, wp, id, &reference);
    if (!error && !reference.id) {
        /* The id must be found before it can be locked, and the item read again behind the lock. */
        error = wp_item_get(call, wp, type, id, STR_EMPTY, ret);
        reference.id = ret->id;
        type = ret->type.slug;
    }
    if (error || (error = lock_item(call, wp, reference.id)))
        return error;
    return wp_item_get(call, wp, type, call_format(call, "%lld", (long long)reference.id), extra_fields, ret);
}

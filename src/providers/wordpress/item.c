/* One item of any type. */
#include "providers/wordpress/item.h"

#include "json/json_write.h"
#include "net/task.h"
#include "net/url.h"
#include "providers/site.h"
#include "providers/wordpress/content/text.h"

#include <sodium.h>
#include <stdlib.h>

enum { SLUG_MAX_BYTES = 200 };

/* --- what an answer holds ------------------------------------------------------------------------------------------------ */

static void write_version(crypto_generichash_state *state, char out[VERSION_BYTES])
{
    unsigned char hash[crypto_generichash_BYTES_MIN];
    uint64_t number;
    crypto_generichash_final(state, hash, sizeof hash);
    memcpy(&number, hash, sizeof number);
    number %= 1000000000;
    for (int i = VERSION_BYTES - 2; i >= 0; i--, number /= 10)
        out[i] = (char)('0' + number % 10);
    out[VERSION_BYTES - 1] = 0;
}

static void add_part(crypto_generichash_state *state, struct str part)
{
    uint64_t length = part.len; /* so that no two splits of the same bytes are alike */
    crypto_generichash_update(state, (const unsigned char *)&length, sizeof length);
    crypto_generichash_update(state, (const unsigned char *)part.ptr, part.len);
}

static void make_version(const struct wp_item *item, char out[VERSION_BYTES])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, crypto_generichash_BYTES_MIN);
    add_part(&state, item->title);
    add_part(&state, item->status);
    add_part(&state, item->raw);
    write_version(&state, out);
}

/* Of things that are no texts: of all that the kind shows, but what others change meanwhile. */
static void make_version_of_all(struct call *call, const struct wp_item *item, char out[VERSION_BYTES])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, crypto_generichash_BYTES_MIN);
    for (size_t i = 0; json_is(item->json, JSON_OBJECT) && i < json_count(item->json); i++) {
        struct json_member member = json_member_at(item->json, i);
        bool shown = !item->type.kind->fields.len || wp_list_has(item->type.kind->fields, member.name);
        if (!shown || wp_list_has(STR("_links,count,rendered,modified,modified_gmt"), member.name))
            continue;
        struct buf text;
        buf_init(&text, call->arena, SITE_ANSWER_MAX_BYTES);
        json_canonical(&text, member.value);
        add_part(&state, member.name);
        add_part(&state, buf_str(&text));
    }
    write_version(&state, out);
}

/* {"raw":"x","rendered":"<p>x"} or "x" */
static struct str text_of(struct call *call, const struct json *value, bool *ret_is_raw)
{
    const struct json *raw = json_get(value, STR("raw"));
    *ret_is_raw = json_is(raw, JSON_STRING) || json_is(value, JSON_STRING);
    if (*ret_is_raw)
        return json_is(raw, JSON_STRING) ? json_str(raw) : json_str(value);
    return text_from_html(call->arena, json_str(json_get(value, STR("rendered"))));
}

static struct str key_of(struct call *call, const struct wp_kind *kind, const struct json *json)
{
    const struct json *id = json_get(json, kind->id_field);
    int64_t number;
    if (json_to_i64(id, &number))
        return number > 0 ? call_format(call, "%lld", (long long)number) : STR_EMPTY;
    return kind->id == WP_ID_NONE ? kind->name : json_str(id);
}

static void read_plain(struct call *call, struct wp_item *item)
{
    const struct wp_kind *kind = item->type.kind;
    bool is_raw = true;
    if (kind->title.len)
        item->title = text_of(call, json_get(item->json, kind->title), &is_raw);
    if (kind->text.len)
        item->raw = text_of(call, json_get(item->json, kind->text), &item->is_raw);
    make_version_of_all(call, item, item->version);
}

void wp_item_read(struct call *call, const struct wp_type *type, const struct json *json, struct wp_item *ret)
{
    const struct json *raw = json_path(json, "content.raw"), *title = json_path(json, "title.raw");
    *ret = (struct wp_item){
        .type = *type,
        .id = json_i64_or(json_get(json, STR("id")), 0),
        .key = key_of(call, type->kind, json),
        .status = json_str(json_get(json, STR("status"))),
        .slug = json_str(json_get(json, STR("slug"))),
        .link = json_str(json_get(json, STR("link"))),
        .date = json_str(json_get(json, STR("date"))),
        .is_raw = json_is(raw, JSON_STRING),
        .json = json,
    };
    if (!(type->kind->flags & WP_HAS_BLOCKS)) {
        read_plain(call, ret);
        return;
    }
    ret->raw = ret->is_raw ? json_str(raw) : json_str(json_path(json, "content.rendered"));
    ret->title = json_is(title, JSON_STRING) ? json_str(title)
                                             : text_from_html(call->arena, json_str(json_path(json, "title.rendered")));
    make_version(ret, ret->version);
}

struct str wp_item_route(struct call *call, const struct wp_item *item)
{
    return item->type.kind->id == WP_ID_NONE
               ? item->type.route
               : call_format(call, "%.*s/%.*s", STR_ARG(item->type.route), STR_ARG(item->key));
}

struct str wp_item_fields(struct call *call, const struct wp_type *type, struct str extra_fields)
{
    struct str fields = type->kind->flags & WP_HAS_BLOCKS ? STR(WP_ITEM_FIELDS) : type->kind->fields;
    return fields.len && extra_fields.len ? call_format(call, "%.*s,%.*s", STR_ARG(fields), STR_ARG(extra_fields))
                                          : fields;
}

/* --- finding one --------------------------------------------------------------------------------------------------------- */

static void add_fields(struct call *call, struct wp_query *query, const struct wp_type *type, struct str extra_fields)
{
    struct str fields = wp_item_fields(call, type, extra_fields);
    if (fields.len)
        wp_query_add(query, "_fields", fields);
}

/* With 401 WordPress saw nobody at all: the password did not arrive, and what visitors see must not pass for the item. */
static bool is_denied_context(int error, const struct wp_answer *answer)
{
    if (answer->status == 401)
        return false;
    return error == E_DENIED || str_eq(answer->code, STR("rest_forbidden_context")) ||
           str_eq(answer->code, STR("rest_cannot_edit")) || str_eq(answer->code, STR("rest_forbidden_status")) ||
           str_eq(answer->code, STR("rest_invalid_param"));
}

static void add_slug(struct wp_query *query, const struct wp_type *type, struct str slug, bool as_editor)
{
    if (!slug.len)
        return;
    wp_query_add(query, "slug", slug);
    if (as_editor && (type->kind->flags & WP_HAS_BLOCKS))
        wp_query_add(query, "status", STR("any"));
}

/* The item or the list at `route`, as an editor sees it, or else as a visitor does. */
static int get_either(struct call *call, const struct wp *wp, const struct wp_type *type, struct str route,
                      struct str slug, struct str extra_fields, struct wp_answer *ret)
{
    struct wp_query query;
    wp_query_init(call, &query);
    add_slug(&query, type, slug, true);
    wp_query_add(&query, "context", STR("edit"));
    add_fields(call, &query, type, extra_fields);
    int error = wp_get(call, wp, route, &query, ret);
    if (!error || !is_denied_context(error, ret))
        return error;
    call_clear_error(call);
    wp_query_init(call, &query);
    add_slug(&query, type, slug, false);
    add_fields(call, &query, type, extra_fields);
    return wp_get(call, wp, route, &query, ret);
}

static int take_item(struct call *call, const struct wp_type *type, const struct json *json, struct wp_item *ret)
{
    wp_item_read(call, type, json, ret);
    return ret->key.len ? OK : fail(call, E_UPSTREAM, "The site's answer holds no item.");
}

static int get_from_list(struct call *call, const struct wp *wp, const struct wp_type *type, struct str key,
                         struct wp_item *ret)
{
    struct wp_answer answer;
    struct wp_query query;
    wp_query_init(call, &query);
    add_fields(call, &query, type, STR_EMPTY);
    int error = wp_get(call, wp, type->route, &query, &answer);
    for (size_t i = 0; !error && i < json_count(answer.json); i++)
        if (str_eq(json_str(json_get(json_at(answer.json, i), type->kind->id_field)), key))
            return take_item(call, type, json_at(answer.json, i), ret);
    return error ? error
                 : fail(call, E_NOT_FOUND, "There is no %.*s '%.*s'.", STR_ARG(type->slug),
                        STR_ARG(str_sub(key, 0, 100)));
}

static int get_by_key(struct call *call, const struct wp *wp, const struct wp_type *type, struct str key,
                      struct str extra_fields, struct wp_item *ret)
{
    struct wp_answer answer;
    if (type->kind->flags & WP_NO_SINGLE)
        return get_from_list(call, wp, type, key, ret);
    struct wp_item named = {.type = *type, .key = key};
    int error = get_either(call, wp, type, wp_item_route(call, &named), STR_EMPTY, extra_fields, &answer);
    if (error == E_NOT_FOUND && !str_eq(answer.code, STR("rest_no_route")))
        return fail(call, E_NOT_FOUND, "There is no %.*s %.*s.", STR_ARG(type->slug), STR_ARG(str_sub(key, 0, 100)));
    return error ? error : take_item(call, type, answer.json, ret);
}

struct reference {
    int64_t id;            /* or 0 */
    struct str slug;       /* or empty */
    struct str host, path; /* of the address that the slug was taken from, the path decoded; or empty */
    struct str key;        /* of kinds whose ids are no numbers */
};

/* Decoded, for one is written %C3%A9 and the other %c3%a9; without slashes at its end. */
static struct str plain_path(struct call *call, struct str path)
{
    path = url_decode(call->arena, path, false);
    while (str_ends_with(path, STR("/")))
        path.len--;
    return path;
}

enum place { PLACE_ELSEWHERE, PLACE_UNKNOWN, PLACE_SAME };

/*
 * Does this item live at the path? Unknown where links are ids (plain permalinks, drafts), where there is none, and of a file that
 * lies on another server.
 */
static enum place place_of(struct call *call, const struct json *item, const struct reference *reference)
{
    static const struct str names[] = {STR_INIT("link"), STR_INIT("permalink"), STR_INIT("source_url")};
    enum place place = PLACE_UNKNOWN;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        struct url url;
        struct str link = json_str(json_get(item, names[i]));
        bool is_file = str_eq(names[i], STR("source_url"));
        if (!link.len || url_parse(call->arena, link, &url) != OK || url.query.len)
            continue;
        if (str_eq_nocase(plain_path(call, url.path), reference->path))
            return PLACE_SAME;
        place = is_file && !str_eq(url.host, reference->host) ? PLACE_UNKNOWN : PLACE_ELSEWHERE;
    }
    return place;
}

/* Of those with the slug the one at the address, where one was given: other items may be called the same elsewhere. */
static int get_by_slug(struct call *call, const struct wp *wp, const struct wp_type *type,
                       const struct reference *reference, struct str extra_fields, struct wp_item *ret,
                       bool *ret_is_sure)
{
    struct wp_answer answer;
    struct str slug = reference->slug;
    const struct json *found = NULL;
    enum place best = PLACE_UNKNOWN;
    size_t n = 0;
    int error = get_either(call, wp, type, type->route, slug, extra_fields, &answer);
    if (error)
        return error;
    for (size_t i = 0; i < json_count(answer.json); i++) {
        const struct json *item = json_at(answer.json, i);
        enum place place = reference->path.len ? place_of(call, item, reference) : PLACE_SAME;
        if (place < best)
            continue;
        n = place > best ? 1 : n + 1;
        best = place;
        found = item;
    }
    *ret_is_sure = best == PLACE_SAME;
    if (n == 0 && json_count(answer.json))
        return fail(call, E_NOT_FOUND, "There is no %.*s at this address: the one with the slug '%.*s' is %.*s.",
                    STR_ARG(type->slug), STR_ARG(slug),
                    STR_ARG(json_str(json_get(json_at(answer.json, 0), STR("link")))));
    if (n == 0)
        return fail(call, E_NOT_FOUND, "There is no %.*s with the slug '%.*s'.", STR_ARG(type->slug), STR_ARG(slug));
    if (n > 1)
        return fail(call, E_CONFLICT,
                    "%zu items of type %.*s have the slug '%.*s': give an id (wp_find with filter {\"slug\": ...}).", n,
                    STR_ARG(type->slug), STR_ARG(slug));
    return take_item(call, type, found, ret);
}

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
    ret->host = url.host;
    ret->path = plain_path(call, path);
    if (str_find_char(ret->slug, '.') != STR_NOT_FOUND) /* a file's: its item has the name without the ending */
        ret->slug = str_sub(ret->slug, 0, str_find_last_char(ret->slug, '.'));
    if (!is_slug(ret->slug))
        return fail(call, E_INVALID,
                    "The address names no single item. Give the item's own address, its id or its slug.");
    return OK;
}

/* "theme//home", "folder/file", "sidebar-1": plain pieces, so that the path stays below the type's route. */
static bool is_key(struct str text, bool with_slashes)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!ascii_is_alnum(c) && c != '_' && c != '-' && (c != '.' || i == 0 || text.ptr[i - 1] == '.') &&
            (c != '/' || !with_slashes || i == 0 || i + 1 == text.len))
            return false;
    }
    return text.len > 0 && text.len <= SLUG_MAX_BYTES && !str_contains(text, STR("/.")) &&
           !str_contains(text, STR("./")) && !str_ends_with(text, STR("."));
}

static int read_reference(struct call *call, const struct wp *wp, const struct wp_kind *kind, struct str text,
                          struct reference *ret)
{
    *ret = (struct reference){0};
    text = str_trim(text);
    if (kind->id != WP_ID_NUMBER) {
        ret->key = kind->id == WP_ID_NONE ? kind->name : text;
        if (kind->id == WP_ID_PATH && str_ends_with(text, STR(".php"))) /* a plugin's file, as people know it */
            ret->key = str_sub(text, 0, text.len - 4);
        if (is_key(ret->key, kind->id == WP_ID_PATH))
            return OK;
        return fail(call, E_INVALID, "'%.*s' is no id of a %.*s. wp_find lists them.", STR_ARG(str_sub(text, 0, 200)),
                    STR_ARG(kind->name));
    }
    if (str_to_i64(text, &ret->id) && ret->id > 0)
        return OK;
    ret->id = 0;
    if (!(kind->flags & WP_BY_SLUG))
        return fail(call, E_INVALID, "'%.*s' is no id: a %.*s has a number. wp_find lists them.",
                    STR_ARG(str_sub(text, 0, 200)), STR_ARG(kind->name));
    if (str_starts_with_nocase(text, STR("http://")) || str_starts_with_nocase(text, STR("https://")))
        return read_address(call, wp, text, ret);
    if (!is_slug(text))
        return fail(call, E_INVALID, "'%.*s' is no id, address or slug.", STR_ARG(str_sub(text, 0, 200)));
    ret->slug = text;
    return OK;
}

static int get_referenced(struct call *call, const struct wp *wp, const struct wp_type *type,
                          const struct reference *reference, struct str extra_fields, struct wp_item *ret,
                          bool *ret_is_sure)
{
    if (reference->slug.len)
        return get_by_slug(call, wp, type, reference, extra_fields, ret, ret_is_sure);
    *ret_is_sure = true;
    struct str key = reference->key.len ? reference->key : call_format(call, "%lld", (long long)reference->id);
    return get_by_key(call, wp, type, key, extra_fields, ret);
}

static int find_type(struct call *call, const struct wp *wp, struct str name, struct wp_type *ret)
{
    int error = wp_type_find(call, wp, name, ret);
    return error ? error : wp_may_read(call, wp, ret);
}

static int get_page(struct call *call, const struct wp *wp, const struct reference *reference, struct str extra_fields,
                    struct wp_item *ret, bool *ret_is_sure)
{
    struct wp_type type;
    int error = wp_type_find(call, wp, STR("page"), &type);
    return error ? error : get_referenced(call, wp, &type, reference, extra_fields, ret, ret_is_sure);
}

int wp_item_get(struct call *call, const struct wp *wp, struct str type_name, struct str id, struct str extra_fields,
                struct wp_item *ret)
{
    struct reference reference;
    struct wp_type type;
    struct wp_item page;
    bool is_sure = false;
    int error = find_type(call, wp, type_name, &type);
    if (error || (error = read_reference(call, wp, type.kind, id, &reference)))
        return error;
    error = get_referenced(call, wp, &type, &reference, extra_fields, ret, &is_sure);
    if (type_name.len || (!error && is_sure) || (error && error != E_NOT_FOUND))
        return error;
    /* No type was named: what is no post may be a page, and a draft with this slug is not meant where a page has the address. */
    bool is_post = !error;
    call_clear_error(call);
    error = get_page(call, wp, &reference, extra_fields, &page, &is_sure);
    if (!error && (is_sure || !is_post))
        *ret = page;
    if (error != E_NOT_FOUND)
        return error;
    if (!is_post)
        return fail(call, E_NOT_FOUND, "There is no post or page '%.*s'. For other types give type.",
                    STR_ARG(str_sub(id, 0, 200)));
    call_clear_error(call);
    return OK;
}

/* --- who may ------------------------------------------------------------------------------------------------------------- */

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
        struct str what = status.len ? call_format(call, "Status '%.*s'", STR_ARG(str_sub(status, 0, 40)))
                                     : STR("What has no status");
        return rights_lack(call, RIGHT_PUBLISH,
                           fail(call, E_DENIED,
                                "%.*s is public, and this token may not change what is public: it lacks the right "
                                "publish. It may write drafts.",
                                STR_ARG(what)));
    }
    if (wp->rights & (RIGHT_DRAFT | RIGHT_PUBLISH))
        return OK;
    return rights_lack(call, RIGHT_DRAFT,
                       fail(call, E_DENIED, "This token may not write content: it lacks the right draft."));
}

static int need_right(struct call *call, const struct wp *wp, const struct wp_type *type, unsigned right,
                      const char *what)
{
    char words[RIGHTS_TEXT_BYTES];
    if ((wp->rights & right) == right)
        return OK;
    return rights_lack(call, right,
                       fail(call, E_DENIED, "%s type %.*s needs the right %.*s, which this token lacks.", what,
                            STR_ARG(type->slug), STR_ARG(rights_format(right, words))));
}

int wp_may_read(struct call *call, const struct wp *wp, const struct wp_type *type)
{
    return type->kind->read_right ? need_right(call, wp, type, type->kind->read_right, "Reading") : OK;
}

int wp_may_change(struct call *call, const struct wp *wp, const struct wp_type *type, struct str status)
{
    if (type->kind->write_right)
        return need_right(call, wp, type, type->kind->write_right, "Changing");
    if (type->kind->flags & WP_HAS_BLOCKS)
        return wp_may_write(call, wp, status);
    return wp_may_write(call, wp, wp_list_has(type->kind->not_public, status) ? STR("draft") : STR("publish"));
}

/* --- one edit at a time, across workers and nodes ------------------------------------------------------------------------- */

/* "item " HASH " " ID: the same for all connections to one site, in all processes. */
enum { LOCK_NAME_BYTES = 64 };

struct item_lock {
    struct item_lock *next;
    size_t users; /* holder and those who wait */
    bool is_held;
    const struct arena *holder; /* of the call that has it and its lease, while it has */
    struct task_queue queue;
    size_t name_len;
    char name[LOCK_NAME_BYTES];
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
    lock->holder = NULL;
    lock->is_held = task_queue_wake_one(&lock->queue); /* handed on, not free in between */
    drop_user(lock);
}

static struct str lock_name(struct call *call, const struct wp *wp, int64_t id)
{
    unsigned char hash[crypto_generichash_BYTES_MIN];
    char hex[2 * sizeof hash + 1];
    crypto_generichash(hash, sizeof hash, (const unsigned char *)wp->rest_root.ptr, wp->rest_root.len, NULL, 0);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    return call_format(call, "item %s %lld", hex, (long long)id);
}

static struct item_lock *lock_of(struct str name)
{
    struct item_lock *lock = locks;
    while (lock && !str_eq(str_of(lock->name, lock->name_len), name))
        lock = lock->next;
    if (lock || !(lock = calloc(1, sizeof *lock)))
        return lock;
    lock->name_len = name.len < sizeof lock->name ? name.len : sizeof lock->name;
    memcpy(lock->name, name.ptr, lock->name_len);
    lock->next = locks;
    locks = lock;
    return lock;
}

/* First among the calls of this process, so that only one of them asks for the lease. */
int wp_item_lock(struct call *call, const struct wp *wp, int64_t id)
{
    struct str name = lock_name(call, wp, id);
    struct item_lock *lock = lock_of(name);
    if (!lock)
        return fail(call, E_UNAVAILABLE, "There is not enough memory right now. Try again.");
    if (lock->holder == call->arena)
        return OK;
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
    int error = host_lease(call, wp->host, name);
    if (!error)
        lock->holder = call->arena;
    return error;
}

/* Numbers are locked as they are; of other ids a number that no item has. */
static int64_t lock_id(const struct wp_item *item)
{
    return item->id ? item->id : -(int64_t)(str_hash(item->key) >> 1) - 1;
}

/* A slug or an address must be found before what it names can be locked: `*type_name` and `*id` are then that item's. */
static int name_item(struct call *call, const struct wp *wp, struct str *type_name, struct str *id,
                     int64_t *ret_lock_id)
{
    struct reference reference;
    struct wp_type type;
    int error = find_type(call, wp, *type_name, &type);
    if (error || (error = read_reference(call, wp, type.kind, *id, &reference)))
        return error;
    struct wp_item named = {.id = reference.id, .key = reference.key};
    if (reference.slug.len) {
        if ((error = wp_item_get(call, wp, *type_name, *id, STR_EMPTY, &named)))
            return error;
        *type_name = named.type.slug;
        *id = named.key;
    }
    *ret_lock_id = lock_id(&named);
    return OK;
}

static int compare_lock_ids(const void *a, const void *b)
{
    const int64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

int wp_items_lock(struct call *call, const struct wp *wp, struct str type, struct str *ids, size_t n)
{
    int64_t *lock_ids = arena_array_of(call->arena, int64_t, n);
    size_t n_named = 0;
    for (size_t i = 0; i < n; i++) {
        struct str type_name = type;
        int error = name_item(call, wp, &type_name, &ids[i], &lock_ids[n_named]);
        if (!error)
            n_named++;
        else if (error == E_NOT_FOUND)
            call_clear_error(call);
        else
            return error;
    }
    qsort(lock_ids, n_named, sizeof *lock_ids, compare_lock_ids);
    for (size_t i = 0; i < n_named; i++) {
        int error = wp_item_lock(call, wp, lock_ids[i]);
        if (error)
            return error;
    }
    return OK;
}

int wp_item_get_locked(struct call *call, const struct wp *wp, struct str type, struct str id, struct str extra_fields,
                       struct wp_item *ret)
{
    int64_t number;
    int error = name_item(call, wp, &type, &id, &number);
    if (error || (error = wp_item_lock(call, wp, number)))
        return error;
    return wp_item_get(call, wp, type, id, extra_fields, ret); /* again behind the lock */
}

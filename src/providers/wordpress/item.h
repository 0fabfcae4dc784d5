/* One item of any type: found by id, address or slug, with what is stored and its version. */
#ifndef PROVIDERS_WORDPRESS_ITEM_H
#define PROVIDERS_WORDPRESS_ITEM_H

#include "providers/wordpress/types.h"

enum { VERSION_BYTES = 10 }; /* 9 digits, which cost a model three tokens, and a NUL */

struct wp_item {
    struct wp_type type;
    int64_t id;     /* 0 where ids are no numbers */
    struct str key; /* the id as it stands in routes and in texts: "12", "theme//home" */
    struct str status, title, slug, link, date;
    struct str raw;              /* the stored text; with is_raw false what visitors see */
    bool is_raw;                 /* false: this WordPress user may not edit the item, so its stored text is hidden */
    char version[VERSION_BYTES]; /* of title, status and text, or of all that is shown; changes when one of them does */
    const struct json *json;     /* all that was asked for */
};

/* "wp/v2/posts/12" */
struct str wp_item_route(struct call *call, const struct wp_item *item);

/*
 * `id`: an id, a full address on this site, or a slug; `type` as in wp_type_find(), empty: a post or else a page. What is found by
 * an address must live there, as far as its link tells: only the last piece of it is looked for.
 * `extra_fields` is added to what is read ("meta,acf"), or empty. E_NOT_FOUND, E_INVALID, ... Waits.
 */
MUST_CHECK int wp_item_get(struct call *call, const struct wp *wp, struct str type, struct str id,
                           struct str extra_fields, struct wp_item *ret);

/* From an answer of WordPress that holds wp_item_fields() of a known item. */
void wp_item_read(struct call *call, const struct wp_type *type, const struct json *json, struct wp_item *ret);

/* The fields wp_item_read() wants, for _fields; empty: all. */
#define WP_ITEM_FIELDS "id,date,slug,status,link,title,content"
struct str wp_item_fields(struct call *call, const struct wp_type *type, struct str extra_fields);

/* Public now or by itself later: changing it needs the right publish. Unknown statuses count as public. */
bool wp_status_is_public(struct str status);

/* May things of this type be listed and read? E_DENIED names the right that is missing. */
MUST_CHECK int wp_may_read(struct call *call, const struct wp *wp, const struct wp_type *type);

/* May a post of this status be changed, or be given it? E_DENIED names the right that is missing. */
MUST_CHECK int wp_may_write(struct call *call, const struct wp *wp, struct str status);

/* The same for any type; status may be empty where there is none. */
MUST_CHECK int wp_may_change(struct call *call, const struct wp *wp, const struct wp_type *type, struct str status);

/*
 * Holds the lock of an item until the call ends; a call may take again what it holds. Who takes several takes them in ascending
 * order. Waits.
 */
MUST_CHECK int wp_item_lock(struct call *call, const struct wp *wp, int64_t id);

/*
 * The same for all that `ids` name, which wp_item_get_locked() takes: found first, then locked in that order. A slug or an address
 * among them becomes the key of what it names; what is not there stays as it is. `type` is not empty.
 */
MUST_CHECK int wp_items_lock(struct call *call, const struct wp *wp, struct str type, struct str *ids, size_t n);

/*
 * As wp_item_get(), with the item locked before it is read: one edit of an item at a time, so that the
 * read-modify-write of two calls cannot mix: first come first served within this process, and through wp->host among processes
 * and nodes. Released when the call ends. Waits.
 */
MUST_CHECK int wp_item_get_locked(struct call *call, const struct wp *wp, struct str type, struct str id,
                                  struct str extra_fields, struct wp_item *ret);

#endif

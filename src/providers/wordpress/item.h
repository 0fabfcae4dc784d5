/* One post, page or item of a custom type: found by id, address or slug, with its stored text and its version. */
#ifndef PROVIDERS_WORDPRESS_ITEM_H
#define PROVIDERS_WORDPRESS_ITEM_H

#include "providers/wordpress/types.h"

enum { VERSION_BYTES = 11 }; /* 10 hex digits and a NUL */

struct wp_item {
    struct wp_type type;
    int64_t id;
    struct str status, title, slug, link, date;
    struct str raw;              /* the stored text; with is_raw false what visitors see */
    bool is_raw;                 /* false: this WordPress user may not edit the item, so its stored text is hidden */
    char version[VERSION_BYTES]; /* of title, status and text; changes when one of them does */
    const struct json *json;     /* all that was asked for */
};

/*
 * `id`: an id, a full address on this site, or a slug; `type` as in wp_type_find(), empty: a post or else a page.
 * `extra_fields` is added to what is read ("meta,acf"), or empty. E_NOT_FOUND, E_INVALID, ... Waits.
 */
MUST_CHECK int wp_item_get(struct call *call, const struct wp *wp, struct str type, struct str id,
                           struct str extra_fields, struct wp_item *ret);

/* From an answer of WordPress that holds at least title, status and content of a known item. */
void wp_item_read(struct call *call, const struct wp_type *type, const struct json *json, struct wp_item *ret);

/* The fields wp_item_read() wants, for _fields. */
#define WP_ITEM_FIELDS "id,date,slug,status,link,title,content"

/* Public now or by itself later: changing it needs the right publish. Unknown statuses count as public. */
bool wp_status_is_public(struct str status);

/* May an item of this status be changed, or be given it? E_DENIED names the right that is missing. */
MUST_CHECK int wp_may_write(struct call *call, const struct wp *wp, struct str status);

/*
 * As wp_item_get(), with the item locked before it is read: one edit of an item at a time, first come first served, within this
 * process, so that the read-modify-write of two calls cannot mix. Released when the call ends. Waits.
 */
MUST_CHECK int wp_item_get_locked(struct call *call, const struct wp *wp, struct str type, struct str id,
                                  struct str extra_fields, struct wp_item *ret);

#endif

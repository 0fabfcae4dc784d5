/* After a write: what WordPress stored differently from what it was given (kses, slugs that were taken, rounded values). */
#ifndef PROVIDERS_WORDPRESS_ALTERED_H
#define PROVIDERS_WORDPRESS_ALTERED_H

#include "providers/wordpress/item.h"

/* The fields of `set` as names for _fields ("slug,meta.isbn"), so that the answer holds them; may be empty. */
struct str altered_fields(struct call *call, const struct wp_type *type, const struct json *set);

/* A line for each plain field of `set` that `after`, the item's JSON, holds with another value. */
void altered_write(const struct wp_type *type, const struct json *set, const struct json *after, struct buf *out);

/* A line when `after` does not hold the featured image whose number was given: WordPress passes over what is none. */
void altered_featured(const struct json *featured, const struct json *after, struct buf *out);

/*
 * After something was made: a line for each field that every version of WordPress has, but not every type, that `after` does not
 * show. WordPress passes over what a type lacks. Before an edit wp_guard_field() looks, for then there is an item to look at.
 */
void altered_missing(const struct wp_type *type, const struct json *set, const struct json *featured,
                     const struct json *after, struct buf *out);

#endif

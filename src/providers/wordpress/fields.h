/*
 * What a client wants to set on an item, as the body of one WordPress request: plain fields, terms by name, the featured image,
 * with the rights it needs.
 */
#ifndef PROVIDERS_WORDPRESS_FIELDS_H
#define PROVIDERS_WORDPRESS_FIELDS_H

#include "json/json_write.h"
#include "providers/wordpress/item.h"
#include "providers/wordpress/terms.h"

/* Two arguments that would be one member of the body, which WordPress would take the last of. E_INVALID. */
MUST_CHECK int wp_refuse_twice(struct call *call, struct str one, struct str other);

/* "title" and "content" are understood everywhere: a category's are its name and its description. Others stay as they are. */
struct str wp_field_name(const struct wp_type *type, struct str name);

/*
 * A date as WordPress takes it: "2026-01-31" is the beginning of that day, seconds may be missing ("2026-01-31T09:00", as wp_read
 * shows dates), a space may stand for the T. Without a zone it is the site's local time. What is no such date stays as it is.
 */
struct str wp_date(struct call *call, struct str text);

/* A comment's status is shown as "approved" and written as "approve", and people say "pending" for "hold". Others stay as they are. */
struct str wp_status_name(const struct wp_type *type, struct str status);

/* The statuses an item of this type may be given; empty is fine. E_INVALID or E_DENIED. */
MUST_CHECK int wp_check_new_status(struct call *call, const struct wp *wp, const struct wp_type *type,
                                   struct str status);

/*
 * Writes the members of `set` into an open object of the request's body, with `seo` (an object, or JSON_MISSING) among its meta.
 * `route` is the item's, or the type's for a new one; `item` is as it is now, NULL for a new one. What has its own place with items that have terms (terms, terms_add,
 * terms_remove, featured_image) is left to the functions below. Authors and menus may be given by name. Waits.
 */
MUST_CHECK int wp_write_fields(struct call *call, const struct wp *wp, const struct wp_type *type, struct str route,
                               const struct json *set, const struct json *seo, const struct json *item,
                               struct json_writer *w);

/*
 * "12" or 12: a media id; or the address of an image, which is fetched and put into the media library (not when it is a dry run),
 * so that everything else should have been found good before. null removes what there is. *ret_made: the id of the image that is
 * in the library now because of this call, or 0. Waits.
 */
MUST_CHECK int wp_write_featured(struct call *call, const struct wp *wp, const struct json *featured, bool dry_run,
                                 struct json_writer *w, int64_t *ret_made);

/* After an error behind wp_write_featured(), with what it made: the error's text says that it is there. Returns the error. */
int wp_say_image_made(struct call *call, int64_t made, int error);

/* Is a taxonomy of `argument` ("terms") set by its own field as well ("tags")? E_INVALID. */
MUST_CHECK int wp_check_terms(struct call *call, const struct json *set, struct str argument,
                              const struct wp_terms *terms, size_t count);

/* Writes each taxonomy's ids: of `terms` alone. Missing terms must have been made. */
void wp_write_terms(const struct wp_terms *terms, size_t count, struct json_writer *w);

/*
 * terms replaces, terms_add and terms_remove change what `item` has (its json must hold the taxonomies' fields). Makes missing
 * terms for terms and terms_add when `create`, unless it is a dry run. Waits; may write terms to the site.
 */
MUST_CHECK int wp_write_changed_terms(struct call *call, const struct wp *wp, const struct wp_item *item,
                                      const struct json *set, bool create, bool dry_run, struct json_writer *w);

#endif

/*
 * What search engines are told about an item, by the names of a table for each SEO plugin. Written is what the plugin offers as
 * registered meta in the REST API; where it offers nothing there, the answer says so.
 */
#ifndef PROVIDERS_WORDPRESS_SEO_H
#define PROVIDERS_WORDPRESS_SEO_H

#include "json/json_write.h"
#include "providers/wordpress/item.h"

/*
 * {title, description, keyword, canonical, noindex, og_title, og_description, og_image} as members of an open "meta" object.
 * `meta` is what the item has now (NULL for a new one): where several things lie under one key, the others stay. `given` is
 * what is in that object already: a key that is there is refused. Waits.
 */
MUST_CHECK int wp_write_seo(struct call *call, const struct wp *wp, const struct wp_type *type, const struct json *seo,
                            const struct json *meta, const struct json *given, struct json_writer *w);

/* "seo.title: ..." for what the item's JSON holds of it: it must hold meta and yoast_head_json. */
void wp_show_seo(struct call *call, const struct json *item, struct buf *out);

#endif

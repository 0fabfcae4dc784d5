/*
 * The names of a site's resources: wp://site, and wp://COLLECTION/ID, where the collection is the last part of the type's REST
 * route ("posts", "pages", "media", "books"). One spelling each, because listeners compare them byte by byte.
 */
#ifndef PROVIDERS_WORDPRESS_RESOURCE_URI_H
#define PROVIDERS_WORDPRESS_RESOURCE_URI_H

#include "call/call.h"

#define WP_URI_SCHEME "wp://"
#define WP_URI_SITE "wp://site"

enum { WP_URI_COLLECTION_MAX_BYTES = 64, WP_URI_MAX_BYTES = 5 + WP_URI_COLLECTION_MAX_BYTES + 1 + 19 };

struct wp_uri {
    struct str collection; /* empty: the site itself */
    int64_t id;            /* 1 or more; 0 for the site */
};

/* False for anything but the one spelling: other schemes, capitals in the scheme, queries, leading zeros, further parts. */
MUST_CHECK bool wp_uri_parse(struct str uri, struct wp_uri *ret);

/* Of an item of a collection; empty when no such URI can be (a route that ends in something else than a plain name). */
struct str wp_uri_format(struct arena *arena, struct str collection, int64_t id);

/* "wp/v2/posts" to "posts". */
struct str wp_uri_collection(struct str route);

#endif

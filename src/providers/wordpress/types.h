/*
 * The types of things a site has: posts, pages, what its plugins register, the terms of its taxonomies, and the kinds with a
 * route of their own (kind.h); with the REST route of each.
 */
#ifndef PROVIDERS_WORDPRESS_TYPES_H
#define PROVIDERS_WORDPRESS_TYPES_H

#include "providers/wordpress/kind.h"
#include "providers/wordpress/rest.h"

enum { TYPE_TAXONOMIES_MAX = 16 };

struct wp_type {
    const struct wp_kind *kind;
    struct str slug;  /* "post" */
    struct str name;  /* "Posts" */
    struct str route; /* "wp/v2/posts" */
    bool hierarchical;
    struct str taxonomies[TYPE_TAXONOMIES_MAX]; /* slugs: "category", "post_tag" */
    size_t n_taxonomies;
};

/*
 * By slug, plural or REST base ("post", "posts", "books", "media", "category"); "page/12/revisions" and "page/12/autosaves" are
 * those of one item. The core's own are known without asking. E_INVALID lists the site's types. Waits.
 */
MUST_CHECK int wp_type_find(struct call *call, const struct wp *wp, struct str name, struct wp_type *ret);

/* The types that are written like posts. Waits. */
MUST_CHECK int wp_type_list(struct call *call, const struct wp *wp, struct wp_type **ret, size_t *ret_count);

struct wp_taxonomy {
    struct str slug;      /* "post_tag" */
    struct str name;      /* "Tags" */
    struct str rest_base; /* "tags": also the name of the posts' field */
    struct str route;     /* "wp/v2/tags" */
    bool hierarchical;
};

/* By slug, REST base, or the everyday "tag"; only those of the type. E_INVALID lists them. Waits. */
MUST_CHECK int wp_taxonomy_find(struct call *call, const struct wp *wp, const struct wp_type *type, struct str name,
                                struct wp_taxonomy *ret);

#endif

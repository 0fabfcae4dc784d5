/* Terms by name: models write "News", WordPress wants 12. */
#ifndef PROVIDERS_WORDPRESS_TERMS_H
#define PROVIDERS_WORDPRESS_TERMS_H

#include "providers/wordpress/types.h"

enum { TERMS_MAX = 100 }; /* of one taxonomy in one call */

/* The terms of one taxonomy that a client named. */
struct wp_terms {
    struct wp_taxonomy taxonomy;
    int64_t *ids;
    size_t n_ids;
    struct str *missing; /* names no term has; may be made */
    size_t n_missing;
};

/*
 * Reads {"category": ["News", 12], "tag": "x"}: names, slugs or ids, one or a list. Names that no term has are listed as
 * missing, not an error; several terms of one name are (with their ids). Waits.
 */
MUST_CHECK int wp_terms_resolve(struct call *call, const struct wp *wp, const struct wp_type *type,
                                const struct json *named, struct wp_terms **ret, size_t *ret_count);

/*
 * Makes what is missing, when it may: `create` is the client's wish, and terms are public, so the publish right is needed.
 * E_INVALID or E_DENIED name what is missing. Waits; writes to the site.
 */
MUST_CHECK int wp_terms_make_missing(struct call *call, const struct wp *wp, struct wp_terms *terms, bool create);

/* The id of the one thing at `route` (people, menus) with this name or slug; `what` for texts. E_INVALID: none or several. Waits. */
MUST_CHECK int wp_find_named(struct call *call, const struct wp *wp, struct str route, struct str what, struct str name,
                             int64_t *ret_id);

/* A name as WordPress stores it, with & < > as references: what a search must look for. */
struct str wp_term_as_stored(struct call *call, struct str name);

/* The names of ids, comma-separated; an id whose name cannot be had stands for itself. Waits. */
MUST_CHECK int wp_terms_names(struct call *call, const struct wp *wp, const struct wp_taxonomy *taxonomy,
                              const int64_t *ids, size_t n_ids, struct str *ret);

#endif

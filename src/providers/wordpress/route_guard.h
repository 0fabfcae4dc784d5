/*
 * What of a client's free-form object (`filter`, `set`) may go to the site: only names that the route's own schema has, and
 * never WordPress's switches. Names every version of the core knows pass without asking; for others the route is asked
 * (OPTIONS), and its answer is kept for a while.
 */
#ifndef PROVIDERS_WORDPRESS_ROUTE_GUARD_H
#define PROVIDERS_WORDPRESS_ROUTE_GUARD_H

#include "providers/wordpress/rest.h"

/* A query argument of GET route. E_INVALID lists what there is. Waits. */
MUST_CHECK int wp_guard_query(struct call *call, const struct wp *wp, struct str route, struct str name);

/* A field of POST route; `value` matters for meta, whose keys must be registered. Waits. */
MUST_CHECK int wp_guard_field(struct call *call, const struct wp *wp, struct str route, struct str name,
                              const struct json *value);

#endif

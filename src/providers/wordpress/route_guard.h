/*
 * What of a client's free-form object (`filter`, `set`) may go to the site: only names that the route's own schema has, and
 * never WordPress's switches. Names every version of the core knows of every type pass without asking; for others the route is
 * asked (OPTIONS), and its answer is kept for a while.
 */
#ifndef PROVIDERS_WORDPRESS_ROUTE_GUARD_H
#define PROVIDERS_WORDPRESS_ROUTE_GUARD_H

#include "providers/wordpress/types.h"

/* A query argument of the type's list. E_INVALID lists what there is. Waits. */
MUST_CHECK int wp_guard_query(struct call *call, const struct wp *wp, const struct wp_type *type, struct str name);

/*
 * A field to be set on an item of the type; `value` matters for meta, whose keys must be registered, and `route` is the item's,
 * or the type's for a new one. Refuses what is never set through tools. `item` is as it was read with this field, or NULL: what it
 * does not show its type may lack, so the route is asked. Waits.
 */
MUST_CHECK int wp_guard_field(struct call *call, const struct wp *wp, const struct wp_type *type, struct str route,
                              struct str name, const struct json *value, const struct json *item);

/* The keys that the site offers in the object field `field` ("meta", "acf") of this type: an object, or JSON_MISSING. Waits. */
MUST_CHECK int wp_offered_keys(struct call *call, const struct wp *wp, const struct wp_type *type, const char *field,
                               const struct json **ret);

/*
 * Why this member of a body is never set through tools (credentials, roles, who may register, where the site is), or NULL.
 * resource: "users", "settings", the route's last fixed piece.
 */
const char *wp_field_refusal(struct str resource, struct str name);
const char *wp_type_field_refusal(const struct wp_type *type, struct str name);

#endif

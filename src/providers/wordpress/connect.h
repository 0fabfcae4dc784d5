/* Proving a connection to a WordPress site: provider.check of provider.h. */
#ifndef PROVIDERS_WORDPRESS_CONNECT_H
#define PROVIDERS_WORDPRESS_CONNECT_H

#include "providers/provider.h"

/*
 * Finds the REST root (Link header, then /wp-json/, then ?rest_route=/), proves the password with users/me?context=edit, and
 * reads name, version, user, role. A wrong password is answered as an anonymous visitor by many routes, so no other 200
 * counts. Waits.
 */
int wordpress_check(struct call *call, const struct site *site, struct site_check *ret);

#endif

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

/*
 * provider.authorize_begin and _end: wp-admin/authorize-application.php (WordPress 5.6), as the REST index names it. It comes back
 * with site_url, user_login and password in the query, or with success=false.
 */
int wordpress_authorize_begin(struct call *call, const struct site *site, const struct authorize_offer *offer,
                              struct site_check *ret_check, struct str *ret_url);
int wordpress_authorize_end(struct call *call, struct str query, struct str *ret_config, struct str *ret_secret);

#endif

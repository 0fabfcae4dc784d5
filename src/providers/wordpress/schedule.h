/* Status "future" is a promise to wait: WordPress breaks it without a word when the date is not to come, and publishes at once. */
#ifndef PROVIDERS_WORDPRESS_SCHEDULE_H
#define PROVIDERS_WORDPRESS_SCHEDULE_H

#include "providers/wordpress/types.h"

/*
 * Does an item that is given `status` wait for its date? `set` may hold date or date_gmt; `stored` is the item's JSON, or NULL for
 * a new one. OK for all other statuses, and for what only WordPress can judge. E_INVALID names the site's time now. Asks the site
 * (which answer is kept) only where its time zone matters. Waits.
 */
MUST_CHECK int wp_check_schedule(struct call *call, const struct wp *wp, const struct wp_type *type, struct str status,
                                 const struct json *set, const struct json *stored);

#endif

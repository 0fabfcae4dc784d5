/* The place of a new item in a classic menu. */
#ifndef PROVIDERS_WORDPRESS_MENU_H
#define PROVIDERS_WORDPRESS_MENU_H

#include "json/json_write.h"
#include "providers/wordpress/rest.h"

/*
 * What `set` leaves open: without menu_order it comes last in its menu, and with an object_id but no object it leads to a page.
 * Members of the open body. Waits.
 */
MUST_CHECK int wp_write_menu_place(struct call *call, const struct wp *wp, const struct json *set,
                                   struct json_writer *w);

#endif

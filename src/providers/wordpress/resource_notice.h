/*
 * Who listens to a resource hears of it when porteiro wrote to it. What others change at the site, nobody tells us.
 */
#ifndef PROVIDERS_WORDPRESS_RESOURCE_NOTICE_H
#define PROVIDERS_WORDPRESS_RESOURCE_NOTICE_H

#include "providers/wordpress/write.h"

/* After a write that was done, or may have been done. host may be NULL. */
void wp_tell_written(struct call *call, struct host *host, const struct wp_write *write,
                     const struct wp_answer *answer);

#endif

/*
 * The site's resources (provider.h): wp://site, posts, pages, media and the items of custom types, as the token's WordPress user
 * may see them. What is read is the text that wp_read and wp_site give.
 */
#ifndef PROVIDERS_WORDPRESS_RESOURCES_H
#define PROVIDERS_WORDPRESS_RESOURCES_H

#include "providers/wordpress/item.h"
#include "providers/wordpress/resource_uri.h"

enum {
    RESOURCE_TEXT_CHARS_MAX = 400000,     /* of one item; what is beyond is named at its end */
    RESOURCE_FILE_MAX_BYTES = 512 * 1024, /* larger files are named by their address only */
};

extern const struct resources wordpress_resources;

/* resource_list.c */
int wp_resources_list(struct call *call, const struct tool_context *context, struct str cursor,
                      struct resource_page *ret);

/* resource_read.c. E_NOT_FOUND also for what this user may not see, so that nobody learns what there is. */
int wp_resources_read(struct call *call, const struct tool_context *context, struct str uri,
                      struct resource_result *result);
/* The text of one item or of wp://site as the tools write it. max_chars: of the item's text. */
MUST_CHECK int wp_resource_text(struct call *call, const struct tool_context *context, const struct wp_uri *uri,
                                int max_chars, struct str *ret);

/* resource_media.c: what WordPress knows of a file, and the file itself when it is small and lies on the site's own host. */
MUST_CHECK int wp_resource_read_media(struct call *call, const struct wp *wp, struct str uri, int64_t id,
                                      struct resource_result *result);

#endif

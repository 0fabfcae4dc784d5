/* Markdown to blocks, without regard to what is stored already (see markdown_in.h for the whole). */
#ifndef PROVIDERS_WORDPRESS_CONTENT_MARKDOWN_WALK_H
#define PROVIDERS_WORDPRESS_CONTENT_MARKDOWN_WALK_H

#include "providers/wordpress/content/block_write.h"
#include "providers/wordpress/content/markdown_events.h"

/* Appends the blocks. E_LIMIT. */
MUST_CHECK int markdown_walk(struct call *call, struct markdown_events *events, struct str markdown,
                             struct block_writer *writer);

/* Markdown that is one paragraph (or, with `level` not NULL, one heading), as rich text. False: it is something else. */
MUST_CHECK bool markdown_inline(struct call *call, struct markdown_events *events, struct str markdown, unsigned *level,
                                struct str *ret_html);

#endif

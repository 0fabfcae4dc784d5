/*
 * HTML to blocks: paragraphs, headings, lists, quotes, code, preformatted text, tables, rules and pictures become their blocks;
 * every other element stays as it is in a core/html block.
 */
#ifndef PROVIDERS_WORDPRESS_CONTENT_HTML_IN_H
#define PROVIDERS_WORDPRESS_CONTENT_HTML_IN_H

#include "providers/wordpress/content/block_write.h"

enum html_in_mode {
    HTML_IN_FOREIGN,  /* attributes that only style are dropped */
    HTML_IN_MARKDOWN, /* an HTML block in Markdown: an element with attributes stays HTML */
    HTML_IN_CLASSIC,  /* classic text, where a line break is one; attributes as in Markdown */
};

/* Returns false when something became a core/html block. */
bool html_to_blocks(struct arena *arena, struct str html, enum html_in_mode mode, struct block_writer *writer);

#endif

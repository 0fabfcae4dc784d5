/*
 * Markdown of blocks so plain that nothing needs to be tried: paragraphs, headings and flat lists, each text one line of
 * words, spaces and quiet punctuation, perhaps with plain words in <strong>, <em> or a link. Of these it is known without
 * md4c that their Markdown becomes the very same bytes again. Nothing here waits.
 */
#ifndef PROVIDERS_WORDPRESS_CONTENT_MARKDOWN_SIMPLE_H
#define PROVIDERS_WORDPRESS_CONTENT_MARKDOWN_SIMPLE_H

#include "base/buf.h"
#include "providers/wordpress/content/blocks.h"

/* The same Markdown as content_to_markdown() would find and prove. False: not that plain, and *out is as before. */
bool markdown_simple(const struct block *block, struct buf *out);

#endif

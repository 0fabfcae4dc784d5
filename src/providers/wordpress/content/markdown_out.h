/*
 * Stored content (block markup or classic HTML) as Markdown for a model to read.
 *
 * What Markdown can hold exactly is plain Markdown: turned back by content_from_markdown() it gives the same bytes, which is
 * tried for each block before it is shown so. Everything else is a stand-in, whose text is shown but is not the block:
 *
 *     [[block 7 core/paragraph]] text in **Markdown**        a paragraph or heading with attributes
 *     [[block 8 core/table]]                                 any other block without inner blocks;
 *     | a | b | ...                                          its text follows up to the next blank line
 *     [[block 9 core/columns]] ... [[/block 9]]              a block with inner blocks, around their own Markdown
 */
#ifndef PROVIDERS_WORDPRESS_CONTENT_MARKDOWN_OUT_H
#define PROVIDERS_WORDPRESS_CONTENT_MARKDOWN_OUT_H

#include "base/buf.h"
#include "call/call.h"
#include "providers/wordpress/content/blocks.h"
#include "providers/wordpress/content/view.h"

/* 0, E_NOT_FOUND (no such part: the text names what there is), E_LIMIT. */
int content_to_markdown(struct call *call, struct str raw, const struct content_view *view, struct buf *out);

/* The Markdown of one block of a tree that was parsed with BLOCKS_SPLIT_CLASSIC. May be empty for a classic piece. */
struct markdown_writer;
struct markdown_writer *markdown_writer_new(struct call *call);
struct str markdown_of_block(struct markdown_writer *writer, struct block *block);

/* True when the block's Markdown is a stand-in. */
bool markdown_is_stand_in(struct str markdown);

#endif

/*
 * Text from a model to stored content: Markdown, HTML or block markup to valid blocks, as the editor of WordPress 7.1 saves
 * them.
 */
#ifndef PROVIDERS_WORDPRESS_CONTENT_MARKDOWN_IN_H
#define PROVIDERS_WORDPRESS_CONTENT_MARKDOWN_IN_H

#include "base/buf.h"
#include "call/call.h"

enum {
    CONTENT_BYTES_MAX = 4 * 1024 * 1024, /* of one text in or out */
    MARKDOWN_DEPTH_MAX = 24              /* lists and quotes in each other */
};

enum content_format { CONTENT_MARKDOWN, CONTENT_HTML, CONTENT_BLOCKS };

/* "markdown" (also when empty), "html", "blocks". False: none of these. */
MUST_CHECK bool content_format_from(struct str name, enum content_format *ret);

/*
 * Text in any format to block markup. E_INVALID (block markup that is broken, or stand-ins where there is no original),
 * E_LIMIT (nested too deep, too long).
 */
int content_to_blocks(struct call *call, struct str text, enum content_format format, struct buf *out);

/* The same as classic HTML: no delimiters, no block classes. */
int content_to_classic(struct call *call, struct str text, enum content_format format, struct buf *out);

/*
 * Markdown over what is stored. `original_raw` may be empty. A block whose Markdown is still what content_to_markdown() shows
 * is written as its stored bytes; a stand-in is written as the stored bytes of its block, with a changed text where that is a
 * paragraph or a heading, with changed inner blocks where it has an end mark. A stand-in of the original that is missing:
 * E_CONFLICT and their list, unless allow_loss. A classic post stays classic.
 */
int content_from_markdown(struct call *call, struct str markdown, struct str original_raw, bool allow_loss,
                          struct buf *out);

/*
 * The same over a part of what is stored: what the blocks of `range` ("4-9", "3.2") become. Numbers of stand-ins are those of
 * the whole; a stand-in of a block outside the range is E_INVALID.
 */
enum merge_loss {
    MERGE_NO_LOSS,   /* no stand-in of the range may be missing */
    MERGE_TOLD_LOSS, /* the blocks of the range themselves may, but nothing inside one that is put back */
    MERGE_ANY_LOSS,
};
int content_over_blocks(struct call *call, struct str markdown, struct str original_raw, struct str range,
                        enum merge_loss loss, struct buf *out);

#endif

/*
 * The ways to look at stored content that are not Markdown (outline, numbered raw blocks, raw), and the choice of a part.
 */
#ifndef PROVIDERS_WORDPRESS_CONTENT_VIEW_H
#define PROVIDERS_WORDPRESS_CONTENT_VIEW_H

#include "base/buf.h"
#include "call/call.h"
#include "providers/wordpress/content/blocks.h"

struct content_view {
    struct str part;  /* "4-9", "3", "3.2", or a heading's text: its section; empty: all */
    size_t max_chars; /* 0: no limit. What does not fit is named: "[... 4,210 more characters: part=12-20]" */
};

/*
 * One line for a heading ("4 ## Its text"), one for the blocks up to the next, with what is inside them: "5-6 paragraph, 7 list, 8
 * columns (.1 column (.1-2 image), .2 column)" has 8.1.1, 8.1.2 and 8.2. Items of a list are not named unless they hold blocks. A block
 * with headings inside is opened in lines of its own.
 * All return 0, E_NOT_FOUND (no such part: the text names what there is), E_LIMIT.
 */
int content_outline(struct call *call, struct str raw, const struct content_view *view, struct buf *out);

/* "[4]" before each block's raw markup; inner blocks count as 4.1, 4.2 ... in order. */
int content_numbered_blocks(struct call *call, struct str raw, const struct content_view *view, struct buf *out);

/* For format html: the stored text itself, or that of the part. */
int content_raw_part(struct call *call, struct str raw, const struct content_view *view, struct buf *out);

/* The run of siblings that `part` names; for an empty part all at the top level (NULL, NULL in an empty document). */
int view_find_part(struct call *call, const struct blocks *blocks, struct str part, struct block **ret_first,
                   struct block **ret_last);

/* One text per top-level entry, as many as fit into max_chars, with the separator between them. */
typedef struct str view_text_fn(void *context, struct block *block);
int view_write(struct call *call, const struct content_view *view, const struct blocks *blocks, struct str separator,
               view_text_fn *text_of, void *context, struct buf *out);

/* 1 to 6 for a heading (block or classic), else 0; its inner HTML. */
int block_heading(const struct block *block, struct str *ret_html);

#endif

/*
 * Rich text (the inline HTML of a block) to Markdown. What Markdown has no sign for stays an HTML tag, which Markdown allows
 * anywhere. Whether the result means the same is not known here: the caller turns it back and compares.
 */
#ifndef PROVIDERS_WORDPRESS_CONTENT_INLINE_OUT_H
#define PROVIDERS_WORDPRESS_CONTENT_INLINE_OUT_H

#include "base/buf.h"

enum inline_flags {
    INLINE_PLAIN_TAGS = 1, /* no Markdown signs at all, only HTML tags: the second try */
    INLINE_BREAKS = 2,     /* <br> as "\" and a line break: in paragraphs only */
    INLINE_CELL = 4,       /* in a table: | is escaped */
    INLINE_EMPHASIS = 16,  /* inside *...*: emphasis in it is _..._ */
    INLINE_NOT_FIRST = 8,  /* does not begin a line */
};

void inline_to_markdown(struct arena *arena, struct str html, unsigned flags, struct buf *out);

/* Plain text into Markdown text: an image's description. */
void inline_escape(struct buf *out, struct str text, unsigned flags);

#endif

/*
 * A writer of HTML that escapes by construction: names of elements and attributes are literals of ours, all else is
 * text, and there is no way to write a piece of markup that came from outside. Characters that reorder or hide text are
 * made visible (base/visible.h). Nothing here waits.
 */
#ifndef WEB_MARKUP_H
#define WEB_MARKUP_H

#include "base/buf.h"

enum { MARKUP_DEPTH_MAX = 24 };

struct markup {
    struct buf out;
    const char *open[MARKUP_DEPTH_MAX]; /* elements that have begun and not ended */
    size_t depth;
    bool in_tag; /* attributes may still come */
};

/* In an arena. When more than max_bytes are written, buf_failed(&markup->out). */
void markup_init(struct markup *markup, struct arena *arena, size_t max_bytes);

/* "<!doctype html>" */
void markup_doctype(struct markup *markup);

/*
 * An element begins; its attributes follow, then what is in it, then markup_end(). Void elements (input, link, ...)
 * have no end.
 */
void markup_begin(struct markup *markup, const char *element);
void markup_attribute(struct markup *markup, const char *name, struct str value);
void markup_mark(struct markup *markup, const char *name); /* one without a value: required */
/*
 * For href, src and action: a path of ours, "?...", "#...", http, https or mailto. Anything else (javascript:, data:,
 * //host) becomes "#".
 */
void markup_address(struct markup *markup, const char *name, struct str address);
void markup_text(struct markup *markup, struct str text);
void markup_end(struct markup *markup);

/* begin, text, end */
void markup_element(struct markup *markup, const char *element, struct str text);

/* Would markup_address() write it? Paths of ours only: begins with one '/', holds no '\' and no control character. */
bool markup_is_own_path(struct str address);

/* The whole; everything has ended. */
struct str markup_done(struct markup *markup);

#endif

/*
 * Where a text stands in stored content: as bytes, or in a view of it that forgives what people cannot see (entities, kinds of
 * white space, curly quotes and dashes, letters and their marks apart), mapped back to offsets in the content. Nothing here waits.
 */
#ifndef PROVIDERS_WORDPRESS_CONTENT_FIND_H
#define PROVIDERS_WORDPRESS_CONTENT_FIND_H

#include "base/arena.h"

enum place {
    PLACE_TEXT,   /* text that is in no element of its own, or in a div */
    PLACE_MARKUP, /* in a tag or a comment */
    PLACE_INLINE  /* in an element that holds only inline text: p, h2, li, td, ... */
};

struct content_map {
    struct str raw;
    unsigned char *places; /* enum place for each byte */
    struct str view;       /* with quotes, dashes and white space made plain; made when first needed */
    uint32_t *offsets;     /* of each byte of view in raw, and raw.len behind the last */
};

struct content_map content_map_of(struct arena *arena, struct str raw);

struct match {
    size_t start, end; /* in raw */
    enum place place;  /* of all of it; PLACE_MARKUP when any part of it is */
};

enum find_kind {
    FIND_TEXT,     /* bytes, outside tags and comments */
    FIND_ANYWHERE, /* bytes */
    FIND_VIEW,     /* in the view; in tags only if `wanted` has a "<" */
};

/* Matches from left to right, not overlapping, at most `max`. The count is of all. */
size_t content_find(struct arena *arena, struct content_map *map, struct str wanted, enum find_kind kind, size_t max,
                    struct match **ret);

/*
 * In the view of the text alone, as if no tags and comments stood in it: the first stretch of raw that holds it, from its first
 * character to its last, with the inline tags that belong to it.
 */
bool content_find_across(struct arena *arena, const struct content_map *map, struct str wanted, struct match *ret);

/* The start of the longest beginning (or, failing that, end) of `wanted` that is there, ignoring case; false: nothing like it. */
bool content_find_nearest(struct arena *arena, struct content_map *map, struct str wanted, size_t *ret_offset);

#endif

/*
 * Reader of WordPress block markup: post_content as a tree of slices of the source.
 *
 * The grammar is that of WordPress's own parser (wp-includes/class-wp-block-parser.php, 5.0 to 7.1), with what it does to
 * broken input: a closer closes whatever block is open, whatever its name; a closer with nothing open makes everything from
 * there on classic text; what is still open at the end is closed there. One difference: where several nested blocks are still
 * open at the end, WordPress lists them side by side with their text doubled; here they stay nested.
 *
 * Nothing is copied and nothing is lost: the top-level `outer` slices and the white space between them are the source.
 * Linear time. Nothing here waits.
 */
#ifndef PROVIDERS_WORDPRESS_CONTENT_BLOCKS_H
#define PROVIDERS_WORDPRESS_CONTENT_BLOCKS_H

#include "base/arena.h"

/* Blocks nested deeper stay part of their ancestor's text. */
enum { BLOCKS_DEPTH_MAX = 40 };

struct block {
    struct str name;           /* "core/paragraph"; empty: classic (freeform) text */
    struct str attributes_raw; /* the JSON object as written, or empty */
    struct str outer;          /* with its delimiters */
    struct str inner;          /* between its delimiters; of classic text the same as outer */
    struct str number;         /* "3", "3.2" */
    struct block *parent, *first_child, *last_child, *next, *previous;
    size_t child_count;
    struct str *markdown;  /* kept by markdown_out, NULL at first */
    bool is_open_in_merge; /* kept by markdown_merge: its inner blocks were written one by one */
    bool is_void;          /* <!-- wp:name /--> */
    bool is_unclosed;      /* its closer is missing */
};

struct blocks {
    struct str source;
    struct block *first, *last; /* top level */
    size_t count;
    bool has_delimiters; /* false: a classic post */
    bool is_broken;      /* something unclosed, or a stray closer */
};

enum blocks_flags {
    BLOCKS_AS_WORDPRESS = 0,
    /* Classic text is cut into its pieces (elements, and paragraphs between blank lines), each with a number of its own. */
    BLOCKS_SPLIT_CLASSIC = 1,
};

struct blocks blocks_parse(struct arena *arena, struct str source, enum blocks_flags flags);

/* The block with that number, or NULL. */
struct block *blocks_find(const struct blocks *blocks, struct str number);

/* The innermost block around an offset of the source, or NULL. */
struct block *blocks_at(const struct blocks *blocks, size_t offset);

/* "4", "4-9", "3.2", "3.2-3.4": the first and the last of a run of siblings. False: not of that form, or not there. */
MUST_CHECK bool blocks_find_range(const struct blocks *blocks, struct str range, struct block **ret_first,
                                  struct block **ret_last);

/* The source from the start of `first` to the end of `last`, its later sibling or itself. */
struct str blocks_span(const struct block *first, const struct block *last);

/* In `text` a delimiter's attributes begin that do not end there: "<!-- wp:x {-->". What comes behind it may end them. */
bool blocks_is_unfinished(struct str text);

/* The delimiter at the very start of `text` (which may go on behind it): its length, else 0. */
size_t blocks_delimiter_length(struct str text);

/* The whole block at the very start of `text`: its length; 0: none, or not closed. */
size_t blocks_first_length(struct str text);

static inline bool block_is(const struct block *block, const char *name)
{
    return str_eq(block->name, str_from(name));
}

static inline bool block_is_classic(const struct block *block)
{
    return block->name.len == 0;
}

#endif

/*
 * wp_edit's edits on stored content, all or none.
 *
 *  {find, replace, count}   find is looked for as bytes, first in the text between tags, then everywhere; then in a view where
 *                           entities are decoded, runs of white space (and &nbsp;) are one space, and curly quotes, dashes and
 *                           "..." are plain, letters and their marks are one; then as Markdown ("a **bold** word"). The number of matches must be count.
 *                           In text a bare & or < of the replacement is escaped; a <p> around it is taken off.
 *                           With format markdown it is inline Markdown; without, Markdown is put there literally, and said.
 *  {block, op, content}     a block, a run of siblings ("4-6") or a nested block ("3.2"): replace, before, after, delete, and
 *                           append or prepend for what comes inside it (without block: the whole document).
 *                           content is Markdown, HTML or blocks; in a list it becomes items, in a classic post classic HTML.
 *                           Markdown that replaces blocks is written over them (markdown_in.h): stand-ins are put back, and
 *                           of several blocks none that Markdown cannot hold may be missing, unless allow_loss.
 *
 * Numbers mean the document before the first edit.
 */
#ifndef PROVIDERS_WORDPRESS_CONTENT_EDITS_H
#define PROVIDERS_WORDPRESS_CONTENT_EDITS_H

#include "call/call.h"

enum {
    EDITS_MAX = 100,        /* in one call */
    EDIT_MATCHES_MAX = 5000 /* of one find */
};

struct content_edit {
    struct str find;    /* not empty: find and replace */
    struct str replace; /* may be empty */
    int64_t count;      /* 0 means 1; -1 means every match, at least one */
    struct str block;   /* else a block operation */
    struct str op;      /* "replace", "before", "after", "delete", "append", "prepend"; empty: replace */
    struct str content;
    struct str format; /* "markdown", "html", "blocks"; empty: markdown */
    bool allow_loss;
};

struct content_changes {
    struct str places;   /* "4, 6.1": the blocks that find edits changed, the first few, numbered as they are then */
    size_t replacements; /* matches replaced */
    struct str note;     /* a sentence for who made the edits; often empty */
    size_t removed_bytes, added_bytes;
};

/*
 * E_INVALID: an edit that makes no sense, or would break the blocks. E_NOT_FOUND: no such block. E_CONFLICT: find matched
 * another number of times (the text says how often and where). ret_raw and ret are in the call's arena.
 */
int content_apply_edits(struct call *call, struct str raw, const struct content_edit *edits, size_t count,
                        struct str *ret_raw, struct content_changes *ret);

#endif

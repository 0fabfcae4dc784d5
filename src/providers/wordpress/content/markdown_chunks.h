/*
 * A Markdown text cut where that cannot change its meaning: at blank lines that are neither in a fenced code block, nor in an
 * HTML block, nor between the items of a list. Stand-ins and raw block markup are chunks of their own.
 */
#ifndef PROVIDERS_WORDPRESS_CONTENT_MARKDOWN_CHUNKS_H
#define PROVIDERS_WORDPRESS_CONTENT_MARKDOWN_CHUNKS_H

#include "providers/wordpress/content/block_write.h"
#include "call/call.h"

enum chunk_kind {
    CHUNK_MARKDOWN,
    CHUNK_RAW,      /* a whole block in block markup */
    CHUNK_STAND_IN, /* [[block N name]] text */
    CHUNK_END,      /* [[/block N]] */
};

struct chunk {
    enum chunk_kind kind;
    struct str text;   /* without the blank lines around it */
    struct str number; /* of a stand-in or end mark */
    struct str name;   /* of a stand-in: "core/table", or empty */
    struct str body;   /* of a stand-in: what follows the mark */
};

struct chunk_reader {
    struct str rest;
    unsigned broken; /* openers of blocks that are not closed: a few are searched for their end, not thousands */
};

/* The next chunk; false at the end. */
bool markdown_next_chunk(struct chunk_reader *reader, struct chunk *ret);

/* Markdown without an original: raw block markup passes through, a stand-in is E_INVALID. */
MUST_CHECK int markdown_chunks_write(struct call *call, struct str markdown, struct block_writer *writer);

/* A line of the form "[label]: address" is anywhere in the text: then all of it must be read at once. "[^1]: note" is none. */
bool markdown_has_definitions(struct str markdown);

/* The fence that opens on this trimmed line: its character and length. */
bool markdown_fence_opens(struct str line, char *ret_char, size_t *ret_length);
bool markdown_fence_closes(struct str line, char c, size_t length);

#endif

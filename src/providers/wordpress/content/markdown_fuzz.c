/*
 * Any bytes, twice. As Markdown (and as HTML): what it becomes are well-formed blocks, no paragraph in a paragraph is made by
 * us, and reading those blocks and writing them back changes nothing. As stored content: its Markdown, written over it, gives
 * the same bytes again.
 */
#include "providers/wordpress/content/blocks.h"
#include "providers/wordpress/content/markdown_in.h"
#include "providers/wordpress/content/markdown_out.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arena *arena;
static struct call call;

static void new_buf(struct buf *buf)
{
    buf_init(buf, arena, (size_t)64 << 20);
}

/* Stored content over itself. */
static void check_identity(struct str stored)
{
    struct buf markdown, back;
    new_buf(&markdown);
    new_buf(&back);
    struct content_view all = {STR_EMPTY, 0};
    if (content_to_markdown(&call, stored, &all, &markdown) != OK)
        return;
    int rc = content_from_markdown(&call, buf_str(&markdown), stored, false, &back);
    assert(rc == OK);
    assert(str_eq(buf_str(&back), stored) || str_trim(stored).len == 0);
}

/* Without the original, covered blocks come back, too, unless something is a stand-in. */
static void check_blocks(struct str made)
{
    struct blocks blocks = blocks_parse(arena, made, BLOCKS_AS_WORDPRESS);
    assert(!blocks.is_broken);
    for (const struct block *block = blocks.first; block; block = block->next)
        assert(!block_is_classic(block));
    struct buf markdown, back;
    new_buf(&markdown);
    new_buf(&back);
    struct content_view all = {STR_EMPTY, 0};
    if (content_to_markdown(&call, made, &all, &markdown) != OK || str_contains(buf_str(&markdown), STR("[[block ")))
        return;
    int rc = content_to_blocks(&call, buf_str(&markdown), CONTENT_MARKDOWN, &back);
    assert(rc == OK);
    assert(str_eq(buf_str(&back), made));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena = arena_new((size_t)1 << 30);
    call_init(&call, arena, 1000);
    struct str text = str_of((const char *)data, size);
    struct buf made, html;
    new_buf(&made);
    new_buf(&html);
    /* Raw block markup passes through Markdown as it is: then what comes out is not only ours. */
    bool has_markup = str_contains(text, STR("<!--"));
    if (content_to_blocks(&call, text, CONTENT_MARKDOWN, &made) == OK) {
        if (!has_markup)
            check_blocks(buf_str(&made));
        check_identity(buf_str(&made));
    }
    if (!has_markup && content_to_blocks(&call, text, CONTENT_HTML, &html) == OK)
        check_blocks(buf_str(&html));
    check_identity(text);
    arena_free(arena);
    return 0;
}

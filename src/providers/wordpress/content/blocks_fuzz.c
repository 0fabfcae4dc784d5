/* Any bytes: the slices rebuild the source, inner blocks lie in order inside their parent, all views of it come to an end. */
#include "providers/wordpress/content/blocks.h"

#include "providers/wordpress/content/markdown_out.h"
#include "providers/wordpress/content/text.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_level(const struct block *first, const char *start, const char *end)
{
    const struct block *previous = NULL;
    for (const struct block *block = first; block; block = block->next) {
        assert(block->previous == previous);
        assert(block->outer.ptr >= start && block->outer.ptr + block->outer.len <= end);
        assert(block->inner.ptr >= block->outer.ptr &&
               block->inner.ptr + block->inner.len <= block->outer.ptr + block->outer.len);
        check_level(block->first_child, block->inner.ptr, block->inner.ptr + block->inner.len);
        start = block->outer.ptr + block->outer.len;
        previous = block;
    }
}

/* Between top-level blocks there is nothing but white space. */
static void check_gaps(const struct blocks *blocks)
{
    const char *at = blocks->source.ptr;
    for (const struct block *block = blocks->first; block; block = block->next) {
        assert(str_trim(str_of(at, (size_t)(block->outer.ptr - at))).len == 0);
        at = block->outer.ptr + block->outer.len;
        struct str number = block->number;
        assert(blocks_find(blocks, number) == block);
    }
    assert(str_trim(str_of(at, (size_t)(blocks->source.ptr + blocks->source.len - at))).len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new((size_t)1 << 30);
    struct str source = str_of((const char *)data, size);
    struct call call;
    call_init(&call, arena, 1000);
    for (int flags = BLOCKS_AS_WORDPRESS; flags <= BLOCKS_SPLIT_CLASSIC; flags++) {
        struct blocks blocks = blocks_parse(arena, source, (enum blocks_flags)flags);
        check_level(blocks.first, source.ptr, source.ptr + source.len);
        check_gaps(&blocks);
    }
    struct content_view view = {.part = str_sub(source, 0, 12), .max_chars = size % 97};
    struct buf out;
    buf_init(&out, arena, (size_t)256 << 20);
    (void)content_outline(&call, source, &view, &out);
    (void)content_numbered_blocks(&call, source, &view, &out);
    (void)content_raw_part(&call, source, &view, &out);
    text_word_count(arena, source);
    arena_free(arena);
    return 0;
}

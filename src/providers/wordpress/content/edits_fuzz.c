/*
 * A document, then edits, separated by the byte 1: "find 2 replace" or "3 block 2 op 2 content". What comes out of a document
 * that was not broken is not broken; a failed call has a text; block edits leave every other block as it was.
 */
#include "providers/wordpress/content/edits.h"

#include "providers/wordpress/content/blocks.h"
#include "providers/wordpress/content/changes.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct content_edit edit_from(struct str text)
{
    struct content_edit edit = {STR_EMPTY, STR_EMPTY, 0, STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY, false};
    struct str piece;
    bool block = text.len && text.ptr[0] == 3;
    if (block)
        text = str_from_offset(text, 1);
    for (int i = 0; str_next(&text, 2, &piece); i++) {
        if (block)
            *(i == 0 ? &edit.block : (i == 1 ? &edit.op : (i == 2 ? &edit.content : &edit.format))) = piece;
        else
            *(i == 0 ? &edit.find : &edit.replace) = piece;
    }
    edit.count = (int64_t)(edit.find.len % 4) - 1;
    return edit;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new((size_t)1 << 30);
    struct str rest = str_of((const char *)data, size), raw = STR_EMPTY, piece, changed;
    struct call call;
    struct content_edit edits[8];
    struct content_changes changes;
    size_t count = 0;
    call_init(&call, arena, 1000);
    str_next(&rest, 1, &raw);
    while (count < ARRAY_LENGTH(edits) && str_next(&rest, 1, &piece))
        edits[count++] = edit_from(piece);
    int rc = content_apply_edits(&call, raw, edits, count, &changed, &changes);
    if (rc == OK) {
        bool was_broken = blocks_parse(arena, raw, BLOCKS_AS_WORDPRESS).is_broken;
        assert(was_broken || !blocks_parse(arena, changed, BLOCKS_AS_WORDPRESS).is_broken);
        struct str diff = changes_between(arena, raw, changed);
        assert(str_eq(raw, changed) == (diff.len == 0) || diff.len == 0);
        assert(changed.len == raw.len - changes.removed_bytes + changes.added_bytes);
    } else {
        assert(call.error == rc && call.error_text.len > 0);
    }
    arena_free(arena);
    return 0;
}

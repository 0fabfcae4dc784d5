/* Markdown over what is stored: what did not change stays byte for byte. */
#include "providers/wordpress/content/blocks.h"
#include "providers/wordpress/content/html.h"
#include "providers/wordpress/content/markdown_chunks.h"
#include "providers/wordpress/content/markdown_in.h"
#include "providers/wordpress/content/markdown_out.h"
#include "providers/wordpress/content/markdown_walk.h"

#include <stdlib.h>

enum { CHUNKS_MAX = 500000, NAMED_MAX = 20, SEARCH_FACTOR = 64 };

/* A stored block whose Markdown is plain: it is looked for among the new chunks. */
struct candidate {
    struct block *block;
    struct chunk *chunks; /* its own Markdown in chunks */
    size_t chunk_count, index;
    struct candidate *next; /* with the same hash, in order */
    bool used;
};

struct merge {
    struct call *call;
    struct markdown_writer *markdown;
    struct markdown_events *events;
    struct blocks stored;
    struct block *first, *last; /* the siblings that are written over; NULL in an empty document */
    bool is_whole;              /* they are the document: white space around it is kept */
    struct chunk *chunks;
    size_t chunk_count;
    size_t *ends, *ends_next; /* the chunks of end marks by hash of their number, in order: 1 + index, 0 is none */
    size_t n_ends_slots;
    size_t search_left; /* steps left for finding end marks */
    struct str definitions;
    struct block **kept; /* stored blocks that were written, by some stand-in or as they are */
    size_t kept_count, kept_capacity;
};

/* One level of blocks: the document, or the inside of a block. */
struct level {
    struct merge *merge;
    struct candidate **table;
    size_t table_size;
    size_t last_index; /* 1 + index of the stored block written last */
    struct buf *out;
    struct block *previous; /* the stored block that was written last, if nothing came behind it */
    bool any;
};

/* --- reading both sides */

static struct chunk *read_chunks(struct merge *merge, struct str markdown, size_t *ret_count)
{
    struct chunk_reader reader = {.rest = markdown};
    size_t capacity = 4, count = 0;
    struct chunk *chunks = arena_array_of(merge->call->arena, struct chunk, capacity);
    while (count < CHUNKS_MAX && markdown_next_chunk(&reader, &chunks[count])) {
        if (++count < capacity)
            continue;
        struct chunk *grown = arena_array_of(merge->call->arena, struct chunk, capacity * 2);
        memcpy(grown, chunks, capacity * sizeof *chunks);
        chunks = grown;
        capacity *= 2;
    }
    *ret_count = count;
    return chunks;
}

static void index_ends(struct merge *merge)
{
    size_t count = 0;
    for (size_t i = 0; i < merge->chunk_count; i++)
        count += merge->chunks[i].kind == CHUNK_END;
    merge->n_ends_slots = count * 2 + 1;
    merge->ends = arena_array_of(merge->call->arena, size_t, merge->n_ends_slots);
    merge->ends_next = arena_array_of(merge->call->arena, size_t, merge->chunk_count + 1);
    for (size_t i = merge->chunk_count; i-- > 0;) {
        if (merge->chunks[i].kind != CHUNK_END)
            continue;
        size_t *slot = &merge->ends[str_hash(merge->chunks[i].number) % merge->n_ends_slots];
        merge->ends_next[i] = *slot;
        *slot = i + 1;
    }
}

static void add_candidate(struct level *level, struct block *block, size_t index)
{
    struct str text = markdown_of_block(level->merge->markdown, block);
    if (markdown_is_stand_in(text))
        return;
    struct candidate *candidate = arena_new_of(level->merge->call->arena, struct candidate);
    candidate->block = block;
    candidate->index = index;
    candidate->chunks = read_chunks(level->merge, text, &candidate->chunk_count);
    if (candidate->chunk_count == 0)
        return;
    struct candidate **slot = &level->table[str_hash(candidate->chunks[0].text) % level->table_size];
    candidate->next = *slot; /* blocks are added last to first */
    *slot = candidate;
}

static size_t count_siblings(const struct block *first, const struct block *last)
{
    size_t count = last != NULL;
    for (; first != last; first = first->next)
        count++;
    return count;
}

static struct level new_level(struct merge *merge, struct block *first, struct block *last, struct buf *out)
{
    size_t count = count_siblings(first, last);
    struct level level = {.merge = merge, .out = out, .table_size = count * 2 + 1};
    level.table = arena_array_of(merge->call->arena, struct candidate *, level.table_size);
    size_t index = count;
    for (struct block *block = last; block; block = block == first ? NULL : block->previous)
        add_candidate(&level, block, --index);
    return level;
}

static bool same_chunks(const struct candidate *candidate, const struct chunk *chunks, size_t count)
{
    if (candidate->used || candidate->chunk_count > count)
        return false;
    for (size_t i = 0; i < candidate->chunk_count; i++)
        if (chunks[i].kind != CHUNK_MARKDOWN || !str_eq(chunks[i].text, candidate->chunks[i].text))
            return false;
    return true;
}

/* The stored block that the chunks begin with: the next one after what was written last, else the first. */
static struct candidate *find_candidate(struct level *level, const struct chunk *chunks, size_t count)
{
    struct candidate **slot = &level->table[str_hash(chunks[0].text) % level->table_size], *first = NULL;
    while (*slot && (*slot)->used)
        *slot = (*slot)->next;
    for (struct candidate *candidate = *slot; candidate; candidate = candidate->next) {
        if (!same_chunks(candidate, chunks, count))
            continue;
        if (candidate->index >= level->last_index)
            return candidate;
        first = first ? first : candidate;
    }
    return first;
}

/* --- writing */

static void keep(struct merge *merge, struct block *block)
{
    if (merge->kept_count == merge->kept_capacity) {
        size_t capacity = merge->kept_capacity ? merge->kept_capacity * 2 : 64;
        struct block **grown = arena_array_of(merge->call->arena, struct block *, capacity);
        if (merge->kept_count)
            memcpy(grown, merge->kept, merge->kept_count * sizeof(struct block *));
        merge->kept = grown;
        merge->kept_capacity = capacity;
    }
    merge->kept[merge->kept_count++] = block;
}

/* What stands between the last thing written and the next; `block`: a stored block, or NULL for something new. */
static void add_gap(struct level *level, const struct block *block)
{
    if (level->any) {
        const struct block *previous = level->previous;
        if (block && previous && previous->next == block) {
            const char *end = previous->outer.ptr + previous->outer.len;
            buf_add(level->out, str_of(end, (size_t)(block->outer.ptr - end)));
        } else {
            buf_add(level->out, STR("\n\n"));
        }
    } else if (block && level->merge->is_whole && !block->parent && !block->previous) {
        const char *start = level->merge->stored.source.ptr;
        buf_add(level->out, str_of(start, (size_t)(block->outer.ptr - start)));
    }
    level->any = true;
    level->previous = (struct block *)block;
}

static int write_new(struct level *level, struct str markdown)
{
    struct merge *merge = level->merge;
    if (merge->definitions.len)
        markdown = call_format(merge->call, "%.*s\n\n%.*s", STR_ARG(markdown), STR_ARG(merge->definitions));
    struct buf text;
    buf_init(&text, merge->call->arena, level->out->max);
    struct block_writer writer = block_writer_on(&text, !merge->stored.has_delimiters);
    int rc = markdown_walk(merge->call, merge->events, markdown, &writer);
    if (rc != OK || text.len == 0)
        return rc;
    add_gap(level, NULL);
    buf_add(level->out, buf_str(&text));
    return OK;
}

static void write_stored(struct level *level, struct block *block, size_t index)
{
    add_gap(level, block);
    buf_add(level->out, block->outer);
    keep(level->merge, block);
    level->last_index = index + 1;
}

/* --- stand-ins */

static int cannot_change(struct merge *merge, const struct block *block)
{
    struct str name = block_is_classic(block) ? STR("classic") : block->name;
    return fail(
        merge->call, E_INVALID,
        "The text of block %.*s (%.*s) cannot be changed in Markdown without losing what Markdown does not hold. Leave "
        "[[block %.*s %.*s]] as it was and change it with a find/replace or block edit.",
        STR_ARG(block->number), STR_ARG(name), STR_ARG(block->number), STR_ARG(name));
}

/* The stand-in's own text in what was shown. */
static struct str shown_body(struct merge *merge, struct block *block)
{
    struct chunk_reader reader = {.rest = markdown_of_block(merge->markdown, block)};
    struct chunk chunk;
    return markdown_next_chunk(&reader, &chunk) && chunk.kind == CHUNK_STAND_IN ? chunk.body : STR_EMPTY;
}

/* A paragraph or heading keeps its delimiter and tag, and gets a new text. False: that would lose something. */
static bool graft(struct merge *merge, struct block *block, struct str body, struct buf *out)
{
    bool heading = block_is(block, "core/heading");
    unsigned level = 0, new_level_number = 0;
    struct str inner, shown, html;
    struct html_token tag;
    if (heading)
        level = (unsigned)block_heading(block, &inner);
    else if (!block_is(block, "core/paragraph") || !html_whole_element(block->inner, "p", &tag, &inner))
        return false;
    unsigned *level_out = heading ? &new_level_number : NULL;
    if ((heading && !level) ||
        !markdown_inline(merge->call, merge->events, shown_body(merge, block), level_out, &shown) ||
        !str_eq(shown, inner))
        return false;
    if (!markdown_inline(merge->call, merge->events, body, level_out, &html) || new_level_number != level)
        return false;
    buf_add(out, str_of(block->outer.ptr, (size_t)(inner.ptr - block->outer.ptr)));
    buf_add(out, html);
    const char *behind = inner.ptr + inner.len;
    buf_add(out, str_of(behind, (size_t)(block->outer.ptr + block->outer.len - behind)));
    return true;
}

static int merge_range(struct level *level, size_t start, size_t end);

/* The chunk of the end mark that belongs to the stand-in at `at`, or `end`. `at` only ever grows. */
static size_t find_end(struct merge *merge, size_t at, size_t end)
{
    struct str number = merge->chunks[at].number;
    size_t *slot = &merge->ends[str_hash(number) % merge->n_ends_slots];
    while (*slot && *slot - 1 <= at)
        *slot = merge->ends_next[*slot - 1];
    for (size_t i = *slot; i && i - 1 < end && merge->search_left; i = merge->ends_next[i - 1], merge->search_left--)
        if (str_eq(merge->chunks[i - 1].number, number))
            return i - 1;
    return end;
}

/* A block around the new state of its inner blocks. */
static int write_container(struct level *level, struct block *block, size_t start, size_t end)
{
    const char *first = block->first_child->outer.ptr;
    const char *behind = block->last_child->outer.ptr + block->last_child->outer.len;
    add_gap(level, block);
    buf_add(level->out, str_of(block->outer.ptr, (size_t)(first - block->outer.ptr)));
    struct level inner = new_level(level->merge, block->first_child, block->last_child, level->out);
    int rc = merge_range(&inner, start, end);
    buf_add(level->out, str_of(behind, (size_t)(block->outer.ptr + block->outer.len - behind)));
    return rc;
}

/* It is one of those that are written over, or in one of them; others stay where they are, and would stand twice. */
static bool is_written_over(const struct merge *merge, const struct block *block)
{
    const char *end = merge->last ? merge->last->outer.ptr + merge->last->outer.len : NULL;
    return merge->first && block->outer.ptr >= merge->first->outer.ptr && block->outer.ptr < end;
}

/* Writes what the stand-in at *at means; *at goes behind it. */
static int write_stand_in(struct level *level, size_t *at, size_t end)
{
    struct merge *merge = level->merge;
    const struct chunk *chunk = &merge->chunks[*at];
    struct block *block = blocks_find(&merge->stored, chunk->number);
    if (!block)
        return fail(merge->call, E_INVALID, "There is no block %.*s in what is stored: read it again.",
                    STR_ARG(chunk->number));
    struct str name = block_is_classic(block) ? STR("classic") : block->name;
    if (chunk->name.len && !str_eq(chunk->name, name))
        return fail(merge->call, E_CONFLICT, "Block %.*s is %.*s now, not %.*s: read the item again.",
                    STR_ARG(chunk->number), STR_ARG(name), STR_ARG(chunk->name));
    if (!is_written_over(merge, block))
        return fail(merge->call, E_INVALID,
                    "Block %.*s is not among the blocks that are replaced, so it stays where it is: leave its "
                    "[[block %.*s ...]] out, or replace a range that holds it.",
                    STR_ARG(block->number), STR_ARG(block->number));
    struct str shown = shown_body(merge, block);
    bool changed = chunk->body.len && !str_eq(chunk->body, shown);
    size_t behind = find_end(merge, *at, end), start = *at + 1;
    keep(merge, block);
    *at = behind < end ? behind + 1 : start;
    if (changed && block->first_child && behind < end)
        return cannot_change(merge, block);
    if (block->first_child && behind < end && behind > start) {
        block->is_open_in_merge = true;
        return write_container(level, block, start, behind);
    }
    add_gap(level, block);
    if (!changed) {
        buf_add(level->out, block->outer);
        return OK;
    }
    return graft(merge, block, chunk->body, level->out) ? OK : cannot_change(merge, block);
}

/* --- all */

static int merge_range(struct level *level, size_t start, size_t end)
{
    struct merge *merge = level->merge;
    struct str run = STR_EMPTY;
    int rc = OK;
    for (size_t at = start; rc == OK && at < end;) {
        const struct chunk *chunk = &merge->chunks[at];
        struct candidate *candidate = chunk->kind == CHUNK_MARKDOWN ? find_candidate(level, chunk, end - at) : NULL;
        if (chunk->kind == CHUNK_MARKDOWN && !candidate) {
            run = run.len ? str_of(run.ptr, (size_t)(chunk->text.ptr + chunk->text.len - run.ptr)) : chunk->text;
            at++;
            continue;
        }
        if (run.len)
            rc = write_new(level, run);
        run = STR_EMPTY;
        if (rc != OK)
            break;
        if (candidate) {
            candidate->used = true;
            write_stored(level, candidate->block, candidate->index);
            at += candidate->chunk_count;
        } else if (chunk->kind == CHUNK_RAW) {
            add_gap(level, NULL);
            buf_add(level->out, chunk->text);
            at++;
        } else if (chunk->kind == CHUNK_STAND_IN) {
            rc = write_stand_in(level, &at, end);
        } else {
            return fail(merge->call, E_INVALID, "[[/block %.*s]] has no [[block %.*s ...]] before it.",
                        STR_ARG(chunk->number), STR_ARG(chunk->number));
        }
    }
    return rc == OK && run.len ? write_new(level, run) : rc;
}

static int compare_pointers(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (struct block *const *)a, y = (uintptr_t) * (struct block *const *)b;
    return (x > y) - (x < y);
}

static bool was_kept(const struct merge *merge, struct block *block)
{
    return merge->kept_count &&
           bsearch(&block, merge->kept, merge->kept_count, sizeof(struct block *), compare_pointers) != NULL;
}

struct missing {
    struct buf names;
    size_t count;
};

/*
 * Stand-ins that were shown and are in neither the new text nor inside a block that was kept as it is; `told`: of the blocks
 * themselves their loss is meant, of what stands in those that were kept it is not.
 */
static void find_missing(struct merge *merge, struct block *first, const struct block *last, bool told,
                         struct missing *missing)
{
    for (struct block *block = first; block; block = block == last ? NULL : block->next) {
        if (!markdown_is_stand_in(markdown_of_block(merge->markdown, block)))
            continue;
        if (was_kept(merge, block)) {
            if (block->is_open_in_merge)
                find_missing(merge, block->first_child, block->last_child, false, missing);
            continue;
        }
        if (!told && missing->count++ < NAMED_MAX)
            buf_add_format(&missing->names, "%s[[block %.*s %.*s]]", missing->count > 1 ? ", " : "",
                           STR_ARG(block->number), STR_ARG(block_is_classic(block) ? STR("classic") : block->name));
    }
}

static int check_missing(struct merge *merge, bool told)
{
    struct missing missing = {.count = 0};
    buf_init(&missing.names, merge->call->arena, 8192);
    if (merge->kept_count)
        qsort(merge->kept, merge->kept_count, sizeof(struct block *), compare_pointers);
    find_missing(merge, merge->first, merge->last, told, &missing);
    if (missing.count == 0)
        return OK;
    struct str names = buf_str(&missing.names);
    return fail(merge->call, E_CONFLICT,
                "The new text lacks %zu stand-in%s of blocks that Markdown cannot hold: %.*s%s. Put them where the "
                "blocks belong, delete them with block edits, or say \"allow_loss\": true in the edit.",
                missing.count, missing.count == 1 ? "" : "s", STR_ARG(names), missing.count > NAMED_MAX ? ", ..." : "");
}

/* All link definitions: each piece that is read for itself needs them. */
static struct str collect_definitions(struct call *call, struct str markdown)
{
    struct buf out;
    struct str line;
    if (!markdown_has_definitions(markdown))
        return STR_EMPTY;
    buf_init(&out, call->arena, markdown.len + 1);
    while (str_next(&markdown, '\n', &line))
        if (markdown_has_definitions(line)) {
            buf_add(&out, line);
            buf_add_char(&out, '\n');
        }
    return buf_str(&out);
}

/* All that was given is block markup: who writes that means it, and knows no stand-ins. */
static bool is_all_raw(const struct merge *merge)
{
    for (size_t i = 0; i < merge->chunk_count; i++)
        if (merge->chunks[i].kind != CHUNK_RAW)
            return false;
    return merge->chunk_count > 0;
}

/* The range is set; writes what it becomes. */
static int run_merge(struct merge *merge, struct str markdown, enum merge_loss loss, struct buf *out)
{
    merge->markdown = markdown_writer_new(merge->call);
    merge->events = markdown_events_new(merge->call);
    merge->definitions = collect_definitions(merge->call, markdown);
    merge->chunks = read_chunks(merge, markdown, &merge->chunk_count);
    index_ends(merge);
    merge->search_left = merge->chunk_count * SEARCH_FACTOR + CHUNKS_MAX;
    struct level level = new_level(merge, merge->first, merge->last, out);
    int rc = merge_range(&level, 0, merge->chunk_count);
    if (rc == OK && merge->is_whole && level.previous && !level.previous->next && !level.previous->parent) {
        struct str source = merge->stored.source;
        const char *end = level.previous->outer.ptr + level.previous->outer.len;
        buf_add(out, str_of(end, (size_t)(source.ptr + source.len - end)));
    }
    if (rc == OK && loss != MERGE_ANY_LOSS)
        rc = check_missing(merge, loss == MERGE_TOLD_LOSS || is_all_raw(merge));
    if (rc == OK && buf_failed(out))
        return fail(merge->call, E_LIMIT, "The content would be longer than %zu bytes.", out->max);
    return rc;
}

static int check_length(struct call *call, struct str markdown)
{
    return markdown.len > CONTENT_BYTES_MAX
               ? fail(call, E_LIMIT, "The content is longer than %d MiB.", CONTENT_BYTES_MAX / 1024 / 1024)
               : OK;
}

int content_from_markdown(struct call *call, struct str markdown, struct str original_raw, bool allow_loss,
                          struct buf *out)
{
    if (str_trim(original_raw).len == 0 && str_trim(markdown).len == 0) {
        buf_add(out, original_raw);
        return OK;
    }
    if (str_trim(original_raw).len == 0)
        return content_to_blocks(call, markdown, CONTENT_MARKDOWN, out);
    struct merge merge = {
        .call = call, .stored = blocks_parse(call->arena, original_raw, BLOCKS_SPLIT_CLASSIC), .is_whole = true};
    merge.first = merge.stored.first;
    merge.last = merge.stored.last;
    int rc = check_length(call, markdown);
    return rc == OK ? run_merge(&merge, markdown, allow_loss ? MERGE_ANY_LOSS : MERGE_NO_LOSS, out) : rc;
}

int content_over_blocks(struct call *call, struct str markdown, struct str original_raw, struct str range,
                        enum merge_loss loss, struct buf *out)
{
    /* Read anew, because writing leaves its marks on the tree. */
    struct merge merge = {.call = call, .stored = blocks_parse(call->arena, original_raw, BLOCKS_SPLIT_CLASSIC)};
    int rc = check_length(call, markdown);
    if (rc != OK)
        return rc;
    if (!blocks_find_range(&merge.stored, range, &merge.first, &merge.last))
        return fail(call, E_NOT_FOUND, "There is no block %.*s.", STR_ARG(range));
    return run_merge(&merge, markdown, loss, out);
}

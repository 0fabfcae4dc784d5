/* wp_edit's edits, in order, on the text and on the blocks as they were at the start. */
#include "providers/wordpress/content/edits.h"

#include "json/json_scan.h"
#include "providers/wordpress/content/blocks.h"
#include "providers/wordpress/content/edit_replace.h"
#include "providers/wordpress/content/html.h"
#include "providers/wordpress/content/markdown_chunks.h"
#include "providers/wordpress/content/markdown_in.h"
#include "providers/wordpress/content/text.h"

#include <assert.h>
#include <stdlib.h>

/* One stretch of the text that was replaced, in the text as it was just before. */
struct splice {
    size_t start, old_length, new_length;
    struct splice *next;
};

struct edits {
    struct call *call;
    struct blocks stored; /* at the start */
    struct str text;      /* now */
    struct splice *first, *last;
    size_t replacements;
    struct buf places; /* "4, 6.1" */
    struct str note;   /* see content_changes */
    size_t index;      /* of the edit, from 1; 0 when it is the only one */
};

/* "edit 2: " in front of what went wrong, when there are several. */
static const char *prefix(const struct edits *edits)
{
    return edits->index ? call_format(edits->call, "Edit %zu: ", edits->index).ptr : "";
}

static void splice(struct edits *edits, size_t start, size_t old_length, struct str with)
{
    struct arena *arena = edits->call->arena;
    struct splice *entry = arena_new_of(arena, struct splice);
    *entry = (struct splice){start, old_length, with.len, NULL};
    if (edits->last)
        edits->last->next = entry;
    else
        edits->first = entry;
    edits->last = entry;
    char *out = arena_alloc(arena, edits->text.len - old_length + with.len + 1);
    memcpy(out, edits->text.ptr, start);
    if (with.len)
        memcpy(out + start, with.ptr, with.len);
    memcpy(out + start + with.len, edits->text.ptr + start + old_length, edits->text.len - start - old_length);
    edits->text = str_of(out, edits->text.len - old_length + with.len);
}

/* Where an offset of the start is now; behind what was inserted just there, if `behind`. False: it was replaced. */
static bool offset_now(const struct edits *edits, const char *at, bool behind, size_t *ret)
{
    size_t offset = (size_t)(at - edits->stored.source.ptr);
    for (const struct splice *entry = edits->first; entry; entry = entry->next) {
        if (offset < entry->start || (offset == entry->start && !(behind && entry->old_length == 0)))
            continue;
        if (offset < entry->start + entry->old_length)
            return false;
        offset += entry->new_length;
        offset -= entry->old_length;
    }
    *ret = offset;
    return true;
}

/* --- find and replace */

enum { PLACES_BYTES_MAX = 80, ATTRIBUTES_CHARS = 160 };

/* The numbers of the blocks where something is replaced, each once. */
static void note_places(struct edits *edits, const struct replacement *list, size_t count)
{
    struct blocks blocks = blocks_parse(edits->call->arena, edits->text, BLOCKS_SPLIT_CLASSIC);
    const struct block *last = NULL;
    for (size_t i = 0; i < count && edits->places.len < PLACES_BYTES_MAX; i++) {
        const struct block *block = blocks_at(&blocks, list[i].start);
        if (!block || block == last)
            continue;
        buf_add(&edits->places, edits->places.len ? STR(", ") : STR_EMPTY);
        buf_add(&edits->places, block->number);
        last = block;
        if (edits->places.len >= PLACES_BYTES_MAX)
            buf_add(&edits->places, STR(", ..."));
    }
}

static int apply_find(struct edits *edits, const struct content_edit *edit)
{
    struct replacement *list;
    size_t count;
    bool literal;
    int rc = edit_replacements(edits->call, prefix(edits), edits->text, edit, &list, &count, &literal);
    if (rc != OK)
        return rc;
    if (literal && !edits->note.len)
        edits->note = call_format(edits->call,
                                  "%sThe replacement was taken literally, Markdown signs and all: \"format\": "
                                  "\"markdown\" in the edit makes them markup.",
                                  prefix(edits));
    note_places(edits, list, count);
    struct buf out;
    size_t extra = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        extra += list[i].with.len;
    buf_init(&out, edits->call->arena, edits->text.len + extra + 1);
    for (size_t i = 0; i < count; i++) {
        buf_add(&out, str_sub(edits->text, at, list[i].start - at));
        buf_add(&out, list[i].with);
        at = list[i].end;
    }
    buf_add(&out, str_from_offset(edits->text, at));
    /* From the last to the first, so that the offsets hold. */
    for (size_t i = count; i-- > 0;) {
        struct splice *entry = arena_new_of(edits->call->arena, struct splice);
        *entry = (struct splice){list[i].start, list[i].end - list[i].start, list[i].with.len, NULL};
        if (edits->last)
            edits->last->next = entry;
        else
            edits->first = entry;
        edits->last = entry;
    }
    edits->text = buf_str(&out);
    edits->replacements += count;
    return OK;
}

/* --- block operations */

enum block_op { OP_REPLACE, OP_BEFORE, OP_AFTER, OP_DELETE, OP_APPEND, OP_PREPEND };

static bool op_from(struct str name, enum block_op *ret)
{
    static const struct str names[] = {
        [OP_REPLACE] = STR_INIT("replace"), [OP_BEFORE] = STR_INIT("before"), [OP_AFTER] = STR_INIT("after"),
        [OP_DELETE] = STR_INIT("delete"),   [OP_APPEND] = STR_INIT("append"), [OP_PREPEND] = STR_INIT("prepend")};
    *ret = OP_REPLACE;
    if (name.len == 0)
        return true;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (str_eq(name, names[i])) {
            *ret = (enum block_op)i;
            return true;
        }
    return false;
}

/* New list items out of whatever the content became: a list's items, or one item of a paragraph's text. */
static int to_items(struct edits *edits, struct str text, struct str *ret)
{
    struct blocks blocks = blocks_parse(edits->call->arena, text, BLOCKS_AS_WORDPRESS);
    const struct block *only = blocks.count == 1 ? blocks.first : NULL;
    struct html_token tag;
    struct str inner;
    if (only && block_is(only, "core/list") && only->first_child) {
        *ret = blocks_span(only->first_child, only->last_child);
        return OK;
    }
    if (only && block_is(only, "core/list-item")) {
        *ret = only->outer;
        return OK;
    }
    if (only && block_is(only, "core/paragraph") && html_whole_element(only->inner, "p", &tag, &inner)) {
        *ret = call_format(edits->call, "<!-- wp:list-item -->\n<li>%.*s</li>\n<!-- /wp:list-item -->", STR_ARG(inner));
        return OK;
    }
    return fail(edits->call, E_INVALID,
                "%sInside a list only list items can stand: give one list, or one line of text.", prefix(edits));
}

static int content_is_empty(struct edits *edits)
{
    return fail(edits->call, E_INVALID, "%scontent is empty. To remove a block, say op delete.", prefix(edits));
}

/* The content as it will stand: blocks, list items in a list, classic HTML in a classic post. */
static int convert_content(struct edits *edits, const struct content_edit *edit, const struct block *parent,
                           struct str *ret)
{
    struct call *call = edits->call;
    enum content_format format;
    if (!content_format_from(edit->format, &format))
        return fail(call, E_INVALID, "%sformat is markdown, html or blocks, not \"%.*s\".", prefix(edits),
                    STR_ARG(edit->format));
    struct buf out;
    buf_init(&out, call->arena, 4 * (size_t)CONTENT_BYTES_MAX);
    bool classic = edits->stored.first && !edits->stored.has_delimiters;
    if (classic && format == CONTENT_BLOCKS)
        return fail(call, E_INVALID, "%sThis is a classic post, without blocks: give Markdown or HTML.", prefix(edits));
    int rc = classic ? content_to_classic(call, edit->content, format, &out)
                     : content_to_blocks(call, edit->content, format, &out);
    if (rc != OK)
        return rc;
    *ret = buf_str(&out);
    if (ret->len == 0)
        return content_is_empty(edits);
    return parent && block_is(parent, "core/list") ? to_items(edits, *ret, ret) : OK;
}

static int gone(struct edits *edits, const struct block *block)
{
    return fail(edits->call, E_CONFLICT,
                "%sBlock %.*s was already replaced or deleted by an earlier edit of this call.", prefix(edits),
                STR_ARG(block->number));
}

static const char *end_of(const struct block *block)
{
    return block->outer.ptr + block->outer.len;
}

/* Insertion at a place of the stored text, with a blank line on the side of the neighbour. */
static int insert(struct edits *edits, const struct block *near, const char *at, bool after, struct str text)
{
    size_t offset;
    if (!offset_now(edits, at, true, &offset))
        return gone(edits, near);
    splice(edits, offset, 0, call_format(edits->call, after ? "\n\n%.*s" : "%.*s\n\n", STR_ARG(text)));
    return OK;
}

/* Elements of text, which are no place for blocks. */
static bool holds_text(struct str element)
{
    static const struct str names[] = {STR_INIT("p"),  STR_INIT("h1"), STR_INIT("h2"),  STR_INIT("h3"),
                                       STR_INIT("h4"), STR_INIT("h5"), STR_INIT("h6"),  STR_INIT("pre"),
                                       STR_INIT("li"), STR_INIT("a"),  STR_INIT("span")};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (str_eq_nocase(element, names[i]))
            return true;
    return false;
}

/*
 * Where inner blocks of a block that has none would stand: before its last end tag, when that ends an empty element (a group, a
 * column, a gallery) or a <details>, which has a summary. An image or a table is no place for blocks, though it has end tags.
 */
static bool empty_container(const struct block *block, size_t *ret_offset)
{
    struct html_token token, before = {0}, last = {0};
    struct str rest = block->inner;
    while (html_next(&rest, &token)) {
        if (token.kind == HTML_TEXT && str_trim(token.source).len == 0)
            continue;
        before = last;
        last = token;
    }
    if (last.kind != HTML_CLOSE || !last.source.ptr || holds_text(last.name))
        return false;
    *ret_offset = (size_t)(last.source.ptr - block->inner.ptr);
    return (before.kind == HTML_OPEN && !before.self_closing && str_eq_nocase(before.name, last.name)) ||
           (block_is(block, "core/details") && before.kind == HTML_CLOSE);
}

/* The first or last place inside a block. */
static int insert_inside(struct edits *edits, const struct block *block, bool at_end, struct str text)
{
    if (block->first_child)
        return insert(edits, block, at_end ? end_of(block->last_child) : block->first_child->outer.ptr, at_end, text);
    size_t close, offset;
    if (!empty_container(block, &close))
        return fail(edits->call, E_INVALID, "%sBlock %.*s (%.*s) has no inner blocks: use op before, after or replace.",
                    prefix(edits), STR_ARG(block->number), STR_ARG(block->name));
    if (!offset_now(edits, block->inner.ptr + close, true, &offset))
        return gone(edits, block);
    splice(edits, offset, 0, text);
    return OK;
}

static int insert_in_document(struct edits *edits, bool at_end, struct str text)
{
    const struct block *block = at_end ? edits->stored.last : edits->stored.first;
    if (!block) {
        splice(edits, 0, edits->text.len, text);
        return OK;
    }
    return insert(edits, block, at_end ? end_of(block) : block->outer.ptr, at_end, text);
}

/* Something stands between these siblings that an earlier edit put there. */
static bool holds_insertion(const struct edits *edits, const struct block *first, const struct block *last)
{
    size_t from, to;
    for (const struct block *block = first; block != last; block = block->next) {
        const char *end = end_of(block), *next = block->next->outer.ptr;
        if (offset_now(edits, end, false, &from) && offset_now(edits, next, true, &to) &&
            to - from > (size_t)(next - end))
            return true;
    }
    return false;
}

/* Takes siblings out, with the white space to their neighbour. */
static int cut(struct edits *edits, const struct block *first, const struct block *last, bool with_gap, struct str with)
{
    const char *start = first->outer.ptr, *end = end_of(last);
    if (with_gap && last->next && str_trim(str_of(end, (size_t)(last->next->outer.ptr - end))).len == 0)
        end = last->next->outer.ptr;
    else if (with_gap && first->previous &&
             str_trim(str_of(end_of(first->previous), (size_t)(start - end_of(first->previous)))).len == 0)
        start = end_of(first->previous);
    size_t from, to;
    if (holds_insertion(edits, first, last))
        return fail(
            edits->call, E_CONFLICT,
            "%sAn earlier edit of this call inserts between the blocks %.*s to %.*s, and this one would take that "
            "away: insert before or after them, or in another call.",
            prefix(edits), STR_ARG(first->number), STR_ARG(last->number));
    /* What other edits inserted right before the first block stays. */
    if (!offset_now(edits, start, true, &from) || !offset_now(edits, end, false, &to) || to < from)
        return gone(edits, first);
    splice(edits, from, to - from, with);
    return OK;
}

/* The stored blocks are as they were at the start. */
static bool is_untouched(const struct edits *edits, const struct block *first, const struct block *last)
{
    size_t from, to;
    struct str span = blocks_span(first, last);
    return offset_now(edits, span.ptr, true, &from) && offset_now(edits, span.ptr + span.len, false, &to) &&
           from <= to && str_eq(str_sub(edits->text, from, to - from), span);
}

static bool holds_stand_in(struct str markdown)
{
    struct chunk_reader reader = {.rest = markdown};
    struct chunk chunk;
    while (markdown_next_chunk(&reader, &chunk))
        if (chunk.kind == CHUNK_STAND_IN)
            return true;
    return false;
}

/* Whether content is Markdown that is written over blocks: items of a list have no stand-ins, they are shown with their list. */
static bool is_written_over(const struct content_edit *edit, const struct block *parent)
{
    enum content_format format;
    return content_format_from(edit->format, &format) && format == CONTENT_MARKDOWN &&
           !(parent && block_is(parent, "core/list"));
}

static int write_over(struct edits *edits, const struct content_edit *edit, const struct block *first,
                      const struct block *last, struct str *ret)
{
    struct call *call = edits->call;
    struct buf out;
    buf_init(&out, call->arena, 4 * (size_t)CONTENT_BYTES_MAX);
    if (str_trim(edit->content).len == 0)
        return content_is_empty(edits);
    /* What a stand-in means are the stored bytes: an earlier edit in them would be lost without a word. */
    if (!is_untouched(edits, first, last) && holds_stand_in(edit->content))
        return fail(call, E_CONFLICT,
                    "%sThe blocks %.*s were changed by an earlier edit of this call, which their stand-ins would undo: "
                    "replace them in a call of its own.",
                    prefix(edits), STR_ARG(edit->block));
    /* Who names one block means that block. */
    enum merge_loss loss = edit->allow_loss ? MERGE_ANY_LOSS : first == last ? MERGE_TOLD_LOSS : MERGE_NO_LOSS;
    int rc = content_over_blocks(call, edit->content, edits->stored.source, str_trim(edit->block), loss, &out);
    if (rc != OK)
        return edits->index ? fail(call, (enum error)rc, "%s%.*s", prefix(edits), STR_ARG(call->error_text)) : rc;
    *ret = buf_str(&out);
    return ret->len ? OK : content_is_empty(edits);
}

static int no_such_block(struct edits *edits, struct str number)
{
    return fail(edits->call, E_NOT_FOUND,
                "%sThere is no block \"%.*s\": blocks are 1 to %zu, inner ones like 3.2, runs like 4-6.", prefix(edits),
                STR_ARG(number), edits->stored.count);
}

static bool in_unclosed(const struct block *block)
{
    for (; block; block = block->parent)
        if (block->is_unclosed)
            return true;
    return false;
}

static int apply_block(struct edits *edits, const struct content_edit *edit)
{
    enum block_op op;
    struct block *first = NULL, *last = NULL;
    struct str text = STR_EMPTY;
    if (!op_from(edit->op, &op))
        return fail(edits->call, E_INVALID, "%sop is replace, before, after, delete, append or prepend, not \"%.*s\".",
                    prefix(edits), STR_ARG(edit->op));
    bool inside = op == OP_APPEND || op == OP_PREPEND, whole = str_trim(edit->block).len == 0;
    if (whole && !inside)
        return fail(edits->call, E_INVALID, "%sAn edit needs find, or block (a number from wp_read) and op.",
                    prefix(edits));
    if (whole) {
        int rc = convert_content(edits, edit, NULL, &text);
        return rc == OK ? insert_in_document(edits, op == OP_APPEND, text) : rc;
    }
    if (!blocks_find_range(&edits->stored, str_trim(edit->block), &first, &last))
        return no_such_block(edits, edit->block);
    assert(first && last);
    if (in_unclosed(first) || in_unclosed(last))
        return fail(edits->call, E_INVALID,
                    "%sThe markup of block %.*s is broken (never closed): use find and replace there.", prefix(edits),
                    STR_ARG(first->number));
    if (op == OP_DELETE)
        return cut(edits, first, last, true, STR_EMPTY);
    int rc = op == OP_REPLACE && is_written_over(edit, first->parent)
                 ? write_over(edits, edit, first, last, &text)
                 : convert_content(edits, edit, inside ? last : first->parent, &text);
    if (rc != OK)
        return rc;
    if (inside)
        return insert_inside(edits, last, op == OP_APPEND, text);
    if (op == OP_REPLACE)
        return cut(edits, first, last, false, text);
    return op == OP_BEFORE ? insert(edits, first, first->outer.ptr, false, text)
                           : insert(edits, last, end_of(last), true, text);
}

/* --- all */

static const struct block *next_in_document(const struct block *block)
{
    if (block->first_child)
        return block->first_child;
    while (block && !block->next)
        block = block->parent;
    return block ? block->next : NULL;
}

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The attributes of all stored blocks, as sorted hashes: what was there before is nobody's fault now. */
static uint64_t *hash_attributes(const struct edits *edits, size_t *ret_count)
{
    size_t count = 0, capacity = 0;
    for (const struct block *block = edits->stored.first; block; block = next_in_document(block))
        capacity += block->attributes_raw.len > 0;
    uint64_t *hashes = arena_array_of(edits->call->arena, uint64_t, capacity + 1);
    for (const struct block *block = edits->stored.first; block; block = next_in_document(block))
        if (block->attributes_raw.len)
            hashes[count++] = str_hash(block->attributes_raw);
    qsort(hashes, count, sizeof *hashes, compare_hashes);
    *ret_count = count;
    return hashes;
}

/* WordPress takes attributes that are no JSON for none; and to browsers "-->" ends the comment wherever it stands. */
static bool are_sound(struct str attributes)
{
    return json_scan_valid(attributes) && !str_contains(attributes, STR("-->")) &&
           !str_contains(attributes, STR("--!>"));
}

static int check_attributes(struct edits *edits, const struct blocks *now)
{
    size_t count;
    uint64_t *before = hash_attributes(edits, &count);
    for (const struct block *block = now->first; block; block = next_in_document(block)) {
        uint64_t hash = str_hash(block->attributes_raw);
        if (!block->attributes_raw.len || (count && bsearch(&hash, before, count, sizeof hash, compare_hashes)) ||
            are_sound(block->attributes_raw))
            continue;
        return fail(edits->call, E_INVALID,
                    "The edits would break the attributes of block %.*s (%.*s), which must stay valid JSON: %.*s. In "
                    "a string there, \" is \\\" or \\u0022, -- is \\u002d\\u002d.",
                    STR_ARG(block->number), STR_ARG(block->name),
                    STR_ARG(text_cut(block->attributes_raw, ATTRIBUTES_CHARS)));
    }
    if (blocks_is_unfinished(edits->text) && !blocks_is_unfinished(edits->stored.source))
        return fail(edits->call, E_INVALID,
                    "The edits would break a block's comment: the } of its attributes is missing.");
    return OK;
}

static int check_result(struct edits *edits)
{
    if (edits->text.len > CONTENT_BYTES_MAX * (size_t)4)
        return fail(edits->call, E_LIMIT, "The content would be longer than %d MiB.",
                    CONTENT_BYTES_MAX * 4 / 1024 / 1024);
    struct blocks now = blocks_parse(edits->call->arena, edits->text, BLOCKS_SPLIT_CLASSIC);
    int rc = check_attributes(edits, &now);
    if (rc != OK || edits->stored.is_broken || !now.is_broken)
        return rc;
    return fail(
        edits->call, E_INVALID,
        "The edits would break the block markup: an opening <!-- wp:... --> and its closing comment must both stay.");
}

int content_apply_edits(struct call *call, struct str raw, const struct content_edit *list, size_t count,
                        struct str *ret_raw, struct content_changes *ret)
{
    struct edits edits = {.call = call, .stored = blocks_parse(call->arena, raw, BLOCKS_SPLIT_CLASSIC), .text = raw};
    buf_init(&edits.places, call->arena, (size_t)4 * PLACES_BYTES_MAX);
    if (count > EDITS_MAX)
        return fail(call, E_LIMIT, "At most %d edits in one call.", EDITS_MAX);
    for (size_t i = 0; i < count; i++) {
        edits.index = count > 1 ? i + 1 : 0;
        int rc = list[i].find.len ? apply_find(&edits, &list[i]) : apply_block(&edits, &list[i]);
        if (rc != OK)
            return rc;
    }
    int rc = check_result(&edits);
    if (rc != OK)
        return rc;
    *ret_raw = edits.text;
    *ret = (struct content_changes){
        .places = buf_str(&edits.places), .replacements = edits.replacements, .note = edits.note};
    for (const struct splice *entry = edits.first; entry; entry = entry->next) {
        ret->removed_bytes += entry->old_length;
        ret->added_bytes += entry->new_length;
    }
    return OK;
}

/*
 * The documents of tests/content: Markdown there and back on each, and on texts a model might write.
 * `corpus_test DIR` also writes what became of them, for tests/content/content.test.mjs, where WordPress itself judges;
 * `corpus_test DIR DOCUMENTS` does it with other documents.
 */
#include "providers/wordpress/content/edits.h"
#include "providers/wordpress/content/markdown_in.h"
#include "providers/wordpress/content/markdown_out.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { FILES_MAX = 400, TEXT_MAX = 64 * 1024 * 1024, LARGE_BYTES = 1024 * 1024 };

static const char *output;    /* directory, or NULL */
static const char *documents; /* directory */
static struct buf sound;      /* all documents that are not broken, one behind the other */
static struct arena *arena;
static struct call call;

static struct str read_file(const char *path)
{
    struct buf out;
    char piece[65536];
    size_t got;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    buf_init(&out, arena, TEXT_MAX);
    while ((got = fread(piece, 1, sizeof piece, file)) > 0)
        buf_add(&out, str_of(piece, got));
    (void)fclose(file);
    return buf_str(&out);
}

static void write_file(const char *name, const char *suffix, struct str text)
{
    if (!output)
        return;
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s%s", output, name, suffix);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text.ptr, 1, text.len, file), text.len);
    (void)fclose(file);
}

static void new_buf(struct buf *buf)
{
    buf_init(buf, arena, TEXT_MAX);
}

/* --- one document */

static void describe(struct buf *out, const struct block *first, const char *base)
{
    for (const struct block *block = first; block; block = block->next) {
        buf_add_format(out, "%zu %zu %.*s\n", (size_t)(block->outer.ptr - base), block->outer.len,
                       STR_ARG(block_is_classic(block) ? STR("-") : block->name));
        describe(out, block->first_child, base);
    }
}

static struct str shown(struct str raw)
{
    struct buf out;
    struct content_view all = {STR_EMPTY, 0};
    new_buf(&out);
    assert_int_equal(content_to_markdown(&call, raw, &all, &out), OK);
    return buf_str(&out);
}

static struct str over(struct str markdown, struct str raw)
{
    struct buf out;
    new_buf(&out);
    int rc = content_from_markdown(&call, markdown, raw, false, &out);
    if (rc != OK)
        print_message("%.*s\n", STR_ARG(call.error_text));
    assert_int_equal(rc, OK);
    return buf_str(&out);
}

static void check_document(const char *name, struct str raw)
{
    struct str markdown = shown(raw);
    if (!str_eq(over(markdown, raw), raw))
        fail_msg("%s: its Markdown over it changes it", name);
    struct buf tree;
    struct blocks blocks = blocks_parse(arena, raw, BLOCKS_AS_WORDPRESS);
    new_buf(&tree);
    describe(&tree, blocks.first, raw.ptr);
    write_file(name, ".tree", buf_str(&tree));
    write_file(name, ".shown", markdown);
}

/* A new paragraph before the first block and behind the last leaves all between them as it was. */
static void check_edits(const char *name, struct str raw)
{
    struct blocks blocks = blocks_parse(arena, raw, BLOCKS_SPLIT_CLASSIC);
    if (!blocks.first || blocks.is_broken)
        return;
    const struct str new = STR("New *text* & more");
    const struct content_edit edits[] = {
        {STR_EMPTY, STR_EMPTY, 0, STR_EMPTY, STR("prepend"), new, STR_EMPTY},
        {STR_EMPTY, STR_EMPTY, 0, blocks.last->number, STR("after"), new, STR_EMPTY},
    };
    struct str changed;
    struct content_changes changes;
    assert_int_equal(content_apply_edits(&call, raw, edits, 2, &changed, &changes), OK);
    if (!str_contains(changed, blocks_span(blocks.first, blocks.last)))
        fail_msg("%s: edits at its ends change its middle", name);
    write_file(name, ".edited", changed);
}

static void check_markdown(const char *name, struct str markdown)
{
    struct buf made, again;
    new_buf(&made);
    new_buf(&again);
    assert_int_equal(content_to_blocks(&call, markdown, CONTENT_MARKDOWN, &made), OK);
    struct str back = shown(buf_str(&made));
    if (str_contains(back, STR("[[block ")) && !str_contains(markdown, STR("[[block ")))
        fail_msg("%s: what was made of Markdown cannot be shown as Markdown", name);
    write_file(name, ".made", buf_str(&made));
    if (content_to_blocks(&call, back, CONTENT_MARKDOWN, &again) == OK && !str_eq(buf_str(&again), buf_str(&made)))
        fail_msg("%s: blocks -> Markdown -> blocks changes them", name);
}

/* --- all */

static size_t check_folder(const char *folder, const char *suffix, void (*check)(const char *name, struct str text))
{
    DIR *directory = opendir(folder);
    struct dirent *entry;
    size_t count = 0;
    assert_non_null(directory);
    while ((entry = readdir(directory)) && count < FILES_MAX) {
        struct str name = str_from(entry->d_name);
        if (!str_ends_with(name, str_from(suffix)))
            continue;
        char path[1024];
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        arena = arena_new((size_t)1 << 30);
        call_init(&call, arena, 60000);
        check(entry->d_name, read_file(path));
        arena_free(arena);
        count++;
    }
    (void)closedir(directory);
    return count;
}

static void check_both(const char *name, struct str raw)
{
    check_document(name, raw);
    check_edits(name, raw);
    if (!blocks_parse(arena, raw, BLOCKS_AS_WORDPRESS).is_broken) {
        buf_add(&sound, raw);
        buf_add(&sound, STR("\n\n"));
    }
}

static void test_documents(void **state)
{
    (void)state;
    buf_init_heap(&sound, TEXT_MAX);
    assert_true(check_folder(documents, ".html", check_both) >= 20);
}

/* One post of a megabyte that has all of them, again and again. Made here, not kept: it says nothing that they do not. */
static void test_large(void **state)
{
    (void)state;
    assert_true(sound.len > 0 && !buf_failed(&sound));
    struct str all = str_copy(arena = arena_new((size_t)1 << 30), buf_str(&sound));
    call_init(&call, arena, 60000);
    while (sound.len < LARGE_BYTES)
        buf_add(&sound, all);
    write_file("large-of-all", ".html", buf_str(&sound));
    check_document("large-of-all.html", buf_str(&sound));
    check_edits("large-of-all.html", buf_str(&sound));
    arena_free(arena);
    buf_done(&sound);
}

static void test_markdown(void **state)
{
    (void)state;
    assert_true(check_folder("tests/content/markdown", ".md", check_markdown) >= 4);
}

int main(int argc, char **argv)
{
    output = argc > 1 ? argv[1] : NULL;
    documents = argc > 2 ? argv[2] : "tests/content/documents";
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_documents), cmocka_unit_test(test_large),
                                       cmocka_unit_test(test_markdown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

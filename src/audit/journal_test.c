/* The audit log as a file: one whole line an event, for its owner only, put aside when it is large, and an error when it is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* call.h has its own */

#include "audit/journal.h"
#include "json/json.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/porteiro-journal-XXXXXX";
static struct arena *arena;
static struct call call;

static struct str in_root(const char *name)
{
    return call_format(&call, "%s/%s", root, name);
}

static struct str content(const char *name)
{
    char *text = arena_alloc(arena, 4096);
    int file = open(in_root(name).ptr, O_RDONLY);
    assert_true(file >= 0);
    ssize_t got = read(file, text, 4096);
    close(file);
    return str_of(text, (size_t)got);
}

static void test_lines(void **state)
{
    struct stat status;
    struct str line, text;
    const struct json *value;
    int count = 0;
    (void)state;
    assert_int_equal(journal_write(&call, STR("nothing"), STR("{}"), 0, true), OK); /* there is none */
    assert_int_equal(journal_open(&call, in_root("a/b/c")), OK);
    assert_int_equal(journal_write(&call, STR("tool.x.intent"), STR("{\"id\":1}"), 1763897007693, true), OK);
    assert_int_equal(journal_write(&call, STR("a \"quoted\"\nname"), STR(""), 0, false), OK);
    assert_int_equal(stat(in_root("a/b/c/audit.jsonl").ptr, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    text = content("a/b/c/audit.jsonl");
    while (text.len && str_next(&text, '\n', &line) && line.len) {
        assert_int_equal(json_parse(arena, line, NULL, &value, NULL), OK);
        count++;
    }
    assert_int_equal(count, 2);
    assert_true(str_starts_with(content("a/b/c/audit.jsonl"), STR("{\"at\":\"2025-11-23T11:23:27.693Z\",\"action\":"
                                                                  "\"tool.x.intent\",\"data\":{\"id\":1}}\n")));
    /* Opened again, it goes on. */
    assert_int_equal(journal_open(&call, in_root("a/b/c")), OK);
    size_t before = content("a/b/c/audit.jsonl").len;
    assert_int_equal(journal_write(&call, STR("more"), STR("{}"), 0, true), OK);
    assert_true(content("a/b/c/audit.jsonl").len > before);
    journal_close();
}

static void test_large_one_is_put_aside(void **state)
{
    (void)state;
    assert_int_equal(truncate(in_root("a/b/c/audit.jsonl").ptr, JOURNAL_MAX_BYTES + 1), 0);
    assert_int_equal(journal_open(&call, in_root("a/b/c")), OK);
    assert_int_equal(content("a/b/c/audit.jsonl").len, 0);
    assert_int_equal(access(in_root("a/b/c/audit.jsonl.1").ptr, F_OK), 0);
    journal_close();
}

static void test_failures(void **state)
{
    (void)state;
    assert_int_equal(symlink("/dev/full", in_root("audit.jsonl").ptr), 0);
    assert_int_equal(journal_open(&call, str_from(root)), E_UNAVAILABLE); /* no symbolic links */
    assert_true(str_contains(call.error_text, STR("cannot be opened")));
    unlink(in_root("audit.jsonl").ptr);
    assert_int_equal(journal_open(&call, in_root("a/b/c/audit.jsonl/x")), E_UNAVAILABLE);
    call_clear_error(&call);
    /* What is too large is not cut. */
    assert_int_equal(journal_open(&call, in_root("a/b/c")), OK);
    char *large = arena_alloc(arena, 64 * 1024);
    memset(large, ' ', 64 * 1024);
    assert_int_equal(journal_write(&call, STR("x"), str_of(large, 64 * 1024), 0, true), E_UNAVAILABLE);
    journal_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_large_one_is_put_aside),
        cmocka_unit_test(test_failures),
    };
    if (!mkdtemp(root) || !(arena = arena_new(8 * 1024 * 1024)))
        return 1;
    call_init(&call, arena, 10000);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    static const char *const files[] = {"a/b/c/audit.jsonl", "a/b/c/audit.jsonl.1"}, *const folders[] = {"a/b/c", "a/b",
                                                                                                         "a"};
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
        unlink(in_root(files[i]).ptr);
    for (size_t i = 0; i < ARRAY_LENGTH(folders); i++)
        rmdir(in_root(folders[i]).ptr);
    rmdir(root);
    arena_free(arena);
    return failed;
}

/* Files on their way: what goes in comes out, and limits of size, room and number. */
#include "net/spool.h"

#include "net/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

static char directory[] = "/tmp/porteiro-spool-XXXXXX";
static struct arena *arena;
static struct call call;

struct giver {
    size_t len, at, fail_at;
};

static int give(struct call *with, void *context, char *room, size_t size, size_t *ret_read)
{
    struct giver *giver = context;
    if (giver->fail_at && giver->at >= giver->fail_at)
        return (fail)(with, E_UPSTREAM, "It broke.");
    *ret_read = giver->len - giver->at < size ? giver->len - giver->at : size;
    for (size_t i = 0; i < *ret_read; i++)
        room[i] = (char)((giver->at + i) * 31 % 251);
    giver->at += *ret_read;
    return OK;
}

static int begin(void)
{
    call_init(&call, arena, 20000);
    return 0;
}

static void end(void)
{
    arena_reset(arena);
    assert_int_equal(spool_counts().open, 0);
    assert_int_equal(spool_counts().reserved_bytes, 0);
}

static int fill(size_t len, int64_t announced, size_t fail_at, struct spool **ret)
{
    struct giver giver = {.len = len, .fail_at = fail_at};
    struct http_source source = {give, &giver, announced};
    return spool_fill(&call, &source, NULL, NULL, ret);
}

static void test_round_trip(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, SPOOL_HEAD_BYTES, HTTP_FETCH_PIECE_BYTES, 5 * 1000 * 1000};
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        struct spool *spool;
        size_t count, total = 0;
        begin();
        char *room = arena_alloc(arena, 10000);
        assert_int_equal(fill(sizes[i], i % 2 ? (int64_t)sizes[i] : -1, 0, &spool), OK);
        assert_int_equal(spool->size_bytes, sizes[i]);
        assert_int_equal(spool->head_len, sizes[i] < SPOOL_HEAD_BYTES ? sizes[i] : SPOOL_HEAD_BYTES);
        for (int again = 0; again < 2; again++) {
            struct http_source source = spool_source(spool);
            assert_int_equal(source.size_bytes, sizes[i]);
            total = 0;
            while (source.read(&call, source.context, room, 10000, &count) == OK && count) {
                for (size_t k = 0; k < count; k++)
                    assert_int_equal((unsigned char)room[k], (total + k) * 31 % 251);
                total += count;
            }
            assert_int_equal(total, sizes[i]);
        }
        end();
    }
}

static void test_digests(void **state)
{
    (void)state;
    struct spool *spool;
    begin();
    assert_int_equal(spool_bytes(&call, STR("abc"), NULL, NULL, &spool), OK);
    assert_string_equal(spool->sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(spool->md5, "900150983cd24fb0d6963f7d28e17f72");
    end();
}

static int refuse_it(struct call *with, void *context, struct str head)
{
    *(size_t *)context = head.len;
    return (fail)(with, E_INVALID, "No.");
}

static void test_look(void **state)
{
    (void)state;
    struct spool *spool;
    size_t seen = 0;
    struct giver giver = {.len = 10 << 20};
    struct http_source source = {give, &giver, -1};
    begin();
    assert_int_equal(spool_fill(&call, &source, refuse_it, &seen, &spool), E_INVALID);
    assert_int_equal(seen, SPOOL_HEAD_BYTES);
    assert_true(giver.at <= HTTP_FETCH_PIECE_BYTES); /* at once, not at the end */
    assert_int_equal(spool_bytes(&call, STR("short"), refuse_it, &seen, &spool), E_INVALID);
    assert_int_equal(seen, 5);
    assert_int_equal(spool_counts().open, 0);
    end();
}

static void test_limits(void **state)
{
    (void)state;
    struct spool *spool, *others[4];
    begin();
    assert_int_equal(fill((16 << 20) + 1, -1, 0, &spool), E_LIMIT);
    assert_int_equal(fill(5, (16 << 20) + 1, 0, &spool), E_LIMIT);
    assert_int_equal(fill(16 << 20, -1, 0, &spool), OK);
    spool_close(spool);
    assert_int_equal(fill(1 << 20, -1, 300000, &spool), E_UPSTREAM);
    assert_int_equal(spool_counts().open, 0);
    /* The room of all together: 40 MiB. What announces itself gets its room at once. */
    for (int i = 0; i < 2; i++)
        assert_int_equal(fill(16 << 20, 16 << 20, 0, &others[i]), OK);
    assert_int_equal(fill(1, 16 << 20, 0, &spool), E_UNAVAILABLE);
    assert_int_equal(fill(8 << 20, -1, 0, &others[2]), OK);
    assert_int_equal(fill(1, -1, 0, &spool), E_UNAVAILABLE);
    spool_close(others[0]);
    assert_int_equal(fill(1, -1, 0, &others[3]), OK);
    end();
    begin();
    for (int i = 0; i < SPOOLS_AT_ONCE; i++)
        assert_int_equal(fill(1, -1, 0, &spool), OK);
    assert_int_equal(fill(1, -1, 0, &spool), E_UNAVAILABLE);
    end();
}

/* Nothing in the directory, whatever happens; and where there is no directory, words. */
static void test_directory(void **state)
{
    (void)state;
    struct spool *spool;
    char path[64];
    size_t names = 0;
    begin();
    assert_int_equal(fill(1 << 20, -1, 0, &spool), OK);
    snprintf(path, sizeof path, "%s/tmp", directory);
    DIR *listing = opendir(path);
    assert_non_null(listing);
    while (readdir(listing))
        names++;
    closedir(listing);
    assert_int_equal(names, 2); /* . and .. */
    end();
    begin();
    spool_init(STR("/proc/none"), 16 << 20, 40 << 20);
    assert_int_equal(fill(1, -1, 0, &spool), E_UNAVAILABLE);
    assert_false(str_contains(call.error_text, STR("/proc")));
    end();
    spool_init(str_from(directory), 16 << 20, 40 << 20);
}

int main(void)
{
    if (!loop_init() || !mkdtemp(directory))
        return 1;
    arena = arena_new(64 << 20);
    spool_init(str_from(directory), 16 << 20, 40 << 20);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_digests),   cmocka_unit_test(test_look),
        cmocka_unit_test(test_limits),     cmocka_unit_test(test_directory),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char path[64];
    spool_done();
    arena_free(arena);
    snprintf(path, sizeof path, "%s/tmp", directory);
    rmdir(path);
    rmdir(directory);
    return failed;
}

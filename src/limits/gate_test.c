/* Places before sites and calls of tokens: in one process, and shared by several. */
#include "limits/gate.h"
#include "limits/quota.h"
#include "limits/table.h"
#include "limits/tries.h"
#include "net/loop.h"
#include "net/task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct limits_settings few = {.per_site = 2, .per_user = 3, .queued = 4, .failures = 5, .pause_ms = 300};

/* --- one request -------------------------------------------------------------------------------------------------------- */

struct scene {
    struct call call;
    int64_t user_id;
    struct str site;
    struct gate_pass *pass;
    int error;
    bool done;
};

static void run_enter(struct call *call, void *context)
{
    struct scene *scene = context;
    scene->error = gate_enter(call, scene->user_id, scene->site, STR("shop.test"), &scene->pass);
}

static void note_done(struct call *call, void *context)
{
    (void)call;
    ((struct scene *)context)->done = true;
}

static void begin(struct scene *scene, const char *site, int64_t timeout_ms)
{
    *scene = (struct scene){.user_id = 1, .site = str_from(site)};
    call_init(&scene->call, arena_new(1 << 20), timeout_ms);
    assert_int_equal(task_spawn(&scene->call, run_enter, note_done, scene), OK);
}

static void finish(struct scene *scene, enum gate_verdict verdict)
{
    if (scene->error == OK)
        gate_leave(scene->pass, verdict);
    arena_free(scene->call.arena);
}

static void wait_until(const bool *flag)
{
    for (int64_t until_ms = clock_monotonic_ms() + 5000; !*flag && clock_monotonic_ms() < until_ms;)
        loop_turn();
    assert_true(*flag);
}

static struct table_use use_of(const char *site)
{
    uint64_t key = table_key("site", 1, str_from(site));
    assert_true(table_lock());
    struct table_use use = table_use(table_entry(key));
    table_unlock();
    return use;
}

static int open_few(void **state)
{
    (void)state;
    return limits_open(-1, &few) ? 0 : -1;
}

static int close_all(void **state)
{
    (void)state;
    limits_close();
    return 0;
}

/* --- tests --------------------------------------------------------------------------------------------------------------- */

static void test_places_and_queue(void **state)
{
    (void)state;
    struct scene scenes[7];
    for (size_t i = 0; i < 7; i++)
        begin(&scenes[i], "a", 10000);
    assert_true(scenes[0].done && scenes[1].done);
    for (size_t i = 2; i < 6; i++)
        assert_false(scenes[i].done); /* two places, four wait, and the seventh is refused */
    assert_true(scenes[6].done);
    assert_int_equal(scenes[6].error, E_LIMIT);
    finish(&scenes[6], GATE_UNKNOWN);
    struct scene other; /* another site has places of its own */
    begin(&other, "b", 10000);
    assert_true(other.done);
    assert_int_equal(other.error, OK);
    finish(&other, GATE_ANSWERED);
    finish(&scenes[0], GATE_ANSWERED);
    wait_until(&scenes[2].done); /* first come, first served */
    assert_false(scenes[3].done);
    for (size_t i = 1; i < 6; i++) {
        wait_until(&scenes[i].done);
        assert_int_equal(scenes[i].error, OK);
        finish(&scenes[i], GATE_ANSWERED);
    }
    assert_int_equal(use_of("a").held, 0);
    assert_int_equal(use_of("a").waiting, 0);
}

static void test_a_person_has_a_limit(void **state)
{
    (void)state;
    struct scene scenes[4];
    const char *sites[] = {"a", "a", "b", "c"};
    for (size_t i = 0; i < 4; i++)
        begin(&scenes[i], sites[i], 10000);
    assert_true(scenes[2].done);
    assert_false(scenes[3].done);
    struct scene other = {.user_id = 2, .site = STR("a")}; /* nobody else's places */
    call_init(&other.call, arena_new(1 << 20), 1000);
    assert_int_equal(task_spawn(&other.call, run_enter, note_done, &other), OK);
    assert_true(other.done);
    assert_int_equal(other.error, OK);
    finish(&other, GATE_ANSWERED);
    finish(&scenes[0], GATE_ANSWERED);
    wait_until(&scenes[3].done);
    for (size_t i = 1; i < 4; i++)
        finish(&scenes[i], GATE_ANSWERED);
}

static void test_who_waits_may_leave(void **state)
{
    (void)state;
    struct scene scenes[5];
    for (size_t i = 0; i < 5; i++)
        begin(&scenes[i], "a", i == 2 ? 50 : 10000);
    wait_until(&scenes[2].done);
    assert_int_equal(scenes[2].error, E_TIMEOUT);
    assert_true(str_contains(scenes[2].call.error_text, STR("turn")));
    scenes[3].call.cancelled = true;
    task_wake(&scenes[3].call);
    wait_until(&scenes[3].done);
    assert_int_equal(scenes[3].error, E_CANCELLED);
    finish(&scenes[0], GATE_ANSWERED);
    wait_until(&scenes[4].done);
    assert_int_equal(scenes[4].error, OK);
    for (size_t i = 1; i < 5; i++)
        finish(&scenes[i], GATE_ANSWERED);
    assert_int_equal(use_of("a").held, 0);
    assert_int_equal(use_of("a").waiting, 0);
}

static void test_a_failing_site_is_left_alone(void **state)
{
    (void)state;
    struct scene scene;
    for (int i = 0; i < 5; i++) {
        begin(&scene, "a", 1000);
        assert_int_equal(scene.error, OK);
        finish(&scene, GATE_FAILED);
    }
    begin(&scene, "a", 1000);
    assert_true(scene.done);
    assert_int_equal(scene.error, E_UNAVAILABLE);
    assert_true(str_contains(scene.call.error_text, STR("shop.test")));
    assert_true(str_contains(scene.call.error_text, STR("Try again in 1 second.")));
    finish(&scene, GATE_UNKNOWN);
    begin(&scene, "b", 1000); /* the same person's other site */
    assert_int_equal(scene.error, OK);
    finish(&scene, GATE_ANSWERED);
    usleep(350 * 1000);
    struct scene trial, second;
    begin(&trial, "a", 1000);
    assert_int_equal(trial.error, OK);
    begin(&second, "a", 1000);
    assert_int_equal(second.error, E_UNAVAILABLE); /* one tries */
    finish(&second, GATE_UNKNOWN);
    finish(&trial, GATE_ANSWERED);
    begin(&scene, "a", 1000);
    assert_int_equal(scene.error, OK);
    finish(&scene, GATE_ANSWERED);
}

static void flood_with_names(struct call *call)
{
    static const struct tries_rule slow = {"flood", 10, 600 * 1000};
    for (int i = 0; i < 2 * TABLE_ENTRIES; i++)
        assert_int_equal(tries_take(call, &slow, call_format(call, "%d", i)), OK);
}

/* What is known of it outlives more names than there is room for. */
static void test_a_failing_site_is_not_forgotten(void **state)
{
    (void)state;
    struct scene scene, flood;
    const struct limits_settings patient = {
        .per_site = 2, .per_user = 3, .queued = 4, .failures = 5, .pause_ms = 60000};
    assert_true(limits_open(-1, &patient));
    call_init(&flood.call, arena_new(16 << 20), 1000);
    for (int i = 0; i < 5; i++) {
        if (i == 4)
            flood_with_names(&flood.call);
        begin(&scene, "a", 1000);
        assert_int_equal(scene.error, OK);
        finish(&scene, GATE_FAILED);
    }
    flood_with_names(&flood.call);
    begin(&scene, "a", 1000);
    assert_int_equal(scene.error, E_UNAVAILABLE);
    finish(&scene, GATE_UNKNOWN);
    arena_free(flood.call.arena);
    limits_close();
}

/* Those who wait for a site that hangs learn at once that it is left alone. */
static void test_the_queue_of_a_failing_site_ends(void **state)
{
    (void)state;
    struct scene scenes[6];
    for (int i = 0; i < 3; i++) {
        begin(&scenes[0], "a", 1000);
        finish(&scenes[0], GATE_FAILED);
    }
    for (size_t i = 0; i < 6; i++)
        begin(&scenes[i], "a", 10000);
    finish(&scenes[0], GATE_FAILED);
    finish(&scenes[1], GATE_FAILED);
    for (size_t i = 2; i < 6; i++) {
        wait_until(&scenes[i].done);
        assert_int_equal(scenes[i].error, E_UNAVAILABLE);
        finish(&scenes[i], GATE_UNKNOWN);
    }
}

/* --- several processes --------------------------------------------------------------------------------------------------- */

/* The other process: takes n places of site "a", and keeps them until it is killed. */
static int hold(int file, size_t n, int ready)
{
    struct scene scenes[4];
    volatile bool never = false;
    if (!loop_init() || !limits_open(file, &few))
        return 1;
    for (size_t i = 0; i < n; i++)
        begin(&scenes[i], "a", 60000);
    if (write(ready, "x", 1) != 1)
        return 1;
    while (!never)
        loop_turn();
    return 0;
}

static pid_t hold_elsewhere(int file, size_t n)
{
    int ready[2];
    char byte, numbers[3][16];
    assert_int_equal(pipe(ready), 0);
    int shared = dup(file); /* without close-on-exec */
    snprintf(numbers[0], sizeof numbers[0], "%d", shared);
    snprintf(numbers[1], sizeof numbers[1], "%zu", n);
    snprintf(numbers[2], sizeof numbers[2], "%d", ready[1]);
    pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "gate_test", numbers[0], numbers[1], numbers[2], NULL);
        _exit(1);
    }
    close(ready[1]);
    close(shared);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return child;
}

static void end_child(pid_t child)
{
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void test_processes_share(void **state)
{
    (void)state;
    int file = limits_file();
    assert_true(file >= 0);
    pid_t child = hold_elsewhere(file, 2);
    assert_true(limits_open(file, &few));
    assert_int_equal(use_of("a").held, 2);
    struct scene scene;
    begin(&scene, "a", 100);
    assert_false(scene.done);
    wait_until(&scene.done);
    assert_int_equal(scene.error, E_TIMEOUT);
    finish(&scene, GATE_UNKNOWN);
    /* It dies with its places; the process in its stead gives them back, and who waits here notices. */
    begin(&scene, "a", 10000);
    end_child(child);
    pid_t next = hold_elsewhere(file, 0);
    wait_until(&scene.done);
    assert_int_equal(scene.error, OK);
    assert_int_equal(use_of("a").held, 1);
    finish(&scene, GATE_ANSWERED);
    end_child(next);
    limits_close();
    close(file);
}

/* Who began to wait while this process was alone, too: a reload brings another one that takes places and gives them back. */
static void test_a_process_that_comes_later(void **state)
{
    (void)state;
    int file = limits_file();
    assert_true(limits_open(file, &few));
    struct scene scenes[3];
    for (size_t i = 0; i < 3; i++)
        begin(&scenes[i], "a", 10000);
    assert_false(scenes[2].done);
    pid_t children[] = {hold_elsewhere(file, 1), hold_elsewhere(file, 1)}; /* they wait, */
    finish(&scenes[0], GATE_ANSWERED);
    finish(&scenes[1], GATE_ANSWERED);
    for (int64_t until_ms = clock_monotonic_ms() + 5000; use_of("a").held < 2 && clock_monotonic_ms() < until_ms;)
        usleep(1000); /* and take both before we look */
    assert_int_equal(use_of("a").held, 2);
    for (int64_t until_ms = clock_monotonic_ms() + 50; clock_monotonic_ms() < until_ms;)
        loop_turn();
    assert_false(scenes[2].done);
    end_child(children[0]);
    end_child(children[1]);
    pid_t next = hold_elsewhere(file, 0); /* gives back what the dead ones held; nobody here does */
    wait_until(&scenes[2].done);
    assert_int_equal(scenes[2].error, OK);
    finish(&scenes[2], GATE_ANSWERED);
    end_child(next);
    limits_close();
    close(file);
}

/* While others wait, a process does not take more than its part. */
static void test_processes_get_equal_parts(void **state)
{
    (void)state;
    int file = limits_file();
    assert_true(limits_open(file, &few));
    struct scene scenes[3];
    begin(&scenes[0], "a", 10000);
    begin(&scenes[1], "a", 10000);
    pid_t child = hold_elsewhere(file, 1); /* it waits */
    begin(&scenes[2], "a", 10000);
    finish(&scenes[0], GATE_ANSWERED);
    for (int64_t until_ms = clock_monotonic_ms() + 5000; use_of("a").held < 2 && clock_monotonic_ms() < until_ms;)
        loop_turn();
    assert_false(scenes[2].done); /* the place went to the other process */
    assert_int_equal(use_of("a").held, 2);
    finish(&scenes[1], GATE_ANSWERED);
    wait_until(&scenes[2].done);
    finish(&scenes[2], GATE_ANSWERED);
    end_child(child);
    limits_close();
    close(file);
}

/* --- tokens -------------------------------------------------------------------------------------------------------------- */

static void begin_call(struct call *call)
{
    call_init(call, arena_new(1 << 20), 1000);
}

static void test_calls_of_a_token(void **state)
{
    (void)state;
    const struct limits_settings limits = {.token_calls_per_minute = 20,
                                           .token_writes_per_minute = 6,
                                           .token_calls_at_once = 2,
                                           .user_calls_per_minute = 30};
    struct call call;
    struct quota_pass *pass, *first, *second;
    int64_t after_s;
    assert_true(limits_open(-1, &limits));
    begin_call(&call);
    assert_int_equal(quota_begin(&call, 7, 1, true, &first, &after_s), OK);
    assert_int_equal(quota_begin(&call, 7, 1, true, &second, &after_s), OK);
    assert_int_equal(quota_begin(&call, 7, 1, false, &pass, &after_s), E_LIMIT); /* at once */
    assert_int_equal(after_s, 1);
    assert_int_equal(quota_begin(&call, 8, 2, false, &pass, &after_s), OK); /* somebody else */
    quota_end(first);
    quota_end(first); /* twice is once */
    assert_int_equal(quota_begin(&call, 7, 1, true, &pass, &after_s), OK);
    quota_end(pass);
    quota_end(second);
    assert_int_equal(quota_begin(&call, 7, 1, true, &pass, &after_s),
                     E_LIMIT); /* three changes, half of six, at once */
    assert_int_equal(after_s, 10);
    assert_true(str_contains(call.error_text, STR("6 changes a minute")));
    assert_true(str_contains(call.error_text, STR("in 10 seconds")));
    for (int i = 0; i < 7; i++) {
        assert_int_equal(quota_begin(&call, 7, 1, false, &pass, &after_s), OK); /* reading goes on */
        quota_end(pass);
    }
    assert_int_equal(quota_begin(&call, 7, 1, false, &pass, &after_s), E_LIMIT);
    assert_in_range(after_s, 1, 3);
    for (int i = 0; i < 5; i++) { /* the person's other token, until all of the person's are used up */
        assert_int_equal(quota_begin(&call, 9, 1, false, &pass, &after_s), OK);
        quota_end(pass);
    }
    assert_int_equal(quota_begin(&call, 9, 1, false, &pass, &after_s), E_LIMIT);
    assert_true(str_contains(call.error_text, STR("30 calls a minute")));
    arena_free(call.arena);
    begin_call(&call); /* what was not ended, ends with its call's memory */
    assert_int_equal(quota_begin(&call, 8, 2, false, &pass, &after_s), OK);
    assert_int_equal(quota_begin(&call, 8, 2, false, &pass, &after_s), OK);
    arena_free(call.arena);
    begin_call(&call);
    assert_int_equal(quota_begin(&call, 8, 2, false, &pass, &after_s), OK);
    arena_free(call.arena);
    limits_close();
}

static void test_more_tokens_than_entries(void **state)
{
    (void)state;
    const struct limits_settings limits = {.token_calls_at_once = 1};
    struct call call;
    struct quota_pass *pass, *kept;
    int64_t after_s;
    assert_true(limits_open(-1, &limits));
    begin_call(&call);
    assert_int_equal(quota_begin(&call, 1, 1, false, &kept, &after_s), OK);
    arena_free(call.arena);
    begin_call(&call);
    assert_int_equal(quota_begin(&call, 1, 1, false, &kept, &after_s), OK);
    for (int64_t id = 2; id < 3 * TABLE_ENTRIES; id++) {
        struct call one;
        begin_call(&one);
        assert_int_equal(quota_begin(&one, id, id, false, &pass, &after_s), OK);
        arena_free(one.arena);
    }
    assert_int_equal(quota_begin(&call, 1, 1, false, &pass, &after_s), E_LIMIT); /* what is in use is not forgotten */
    arena_free(call.arena);
    limits_close();
}

static void test_not_open(void **state)
{
    (void)state;
    struct call call;
    struct gate_pass *pass;
    struct quota_pass *quota;
    int64_t after_s;
    begin_call(&call);
    assert_int_equal(gate_enter(&call, 1, STR("a"), STR("a"), &pass), OK);
    gate_leave(pass, GATE_FAILED);
    assert_int_equal(quota_begin(&call, 1, 1, true, &quota, &after_s), OK);
    quota_end(quota);
    arena_free(call.arena);
}

int main(int argc, char **argv)
{
    if (argc == 4)
        return hold((int)strtol(argv[1], NULL, 10), strtoul(argv[2], NULL, 10), (int)strtol(argv[3], NULL, 10));
    if (!loop_init())
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_places_and_queue, open_few, close_all),
        cmocka_unit_test_setup_teardown(test_a_person_has_a_limit, open_few, close_all),
        cmocka_unit_test_setup_teardown(test_who_waits_may_leave, open_few, close_all),
        cmocka_unit_test_setup_teardown(test_a_failing_site_is_left_alone, open_few, close_all),
        cmocka_unit_test(test_a_failing_site_is_not_forgotten),
        cmocka_unit_test_setup_teardown(test_the_queue_of_a_failing_site_ends, open_few, close_all),
        cmocka_unit_test(test_processes_share),
        cmocka_unit_test(test_a_process_that_comes_later),
        cmocka_unit_test(test_processes_get_equal_parts),
        cmocka_unit_test(test_calls_of_a_token),
        cmocka_unit_test(test_more_tokens_than_entries),
        cmocka_unit_test(test_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Tasks park, wake, time out, are cancelled, queue up, and are abandoned when their arena is exhausted. */
#include "net/helper.h"
#include "net/loop.h"
#include "net/task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <unistd.h>

struct scene {
    struct call call;
    struct task_queue *queue;
    struct helper *helper;
    int result;
    int steps;
    bool done;
    bool released;
};

static void done(struct call *call, void *context)
{
    struct scene *scene = context;
    (void)call;
    scene->done = true;
    arena_free(scene->call.arena);
}

static void start(struct scene *scene, int64_t timeout_ms, void (*run)(struct call *, void *))
{
    call_init(&scene->call, arena_new(1 << 20), timeout_ms);
    assert_int_equal(task_spawn(&scene->call, run, done, scene), OK);
}

static void until_done(struct scene *scene)
{
    while (!scene->done)
        loop_turn();
}

static void run_park(struct call *call, void *context)
{
    struct scene *scene = context;
    scene->steps = 1;
    scene->result = task_park(call);
    scene->steps = 2;
}

static void test_wake(void **state)
{
    (void)state;
    struct scene scene = {0};
    start(&scene, 10000, run_park);
    assert_int_equal(scene.steps, 1);
    assert_false(scene.done);
    task_wake(&scene.call);
    assert_int_equal(scene.steps, 1); /* not before the loop's next turn */
    until_done(&scene);
    assert_int_equal(scene.result, OK);
    assert_int_equal(task_count(), 0);
}

static void test_timeout(void **state)
{
    (void)state;
    struct scene scene = {0};
    int64_t from = clock_monotonic_ms();
    start(&scene, 30, run_park);
    until_done(&scene);
    assert_int_equal(scene.result, E_TIMEOUT);
    assert_in_range(clock_monotonic_ms() - from, 29, 1000);
}

static void test_cancel(void **state)
{
    (void)state;
    struct scene scene = {0};
    start(&scene, 10000, run_park);
    scene.call.cancelled = true;
    task_wake(&scene.call);
    until_done(&scene);
    assert_int_equal(scene.result, E_CANCELLED);
}

static void run_dozes(struct call *call, void *context)
{
    struct scene *scene = context;
    size_t used = arena_used(call->arena);
    for (scene->steps = 0; scene->steps < 1000; scene->steps++) {
        call->deadline_ms = clock_monotonic_ms() + (scene->steps < 10);
        if (task_doze(call) != E_TIMEOUT || call->error || arena_used(call->arena) != used)
            return;
    }
    call->deadline_ms = clock_monotonic_ms() + 10000;
    scene->result = task_doze(call);
}

/* Whoever lives long and waits for his time to run out: each time costs no memory. */
static void test_doze(void **state)
{
    (void)state;
    struct scene scene = {0};
    start(&scene, 10000, run_dozes);
    while (scene.steps < 1000 && !scene.done)
        loop_turn();
    assert_int_equal(scene.steps, 1000);
    scene.call.cancelled = true;
    task_wake(&scene.call);
    until_done(&scene);
    assert_int_equal(scene.result, E_CANCELLED);
    assert_int_equal(scene.call.error, E_CANCELLED);
}

static void run_waits_then_sleeps(struct call *call, void *context)
{
    struct scene *scene = context;
    while (scene->steps == 0)
        task_park_firmly(call);
    scene->result = task_sleep(call, 20000);
}

/* The wake-up that told of it went to a wait that nothing withdraws. */
static void test_cancelled_before_it_sleeps(void **state)
{
    (void)state;
    struct scene scene = {0};
    int64_t from = clock_monotonic_ms();
    start(&scene, 30000, run_waits_then_sleeps);
    scene.call.cancelled = true;
    task_wake(&scene.call);
    loop_turn();
    scene.steps = 1;
    task_wake(&scene.call);
    until_done(&scene);
    assert_int_equal(scene.result, E_CANCELLED);
    assert_in_range(clock_monotonic_ms() - from, 0, 5000);
}

static void run_sleeps(struct call *call, void *context)
{
    struct scene *scene = context;
    for (scene->steps = 0; scene->steps < 20; scene->steps++)
        if (task_sleep(call, 1) != OK)
            return;
}

static void test_many(void **state)
{
    (void)state;
    enum { MANY = 500 };
    static struct scene scenes[MANY];
    for (size_t i = 0; i < MANY; i++)
        start(&scenes[i], 10000, run_sleeps);
    assert_int_equal(task_count(), MANY);
    for (size_t i = 0; i < MANY; i++) {
        until_done(&scenes[i]);
        assert_int_equal(scenes[i].steps, 20);
    }
    assert_int_equal(task_count(), 0);
}

static void note_release(void *object)
{
    *(bool *)object = true;
}

static void run_greedy(struct call *call, void *context)
{
    struct scene *scene = context;
    arena_defer(call->arena, note_release, &scene->released);
    for (;;) {
        arena_alloc(call->arena, 10000);
        scene->steps++;
    }
}

static void test_exhausted(void **state)
{
    (void)state;
    struct scene scene = {0};
    start(&scene, 10000, run_greedy);
    until_done(&scene);
    assert_int_equal(scene.call.error, E_UNAVAILABLE);
    assert_true(scene.released);
    assert_in_range(scene.steps, 100, 105);
}

static void run_queue(struct call *call, void *context)
{
    struct scene *scene = context;
    scene->result = task_queue_wait(call, scene->queue);
}

static void test_queue(void **state)
{
    (void)state;
    struct task_queue queue = {0};
    struct scene first = {.queue = &queue}, hasty = {.queue = &queue}, last = {.queue = &queue};
    start(&first, 10000, run_queue);
    start(&hasty, 20, run_queue);
    start(&last, 10000, run_queue);
    until_done(&hasty);
    assert_int_equal(hasty.result, E_TIMEOUT);
    assert_true(task_queue_wake_one(&queue));
    until_done(&first);
    assert_false(last.done);
    assert_true(task_queue_wake_one(&queue));
    until_done(&last);
    assert_int_equal(last.result, OK);
    assert_false(task_queue_wake_one(&queue));
}

static void slow_work(void *context)
{
    usleep(20000);
    ++*(int *)context;
}

static void run_helper(struct call *call, void *context)
{
    struct scene *scene = context;
    helper_run(call, scene->helper, slow_work, &scene->steps);
    helper_run(call, scene->helper, slow_work, &scene->steps);
}

static void test_helper(void **state)
{
    (void)state;
    struct helper *helper = helper_new(2);
    struct scene a = {.helper = helper}, b = {.helper = helper};
    start(&a, 1, run_helper); /* the deadline does not cut work that has begun */
    start(&b, 1000, run_helper);
    until_done(&a);
    until_done(&b);
    assert_int_equal(a.steps, 2);
    assert_int_equal(b.steps, 2);
    /* the same from a command, which is no task */
    struct call call;
    struct arena *arena = arena_new(1 << 20);
    int count = 0;
    call_init(&call, arena, 1000);
    helper_run(&call, helper, slow_work, &count);
    assert_int_equal(count, 1);
    assert_int_equal(task_sleep(&call, 5), OK);
    arena_free(arena);
    helper_free(helper);
}

static void use_much_stack(void *context)
{
    char large[300000];
    memset(large, 1, sizeof large);
    *(int *)context = large[4096] + large[299999];
}

static void run_lent(struct call *call, void *context)
{
    struct scene *scene = context;
    task_on_loop_stack(call, use_much_stack, &scene->steps);
    scene->result = task_sleep(call, 1);
    task_on_loop_stack(call, use_much_stack, &scene->steps);
}

static void test_loop_stack(void **state)
{
    (void)state;
    struct scene scene = {0};
    start(&scene, 1000, run_lent);
    until_done(&scene);
    assert_int_equal(scene.steps, 2);
}

static void test_limit(void **state)
{
    (void)state;
    struct scene scene = {0}, refused = {0};
    task_set_limit(1);
    start(&scene, 1000, run_park);
    call_init(&refused.call, arena_new(1 << 20), 1000);
    assert_int_equal(task_spawn(&refused.call, run_park, done, &refused), E_LIMIT);
    arena_free(refused.call.arena);
    task_wake(&scene.call);
    until_done(&scene);
    task_set_limit(20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wake),       cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_cancel),     cmocka_unit_test(test_cancelled_before_it_sleeps),
        cmocka_unit_test(test_many),       cmocka_unit_test(test_exhausted),
        cmocka_unit_test(test_queue),      cmocka_unit_test(test_helper),
        cmocka_unit_test(test_loop_stack), cmocka_unit_test(test_limit),
        cmocka_unit_test(test_doze),
    };
    if (!loop_init())
        return 1;
    int failed = cmocka_run_group_tests_name("task", tests, NULL, NULL);
    loop_done();
    return failed;
}

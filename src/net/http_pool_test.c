/* Connections of the HTTP client: kept, not shared among keys, given back; how many at once, and who waits. */
#include "net/http_client_test_scene.h"

static void client_init(void)
{
    client_init_with(NULL);
}

static void test_reuse(void **state)
{
    (void)state;
    int before = site.connections;
    struct scene scene = {.request = {.pool_key = STR("reuse-a")}};
    for (int i = 0; i < 5; i++) {
        fetch(&scene, "/ok");
        assert_int_equal(scene.error, OK);
        assert_int_equal(scene.got.is_reused, i > 0);
        end(&scene);
    }
    assert_int_equal(site.connections - before, 1);
    struct scene other = {.request = {.pool_key = STR("reuse-b")}};
    fetch(&other, "/ok");
    assert_false(other.got.is_reused);
    end(&other);
    struct scene nobody = {.request = {.pool_key = STR("reuse-")}};
    fetch(&nobody, "/ok");
    assert_false(nobody.got.is_reused);
    end(&nobody);
    assert_int_equal(site.connections - before, 3); /* never across keys */
}

/* The site closes a kept connection while it is used the second time. */
static void test_dead_connection(void **state)
{
    (void)state;
    struct scene get = {.request = {.pool_key = STR("dead")}};
    int connections = site.connections, requests = site.requests;
    fetch(&get, "/once");
    assert_body(&get, "once");
    end(&get);
    fetch(&get, "/once"); /* libcurl sends a GET again on a new connection */
    assert_body(&get, "once");
    end(&get);
    assert_int_equal(site.connections - connections, 2);
    assert_int_equal(site.requests - requests, 3);

    struct scene post = {.request = {.pool_key = STR("dead"), .method = STR("POST"), .body = STR("{}")}};
    requests = site.requests;
    fetch(&post, "/once"); /* on the connection of the GET: closed without an answer, and never sent again */
    assert_failed(&post, E_UPSTREAM, HTTP_FETCH_RESET);
    assert_true(post.got.may_have_arrived);
    assert_true(str_contains(post.call.error_text, STR("unknown whether")));
    end(&post);
    usleep(50 * 1000);
    assert_int_equal(site.requests - requests, 1);
}

static void test_cancel(void **state)
{
    (void)state;
    struct scene scene = {.request = {.pool_key = STR("cancel")}};
    int before = site.requests;
    begin(&scene, "/hang");
    while (site.requests == before)
        loop_turn();
    scene.call.cancelled = true;
    task_wake(&scene.call);
    until_done(&scene);
    assert_failed(&scene, E_CANCELLED, HTTP_FETCH_CANCELLED);
    end(&scene);
    assert_int_equal(http_client_counts().in_flight, 0);
    for (int64_t until = clock_monotonic_ms() + 2000; site.open && clock_monotonic_ms() < until;)
        usleep(1000); /* other tests' connections are kept, so only see that this key opens a new one */
    fetch(&scene, "/ok");
    assert_int_equal(scene.error, OK);
    assert_false(scene.got.is_reused);
    end(&scene);

    struct scene at_once = {.request = {.pool_key = STR("cancel")}};
    begin(&at_once, "/ok"); /* spawned, perhaps not even started */
    at_once.call.cancelled = true;
    task_wake(&at_once.call);
    until_done(&at_once);
    assert_failed(&at_once, E_CANCELLED, HTTP_FETCH_CANCELLED);
    end(&at_once);
}

static void test_queue(void **state)
{
    (void)state;
    enum { MANY = 12 }; /* 4 in flight, 6 wait, 2 too many: the settings below */
    static struct scene scenes[MANY];
    size_t busy = 0, served = 0;
    memset(scenes, 0, sizeof scenes);
    for (size_t i = 0; i < MANY; i++) {
        scenes[i].request.pool_key = STR("queue");
        begin(&scenes[i], "/pause");
    }
    loop_turn();
    assert_int_equal(http_client_counts().in_flight, 4);
    assert_int_equal(http_client_counts().queued, 6);
    scenes[5].call.cancelled = true; /* one that waits */
    task_wake(&scenes[5].call);
    for (size_t i = 0; i < MANY; i++)
        until_done(&scenes[i]);
    assert_failed(&scenes[5], E_CANCELLED, HTTP_FETCH_CANCELLED);
    for (size_t i = 0; i < MANY; i++) {
        busy += scenes[i].error == E_LIMIT && scenes[i].got.failure == HTTP_FETCH_BUSY;
        served += scenes[i].error == OK;
        end(&scenes[i]);
    }
    assert_int_equal(busy, 2);
    assert_int_equal(served, 9);
    assert_int_equal(http_client_counts().in_flight, 0);
    assert_int_equal(http_client_counts().queued, 0);
}

/* More keys than kept pools: the oldest go, and those in use stay. */
static void test_many_keys(void **state)
{
    (void)state;
    char key[16];
    struct scene busy = {.request = {.pool_key = STR("busy")}};
    begin(&busy, "/pause");
    for (int i = 0; i < 40; i++) {
        snprintf(key, sizeof key, "key-%d", i);
        struct scene scene = {.request = {.pool_key = str_from(key)}};
        fetch(&scene, "/ok");
        assert_int_equal(scene.error, OK);
        end(&scene);
    }
    until_done(&busy);
    assert_body(&busy, "late");
    end(&busy);
    loop_turn();
    assert_in_range(http_client_counts().pools, 1, 17);
}

/* Memory runs out at every point of a request: the task is abandoned, the transfer withdrawn, nothing leaks. */
static size_t left_bytes;

static void run_greedy(struct call *call, void *context)
{
    struct scene *scene = context;
    arena_alloc(call->arena, arena_budget(call->arena) - arena_used(call->arena) - left_bytes);
    scene->error = http_fetch(call, &scene->request, &scene->got);
    if (!scene->error && scene->got.status != 200)
        scene->error = E_INTERNAL;
}

static void test_abandoned(void **state)
{
    (void)state;
    static const char *const paths[] = {"/ok", "/nothing"}; /* answered, and reported as broken */
    size_t abandoned = 0, served = 0;
    for (left_bytes = 0; left_bytes < 4096; left_bytes += 16) {
        struct scene scene = {.request = {.method = STR("GET"), .pool_key = STR("greedy")}};
        snprintf(scene.url, sizeof scene.url, "http://127.0.0.1:%u%s", site.port, paths[left_bytes / 16 % 2]);
        scene.request.url = str_from(scene.url);
        scene.error = 1;
        call_init(&scene.call, arena_new(1 << 16), 5000);
        assert_int_equal(task_spawn(&scene.call, run_greedy, note_done, &scene), OK);
        until_done(&scene);
        abandoned += scene.error == 1 && scene.call.error == E_UNAVAILABLE;
        served += scene.error == OK;
        end(&scene);
        assert_int_equal(http_client_counts().in_flight, 0);
    }
    assert_true(abandoned > 10);
    assert_true(served > 10);
}

/* Kept connections are closed when nobody has used them for a while. */
static void test_idle(void **state)
{
    (void)state;
    struct http_client_settings settings = {.policy = &policy, .idle_ms = 60};
    http_client_done();
    while (site.open)
        usleep(1000);
    assert_int_equal(http_client_init(&settings), OK);
    struct scene scene = {.request = {.pool_key = STR("idle")}};
    fetch(&scene, "/ok");
    assert_int_equal(scene.error, OK);
    end(&scene);
    assert_int_equal(http_client_counts().pools, 1);
    assert_int_equal(site.open, 1);
    int64_t from_ms = clock_monotonic_ms();
    while (http_client_counts().pools)
        loop_turn();
    assert_in_range(clock_monotonic_ms() - from_ms, 50, 1000);
    while (site.open)
        usleep(1000);
    http_client_done();
    client_init();
}

/* Many at once to one site: in lanes, whose connections are used again; lanes that are not needed any more go. */
static void test_lanes(void **state)
{
    (void)state;
    enum { MANY = 2 * HTTP_LANE_MAX + 3 };
    static struct scene scenes[MANY];
    struct http_client_settings settings = {.policy = &policy, .max_in_flight_per_key = MANY, .idle_ms = 1000};
    http_client_done();
    while (site.open)
        usleep(1000);
    assert_int_equal(http_client_init(&settings), OK);
    int before = site.connections;
    for (int wave = 0; wave < 2; wave++) {
        memset(scenes, 0, sizeof scenes);
        for (size_t i = 0; i < MANY; i++) {
            scenes[i].request.pool_key = STR("lanes");
            begin(&scenes[i], "/pause");
        }
        loop_turn();
        assert_int_equal(http_client_counts().in_flight, MANY);
        assert_int_equal(http_pools_lanes(), 3);
        for (size_t i = 0; i < MANY; i++) {
            until_done(&scenes[i]);
            assert_body(&scenes[i], "late");
            end(&scenes[i]);
        }
        assert_int_equal(http_client_counts().pools, 1);
        assert_int_equal(site.connections - before, MANY);
    }
    while (http_pools_lanes() > 1) { /* also of a pool that is in use all the time */
        struct scene scene = {.request = {.pool_key = STR("lanes")}};
        fetch(&scene, "/ok");
        assert_true(scene.got.is_reused);
        end(&scene);
    }
    while (site.open > HTTP_LANE_MAX)
        usleep(1000);
    assert_int_equal(site.connections - before, MANY);
    http_client_done();
    client_init();
}

/* The program ends while requests are on their way and others wait. */
static void test_done_midway(void **state)
{
    (void)state;
    enum { MANY = 8 };
    static struct scene scenes[MANY];
    memset(scenes, 0, sizeof scenes);
    for (size_t i = 0; i < MANY; i++) {
        scenes[i].request.pool_key = STR("midway");
        begin(&scenes[i], "/hang");
    }
    loop_turn();
    struct scene unstarted = {.request = {.pool_key = STR("unstarted")}};
    begin(&unstarted, "/hang");
    http_client_done();
    until_done(&unstarted);
    assert_failed(&unstarted, E_CANCELLED, HTTP_FETCH_CANCELLED);
    end(&unstarted);
    for (size_t i = 0; i < MANY; i++) {
        until_done(&scenes[i]);
        assert_failed(&scenes[i], E_CANCELLED, HTTP_FETCH_CANCELLED);
    }
    struct scene late = {0};
    fetch(&late, "/ok");
    assert_int_equal(late.error, E_UNAVAILABLE);
    end(&late);
    client_init();
    for (size_t i = 0; i < MANY; i++) /* released under the next client */
        end(&scenes[i]);
    fetch(&late, "/ok");
    assert_int_equal(late.error, OK);
    end(&late);
}

static int set_up_all(void **state)
{
    (void)state;
    struct str bad;
    if (!loop_init() || egress_policy_parse(&policy, STR("127.0.0.0/8"), &bad) != OK)
        return 1;
    client_init();
    site_open(&site, NULL);
    return 0;
}

static int tear_down_all(void **state)
{
    (void)state;
    http_client_done();
    site_close(&site);
    loop_done();
    return 0;
}

int main(void)
{
    setenv("CMOCKA_TEST_ABORT", "1",
           1); /* a failed test leaves tasks with pointers into its stack: nothing can follow it */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reuse), cmocka_unit_test(test_dead_connection), cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_queue), cmocka_unit_test(test_many_keys),       cmocka_unit_test(test_abandoned),
        cmocka_unit_test(test_idle),  cmocka_unit_test(test_lanes),           cmocka_unit_test(test_done_midway),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}

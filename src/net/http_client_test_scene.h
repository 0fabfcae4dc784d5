/* One request after the other against the site of http_client_test_server.h, for the tests of the HTTP client. */
#ifndef NET_HTTP_CLIENT_TEST_SCENE_H
#define NET_HTTP_CLIENT_TEST_SCENE_H

#include "net/http_client_test_server.h"

#include "net/http_client.h"
#include "net/http_pool.h"
#include "net/loop.h"
#include "net/task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct site site;
static struct egress_policy policy;

static inline void client_init_with(const char *ca_file)
{
    struct http_client_settings settings = {
        .policy = &policy,
        .ca_file = ca_file,
        .max_in_flight = 32,
        .max_in_flight_per_key = 4,
        .max_queued_per_key = 6,
        .max_pools = 16,
        .connect_ms = 500,
        .tls_ms = 900,
        .first_byte_ms = 600,
        .slow_ms = 500,
    };
    assert_int_equal(http_client_init(&settings), OK);
}

struct scene {
    struct call call;
    struct http_fetch request;
    struct http_fetched got;
    char url[256];
    int error;
    bool done;
};

static inline void run_fetch(struct call *call, void *context)
{
    struct scene *scene = context;
    scene->error = http_fetch(call, &scene->request, &scene->got);
}

static inline void note_done(struct call *call, void *context)
{
    (void)call;
    ((struct scene *)context)->done = true;
}

static inline void begin_url(struct scene *scene, const char *url, int64_t call_timeout_ms)
{
    snprintf(scene->url, sizeof scene->url, "%s", url);
    scene->request.url = str_from(scene->url);
    if (!scene->request.method.ptr)
        scene->request.method = STR("GET");
    if (!scene->request.pool_key.ptr)
        scene->request.pool_key = STR("tenant");
    scene->done = false;
    call_init(&scene->call, arena_new(4 << 20), call_timeout_ms);
    assert_int_equal(task_spawn(&scene->call, run_fetch, note_done, scene), OK);
}

static inline void begin(struct scene *scene, const char *path)
{
    char url[256];
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", site.port, path);
    begin_url(scene, url, 20000);
}

static inline void until_done(struct scene *scene)
{
    while (!scene->done)
        loop_turn();
}

static inline void end(struct scene *scene)
{
    arena_free(scene->call.arena);
    scene->call.arena = NULL;
}

static inline void fetch_url(struct scene *scene, const char *url)
{
    begin_url(scene, url, 20000);
    until_done(scene);
}

static inline void fetch(struct scene *scene, const char *path)
{
    begin(scene, path);
    until_done(scene);
}

#define assert_failed(scene, code, why)                                                                                \
    do {                                                                                                               \
        assert_int_equal((scene)->error, (code));                                                                      \
        assert_string_equal(http_fetch_failure_name((scene)->got.failure), http_fetch_failure_name(why));              \
        assert_true((scene)->call.error_text.len > 20);                                                                \
    } while (0)

static inline void assert_body(const struct scene *scene, const char *text)
{
    assert_int_equal(scene->error, OK);
    assert_true(str_eq(scene->got.body, str_from(text)));
}

#endif

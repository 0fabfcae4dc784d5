/* Requests and answers in pieces: the client against our own server, both on one loop. */
#include "net/http_download.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "net/task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { MIB = 1 << 20, ROOM = 64 * 1024, TORN_BYTES = 32 * MIB };

static struct http_server *server;
static struct egress_policy policy;

/* --- bytes, and a sum of them that does not depend on how they are cut ------------------------------------------------- */

static char byte_at(size_t i)
{
    return (char)(i * 7 + i / 251);
}

struct sum {
    size_t bytes;
    uint64_t value;
};

static void sum_add(struct sum *sum, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum->value = sum->value * 31 + (unsigned char)bytes[i];
    sum->bytes += len;
}

static struct sum sum_of(size_t len)
{
    struct sum sum = {0};
    for (size_t i = 0; i < len; i++) {
        char c = byte_at(i);
        sum_add(&sum, &c, 1);
    }
    return sum;
}

static void assert_sum(const struct sum *sum, size_t len)
{
    struct sum expected = sum_of(len);
    assert_int_equal(sum->bytes, len);
    assert_true(sum->value == expected.value);
}

/* --- the site ---------------------------------------------------------------------------------------------------------- */

static struct {
    struct sum sum;
    int error;
    int torn_error, error_behind; /* of give_up_within() */
    int64_t length;
    size_t written, at_once, most_at_once;
    bool wanted_identity;
} site;

static uint64_t streamed_max(const struct http_request *request, void *context)
{
    (void)context;
    return str_starts_with(request->path, STR("/in")) ? (uint64_t)1 << 30 : 0;
}

static void take_in(struct call *call, struct http_exchange *exchange, size_t enough, int64_t pause_ms)
{
    char *room = arena_alloc(call->arena, ROOM);
    struct sum sum = {0};
    size_t count = 1;
    int error = OK;
    site.length = http_body_length(exchange);
    while (!error && !(error = http_body_read(call, exchange, room, ROOM, &count)) && count && sum.bytes < enough) {
        sum_add(&sum, room, count);
        if (pause_ms)
            error = task_sleep(call, pause_ms);
    }
    site.error = error;
    site.sum = sum;
    http_answer(exchange, enough < SIZE_MAX ? 413 : 200, STR("text/plain"), call_format(call, "%zu", sum.bytes));
}

static void give_out(struct call *call, struct http_exchange *exchange, size_t len, int64_t pause_ms, bool is_whole)
{
    char piece[4096];
    site.written = 0;
    site.wanted_identity =
        str_eq(http_header_value(http_exchange_request(exchange), STR("accept-encoding")), STR("identity"));
    site.error = http_stream_begin(call, exchange, 200, STR("image/x-test"));
    while (!site.error && site.written < len) {
        size_t n = len - site.written < sizeof piece ? len - site.written : sizeof piece;
        n = pause_ms ? 1 : n;
        for (size_t i = 0; i < n; i++)
            piece[i] = byte_at(site.written + i);
        site.error = http_stream_write(call, exchange, str_of(piece, n));
        site.written += n;
        if (pause_ms && !site.error)
            site.error = task_sleep(call, pause_ms);
    }
    if (!site.error && is_whole)
        http_stream_end(exchange);
}

/* More at once than the client takes in time, and then something small. */
static void give_up_within(struct call *call, struct http_exchange *exchange)
{
    static char bytes[TORN_BYTES];
    site.torn_error = http_stream_begin(call, exchange, 200, STR("image/x-test"));
    call->deadline_ms = clock_monotonic_ms() + 100;
    if (!site.torn_error)
        site.torn_error = http_stream_write(call, exchange, str_of(bytes, sizeof bytes));
    call_clear_error(call);
    call->deadline_ms = clock_monotonic_ms() + 5000;
    (void)!task_sleep(call, 50);
    site.error_behind = http_stream_write(call, exchange, STR("behind"));
    http_stream_end(exchange);
}

struct relay {
    struct http_exchange *exchange;
};

static int relay_read(struct call *call, void *context, char *room, size_t size, size_t *ret_read)
{
    struct relay *relay = context;
    return http_body_read(call, relay->exchange, room, size, ret_read);
}

/* What comes in goes out again, to /in/sum: nothing of it stays here. */
static void relay_on(struct call *call, struct http_exchange *exchange)
{
    struct relay relay = {exchange};
    struct http_source source = {relay_read, &relay, http_body_length(exchange)};
    struct http_fetched got;
    struct http_fetch request = {
        .method = STR("PUT"),
        .url = call_format(call, "http://127.0.0.1:%d/in/sum", http_server_port(server)),
        .source = &source,
        .pool_key = STR("relay"),
    };
    int error = http_fetch(call, &request, &got);
    http_answer(exchange, error ? 502 : got.status, STR("text/plain"), str_copy(call->arena, got.body));
}

static void serve(struct call *call, struct http_exchange *exchange, void *context)
{
    const struct http_request *request = http_exchange_request(exchange);
    struct str path = request->path;
    uint64_t len = 0;
    (void)context;
    if (!str_to_u64(request->query, &len))
        len = 0;
    site.at_once++;
    site.most_at_once = site.at_once > site.most_at_once ? site.at_once : site.most_at_once;
    if (str_eq(path, STR("/in/sum")))
        take_in(call, exchange, SIZE_MAX, 0);
    else if (str_eq(path, STR("/in/slow")))
        take_in(call, exchange, SIZE_MAX, 10);
    else if (str_eq(path, STR("/in/enough")))
        take_in(call, exchange, 200000, 0);
    else if (str_eq(path, STR("/in/refuse")))
        http_answer(exchange, 413, STR("text/plain"), STR("too large"));
    else if (str_eq(path, STR("/in/stall")))
        site.error = task_sleep(call, 1500);
    else if (str_eq(path, STR("/in/relay")))
        relay_on(call, exchange);
    else if (str_eq(path, STR("/out")))
        give_out(call, exchange, len, 0, true);
    else if (str_eq(path, STR("/out/half")))
        give_out(call, exchange, len, 0, false);
    else if (str_eq(path, STR("/out/torn")))
        give_up_within(call, exchange);
    else if (str_eq(path, STR("/out/drip")))
        give_out(call, exchange, len, 20, true);
    else if (str_eq(path, STR("/echo")))
        http_answer(exchange, 200, STR("text/plain"), http_header_value(request, STR("accept-encoding")));
    else if (str_eq(path, STR("/whole")))
        http_answer(exchange, 200, STR("text/plain"), str_of(arena_alloc(call->arena, len), len));
    site.at_once--;
}

/* --- one client -------------------------------------------------------------------------------------------------------- */

struct scene {
    struct call call;
    struct http_fetch request;
    struct http_source source;
    struct http_fetched got;
    size_t len, fail_at; /* of what the source gives */
    size_t at;
    int64_t pause_ms;
    bool downloads;
    int64_t hold_ms;    /* before the first read */
    size_t leave_after; /* bytes, then it ends the download */
    struct sum sum;
    char url[128];
    int error;
    bool done;
};

static int source_read(struct call *call, void *context, char *room, size_t size, size_t *ret_read)
{
    struct scene *scene = context;
    int error = scene->pause_ms ? task_sleep(call, scene->pause_ms) : OK;
    if (error)
        return error;
    if (scene->fail_at && scene->at >= scene->fail_at)
        return (fail)(call, E_NOT_FOUND, "The source has run dry.");
    *ret_read = scene->len - scene->at < size ? scene->len - scene->at : size;
    for (size_t i = 0; i < *ret_read; i++)
        room[i] = byte_at(scene->at + i);
    scene->at += *ret_read;
    return OK;
}

static int read_download(struct call *call, struct scene *scene)
{
    struct http_download *download;
    char *room = arena_alloc(call->arena, 10000);
    size_t count;
    int error = http_download_begin(call, &scene->request, &scene->got, &download);
    if (!error && scene->hold_ms)
        error = task_sleep(call, scene->hold_ms);
    while (!error && !(error = http_download_read(call, download, room, 10000, &count)) && count) {
        sum_add(&scene->sum, room, count);
        if (scene->leave_after && scene->sum.bytes >= scene->leave_after) {
            http_download_end(call, download);
            return OK;
        }
    }
    if (download)
        scene->got.failure = http_download_failure(download);
    return error;
}

static void run(struct call *call, void *context)
{
    struct scene *scene = context;
    scene->error = scene->downloads ? read_download(call, scene) : http_fetch(call, &scene->request, &scene->got);
}

static void note_done(struct call *call, void *context)
{
    (void)call;
    ((struct scene *)context)->done = true;
}

static void begin(struct scene *scene, const char *path)
{
    snprintf(scene->url, sizeof scene->url, "http://127.0.0.1:%d%s", http_server_port(server), path);
    scene->request.url = str_from(scene->url);
    scene->request.pool_key = STR("tenant");
    if (!scene->request.method.ptr)
        scene->request.method = scene->downloads ? STR("GET") : STR("POST");
    call_init(&scene->call, arena_new(MIB), 20000);
    assert_int_equal(task_spawn(&scene->call, run, note_done, scene), OK);
}

static void until_done(struct scene *scene)
{
    while (!scene->done)
        loop_turn();
}

static void nothing(void *context)
{
    (void)context;
}

static void turn_for(int64_t ms)
{
    struct loop_timer timer;
    assert_true(loop_timer_init(&timer, nothing, NULL));
    int64_t end_ms = clock_monotonic_ms() + ms;
    loop_timer_set(&timer, ms);
    while (clock_monotonic_ms() < end_ms)
        loop_turn();
    loop_timer_done(&timer);
}

static void end(struct scene *scene)
{
    arena_free(scene->call.arena);
}

static void send_all(struct scene *scene, const char *path, int64_t announced)
{
    scene->source = (struct http_source){source_read, scene, announced};
    scene->request.source = &scene->source;
    begin(scene, path);
}

/* --- sending ----------------------------------------------------------------------------------------------------------- */

static void test_send(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, ROOM - 1, ROOM, ROOM + 1, 5 * MIB + 17};
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++)
        for (int known = 0; known < 2; known++) {
            struct scene scene = {.len = sizes[i]};
            send_all(&scene, "/in/sum", known ? (int64_t)sizes[i] : -1);
            until_done(&scene);
            assert_int_equal(scene.error, OK);
            assert_int_equal(scene.got.status, 200);
            assert_int_equal(site.length, known ? (int64_t)sizes[i] : -1);
            assert_sum(&site.sum, sizes[i]);
            end(&scene);
        }
    /* The next on this connection's pool is an ordinary request again. */
    struct scene scene = {.request.method = STR("GET")};
    begin(&scene, "/echo");
    until_done(&scene);
    assert_true(str_eq(scene.got.body, STR("gzip, deflate, br")));
    end(&scene);
}

static void test_send_fails(void **state)
{
    (void)state;
    struct scene dry = {.len = MIB, .fail_at = 300000};
    send_all(&dry, "/in/sum", MIB);
    until_done(&dry);
    assert_int_equal(dry.error, E_NOT_FOUND);
    assert_int_equal(dry.got.failure, HTTP_FETCH_SOURCE);
    assert_true(str_eq(dry.call.error_text, STR("The source has run dry.")));
    end(&dry);
    turn_for(100);
    assert_int_equal(site.error, E_CANCELLED); /* the site has seen that it is broken off */
    for (int more = 0; more < 2; more++) {
        struct scene scene = {.len = 100000};
        send_all(&scene, "/in/sum", more ? 99999 : 100001);
        until_done(&scene);
        assert_int_equal(scene.error, E_UPSTREAM);
        assert_true(
            str_contains(scene.call.error_text, more ? STR("more than the 99999") : STR("less than the 100001")));
        end(&scene);
        turn_for(50);
        assert_int_equal(site.error, E_CANCELLED);
    }
    struct scene gone = {.len = 64 * MIB, .pause_ms = 5};
    send_all(&gone, "/in/sum", 64 * MIB);
    turn_for(60);
    gone.call.cancelled = true;
    task_wake(&gone.call);
    until_done(&gone);
    assert_int_equal(gone.error, E_CANCELLED);
    end(&gone);
    turn_for(50);
    assert_int_equal(http_client_counts().in_flight, 0);
}

/* The answer counts, also when it comes before the body has been sent. */
static void test_send_early_answer(void **state)
{
    (void)state;
    static const char *const paths[] = {"/in/refuse", "/in/enough"};
    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++) {
        struct scene scene = {.len = 8 * MIB, .pause_ms = 2};
        send_all(&scene, paths[i], 8 * MIB);
        until_done(&scene);
        assert_int_equal(scene.error, OK);
        assert_int_equal(scene.got.status, 413);
        assert_true(scene.at < 8 * MIB);
        end(&scene);
    }
}

/* A slow source is not the site's fault; a site that takes nothing is. */
static void test_send_slowly(void **state)
{
    (void)state;
    struct scene slow = {.len = 5 * ROOM, .pause_ms = 150, .request.first_byte_ms = 60};
    send_all(&slow, "/in/sum", 5 * ROOM);
    until_done(&slow);
    assert_int_equal(slow.error, OK);
    assert_sum(&site.sum, 5 * ROOM);
    end(&slow);
    struct scene stuck = {.len = 64 * MIB, .request.first_byte_ms = 300};
    send_all(&stuck, "/in/stall", 64 * MIB);
    until_done(&stuck);
    assert_int_equal(stuck.error, E_TIMEOUT);
    assert_true(stuck.at < 32 * MIB); /* it was held up */
    end(&stuck);
}

/* --- reading ----------------------------------------------------------------------------------------------------------- */

static void test_read(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 10000, ROOM + 1, 7 * MIB + 3};
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        struct scene scene = {.downloads = true};
        char path[64];
        snprintf(path, sizeof path, "/out?%zu", sizes[i]);
        begin(&scene, path);
        until_done(&scene);
        assert_int_equal(scene.error, OK);
        assert_int_equal(scene.got.status, 200);
        assert_true(str_eq(scene.got.content_type, STR("image/x-test")));
        assert_true(site.wanted_identity);
        assert_sum(&scene.sum, sizes[i]);
        end(&scene);
    }
}

/* As long as nobody reads, the site can send what sockets hold, and no more. */
static void test_read_holds_up(void **state)
{
    (void)state;
    struct scene scene = {.downloads = true, .hold_ms = 800, .request.max_body_bytes = 64 * MIB};
    size_t early = 0;
    begin(&scene, "/out?50000000");
    for (int i = 0; i < 10 && (early == 0 || early != site.written); i++) { /* what lies on the way takes its time */
        early = site.written;
        turn_for(60);
    }
    assert_int_equal(site.written, early);
    assert_true(early < 24 * MIB);
    until_done(&scene);
    assert_int_equal(scene.error, OK); /* and it was not slow, although slow_ms is 200 */
    assert_sum(&scene.sum, 50000000);
    end(&scene);
}

/* What was given up in its middle is broken off: nothing comes behind its half. */
static void test_torn(void **state)
{
    (void)state;
    struct scene scene = {.downloads = true, .request.max_body_bytes = 64 * MIB, .hold_ms = 2000};
    begin(&scene, "/out/torn");
    until_done(&scene);
    assert_int_equal(site.torn_error, E_TIMEOUT);
    assert_int_equal(site.error_behind, E_CANCELLED);
    assert_int_equal(scene.error, E_UPSTREAM);
    assert_int_equal(scene.got.failure, HTTP_FETCH_RESET);
    assert_true(scene.sum.bytes < TORN_BYTES);
    end(&scene);
}

static void test_read_limits(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int error;
        enum http_fetch_failure failure;
    } cases[] = {
        {"/out?1000001", E_LIMIT, HTTP_FETCH_TOO_LARGE},     {"/whole?1000001", E_LIMIT, HTTP_FETCH_TOO_LARGE},
        {"/out/half?50000", E_UPSTREAM, HTTP_FETCH_RESET},   {"/out/drip?1000", E_TIMEOUT, HTTP_FETCH_TIMEOUT_ANSWER},
        {"/in/stall", E_TIMEOUT, HTTP_FETCH_TIMEOUT_ANSWER},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct scene scene = {.downloads = true, .request.max_body_bytes = 1000000, .request.first_byte_ms = 200};
        begin(&scene, cases[i].path);
        until_done(&scene);
        assert_int_equal(scene.error, cases[i].error);
        assert_string_equal(http_fetch_failure_name(scene.got.failure), http_fetch_failure_name(cases[i].failure));
        assert_true(scene.call.error_text.len > 20);
        end(&scene);
    }
}

static void test_read_leave(void **state)
{
    (void)state;
    struct scene scene = {.downloads = true, .leave_after = 100000, .request.max_body_bytes = 64 * MIB};
    begin(&scene, "/out?50000000");
    until_done(&scene);
    assert_int_equal(scene.error, OK);
    assert_int_equal(http_client_counts().in_flight, 0);
    end(&scene);
    turn_for(50);
    assert_int_equal(site.error, E_CANCELLED);
    /* Never read, and the call ends. */
    struct scene unread = {.downloads = true, .hold_ms = 20};
    begin(&unread, "/out?50000000");
    turn_for(10);
    unread.call.cancelled = true;
    task_wake(&unread.call);
    until_done(&unread);
    assert_int_equal(unread.error, E_CANCELLED);
    end(&unread);
    assert_int_equal(http_client_counts().in_flight, 0);
}

/* --- both -------------------------------------------------------------------------------------------------------------- */

static long memory_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* 100 MiB through us: in by one connection, out by another. */
static void test_relay(void **state)
{
    (void)state;
    struct scene small = {.len = MIB}, large = {.len = 100 * MIB};
    send_all(&small, "/in/relay", MIB);
    until_done(&small);
    assert_sum(&site.sum, MIB);
    end(&small);
    long before = memory_kib();
    send_all(&large, "/in/relay", 100 * MIB);
    until_done(&large);
    assert_int_equal(large.got.status, 200);
    assert_sum(&site.sum, 100 * MIB);
    end(&large);
    assert_true(memory_kib() - before < 4096);
}

/* Sixty slow ones at a time: what they cost is their pieces. */
static void test_many(void **state)
{
    (void)state;
    enum { MANY = 60 };
    static struct scene scenes[MANY];
    site.most_at_once = 0;
    for (int i = 0; i < MANY; i++) {
        scenes[i] = (struct scene){.len = 10 * ROOM, .pause_ms = 30};
        send_all(&scenes[i], "/in/slow", 10 * ROOM);
    }
    for (int i = 0; i < MANY; i++) {
        until_done(&scenes[i]);
        assert_int_equal(scenes[i].error, OK);
        assert_true(str_eq(scenes[i].got.body, STR("655360")));
        end(&scenes[i]);
    }
    assert_true(site.most_at_once >= MANY);
}

int main(void)
{
    struct str error;
    if (!loop_init() || egress_policy_parse(&policy, STR("127.0.0.1"), &error) != OK)
        return 1;
    struct http_server_settings settings = {.handler = serve, .streamed_body_max = streamed_max};
    struct http_client_settings client = {
        .policy = &policy, .max_in_flight_per_key = 64, .slow_ms = 200, .first_byte_ms = 5000};
    server = http_server_new(&settings);
    if (!server || http_server_listen(server, STR("127.0.0.1:0"), &error) != OK || http_client_init(&client) != OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_send),        cmocka_unit_test(test_send_fails), cmocka_unit_test(test_send_early_answer),
        cmocka_unit_test(test_send_slowly), cmocka_unit_test(test_read),       cmocka_unit_test(test_read_holds_up),
        cmocka_unit_test(test_read_limits), cmocka_unit_test(test_read_leave), cmocka_unit_test(test_relay),
        cmocka_unit_test(test_many),        cmocka_unit_test(test_torn),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    http_server_drain(server);
    http_server_cancel_all(server);
    while (http_server_busy(server))
        loop_turn();
    http_server_free(server);
    http_client_done();
    return failed;
}

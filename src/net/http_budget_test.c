/* Many large answers at once take turns instead of memory. PORTEIRO_TEST_ANSWERS: how many; 100 unless set. */
#include "net/http_client_test_scene.h"

#include "net/http_budget.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { MIB = 1 << 20, ANSWER_BYTES = 8 * MIB, BUDGET_BYTES = 64 * MIB, ANSWERS = 100, ANSWERS_MAX = 2000 };

static struct scene scenes[ANSWERS_MAX];
static size_t n_done, n_good;

/* ---- a site in a process of its own, so that its memory is not ours */

static void *give_eight(void *context)
{
    static const char block[65536];
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 8388608\r\nConnection: close\r\n\r\n";
    char request[2048];
    int fd = (int)(intptr_t)context;
    bool good = read(fd, request, sizeof request) > 0 && write(fd, head, sizeof head - 1) > 0;
    for (size_t sent = 0; good && sent < ANSWER_BYTES;) {
        size_t left = ANSWER_BYTES - sent;
        ssize_t wrote = write(fd, block, left < sizeof block ? left : sizeof block);
        good = wrote > 0;
        sent += good ? (size_t)wrote : 0;
    }
    close(fd);
    return NULL;
}

static pid_t start_site(uint16_t *ret_port)
{
    int listener = site_listen(1024, ret_port);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_IGN);
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, 256 * 1024);
        for (;;) {
            pthread_t thread;
            int fd = accept(listener, NULL, NULL);
            if (fd >= 0 && pthread_create(&thread, &attributes, give_eight, (void *)(intptr_t)fd) == 0)
                pthread_detach(thread);
        }
    }
    close(listener);
    return child;
}

/* ---- our side */

static void free_at_once(struct call *call, void *context)
{
    struct scene *scene = context;
    n_done++;
    n_good += scene->error == OK && scene->got.body.len == ANSWER_BYTES;
    assert_true(http_budget_used() <= BUDGET_BYTES);
    scene->done = true;
    arena_free(call->arena);
}

static size_t highest_kib(void)
{
    char line[256];
    size_t kib = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (fgets(line, sizeof line, file))
        if (!strncmp(line, "VmHWM:", 6))
            kib = strtoul(line + 6, NULL, 10);
    fclose(file);
    return kib;
}

static void forget_highest(void)
{
    int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    assert_true(write(file, "5", 1) == 1);
    close(file);
}

static void init_client(size_t budget_bytes)
{
    const struct http_client_settings settings = {
        .policy = &policy,
        .max_in_flight = ANSWERS_MAX,
        .max_in_flight_per_key = ANSWERS_MAX,
        .max_queued_per_key = ANSWERS_MAX,
        .max_answer_memory_bytes = budget_bytes,
        .connect_ms = 60 * 1000,
        .first_byte_ms = 60 * 1000,
    };
    assert_int_equal(http_client_init(&settings), OK);
}

static void begin_one(struct scene *scene, uint16_t port, int64_t timeout_ms,
                      void (*done)(struct call *call, void *context))
{
    *scene = (struct scene){.request = {.method = STR("GET"), .pool_key = STR("tenant"), .timeout_ms = timeout_ms}};
    snprintf(scene->url, sizeof scene->url, "http://127.0.0.1:%u/eight", port);
    scene->request.url = str_from(scene->url);
    call_init(&scene->call, arena_new(4 << 20), timeout_ms + 5000);
    assert_int_equal(task_spawn(&scene->call, run_fetch, done, scene), OK);
}

static void test_many_take_turns(void **state)
{
    const char *text = getenv("PORTEIRO_TEST_ANSWERS");
    size_t count = text ? strtoul(text, NULL, 10) : ANSWERS;
    uint16_t port;
    (void)state;
    assert_true(count <= ANSWERS_MAX);
    pid_t child = start_site(&port);
    init_client(BUDGET_BYTES);
    forget_highest();
    size_t before_kib = highest_kib();
    n_done = n_good = 0;
    for (size_t i = 0; i < count; i++)
        begin_one(&scenes[i], port, 110 * 1000, free_at_once);
    while (n_done < count)
        loop_turn();
    size_t grown_kib = highest_kib() - before_kib;
    print_message("%zu answers of 8 MiB at once: %zu MiB more at the highest\n", count, grown_kib / 1024);
    assert_int_equal(n_good, count);
    assert_int_equal(http_budget_used(), 0);
#if !defined(__SANITIZE_ADDRESS__) /* its quarantine keeps what was freed */
    assert_true(grown_kib < (256 - 64) * 1024);
#endif
    http_client_done();
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void test_who_gets_no_turn_is_told(void **state)
{
    struct scene first, second, third;
    uint16_t port;
    (void)state;
    pid_t child = start_site(&port);
    init_client(ANSWER_BYTES);
    begin_one(&first, port, 20 * 1000, note_done);
    until_done(&first);
    assert_int_equal(first.got.body.len, ANSWER_BYTES);
    begin_one(&second, port, 700, note_done);
    until_done(&second);
    assert_int_equal(second.error, E_LIMIT);
    assert_non_null(strstr(second.call.error_text.ptr, "sends a large answer"));
    assert_non_null(strstr(second.call.error_text.ptr, "Try again in 10 seconds"));
    end(&second);
    begin_one(&third, port, 20 * 1000, note_done);
    for (int i = 0; i < 5; i++)
        loop_turn();
    end(&first); /* its memory is the next one's */
    until_done(&third);
    assert_int_equal(third.got.body.len, ANSWER_BYTES);
    end(&third);
    assert_int_equal(http_budget_used(), 0);
    http_client_done();
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_take_turns),
        cmocka_unit_test(test_who_gets_no_turn_is_told),
    };
    struct str bad;
    signal(SIGPIPE, SIG_IGN);
    if (egress_policy_parse(&policy, STR("127.0.0.0/8"), &bad) || !loop_init())
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_done();
    return failed;
}

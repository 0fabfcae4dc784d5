/* Reading a client's description at its address, which a small site in a thread answers: what is taken, for how long, what is refused. */
#include "oauth/document.h"

#include "limits/limits.h"
#include "net/http_client.h"
#include "net/loop.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define REDIRECTS "\"redirect_uris\":[\"https://app.example/cb\"]"

static struct site {
    int fd;
    pthread_t thread;
    atomic_bool stop;
    atomic_int visits;
    char request[4096]; /* the last one */
    struct str answer;  /* whole, in the room below; changed between requests only */
} site;

static char answer_room[DOCUMENT_BYTES_MAX + 1024];

static char id[64]; /* the site's address */
static struct egress_policy policy;
static struct call call;

static void answer_one(int fd)
{
    size_t len = 0;
    do {
        ssize_t got = recv(fd, site.request + len, sizeof site.request - 1 - len, 0);
        if (got <= 0)
            return;
        len += (size_t)got;
        site.request[len] = '\0';
    } while (!strstr(site.request, "\r\n\r\n"));
    site.visits++;
    struct str rest = site.answer;
    while (rest.len) {
        ssize_t sent = send(fd, rest.ptr, rest.len, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        rest = str_from_offset(rest, (size_t)sent);
    }
}

static void *site_run(void *context)
{
    (void)context;
    for (;;) {
        int fd = accept(site.fd, NULL, NULL);
        if (fd < 0 || site.stop) {
            if (fd >= 0)
                close(fd);
            return NULL;
        }
        answer_one(fd);
        close(fd);
    }
}

static int set_up_all(void **state)
{
    const struct http_client_settings settings = {
        .policy = &policy,
        .max_in_flight = 4,
        .max_in_flight_per_key = 4,
        .max_queued_per_key = 4,
        .max_pools = 4,
        .connect_ms = 5000,
        .tls_ms = 5000,
        .first_byte_ms = 5000,
        .slow_ms = 5000,
    };
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    struct str bad;
    (void)state;
    site.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(site.fd, (struct sockaddr *)&address, size) || listen(site.fd, 16) ||
        getsockname(site.fd, (struct sockaddr *)&address, &size) ||
        pthread_create(&site.thread, NULL, site_run, NULL) != 0)
        return 1;
    snprintf(id, sizeof id, "http://127.0.0.1:%u/client.json", ntohs(address.sin_port));
    return !loop_init() || egress_policy_parse(&policy, STR("127.0.0.0/8"), &bad) || http_client_init(&settings);
}

static int tear_down_all(void **state)
{
    (void)state;
    site.stop = true;
    shutdown(site.fd, SHUT_RDWR);
    pthread_join(site.thread, NULL);
    close(site.fd);
    http_client_done();
    loop_done();
    return 0;
}

static int setup(void **state)
{
    (void)state;
    call_init(&call, arena_new(4 * 1024 * 1024), 60 * 1000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(call.arena);
    return 0;
}

static void site_says(const char *status, const char *headers, struct str body)
{
    struct str answer = call_format(&call, "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n%.*s",
                                    status, body.len, headers, STR_ARG(body));
    assert_true(answer.len <= sizeof answer_room);
    memcpy(answer_room, answer.ptr, answer.len);
    site.answer = str_of(answer_room, answer.len);
}

#define JSON "Content-Type: application/json\r\n"

/* A description with its right address, and the members behind it. */
static struct str described(const char *members)
{
    return call_format(&call, "{\"client_id\":\"%s\",%s}", id, members);
}

static struct oauth_client_row row;

static int reads(void)
{
    call_clear_error(&call);
    return document_read(&call, str_from(id), 1, &row);
}

static void assert_read(void)
{
    int error = reads();
    if (error)
        fail_msg("%s: %.*s (%.*s)", error_name(error), STR_ARG(call.error_text), STR_ARG(call.error_detail));
}

static void assert_refused(const char *part)
{
    assert_int_equal(reads(), E_INVALID);
    if (!str_contains(call.error_text, str_from(part)))
        fail_msg("\"%.*s\" does not say \"%s\"", STR_ARG(call.error_text), part);
}

static void assert_text(struct str actual, const char *expected)
{
    if (!str_eq(actual, str_from(expected)))
        fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(actual), expected);
}

/* ---- what is taken */

static void what_it_says_is_the_client(void **state)
{
    (void)state;
    site_says("200 OK", JSON, described("\"client_name\":\" App \"," REDIRECTS));
    int64_t now_ms = clock_now_ms();
    assert_read();
    assert_true(str_starts_with(str_from(site.request), STR("GET /client.json HTTP/1.1\r\n")));
    assert_true(str_contains(str_from(site.request), STR("\r\nAccept: application/json\r\n")));
    assert_text(row.id, id);
    assert_text(row.kind, CLIENT_DOCUMENT);
    assert_text(row.name, "App");
    assert_text(row.redirect_uris, "[\"https://app.example/cb\"]");
    assert_text(row.grant_types, "authorization_code,refresh_token");
    assert_text(row.auth_method, "none");
    assert_in_range(row.created_at_ms, now_ms, clock_now_ms());
    assert_int_equal(row.fresh_until_ms, row.created_at_ms + DOCUMENT_FRESH_MIN_S * 1000);
    site_says("200 OK", JSON,
              described("\"client_name\":\"App\",\"grant_types\":[\"authorization_code\"]," REDIRECTS
                        ",\"token_endpoint_auth_method\":\"none\""));
    assert_read();
    assert_text(row.grant_types, "authorization_code");
    /* As ChatGPT's says it; we take `none` of it. */
    site_says("200 OK", JSON,
              described("\"client_name\":\"App\"," REDIRECTS ",\"token_endpoint_auth_method\":\"private_key_jwt\""));
    assert_read();
    assert_text(row.auth_method, "none");
}

static void kinds_of_json(void **state)
{
    static const struct {
        const char *type;
        bool is_json;
    } cases[] = {
        {"application/json", true},
        {"Application/JSON; charset=utf-8", true},
        {"application/client-metadata+json", true},
        {"text/html", false},
        {"text/x+json", false},
        {"application/jsonx", false},
        {"application/octet-stream", false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        site_says("200 OK", call_format(&call, "Content-Type: %s\r\n", cases[i].type).ptr,
                  described("\"client_name\":\"App\"," REDIRECTS));
        if (cases[i].is_json)
            assert_read();
        else
            assert_refused("no JSON document");
    }
}

/* As its Cache-Control says, between five minutes and a day. */
static void how_long_it_is_kept(void **state)
{
    static const struct {
        const char *cache_control;
        int64_t seconds;
    } cases[] = {
        {"max-age=60", 300},
        {"max-age=0", 300},
        {"max-age=301", 301},
        {"public, Max-Age=7200", 7200},
        {"max-age=7200,public", 7200},
        {"max-age=86399", 86399},
        {"max-age=9999999", 86400},
        {"max-age=7200, no-store", 300},
        {"No-Cache, max-age=7200", 300},
        {"max-age=soon", 300},
        {"max-age=-1", 300},
        {"s-maxage=7200", 300},
        {"", 300},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        site_says("200 OK", call_format(&call, JSON "Cache-Control: %s\r\n", cases[i].cache_control).ptr,
                  described("\"client_name\":\"App\"," REDIRECTS));
        assert_read();
        assert_int_equal(row.fresh_until_ms - row.created_at_ms, cases[i].seconds * 1000);
    }
}

/* ---- what is refused */

static void answers_that_are_no_description(void **state)
{
    static const struct {
        const char *members, *says;
    } cases[] = {
        {"\"client_name\":\"App\"," REDIRECTS ",\"client_secret\":\"x\"", "shared secret"},
        {"\"client_name\":\"App\"," REDIRECTS ",\"token_endpoint_auth_method\":\"client_secret_post\"",
         "shared secret"},
        {"\"client_name\":\"App\"," REDIRECTS ",\"token_endpoint_auth_method\":7", "shared secret"},
        {REDIRECTS, "does not say its name"},
        {"\"client_name\":\" \"," REDIRECTS, "does not say its name"},
        {"\"client_name\":\"App\"", "redirect_uris"},
        {"\"client_name\":\"App\",\"redirect_uris\":[\"ftp://app.example/\"]", "redirect_uris"},
        {"\"client_name\":\"App\"," REDIRECTS ",\"x\":[[[[[[[[]]]]]]]]", "no JSON document"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        site_says("200 OK", JSON, described(cases[i].members));
        assert_refused(cases[i].says);
    }
    site_says("200 OK", JSON, STR("[]"));
    assert_refused("no JSON document");
    site_says("200 OK", JSON, STR("<html>"));
    assert_refused("no JSON document");
    /* Who describes another may not speak for it. */
    site_says("200 OK", JSON, STR("{\"client_name\":\"App\"," REDIRECTS "}"));
    assert_refused("another address");
    site_says("200 OK", JSON,
              STR("{\"client_id\":\"https://app.example/client.json\",\"client_name\":\"App\"," REDIRECTS "}"));
    assert_refused("another address");
    site_says("404 Not Found", JSON, described("\"client_name\":\"App\"," REDIRECTS));
    assert_refused("status 404");
    site_says("302 Found", JSON "Location: /elsewhere\r\n", described("\"client_name\":\"App\"," REDIRECTS));
    assert_refused("status 302");
}

static void no_more_than_so_many_bytes(void **state)
{
    struct str begin = described("\"client_name\":\"App\"," REDIRECTS);
    char *body = arena_alloc(call.arena, DOCUMENT_BYTES_MAX + 1);
    (void)state;
    memset(body, ' ', DOCUMENT_BYTES_MAX + 1);
    memcpy(body, begin.ptr, begin.len);
    site_says("200 OK", JSON, str_of(body, DOCUMENT_BYTES_MAX));
    assert_read();
    site_says("200 OK", JSON, str_of(body, DOCUMENT_BYTES_MAX + 1));
    assert_refused("larger than 64 KiB");
}

static void a_site_that_is_not_there(void **state)
{
    char before[sizeof id];
    (void)state;
    snprintf(before, sizeof before, "%s", id);
    snprintf(id, sizeof id, "http://127.0.0.1:1/client.json");
    int error = reads();
    snprintf(id, sizeof id, "%s", before);
    assert_int_equal(error, E_UPSTREAM);
    assert_int_equal(call.error, error);
}

/* One person asks for ten in a row, all together for twenty; what is too much does not reach the site. */
static void not_too_often(void **state)
{
    static const struct limits_settings none = {0};
    int64_t read = 0, after_s[2];
    int errors[2];
    (void)state;
    site_says("200 OK", JSON, described("\"client_name\":\"App\"," REDIRECTS));
    assert_true(limits_open(-1, &none));
    int visits = site.visits;
    for (int i = 0; i < 10; i++)
        read += reads() == OK;
    errors[0] = reads();
    after_s[0] = call.retry_after_s;
    for (int i = 0; i < 10; i++)
        read += document_read(&call, str_from(id), 2, &row) == OK;
    errors[1] = document_read(&call, str_from(id), 3, &row);
    after_s[1] = call.retry_after_s;
    limits_close();
    assert_int_equal(read, 20);
    assert_int_equal(errors[0], E_LIMIT);
    assert_in_range(after_s[0], 1, 6);
    assert_int_equal(errors[1], E_LIMIT);
    assert_in_range(after_s[1], 1, 3);
    assert_int_equal(site.visits - visits, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_it_says_is_the_client, setup, teardown),
        cmocka_unit_test_setup_teardown(kinds_of_json, setup, teardown),
        cmocka_unit_test_setup_teardown(how_long_it_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_that_are_no_description, setup, teardown),
        cmocka_unit_test_setup_teardown(no_more_than_so_many_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_site_that_is_not_there, setup, teardown),
        cmocka_unit_test_setup_teardown(not_too_often, setup, teardown),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}

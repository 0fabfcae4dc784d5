/* The HTTP client against a web site in a thread, good and bad: answers, limits, refusals, TLS. Connections: http_pool_test.c. */
#include "net/http_client_test_scene.h"

#include <dlfcn.h>
#include <netdb.h>

/* --- names that resolve as the test wants ------------------------------------------------------------------------------ */

static atomic_int rebind_answers;

typedef int getaddrinfo_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* In front of libc's, also for libcurl's resolver threads. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
    static getaddrinfo_fn *real;
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (node && !strcmp(node, "slow.test"))
        usleep(1500 * 1000);
    if (node && !strcmp(node, "rebind.test")) /* first an allowed address, then another */
        return real(rebind_answers++ == 0 ? "127.0.0.1" : "10.0.0.1", service, hints, ret);
    if (node && !strcmp(node, "both.test")) {
        struct addrinfo *refused, *allowed;
        if (real("10.0.0.1", service, hints, &refused) || real("127.0.0.1", service, hints, &allowed))
            return EAI_FAIL;
        for (*ret = refused; refused->ai_next; refused = refused->ai_next)
            ;
        refused->ai_next = allowed;
        return 0;
    }
    if (node && strstr(node, ".test"))
        return strstr(node, "none") ? EAI_NONAME : real("127.0.0.1", service, hints, ret);
    return real(node, service, hints, ret);
}

/* --- answers ----------------------------------------------------------------------------------------------------------- */

static void test_ok(void **state)
{
    (void)state;
    struct scene scene = {0};
    fetch(&scene, "/ok?a=b");
    assert_body(&scene, "{\"a\":1}");
    assert_int_equal(scene.got.status, 200);
    assert_int_equal(scene.got.failure, HTTP_FETCH_OK);
    assert_true(str_eq(scene.got.content_type, STR("application/json; charset=UTF-8")));
    assert_true(str_eq(http_header_get(scene.got.headers, scene.got.n_headers, STR("X-TWO")), STR("a")));
    assert_null(http_header_get(scene.got.headers, scene.got.n_headers, STR("X-None")).ptr);
    assert_int_equal(scene.got.n_headers, 4);
    assert_true(str_eq(scene.got.primary_ip, STR("127.0.0.1")));
    assert_in_range(scene.got.elapsed_ms, 0, 1000);
    end(&scene);
}

static void test_request(void **state)
{
    (void)state;
    static const struct http_header headers[] = {{STR_INIT("X-Request-ID"), STR_INIT("abc")},
                                                 {STR_INIT("X-Empty"), STR_INIT("")}};
    struct scene scene = {.request = {.method = STR("PATCH"),
                                      .headers = headers,
                                      .n_headers = 2,
                                      .basic_user = STR("Aladdin"),
                                      .basic_password = STR("open sesame"),
                                      .body = STR("{}")}};
    fetch(&scene, "/echo");
    assert_int_equal(scene.error, OK);
    static const char *const wanted[] = {
        "PATCH /echo HTTP/1.1\r\n",  "\r\nX-Request-ID: abc\r\n",
        "\r\nX-Empty:\r\n",          "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n",
        "\r\nUser-Agent: porteiro/", "\r\nAccept-Encoding: gzip, deflate, br\r\n",
        "\r\nContent-Length: 2\r\n", "\r\n\r\n{}"};
    for (size_t i = 0; i < ARRAY_LENGTH(wanted); i++)
        assert_true(str_contains(scene.got.body, str_from(wanted[i])));
    static const char *const unwanted[] = {"Expect", "Content-Type", "Cookie", "Upgrade", "Referer"};
    for (size_t i = 0; i < ARRAY_LENGTH(unwanted); i++)
        assert_false(str_contains_nocase(scene.got.body, str_from(unwanted[i])));
    end(&scene);
}

static void test_methods(void **state)
{
    (void)state;
    /* One handle after the other's method: nothing of the former may stay. */
    static const struct {
        struct str method, body;
        const char *has_length;
    } cases[] = {
        {STR_INIT("POST"), STR_INIT("abc"), "Content-Length: 3"},
        {STR_INIT("GET"), STR_INIT(""), NULL},
        {STR_INIT("POST"), STR_INIT(""), "Content-Length: 0"},
        {STR_INIT("DELETE"), STR_INIT(""), NULL},
        {STR_INIT("PUT"), STR_INIT("x"), "Content-Length: 1"},
        {STR_INIT("HEAD"), STR_INIT(""), NULL},
        {STR_INIT("OPTIONS"), STR_INIT(""), NULL},
        {STR_INIT("DELETE"), STR_INIT("{}"), "Content-Length: 2"},
        {STR_INIT("GET"), STR_INIT(""), NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct scene scene = {.request = {.method = cases[i].method, .body = cases[i].body}};
        fetch(&scene, "/echo");
        assert_int_equal(scene.error, OK);
        if (str_eq(cases[i].method, STR("HEAD"))) {
            assert_int_equal(scene.got.body.len, 0);
            /* The site answers a HEAD with a body, wrongly: the connection is not to be used again. */
        } else {
            assert_true(str_starts_with(scene.got.body, cases[i].method));
            assert_true(str_ends_with(scene.got.body, cases[i].body));
            assert_int_equal(str_contains(scene.got.body, STR("Content-Length")), cases[i].has_length != NULL);
            if (cases[i].has_length)
                assert_true(str_contains(scene.got.body, str_from(cases[i].has_length)));
        }
        end(&scene);
    }
}

static void test_bad_request(void **state)
{
    (void)state;
    int before = site.connections;
    static const struct http_header bad_headers[] = {
        {STR_INIT("Host"), STR_INIT("x")},
        {STR_INIT("content-length"), STR_INIT("1")},
        {STR_INIT("X-A"), STR_INIT("a\r\nX-B: b")},
        {STR_INIT("X A"), STR_INIT("a")},
        {STR_INIT(""), STR_INIT("a")},
        {STR_INIT("X-A\0"), STR_INIT("a")},
        {STR_INIT("X-A"), STR_INIT("a\0b")},
        {STR_INIT("Transfer-Encoding"), STR_INIT("chunked")},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bad_headers); i++) {
        struct scene scene = {.request = {.headers = &bad_headers[i], .n_headers = 1}};
        fetch(&scene, "/ok");
        assert_failed(&scene, E_INVALID, HTTP_FETCH_BAD_REQUEST);
        end(&scene);
    }
    static const char *const bad_urls[] = {"", "ftp://127.0.0.1/", "http://u:p@127.0.0.1/", "file:///etc/passwd",
                                           "/ok"};
    for (size_t i = 0; i < ARRAY_LENGTH(bad_urls); i++) {
        struct scene scene = {0};
        fetch_url(&scene, bad_urls[i]);
        assert_failed(&scene, E_INVALID, HTTP_FETCH_BAD_REQUEST);
        end(&scene);
    }
    struct scene method = {.request = {.method = STR("TRACE")}};
    fetch(&method, "/ok");
    assert_failed(&method, E_INVALID, HTTP_FETCH_BAD_REQUEST);
    end(&method);
    struct scene colon = {.request = {.basic_user = STR("a:b")}};
    fetch(&colon, "/ok");
    assert_failed(&colon, E_INVALID, HTTP_FETCH_BAD_REQUEST);
    end(&colon);
    assert_int_equal(site.connections, before);
}

static void test_encodings(void **state)
{
    (void)state;
    struct scene scene = {0};
    fetch(&scene, "/gzip");
    assert_int_equal(scene.error, OK);
    assert_int_equal(scene.got.body.len, 2581);
    for (size_t i = 0; i < scene.got.body.len; i++)
        assert_int_equal(scene.got.body.ptr[i], 0);
    end(&scene);
    fetch(&scene, "/chunked");
    assert_body(&scene, "abcde");
    assert_null(http_header_get(scene.got.headers, scene.got.n_headers, STR("X-Trailer")).ptr);
    end(&scene);
    fetch(&scene, "/early");
    assert_body(&scene, "ok");
    assert_int_equal(scene.got.status, 200);
    assert_int_equal(scene.got.n_headers, 1); /* the 103's are gone */
    end(&scene);
    fetch(&scene, "/encodings");
    assert_failed(&scene, E_UPSTREAM, HTTP_FETCH_PROTOCOL);
    end(&scene);
}

static void test_status(void **state)
{
    (void)state;
    int before = site.requests;
    struct scene scene = {0};
    fetch(&scene, "/404");
    assert_body(&scene, "nope");
    assert_int_equal(scene.got.status, 404);
    end(&scene);
    fetch(&scene, "/redirect");
    assert_body(&scene, "");
    assert_int_equal(scene.got.status, 302);
    assert_true(str_eq(http_header_get(scene.got.headers, scene.got.n_headers, STR("Location")), STR("/ok")));
    end(&scene);
    assert_int_equal(site.requests - before, 2); /* not followed */
}

/* --- limits ------------------------------------------------------------------------------------------------------------ */

static void test_too_large(void **state)
{
    (void)state;
    static const char *const paths[] = {"/large", "/large-length", "/bomb"};
    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++) {
        struct scene scene = {.request = {.max_body_bytes = 1 << 20}};
        fetch(&scene, paths[i]);
        assert_failed(&scene, E_LIMIT, HTTP_FETCH_TOO_LARGE);
        assert_int_equal(scene.got.body.len, 0);
        assert_int_equal(scene.got.status, 200);
        end(&scene);
    }
    struct scene exact = {.request = {.max_body_bytes = 4}};
    fetch(&exact, "/404");
    assert_body(&exact, "nope");
    end(&exact);
    exact.request.max_body_bytes = 3;
    fetch(&exact, "/404");
    assert_failed(&exact, E_LIMIT, HTTP_FETCH_TOO_LARGE);
    end(&exact);
    struct scene whole = {.request = {.max_body_bytes = BOMB_BYTES}};
    fetch(&whole, "/bomb");
    assert_int_equal(whole.error, OK);
    assert_int_equal(whole.got.body.len, BOMB_BYTES);
    end(&whole);
    struct scene headers = {0};
    fetch(&headers, "/headers");
    assert_failed(&headers, E_LIMIT, HTTP_FETCH_TOO_LARGE);
    end(&headers);
}

static void test_times(void **state)
{
    (void)state;
    struct scene hang = {0}, drip = {0}, stall = {0}, total = {.request = {.timeout_ms = 200}};
    struct scene deadline = {.request = {.pool_key = STR("other")}};
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/hang", site.port);
    begin(&hang, "/hang");
    begin(&drip, "/drip");
    begin(&stall, "/stall");
    begin(&total, "/hang");
    begin_url(&deadline, url, 100);
    until_done(&deadline);
    assert_failed(&deadline, E_TIMEOUT, HTTP_FETCH_TIMEOUT_ANSWER);
    assert_in_range(deadline.got.elapsed_ms, 50, 600); /* the call began before the request */
    until_done(&total);
    assert_failed(&total, E_TIMEOUT, HTTP_FETCH_TIMEOUT_ANSWER);
    assert_in_range(total.got.elapsed_ms, 200, 600);
    until_done(&hang);
    assert_failed(&hang, E_TIMEOUT, HTTP_FETCH_TIMEOUT_ANSWER);
    assert_in_range(hang.got.elapsed_ms, 600, 1500); /* first_byte_ms */
    assert_true(hang.got.may_have_arrived);
    until_done(&drip);
    assert_failed(&drip, E_TIMEOUT, HTTP_FETCH_TIMEOUT_ANSWER);
    assert_true(str_contains(drip.call.error_text, STR("too slowly")));
    assert_in_range(drip.got.elapsed_ms, 500, 1600); /* slow_ms: 20 bytes a second are too few */
    until_done(&stall);
    assert_failed(&stall, E_TIMEOUT, HTTP_FETCH_TIMEOUT_ANSWER);
    assert_int_equal(stall.got.status, 200);
    struct scene *all[] = {&hang, &drip, &stall, &total, &deadline};
    for (size_t i = 0; i < ARRAY_LENGTH(all); i++)
        end(all[i]);
    assert_int_equal(http_client_counts().in_flight, 0);
}

/* A listener whose queue is full lets connection attempts hang. */
static void test_connect_timeout(void **state)
{
    (void)state;
    uint16_t port;
    int fd = site_listen(0, &port), fill[4];
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (size_t i = 0; i < ARRAY_LENGTH(fill); i++) {
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(fill[i], (struct sockaddr *)&address, sizeof address);
    }
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", port);
    struct scene scene = {.request = {.pool_key = STR("connecting")}};
    size_t before = http_pools_watched();
    fetch_url(&scene, url);
    assert_failed(&scene, E_TIMEOUT, HTTP_FETCH_TIMEOUT_CONNECT);
    assert_in_range(scene.got.elapsed_ms, 500, 2000);
    assert_int_equal(http_pools_watched(), before); /* the descriptor is closed: nobody may wait on its number */
    assert_false(scene.got.may_have_arrived);
    end(&scene);
    for (size_t i = 0; i < ARRAY_LENGTH(fill); i++)
        close(fill[i]);
    close(fd);
}

static void test_broken(void **state)
{
    (void)state;
    struct scene scene = {0};
    fetch(&scene, "/reset");
    assert_failed(&scene, E_UPSTREAM, HTTP_FETCH_RESET);
    assert_true(scene.got.may_have_arrived);
    end(&scene);
    fetch(&scene, "/partial");
    assert_failed(&scene, E_UPSTREAM, HTTP_FETCH_RESET);
    end(&scene);
    fetch(&scene, "/nothing"); /* closed without an answer */
    assert_failed(&scene, E_UPSTREAM, HTTP_FETCH_RESET);
    assert_int_equal(scene.got.status, 0);
    end(&scene);
    fetch(&scene, "/garbage");
    assert_failed(&scene, E_UPSTREAM, HTTP_FETCH_PROTOCOL);
    end(&scene);
    uint16_t port;
    close(site_listen(1, &port));
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", port);
    fetch_url(&scene, url);
    assert_failed(&scene, E_UPSTREAM, HTTP_FETCH_CONNECT);
    assert_false(scene.got.may_have_arrived);
    end(&scene);
    snprintf(url, sizeof url, "http://none.test:%u/", site.port);
    fetch_url(&scene, url);
    assert_failed(&scene, E_UPSTREAM, HTTP_FETCH_DNS);
    assert_true(str_contains(scene.call.error_text, STR("none.test")));
    end(&scene);
}

/* A command has no task. */
static void test_command(void **state)
{
    (void)state;
    struct scene scene = {.request = {.method = STR("GET"), .pool_key = STR("command")}};
    snprintf(scene.url, sizeof scene.url, "http://127.0.0.1:%u/ok", site.port);
    scene.request.url = str_from(scene.url);
    call_init(&scene.call, arena_new(1 << 20), 5000);
    scene.error = http_fetch(&scene.call, &scene.request, &scene.got);
    assert_body(&scene, "{\"a\":1}");
    end(&scene);
}

/* --- the guard --------------------------------------------------------------------------------------------------------- */

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        enum http_fetch_failure failure;
    } cases[] = {
        {"https://10.0.0.1/", HTTP_FETCH_REFUSED_ADDRESS},
        {"https://169.254.169.254/latest/meta-data/", HTTP_FETCH_REFUSED_ADDRESS},
        {"https://[::ffff:10.0.0.1]/", HTTP_FETCH_REFUSED_ADDRESS},
        {"https://[64:ff9b::7f00:1]/", HTTP_FETCH_REFUSED_ADDRESS},
        {"https://0xa.1/", HTTP_FETCH_REFUSED_ADDRESS},
        {"https://012.0.0.1/", HTTP_FETCH_REFUSED_ADDRESS},
        {"https://167772161/", HTTP_FETCH_REFUSED_ADDRESS},
        {"https://0/", HTTP_FETCH_REFUSED_ADDRESS},
        {"http://1.1.1.1/", HTTP_FETCH_PLAIN_HTTP_REFUSED},
        {"https://1.1.1.1:8080/", HTTP_FETCH_REFUSED_PORT},
        {"https://porteiro.test/mcp", HTTP_FETCH_REFUSED_LOOP},
        {"https://PORTEIRO.test.:443/mcp", HTTP_FETCH_REFUSED_LOOP},
        {"http://127.0.0.1:27799/", HTTP_FETCH_REFUSED_LOOP},
    };
    uint64_t opened = http_client_counts().connections_opened;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct scene scene = {0};
        fetch_url(&scene, cases[i].url);
        assert_failed(&scene, E_EGRESS, cases[i].failure);
        assert_false(scene.got.may_have_arrived);
        end(&scene);
    }
    assert_int_equal(http_client_counts().connections_opened, opened);
}

static void test_rebinding(void **state)
{
    (void)state;
    char url[128];
    snprintf(url, sizeof url, "http://rebind.test:%u/ok", site.port);
    struct scene first = {.request = {.pool_key = STR("rebind-1")}},
                 second = {.request = {.pool_key = STR("rebind-2")}};
    fetch_url(&first, url);
    assert_int_equal(first.error, OK);
    end(&first);
    int before = site.connections;
    fetch_url(&second, url);
    assert_failed(&second, E_EGRESS, HTTP_FETCH_REFUSED_ADDRESS);
    assert_false(str_contains(second.call.error_text, STR("10.0.0.1"))); /* what a name leads to is for the log only */
    assert_true(str_contains(second.call.error_detail, STR("10.0.0.1")));
    end(&second);
    assert_int_equal(site.connections, before);
    /* One refused and one allowed address: the allowed one serves. */
    snprintf(url, sizeof url, "http://both.test:%u/ok", site.port);
    fetch_url(&second, url);
    assert_int_equal(second.error, OK);
    assert_true(str_eq(second.got.primary_ip, STR("127.0.0.1")));
    end(&second);
}

/* A kept connection is judged again: the operator may have closed the range since. */
static void test_judged_again(void **state)
{
    (void)state;
    struct scene scene = {.request = {.pool_key = STR("again")}};
    fetch(&scene, "/ok");
    assert_int_equal(scene.error, OK);
    end(&scene);
    struct egress_policy before = policy;
    policy.n_ranges = 0;
    fetch(&scene, "/ok");
    assert_failed(&scene, E_EGRESS, HTTP_FETCH_REFUSED_ADDRESS);
    end(&scene);
    policy = before;
}

/* A resolver that hangs holds up its own request only. */
static void test_slow_resolver(void **state)
{
    (void)state;
    char url[128];
    snprintf(url, sizeof url, "http://slow.test:%u/ok", site.port);
    struct scene slow = {.request = {.pool_key = STR("slow")}}, cancelled = {.request = {.pool_key = STR("slow")}};
    int64_t from_ms = clock_monotonic_ms();
    begin_url(&slow, url, 20000);
    begin_url(&cancelled, url, 20000);
    loop_turn();
    cancelled.call.cancelled = true;
    task_wake(&cancelled.call);
    until_done(&cancelled);
    assert_in_range(clock_monotonic_ms() - from_ms, 0, 1300); /* the resolver sleeps 1,500 */
    until_done(&slow);
    assert_failed(&slow, E_TIMEOUT, HTTP_FETCH_TIMEOUT_CONNECT);
    assert_in_range(clock_monotonic_ms() - from_ms, 490, 1450);
    end(&slow);
    end(&cancelled);
    usleep(1600 * 1000); /* so that libcurl's thread ends before the leak check */
}

/* --- TLS --------------------------------------------------------------------------------------------------------------- */

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
    SSL_CTX *context;
};

static void identity_make(struct identity *identity, const char *alternative_name, long valid_s)
{
    identity->key = EVP_EC_gen("P-256");
    X509 *certificate = identity->certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), clock_now_ms() & 0xffffff);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
    X509_gmtime_adj(X509_getm_notAfter(certificate), valid_s);
    X509_set_pubkey(certificate, identity->key);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)alternative_name, -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alternative_name);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    X509_sign(certificate, identity->key, EVP_sha256());
    identity->context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(identity->context, certificate);
    SSL_CTX_use_PrivateKey(identity->context, identity->key);
}

static void identity_done(struct identity *identity)
{
    SSL_CTX_free(identity->context);
    X509_free(identity->certificate);
    EVP_PKEY_free(identity->key);
}

enum { GOOD, EXPIRED, WRONG_NAME, UNKNOWN, IDENTITIES };
static struct identity identities[IDENTITIES];
static char ca_file[] = "/tmp/porteiro-client-test-XXXXXX";

static void tls_fetch(int which, int expected, enum http_fetch_failure failure, const char *text)
{
    struct site secure;
    char url[128];
    site_open(&secure, identities[which].context);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/ok", secure.port);
    struct scene scene = {.request = {.pool_key = STR("tls")}};
    for (int i = 0; i < 2; i++) {
        fetch_url(&scene, url);
        assert_int_equal(scene.error, expected);
        assert_int_equal(scene.got.failure, failure);
        assert_true(str_contains(scene.call.error_text, str_from(text)));
        if (expected == OK)
            assert_int_equal(scene.got.is_reused, i == 1);
        end(&scene);
    }
    assert_int_equal(secure.requests, expected == OK ? 2 : 0);
    secure.stop = 1;
    /* The client keeps a good connection; dropping all pools lets the site end. */
    shutdown(secure.fd, SHUT_RDWR);
    pthread_join(secure.thread, NULL);
    close(secure.fd);
    http_client_done();
    while (secure.open)
        usleep(1000);
}

static void client_init(void);

static void test_tls(void **state)
{
    (void)state;
    tls_fetch(GOOD, OK, HTTP_FETCH_OK, "");
    client_init();
    tls_fetch(EXPIRED, E_UPSTREAM, HTTP_FETCH_TLS_CERTIFICATE, "expired");
    client_init();
    tls_fetch(WRONG_NAME, E_UPSTREAM, HTTP_FETCH_TLS_CERTIFICATE, "certificate");
    client_init();
    tls_fetch(UNKNOWN, E_UPSTREAM, HTTP_FETCH_TLS_CERTIFICATE, "PORTEIRO_CA_FILE");
    client_init();
    char url[128];
    snprintf(url, sizeof url, "https://127.0.0.1:%u/ok", site.port); /* speaks no TLS */
    struct scene scene = {0};
    fetch_url(&scene, url);
    assert_int_equal(scene.got.failure == HTTP_FETCH_TLS || scene.got.failure == HTTP_FETCH_TIMEOUT_CONNECT, true);
    end(&scene);
}

/* --- all --------------------------------------------------------------------------------------------------------------- */

static void client_init(void)
{
    client_init_with(ca_file);
}

static int set_up_all(void **state)
{
    (void)state;
    struct str bad;
    if (!loop_init() || egress_policy_parse(&policy, STR("127.0.0.0/8"), &bad) != OK)
        return 1;
    struct sockaddr_in own = {
        .sin_family = AF_INET, .sin_port = htons(PORT_LAST), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (egress_policy_add_listener(&policy, (struct sockaddr *)&own) != OK)
        return 1;
    egress_policy_set_own(&policy, STR("porteiro.test"), 443);
    identity_make(&identities[GOOD], "IP:127.0.0.1", 86400);
    identity_make(&identities[EXPIRED], "IP:127.0.0.1", -3600);
    identity_make(&identities[WRONG_NAME], "DNS:other.test", 86400);
    identity_make(&identities[UNKNOWN], "IP:127.0.0.1", 86400);
    FILE *file = fdopen(mkstemp(ca_file), "w");
    for (int i = 0; i < UNKNOWN; i++)
        PEM_write_X509(file, identities[i].certificate);
    fclose(file);
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
    for (int i = 0; i < IDENTITIES; i++)
        identity_done(&identities[i]);
    unlink(ca_file);
    return 0;
}

static void test_bad_ca_file(void **state)
{
    (void)state;
    http_client_done();
    struct http_client_settings settings = {.policy = &policy, .ca_file = "/nonexistent/ca.pem"};
    assert_int_equal(http_client_init(&settings), E_INVALID);
    client_init();
}

int main(void)
{
    setenv("CMOCKA_TEST_ABORT", "1",
           1); /* a failed test leaves tasks with pointers into its stack: nothing can follow it */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ok),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_bad_request),
        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_connect_timeout),
        cmocka_unit_test(test_command),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_rebinding),
        cmocka_unit_test(test_judged_again),
        cmocka_unit_test(test_slow_resolver),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_bad_ca_file),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}

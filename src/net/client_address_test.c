/* Whom X-Forwarded-For may name, and whom it may not. */
#include "net/client_address.h" /* before cmocka.h, which takes the name fail */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>

static struct sockaddr_storage peer(const char *text)
{
    struct sockaddr_storage address = {0};
    if (inet_pton(AF_INET, text, &((struct sockaddr_in *)&address)->sin_addr) == 1)
        address.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)&address)->sin6_addr) == 1)
        address.ss_family = AF_INET6;
    return address;
}

struct seen_case {
    const char *peer, *first, *second; /* the X-Forwarded-For headers; NULL: none */
    const char *seen;
};

static void check(const struct seen_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct http_header headers[] = {
            {STR("Host"), STR("x")},
            {STR("x-forwarded-for"), str_from(cases[i].first)},
            {STR("X-Forwarded-For"), str_from(cases[i].second)},
        };
        struct http_request request = {.headers = headers,
                                       .n_headers = 1 + (cases[i].first != NULL) + (cases[i].second != NULL),
                                       .peer = peer(cases[i].peer)};
        char seen[CLIENT_ADDRESS_BYTES];
        client_address(&request, seen);
        assert_string_equal(seen, cases[i].seen);
    }
}

static void test_nobody_is_trusted(void **state)
{
    static const struct seen_case cases[] = {
        {"192.0.2.1", NULL, NULL, "192.0.2.1"},
        {"127.0.0.1", "203.0.113.9", NULL, "127.0.0.1"},
        {"::1", "203.0.113.9", NULL, "::1"},
        {"none", "203.0.113.9", NULL, "-"},
    };
    struct str bad;
    (void)state;
    assert_int_equal(client_address_trust(STR_EMPTY, &bad), OK);
    check(cases, ARRAY_LENGTH(cases));
}

static void test_trusted_proxies(void **state)
{
    static const struct seen_case cases[] = {
        {"10.1.2.3", NULL, NULL, "10.1.2.3"},
        {"10.1.2.3", "203.0.113.9", NULL, "203.0.113.9"},
        {"192.0.2.1", "203.0.113.9", NULL, "192.0.2.1"},            /* the peer is no proxy of ours */
        {"10.1.2.3", "6.6.6.6, 203.0.113.9", NULL, "203.0.113.9"},  /* forged by the client: not reached */
        {"10.1.2.3", "203.0.113.9, 10.0.0.1", NULL, "203.0.113.9"}, /* two proxies of ours */
        {"10.1.2.3", "6.6.6.6", "203.0.113.9", "203.0.113.9"},      /* two headers are one list */
        {"10.1.2.3", "203.0.113.9", "10.0.0.1,::1", "203.0.113.9"},
        {"10.1.2.3", "10.0.0.7", NULL, "10.0.0.7"},             /* proxies all the way */
        {"10.1.2.3", "203.0.113.9, unknown", NULL, "10.1.2.3"}, /* no address ends the walk */
        {"10.1.2.3", "", NULL, "10.1.2.3"},
        {"10.1.2.3", ",", NULL, "10.1.2.3"},
        {"10.1.2.3", "203.0.113.9:4711", NULL, "203.0.113.9"},
        {"::1", "[2001:db8::7]:4711", NULL, "2001:db8::7"},
        {"::1", "2001:db8::7", NULL, "2001:db8::7"},
        {"::1", "[2001:db8::7", NULL, "::1"},
        {"::1", "[", NULL, "::1"},
        {"::ffff:10.1.2.3", "203.0.113.9", NULL, "203.0.113.9"}, /* IPv4 on an IPv6 listener */
        {"10.1.2.3", "2001:db8:0000:0000:0000:0000:0000:0007:0000:0000:0000:0000:0000:0000", NULL, "10.1.2.3"},
    };
    struct str bad;
    (void)state;
    assert_int_equal(client_address_trust(STR("10.0.0.0/8,::1"), &bad), OK);
    check(cases, ARRAY_LENGTH(cases));
}

static void test_a_list_of_trusted_hops_has_a_limit(void **state)
{
    char list[16 * 64];
    struct str bad;
    size_t length = 0;
    (void)state;
    assert_int_equal(client_address_trust(STR("10.0.0.0/8"), &bad), OK);
    for (unsigned i = 0; i < 64; i++)
        length += (size_t)snprintf(list + length, sizeof list - length, "%s10.0.0.%u", i ? "," : "", i);
    struct http_header header = {STR("X-Forwarded-For"), {list, length}};
    struct http_request request = {.headers = &header, .n_headers = 1, .peer = peer("10.9.9.9")};
    char seen[CLIENT_ADDRESS_BYTES];
    client_address(&request, seen);
    assert_string_equal(seen, "10.0.0.32"); /* 32 hops from the right: 63 ... 32 */
}

static void test_a_bad_setting(void **state)
{
    struct str bad;
    (void)state;
    assert_int_equal(client_address_trust(STR("10.0.0.0/8,nonsense"), &bad), E_INVALID);
    assert_true(str_eq(str_trim(bad), STR("nonsense")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_is_trusted),
        cmocka_unit_test(test_trusted_proxies),
        cmocka_unit_test(test_a_list_of_trusted_hops_has_a_limit),
        cmocka_unit_test(test_a_bad_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

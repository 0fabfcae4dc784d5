/* The address guard: against a slow reference on many addresses, and against every spelling of addresses that are not public. */
#include "net/egress.h"

#include "net/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static union address address_of(const char *text, uint16_t port)
{
    union address address = {0};
    if (inet_pton(AF_INET, text, &address.v4.sin_addr) == 1) {
        address.v4.sin_family = AF_INET;
        address.v4.sin_port = htons(port);
        return address;
    }
    assert_int_equal(inet_pton(AF_INET6, text, &address.v6.sin6_addr), 1);
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_port = htons(port);
    return address;
}

static enum egress_verdict judge(const struct egress_policy *policy, const char *text, uint16_t port, bool is_https)
{
    union address address = address_of(text, port);
    const char *why = "";
    enum egress_verdict verdict = egress_judge(policy, &address.any, is_https, &why);
    assert_true((verdict == EGRESS_ALLOWED) == (why == NULL));
    return verdict;
}

static const struct egress_policy strictest;

/* --- the reference ----------------------------------------------------------------------------------------------------- */

/* An address is a text of 32 or 128 digits 0 and 1, a range the beginning of one. */
static void to_digits(const uint8_t *bytes, size_t n_bytes, char *out)
{
    for (size_t i = 0; i < n_bytes * 8; i++)
        out[i] = bytes[i / 8] & 0x80 >> i % 8 ? '1' : '0';
    out[n_bytes * 8] = '\0';
}

static bool begins_with(const char *digits, int family, const char *range)
{
    char text[64], prefix[129];
    uint8_t bytes[16];
    snprintf(text, sizeof text, "%s", range);
    char *slash = strchr(text, '/');
    *slash = '\0';
    assert_int_equal(inet_pton(family, text, bytes), 1);
    to_digits(bytes, family == AF_INET ? 4 : 16, prefix);
    prefix[strtoul(slash + 1, NULL, 10)] = '\0';
    return strncmp(digits, prefix, strlen(prefix)) == 0;
}

/* The table of reference/trust.md, as it stands there. */
static const char *const refused_v4[] = {
    "0.0.0.0/8",      "10.0.0.0/8",   "100.64.0.0/10",  "127.0.0.0/8",      "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24",   "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",   "198.18.0.0/15",  "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4",  "240.0.0.0/4",    "168.63.129.16/32",
};
static const char *const refused_v6[] = {"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"};

static bool reference_v4(const uint8_t bytes[4])
{
    char digits[33];
    to_digits(bytes, 4, digits);
    for (size_t i = 0; i < ARRAY_LENGTH(refused_v4); i++)
        if (begins_with(digits, AF_INET, refused_v4[i]))
            return false;
    return true;
}

static bool reference_v6(const uint8_t bytes[16])
{
    char digits[129];
    to_digits(bytes, 16, digits);
    if (begins_with(digits, AF_INET6, "::ffff:0:0/96"))
        return reference_v4(bytes + 12);
    if (!begins_with(digits, AF_INET6, "2000::/3"))
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(refused_v6); i++)
        if (begins_with(digits, AF_INET6, refused_v6[i]))
            return false;
    return true;
}

static size_t n_compared, n_allowed;

static void compare_v4(uint32_t number)
{
    struct sockaddr_in plain = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(number)};
    struct sockaddr_in6 mapped = {.sin6_family = AF_INET6};
    const char *why;
    mapped.sin6_addr.s6_addr[10] = mapped.sin6_addr.s6_addr[11] = 0xff;
    memcpy(mapped.sin6_addr.s6_addr + 12, &plain.sin_addr, 4);
    bool expected = reference_v4((const uint8_t *)&plain.sin_addr);
    assert_int_equal(egress_address_allowed(&strictest, (struct sockaddr *)&plain, &why), expected);
    assert_int_equal(egress_address_allowed(&strictest, (struct sockaddr *)&mapped, &why), expected);
    n_compared++;
    n_allowed += expected;
}

static void compare_v6(const uint8_t bytes[16])
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6};
    const char *why;
    memcpy(address.sin6_addr.s6_addr, bytes, 16);
    bool expected = reference_v6(bytes);
    assert_int_equal(egress_address_allowed(&strictest, (struct sockaddr *)&address, &why), expected);
    n_compared++;
    n_allowed += expected;
}

static uint64_t next_number(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* The address before, at, and after both ends of a range. */
static void compare_ends(int family, const char *range)
{
    char text[64];
    uint8_t first[16] = {0}, at[16];
    snprintf(text, sizeof text, "%s", range);
    char *slash = strchr(text, '/');
    size_t bits = strtoul(slash + 1, NULL, 10), n_bytes = family == AF_INET ? 4 : 16;
    *slash = '\0';
    assert_int_equal(inet_pton(family, text, first), 1);
    for (int end = 0; end < 2; end++) {
        for (int step = -1; step <= 1; step++) {
            memcpy(at, first, sizeof at);
            for (size_t bit = bits; end && bit < n_bytes * 8; bit++)
                at[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
            for (size_t i = n_bytes; step && i-- > 0;) {
                at[i] = (uint8_t)(at[i] + step);
                if (at[i] != (step > 0 ? 0 : 0xff))
                    break;
            }
            uint32_t number;
            memcpy(&number, at, 4);
            if (family == AF_INET)
                compare_v4(ntohl(number));
            else
                compare_v6(at);
        }
    }
}

static void test_reference(void **state)
{
    (void)state;
    uint64_t numbers = 88172645463325252u;
    for (size_t i = 0; i < ARRAY_LENGTH(refused_v4); i++)
        compare_ends(AF_INET, refused_v4[i]);
    for (size_t i = 0; i < ARRAY_LENGTH(refused_v6); i++)
        compare_ends(AF_INET6, refused_v6[i]);
    compare_ends(AF_INET6, "2000::/3");
    compare_ends(AF_INET6, "::ffff:0:0/96");
    compare_ends(AF_INET6, "64:ff9b::/96");
    compare_ends(AF_INET6, "64:ff9b:1::/48");
    for (uint32_t high = 0; high < 65536; high++) /* each /16 once, somewhere in it */
        compare_v4(high << 16 | (uint32_t)(next_number(&numbers) & 0xffff));
    for (uint32_t i = 0; i < 65536; i++) { /* each 16-bit beginning of IPv6 */
        uint64_t halves[2] = {next_number(&numbers), next_number(&numbers)};
        uint8_t bytes[16];
        memcpy(bytes, halves, 16);
        bytes[0] = (uint8_t)(i >> 8);
        bytes[1] = (uint8_t)i;
        compare_v6(bytes);
        bytes[0] = 0x20; /* and of 2001:: */
        bytes[1] = 0x01;
        bytes[2] = (uint8_t)(i >> 8);
        bytes[3] = (uint8_t)i;
        compare_v6(bytes);
    }
    assert_true(n_compared > 196000);
    assert_in_range(n_allowed, n_compared / 4, n_compared * 3 / 4);
}

/* --- spellings --------------------------------------------------------------------------------------------------------- */

static size_t n_spellings, n_judged;

/* Whatever a host is resolved to is refused; a spelling that is no address and no URL leads nowhere anyway. */
static void refuse_host(const char *host, bool is_name)
{
    struct arena *arena = arena_new(1 << 20);
    struct url url;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = is_name ? 0 : AI_NUMERICHOST}, *found = NULL;
    struct str text = str_format(arena, "https://%s/", host);
    n_spellings++;
    if (url_parse(arena, text, &url) == OK && getaddrinfo(str_copy_cstr(arena, url.host), "443", &hints, &found) == 0) {
        for (struct addrinfo *at = found; at; at = at->ai_next) {
            const char *why = NULL;
            enum egress_verdict verdict = egress_judge(&strictest, at->ai_addr, true, &why);
            if (verdict != EGRESS_REFUSED_ADDRESS || !why)
                fail_msg("%s is let through", host);
            n_judged++;
        }
        freeaddrinfo(found);
    }
    arena_free(arena);
}

/* Like printf with arguments by number, of which some are not used: "%7$u", "%1$02x". */
static void spell(const char *form, const unsigned *numbers, char host[128])
{
    size_t len = 0;
    while (*form) {
        if (form[0] != '%' || form[2] != '$') {
            host[len++] = *form++;
            continue;
        }
        unsigned number = numbers[form[1] - '1'];
        bool is_padded = form[3] == '0';
        char kind = form[is_padded ? 5 : 3];
        form += is_padded ? 6 : 4;
        size_t room = 128 - len;
        const char *prefix = is_padded && number < 16 ? "0" : "";
        len += (size_t)(kind == 'u'   ? snprintf(host + len, room, "%u", number)
                        : kind == 'o' ? snprintf(host + len, room, "%o", number)
                        : kind == 'X' ? snprintf(host + len, room, "%s%X", prefix, number)
                                      : snprintf(host + len, room, "%s%x", prefix, number));
    }
    host[len] = '\0';
}

static void test_spellings(void **state)
{
    (void)state;
    static const uint8_t targets[][4] = {
        {127, 0, 0, 1},       {10, 1, 2, 3},   {169, 254, 169, 254}, {192, 168, 1, 1},   {172, 31, 255, 254},
        {100, 64, 0, 1},      {0, 0, 0, 0},    {0, 0, 0, 1},         {168, 63, 129, 16}, {224, 0, 0, 251},
        {255, 255, 255, 255}, {198, 19, 0, 1}, {192, 0, 0, 170},     {203, 0, 113, 7},
    };
    static const char *const forms[] = {
        "%1$u.%2$u.%3$u.%4$u",
        "0x%1$x.0x%2$x.0x%3$x.0x%4$x",
        "0X%1$02X.0X%2$02X.%3$u.%4$u",
        "0%1$o.0%2$o.0%3$o.0%4$o",
        "000%1$o.000%2$o.%3$u.%4$u",
        "%5$u",
        "0x%5$x",
        "0%5$o",
        "0000000000%5$o",
        "%1$u.%6$u",
        "0x%1$x.0x%6$x",
        "0%1$o.%6$u",
        "%1$u.%2$u.%7$u",
        "0%1$o.0x%2$x.%7$u",
        "%1$u.%2$u.%3$u.%4$u.",
        "[::ffff:%1$u.%2$u.%3$u.%4$u]",
        "[::ffff:%1$02x%2$02x:%3$02x%4$02x]",
        "[0:0:0:0:0:FFFF:%1$02x%2$02x:%3$02x%4$02x]",
        "[::%1$u.%2$u.%3$u.%4$u]",
        "[64:ff9b::%1$u.%2$u.%3$u.%4$u]",
        "[64:ff9b:1::%1$u.%2$u.%3$u.%4$u]",
        "[2002:%1$02x%2$02x:%3$02x%4$02x::]",
        "[2002:%1$02x%2$02x:%3$02x%4$02x::1]",
        "[2001:0:%1$02x%2$02x:%3$02x%4$02x::]",
        "[::ffff:0:%1$u.%2$u.%3$u.%4$u]",
        "[fe80::%1$u.%2$u.%3$u.%4$u]",
        "%1$u\u3002%2$u\u3002%3$u\u3002%4$u",
        "%%3%1$u.%2$u.%3$u.%4$u",
        "user@%1$u.%2$u.%3$u.%4$u",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(targets); i++) {
        const uint8_t *t = targets[i];
        unsigned number = (unsigned)t[0] << 24 | (unsigned)t[1] << 16 | (unsigned)t[2] << 8 | t[3];
        unsigned numbers[] = {t[0], t[1], t[2], t[3], number, number & 0xffffff, number & 0xffff};
        for (size_t form = 0; form < ARRAY_LENGTH(forms); form++) {
            char host[128];
            spell(forms[form], numbers, host);
            refuse_host(host, false);
        }
    }
    static const char *const others[] = {
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[0000::0001]",
        "[fe80::1]",
        "[fe80::1%25lo]",
        "[febf::1]",
        "[fec0::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fdff::1]",
        "[ff02::1]",
        "[100::1]",
        "[2001:db8::1]",
        "[2001:2::1]",
        "[2001:10::1]",
        "[2001:20::1]",
        "[3fff:fff::1]",
        "[5f00::1]",
        "[4000::1]",
        "[1fff::1]",
        "[64:ff9b::808:808]",
        "1",
        "127.1",
        "0",
        "0x0",
        "00",
        "127.0.0.1.",
        "127.000.000.001",
        "0177.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "\uff11\uff12\uff17.0.0.1",
        "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460",
        "4294967295",
        "4294967296",
        "256.0.0.1",
        "127.0.0.1%00.example.com",
        "127.0.0.1\\.example.com",
        "127.0.0.1 ",
        "127.0.0.1#@example.com",
        "example.com@127.0.0.1",
        "127.0.0.1:443",
        "127.0.0.1:0443",
        "[::ffff:7f00:1]:443",
        "[::127.0.0.1]",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        refuse_host(others[i], false);
    static const char *const names[] = {"localhost", "LOCALHOST", "localhost.", "LocalHost:443"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        refuse_host(names[i], true);
    print_message("%zu spellings, %zu addresses judged\n", n_spellings, n_judged);
    assert_true(n_spellings >= 200);
    assert_true(n_judged >= 200); /* that many did resolve, and were refused by the guard */
}

/* --- the policy -------------------------------------------------------------------------------------------------------- */

static void test_strictest(void **state)
{
    (void)state;
    static const char *const public[] = {
        "1.1.1.1",       "9.255.255.255",  "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1",
        "168.63.129.15", "168.63.129.17",  "172.15.255.255", "172.32.0.0",  "223.255.255.255", "2606:4700::1111",
        "2a00:1450::1",  "::ffff:8.8.8.8", "2001:200::1",    "3ffe::1",     "2003::1"};
    for (size_t i = 0; i < ARRAY_LENGTH(public); i++) {
        assert_int_equal(judge(&strictest, public[i], 443, true), EGRESS_ALLOWED);
        assert_int_equal(judge(&strictest, public[i], 443, false), EGRESS_REFUSED_PLAIN);
        assert_int_equal(judge(&strictest, public[i], 80, false), EGRESS_REFUSED_PLAIN);
        assert_int_equal(judge(&strictest, public[i], 80, true), EGRESS_REFUSED_PORT);
        assert_int_equal(judge(&strictest, public[i], 22, true), EGRESS_REFUSED_PORT);
        assert_int_equal(judge(&strictest, public[i], 0, true), EGRESS_REFUSED_PORT);
    }
    struct sockaddr unix_socket = {.sa_family = AF_UNIX};
    const char *why;
    assert_int_equal(egress_judge(&strictest, &unix_socket, true, &why), EGRESS_REFUSED_ADDRESS);
    assert_false(egress_address_allowed(&strictest, &unix_socket, &why));
    assert_false(egress_address_listed(&strictest, &unix_socket));
}

static void test_allow(void **state)
{
    (void)state;
    struct egress_policy policy = {0};
    struct str bad;
    assert_int_equal(
        egress_policy_parse(&policy, STR(" 10.20.0.0/15, 127.0.0.1 ,,fd00::/8,:8443,203.0.113.128/25"), &bad), OK);
    assert_int_equal(policy.n_ranges, 4);
    assert_int_equal(policy.n_ports, 1);
    static const struct {
        const char *address;
        uint16_t port;
        bool is_https;
        enum egress_verdict verdict;
    } cases[] = {
        {"10.20.0.0", 80, false, EGRESS_ALLOWED},
        {"10.21.255.255", 9999, true, EGRESS_ALLOWED},
        {"10.22.0.0", 443, true, EGRESS_REFUSED_ADDRESS},
        {"10.19.255.255", 443, true, EGRESS_REFUSED_ADDRESS},
        {"::ffff:10.20.1.1", 80, false, EGRESS_ALLOWED},
        {"::10.20.1.1", 80, false, EGRESS_REFUSED_ADDRESS},
        {"64:ff9b::10.20.1.1", 443, true, EGRESS_REFUSED_ADDRESS},
        {"2002:a14:101::1", 443, true, EGRESS_REFUSED_ADDRESS},
        {"127.0.0.1", 8080, false, EGRESS_ALLOWED},
        {"127.0.0.2", 8080, false, EGRESS_REFUSED_ADDRESS},
        {"fdff::1", 80, false, EGRESS_ALLOWED},
        {"fc00::1", 80, false, EGRESS_REFUSED_ADDRESS},
        {"203.0.113.128", 80, false, EGRESS_ALLOWED},
        {"203.0.113.127", 443, true, EGRESS_REFUSED_ADDRESS},
        {"1.1.1.1", 8443, true, EGRESS_ALLOWED},
        {"1.1.1.1", 8443, false, EGRESS_REFUSED_PLAIN},
        {"1.1.1.1", 8444, true, EGRESS_REFUSED_PORT},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_int_equal(judge(&policy, cases[i].address, cases[i].port, cases[i].is_https), cases[i].verdict);
    union address listed = address_of("10.20.1.1", 1), public = address_of("1.1.1.1", 1);
    assert_true(egress_address_listed(&policy, &listed.any));
    assert_false(egress_address_listed(&policy, &public.any));

    /* ::/0 is all of IPv6, 0.0.0.0/0 all of IPv4, neither both. */
    struct egress_policy v6 = {0}, v4 = {0};
    assert_int_equal(egress_policy_parse(&v6, STR("::/0"), &bad), OK);
    assert_int_equal(egress_policy_parse(&v4, STR("0.0.0.0/0"), &bad), OK);
    assert_int_equal(judge(&v6, "::1", 80, false), EGRESS_ALLOWED);
    assert_int_equal(judge(&v6, "127.0.0.1", 80, false), EGRESS_REFUSED_ADDRESS);
    assert_int_equal(judge(&v6, "::ffff:127.0.0.1", 80, false), EGRESS_REFUSED_ADDRESS);
    assert_int_equal(judge(&v4, "127.0.0.1", 80, false), EGRESS_ALLOWED);
    assert_int_equal(judge(&v4, "::1", 80, false), EGRESS_REFUSED_ADDRESS);
}

static void test_bad_allow(void **state)
{
    (void)state;
    static const char *const bad_texts[] = {
        "10.0.0.0/33", "10.0.0/8",
        "10.0.0.0/",   "/8",
        "10.0.0.0/-1", "fd00::/129",
        "fd00::/",     "localhost",
        "example.com", ":0",
        ":65536",      ":",
        ":x",          "10.0.0.0/8;10.0.0.1",
        "0x7f.1",      "1.2.3.4/8/8",
        "[::1]",       "fe80::1%lo",
        "10.0.0.1:80", "127.0.0.1,nonsense",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(bad_texts); i++) {
        struct egress_policy policy = {0};
        struct str bad = STR_EMPTY;
        assert_int_equal(egress_policy_parse(&policy, str_from(bad_texts[i]), &bad), E_INVALID);
        assert_true(bad.len > 0);
        assert_int_equal(policy.n_ranges + policy.n_ports, 0); /* nothing changed */
    }
    struct egress_policy policy = {0};
    struct str bad;
    for (size_t i = 0; i < EGRESS_RANGES_MAX; i++)
        assert_int_equal(egress_policy_parse(&policy, STR("10.0.0.1"), &bad), OK);
    assert_int_equal(egress_policy_parse(&policy, STR("10.0.0.1"), &bad), E_LIMIT);
    for (size_t i = 0; i < EGRESS_PORTS_MAX; i++)
        assert_int_equal(egress_policy_parse(&policy, STR(":99"), &bad), OK);
    assert_int_equal(egress_policy_parse(&policy, STR(":99"), &bad), E_LIMIT);
}

static void test_own(void **state)
{
    (void)state;
    struct egress_policy policy = {0}, wildcard = {0}, both = {0};
    struct str bad;
    union address listener = address_of("127.0.0.1", 8080), any4 = address_of("0.0.0.0", 8080),
                  any6 = address_of("::", 8080);
    assert_int_equal(egress_policy_parse(&policy, STR("127.0.0.0/8,0.0.0.0/32,::1,::/128"), &bad), OK);
    wildcard = both = policy;
    assert_int_equal(egress_policy_add_listener(&policy, &listener.any), OK);
    assert_int_equal(egress_policy_add_listener(&policy, &listener.any), OK);
    assert_int_equal(policy.n_listeners, 1);
    assert_int_equal(judge(&policy, "127.0.0.1", 8080, false), EGRESS_REFUSED_LOOP);
    assert_int_equal(judge(&policy, "::ffff:127.0.0.1", 8080, true), EGRESS_REFUSED_LOOP);
    assert_int_equal(judge(&policy, "0.0.0.0", 8080, false), EGRESS_REFUSED_LOOP);
    assert_int_equal(judge(&policy, "127.0.0.1", 8081, false), EGRESS_ALLOWED); /* WordPress beside us */
    assert_int_equal(judge(&policy, "127.0.0.2", 8080, false), EGRESS_ALLOWED);
    assert_int_equal(egress_policy_add_listener(&wildcard, &any4.any), OK);
    assert_int_equal(judge(&wildcard, "127.0.0.1", 8080, false), EGRESS_REFUSED_LOOP);
    assert_int_equal(judge(&wildcard, "127.9.9.9", 8080, false), EGRESS_REFUSED_LOOP);
    assert_int_equal(judge(&wildcard, "127.9.9.9", 80, false), EGRESS_ALLOWED);
    assert_int_equal(egress_policy_add_listener(&both, &any6.any), OK);
    assert_int_equal(judge(&both, "127.0.0.1", 8080, false), EGRESS_REFUSED_LOOP);
    assert_int_equal(judge(&both, "::1", 8080, false), EGRESS_REFUSED_LOOP);

    assert_false(egress_is_own_url(&policy, STR("mcp.example.com"), 443));
    egress_policy_set_own(&policy, STR("mcp.example.com"), 443);
    assert_true(egress_is_own_url(&policy, STR("MCP.example.com"), 443));
    assert_false(egress_is_own_url(&policy, STR("mcp.example.com"), 8443));
    assert_false(egress_is_own_url(&policy, STR("blog.example.com"), 443));
}

/* Our own listeners: each once, no more than there is room for, and none for what has no address. */
static void test_listeners(void **state)
{
    struct egress_policy policy = {0};
    struct sockaddr none = {.sa_family = AF_UNIX};
    const char *why;
    char longest[EGRESS_HOST_MAX_BYTES + 2];
    struct str bad;
    (void)state;
    assert_int_equal(egress_policy_add_listener(&policy, &none), OK);
    assert_int_equal(policy.n_listeners, 0);
    for (int port = 1; port <= EGRESS_LISTENERS_MAX; port++)
        for (int twice = 0; twice < 2; twice++) {
            union address own = address_of("192.0.2.1", (uint16_t)port);
            assert_int_equal(egress_policy_add_listener(&policy, &own.any), OK);
            assert_int_equal(policy.n_listeners, port);
        }
    union address more = address_of("192.0.2.2", 1), wildcard = address_of("0.0.0.0", 9);
    assert_int_equal(egress_policy_add_listener(&policy, &more.any), E_LIMIT);
    assert_int_equal(egress_policy_add_listener(&policy, &wildcard.any), E_LIMIT);
    policy.n_listeners = EGRESS_LISTENERS_MAX - 1; /* the wildcard fits, this machine's addresses do not */
    assert_int_equal(egress_policy_add_listener(&policy, &wildcard.any), E_LIMIT);
    assert_int_equal(policy.n_listeners, EGRESS_LISTENERS_MAX);
    union address own = address_of("192.0.2.1", 1), listed = address_of("10.1.2.3", 1);
    assert_false(egress_address_allowed(&policy, &own.any, &why));
    assert_string_equal(why, "this server itself");
    assert_false(egress_address_allowed(&policy, &none, &why));
    assert_false(egress_address_allowed(&policy, &listed.any, &why));
    assert_int_equal(egress_policy_parse(&policy, STR("10.0.0.0/8"), &bad), OK);
    assert_true(egress_address_allowed(&policy, &listed.any, &why));
    assert_int_equal(egress_policy_parse(&policy, STR("10.0.0.0000000000000000000000000000000000000000000001/8"), &bad),
                     E_INVALID);
    memset(longest, 'a', sizeof longest);
    egress_policy_set_own(&policy, str_of(longest, sizeof longest), 443);
    assert_false(egress_is_own_url(&policy, str_of(longest, sizeof longest), 443));
    assert_false(egress_is_own_url(&policy, STR_EMPTY, 443));
}

/* What is passed on for somebody else to call, by its spelling. */
static void test_named_hosts(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "localhost",       "printer",  "a.localhost", "nas.local",       "db.internal", "box.home.arpa",
        "127.0.0.1",       "10.1.2.3", "127.1",       "0x7f000001",      "2130706433",  "0177.0.0.1",
        "169.254.169.254", "::1",      "fd00::1",     "::ffff:10.0.0.1",
    };
    static const char *const allowed[] = {"example.com", "local.example", "internal.example.com", "1.1.1.1",
                                          "2606:4700::1111"};
    struct egress_policy policy = {0};
    struct str bad;
    const char *why;
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++) {
        assert_false(egress_host_allowed(&policy, str_from(refused[i]), 443, &why));
        assert_non_null(why);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(allowed); i++)
        assert_true(egress_host_allowed(&policy, str_from(allowed[i]), 443, &why));
    char longest[EGRESS_HOST_MAX_BYTES + 1];
    memset(longest, 'a', sizeof longest);
    longest[1] = '.';
    assert_false(egress_host_allowed(&policy, str_of(longest, sizeof longest), 443, &why));
    assert_true(egress_host_allowed(&policy, str_of(longest, EGRESS_HOST_MAX_BYTES), 443, &why));
    assert_int_equal(egress_policy_parse(&policy, STR("10.0.0.0/8"), &bad), OK);
    assert_true(egress_host_allowed(&policy, STR("10.1.2.3"), 443, &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference), cmocka_unit_test(test_spellings),   cmocka_unit_test(test_strictest),
        cmocka_unit_test(test_allow),     cmocka_unit_test(test_bad_allow),   cmocka_unit_test(test_own),
        cmocka_unit_test(test_listeners), cmocka_unit_test(test_named_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The address guard. All addresses are judged in one form: 16 bytes, IPv4 as ::ffff:a.b.c.d. */
#include "net/egress.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

enum { V4_PREFIX_BITS = 96, HTTPS_PORT = 443 };

struct address {
    uint8_t bytes[16];
    uint16_t port;
};

static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_v4(const uint8_t address[16])
{
    return memcmp(address, v4_prefix, sizeof v4_prefix) == 0;
}

/* False when it is no internet address. */
static bool read_address(const struct sockaddr *address, struct address *ret)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        memcpy(ret->bytes, v4_prefix, sizeof v4_prefix);
        memcpy(ret->bytes + sizeof v4_prefix, &v4.sin_addr, 4);
        ret->port = ntohs(v4.sin_port);
        return true;
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        memcpy(ret->bytes, &v6.sin6_addr, 16);
        ret->port = ntohs(v6.sin6_port);
        return true;
    }
    return false;
}

static bool in_range(const uint8_t address[16], const uint8_t range[16], unsigned prefix_bits)
{
    unsigned whole = prefix_bits / 8, rest = prefix_bits % 8;
    if (memcmp(address, range, whole) != 0)
        return false;
    return rest == 0 || ((address[whole] ^ range[whole]) & (0xff00u >> rest) & 0xffu) == 0;
}

/* --- what is refused --------------------------------------------------------------------------------------------------- */

struct refused_range {
    uint8_t address[16];
    uint8_t prefix_bits;
    const char *what;
};

/* clang-format off */
#define V4(a, b, c, d, bits, what) \
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, (a), (b), (c), (d)}, V4_PREFIX_BITS + (bits), what}
#define V6(first, second, bits, what) \
    {{(first) >> 8, (first) & 0xff, (second) >> 8, (second) & 0xff}, (bits), what}
/* clang-format on */

static const struct refused_range refused_v4[] = {
    V4(0, 0, 0, 0, 8, "an address of this network"),
    V4(10, 0, 0, 0, 8, "a private address"),
    V4(100, 64, 0, 0, 10, "a provider's internal address"),
    V4(127, 0, 0, 0, 8, "an address of this machine"),
    V4(168, 63, 129, 16, 32, "a cloud provider's metadata address"),
    V4(169, 254, 0, 0, 16, "a link-local address"),
    V4(172, 16, 0, 0, 12, "a private address"),
    V4(192, 0, 0, 0, 24, "a reserved address"),
    V4(192, 0, 2, 0, 24, "a documentation address"),
    V4(192, 88, 99, 0, 24, "a reserved address"),
    V4(192, 168, 0, 0, 16, "a private address"),
    V4(198, 18, 0, 0, 15, "a benchmarking address"),
    V4(198, 51, 100, 0, 24, "a documentation address"),
    V4(203, 0, 113, 0, 24, "a documentation address"),
    V4(224, 0, 0, 0, 4, "a multicast address"),
    V4(240, 0, 0, 0, 4, "a reserved address"),
};

/* Inside 2000::/3, which alone is public. */
static const struct refused_range refused_v6[] = {
    V6(0x2001, 0, 23, "a reserved address"),
    V6(0x2001, 0x0db8, 32, "a documentation address"),
    V6(0x2002, 0, 16, "a 6to4 address"),
    V6(0x3fff, 0, 20, "a documentation address"),
};

/* Outside 2000::/3 everything is refused; these only have a better name than "reserved". */
static const struct refused_range named_v6[] = {
    V6(0, 0, 96, "an address of this machine"), V6(0x0064, 0xff9b, 32, "a NAT64 address"),
    V6(0xfc00, 0, 7, "a private address"),      V6(0xfe80, 0, 10, "a link-local address"),
    V6(0xff00, 0, 8, "a multicast address"),
};

static const char *find_range(const struct refused_range *ranges, size_t n_ranges, const uint8_t address[16])
{
    for (size_t i = 0; i < n_ranges; i++)
        if (in_range(address, ranges[i].address, ranges[i].prefix_bits))
            return ranges[i].what;
    return NULL;
}

/* NULL when the address is public. */
static const char *why_not_public(const uint8_t address[16])
{
    if (is_v4(address))
        return find_range(refused_v4, ARRAY_LENGTH(refused_v4), address);
    if ((address[0] & 0xe0) == 0x20)
        return find_range(refused_v6, ARRAY_LENGTH(refused_v6), address);
    const char *what = find_range(named_v6, ARRAY_LENGTH(named_v6), address);
    return what ? what : "a reserved address";
}

/* --- the policy -------------------------------------------------------------------------------------------------------- */

static bool read_range(struct str text, struct egress_range *ret)
{
    char host[INET6_ADDRSTRLEN];
    size_t slash = str_find_char(text, '/');
    uint64_t bits = UINT64_MAX;
    *ret = (struct egress_range){0};
    if (slash != STR_NOT_FOUND && !str_to_u64(str_from_offset(text, slash + 1), &bits))
        return false;
    if (!str_to_cstr(slash == STR_NOT_FOUND ? text : str_sub(text, 0, slash), host, sizeof host))
        return false;
    unsigned max_bits;
    if (inet_pton(AF_INET, host, ret->address + sizeof v4_prefix) == 1) {
        memcpy(ret->address, v4_prefix, sizeof v4_prefix);
        max_bits = 32;
    } else if (inet_pton(AF_INET6, host, ret->address) == 1) {
        max_bits = 128;
    } else {
        return false;
    }
    if (slash == STR_NOT_FOUND)
        bits = max_bits;
    if (bits > max_bits)
        return false;
    ret->prefix_bits = (uint8_t)(bits + (max_bits == 32 ? V4_PREFIX_BITS : 0));
    return true;
}

int egress_policy_parse(struct egress_policy *policy, struct str allow, struct str *ret_bad_entry)
{
    struct egress_policy parsed = *policy;
    struct str rest = allow, entry;
    uint64_t port;
    while (str_next(&rest, ',', &entry)) {
        *ret_bad_entry = entry = str_trim(entry);
        if (entry.len == 0)
            continue;
        if (entry.ptr[0] == ':' && str_to_u64(str_from_offset(entry, 1), &port)) {
            if (port == 0 || port > UINT16_MAX)
                return E_INVALID;
            if (parsed.n_ports == EGRESS_PORTS_MAX)
                return E_LIMIT;
            parsed.ports[parsed.n_ports++] = (uint16_t)port;
            continue;
        }
        if (parsed.n_ranges == EGRESS_RANGES_MAX)
            return E_LIMIT;
        if (!read_range(entry, &parsed.ranges[parsed.n_ranges]))
            return E_INVALID;
        parsed.n_ranges++;
    }
    *policy = parsed;
    *ret_bad_entry = STR_EMPTY;
    return OK;
}

static int add_listener(struct egress_policy *policy, const struct address *address)
{
    for (size_t i = 0; i < policy->n_listeners; i++)
        if (policy->listeners[i].port == address->port &&
            memcmp(policy->listeners[i].address, address->bytes, sizeof address->bytes) == 0)
            return OK;
    if (policy->n_listeners == EGRESS_LISTENERS_MAX)
        return E_LIMIT;
    struct egress_listener *listener = &policy->listeners[policy->n_listeners++];
    memcpy(listener->address, address->bytes, sizeof listener->address);
    listener->port = address->port;
    return OK;
}

static bool is_wildcard(const uint8_t address[16])
{
    static const uint8_t zero[16];
    return memcmp(address, zero, 16) == 0 || (is_v4(address) && memcmp(address + 12, zero, 4) == 0);
}

int egress_policy_add_listener(struct egress_policy *policy, const struct sockaddr *address)
{
    struct address own, local;
    if (!read_address(address, &own))
        return OK; /* a Unix socket cannot be called by URL */
    int error = add_listener(policy, &own);
    if (error || !is_wildcard(own.bytes))
        return error;
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) != 0)
        return E_UNAVAILABLE;
    for (struct ifaddrs *at = all; at && !error; at = at->ifa_next) {
        if (!at->ifa_addr || !read_address(at->ifa_addr, &local))
            continue;
        local.port = own.port;
        error = add_listener(policy, &local);
    }
    freeifaddrs(all);
    return error;
}

void egress_policy_set_own(struct egress_policy *policy, struct str host, uint16_t port)
{
    if (!str_to_cstr(host, policy->own_host, sizeof policy->own_host))
        policy->own_host[0] = '\0';
    policy->own_port = port;
}

bool egress_is_own_url(const struct egress_policy *policy, struct str host, uint16_t port)
{
    return policy->own_host[0] && policy->own_port == port && str_eq_nocase(str_from(policy->own_host), host);
}

/* --- judging ----------------------------------------------------------------------------------------------------------- */

static bool is_listed(const struct egress_policy *policy, const uint8_t address[16])
{
    for (size_t i = 0; i < policy->n_ranges; i++) {
        const struct egress_range *range = &policy->ranges[i];
        /* ::/0 means IPv6: an IPv4 address needs an IPv4 range. */
        if (range->prefix_bits < V4_PREFIX_BITS && is_v4(address))
            continue;
        if (in_range(address, range->address, range->prefix_bits))
            return true;
    }
    return false;
}

/* All of 127.0.0.0/8 leads to a listener on the wildcard, and connecting to 0.0.0.0 or :: leads to this machine. */
static bool is_own_listener(const struct egress_policy *policy, const struct address *address)
{
    bool is_loopback = is_v4(address->bytes) && address->bytes[12] == 127;
    for (size_t i = 0; i < policy->n_listeners; i++) {
        const struct egress_listener *listener = &policy->listeners[i];
        if (listener->port != address->port)
            continue;
        if (memcmp(listener->address, address->bytes, sizeof listener->address) == 0 || is_wildcard(address->bytes))
            return true;
        if (is_loopback && is_wildcard(listener->address))
            return true;
    }
    return false;
}

static bool is_open_port(const struct egress_policy *policy, uint16_t port)
{
    if (port == HTTPS_PORT)
        return true;
    for (size_t i = 0; i < policy->n_ports; i++)
        if (policy->ports[i] == port)
            return true;
    return false;
}

enum egress_verdict egress_judge(const struct egress_policy *policy, const struct sockaddr *address, bool is_https,
                                 const char **ret_why)
{
    struct address at;
    *ret_why = "not an internet address";
    if (!read_address(address, &at))
        return EGRESS_REFUSED_ADDRESS;
    *ret_why = "this server itself";
    if (is_own_listener(policy, &at))
        return EGRESS_REFUSED_LOOP;
    *ret_why = NULL;
    if (is_listed(policy, at.bytes))
        return EGRESS_ALLOWED;
    *ret_why = why_not_public(at.bytes);
    if (*ret_why)
        return EGRESS_REFUSED_ADDRESS;
    *ret_why = "a public address, called without TLS";
    if (!is_https)
        return EGRESS_REFUSED_PLAIN;
    *ret_why = "a port that is not open";
    if (!is_open_port(policy, at.port))
        return EGRESS_REFUSED_PORT;
    *ret_why = NULL;
    return EGRESS_ALLOWED;
}

bool egress_address_allowed(const struct egress_policy *policy, const struct sockaddr *address, const char **ret_why)
{
    struct address at;
    *ret_why = "not an internet address";
    if (!read_address(address, &at))
        return false;
    *ret_why = "this server itself";
    if (is_own_listener(policy, &at))
        return false;
    *ret_why = is_listed(policy, at.bytes) ? NULL : why_not_public(at.bytes);
    return *ret_why == NULL;
}

static bool is_local_name(struct str host)
{
    static const struct str local[] = {STR_INIT(".localhost"), STR_INIT(".local"), STR_INIT(".internal"),
                                       STR_INIT(".home.arpa")};
    if (str_find_char(host, '.') == STR_NOT_FOUND)
        return true;
    for (size_t i = 0; i < ARRAY_LENGTH(local); i++)
        if (str_ends_with(host, local[i]))
            return true;
    return false;
}

bool egress_host_allowed(const struct egress_policy *policy, struct str host, uint16_t port, const char **ret_why)
{
    char name[EGRESS_HOST_MAX_BYTES + 1];
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    *ret_why = "no name of a host";
    if (!str_to_cstr(host, name, sizeof name))
        return false;
    /* inet_aton() and not inet_pton(): "127.1" and "0x7f000001" are addresses to most programs that would call them. */
    if (inet_aton(name, &v4.sin_addr))
        return egress_address_allowed(policy, (const struct sockaddr *)&v4, ret_why);
    if (inet_pton(AF_INET6, name, &v6.sin6_addr) == 1)
        return egress_address_allowed(policy, (const struct sockaddr *)&v6, ret_why);
    *ret_why = is_local_name(host) ? "a name of the local network" : NULL;
    return *ret_why == NULL;
}

bool egress_address_listed(const struct egress_policy *policy, const struct sockaddr *address)
{
    struct address at;
    return read_address(address, &at) && is_listed(policy, at.bytes);
}

/*
 * The address guard: which addresses this program may call on behalf of people who could name any.
 *
 * It judges socket addresses, after name resolution and right before connect() (net/http_client.c asks for every socket and for
 * every request on a kept connection), so no spelling of a host and no changing DNS answer gets around it. By default only
 * public addresses, by https, on port 443. PORTEIRO_EGRESS_ALLOW opens more: "10.0.0.0/8,127.0.0.1,fd00::/8,:8443" allows the
 * named ranges, by http too and on any port, and port 8443 on public addresses.
 *
 * Sources: reference/trust.md A3; RFC 6890 and the IANA special-purpose registries.
 */
#ifndef NET_EGRESS_H
#define NET_EGRESS_H

#include "call/call.h"

#include <sys/socket.h>

enum {
    EGRESS_RANGES_MAX = 64,
    EGRESS_PORTS_MAX = 16,
    EGRESS_LISTENERS_MAX = 64,
    EGRESS_HOST_MAX_BYTES = 253,
};

struct egress_range {
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d, then prefix_bits counts from there: 96 + n */
    uint8_t prefix_bits;
};

struct egress_listener {
    uint8_t address[16];
    uint16_t port;
};

/* Filled at start, then only read. Zero-initialised is the strictest one. */
struct egress_policy {
    struct egress_range ranges[EGRESS_RANGES_MAX];
    size_t n_ranges;
    uint16_t ports[EGRESS_PORTS_MAX]; /* besides 443 */
    size_t n_ports;
    struct egress_listener listeners[EGRESS_LISTENERS_MAX]; /* our own; a wildcard is spelled out when it is added */
    size_t n_listeners;
    char own_host[EGRESS_HOST_MAX_BYTES + 1]; /* of public_url, lower case; "" when there is none */
    uint16_t own_port;
};

enum egress_verdict {
    EGRESS_ALLOWED,
    EGRESS_REFUSED_ADDRESS, /* private, reserved, not an internet address */
    EGRESS_REFUSED_LOOP,    /* our own listener */
    EGRESS_REFUSED_PLAIN,   /* http outside the allowed ranges */
    EGRESS_REFUSED_PORT,
};

/*
 * Adds what PORTEIRO_EGRESS_ALLOW says: CIDRs, single addresses and ":port", comma-separated, spaces allowed. E_INVALID, with
 * *ret_bad_entry the entry that cannot be read, changes nothing. E_LIMIT: more entries than fit.
 */
MUST_CHECK int egress_policy_parse(struct egress_policy *policy, struct str allow, struct str *ret_bad_entry);

/* Our own listener may not be called as a site. A wildcard address stands for all addresses of this machine as they are now. */
MUST_CHECK int egress_policy_add_listener(struct egress_policy *policy, const struct sockaddr *address);

/* Our public_url may not be called as a site, whatever it resolves to. */
void egress_policy_set_own(struct egress_policy *policy, struct str host, uint16_t port);
bool egress_is_own_url(const struct egress_policy *policy, struct str host, uint16_t port);

/*
 * The judgement on a resolved address with its port. *ret_why (never NULL after a refusal) is a phrase such as "a private
 * address".
 */
enum egress_verdict egress_judge(const struct egress_policy *policy, const struct sockaddr *address, bool is_https,
                                 const char **ret_why);

/* May this address be called at all, on a port that is open anyway? Only the address is judged. */
bool egress_address_allowed(const struct egress_policy *policy, const struct sockaddr *address, const char **ret_why);

/*
 * May somebody else be told to call this host for people, as far as its spelling tells? Not a literal address outside the policy, and no
 * name that only a local network knows: "localhost", one without a dot, one under .localhost, .local, .internal or .home.arpa
 * (RFC 6761, 6762, 8375). Where a public name leads is for whoever calls it to judge. As url_parse() gives it: lower case.
 */
bool egress_host_allowed(const struct egress_policy *policy, struct str host, uint16_t port, const char **ret_why);

/* Is it inside what PORTEIRO_EGRESS_ALLOW opened? */
bool egress_address_listed(const struct egress_policy *policy, const struct sockaddr *address);

#endif

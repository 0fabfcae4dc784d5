/*
 * Who is at the other end of a request: the peer, or, when the peer is a proxy of ours (PORTEIRO_TRUSTED_PROXIES), whom it names
 * in X-Forwarded-For. For logs and the audit only: nothing is allowed because of an address.
 */
#ifndef NET_CLIENT_ADDRESS_H
#define NET_CLIENT_ADDRESS_H

#include "net/http_server.h"

enum {
    CLIENT_ADDRESS_BYTES = 46,    /* an IPv6 address as text, and its NUL */
    CLIENT_ADDRESS_HOPS_MAX = 32, /* entries of X-Forwarded-For that are looked at, from the right */
};

/* Once at start: "10.0.0.0/8,::1". E_INVALID, with the entry that cannot be read. Empty: no proxy is trusted. */
MUST_CHECK int client_address_trust(struct str proxies, struct str *ret_bad_entry);

/*
 * Each proxy appends whom it saw, so the list is read from the right, as long as the address reached so far is a trusted proxy's;
 * what stands further left can be forged by the client. What is no address ends the walk. "-" when the peer has no address.
 */
void client_address(const struct http_request *request, char out[CLIENT_ADDRESS_BYTES]);

/*
 * Whose address that is, for limits: of IPv6 the /48, which is what one network is given at most, for whoever has a /64 can come from
 * a new address each time; of anything else the address itself. The result lies in out[] or is `address`.
 */
struct str client_network(struct str address, char out[CLIENT_ADDRESS_BYTES]);

#endif

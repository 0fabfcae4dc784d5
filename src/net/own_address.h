/*
 * Under which names this server is called: what a Host or an Origin header may say (DNS rebinding: a name that others control is
 * not among them), and the address that goes into links. Set once at start. Nothing here waits.
 */
#ifndef NET_OWN_ADDRESS_H
#define NET_OWN_ADDRESS_H

#include "base/str.h"

struct own_address {
    struct str url;        /* how people reach it: public_url, or http:// and the listening address; no '/' behind */
    struct str public_url; /* "https://mcp.example", or empty: then the listening address counts */
    const struct str *allowed_hosts; /* "127.0.0.1:8080", lower case; what a Host header may say beside public_url's */
    size_t n_allowed_hosts;
    const struct str *allowed_origins; /* what an Origin header may say to the MCP endpoint beside our own */
    size_t n_allowed_origins;
};

/* Before the first request; it and its text must live as long as the process. */
void own_address_init(const struct own_address *address);

bool own_address_has_host(struct str host);
/* Is a page of that origin one of ours? */
bool own_address_is_origin(struct str origin);
/* The same, or one that the operator allows besides. */
bool own_address_allows_origin(struct str origin);

struct str own_address_url(void);
/* Empty: none was set. */
struct str own_address_public_url(void);
bool own_address_is_https(void);

#endif

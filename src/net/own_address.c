/* Under which names this server is called. */
#include "net/own_address.h"

static const struct own_address *own;

void own_address_init(const struct own_address *address)
{
    own = address;
}

static bool is_listed(struct str value, const struct str *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(value, list[i]))
            return true;
    return false;
}

/* "https://mcp.example:8443/x" to "mcp.example:8443" */
static struct str authority_of(struct str url)
{
    size_t scheme = str_find(url, STR("://"));
    struct str rest = scheme == STR_NOT_FOUND ? url : str_from_offset(url, scheme + 3);
    return str_sub(rest, 0, str_find_char(rest, '/'));
}

bool own_address_has_host(struct str host)
{
    return is_listed(host, own->allowed_hosts, own->n_allowed_hosts) ||
           (own->public_url.len && str_eq_nocase(host, authority_of(own->public_url)));
}

bool own_address_is_origin(struct str origin)
{
    if (own->public_url.len) {
        struct str authority = authority_of(own->public_url);
        size_t end = (size_t)(authority.ptr - own->public_url.ptr) + authority.len;
        if (str_eq_nocase(origin, str_sub(own->public_url, 0, end)))
            return true;
    }
    return str_starts_with(origin, STR("http://")) &&
           is_listed(authority_of(origin), own->allowed_hosts, own->n_allowed_hosts);
}

bool own_address_allows_origin(struct str origin)
{
    return is_listed(origin, own->allowed_origins, own->n_allowed_origins) || own_address_is_origin(origin);
}

struct str own_address_url(void)
{
    return own->url;
}

struct str own_address_public_url(void)
{
    return own->public_url;
}

bool own_address_is_https(void)
{
    return str_starts_with_nocase(own->url, STR("https://"));
}

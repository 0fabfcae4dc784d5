/* Who is at the other end of a request. */
#include "net/client_address.h"

#include "net/egress.h"

#include <arpa/inet.h>
#include <stdio.h>

/* Only its list of ranges is used: the same notation, the same matching. */
static struct egress_policy trusted;

int client_address_trust(struct str proxies, struct str *ret_bad_entry)
{
    trusted = (struct egress_policy){0};
    return proxies.len ? egress_policy_parse(&trusted, proxies, ret_bad_entry) : OK;
}

static bool read_ip(struct str text, struct sockaddr_storage *ret)
{
    char literal[CLIENT_ADDRESS_BYTES];
    struct sockaddr_in *four = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;
    *ret = (struct sockaddr_storage){0};
    if (!str_to_cstr(text, literal, sizeof literal))
        return false;
    if (inet_pton(AF_INET, literal, &four->sin_addr) == 1)
        ret->ss_family = AF_INET;
    else if (inet_pton(AF_INET6, literal, &six->sin6_addr) == 1)
        ret->ss_family = AF_INET6;
    return ret->ss_family != 0;
}

/* "192.0.2.1", "192.0.2.1:5", "2001:db8::1", "[2001:db8::1]:5", "[2001:db8::1]" */
static bool read_entry(struct str text, struct sockaddr_storage *ret)
{
    size_t end;
    text = str_trim(text);
    if (text.len && text.ptr[0] == '[') {
        end = str_find_char(text, ']');
        return end != STR_NOT_FOUND && read_ip(str_sub(text, 1, end - 1), ret);
    }
    end = str_find_char(text, ':');
    if (end != STR_NOT_FOUND && str_find_last_char(text, ':') == end)
        text = str_sub(text, 0, end); /* one colon only: a port behind an IPv4 address */
    return read_ip(text, ret);
}

/* The last piece between commas, taken off *list. */
static struct str take_last(struct str *list)
{
    size_t comma = str_find_last_char(*list, ',');
    struct str last = comma == STR_NOT_FOUND ? *list : str_from_offset(*list, comma + 1);
    *list = comma == STR_NOT_FOUND ? (struct str){NULL, 0} : str_sub(*list, 0, comma);
    return last;
}

static struct sockaddr_storage walk(const struct http_request *request)
{
    struct sockaddr_storage address = request->peer, next;
    size_t hops = 0;
    for (size_t i = request->n_headers; i-- > 0;) {
        struct str list = request->headers[i].value;
        if (!str_eq_nocase(request->headers[i].name, STR("X-Forwarded-For")))
            continue;
        while (list.ptr) {
            if (hops++ == CLIENT_ADDRESS_HOPS_MAX ||
                !egress_address_listed(&trusted, (const struct sockaddr *)&address) ||
                !read_entry(take_last(&list), &next))
                return address;
            address = next;
        }
    }
    return address;
}

/* As inet_ntop(), which goes by way of sprintf(). */
static void write_four(const struct in_addr *address, char out[CLIENT_ADDRESS_BYTES])
{
    const unsigned char *bytes = (const unsigned char *)&address->s_addr;
    for (size_t i = 0; i < sizeof address->s_addr; i++) {
        if (bytes[i] >= 100)
            *out++ = (char)('0' + bytes[i] / 100);
        if (bytes[i] >= 10)
            *out++ = (char)('0' + bytes[i] / 10 % 10);
        *out++ = (char)('0' + bytes[i] % 10);
        *out++ = i + 1 < sizeof address->s_addr ? '.' : '\0';
    }
}

/* IPv4 in the clothes of IPv6, by a proxy (RFC 4291 2.5.5.2) or a translator (RFC 6052 2.1, RFC 8215): each is somebody else. */
static bool holds_four(const struct in6_addr *address)
{
    static const unsigned char translated[12] = {0, 0x64, 0xff, 0x9b}, translated_here[6] = {0, 0x64, 0xff, 0x9b, 0, 1};
    return IN6_IS_ADDR_V4MAPPED(address) || memcmp(address, translated, sizeof translated) == 0 ||
           memcmp(address, translated_here, sizeof translated_here) == 0;
}

struct str client_network(struct str address, char out[CLIENT_ADDRESS_BYTES])
{
    enum { NETWORK_BYTES = 6 };
    struct sockaddr_storage ip;
    if (!read_ip(address, &ip) || ip.ss_family != AF_INET6)
        return address;
    struct in6_addr *six = &((struct sockaddr_in6 *)&ip)->sin6_addr;
    if (holds_four(six))
        return address;
    memset(six->s6_addr + NETWORK_BYTES, 0, sizeof six->s6_addr - NETWORK_BYTES);
    return inet_ntop(AF_INET6, six, out, CLIENT_ADDRESS_BYTES) ? str_from(out) : address;
}

void client_address(const struct http_request *request, char out[CLIENT_ADDRESS_BYTES])
{
    struct sockaddr_storage behind_proxies;
    const struct sockaddr_storage *address = &request->peer;
    if (trusted.n_ranges) {
        behind_proxies = walk(request);
        address = &behind_proxies;
    }
    if (address->ss_family == AF_INET)
        write_four(&((const struct sockaddr_in *)address)->sin_addr, out);
    else if (address->ss_family != AF_INET6 ||
             !inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, out, CLIENT_ADDRESS_BYTES))
        snprintf(out, CLIENT_ADDRESS_BYTES, "-");
}

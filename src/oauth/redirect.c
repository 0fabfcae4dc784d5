/* Where a person's browser may be sent back to. */
#include "oauth/redirect.h"

#include "net/url.h"

/* Of apps that can be reached in no other way. */
static const struct str apps[] = {STR_INIT("cursor://anysphere.cursor-mcp/oauth/callback")};

static const struct str loopbacks[] = {STR_INIT("http://127.0.0.1"), STR_INIT("http://[::1]"),
                                       STR_INIT("http://localhost")};

static bool is_plain(struct str uri)
{
    for (size_t i = 0; i < uri.len; i++)
        if (uri.ptr[i] <= ' ' || uri.ptr[i] >= 0x7F || str_find_char(STR("\"'<>\\^`{|}#"), uri.ptr[i]) != STR_NOT_FOUND)
            return false;
    return uri.len > 0 && uri.len <= REDIRECT_BYTES_MAX;
}

/* "http://localhost:1234/cb": the host of the table that it begins with, and what stands behind host and port. */
static bool split_loopback(struct str uri, struct str *ret_host, struct str *ret_rest)
{
    for (size_t i = 0; i < ARRAY_LENGTH(loopbacks); i++) {
        if (!str_starts_with(uri, loopbacks[i]))
            continue;
        struct str rest = str_from_offset(uri, loopbacks[i].len);
        size_t digits = 0;
        uint64_t port;
        if (rest.len && rest.ptr[0] == ':') {
            rest = str_from_offset(rest, 1);
            while (digits < rest.len && ascii_is_digit(rest.ptr[digits]))
                digits++;
            if (digits > 5 || !str_to_u64(str_sub(rest, 0, digits), &port) || port == 0 || port > UINT16_MAX)
                return false;
            rest = str_from_offset(rest, digits);
        }
        *ret_host = loopbacks[i];
        *ret_rest = rest;
        return rest.len == 0 || rest.ptr[0] == '/' || rest.ptr[0] == '?';
    }
    return false;
}

/* Read by somebody else's parser, is it still the same? An empty path may become "/", nothing more. */
static bool is_canonical(struct arena *arena, struct str uri, struct url *ret)
{
    if (url_parse(arena, uri, ret))
        return false;
    struct str again = url_format(arena, ret);
    return str_eq(again, uri) || str_eq(again, str_format(arena, "%.*s/", STR_ARG(uri)));
}

/* After scheme and "//", without a trailing "/". */
static struct str host_of(struct str origin)
{
    return str_from_offset(origin, str_find(origin, STR("//")) + 2);
}

struct redirect redirect_judge(struct arena *arena, struct str uri)
{
    struct url url;
    struct str host, rest;
    for (size_t i = 0; i < ARRAY_LENGTH(apps); i++)
        if (str_eq(uri, apps[i])) {
            struct str scheme = str_sub(uri, 0, str_find_char(uri, ':'));
            return (struct redirect){REDIRECT_APP, scheme, str_sub(uri, 0, scheme.len + 1)};
        }
    if (!is_plain(uri))
        return (struct redirect){0};
    if (str_starts_with(uri, STR("https://")) && is_canonical(arena, uri, &url)) {
        struct str origin = url_format_origin(arena, &url);
        return (struct redirect){REDIRECT_HTTPS, host_of(origin), origin};
    }
    if (split_loopback(uri, &host, &rest) && !str_contains(rest, STR("/../")) && !str_contains(rest, STR("/./")) &&
        !str_ends_with(rest, STR("/..")) && !str_ends_with(rest, STR("/."))) {
        struct str origin = str_sub(uri, 0, uri.len - rest.len);
        return (struct redirect){REDIRECT_LOOPBACK, host_of(origin), origin};
    }
    return (struct redirect){0};
}

bool redirect_matches(struct str registered, struct str wanted)
{
    struct str host, rest, wanted_host, wanted_rest;
    if (str_eq(registered, wanted))
        return true;
    return is_plain(wanted) && split_loopback(registered, &host, &rest) &&
           split_loopback(wanted, &wanted_host, &wanted_rest) && str_eq(host, wanted_host) && str_eq(rest, wanted_rest);
}

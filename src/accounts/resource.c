/* Protected resources. */
#include "accounts/resource.h"

#include "net/own_address.h"
#include "net/url.h"
#include "providers/provider.h"

struct str resource_origin(struct call *call, const struct http_request *request)
{
    struct str url = own_address_public_url();
    while (str_ends_with(url, STR("/")))
        url.len--;
    return url.len ? url : call_format(call, "http://%.*s", STR_ARG(http_header_value(request, STR("host"))));
}

bool resource_is_path(struct str path)
{
    if (str_starts_with(path, STR("/api/")))
        path = str_from_offset(path, 4);
    if (str_eq(path, STR("/mcp")))
        return true;
    return str_starts_with(path, STR("/mcp/")) && provider_find(str_from_offset(path, 5)) != NULL;
}

struct str resource_plain_path(struct str path)
{
    struct str plain = path;
    if (str_ends_with(path, STR("/")))
        plain.len--;
    return resource_is_path(plain) || str_eq(plain, STR("/mcp/bearer")) ? plain : path;
}

struct str resource_of(struct call *call, const struct http_request *request)
{
    struct str path = resource_plain_path(request->path);
    if (!resource_is_path(path))
        return (struct str){NULL, 0};
    return call_format(call, "%.*s%.*s", STR_ARG(resource_origin(call, request)), STR_ARG(path));
}

/* As it is written, before anything is made of it. */
static struct str written_path(struct str url)
{
    struct str rest = str_from_offset(url, str_find(url, STR("//")) + 2);
    size_t slash = str_find_char(rest, '/');
    return slash == STR_NOT_FOUND ? STR_EMPTY : str_from_offset(rest, slash);
}

bool resource_find(struct call *call, const struct http_request *request, struct str wanted, struct str *ret_resource)
{
    struct str origin = resource_origin(call, request);
    struct url ours, said;
    /* Scheme and host in any case, and the default port, are the same (RFC 3986 section 6.2); a path is what it is. */
    if (url_parse(call->arena, origin, &ours) || url_parse(call->arena, wanted, &said) ||
        !str_eq(url_format_origin(call->arena, &ours), url_format_origin(call->arena, &said)) ||
        !str_eq(written_path(wanted), said.path))
        return false;
    if (str_ends_with(said.path, STR("/")))
        said.path.len--;
    if (!resource_is_path(said.path))
        return false;
    *ret_resource = call_format(call, "%.*s%.*s", STR_ARG(origin), STR_ARG(said.path));
    return true;
}

struct str resource_scopes(struct call *call, unsigned rights)
{
    char words[RIGHTS_TEXT_BYTES];
    struct str text = rights_format(rights, words);
    char *scopes = arena_alloc(call->arena, RIGHTS_TEXT_BYTES);
    for (size_t i = 0; i < text.len; i++)
        scopes[i] = text.ptr[i];
    for (size_t i = 0; i < text.len; i++)
        if (scopes[i] == ',')
            scopes[i] = ' ';
    return str_of(scopes, text.len);
}

struct str resource_challenge(struct call *call, const struct http_request *request, struct str error, unsigned rights)
{
    const char *meaning = str_eq(error, STR("insufficient_scope")) ? "The token lacks rights that this call needs."
                                                                   : "The token is unknown, expired or revoked.";
    struct str path = resource_plain_path(request->path);
    struct str named = error.len
                           ? call_format(call, ", error=\"%.*s\", error_description=\"%s\"", STR_ARG(error), meaning)
                           : STR_EMPTY;
    if (!resource_is_path(path))
        return call_format(call, "Bearer realm=\"porteiro\"%.*s", STR_ARG(named));
    return call_format(
        call, "Bearer realm=\"porteiro\"%.*s, resource_metadata=\"%.*s" RESOURCE_METADATA_PATH "%.*s\", scope=\"%.*s\"",
        STR_ARG(named), STR_ARG(resource_origin(call, request)), STR_ARG(path), STR_ARG(resource_scopes(call, rights)));
}

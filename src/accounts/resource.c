/* Protected resources. */
#include "accounts/resource.h"

#include "net/own_address.h"
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

struct str resource_of(struct call *call, const struct http_request *request)
{
    if (!resource_is_path(request->path))
        return (struct str){NULL, 0};
    return call_format(call, "%.*s%.*s", STR_ARG(resource_origin(call, request)), STR_ARG(request->path));
}

bool resource_find(struct call *call, const struct http_request *request, struct str wanted, struct str *ret_resource)
{
    struct str origin = resource_origin(call, request);
    if (str_ends_with(wanted, STR("/")))
        wanted.len--;
    if (!str_starts_with(wanted, origin) || !resource_is_path(str_from_offset(wanted, origin.len)))
        return false;
    *ret_resource = wanted;
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
    struct str named = error.len
                           ? call_format(call, ", error=\"%.*s\", error_description=\"%s\"", STR_ARG(error), meaning)
                           : STR_EMPTY;
    if (!resource_is_path(request->path))
        return call_format(call, "Bearer realm=\"porteiro\"%.*s", STR_ARG(named));
    return call_format(
        call, "Bearer realm=\"porteiro\"%.*s, resource_metadata=\"%.*s" RESOURCE_METADATA_PATH "%.*s\", scope=\"%.*s\"",
        STR_ARG(named), STR_ARG(resource_origin(call, request)), STR_ARG(request->path),
        STR_ARG(resource_scopes(call, rights)));
}

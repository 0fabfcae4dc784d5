/* The names of a site's resources. */
#include "providers/wordpress/resource_uri.h"

static bool is_collection(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_is_alnum(text.ptr[i]) && text.ptr[i] != '_' && text.ptr[i] != '-')
            return false;
    return text.len > 0 && text.len <= WP_URI_COLLECTION_MAX_BYTES;
}

static bool read_id(struct str text, int64_t *ret)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_is_digit(text.ptr[i]))
            return false;
    return text.len > 0 && text.ptr[0] != '0' && str_to_i64(text, ret);
}

bool wp_uri_parse(struct str uri, struct wp_uri *ret)
{
    *ret = (struct wp_uri){.collection = STR_EMPTY};
    if (str_eq(uri, STR(WP_URI_SITE)))
        return true;
    if (!str_starts_with(uri, STR(WP_URI_SCHEME)) || uri.len > WP_URI_MAX_BYTES)
        return false;
    struct str rest = str_from_offset(uri, STR(WP_URI_SCHEME).len);
    size_t slash = str_find_char(rest, '/');
    if (slash == STR_NOT_FOUND)
        return false;
    ret->collection = str_sub(rest, 0, slash);
    return is_collection(ret->collection) && read_id(str_from_offset(rest, slash + 1), &ret->id);
}

struct str wp_uri_format(struct arena *arena, struct str collection, int64_t id)
{
    if (!is_collection(collection) || id < 1)
        return STR_EMPTY;
    return str_format(arena, WP_URI_SCHEME "%.*s/%lld", STR_ARG(collection), (long long)id);
}

struct str wp_uri_collection(struct str route)
{
    size_t slash = str_find_last_char(route, '/');
    return slash == STR_NOT_FOUND ? route : str_from_offset(route, slash + 1);
}

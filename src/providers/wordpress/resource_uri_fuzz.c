/* URIs of resources from any bytes: what is taken has one spelling, and stays within its limits. */
#include "providers/wordpress/resource_uri.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(1 << 20);
    struct str text = str_copy(arena, str_of((const char *)data, size));
    struct wp_uri uri;
    if (wp_uri_parse(text, &uri)) {
        must((uri.id == 0) == (uri.collection.len == 0));
        must(str_eq(uri.id ? wp_uri_format(arena, uri.collection, uri.id) : STR(WP_URI_SITE), text));
    }
    /* Whatever a site calls a route, what comes of it is a URI that can be read again, or none. */
    struct str made = wp_uri_format(arena, wp_uri_collection(text), 7);
    must(made.len == 0 || (wp_uri_parse(made, &uri) && uri.id == 7));
    arena_free(arena);
    return 0;
}

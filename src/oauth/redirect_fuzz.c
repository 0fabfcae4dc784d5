/* Addresses to be sent back to, as anybody may register them. */
#include "oauth/redirect.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(1024 * 1024);
    struct str uri = str_of((const char *)data, size);
    struct redirect found = redirect_judge(arena, uri);
    if (found.kind != REDIRECT_BAD) {
        /* What is taken says plainly where it leads, and is itself. */
        assert(redirect_matches(uri, uri));
        assert(str_starts_with(uri, found.origin));
        assert(str_find_char(uri, '@') == STR_NOT_FOUND || str_find_char(uri, '@') >= found.origin.len);
        assert(found.kind == REDIRECT_APP || str_starts_with(uri, STR("http")));
    }
    arena_free(arena);
    return 0;
}

/* Scopes. */
#include "oauth/scopes.h"

enum { SCOPES_MAX = 64 };

int scopes_parse(struct call *call, struct str text, unsigned *ret_rights)
{
    struct str word;
    unsigned one, rights = 0;
    bool offline = false;
    for (size_t n = 0; str_next(&text, ' ', &word); n++) {
        if (n == SCOPES_MAX)
            return fail(call, E_INVALID, "There are too many words in scope.");
        if (str_eq(word, STR("offline_access")))
            offline = true;
        else if (word.len && str_find_char(word, ',') == STR_NOT_FOUND && rights_parse(call, word, &one) == OK)
            rights |= one;
    }
    call_clear_error(call);
    if (!rights && offline)
        rights = RIGHTS_DEFAULT;
    if (!rights)
        return fail(call, E_INVALID, "scope has no word of this server: read, draft, publish, delete, fetch, admin.");
    *ret_rights = rights;
    return OK;
}

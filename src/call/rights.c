/* Rights as words and as bits. */
#include "call/rights.h"

#include "call/words.h"

static const struct word_bit words[] = {
    {RIGHT_READ, STR_INIT("read")},     {RIGHT_DRAFT, STR_INIT("draft")}, {RIGHT_PUBLISH, STR_INIT("publish")},
    {RIGHT_DELETE, STR_INIT("delete")}, {RIGHT_FETCH, STR_INIT("fetch")}, {RIGHT_ADMIN, STR_INIT("admin")},
};

int rights_parse(struct call *call, struct str text, unsigned *ret_rights)
{
    unsigned rights;
    struct str unknown;
    if (!words_parse(words, ARRAY_LENGTH(words), text, &rights, &unknown))
        return fail(call, E_INVALID, "'%.*s' is not a right. There are: read, draft, publish, delete, fetch, admin.",
                    STR_ARG(unknown));
    *ret_rights = rights | RIGHT_READ;
    return OK;
}

struct str rights_format(unsigned rights, char out[RIGHTS_TEXT_BYTES])
{
    return words_format(words, ARRAY_LENGTH(words), rights, out);
}

int rights_lack(struct call *call, unsigned rights, int error)
{
    call->error_rights = rights;
    return error;
}

/* Rights as words and as bits. */
#include "call/rights.h"

static const struct {
    enum right right;
    struct str word;
} words[] = {
    {RIGHT_READ, STR_INIT("read")},     {RIGHT_DRAFT, STR_INIT("draft")}, {RIGHT_PUBLISH, STR_INIT("publish")},
    {RIGHT_DELETE, STR_INIT("delete")}, {RIGHT_FETCH, STR_INIT("fetch")}, {RIGHT_ADMIN, STR_INIT("admin")},
};

static unsigned right_of(struct str word)
{
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (str_eq(words[i].word, word))
            return words[i].right;
    return 0;
}

int rights_parse(struct call *call, struct str text, unsigned *ret_rights)
{
    unsigned rights = RIGHT_READ;
    struct str piece;
    for (struct str rest = text; str_next(&rest, ',', &piece);) {
        struct str word;
        for (struct str spaced = piece; str_next(&spaced, ' ', &word);) {
            word = str_trim(word);
            if (str_is_empty(word))
                continue;
            unsigned right = right_of(word);
            if (!right)
                return fail(call, E_INVALID,
                            "'%.*s' is not a right. There are: read, draft, publish, delete, fetch, admin.",
                            STR_ARG(word));
            rights |= right;
        }
    }
    *ret_rights = rights;
    return OK;
}

struct str rights_format(unsigned rights, char out[RIGHTS_TEXT_BYTES])
{
    size_t length = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (!(rights & words[i].right))
            continue;
        if (length)
            out[length++] = ',';
        memcpy(out + length, words[i].word.ptr, words[i].word.len);
        length += words[i].word.len;
    }
    out[length] = '\0';
    return str_of(out, length);
}

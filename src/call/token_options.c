/* Options of a token as words and as bits. */
#include "call/token_options.h"

#include "call/words.h"

/* "none" is a word for the empty set: it parses to a bit of its own, which is left out again. */
enum { BIT_NONE = 1 << 30 };

static const struct word_bit words[] = {
    {OPTION_RESEARCH, STR_INIT("research")},
    {OPTION_STRUCTURED, STR_INIT("structured")},
    {BIT_NONE, STR_INIT("none")},
};

int token_options_parse(struct call *call, struct str text, unsigned *ret)
{
    unsigned options;
    struct str unknown;
    if (!words_parse(words, ARRAY_LENGTH(words), text, &options, &unknown))
        return fail(call, E_INVALID, "'%.*s' is not an option of a token. There are: research, structured.",
                    STR_ARG(str_sub(unknown, 0, 60)));
    *ret = options & ~(unsigned)BIT_NONE;
    return OK;
}

struct str token_options_format(unsigned options, char out[TOKEN_OPTIONS_TEXT_BYTES])
{
    return words_format(words, ARRAY_LENGTH(words), options & ~(unsigned)BIT_NONE, out);
}

/* Options of a token as words and as bits. */
#include "call/token_options.h"

static const struct {
    enum token_option option;
    struct str word;
} words[] = {
    {OPTION_RESEARCH, STR_INIT("research")},
    {OPTION_STRUCTURED, STR_INIT("structured")},
};

static unsigned option_of(struct str word)
{
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (str_eq(words[i].word, word))
            return words[i].option;
    return 0;
}

int token_options_parse(struct call *call, struct str text, unsigned *ret)
{
    unsigned options = 0;
    struct str piece, word;
    for (struct str rest = text; str_next(&rest, ',', &piece);)
        for (struct str spaced = piece; str_next(&spaced, ' ', &word);) {
            word = str_trim(word);
            if (str_is_empty(word) || str_eq(word, STR("none")))
                continue;
            unsigned option = option_of(word);
            if (!option)
                return fail(call, E_INVALID, "'%.*s' is not an option of a token. There are: research, structured.",
                            STR_ARG(str_sub(word, 0, 60)));
            options |= option;
        }
    *ret = options;
    return OK;
}

struct str token_options_format(unsigned options, char out[TOKEN_OPTIONS_TEXT_BYTES])
{
    size_t length = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (!(options & words[i].option))
            continue;
        if (length)
            out[length++] = ',';
        memcpy(out + length, words[i].word.ptr, words[i].word.len);
        length += words[i].word.len;
    }
    out[length] = '\0';
    return str_of(out, length);
}

/*
 * What a token's owner wants its client to be offered beyond the usual, because only some clients have use for it and all
 * would pay for it. Options give no rights: they only change what is shown.
 */
#ifndef CALL_TOKEN_OPTIONS_H
#define CALL_TOKEN_OPTIONS_H

#include "call/call.h"

enum token_option {
    OPTION_RESEARCH = 1 << 0,   /* the tools search and fetch, which ChatGPT's deep research asks for */
    OPTION_STRUCTURED = 1 << 1, /* structuredContent beside the text of answers */
};

enum { TOKEN_OPTIONS_TEXT_BYTES = 24 };

/* "research,structured" (commas or spaces between) to bits; empty and "none" are 0. E_INVALID names the word that is none. */
MUST_CHECK int token_options_parse(struct call *call, struct str text, unsigned *ret);

/* The words in fixed order, joined with commas. */
struct str token_options_format(unsigned options, char out[TOKEN_OPTIONS_TEXT_BYTES]);

#endif

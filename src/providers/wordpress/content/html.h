/*
 * A small scanner of HTML as it stands in posts: tokens that are slices of the source. It does not repair anything; what is
 * not well-formed is seen as text, and callers then leave the whole as it is. Nothing here waits.
 */
#ifndef PROVIDERS_WORDPRESS_CONTENT_HTML_H
#define PROVIDERS_WORDPRESS_CONTENT_HTML_H

#include "base/arena.h"

enum html_kind { HTML_TEXT, HTML_OPEN, HTML_CLOSE, HTML_COMMENT };

struct html_token {
    enum html_kind kind;
    struct str source;     /* all of it: "<a href='x'>" */
    struct str name;       /* of a tag, as written */
    struct str attributes; /* what is between the name and ">" (or "/>") */
    bool self_closing;     /* "/>" */
};

/* Takes the next token off *rest. False at the end. Text goes up to the next tag or comment. */
bool html_next(struct str *rest, struct html_token *ret);

/* Takes the next attribute off *rest: its value without quotes, entities as written (is_bare: none given). */
struct html_attribute {
    struct str name, value;
    bool is_bare;
};
bool html_next_attribute(struct str *rest, struct html_attribute *ret);
bool html_attribute(struct str attributes, const char *name, struct str *ret_value);

bool html_is(const struct html_token *token, const char *name);

/* Elements with no content (br, img, hr, ...); elements that end a paragraph (p, div, ul, ...). */
bool html_is_void(struct str name);
bool html_is_block(struct str name);

/*
 * When *rest begins with an element (after white space): its tag, its inner HTML up to the matching end tag, and *rest goes
 * behind it. False (and *rest unchanged) when it begins with something else, or the end tag is missing.
 */
bool html_next_element(struct str *rest, struct html_token *ret_tag, struct str *ret_inner);

/* `html` is, apart from white space around it, exactly one element of that name. */
bool html_whole_element(struct str html, const char *name, struct html_token *ret_tag, struct str *ret_inner);

/*
 * Takes the next piece of classic text off *rest: a block-level element, a comment, a shortcode line, or a paragraph of inline
 * text up to a blank line or a block-level tag; without the white space around it. False at the end. Where a tag is not
 * closed, the rest is one piece.
 */
bool html_next_piece(struct str *rest, struct str *ret_piece);

/* Tags are nested properly, apart from void elements. */
bool html_is_balanced(struct str html);

#endif

/* Small work on the text of HTML: entities, tags away, words. Nothing here waits. */
#ifndef PROVIDERS_WORDPRESS_CONTENT_TEXT_H
#define PROVIDERS_WORDPRESS_CONTENT_TEXT_H

#include "base/buf.h"

/*
 * The character reference at the start of `text` ("&amp;", "&#8217;", "&#x2019;", and the HTML 4 names): its length, and its
 * UTF-8 in `out`. 0: none. The semicolon is required.
 */
size_t text_entity(struct str text, char out[4], size_t *ret_out_length);

struct str text_decode_entities(struct arena *arena, struct str s);

/*
 * As the editor writes rich text (& < > and the no-break space; what was typed keeps a bare > until the post is opened and saved again) and attribute
 * values (& < > "). In an attribute, what is a reference stays one.
 */
void text_escape(struct buf *out, struct str s);
void text_escape_attribute(struct buf *out, struct str s);

/*
 * The text between two tags as a browser, and so the editor, would write it again: references as characters, but & < > and the
 * no-break space as references; names that are not known stay.
 */
void text_canonical(struct buf *out, struct str html_text);
/* A tag, or a part of one: a bare & as a reference. */
void text_canonical_tag(struct buf *out, struct str tag);
/* Both, for HTML. */
struct str text_canonical_html(struct arena *arena, struct str html);

/* HTML to one line of plain text: tags, comments, scripts and styles away, entities decoded, white space one space. */
struct str text_from_html(struct arena *arena, struct str html);

/* Words of HTML or block markup, for languages with spaces between them. */
size_t text_word_count(struct arena *arena, struct str html);

/* UTF-8 characters, and the longest start of s with at most so many of them. */
size_t text_chars(struct str s);
struct str text_cut(struct str s, size_t chars);

/* One cell of a table: in one line without tabs, and cut to so many characters and an ellipsis. */
void text_add_cell(struct buf *out, struct str text, size_t chars_max);

/* "4,210" */
struct str text_number(struct arena *arena, size_t value);

#endif

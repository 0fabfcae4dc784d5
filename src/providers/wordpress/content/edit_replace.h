/* The find and replace of edits.h: which stretches of the text become what. */
#ifndef PROVIDERS_WORDPRESS_CONTENT_EDIT_REPLACE_H
#define PROVIDERS_WORDPRESS_CONTENT_EDIT_REPLACE_H

#include "providers/wordpress/content/edits.h"

struct replacement {
    size_t start, end;
    struct str with;
};

/*
 * In order, not overlapping. Errors as content_apply_edits(); `prefix` comes before their text. ret_literal: the replacement is
 * Markdown by its looks, and was put into text as it is.
 */
int edit_replacements(struct call *call, const char *prefix, struct str text, const struct content_edit *edit,
                      struct replacement **ret, size_t *ret_count, bool *ret_literal);

#endif

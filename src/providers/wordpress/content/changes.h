/* What differs between two texts, in as few words as show it: lines with - and +, long lines cut to what changed in them. */
#ifndef PROVIDERS_WORDPRESS_CONTENT_CHANGES_H
#define PROVIDERS_WORDPRESS_CONTENT_CHANGES_H

#include "base/arena.h"

enum { CHANGES_CHARS_MAX = 1500, CHANGE_LINE_CHARS_MAX = 160 };

/* Block delimiters and blank lines are left out where something else changed beside them. Empty: the texts are equal. */
struct str changes_between(struct arena *arena, struct str before, struct str after);

#endif

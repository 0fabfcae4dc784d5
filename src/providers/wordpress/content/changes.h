/*
 * What differs between two texts, in as few words as show it: lines with - and +. Of a line that became another only the part
 * that differs is shown, and of a long part its start and its end: who made the change knows what is between.
 */
#ifndef PROVIDERS_WORDPRESS_CONTENT_CHANGES_H
#define PROVIDERS_WORDPRESS_CONTENT_CHANGES_H

#include "base/arena.h"

enum { CHANGES_CHARS_MAX = 1500, CHANGE_LINE_CHARS_MAX = 160, CHANGE_PART_CHARS_MAX = 48 };

/* Block delimiters and blank lines are left out where something else changed beside them. Empty: the texts are equal. */
struct str changes_between(struct arena *arena, struct str before, struct str after);

/* Every line that differs, in full: for who has to agree to it. */
enum { CHANGES_WHOLE_BYTES_MAX = 4 * 1024 * 1024 };
struct str changes_whole(struct arena *arena, struct str before, struct str after);

#endif

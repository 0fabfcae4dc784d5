/*
 * What a reader obeys without seeing it: control characters, overrides of the direction of writing, and tag characters, which spell
 * out text that nobody sees. In what a tool says they become character references ("&#x202E;"): visible, and in Markdown and
 * HTML still the same characters when they are written back.
 */
#ifndef BASE_VISIBLE_H
#define BASE_VISIBLE_H

#include "base/arena.h"

/* The same slice when there is nothing to change. */
struct str visible_text(struct arena *arena, struct str text);

/* Would visible_text() change it? */
bool visible_hides(struct str text);

/* Is there anything to be seen: more than spaces and characters without width? Well-formed UTF-8 is expected. */
bool visible_shows(struct str text);

#endif

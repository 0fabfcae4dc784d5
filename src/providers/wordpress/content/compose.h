/*
 * Letters that are written as a letter and a mark behind it (Unicode's NFD, as macOS names files) as the one character that they
 * look like (NFC): Latin, Greek, Cyrillic, kana, Hangul and the like. Nothing here waits.
 */
#ifndef PROVIDERS_WORDPRESS_CONTENT_COMPOSE_H
#define PROVIDERS_WORDPRESS_CONTENT_COMPOSE_H

#include "base/str.h"

/*
 * `character` (perhaps what a reference stands for) with the marks that stand `behind` it: how many bytes of those are one character
 * with it, which is in `out`. 0: there is nothing to put together.
 */
size_t compose_first(struct str character, struct str behind, char out[4], size_t *ret_out_length);

#endif

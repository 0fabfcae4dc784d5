/*
 * Letters that are written as a letter and a mark behind it (Unicode's NFD, as macOS names files) as the one character that they
 * look like (NFC): Latin, Greek, Cyrillic, kana, Hangul and the like. Nothing here waits.
 */
#ifndef PROVIDERS_WORDPRESS_CONTENT_COMPOSE_H
#define PROVIDERS_WORDPRESS_CONTENT_COMPOSE_H

#include "base/str.h"

/*
 * The character at the start of `s`, `length` bytes long, with the marks behind it: the bytes of all that are one character
 * together, which is in `out`. 0: there is nothing to put together.
 */
size_t compose_first(struct str s, size_t length, char out[4], size_t *ret_out_length);

#endif

/*
 * libcurl's memory. For each request it asks for two blocks that are too large for malloc's quick lists, the connection it thinks
 * it needs and the buffer it reads into; between those of a thousand other requests malloc has to search for them. Blocks of such
 * sizes are kept here for the next request, at most HTTP_MEMORY_KEPT_BYTES of them. Other threads (the resolver's) pass by.
 */
#ifndef NET_HTTP_MEMORY_H
#define NET_HTTP_MEMORY_H

#include "base/banned.h"

#include <stdbool.h>

enum { HTTP_MEMORY_KEPT_BYTES = 1024 * 1024 };

/* In the place of curl_global_init() and curl_global_cleanup(), on the loop's thread. False: libcurl cannot be used. */
bool http_memory_init(void);
void http_memory_done(void);

#endif

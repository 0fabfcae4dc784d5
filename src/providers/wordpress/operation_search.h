/* Finding an operation by words, and its signature: one short line. Nothing here waits. */
#ifndef PROVIDERS_WORDPRESS_OPERATION_SEARCH_H
#define PROVIDERS_WORDPRESS_OPERATION_SEARCH_H

#include "providers/wordpress/operations.h"

/* How well the words of `query` fit; 0: not. An empty query fits all alike. */
unsigned operation_score(const struct operation *operation, struct str query);

/* "POST /wp/v2/widgets (sidebar*, instance{encoded,hash,raw}, +3)"; args_max 0: all. */
void operation_write_signature(const struct operation *operation, size_t args_max, struct buf *out);

#endif

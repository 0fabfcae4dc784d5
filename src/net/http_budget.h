/*
 * How much memory the answers of sites may take together in this process. The first HTTP_BUDGET_FREE_BYTES of an answer are always
 * taken; for more there must be room for all that may come, and until there is, the site waits (its bytes stay in the socket). So who
 * has begun can end, and many large answers at once take turns instead of memory.
 *
 * Inside of the HTTP client; the loop's stack only.
 */
#ifndef NET_HTTP_BUDGET_H
#define NET_HTTP_BUDGET_H

#include "net/http_transfer.h"

enum { HTTP_BUDGET_FREE_BYTES = 32 * 1024 };

void http_budget_init(size_t max_bytes);

/* May this answer grow to so much? False: it stands in line, and is resumed (http_pool_resume()) when it may. */
MUST_CHECK bool http_budget_take(struct http_transfer *transfer, size_t bytes);
/* All has come, and takes so much: the rest is for others. */
void http_budget_keep(struct http_transfer *transfer, size_t bytes);
/* The answer is gone, or nobody waits for it. */
void http_budget_release(struct http_transfer *transfer);

size_t http_budget_used(void);

#endif

/*
 * Answers of sites that are kept for a while, in this process: what changes rarely. Keyed by connection, so that nothing crosses
 * tenants, and by the site's address, which its owner may change. What is over goes when something new comes, and so do the oldest
 * when there are too many, or they are too large together.
 */
#ifndef PROVIDERS_WORDPRESS_KEPT_H
#define PROVIDERS_WORDPRESS_KEPT_H

#include "base/str.h"

enum {
    KEPT_ENTRIES = 256,
    KEPT_ONE_MAX_BYTES = 512 * 1024, /* larger answers are not kept */
    KEPT_ALL_MAX_BYTES = 16 * 1024 * 1024,
};

struct kept_answer {
    struct str text;
    int64_t total;
    int64_t until_ms; /* on the monotonic clock */
};

/* key: "GET wp/v2/types?... https://example.com/wp-json/". False: there is none. What is found lives until something else is kept. */
bool kept_find(int64_t connection_id, struct str key, int64_t now_ms, struct kept_answer *ret);
void kept_put(int64_t connection_id, struct str key, const struct kept_answer *answer, int64_t now_ms);
/* Those whose route begins so. */
void kept_forget(int64_t connection_id, struct str route_prefix);

struct kept_sums {
    size_t entries, bytes;
};
struct kept_sums kept_sums(void);

#endif

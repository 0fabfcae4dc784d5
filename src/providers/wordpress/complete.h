/*
 * Values that the site really has, for what a person is typing. Each call asks the site once or twice and keeps nothing. What
 * this WordPress user may not list completes to nothing; that is no error. All wait.
 */
#ifndef PROVIDERS_WORDPRESS_COMPLETE_H
#define PROVIDERS_WORDPRESS_COMPLETE_H

#include "providers/wordpress/rest.h"

/* completion_fn, for arguments of prompts: names of categories, of tags (of the last one in "news, te"), of authors; slugs (ids
 * of what has none yet) of posts, of pages, of both. */
completion_fn complete_category, complete_tags, complete_author, complete_post, complete_page, complete_post_or_page;

/* For {id} of wp://COLLECTION/{id}: ids that begin so, or of items whose text has what was typed; newest first. */
MUST_CHECK int wp_complete_ids(struct call *call, const struct wp *wp, struct str collection, struct str typed,
                               struct completion *ret);
/* For {collection}. */
MUST_CHECK int wp_complete_collections(struct call *call, const struct wp *wp, struct str typed,
                                       struct completion *ret);

#endif

/*
 * The comments of an item that goes into the trash. Trashing hides them, and only WordPress's own screen brings them back by
 * itself; so the note of the change has their statuses, and whoever takes the item out of the trash gives them back.
 *
 * Notes have little room, so ids stand by status: "comments":{"approved":[3,5],"hold":[4]}, and what did not fit is counted:
 * "comments_left_out":12. Older notes have "comments":[[3,"approved"],[4,"hold"]].
 */
#ifndef PROVIDERS_WORDPRESS_COMMENTS_H
#define PROVIDERS_WORDPRESS_COMMENTS_H

#include "json/json_write.h"
#include "providers/wordpress/rest.h"

struct wp_comments;

struct wp_comments *wp_comments_new(struct call *call);

/* One that was read with id and status. */
void wp_comments_keep(struct wp_comments *comments, const struct json *comment);

/* All of an item; none when this user may not see them. Waits. */
void wp_comments_read(struct call *call, const struct wp *wp, int64_t item, struct wp_comments *comments);

/* The members of an open note, or without ids only how many there are. */
void wp_comments_write(const struct wp_comments *comments, bool with_ids, struct json_writer *w);

/* Gives them the statuses that the note has, and says how many stay hidden. Waits. */
void wp_comments_restore(struct call *call, const struct wp *wp, const struct json *note, struct buf *out);

#endif

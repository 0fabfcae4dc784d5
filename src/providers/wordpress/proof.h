/*
 * After a write whose answer did not come, or came from a gateway that gave up: was it done? A write is never sent twice, so the
 * site is asked what it holds now, and the answer says what was seen there.
 */
#ifndef PROVIDERS_WORDPRESS_PROOF_H
#define PROVIDERS_WORDPRESS_PROOF_H

#include "providers/wordpress/write.h"

/*
 * For everything but WP_WRITE_CHANGE, whose caller knows better what it wanted (wp_edit). Returns `error` with a text "Outcome
 * unknown, verified state: ...". `sent_ms`: when the write was sent, on the wall clock. Waits.
 */
int proof_look(struct call *call, const struct wp *wp, struct wp_write *write, int64_t sent_ms, int error);

#endif

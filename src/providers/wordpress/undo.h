/*
 * Taking a change back: the fields it touched get back what was in them, what it made goes to the trash, what it put there comes
 * out again. Refused when the item has moved on: when one of those fields, or the item's version, is not what the change left.
 *
 * The reversal is a change like any other: it needs its rights, is kept, and can be taken back itself.
 */
#ifndef PROVIDERS_WORDPRESS_UNDO_H
#define PROVIDERS_WORDPRESS_UNDO_H

#include "providers/wordpress/write.h"

/*
 * For wp_edit: `number` as the client gave it; `id` (or empty) is the item it believes that the change was made to. E_INVALID: it
 * was another one; E_CONFLICT: it moved on; E_DENIED: a right is missing, or it cannot be. Waits.
 */
MUST_CHECK int undo_change(struct call *call, const struct tool_context *context, struct str number, struct str id,
                           bool dry_run, struct tool_result *result);

/* A change's number: "12". */
MUST_CHECK int undo_read_number(struct call *call, struct str text, int64_t *ret);

/* What is different between the fields of two objects, for people: lines with - and +, or "name: old -> new". */
void undo_write_difference(struct call *call, const struct json *before, const struct json *after, struct buf *out);
/* The same with every changed line of texts in full: for people. */
void undo_write_whole(struct call *call, const struct json *before, const struct json *after, struct buf *out);

/*
 * After a write that brought an item out of the trash: its comments get back the status they had when a tool put it there. Says
 * how many do not. What was trashed otherwise is not known here. Waits.
 */
void undo_comments_of(struct call *call, const struct wp *wp, const struct wp_write *write, struct buf *out);

/*
 * A change that was begun and whose outcome nobody recorded: is it there? Then that is recorded now. Waits.
 */
bool undo_arrived(struct call *call, const struct tool_context *context, int64_t number);

#endif

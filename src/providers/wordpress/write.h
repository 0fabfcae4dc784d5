/*
 * The one way by which tools change a site: what wp_create, wp_edit, wp_delete and wp_call have decided goes through
 * wp_write(). Whatever must happen right before or right after every change belongs there.
 */
#ifndef PROVIDERS_WORDPRESS_WRITE_H
#define PROVIDERS_WORDPRESS_WRITE_H

#include "providers/wordpress/item.h"

enum wp_write_kind {
    WP_WRITE_CREATE,
    WP_WRITE_CHANGE,
    WP_WRITE_TRASH,
    WP_WRITE_DELETE, /* for good */
    WP_WRITE_CALL,   /* an operation found with wp_discover: what it does is not known here */
};

struct wp_write {
    enum wp_write_kind kind;
    const struct tool_context *context;
    const struct wp_type *type;   /* of what is written; NULL with WP_WRITE_CALL */
    const struct wp_item *before; /* locked, as it was read; NULL with WP_WRITE_CREATE and WP_WRITE_CALL */
    const char *method;
    struct str route;
    const struct wp_query *query; /* may be NULL */
    struct str body;              /* a JSON object, or empty */
};

/* As wp_send(). All rights, confirmations and versions have been checked by now. Waits. */
MUST_CHECK int wp_write(struct call *call, const struct wp *wp, const struct wp_write *write, struct wp_answer *ret);

#endif

/*
 * The one way by which tools change a site: what wp_create, wp_edit, wp_delete and wp_call have decided goes through
 * wp_write(). Whatever must happen right before or right after every change belongs there.
 *
 * Each change is kept (providers/history.h): what it touches is noted before the request goes out, and again as WordPress then
 * answered it, so that wp_history can show it and wp_edit take it back (wordpress/undo.h).
 */
#ifndef PROVIDERS_WORDPRESS_WRITE_H
#define PROVIDERS_WORDPRESS_WRITE_H

#include "providers/wordpress/comments.h"
#include "providers/wordpress/item.h"

enum wp_write_kind {
    WP_WRITE_CREATE,
    WP_WRITE_CHANGE,
    WP_WRITE_TRASH,
    WP_WRITE_RESTORE, /* out of the trash */
    WP_WRITE_DELETE,  /* for good */
    WP_WRITE_CALL,    /* an operation found with wp_discover: what it does is not known here */
};

/* The words that changes are kept under. */
#define CHANGE_CREATE STR("create")
#define CHANGE_EDIT STR("edit")
#define CHANGE_TRASH STR("trash")
#define CHANGE_RESTORE STR("restore")
#define CHANGE_DELETE STR("delete")
#define CHANGE_CALL STR("call")

struct wp_write {
    enum wp_write_kind kind;
    const struct tool_context *context; /* NULL: wp->host keeps the change */
    const struct wp_type *type;         /* of what is written; NULL with WP_WRITE_CALL, and for what is no post */
    const struct wp_item *before;       /* locked, as it was read; NULL with WP_WRITE_CREATE and WP_WRITE_CALL */
    const char *method;
    struct str route;
    const struct wp_query
        *query;        /* may be NULL; without _fields, and with WP_WRITE_CREATE and _CHANGE without context */
    struct str fields; /* of the answer, for _fields; empty: all. What must be kept is added. */
    struct str body;   /* a JSON object, or empty */
    const struct wp_stream
        *stream;     /* of a file: sent as the body; `body` then only says what was asked for, for those who keep it */
    int64_t undo_of; /* the change that this one takes back, or 0 */
    bool for_good;   /* with WP_WRITE_CALL: it cannot be taken back, and was confirmed as that */
    struct str agree_to; /* with WP_WRITE_CALL: what a person may have to agree to (host_agree()); empty: nothing */
    /* --- wp_write()'s: how the change is kept. change.number is its name for people, 0: it is not kept */
    struct site_change change;
    struct str title;
    struct wp_comments *comments; /* of a trashed item; who knows them already sets them */
    const struct json *body_json;
};

/* As wp_send(). All rights, confirmations and versions have been checked by now. Waits. */
MUST_CHECK int wp_write(struct call *call, const struct wp *wp, struct wp_write *write, struct wp_answer *ret);

/* After a write whose answer did not come: the item as it is now shows that it was done. Waits. */
void wp_write_found(struct call *call, const struct wp *wp, struct wp_write *write, const struct wp_item *now);

/* What to read with an item that `set` will change, besides WP_ITEM_FIELDS: "meta,sticky". */
struct str wp_write_reads(struct call *call, const struct json *set);

/* The number that takes it back, or 0. */
int64_t wp_write_undo(const struct wp_write *write);

/* ", undo 12", or why it cannot be undone; nothing when nothing is kept. */
void wp_write_say(const struct wp_write *write, struct buf *out);

#endif

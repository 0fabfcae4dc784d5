/*
 * The same change to many items: begun by wp_bulk or by taking one back, done in the background, an item a step.
 *
 * The whole is one change in wp_history (kind "bulk"), and each item's is a part of it. That is also how nothing is done twice
 * when a process dies between a write and its record: the step that runs again finds the item's part, and what came of it is
 * taken from there, or said to be unknown.
 */
#ifndef PROVIDERS_WORDPRESS_BULK_H
#define PROVIDERS_WORDPRESS_BULK_H

#include "providers/wordpress/undo.h"

#define CHANGE_BULK STR("bulk")
enum { BULK_ITEMS_MAX = 500 }; /* at most CHANGES_LISTED_MAX */

/* "undo 41": takes back every part of that change that is still as it left it. Waits. */
MUST_CHECK int bulk_undo(struct call *call, const struct tool_context *context, const struct site_change *change,
                         bool dry_run, struct tool_result *result);

/* Of the provider's table. */
enum { BULK_JOBS = 2 };
extern const struct job_kind bulk_jobs[BULK_JOBS];

/* For tool_bulk.c: begins the change as a whole and its job. `arguments_json`: an object without "parent". */
struct bulk_plan {
    struct str job; /* "bulk" or "undo" */
    struct str item_type;
    struct str title;       /* "37 items: set status" */
    struct str fields_json; /* array of names */
    struct str ids_json;    /* array: what wp_history shows of it */
    struct str members;     /* of the job's arguments: "\"ids\":[1,2],\"set\":{}" */
    int64_t total;
    int64_t undo_of;
};
MUST_CHECK int bulk_begin(struct call *call, const struct tool_context *context, const struct bulk_plan *plan,
                          struct tool_result *result);

#endif

/*
 * The structuredContent of an answer, for tokens with the option `structured` (call/token_options.h): a JSON object that says what
 * the text says. Without the option there is none: structured_begin() gives NULL, and all others take that and do nothing, so a
 * tool says everything once and need not ask. Nothing here waits.
 *
 *     struct structured *s = structured_begin(call, context);
 *     structured_id(s, "id", item.id, item.key);
 *     structured_str(s, "status", item.status);
 *     structured_end(s, result);
 *
 * Strings are treated as those of the text: what is hidden becomes visible (base/visible.h).
 */
#ifndef PROVIDERS_WORDPRESS_STRUCTURED_H
#define PROVIDERS_WORDPRESS_STRUCTURED_H

#include "json/json_write.h"
#include "providers/wordpress/write.h"

enum { STRUCTURED_MAX_BYTES = 2 * 1024 * 1024 };

struct structured {
    struct buf buf;
    struct json_writer w;
    struct arena *arena;
};

/* context NULL: as without the option. */
struct structured *structured_begin(struct call *call, const struct tool_context *context);

/* What is larger than STRUCTURED_MAX_BYTES is left out whole: the text says it. Not to be called when the answer is an error. */
void structured_end(struct structured *s, struct tool_result *result);

/* Members. Empty strings are left out. */
void structured_str(struct structured *s, const char *name, struct str text);
void structured_i64(struct structured *s, const char *name, int64_t number);
void structured_bool(struct structured *s, const char *name, bool value);
/* A number where ids are numbers, else the key. */
void structured_id(struct structured *s, const char *name, int64_t id, struct str key);
/* Numbers, booleans and null as they are; of all else `shown`, which is its text; null when there is no value at all. */
void structured_cell(struct structured *s, struct str name, const struct json *value, struct str shown);

/* Any text under a name of the site's; also when it is empty. */
void structured_text(struct structured *s, struct str name, struct str text);

/* name NULL: in an array */
void structured_object(struct structured *s, const char *name);
void structured_array(struct structured *s, const char *name);
void structured_item(struct structured *s, struct str text); /* of an array */
void structured_close(struct structured *s);

/* What was written since the copy was taken is taken back. */
struct structured structured_mark(const struct structured *s);
void structured_back(struct structured *s, const struct structured *mark);

/* The members of one item after a write: id, type, status, version, url, undo. `item` as the site answered it. */
void structured_written(struct structured *s, const struct wp_write *write, const struct wp_item *item);
/* The number that wp_edit undo= takes, where the text says one. */
void structured_undo(struct structured *s, const struct wp_write *write);

/* The whole answer of a dry_run: {"dry_run":true,"preview":"..."}, the text. */
void structured_preview(struct call *call, const struct tool_context *context, struct tool_result *result);

#endif

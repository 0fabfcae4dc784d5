/* The WordPress tools, one file each: tool_site.c, tool_find.c, ... */
#ifndef PROVIDERS_WORDPRESS_TOOLS_H
#define PROVIDERS_WORDPRESS_TOOLS_H

#include "providers/wordpress/types.h"

int tool_site(struct call *call, const struct tool_context *context, const struct json *arguments,
              struct tool_result *result);
int tool_find(struct call *call, const struct tool_context *context, const struct json *arguments,
              struct tool_result *result);
int tool_read(struct call *call, const struct tool_context *context, const struct json *arguments,
              struct tool_result *result);
int tool_create(struct call *call, const struct tool_context *context, const struct json *arguments,
                struct tool_result *result);
int tool_edit(struct call *call, const struct tool_context *context, const struct json *arguments,
              struct tool_result *result);
int tool_delete(struct call *call, const struct tool_context *context, const struct json *arguments,
                struct tool_result *result);
int tool_history(struct call *call, const struct tool_context *context, const struct json *arguments,
                 struct tool_result *result);
int tool_upload(struct call *call, const struct tool_context *context, const struct json *arguments,
                struct tool_result *result);
int tool_bulk(struct call *call, const struct tool_context *context, const struct json *arguments,
              struct tool_result *result);
int tool_discover(struct call *call, const struct tool_context *context, const struct json *arguments,
                  struct tool_result *result);
int tool_get(struct call *call, const struct tool_context *context, const struct json *arguments,
             struct tool_result *result);
int tool_call(struct call *call, const struct tool_context *context, const struct json *arguments,
              struct tool_result *result);
int tool_search(struct call *call, const struct tool_context *context, const struct json *arguments,
                struct tool_result *result);
int tool_fetch(struct call *call, const struct tool_context *context, const struct json *arguments,
               struct tool_result *result);

/* What wp_find's arguments (without type, limit and cursor) find, for tools that do something with all of it. */
struct found_items {
    int64_t *ids;
    struct str *titles;
    size_t count;
};
/* Of a type whose list has pages. E_LIMIT: more than max. Waits. */
MUST_CHECK int tool_find_items(struct call *call, const struct wp *wp, const struct wp_type *type,
                               const struct json *query, size_t max, struct found_items *ret);

extern const struct provider_changes wordpress_changes; /* tool_history.c */

#endif

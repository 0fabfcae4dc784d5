/* A REST answer as a model reads it: rows with tabs for lists, "name: value" lines for one thing, cut where it was asked to be. */
#ifndef PROVIDERS_WORDPRESS_OPERATION_ANSWER_H
#define PROVIDERS_WORDPRESS_OPERATION_ANSWER_H

#include "providers/wordpress/structured.h"

/*
 * fields: an array of dotted paths to keep ("title.rendered", "meta.price"), or none. Links that WordPress adds are left out.
 * What does not fit into max_chars is cut at a line's end, and the last line says so; then there is no structured object: half of
 * the JSON is none. Does not wait.
 */
void operation_answer_write(struct call *call, const struct tool_context *context, const struct wp_answer *answer,
                            const struct json *fields, size_t max_chars, struct tool_result *result);

#endif

/* The arguments of a tool as it takes them: small slips of models mended, and one text for one meaning. Nothing here waits. */
#ifndef MCP_ARGUMENTS_H
#define MCP_ARGUMENTS_H

#include "call/call.h"
#include "json/json.h"

/*
 * `arguments` (an object) with whole numbers as texts where the schema wants a string (ids are texts in one tool and numbers in
 * the other), and digits as numbers where it wants an integer. Nothing else is made fit, 2.0 and 1e3 neither: the schema judges it.
 *
 * one_text: all members in the order of their names, so that what is the same has the same text; then the member `without` (or
 * NULL) is left out. E_LIMIT when they are too large.
 */
MUST_CHECK int arguments_settle(struct call *call, const struct json *schema, const struct json *arguments,
                                bool one_text, const char *without, const struct json **ret);

#endif

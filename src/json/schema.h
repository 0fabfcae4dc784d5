/*
 * Values against a JSON Schema, the part of draft 2020-12 that tools use:
 *
 *     type (one or several), enum, const, properties, required, additionalProperties (bool or schema), items,
 *     minimum, maximum, exclusiveMinimum, exclusiveMaximum, minLength, maxLength (characters), minItems, maxItems,
 *     minProperties, maxProperties, allOf, anyOf, oneOf, $ref within the document, $defs, and true or false as a schema
 *
 * Other keywords (pattern, format, default, if, ...) are not looked at. "integer" is what fits in int64_t, so that json_to_i64()
 * holds on whatever passed. Nothing is ever fetched. Depth and work are limited, whatever schema and value look like.
 *
 * Neither function waits, although it takes the call: that is for its arena and its error.
 */
#ifndef JSON_SCHEMA_H
#define JSON_SCHEMA_H

#include "call/call.h"
#include "json/json.h"

enum {
    SCHEMA_LEVELS_MAX = 64,   /* schemas within schemas, $ref included */
    SCHEMA_WORK_MAX = 100000, /* schemas applied and members looked at, in all */
};

/*
 * OK; E_INVALID with a sentence for whoever sent the value: where, what is expected, what was there. For an unknown member it
 * lists those that are known, and the nearest:
 *     limit: must be at most 100, got 500
 *     edits[2].fnd: there is no such member; known are find, replace; did you mean find?
 * E_LIMIT when the limits above are passed.
 */
MUST_CHECK int schema_validate(struct call *call, const struct json *schema, const struct json *value);

/*
 * The same for the arguments of tools: an object with properties takes no others, unless it says additionalProperties. So a tool
 * need not say it, which would cost every conversation five tokens for each, and a misspelt argument is refused all the same.
 */
MUST_CHECK int schema_validate_closed(struct call *call, const struct json *schema, const struct json *value);

/*
 * Whether all clients understand a tool's inputSchema: an object; each property has one `type`; enums of strings only; arrays
 * say their items; objects say their properties or additionalProperties; no anyOf, oneOf, allOf, not, if, $ref; plain names;
 * what is required exists; defaults fit. OK, or E_INVALID with the place and the rule.
 */
MUST_CHECK int schema_check_portable(struct call *call, const struct json *schema);

#endif

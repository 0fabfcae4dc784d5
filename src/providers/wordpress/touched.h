/*
 * What a write touches: of an item as WordPress answers it to an editor (context=edit), the fields that a request's body sets,
 * in the form in which a request sets them. Sent again, they put back what was there.
 *
 * A status brings slug and date along, for WordPress changes them with it: a draft that was never dated has no date of its own
 * (it moves with every save), which is null here.
 */
#ifndef PROVIDERS_WORDPRESS_TOUCHED_H
#define PROVIDERS_WORDPRESS_TOUCHED_H

#include "call/call.h"
#include "json/json.h"

/* For `_fields`: what must be asked for so that touched_fields() finds all; ",categories,meta" or empty. */
struct str touched_names(struct call *call, const struct json *body);

/* A JSON object. What `item` does not have is left out. */
struct str touched_fields(struct call *call, const struct json *item, const struct json *body);

/* Is there a touched field that the item's JSON does not have? */
bool touched_is_missing(const struct json *item, const struct json *body);

/* The first field of `fields` that the item does not have like that; empty: all are alike. What the item lacks is passed over. */
struct str touched_difference(const struct json *item, const struct json *fields);

#endif

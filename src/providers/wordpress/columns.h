/* The columns of a list: what wp_find shows of each item, and what WordPress must be asked for so that it can. */
#ifndef PROVIDERS_WORDPRESS_COLUMNS_H
#define PROVIDERS_WORDPRESS_COLUMNS_H

#include "providers/wordpress/structured.h"

enum { COLUMNS_MAX = 24 };

struct column {
    struct str name;
    struct str path;             /* dotted, into the item's JSON; empty: made from several members */
    struct str fields;           /* what _fields must name */
    struct wp_taxonomy taxonomy; /* of a column with its terms' names */
    bool may_be_missing;         /* a client named it, and whether there is such a thing only the rows tell */
    bool is_there;               /* a row that was written has it, be it null */
};

struct columns {
    struct column list[COLUMNS_MAX];
    size_t n;
    bool embeds_author;
    bool whole;      /* the list is a map: everything comes */
    bool needs_edit; /* a column is only in what editors see */
};

/* Those of the type's kind, then `fields` (an array of names and dotted paths). shows_status: where that makes sense. Waits. */
MUST_CHECK int columns_choose(struct call *call, const struct wp *wp, const struct wp_type *type,
                              const struct json *fields, bool shows_status, struct columns *columns);

/* _fields, and the rest that the columns need, into the query. */
void columns_add_query(struct call *call, const struct columns *columns, struct wp_query *query);

/* One line with the names, and one for each item. */
void columns_write_head(const struct columns *columns, struct buf *out);
/* `s`: the same as members of the object that is open. Waits. */
MUST_CHECK int columns_write_row(struct call *call, const struct wp *wp, struct columns *columns,
                                 const struct json *item, struct structured *s, struct buf *out);

/* Names of columns that no row had so far ("bogus, meta.x"): a misspelt one must not look like an empty one. */
struct str columns_missing(struct call *call, const struct columns *columns);

#endif

/*
 * What a site can do beyond the tools made for it: its REST routes (of the index, /wp-json/) and its registered abilities
 * (wp-abilities/v1, WordPress 6.9 and later).
 *
 * A site's index is 230 kB and more; kept is a compact form of it, per connection and for some minutes: methods, path, and of
 * each argument its name, type, whether it is required, and the names of its members.
 */
#ifndef PROVIDERS_WORDPRESS_OPERATIONS_H
#define PROVIDERS_WORDPRESS_OPERATIONS_H

#include "providers/wordpress/rest.h"

enum operation_method {
    OPERATION_GET = 1 << 0,
    OPERATION_POST = 1 << 1,
    OPERATION_PUT = 1 << 2,
    OPERATION_PATCH = 1 << 3,
    OPERATION_DELETE = 1 << 4,
    OPERATION_WRITES = OPERATION_POST | OPERATION_PUT | OPERATION_PATCH | OPERATION_DELETE,
};

enum {
    OPERATIONS_MAX = 4000,
    OPERATION_PATH_MAX = 300,
    OPERATION_PARAMETERS_MAX = 8,
    OPERATIONS_REFRESH_AGE_MS = 10000, /* what is not found is looked for anew when what is kept is older */
};

struct operation {
    bool is_ability;
    bool destructive;   /* abilities: says so of itself */
    bool scalar_input;  /* abilities: the input is no object; its argument is "input" */
    bool has_drafts;    /* its status may be draft: content, which a token with `draft` may write */
    bool is_public;     /* without a status it would be public */
    unsigned methods;   /* of enum operation_method: GET, DELETE, or one or several of POST, PUT, PATCH */
    struct str path;    /* "/wp/v2/posts/{id}", or the ability's name */
    struct str classes; /* a letter for each {parameter}: d digits, w no slash, p slashes too */
    struct str args;    /* for operation_next_arg() */
    struct str about;   /* what it says of itself; empty for routes */
};

struct operations {
    int64_t connection_id;
    int64_t made_ms; /* monotonic */
    size_t count;
    const struct operation *list; /* in the site's order, in which it looks for a match */
    /* --- operations.c's */
    size_t users;
    struct operations *next;
};

struct operation_arg {
    struct str name;
    char type; /* s string, i integer, n number, b boolean, a array, o object, ? several or none */
    bool required;
    struct str members; /* "raw,rendered": of an object that takes no others; else empty */
};

/* The operations of this site, kept or fetched. They live as long as the call. Waits. */
MUST_CHECK int operations_get(struct call *call, const struct wp *wp, const struct operations **ret);
/* Forgets what is kept of this connection, when it is at least min_age_ms old: true when there was such. */
bool operations_forget(const struct wp *wp, int64_t min_age_ms);

/* From the index's and the abilities' JSON, in the call's arena; does not wait. */
void operations_build(struct call *call, const struct json *index, const struct json *const *abilities,
                      size_t n_abilities, struct operations *ret);

/* The args of this route's endpoint in an index (the whole site's or its namespace's), or JSON_MISSING. */
const struct json *operation_schema(struct call *call, const struct operation *operation, const struct json *index);

/* Takes the next argument off *rest (begin with operation->args); false at the end. */
bool operation_next_arg(struct str *rest, struct operation_arg *ret);
bool operation_arg(const struct operation *operation, struct str name, struct operation_arg *ret);

/* "POST": the first of the methods. */
struct str operation_method_name(unsigned methods);
/* 0 when it is none. */
unsigned operation_method_of(struct str name);

/* Takes the next piece off *path: literal text, or a parameter's name (without braces). False at the end. */
bool operation_next_piece(struct str *path, struct str *ret, bool *ret_is_parameter);

/*
 * Does `path` (given with or without {placeholders}) fit this route? Then `values` are the pieces of `path` at its parameters.
 * Letters count in either case, as in WordPress.
 */
bool operation_matches(const struct operation *operation, struct str path, struct str values[OPERATION_PARAMETERS_MAX]);

#endif

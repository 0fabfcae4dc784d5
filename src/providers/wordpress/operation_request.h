/*
 * One run of one operation: what a client named and gave, checked against the operation's own schema, as the request that would
 * be sent; and the rights it takes. Only
 * operation_request_get() waits.
 */
#ifndef PROVIDERS_WORDPRESS_OPERATION_REQUEST_H
#define PROVIDERS_WORDPRESS_OPERATION_REQUEST_H

#include "providers/wordpress/operations.h"

struct operation_request {
    const struct operation *operation;
    unsigned method;  /* the one that is sent */
    struct str name;  /* "DELETE /wp/v2/widgets/{id}", for texts */
    struct str route; /* "wp/v2/widgets/block-2", as wp_get() and wp_send() want it */
    struct wp_query query;
    struct str body; /* a JSON object, or empty */
};

/*
 * name: "GET /wp/v2/posts/{id}", "GET /wp/v2/posts/12", or an ability's name; args: an object, or JSON_MISSING. Parameters of
 * the path are filled in from args and then judged again as a whole: the request goes to this operation or nowhere. Other
 * names must be the operation's own. E_NOT_FOUND: the site has no such operation; E_INVALID.
 */
MUST_CHECK int operation_request_make(struct call *call, const struct operations *operations, struct str name,
                                      const struct json *args, struct operation_request *ret);

/* Only which operation is named: operation, method and name are set. */
MUST_CHECK int operation_request_find(struct call *call, const struct operations *operations, struct str name,
                                      struct operation_request *ret);

/* operation_request_make() of a tool's "name" and "args"; looks for new plugins when the operation is not known. Waits. */
MUST_CHECK int operation_request_get(struct call *call, const struct wp *wp, const struct json *arguments,
                                     struct operation_request *ret);

struct operation_needs {
    const char *refusal; /* set: not through tools, whatever the rights; a sentence */
    unsigned rights;     /* all of these */
    bool draft_may_do;   /* `draft` instead of `publish`, when neither what is there nor what is sent is public */
    bool permanent;      /* cannot be taken back: to be confirmed */
};

/* path: with or without parameters filled in. body: what is sent, or JSON_MISSING when that is not known yet. */
void operation_needs(const struct operation *operation, struct str path, const struct json *args,
                     struct operation_needs *ret);

/* Does the token have what it needs, as far as can be told before asking the site? `draft` is taken as enough where it may be. */
bool operation_is_within(const struct operation_needs *needs, unsigned rights);
/* The same as an error in words. */
MUST_CHECK int operation_check_rights(struct call *call, const struct operation_needs *needs, unsigned rights);

#endif

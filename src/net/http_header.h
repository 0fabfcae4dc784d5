/* One header field, as the HTTP server and the HTTP client pass it on. */
#ifndef NET_HTTP_HEADER_H
#define NET_HTTP_HEADER_H

#include "base/str.h"

struct http_header {
    struct str name;
    struct str value; /* without white space around it */
};

/* The first field of that name in any case; ptr is NULL when there is none. */
static inline struct str http_header_get(const struct http_header *headers, size_t n_headers, struct str name)
{
    for (size_t i = 0; i < n_headers; i++)
        if (str_eq_nocase(headers[i].name, name))
            return headers[i].value;
    return (struct str){NULL, 0};
}

#endif

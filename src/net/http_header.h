/* One header field, as the HTTP server and the HTTP client pass it on. */
#ifndef NET_HTTP_HEADER_H
#define NET_HTTP_HEADER_H

#include "base/str.h"

struct http_header {
    struct str name;
    struct str value; /* without white space around it */
};

/* Has it that name, in any case? Nearly all have not, and nearly always the length says so. */
static inline bool http_header_is(const struct http_header *header, struct str name)
{
    return header->name.len == name.len && str_eq_nocase(header->name, name);
}

/* The first field of that name in any case; ptr is NULL when there is none. */
static inline struct str http_header_get(const struct http_header *headers, size_t n_headers, struct str name)
{
    for (size_t i = 0; i < n_headers; i++)
        if (http_header_is(&headers[i], name))
            return headers[i].value;
    return (struct str){NULL, 0};
}

#endif

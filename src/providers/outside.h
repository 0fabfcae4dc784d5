/*
 * Reading a file from an address that somebody named, anywhere in the internet: without any credential, behind the address
 * guard, redirects followed by hand so that each hop is judged anew. What comes is outside bytes: look at them before you use them.
 *
 * The right `fetch` is the caller's to check.
 */
#ifndef PROVIDERS_OUTSIDE_H
#define PROVIDERS_OUTSIDE_H

#include "net/http_download.h"
#include "providers/provider.h"

enum {
    OUTSIDE_HOPS_MAX = 5,
    OUTSIDE_TIMEOUT_MS = 120 * 1000, /* for all of the file */
};

struct outside {
    struct http_download *download;
    struct str url;          /* after redirects */
    struct str content_type; /* as declared */
    struct str file_name;    /* of Content-Disposition, else of the address; may be empty */
    int64_t size_bytes;      /* as announced, or -1 */
    int64_t max_bytes;
};

/* E_EGRESS, E_INVALID, E_NOT_FOUND, E_LIMIT (larger than max_bytes), E_UPSTREAM, E_TIMEOUT. Waits. */
MUST_CHECK int outside_open(struct call *call, const struct site *site, struct str url, int64_t max_bytes,
                            struct outside *ret);

/* The file, from its beginning; once. Errors are in words for people. */
struct http_source outside_source(struct outside *outside);

/* The file name of a Content-Disposition (RFC 6266); empty when it has none. */
struct str outside_disposition_name(struct call *call, struct str header);

#endif

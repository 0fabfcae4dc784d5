/*
 * Putting a file into the media library. It is spooled first (net/spool.h), whatever it comes from: then its kind and size are
 * known, WordPress gets a Content-Length and a Content-MD5 that it checks, and a source that breaks off leaves nothing behind.
 */
#ifndef PROVIDERS_WORDPRESS_MEDIA_H
#define PROVIDERS_WORDPRESS_MEDIA_H

#include "net/spool.h"
#include "providers/wordpress/file_type.h"
#include "providers/wordpress/write.h"

enum {
    MEDIA_RAW_MAX_BYTES = 8 * 1024 * 1024, /* larger ones go as a form, which PHP keeps on disk and not in its memory */
    MEDIA_TIMEOUT_MS = 150 * 1000,         /* of a call that has a file fetched and sent */
};

/* A file that is here, and what it is. */
struct media_file {
    struct spool *spool;
    struct file_type type;
};

/* The right fetch: E_DENIED says what it is, and the way without it. */
MUST_CHECK int media_may_fetch(struct call *call, const struct wp *wp);

/* `name`: what the client wants it to be called, or empty: as its source calls it. Needs the right fetch. Waits. */
MUST_CHECK int media_from_url(struct call *call, const struct wp *wp, struct str url, struct str name,
                              struct media_file *ret);
/* base64, with white space, or a data: address. Waits. */
MUST_CHECK int media_from_base64(struct call *call, struct str data, struct str name, struct media_file *ret);
/* Waits. */
MUST_CHECK int media_from_source(struct call *call, const struct http_source *source, struct str name,
                                 struct str declared, struct media_file *ret);

struct media_details {
    struct str alt, title, caption; /* empty: WordPress's own */
    int64_t attach_to;              /* an item's id, or 0 */
};

struct media_item {
    int64_t id;
    struct str url;
};

/* Sends it. Rights on attach_to have been checked. What WordPress could not finish is taken away again. Waits. */
MUST_CHECK int media_send(struct call *call, const struct wp *wp, const struct media_file *file,
                          const struct media_details *details, struct media_item *ret);

/* The image at this address, sent to the library: for featured_image. Waits. */
MUST_CHECK int media_image_from_url(struct call *call, const struct wp *wp, struct str url, int64_t *ret_id);

/* "3.1 MB" */
struct str media_size_text(struct call *call, int64_t bytes);

#endif

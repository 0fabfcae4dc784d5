/*
 * The files that are in the program: the dashboard as built (dashboard/dist), the stylesheet of the pages and the icons
 * (src/web/assets), each as it is and compressed. tools/embed_assets.py makes the table at build. Names with a hash in
 * them never change what they hold, so browsers keep those for good. Nothing here waits, and nothing is copied.
 */
#ifndef WEB_ASSETS_H
#define WEB_ASSETS_H

#include "net/http_server.h"

struct asset {
    struct str path; /* as requested: "/assets/index-4f2a.js" */
    struct str name; /* without the hash: "page.css" */
    struct str type;
    struct str plain, gzip, brotli; /* the latter two empty: there is none */
    struct str hash;                /* of the plain bytes */
    bool is_immutable;
};

extern const struct asset assets[];
extern const size_t n_assets;

/* NULL: there is none. */
const struct asset *assets_find(struct str path);
/* Of one of src/web/assets by its name. */
struct str assets_path(const char *name);

/* For the table of routes: "/assets/{...}" and the icons. 404 when there is none. */
void assets_serve(struct call *call, struct http_exchange *exchange, struct str segment);
/* The same for one that was found. */
void assets_send(struct call *call, struct http_exchange *exchange, const struct asset *asset);

#endif

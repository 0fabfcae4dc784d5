/*
 * Where a person's browser may be sent back to. An address is judged when a client names it, and compared byte by byte when it is
 * used; only the port of a loopback address may differ (RFC 8252 section 7.3), because a program on the person's own machine takes
 * whichever is free. Nothing here waits.
 *
 * Taken are https://, and http:// on 127.0.0.1, [::1] and localhost. What could be read in two ways is refused: user names, upper
 * case in scheme or host, dot segments, default ports that are written out, fragments, backslashes, characters to be encoded.
 * Schemes of apps are refused too (any other app can claim one), except the exact addresses of a table.
 */
#ifndef OAUTH_REDIRECT_H
#define OAUTH_REDIRECT_H

#include "base/arena.h"

enum { REDIRECT_BYTES_MAX = 2000, REDIRECTS_MAX = 10 };

enum redirect_kind {
    REDIRECT_BAD,
    REDIRECT_HTTPS,
    REDIRECT_LOOPBACK, /* a program on the person's own machine: whichever listens there */
    REDIRECT_APP,      /* an app there that claims a scheme */
};

struct redirect {
    enum redirect_kind kind;
    struct str host;   /* for people: "claude.ai", "localhost:1234", "cursor" */
    struct str origin; /* "https://claude.ai", "http://127.0.0.1:1234", "cursor:" */
};

struct redirect redirect_judge(struct arena *arena, struct str uri);

/* May `wanted` be used when `registered`, which was judged to be good, is allowed? */
bool redirect_matches(struct str registered, struct str wanted);

#endif

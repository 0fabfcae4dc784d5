/*
 * GET /api/events: a stream of what changed of the person's things, for a page that is open: events without content,
 * named after what is to be looked at again (mcp/feed.h). It ends after an hour, with the login, and when the process
 * stops; browsers begin anew.
 */
#ifndef WEB_API_EVENTS_H
#define WEB_API_EVENTS_H

#include "web/api.h"

enum {
    API_EVENTS_MAX = 4000, /* streams of this process */
    API_EVENTS_PER_PERSON_MAX = 20,
    API_EVENTS_KEEP_ALIVE_MS = 20 * 1000,
    API_EVENTS_LIFE_MS = 60 * 60 * 1000,
    API_EVENTS_LOOK_BYTES = 1024 * 1024, /* of memory, while it looks whether the login is still there */
};

extern const struct api_operation api_events;

/* All streams end: when the process stops. */
void api_events_end_all(void);

#endif

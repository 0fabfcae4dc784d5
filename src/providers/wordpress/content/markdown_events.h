/*
 * What md4c finds in Markdown, as a list of events to walk through: reading and writing are apart, so that what writes may use
 * the call's arena (md4c's own memory would be lost when the arena is exhausted inside one of its callbacks).
 *
 * md4c itself is not recursive and takes less than 8 KiB of stack (measured, with 20,000 quotes and links in each other), so it
 * runs on a task's own stack.
 */
#ifndef PROVIDERS_WORDPRESS_CONTENT_MARKDOWN_EVENTS_H
#define PROVIDERS_WORDPRESS_CONTENT_MARKDOWN_EVENTS_H

#include "base/buf.h"
#include "call/call.h"

#include <md4c.h>

enum event_kind { EVENT_ENTER_BLOCK, EVENT_LEAVE_BLOCK, EVENT_ENTER_SPAN, EVENT_LEAVE_SPAN, EVENT_TEXT };

struct event {
    uint8_t kind, type;           /* type: MD_BLOCKTYPE, MD_SPANTYPE or MD_TEXTTYPE */
    uint8_t level;                /* heading level, table cell's MD_ALIGN */
    uint32_t number;              /* an ordered list's start */
    uint32_t text, text_length;   /* text, a link's or image's address, a code block's language */
    uint32_t extra, extra_length; /* a link's or image's title */
};

struct markdown_events {
    struct buf events, texts; /* on the heap */
    struct str source;
    size_t indentation; /* columns of a code line, not yet written */
    bool has_marks;     /* before what looks like the address of a link and is none */
};

/* Released with the call's arena. Parse as often as you like; each time the former events are gone. */
struct markdown_events *markdown_events_new(struct call *call);

/* E_LIMIT: too large. */
MUST_CHECK int markdown_events_parse(struct call *call, struct markdown_events *events, struct str markdown);

size_t markdown_events_count(const struct markdown_events *events);

/* NULL behind the last one. */
const struct event *markdown_event(const struct markdown_events *events, size_t index);
struct str markdown_event_text(const struct markdown_events *events, const struct event *event);
struct str markdown_event_extra(const struct markdown_events *events, const struct event *event);

#endif

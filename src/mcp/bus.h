/*
 * What happened, told to whoever listens: a list changed, a resource was updated, a token lost its rights, an answer came for a
 * question that may have been asked elsewhere.
 *
 *     bus_publish()  ->  every listener of this process  ->  the carrier, which takes it to other processes and nodes
 *     bus_inject()   ->  every listener of this process      (what a carrier brought from outside)
 *
 * Events are hints, except BUS_ANSWER: a listener that misses one serves old lists for as long as their ttlMs says. They carry
 * ids and short texts, no content of sites. One thread: the loop's.
 */
#ifndef MCP_BUS_H
#define MCP_BUS_H

#include "base/str.h"

enum bus_topic {
    BUS_TOOLS_CHANGED,     /* of the connection, or with 0 of all */
    BUS_PROMPTS_CHANGED,   /* the same */
    BUS_RESOURCES_CHANGED, /* the same */
    BUS_RESOURCE_UPDATED,  /* key: its URI */
    BUS_RIGHTS_CHANGED,    /* some token was revoked or changed: ask again who is who */
    BUS_ANSWER,            /* key: session, number: our request's id, payload: the client's whole message */
    BUS_CANCELLED,         /* key: session, payload: the id of the client's request, as JSON */
    BUS_SESSION_ENDED,     /* key: session */
    BUS_SESSION_LEVEL,     /* key: session, number: enum host_level */
    BUS_JOB,               /* key: the job's id, number: what of struct jobs_news (jobs/jobs.h) */
    BUS_ACCOUNT,           /* number: the person's id, key: what of theirs changed, in words (mcp/feed.h) */
    BUS_TOPICS,
};

/* For carriers that need words: "tools_changed". */
const char *bus_topic_name(enum bus_topic topic);
MUST_CHECK bool bus_topic_parse(struct str name, enum bus_topic *ret);

enum { BUS_KEY_MAX_BYTES = 2048, BUS_PAYLOAD_MAX_BYTES = 1024 * 1024 };

/* The text belongs to whoever publishes and is good for the duration of the call only. */
struct bus_event {
    enum bus_topic topic;
    int64_t connection_id; /* 0: all */
    int64_t number;
    struct str key, payload;
};

/* deliver() runs on the publisher's stack: it must not wait, publish, or allocate from any call's arena; it notes and wakes. */
struct bus_listener {
    struct bus_listener *next, *previous;
    unsigned topics;       /* 1 << topic, or'ed */
    int64_t connection_id; /* 0: of all connections */
    bool local;            /* what this machine tells is enough: no connection to the database is made for it */
    void (*deliver)(struct bus_listener *listener, const struct bus_event *event);
};

/* The listener belongs to the caller, who must end it before its memory goes. */
void bus_listen(struct bus_listener *listener);
void bus_unlisten(struct bus_listener *listener);

void bus_publish(const struct bus_event *event);
void bus_inject(const struct bus_event *event);

/*
 * The one carrier of this process; NULL: none. carry() must not wait; it copies what it needs. wanted() (may be NULL) is called
 * whenever somebody begins to listen.
 */
struct bus_carrier {
    void (*carry)(void *context, const struct bus_event *event);
    void (*wanted)(void *context);
    void *context;
};
void bus_set_carrier(const struct bus_carrier *carrier);

#endif

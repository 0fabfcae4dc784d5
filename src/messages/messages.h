/*
 * Keeps what providers of messages have kept (providers/messages.h): sealed under the owner's data key, with retention, and at the
 * pace that holds for all processes and nodes.
 */
#ifndef MESSAGES_MESSAGES_H
#define MESSAGES_MESSAGES_H

#include "providers/provider.h"

enum {
    MESSAGES_DAYS = 90,      /* conversations are kept so long after they were received */
    MESSAGES_SEND_DAYS = 90, /* the log of what went out, and with it the keys */
    MESSAGES_EVENT_DAYS = 8, /* what came by webhooks is known again for so long; older events are refused */
};

struct messages_here {
    struct messages base;
    int64_t user_id, connection_id;
    int64_t token_id; /* 0: a webhook, or the owner */
    int64_t
        holder; /* whose the keys of sends are: the token, or the family it is refreshed in (principal_holder()); 0 as above */
    struct str wrapped_key;
};

/* For one connection; lives as long as the call. */
struct messages *messages_of(struct call *call, const struct site *site, int64_t token_id, int64_t holder);

/* sending.c */
int sending_begin(struct call *call, struct messages *messages, struct send *send);
int sending_go(struct call *call, struct messages *messages, struct send *send);
int sending_recognise(struct call *call, struct messages *messages, const struct send *send, struct str message_id,
                      bool *ret_is_it);
int sending_end(struct call *call, struct messages *messages, struct send *send, enum send_state state,
                struct str message_id, struct str problem, const struct message *said);
/* May a message go at this minute? *ret_until_ms: when it may. */
bool sending_is_quiet(const struct send_rules *rules, int64_t now_ms, int64_t *ret_until_ms);

/* An event of a webhook, told from others by `what`: *ret_new false: it came before. Waits. */
MUST_CHECK int messages_event(struct call *call, int64_t connection_id, const char *kind, struct str what,
                              bool *ret_new);

/* Forgets what is too old, at most once an hour. Waits. */
void messages_forget_old(struct call *call);

/*
 * One person's data, by number in E.164: what was said, conversations, the log of sends, opt-outs; as JSON, and erased. connection_id
 * 0: at all connections of the user; user_id USER_ANY: of everybody. Opt-outs stay: they are the promise not to write again.
 * Both are audited with a digest of the number, not the number; audit rows are never changed, so the chain still verifies.
 */
MUST_CHECK int person_export(struct call *call, int64_t user_id, int64_t connection_id, struct str person,
                             struct buf *out);
struct person_counts;
MUST_CHECK int person_erase(struct call *call, int64_t user_id, int64_t connection_id, struct str person,
                            struct person_counts *ret);
/* A person in an audit row, which nothing erases: a digest under a key of ours. */
struct str person_digest(struct call *call, struct str person);

/*
 * Puts a person on the list of those who want no messages, or takes them off; audited with the person's digest when that changed
 * something. Only at a connection of that user (USER_ANY: of anybody): else nothing changes. Waits.
 */
struct optout_wish {
    bool out;
    bool by_owner;     /* not by the person: then "no record, no action" */
    struct str reason; /* why, in words */
    int64_t at_ms;     /* when they wished it; 0: now. An older wish undoes no newer one. */
};
MUST_CHECK int optout_set(struct call *call, int64_t user_id, int64_t connection_id, struct str person,
                          const struct optout_wish *wish, bool *ret_changed);

#endif

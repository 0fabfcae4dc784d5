/*
 * What a provider of messages has kept for it: conversations, what was said in them, what goes out, who wants nothing any more. It
 * is handed out with each call (tool_context.messages, and to its webhook), for one connection. Who keeps it (src/messages/)
 * seals it and knows whose it is; the provider knows neither SQL nor tenants. In a test it is the test's own.
 *
 * Sending is in three steps, so that nothing goes out twice and nothing is called sent that was not:
 *
 *     messages_send_begin()   the key is claimed, the pace is waited for; or it says what became of the same send before
 *     messages_send_go()      right before the first byte: from here on it may have gone out
 *     messages_send_end()     with a message id it is sent; without one it failed, or nobody knows
 */
#ifndef PROVIDERS_MESSAGES_H
#define PROVIDERS_MESSAGES_H

#include "call/call.h"

enum {
    MESSAGE_TEXT_MAX_BYTES = 64 * 1024,
    MESSAGE_ID_MAX_BYTES = 256,
    MESSAGE_ADDRESS_MAX_BYTES = 128,
    MESSAGES_LISTED_MAX = 200,
    MESSAGES_SEARCHED_MAX =
        2000, /* what is sealed is searched by opening it: so many of a conversation, from the newest */
    SEND_KEY_MAX_BYTES = 200,
    WINDOW_MS = 24 * 60 * 60 * 1000, /* in which one may answer freely */
};

struct message {
    struct str id;     /* the service's */
    struct str chat;   /* number in E.164 without plus, group id, or the service's id of a person */
    struct str sender; /* in the same form; of what went out empty */
    struct str name;   /* of the sender, as the sender says; may be empty */
    bool outgoing;
    struct str kind;     /* "text", "image", "audio", ... */
    struct str text;     /* what it says; of media the caption; may be empty */
    struct str media_id; /* to fetch it by; may be empty */
    struct str reply_to; /* id of the message it answers; may be empty */
    struct str status;   /* "received", "sent", "delivered", "read", "failed" */
    int64_t at_ms;
    int64_t status_at_ms; /* 0: none */
};
struct message_list {
    struct message *items; /* newest first */
    size_t count;
    bool has_more;
    bool splits; /* what is behind the last one has its time: to go on takes its id too */
};
struct message_query {
    struct str chat;   /* required */
    struct str around; /* id of a message: those before and behind it; empty: the newest */
    struct str search; /* in the text, any ASCII case; empty: all */
    int64_t before_ms; /* 0: from the newest */
    struct str
        before_id; /* of the message of that time that was the last: those of it that come behind; empty: none of it */
    size_t limit;
};

struct message_status {
    struct str id; /* of the message */
    struct str status;
    struct str problem; /* of "failed": why; may be empty */
    struct str send_id; /* struct send.id, where the service hands it back; may be empty */
    int64_t at_ms;
};

struct chat {
    struct str chat, name; /* name may be empty */
    int64_t unread;
    int64_t last_at_ms, inbound_at_ms; /* inbound 0: they never wrote, as far as we know */
    bool archived;
};
struct chat_list {
    struct chat *items; /* the latest first */
    size_t count;
    bool has_more;
    bool splits; /* as of messages */
};
struct chat_query {
    bool unread_only, archived;
    int64_t before_ms;    /* 0: from the latest */
    struct str before_id; /* a chat; as of messages */
    size_t limit;
};

/* How fast one may send, and how much. 0: without that limit. */
struct send_rules {
    int64_t per_second;          /* messages of the number */
    int64_t per_recipient_ms;    /* between two to the same one */
    int64_t recipients_per_day;  /* different ones within 24 hours */
    int64_t per_token_a_day;     /* messages of one token within 24 hours */
    int quiet_from, quiet_until; /* minutes of the day between which nothing is sent; equal: no such time */
    int utc_offset_min;          /* of those */
};

enum send_state {
    SEND_CLAIMED, /* it is ours to send: go on */
    SEND_DONE,    /* the same send was done before: message_id says which message it became */
    SEND_UNKNOWN, /* the same send was begun before, and nobody knows whether it went out: it is not sent again */
    SEND_FAILED,  /* only for messages_send_end(): it was refused, nothing went out */
};
struct send {
    struct str to;     /* as chats are named */
    struct str key;    /* the caller's: the same key is the same send; empty: it is a send of its own */
    struct str digest; /* of everything that goes out */
    struct str kind;
    struct send_rules rules;
    /* filled in */
    struct str id; /* ours, random: where a service hands something back, this */
    enum send_state state;
    struct str message_id;
    int64_t begun_at_ms; /* of one that was begun before */
    struct str holder;   /* the keeper's */
    int64_t until_ms;    /* the keeper's */
    int64_t left_us;     /* the keeper's */
};

struct send_log_entry {
    struct str id, to, kind, state, message_id, problem; /* the last two may be empty */
    int64_t created_at_ms, ended_at_ms;
};

struct messages {
    const struct messages_functions *functions;
};

struct messages_functions {
    int (*take)(struct call *call, struct messages *messages, const struct message *message, bool *ret_new);
    int (*status)(struct call *call, struct messages *messages, const struct message_status *status, bool *ret_new);
    int (*chats)(struct call *call, struct messages *messages, const struct chat_query *query, struct chat_list *ret);
    int (*chat)(struct call *call, struct messages *messages, struct str chat, struct chat *ret, bool *ret_found);
    int (*list)(struct call *call, struct messages *messages, const struct message_query *query,
                struct message_list *ret);
    int (*tell_statuses)(struct call *call, struct messages *messages, struct message *items, size_t n);
    int (*mark_read)(struct call *call, struct messages *messages, struct str chat);
    int (*archive)(struct call *call, struct messages *messages, struct str chat, bool archived);
    int (*send_begin)(struct call *call, struct messages *messages, struct send *send);
    int (*send_go)(struct call *call, struct messages *messages, struct send *send);
    int (*send_recognise)(struct call *call, struct messages *messages, const struct send *send, struct str message_id,
                          bool *ret_is_it);
    int (*send_end)(struct call *call, struct messages *messages, struct send *send, enum send_state state,
                    struct str message_id, struct str problem, const struct message *said);
    int (*opt_out)(struct call *call, struct messages *messages, struct str who, bool out, int64_t at_ms,
                   struct str reason);
    int (*is_opted_out)(struct call *call, struct messages *messages, struct str who, bool *ret);
};

/*
 * A message came (or went out by another way). Once for each id: *ret_new false: it was there already. What is older than messages
 * are kept is not taken. Waits.
 */
MUST_CHECK static inline int messages_take(struct call *call, struct messages *messages, const struct message *message,
                                           bool *ret_new)
{
    return messages->functions->take(call, messages, message, ret_new);
}

/* What became of a message that went out. Forwards only: *ret_new false: that was known, or there is no such message. Waits. */
MUST_CHECK static inline int messages_status(struct call *call, struct messages *messages,
                                             const struct message_status *status, bool *ret_new)
{
    return messages->functions->status(call, messages, status, ret_new);
}

MUST_CHECK static inline int messages_chats(struct call *call, struct messages *messages,
                                            const struct chat_query *query, struct chat_list *ret)
{
    return messages->functions->chats(call, messages, query, ret);
}

MUST_CHECK static inline int messages_chat(struct call *call, struct messages *messages, struct str chat,
                                           struct chat *ret, bool *ret_found)
{
    return messages->functions->chat(call, messages, chat, ret, ret_found);
}

/* E_NOT_FOUND: there is no message `around`. Waits. */
MUST_CHECK static inline int messages_list(struct call *call, struct messages *messages,
                                           const struct message_query *query, struct message_list *ret)
{
    return messages->functions->list(call, messages, query, ret);
}

/*
 * Of messages that a service's own memory lists: what went out is "delivered" or "read" only if a webhook said so, whatever the
 * service remembers; else it is "sent", or "failed" as the service says. Waits.
 */
MUST_CHECK static inline int messages_tell_statuses(struct call *call, struct messages *messages, struct message *items,
                                                    size_t n)
{
    return messages->functions->tell_statuses(call, messages, items, n);
}

/* Both: E_NOT_FOUND when there is no such conversation. */
MUST_CHECK static inline int messages_mark_read(struct call *call, struct messages *messages, struct str chat)
{
    return messages->functions->mark_read(call, messages, chat);
}
MUST_CHECK static inline int messages_archive(struct call *call, struct messages *messages, struct str chat,
                                              bool archived)
{
    return messages->functions->archive(call, messages, chat, archived);
}

/*
 * OK with send->state CLAIMED, DONE or UNKNOWN. E_CONFLICT: the key stands for something else, or the same send is under way;
 * E_DENIED: the recipient has opted out; E_LIMIT: a cap, the pace or the quiet hours forbid it, and the text says until when.
 * Nothing was sent then. Waits for the pace.
 */
MUST_CHECK static inline int messages_send_begin(struct call *call, struct messages *messages, struct send *send)
{
    return messages->functions->send_begin(call, messages, send);
}

/* E_CONFLICT: it took too long, and somebody else may have it now; E_DENIED: the recipient has opted out meanwhile. Do not send then. */
MUST_CHECK static inline int messages_send_go(struct call *call, struct messages *messages, struct send *send)
{
    return messages->functions->send_go(call, messages, send);
}

/*
 * Of an UNKNOWN one: could it be this message of the service's, which says the same to the same recipient? Not when that is another
 * send's, or when another send of the same is under way; else it is sent, from now on. Waits.
 */
MUST_CHECK static inline int messages_send_recognise(struct call *call, struct messages *messages,
                                                     const struct send *send, struct str message_id, bool *ret_is_it)
{
    return messages->functions->send_recognise(call, messages, send, message_id, ret_is_it);
}

/*
 * DONE with a message id, FAILED, or UNKNOWN; `said` (with DONE, else NULL) is kept in the conversation. Also when the caller has
 * gone. An error: it could not be written, and whoever asks later is told that nobody knows.
 */
static inline int messages_send_end(struct call *call, struct messages *messages, struct send *send,
                                    enum send_state state, struct str message_id, struct str problem,
                                    const struct message *said)
{
    return messages->functions->send_end(call, messages, send, state, message_id, problem, said);
}

/* at_ms: when they said so, for webhooks may tell it late: being taken off undoes no later wish to be on the list. */
MUST_CHECK static inline int messages_opt_out(struct call *call, struct messages *messages, struct str who, bool out,
                                              int64_t at_ms, struct str reason)
{
    return messages->functions->opt_out(call, messages, who, out, at_ms, reason);
}
MUST_CHECK static inline int messages_is_opted_out(struct call *call, struct messages *messages, struct str who,
                                                   bool *ret)
{
    return messages->functions->is_opted_out(call, messages, who, ret);
}

#endif

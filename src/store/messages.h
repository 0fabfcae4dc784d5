/*
 * The rows of mcp_whatsapp_chats and mcp_whatsapp_messages, and of mcp_events: what came by webhooks, and what was said. Whose a
 * connection is stands in each query that shows something.
 */
#ifndef STORE_MESSAGES_H
#define STORE_MESSAGES_H

#include "store/store.h"

struct chat_row {
    int64_t connection_id, user_id;
    struct str chat;
    struct str name_sealed; /* ptr NULL: none */
    int64_t unread;
    bool archived;
    int64_t last_at_ms, inbound_at_ms; /* inbound 0: the other side never wrote */
};
struct chat_rows {
    size_t count;
    struct chat_row *items;
};

struct message_row {
    struct str id;
    int64_t user_id, connection_id;
    struct str chat, message_id, sender, kind, status;
    bool outgoing;
    struct str content_sealed; /* ptr NULL: forgotten */
    int64_t sent_at_ms, status_at_ms, created_at_ms;
};
struct message_rows {
    size_t count;
    struct message_row *items;
};

enum { STATUSES_ASKED_MAX = 20 };

/* *ret_new: it was not there yet. */
MUST_CHECK int store_events_take(struct call *call, int64_t connection_id, struct str event, const char *kind,
                                 int64_t now_ms, bool *ret_new);
MUST_CHECK int store_events_forget(struct call *call, int64_t before_ms);

/* Makes the chat, or moves its times forwards and adds to unread. A name of ptr NULL leaves the one there is. */
MUST_CHECK int store_chats_touch(struct call *call, const struct chat_row *row);
/* The latest first: those before before_ms, and with before_chat those of that very time that come behind it. */
MUST_CHECK int store_chats_list(struct call *call, int64_t user_id, int64_t connection_id, bool unread_only,
                                bool archived, int64_t before_ms, struct str before_chat, int64_t limit,
                                struct chat_rows *ret);
/* E_NOT_FOUND */
MUST_CHECK int store_chats_get(struct call *call, int64_t user_id, int64_t connection_id, struct str chat,
                               struct chat_row *ret);
MUST_CHECK int store_chats_read(struct call *call, int64_t user_id, int64_t connection_id, struct str chat);
MUST_CHECK int store_chats_archive(struct call *call, int64_t user_id, int64_t connection_id, struct str chat,
                                   bool archived);

/* *ret_new: no message of that id was there. */
MUST_CHECK int store_messages_insert(struct call *call, const struct message_row *row, bool *ret_new);
/* Forwards only. *ret_chat: whose message it was; empty: none changed. */
MUST_CHECK int store_messages_status(struct call *call, int64_t connection_id, struct str message_id, struct str status,
                                     int64_t at_ms, struct str *ret_chat);
/*
 * For statuses that come before their message: the first leaves one, of several the furthest, the second takes it when the message
 * is kept (empty: there was none). `meeting` names the message among the connection's events. In a transaction: who comes second
 * waits for the first's.
 */
MUST_CHECK int store_statuses_leave(struct call *call, int64_t connection_id, struct str meeting, struct str status,
                                    int64_t at_ms);
MUST_CHECK int store_statuses_meet(struct call *call, int64_t connection_id, struct str meeting, int64_t now_ms,
                                   struct str *ret_status, int64_t *ret_at_ms);
/* What is known of those that went out: of each its message_id, status and status_at_ms. At most STATUSES_ASKED_MAX ids. */
MUST_CHECK int store_messages_statuses(struct call *call, int64_t user_id, int64_t connection_id, const struct str *ids,
                                       size_t n_ids, struct message_rows *ret);
/* Newest first. chat empty: of all. With before_id (a message_id), also those of before_ms itself that come behind it. */
MUST_CHECK int store_messages_list(struct call *call, int64_t user_id, int64_t connection_id, struct str chat,
                                   int64_t before_ms, struct str before_id, int64_t limit, struct message_rows *ret);
/* E_NOT_FOUND */
MUST_CHECK int store_messages_get(struct call *call, int64_t user_id, int64_t connection_id, struct str message_id,
                                  struct message_row *ret);
MUST_CHECK int store_messages_forget(struct call *call, int64_t before_ms, int64_t *ret_count);

/* ---- one person's data at a connection; connection_id 0: at all connections of the user (USER_ANY: of everybody) */

struct person_counts {
    int64_t messages, chats, sends, pace, approvals;
};
/* Messages in the person's chat, and those the person wrote elsewhere (in groups). */
MUST_CHECK int store_person_messages(struct call *call, int64_t user_id, int64_t connection_id, struct str person,
                                     struct message_rows *ret);
MUST_CHECK int store_person_chats(struct call *call, int64_t user_id, int64_t connection_id, struct str person,
                                  struct chat_rows *ret);
/* Within a transaction. Opt-outs stay. */
MUST_CHECK int store_person_erase(struct call *call, int64_t user_id, int64_t connection_id, struct str person,
                                  struct person_counts *ret);

#endif

/* The rows of mcp_whatsapp_sends, mcp_whatsapp_pace and mcp_whatsapp_optouts: what goes out, how fast, and to whom not. */
#ifndef STORE_SENDS_H
#define STORE_SENDS_H

#include "store/store.h"

struct send_row {
    struct str id;
    int64_t user_id, connection_id, token_id;
    struct str recipient, send_key, digest, kind, state;
    struct str holder;              /* ptr NULL: nobody */
    int64_t until_ms;               /* 0: none */
    struct str message_id, problem; /* ptr NULL: none */
    int64_t created_at_ms, started_at_ms, ended_at_ms;
    /* of store_sends_list() only: what the service's webhook said of the message; ptr NULL: it is not kept (any more) */
    struct str delivery;
    int64_t delivery_at_ms;
};
struct send_rows {
    size_t count;
    struct send_row *items;
};

/* *ret_new false: that key is there already. */
MUST_CHECK int store_sends_insert(struct call *call, const struct send_row *row, bool *ret_new);
/* *ret_found false: there is none of that key. */
MUST_CHECK int store_sends_by_key(struct call *call, int64_t connection_id, struct str key, struct send_row *ret,
                                  bool *ret_found);
/* One that failed, or that nobody holds any more although nothing was sent, becomes waiting again; of two at once one gets it. */
MUST_CHECK int store_sends_reclaim(struct call *call, const struct send_row *row, int64_t now_ms, bool *ret_done);
/* waiting -> sending, by its holder. *ret_done false: it is not the holder's any more, or the recipient has opted out. */
MUST_CHECK int store_sends_go(struct call *call, const struct send_row *row, int64_t now_ms, bool *ret_done);
/* To its end, by its holder; message_id and problem may have ptr NULL. */
MUST_CHECK int store_sends_end(struct call *call, struct str id, struct str holder, struct str state,
                               struct str message_id, struct str problem, int64_t now_ms);
/* What the service says later of one whose end nobody knew, by our id. */
MUST_CHECK int store_sends_found(struct call *call, int64_t connection_id, struct str id, struct str message_id,
                                 int64_t now_ms);
/* An unknown one is this message (row->id, connection_id, recipient, digest, message_id), unless that is another send's, or another
 * with the same digest is under way. In a transaction that holds the number's lane. */
MUST_CHECK int store_sends_recognise(struct call *call, const struct send_row *row, int64_t now_ms, bool *ret_done);
/* It was accepted, but did not arrive. */
MUST_CHECK int store_sends_undelivered(struct call *call, int64_t connection_id, struct str message_id,
                                       struct str problem);
/* Recipients since then other than this one, and whether this one is among them. Those that failed do not count. */
MUST_CHECK int store_sends_count_recipients(struct call *call, int64_t connection_id, struct str recipient,
                                            int64_t since_ms, int64_t *ret_others, bool *ret_known);
/* Of a user: what went out by the row's token, or with a key that begins with `keys`: those of the tokens before it, too. */
MUST_CHECK int store_sends_count_of_token(struct call *call, const struct send_row *row, struct str keys,
                                          int64_t since_ms, int64_t *ret);
/* Newest first. With before_id, also those of before_ms itself that come behind it. */
MUST_CHECK int store_sends_list(struct call *call, int64_t user_id, int64_t connection_id, int64_t before_ms,
                                struct str before_id, int64_t limit, struct send_rows *ret);
/* One person's: at a connection, or with 0 at all of the user. */
MUST_CHECK int store_sends_of_person(struct call *call, int64_t user_id, int64_t connection_id, struct str person,
                                     struct send_rows *ret);
MUST_CHECK int store_sends_forget(struct call *call, int64_t before_ms);

/*
 * Takes the next place in a lane: not before now_us, and every_us after the one before. *ret_slot_us: when. *ret_taken false: it
 * would be later than latest_us, and nothing was taken; then *ret_slot_us is when the lane is free again.
 */
MUST_CHECK int store_pace_take(struct call *call, int64_t connection_id, struct str lane, int64_t now_us,
                               int64_t every_us, int64_t latest_us, int64_t *ret_slot_us, bool *ret_taken);
/* Before a recipient in the name of a second lane, which tells when they were last written to. */
#define SENDS_LANE_LEFT "left/"
/* The lane is free from to_us on, if it still was to be from from_us on. */
MUST_CHECK int store_pace_move(struct call *call, int64_t connection_id, struct str lane, int64_t from_us,
                               int64_t to_us);
MUST_CHECK int store_pace_forget(struct call *call, int64_t before_us);

struct optout_row {
    struct str recipient, reason;
    int64_t created_at_ms;
};
struct optout_rows {
    size_t count;
    struct optout_row *items;
};
/*
 * Both only at a connection of that user (USER_ANY: of anybody). *ret_changed false: it was so already, or there is a newer one than
 * until_ms. Added again, the newest time stays.
 */
MUST_CHECK int store_optouts_add(struct call *call, int64_t user_id, int64_t connection_id,
                                 const struct optout_row *row, bool *ret_changed);
MUST_CHECK int store_optouts_remove(struct call *call, int64_t user_id, int64_t connection_id, struct str recipient,
                                    int64_t until_ms, bool *ret_changed);
MUST_CHECK int store_optouts_has(struct call *call, int64_t connection_id, struct str recipient, bool *ret);
/* Of the connections of that user (USER_ANY: of everybody's). */
MUST_CHECK int store_optouts_list(struct call *call, int64_t user_id, int64_t connection_id, struct optout_rows *ret);

#endif

/* What goes out: claimed by its key, at its pace, once. */
#include "messages/messages.h"

#include "base/log.h"
#include "crypto/token.h"
#include "net/task.h"
#include "store/messages.h"
#include "store/sends.h"

enum {
    SEND_ID_CHARS = 20,
    SEND_MS = 60 * 1000,      /* how long whoever claimed a send has it, beyond the pace it waits for */
    PACE_WAIT_MS = 15 * 1000, /* longest that a call waits for the pace; beyond that it is told when to come again */
    PACE_SPARE_MS = 5 * 1000, /* of the call's time, for the sending itself */
    RECORD_MS = 5 * 1000,
    LATE_MS = 50,
    LOOK_MS = 1000, /* how often is looked whether an earlier message to the same recipient was answered */
    MINUTES_A_DAY = 24 * 60,
    REASON_MAX_BYTES = 500,
};
#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)
#define LANE_OF_NUMBER STR("")

bool sending_is_quiet(const struct send_rules *rules, int64_t now_ms, int64_t *ret_until_ms)
{
    int64_t local_min = now_ms / 60000 + rules->utc_offset_min;
    int minute = (int)(local_min % MINUTES_A_DAY);
    bool over_midnight = rules->quiet_from > rules->quiet_until;
    if (rules->quiet_from == rules->quiet_until)
        return false;
    bool is_quiet = over_midnight ? minute >= rules->quiet_from || minute < rules->quiet_until
                                  : minute >= rules->quiet_from && minute < rules->quiet_until;
    int left = (rules->quiet_until - minute + MINUTES_A_DAY) % MINUTES_A_DAY;
    *ret_until_ms = (now_ms / 60000 + left) * 60000;
    return is_quiet;
}

static int refuse_time(struct call *call, int64_t until_ms, const char *why)
{
    char text[CLOCK_TEXT_BYTES];
    clock_format(until_ms, text);
    return fail(call, E_LIMIT, "%s Nothing was sent. It can go from %.16s UTC on.", why, text);
}

/* ---- one that was begun before */

static int tell_earlier(struct call *call, struct send *send, const struct send_row *row)
{
    if (!str_eq(row->digest, send->digest) || !str_eq(row->recipient, send->to))
        return fail(call, E_CONFLICT,
                    "This key was used for another message already. A key stands for one message to one recipient: "
                    "take a new one. Nothing was sent.");
    send->id = row->id;
    send->begun_at_ms = row->started_at_ms;
    if (str_eq(row->state, STR("sent"))) {
        send->state = SEND_DONE;
        send->message_id = row->message_id;
        return OK;
    }
    if (row->until_ms > clock_now_ms() && !str_eq(row->state, STR("unknown")))
        return fail(call, E_CONFLICT, "The same send is under way right now. Ask again in a few seconds.");
    send->state = SEND_UNKNOWN;
    return OK;
}

static bool may_reclaim(const struct send_row *row, const struct send *send)
{
    bool is_over = str_eq(row->state, STR("waiting")) && row->until_ms < clock_now_ms();
    return str_eq(row->digest, send->digest) && str_eq(row->recipient, send->to) &&
           (is_over || str_eq(row->state, STR("failed")));
}

/* ---- claiming. All in one transaction that begins with the number's lane: claims of one number come one after another. */

static int64_t pace_wait_ms(const struct call *call)
{
    int64_t left_ms = call_time_left_ms(call) - PACE_SPARE_MS;
    return left_ms > PACE_WAIT_MS ? PACE_WAIT_MS : left_ms > 0 ? left_ms : 0;
}

static int refuse_pace(struct call *call, struct str lane, int64_t slot_us)
{
    return fail(call, E_LIMIT, "%s. Nothing was sent. Try again in %lld seconds, with the same key.",
                lane.len ? "One recipient gets at most one message in that time"
                         : "This number sends as fast as it may already",
                (long long)((slot_us - clock_now_ms() * 1000 + 999999) / 1000000));
}

static int take_lane(struct call *call, const struct messages_here *here, struct str lane, int64_t every_us,
                     int64_t *ret_slot_us)
{
    int64_t now_us = clock_now_ms() * 1000;
    bool taken;
    int error = store_pace_take(call, here->connection_id, lane, now_us, every_us, now_us + pace_wait_ms(call) * 1000,
                                ret_slot_us, &taken);
    return error || taken ? error : refuse_pace(call, lane, *ret_slot_us);
}

/* Only to hold its row: who counts recipients counts alone. */
static int lock_number(struct call *call, const struct messages_here *here)
{
    int64_t slot_us;
    bool taken;
    return store_pace_take(call, here->connection_id, LANE_OF_NUMBER, clock_now_ms() * 1000, 0, INT64_MAX, &slot_us,
                           &taken);
}

static int check_optout(struct call *call, const struct messages_here *here, const struct send *send)
{
    bool is_out;
    int error = store_optouts_has(call, here->connection_id, send->to, &is_out);
    if (error || !is_out)
        return error;
    return fail(call, E_DENIED,
                "%.*s has asked for no more messages (opted out). Nothing was sent, and nothing will be until "
                "they ask for it.",
                STR_ARG(send->to));
}

/*
 * Keys are the holder's, not the token's: an app's token is another one each hour, and what it sent with the one before is still not to
 * be sent again. What has no key gets one that nobody can guess.
 */
static struct str keys_of(struct call *call, const struct messages_here *here)
{
    return call_format(call, "%lld/", (long long)here->holder);
}

static int check_caps(struct call *call, const struct messages_here *here, const struct send *send,
                      const struct send_row *row)
{
    int64_t others = 0, of_token = 0, since_ms = clock_now_ms() - DAY_MS;
    bool is_known;
    int error = check_optout(call, here, send);
    if (!error && send->rules.recipients_per_day)
        error = store_sends_count_recipients(call, here->connection_id, send->to, since_ms, &others, &is_known);
    if (!error && send->rules.recipients_per_day && others >= send->rules.recipients_per_day)
        return fail(call, E_LIMIT,
                    "This number has written to %lld different recipients within 24 hours, which is its limit. "
                    "Nothing was sent. Those it wrote to today can still be written to.",
                    (long long)others);
    if (!error && send->rules.per_token_a_day && here->token_id)
        error = store_sends_count_of_token(call, row, keys_of(call, here), since_ms, &of_token);
    if (!error && of_token && send->rules.per_token_a_day && of_token >= send->rules.per_token_a_day)
        return fail(call, E_LIMIT,
                    "This token has sent %lld messages within 24 hours, which is its limit. Nothing was sent.",
                    (long long)of_token);
    return error;
}

struct claim {
    struct send_row row;
    bool is_again; /* the row was there */
    int64_t slot_us;
    struct send_row earlier;
    bool is_taken; /* else `earlier` is whose it is */
};

static int claim(struct call *call, const struct messages_here *here, const struct send *send, struct claim *c)
{
    bool is_found;
    int error = lock_number(call, here);
    if (!error && send->rules.per_recipient_ms)
        error = take_lane(call, here, send->to, send->rules.per_recipient_ms * 1000, &c->slot_us);
    if (!error)
        error = check_caps(call, here, send, &c->row);
    if (error)
        return error;
    c->row.created_at_ms = clock_now_ms();
    if (c->slot_us < c->row.created_at_ms * 1000)
        c->slot_us = c->row.created_at_ms * 1000;
    c->row.until_ms = c->slot_us / 1000 + SEND_MS;
    if (c->is_again)
        error = store_sends_reclaim(call, &c->row, c->row.created_at_ms, &c->is_taken);
    else
        error = store_sends_insert(call, &c->row, &c->is_taken);
    if (error || c->is_taken)
        return error;
    error = store_sends_by_key(call, here->connection_id, c->row.send_key, &c->earlier, &is_found);
    return error ? error : fail(call, E_CONFLICT, "The same send is under way right now. Ask again in a few seconds.");
}

static int wait_for(struct call *call, int64_t slot_us)
{
    int64_t wait_ms = (slot_us + 999) / 1000 - clock_now_ms();
    return wait_ms > 0 ? task_sleep(call, wait_ms) : OK;
}

static struct str lane_left(struct call *call, const struct send *send)
{
    return call_format(call, SENDS_LANE_LEFT "%.*s", STR_ARG(send->to));
}

/*
 * Since when somebody was last written to: a lane beside that of the places. While a message is on its way nobody knows when the service
 * will see it, so nothing else leaves for the same recipient before its answer, from which the pause is counted (come_back()), or before
 * its claim is over. So the service sees the pause between any two.
 */
static int leave_for(struct call *call, const struct messages_here *here, struct send *send, int64_t *ret_slot_us,
                     bool *ret_left)
{
    const int64_t now_us = clock_now_ms() * 1000, held_us = (int64_t)(PACE_WAIT_MS + SEND_MS) * 1000;
    int error = store_pace_take(call, here->connection_id, lane_left(call, send), now_us, held_us, now_us, ret_slot_us,
                                ret_left);
    send->left_us = !error && *ret_left ? *ret_slot_us + held_us : 0;
    return error;
}

static int come_back(struct call *call, const struct messages_here *here, const struct send *send, int64_t free_ms)
{
    return send->left_us
               ? store_pace_move(call, here->connection_id, lane_left(call, send), send->left_us, free_ms * 1000)
               : OK;
}

static int wait_for_recipient(struct call *call, const struct messages_here *here, struct send *send)
{
    int64_t slot_us, until_ms = clock_monotonic_ms() + pace_wait_ms(call);
    bool left = !send->rules.per_recipient_ms;
    int error = OK;
    while (!error && !left) {
        error = leave_for(call, here, send, &slot_us, &left);
        if (error || left)
            break;
        /* An earlier message is under way, or was answered just now. */
        if (clock_monotonic_ms() >= until_ms)
            return refuse_pace(call, send->to, slot_us);
        int64_t look_us = (clock_now_ms() + LOOK_MS) * 1000;
        error = wait_for(call, slot_us < look_us ? slot_us : look_us);
    }
    return error;
}

/*
 * The number's own place comes last, so that waiting for a recipient moves nobody else's. Whoever comes to it late (the machine was
 * busy) takes another one: places that were missed, used all at once, would be too fast.
 */
static int wait_for_number(struct call *call, const struct messages_here *here, const struct send *send)
{
    enum { SECOND_US = 1000000, TRIES = 5 };
    int64_t slot_us;
    if (!send->rules.per_second)
        return OK;
    for (int i = 0; i < TRIES; i++) {
        int error = take_lane(call, here, LANE_OF_NUMBER, SECOND_US / send->rules.per_second, &slot_us);
        if (!error)
            error = wait_for(call, slot_us);
        if (error || clock_now_ms() <= slot_us / 1000 + LATE_MS)
            return error;
    }
    return fail(call, E_LIMIT, "The server is too busy to keep this number's pace. Nothing was sent. Try again.");
}

/* The claim and the recipient are given back, so that the next try need not wait for their end. */
static int give_up(struct call *call, const struct messages_here *here, const struct send *send, int error)
{
    struct call rest = *call;
    rest.cancelled = false;
    rest.deadline_ms = clock_monotonic_ms() + RECORD_MS;
    if (store_sends_end(&rest, send->id, send->holder, STR("failed"), (struct str){NULL, 0},
                        STR("its turn did not come in time"), clock_now_ms()) ||
        come_back(&rest, here, send, clock_now_ms()))
        log_warning("call %s: the claim of send %.*s could not be given back and ends by itself", call->id,
                    STR_ARG(send->id));
    return error;
}

/* One whose key is new, or whose earlier try is known to have sent nothing. */
static int claim_new(struct call *call, const struct messages_here *here, struct send *send, struct claim *c)
{
    int64_t until_ms;
    bool mine;
    if (sending_is_quiet(&send->rules, clock_now_ms(), &until_ms))
        return refuse_time(call, until_ms, "These are quiet hours of this connection.");
    int error = store_begin(call, &mine);
    if (!error)
        error = store_end(call, mine, claim(call, here, send, c));
    /* Of two with the same key at once, one found it taken: what it took of the pace was rolled back. */
    if (error == E_CONFLICT && c->earlier.id.len) {
        call_clear_error(call);
        return tell_earlier(call, send, &c->earlier);
    }
    if (error)
        return error;
    send->id = c->row.id;
    send->holder = c->row.holder;
    send->until_ms = c->row.until_ms;
    send->state = SEND_CLAIMED;
    error = wait_for(call, c->slot_us);
    if (!error)
        error = wait_for_recipient(call, here, send);
    if (!error)
        error = wait_for_number(call, here, send);
    return error ? give_up(call, here, send, error) : OK;
}

int sending_begin(struct call *call, struct messages *messages, struct send *send)
{
    const struct messages_here *here = (const struct messages_here *)messages;
    struct claim *c = arena_new_of(call->arena, struct claim);
    struct send_row earlier;
    bool is_found = false;
    *c = (struct claim){.row = {
                            .id = token_word(call, SEND_ID_CHARS),
                            .user_id = here->user_id,
                            .connection_id = here->connection_id,
                            .token_id = here->token_id,
                            .recipient = send->to,
                            .send_key = str_concat(call->arena, keys_of(call, here), send->key),
                            .digest = send->digest,
                            .kind = send->kind,
                            .holder = token_word(call, SEND_ID_CHARS),
                        }};
    if (send->key.len > SEND_KEY_MAX_BYTES)
        return fail(call, E_INVALID, "A key may have %d characters.", SEND_KEY_MAX_BYTES);
    if (!send->key.len)
        c->row.send_key = call_format(call, "%.*s/%.*s", STR_ARG(keys_of(call, here)), STR_ARG(c->row.id));
    else {
        int error = store_sends_by_key(call, here->connection_id, c->row.send_key, &earlier, &is_found);
        if (error)
            return error;
    }
    if (is_found && !may_reclaim(&earlier, send))
        return tell_earlier(call, send, &earlier);
    if (is_found) {
        c->is_again = true;
        c->row.id = earlier.id;
    }
    return claim_new(call, here, send, c);
}

int sending_go(struct call *call, struct messages *messages, struct send *send)
{
    const struct messages_here *here = (const struct messages_here *)messages;
    struct send_row row = {.id = send->id,
                           .connection_id = here->connection_id,
                           .holder = send->holder,
                           .until_ms = clock_now_ms() + SEND_MS};
    bool done;
    int error = store_sends_go(call, &row, clock_now_ms(), &done);
    if (!error && !done)
        error = check_optout(call, here, send); /* they may have said so while it waited for its turn */
    if (!error && !done)
        return fail(call, E_CONFLICT, "It took too long to come to its turn. Nothing was sent by this call.");
    return error;
}

/* The number's lane is held, so that of two that look at one message at once only one takes it. */
int sending_recognise(struct call *call, struct messages *messages, const struct send *send, struct str message_id,
                      bool *ret_is_it)
{
    const struct messages_here *here = (const struct messages_here *)messages;
    const struct send_row row = {.id = send->id,
                                 .connection_id = here->connection_id,
                                 .recipient = send->to,
                                 .digest = send->digest,
                                 .message_id = message_id};
    bool mine;
    *ret_is_it = false;
    int error = store_begin(call, &mine);
    if (error)
        return error;
    error = lock_number(call, here);
    if (!error)
        error = store_sends_recognise(call, &row, clock_now_ms(), ret_is_it);
    return store_end(call, mine, error);
}

/* ---- what came of it: written also when the caller has gone or its time is up */

static int record(struct call *call, struct messages *messages, const struct send *send, enum send_state state,
                  struct str message_id, struct str problem, const struct message *said)
{
    static const char *const words[] = {[SEND_DONE] = "sent", [SEND_UNKNOWN] = "unknown", [SEND_FAILED] = "failed"};
    const struct str none = {NULL, 0};
    bool is_new;
    int error =
        store_sends_end(call, send->id, send->holder, str_from(words[state]), message_id.len ? message_id : none,
                        problem.len ? str_cut(problem, REASON_MAX_BYTES) : none, clock_now_ms());
    if (!error && said && state == SEND_DONE)
        error = messages->functions->take(call, messages, said, &is_new);
    return error;
}

int sending_end(struct call *call, struct messages *messages, struct send *send, enum send_state state,
                struct str message_id, struct str problem, const struct message *said)
{
    struct call rest = *call;
    int64_t answered_ms = clock_now_ms();
    rest.cancelled = false;
    rest.deadline_ms = clock_monotonic_ms() + RECORD_MS;
    int error = record(&rest, messages, send, state, message_id, problem, said);
    if (!error)
        error = come_back(&rest, (const struct messages_here *)messages, send,
                          answered_ms + 1 + send->rules.per_recipient_ms);
    if (error)
        log_error("call %s: what came of send %.*s could not be recorded: %.*s", call->id, STR_ARG(send->id),
                  STR_ARG(rest.error_text));
    else { /* as after a webhook, which not every connection has */
        rest.deadline_ms = clock_monotonic_ms() + RECORD_MS;
        messages_forget_old(&rest);
    }
    return error;
}

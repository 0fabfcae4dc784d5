/* Who wants no messages any more. */
#include "messages/messages.h"

#include "audit/audit.h"
#include "store/connections.h"
#include "store/sends.h"

enum { REASON_MAX_BYTES = 200 };

static int change(struct call *call, int64_t user_id, int64_t connection_id, struct str person,
                  const struct optout_wish *wish, bool *ret_changed)
{
    /* A clock that is ahead must not outdo what is wished until then. */
    int64_t now_ms = clock_now_ms(), at_ms = wish->at_ms && wish->at_ms < now_ms ? wish->at_ms : now_ms;
    const struct optout_row row = {
        .recipient = person,
        .reason = str_cut(wish->reason, REASON_MAX_BYTES),
        .created_at_ms = at_ms,
    };
    return wish->out ? store_optouts_add(call, user_id, connection_id, &row, ret_changed)
                     : store_optouts_remove(call, user_id, connection_id, person, at_ms, ret_changed);
}

static int change_and_record(struct call *call, int64_t user_id, int64_t connection_id, struct str person,
                             const struct optout_wish *wish, bool *ret_changed)
{
    int error = change(call, user_id, connection_id, person, wish, ret_changed);
    if (error || !*ret_changed)
        return error;
    const struct audit_event event = {
        .user_id = user_id == USER_ANY ? 0 : user_id,
        .connection_id = connection_id,
        .action = wish->out ? STR("messages.optout") : STR("messages.optin"),
        .data_json = call_format(call, "{\"person_mac\":\"%.*s\",\"by\":\"%s\"}", STR_ARG(person_digest(call, person)),
                                 wish->by_owner ? "owner" : "person"),
    };
    if (wish->by_owner)
        return audit_record(call, &event);
    /* What people wish is honoured at once, and a delivery of a webhook must not hold the chain's head. */
    audit_later(&event);
    return OK;
}

int optout_set(struct call *call, int64_t user_id, int64_t connection_id, struct str person,
               const struct optout_wish *wish, bool *ret_changed)
{
    bool mine;
    int error = store_begin(call, &mine);
    *ret_changed = false;
    if (error)
        return error;
    return store_end(call, mine, change_and_record(call, user_id, connection_id, person, wish, ret_changed));
}

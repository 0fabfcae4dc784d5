/* What a tool changes at the service, kept in its owner's name. */
#include "audit/audit.h"
#include "audit/history.h"
#include "base/log.h"
#include "json/json_write.h"
#include "mcp/host.h"

enum {
    SETTLE_MS = 5000,      /* what must be kept gets this long, whatever is left of the call */
    PART_WORD_BYTES = 100, /* of a kind or type in the audit */
};

static struct history_owner owner_of(const struct mcp_host *host)
{
    const struct principal *who = host->request->who;
    return (struct history_owner){
        .user_id = who->user_id,
        .connection_id = who->connection_id,
        .token_id = who->token_id,
        .wrapped_key = who->site.secret.wrapped_key,
        .tool = host->tool ? host->tool->name : host->name,
    };
}

int host_change_keep(struct call *call, struct host *base, struct site_change *change)
{
    struct mcp_host *host = (struct mcp_host *)base;
    struct history_owner owner = owner_of(host);
    int error = history_begin(call, &owner, change);
    if (error)
        return error;
    if (host->n_changes < HOST_CHANGES_AUDITED_MAX)
        host->changes[host->n_changes] = change->number;
    host->n_changes++;
    return OK;
}

/* One item of a change over many. The intent of all was recorded before the first; these rows are batched, as reads are. */
static void record_part(struct call *call, const struct history_owner *owner, const struct site_change *change,
                        enum change_state state)
{
    static const char *const outcomes[] = {
        [CHANGE_BEGUN] = "unknown", [CHANGE_DONE] = "ok", [CHANGE_UNKNOWN] = "unknown", [CHANGE_FAILED] = "failed"};
    struct buf data;
    struct json_writer w;
    buf_init(&data, call->arena, 1024);
    json_write_init(&w, &data);
    json_object(&w);
    json_member_i64(&w, "change", change->number);
    json_member_i64(&w, "part_of", change->part_of);
    json_member_str(&w, "kind", str_sub(change->kind, 0, PART_WORD_BYTES));
    json_member_str(&w, "type", str_sub(change->item_type, 0, PART_WORD_BYTES));
    json_member_i64(&w, "id", change->item_id);
    json_member_str(&w, "outcome", str_from(outcomes[state]));
    json_end(&w);
    audit_later(&(struct audit_event){
        .user_id = owner->user_id,
        .connection_id = owner->connection_id,
        .token_id = owner->token_id,
        .action = STR("job.item"),
        .data_json = buf_str(&data),
    });
}

void host_change_settle(struct call *call, struct host *base, struct site_change *change, enum change_state state)
{
    struct mcp_host *host = (struct mcp_host *)base;
    struct history_owner owner = owner_of(host);
    struct call rest = *call;
    if (state == CHANGE_FAILED && host->n_changes && host->n_changes <= HOST_CHANGES_AUDITED_MAX &&
        host->changes[host->n_changes - 1] == change->number)
        host->n_changes--;
    rest.cancelled = false;
    rest.deadline_ms = clock_monotonic_ms() + SETTLE_MS;
    if (change->part_of)
        record_part(call, &owner, change, state);
    if (history_end(&rest, &owner, change, state))
        log_error("call %s: what came of change %lld of connection %lld could not be kept: %.*s", call->id,
                  (long long)change->number, (long long)owner.connection_id, STR_ARG(rest.error_text));
}

int host_change_find(struct call *call, struct host *base, int64_t number, struct site_change *ret)
{
    struct history_owner owner = owner_of((struct mcp_host *)base);
    return history_get(call, &owner, number, ret);
}

int host_change_page(struct call *call, struct host *base, const struct change_query *query, struct change_list *ret)
{
    struct history_owner owner = owner_of((struct mcp_host *)base);
    return history_list(call, &owner, query, ret);
}

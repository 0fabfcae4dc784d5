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

struct mcp_ending {
    struct mcp_ending *next;
    struct site_change change;
    enum change_state state;
    struct history_ending *sealed;
};

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

static void write_end(struct call *call, const struct mcp_host *host, struct site_change *change,
                      enum change_state state)
{
    struct history_owner owner = owner_of(host);
    struct call rest = *call;
    rest.cancelled = false;
    rest.deadline_ms = clock_monotonic_ms() + SETTLE_MS;
    if (history_end(&rest, &owner, change, state))
        log_error("call %s: what came of change %lld of connection %lld could not be kept: %.*s", call->id,
                  (long long)change->number, (long long)owner.connection_id, STR_ARG(rest.error_text));
}

static void write_endings(struct call *call, struct mcp_host *host)
{
    for (; host->endings; host->endings = host->endings->next)
        write_end(call, host, &host->endings->change, host->endings->state);
}

int host_change_keep(struct call *call, struct host *base, struct site_change *change)
{
    struct mcp_host *host = (struct mcp_host *)base;
    struct history_owner owner = owner_of(host);
    write_endings(call, host); /* so of all but the last it is known what came of them, whatever happens now */
    int error = history_begin(call, &owner, change);
    if (error)
        return error;
    if (host->n_changes < HOST_CHANGES_AUDITED_MAX)
        host->changes[host->n_changes] = change->number;
    host->n_changes++;
    return OK;
}

static int seal_endings(struct call *call, struct mcp_host *host)
{
    struct history_owner owner = owner_of(host);
    int error = OK;
    for (struct mcp_ending *at = host->endings; at && !error; at = at->next)
        error = history_seal_end(call, &owner, &at->change, at->state, &at->sealed);
    return error;
}

static int post_endings(struct call *call, void *host)
{
    int error = OK;
    for (struct mcp_ending *at = ((struct mcp_host *)host)->endings; at && !error; at = at->next)
        error = history_post_end(call, at->sealed);
    return error;
}

static void endings_posted(struct mcp_host *host, bool is_committed)
{
    for (struct mcp_ending *at = host->endings; at; at = at->next)
        if (at->sealed)
            history_end_posted(at->sealed);
    if (is_committed)
        host->endings = NULL;
}

/* What is told again of a change takes the place of what was told before. */
static void hold_end(struct call *call, struct mcp_host *host, const struct site_change *change,
                     enum change_state state)
{
    struct mcp_ending *ending = host->endings;
    while (ending && ending->change.number != change->number)
        ending = ending->next;
    if (!ending) {
        ending = arena_new_of(call->arena, struct mcp_ending);
        ending->next = host->endings;
        host->endings = ending;
    }
    ending->change = *change;
    ending->state = state;
    ending->sealed = NULL;
}

void host_change_settle(struct call *call, struct host *base, struct site_change *change, enum change_state state)
{
    struct mcp_host *host = (struct mcp_host *)base;
    struct history_owner owner = owner_of(host);
    if (state == CHANGE_FAILED && host->n_changes && host->n_changes <= HOST_CHANGES_AUDITED_MAX &&
        host->changes[host->n_changes - 1] == change->number)
        host->n_changes--;
    if (change->part_of)
        record_part(call, &owner, change, state);
    if (host->holds_endings)
        hold_end(call, host, change, state);
    else
        write_end(call, host, change, state);
}

/* In one transaction with the end of what was changed. */
static int record_with_endings(struct call *call, struct mcp_host *host, const struct audit_event *event)
{
    int error = seal_endings(call, host);
    if (!error)
        error = audit_record_with(call, event, post_endings, host);
    endings_posted(host, !error);
    return error;
}

int mcp_host_record_outcome(struct call *call, struct mcp_host *host, const struct audit_event *event)
{
    if (!host->endings)
        return audit_record(call, event);
    int error = record_with_endings(call, host, event);
    if (!error)
        return OK;
    write_endings(call, host); /* the one must not fail because the other does, nor with a connection that broke */
    call_clear_error(call);
    return audit_record(call, event);
}

int host_change_find(struct call *call, struct host *base, int64_t number, struct site_change *ret)
{
    struct history_owner owner = owner_of((struct mcp_host *)base);
    write_endings(call, (struct mcp_host *)base);
    return history_get(call, &owner, number, ret);
}

int host_change_page(struct call *call, struct host *base, const struct change_query *query, struct change_list *ret)
{
    struct history_owner owner = owner_of((struct mcp_host *)base);
    write_endings(call, (struct mcp_host *)base);
    return history_list(call, &owner, query, ret);
}

/* Confirmation, by the token's setting. */
#include "mcp/confirm.h"

#include "audit/audit.h"
#include "crypto/seal.h"
#include "crypto/token.h"
#include "json/json_write.h"
#include "mcp/approve.h"
#include "mcp/host.h"
#include "mcp/redact.h"
#include "mcp/state.h"
#include "store/keys.h"

enum { ID_CHARS = 10, CONFIRM_KEY_CHARS = 12 };

static struct str proof_of(struct call *call, const char *kind, struct str secret)
{
    char *mac = arena_alloc(call->arena, MAC_HEX_BYTES);
    keyring_mac(KEYRING_MCP, call_format(call, "confirm|%s|%.*s", kind, STR_ARG(secret)), mac);
    return str_from(mac);
}

/* Of the exact arguments, and of the sentence that was agreed to: it names what the arguments found. */
static struct str digest_of(struct call *call, const struct mcp_host *host, struct str what)
{
    return proof_of(call, "digest",
                    call_format(call, "%.*s|%.*s", STR_ARG(state_digest(call, host->bound)), STR_ARG(what)));
}

static struct confirmation_row row_of(struct call *call, const struct mcp_host *host, const char *kind, struct str what)
{
    const struct principal *who = host->request->who;
    return (struct confirmation_row){
        .id = token_word(call, ID_CHARS),
        .user_id = who->user_id,
        .connection_id = who->connection_id,
        .token_id = who->token_id,
        .kind = str_from(kind),
        .tool = host->tool->name,
        .digest = digest_of(call, host, what),
        .what = what,
        .proof = {NULL, 0},
        .state = STR("pending"),
        .created_at_ms = clock_now_ms(),
    };
}

static int keep(struct call *call, struct confirmation_row *row, int64_t life_ms)
{
    int64_t pending;
    int error = store_confirmations_count_pending(call, row->token_id, row->created_at_ms, &pending);
    if (error)
        return error;
    if (pending >= CONFIRM_PENDING_MAX)
        return fail(call, E_LIMIT, "%d actions of this token wait for a confirmation already. Settle those first.",
                    CONFIRM_PENDING_MAX);
    row->expires_at_ms = row->created_at_ms + life_ms;
    return store_confirmations_insert(call, row, row->created_at_ms - CONFIRM_KEEP_MS);
}

/* ---- model: with a client whose person can be asked */

static int by_asking(struct call *call, struct mcp_host *host, struct str what)
{
    struct question question = {
        /* An answer to another sentence is none to this one. */
        .key = call_format(call, "confirm_%.*s", CONFIRM_KEY_CHARS, digest_of(call, host, what).ptr),
        .kind = HOST_FORM,
        .params_json =
            call_format(call,
                        "{\"message\":%.*s,\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"confirm\":{"
                        "\"type\":\"boolean\",\"title\":\"Do it\",\"default\":false}},\"required\":[\"confirm\"]}}",
                        STR_ARG(json_quote(call->arena, what))),
        .sealed = true,
    };
    int error = host_ask(call, &host->base, &question, 1);
    if (error)
        return error;
    if (!str_eq(json_str(json_get(question.answer, STR("action"))), STR("accept")) ||
        !json_bool_or(json_path(question.answer, "content.confirm"), false))
        return fail(call, E_DENIED, "The person did not agree. Nothing was done: %.*s", STR_ARG(what));
    if (!host->modern)
        return OK; /* asked and answered within this very call */
    struct confirmation_row row = row_of(call, host, "asked", what);
    row.proof = proof_of(call, "asked", host->nonce);
    row.state = STR("used");
    row.decided_at_ms = row.created_at_ms;
    row.expires_at_ms = row.created_at_ms + STATE_LIFE_MS;
    error = store_confirmations_insert(call, &row, row.created_at_ms - CONFIRM_KEEP_MS);
    if (error == E_CONFLICT)
        return fail(call, E_CONFLICT, "This agreement was used already; each is for one time. Ask again.");
    return error;
}

/* ---- model: with a code */

static int by_code(struct call *call, struct mcp_host *host, struct str what)
{
    struct confirmation_row row = row_of(call, host, "code", what);
    bool agreed = false;
    if (host->confirm_code.len) {
        row.proof = proof_of(call, "code", host->confirm_code);
        int error = store_confirmations_use_code(call, &row, row.created_at_ms, &agreed);
        if (error || agreed)
            return error;
    }
    struct str code = token_word(call, CONFIRM_CODE_CHARS);
    row.proof = proof_of(call, "code", code);
    int error = keep(call, &row, CONFIRM_CODE_LIFE_MS);
    if (error)
        return error;
    return fail(
        call, E_WAITING,
        "%sNothing was done yet. This would: %.*s\nMake sure that this is what the person wants. To do it, call "
        "again within %d minutes with exactly the same arguments and confirm_code \"%.*s\".",
        host->confirm_code.len ? "That code is not one for these arguments, or was used or is too old. " : "",
        STR_ARG(what), CONFIRM_CODE_LIFE_MS / 60000, STR_ARG(code));
}

/* ---- human */

static struct seal_place place_of(const struct confirmation_row *row)
{
    return (struct seal_place){row->user_id, STR("mcp_confirmations"), row->id, STR("difference_sealed")};
}

/* What is there now and what would be, in the words of wp_history; of what is new there is no before. */
static int keep_difference(struct call *call, const struct mcp_host *host, const struct site_change *change,
                           struct confirmation_row *row)
{
    struct buf what, difference;
    if (!change || !change->before_json.len || !host->request->provider->changes)
        return OK;
    buf_init(&what, call->arena, CHANGE_BYTES_MAX);
    buf_init(&difference, call->arena, 4 * CHANGE_BYTES_MAX);
    host->request->provider->changes->describe(call, change, &what, &difference);
    struct str text = str_trim(buf_str(&difference));
    if (text.len > CONFIRM_DIFFERENCE_MAX_BYTES) {
        size_t end = CONFIRM_DIFFERENCE_MAX_BYTES;
        while (end && text.ptr[end] != '\n')
            end--;
        text = str_concat(call->arena, str_sub(text, 0, end), STR("\n[...]"));
    }
    const struct seal_place place = place_of(row);
    return text.len
               ? seal_make_at(call, &place, host->request->who->site.secret.wrapped_key, text, &row->difference_sealed)
               : OK;
}

static int by_human(struct call *call, struct mcp_host *host, struct str what, const struct site_change *change)
{
    struct confirmation_row row = row_of(call, host, "human", what);
    struct str state;
    bool agreed;
    int error = store_confirmations_use_approval(call, &row, row.created_at_ms, &agreed);
    if (error)
        return error;
    if (agreed) {
        host->agreed = true;
        return OK;
    }
    error = store_confirmations_state(call, &row, row.created_at_ms, &state);
    if (error)
        return error;
    if (str_eq(state, STR("refused")))
        return fail(call, E_DENIED, "The owner has refused this. Nothing was done: %.*s", STR_ARG(what));
    if (!state.len &&
        ((error = keep_difference(call, host, change, &row)) || (error = keep(call, &row, CONFIRM_HUMAN_LIFE_MS))))
        return error;
    if (!state.len)
        approve_ask(call, &row);
    return fail(call, E_WAITING,
                "Nothing was done yet. The owner of this connection has to approve it first, outside this chat: %.*s\n"
                "Tell the person that it waits for approval. When it was given, call again with exactly the same "
                "arguments.",
                STR_ARG(what));
}

int confirm_action(struct call *call, struct host *base, struct str what, bool for_good)
{
    struct mcp_host *host = (struct mcp_host *)base;
    if (!host->tool || !host->tool->confirms)
        return fail(call, E_INTERNAL, "This tool has not said that it confirms.");
    if (what.len > CONFIRM_WHAT_MAX_BYTES) /* nobody agrees to what is not shown */
        return fail(call, E_LIMIT, "That is too much to be agreed to in one question. Do less at a time.");
    enum confirm setting = host->request->who->confirm;
    if (setting == CONFIRM_NONE && for_good)
        setting = CONFIRM_MODEL; /* what cannot be taken back is never one slip away */
    switch (setting) {
    case CONFIRM_NONE:
        return OK;
    case CONFIRM_MODEL:
        return host_can(base, HOST_FORM) && (host->modern || host->request->outlet) ? by_asking(call, host, what)
                                                                                    : by_code(call, host, what);
    case CONFIRM_HUMAN:
        return by_human(call, host, what, NULL);
    }
    return fail(call, E_INTERNAL, "This token's confirmation is not known.");
}

/* The arguments say what is meant, and to all of what: the first of many writes asks for the whole call. */
int confirm_agree(struct call *call, struct host *base, struct str what, const struct site_change *change)
{
    enum { SHOWN_BYTES = 1000 };
    struct mcp_host *host = (struct mcp_host *)base;
    if (!host->tool || host->agreed || host->request->who->confirm != CONFIRM_HUMAN)
        return OK;
    struct str arguments = redact_arguments(call->arena, host->bound);
    return by_human(call, host,
                    call_format(call, "%.*s: %.*s, at %.*s, with %.*s%s", STR_ARG(host->tool->name), STR_ARG(what),
                                STR_ARG(host->request->who->site.name), STR_ARG(str_cut(arguments, SHOWN_BYTES)),
                                arguments.len > SHOWN_BYTES ? "..." : ""),
                    change);
}

/* ---- for people */

int confirm_difference(struct call *call, const struct confirmation_row *row, struct str *ret)
{
    const struct seal_place place = place_of(row);
    struct str wrapped;
    *ret = STR_EMPTY;
    if (!row->difference_sealed.ptr)
        return OK;
    int error = store_keys_of_user(call, row->user_id, &wrapped);
    return error ? error : seal_open_at(call, &place, wrapped, row->difference_sealed, ret);
}

int confirm_list(struct call *call, int64_t user_id, struct confirmation_rows *ret)
{
    return store_confirmations_list(call, user_id, clock_now_ms(), ret);
}

int confirm_decide(struct call *call, int64_t user_id, struct str id, bool approve, struct confirmation_row *ret)
{
    bool mine;
    int error = store_begin(call, &mine);
    if (!error)
        error = store_confirmations_decide(call, user_id, id, approve ? STR("approved") : STR("refused"),
                                           clock_now_ms(), ret);
    if (!error)
        error = audit_record(call, &(struct audit_event){
                                       .user_id = ret->user_id,
                                       .connection_id = ret->connection_id,
                                       .token_id = ret->token_id,
                                       .action = approve ? STR("approvals.approve") : STR("approvals.refuse"),
                                       .data_json = call_format(call, "{\"id\":%.*s,\"tool\":%.*s,\"what\":%.*s}",
                                                                STR_ARG(json_quote(call->arena, ret->id)),
                                                                STR_ARG(json_quote(call->arena, ret->tool)),
                                                                STR_ARG(redact_question(call, ret->tool, ret->what))),
                                   });
    return store_end(call, mine, error);
}

/* Approvals by message. */
#include <sodium.h> /* before base/banned.h */

#include "mcp/approve.h"

#include "accounts/connections.h"
#include "audit/audit.h"
#include "base/log.h"
#include "crypto/token.h"
#include "json/json_write.h"
#include "mcp/confirm.h"
#include "messages/messages.h"

enum { WHAT_SHOWN_BYTES = 2500, ANSWER_BYTES_MAX = 200 };

static struct str hash_of(struct call *call, const char *kind, int64_t user_id, struct str code)
{
    char *mac = arena_alloc(call->arena, MAC_HEX_BYTES);
    keyring_mac(KEYRING_MCP, call_format(call, "approve|%s|%lld|%.*s", kind, (long long)user_id, STR_ARG(code)), mac);
    return str_from(mac);
}

/* The connection's site and provider, if it is that user's, in order, and can send. */
static int open_way(struct call *call, int64_t user_id, int64_t connection_id, struct site *ret_site,
                    const struct provider **ret_provider)
{
    struct connection_row row;
    int error = connections_show(call, user_id, connection_id, &row);
    if (!error)
        error = connections_site(call, user_id, connection_id, ret_site);
    if (error)
        return error;
    *ret_provider = provider_find(row.provider_key);
    if (!*ret_provider || !(*ret_provider)->notify || !(*ret_provider)->conversations)
        return fail(call, E_INVALID, "This connection cannot send messages: take one of a messaging service.");
    if (!str_eq(row.status, STR(CONNECTION_ACTIVE)))
        return fail(call, E_CONFLICT, "This connection is %.*s: nothing can be sent through it.", STR_ARG(row.status));
    return OK;
}

/* ---- whose number */

static int record(struct call *call, int64_t user_id, int64_t connection_id, const char *action, struct str phone)
{
    struct str end = phone.len > 4 ? str_from_offset(phone, phone.len - 4) : phone;
    const struct audit_event event = {
        .user_id = user_id,
        .connection_id = connection_id,
        .action = str_from(action),
        .data_json = call_format(call, "{\"phone_last4\":%.*s}", STR_ARG(json_quote(call->arena, end))),
    };
    return audit_record(call, &event);
}

int approve_begin(struct call *call, int64_t user_id, int64_t connection_id, struct str phone)
{
    const struct provider *provider;
    struct site site;
    struct str number, message_id;
    int error = open_way(call, user_id, connection_id, &site, &provider);
    if (!error)
        error = provider->conversations->person(call, phone, &number);
    if (error)
        return error;
    struct str code = call_format(call, "%06u", randombytes_uniform(1000000));
    const struct approver_row row = {
        .user_id = user_id,
        .connection_id = connection_id,
        .phone = number,
        .code_hash = hash_of(call, "number", user_id, code),
        .code_until_ms = clock_now_ms() + APPROVE_VERIFY_LIFE_MS,
    };
    error = store_approvers_set(call, &row, clock_now_ms());
    if (!error)
        error = record(call, user_id, connection_id, "approver.begin", number);
    if (error)
        return error;
    return provider->notify(
        call, &site, messages_of(call, &site, 0, 0), number,
        call_format(call,
                    "porteiro: %.*s is the code that makes this number approve actions. Enter it only "
                    "if you asked for it. / Código para aprovar ações por este número.",
                    STR_ARG(code)),
        STR_EMPTY, &message_id);
}

int approve_verify(struct call *call, int64_t user_id, struct str code)
{
    struct approver_row row;
    bool done, found;
    int error = store_approvers_verify(call, user_id, hash_of(call, "number", user_id, str_trim(code)),
                                       APPROVE_VERIFY_TRIES, clock_now_ms(), &done);
    if (!error && !done)
        return fail(call, E_DENIED, "That is not the code, or it is too old, or was tried too often. Begin again.");
    if (!error)
        error = store_approvers_get(call, user_id, &row, &found);
    return error || !found ? error : record(call, user_id, row.connection_id, "approver.verify", row.phone);
}

int approve_end(struct call *call, int64_t user_id)
{
    int error = store_approvers_delete(call, user_id);
    return error ? error : record(call, user_id, 0, "approver.end", STR_EMPTY);
}

/* ---- asking */

static int send_question(struct call *call, const struct confirmation_row *row, const struct approver_row *approver)
{
    const struct provider *provider;
    struct site site;
    struct str message_id, code = token_word(call, APPROVE_CODE_CHARS);
    const struct approval_row approval = {
        .confirmation_id = row->id,
        .user_id = row->user_id,
        .connection_id = approver->connection_id,
        .phone = approver->phone,
        .code_hash = hash_of(call, "question", row->user_id, code),
    };
    int error = open_way(call, row->user_id, approver->connection_id, &site, &provider);
    if (!error)
        error = store_approvals_insert(call, &approval, clock_now_ms());
    if (error)
        return error;
    struct str what = str_cut(row->what, WHAT_SHOWN_BYTES);
    error = provider->notify(
        call, &site, messages_of(call, &site, 0, 0), approver->phone,
        call_format(call,
                    "porteiro: %.*s asks / pede:\n%.*s%s\n\nAnswer / responda: SIM %.*s (yes), NAO %.*s "
                    "(no)",
                    STR_ARG(row->tool), STR_ARG(what),
                    row->what.len > what.len ? "...\n(cut: the rest is in the dashboard / cortado: o resto no painel)"
                                             : "",
                    STR_ARG(code), STR_ARG(code)),
        call_format(call, "approval/%.*s", STR_ARG(row->id)), &message_id);
    return error ? error : store_approvals_set_message(call, row->id, message_id);
}

void approve_ask(struct call *call, const struct confirmation_row *row)
{
    struct approver_row approver;
    bool found;
    int error = store_approvers_get(call, row->user_id, &approver, &found);
    if (!error && found && approver.verified_at_ms)
        error = send_question(call, row, &approver);
    if (error) {
        log_warning("call %s: the question %.*s could not be sent to its owner's number: %.*s", call->id,
                    STR_ARG(row->id), STR_ARG(call->error_text));
        call_clear_error(call);
    }
}

/* ---- answers. "sim", "SIM k7q2", "yes." and the like; anything else is conversation. */

static bool read_answer(struct str text, bool *ret_yes, struct str *ret_code)
{
    static const struct {
        struct str word;
        bool yes;
    } words[] = {
        {STR_INIT("sim"), true},         {STR_INIT("yes"), true}, {STR_INIT("nao"), false},
        {STR_INIT("n\xC3\xA3o"), false}, {STR_INIT("no"), false},
    };
    struct str rest = str_trim(text), word;
    if (rest.len > ANSWER_BYTES_MAX)
        return false;
    while (rest.len && (rest.ptr[rest.len - 1] == '.' || rest.ptr[rest.len - 1] == '!'))
        rest.len--;
    size_t space = str_find_char(rest, ' ');
    word = str_sub(rest, 0, space);
    *ret_code = space == STR_NOT_FOUND ? STR_EMPTY : str_trim(str_from_offset(rest, space));
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (!str_eq_nocase(word, words[i].word))
            continue;
        *ret_yes = words[i].yes;
        return true;
    }
    return false;
}

int approve_answer(struct call *call, int64_t connection_id, const struct message *message)
{
    struct approver_row approver;
    struct approval_row approval;
    struct confirmation_row row;
    struct str code;
    bool yes, found;
    if (message->outgoing || !str_eq(message->sender, message->chat) || !read_answer(message->text, &yes, &code))
        return OK;
    int error = store_approvers_by_phone(call, connection_id, message->sender, &approver, &found);
    if (error || !found)
        return error;
    /* A code that was given must be the right one, whatever message is answered. */
    struct str answered = code.len ? STR_EMPTY : message->reply_to;
    error = store_approvals_find(call, connection_id, message->sender, answered,
                                 hash_of(call, "question", approver.user_id, str_lower(call->arena, code)), &approval,
                                 &found);
    if (error || !found || approval.user_id != approver.user_id)
        return error;
    error = confirm_decide(call, approval.user_id, approval.confirmation_id, yes, &row);
    if (error == E_NOT_FOUND) { /* decided elsewhere, or too late */
        call_clear_error(call);
        error = OK;
    }
    return error ? error : store_approvals_delete(call, approval.confirmation_id);
}

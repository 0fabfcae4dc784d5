/* A newer token in the place of one. */
#include "accounts/token_rotate.h"

#include "accounts/generation.h"
#include "accounts/grants.h"
#include "accounts/token_make.h"
#include "audit/audit.h"
#include "json/json_write.h"
#include "store/keys.h"
#include "store/proofs.h"

enum { AUDIT_BYTES_MAX = 1024 };

enum { ID_CHARS = 12 };

/* A token that is in its overlap would get a second successor, which nobody knows of who has the first. */
static int check_not_replaced(struct call *call, const struct token_row *token)
{
    struct proof_row proof;
    int error = store_proofs_look(call, STR(PROOF_REPLACED), token->token_hash, clock_now_ms(), &proof);
    if (error == E_NOT_FOUND) {
        call_clear_error(call);
        return OK;
    }
    return error ? error
                 : fail(call, E_CONFLICT,
                        "This token was replaced already, and goes on for a while only. Renew the newer one.");
}

static int note_replaced(struct call *call, const struct token_row *old)
{
    const struct proof_row proof = {.id = token_word(call, ID_CHARS),
                                    .user_id = old->user_id,
                                    .kind = STR(PROOF_REPLACED),
                                    .hash = old->token_hash,
                                    .value = STR_EMPTY,
                                    .created_at_ms = clock_now_ms(),
                                    .expires_at_ms = old->expires_at_ms};
    int error = store_proofs_forget(call, old->user_id, STR(PROOF_REPLACED), proof.created_at_ms);
    return error ? error : store_proofs_insert(call, &proof);
}

static int get_active(struct call *call, int64_t user_id, int64_t token_id, struct token_row *ret)
{
    int error = store_tokens_get(call, user_id, token_id, ret);
    if (!error)
        error = store_keys_lock(call, ret->user_id);
    if (!error) /* again: it may have ended while we waited for the lock */
        error = store_tokens_get(call, user_id, token_id, ret);
    if (error)
        return error;
    const struct token_claims claims = token_claims_of(ret);
    if (strcmp(token_state(ret), "active") != 0)
        return fail(call, E_CONFLICT, "This token has ended already. Make a new one.");
    if (ret->audience.len)
        return fail(call, E_CONFLICT, "This is the access of a connected app, which renews it by itself.");
    if (!token_mac_is_right(call, &claims, ret->mac))
        return fail(call, E_CONFLICT,
                    "This token's row was edited, so what it may do is not to be believed. Make a "
                    "new one.");
    return check_not_replaced(call, ret);
}

static int is_revoked(struct call *call, int64_t user_id, int64_t connection_id, bool *ret)
{
    struct connection_row row;
    int error = store_connections_get(call, user_id, connection_id, &row);
    if (!error)
        *ret = str_eq(row.status, STR(CONNECTION_REVOKED));
    return error;
}

/*
 * The connections of a token for several, besides its own. One whose row was edited is left out, as it is when the
 * token is used, and so is one that was revoked.
 */
static int copy_sites(struct call *call, const struct token_row *old, struct token_new *new)
{
    struct grant_rows rows;
    int error = store_grants_of(call, old->id, &rows);
    if (error)
        return error;
    struct token_site *sites = arena_array_of(call->arena, struct token_site, rows.count + 1);
    for (size_t i = 0; i < rows.count; i++) {
        bool revoked;
        if (rows.items[i].connection_id == old->connection_id || !grant_is_right(call, old, &rows.items[i]))
            continue;
        error = is_revoked(call, old->user_id, rows.items[i].connection_id, &revoked);
        if (error)
            return error;
        if (revoked)
            continue;
        sites[new->n_sites].connection_id = rows.items[i].connection_id;
        error = rights_parse(call, rows.items[i].rights, &sites[new->n_sites++].rights);
        if (error)
            return error;
    }
    new->sites = sites;
    return OK;
}

static int copy_terms(struct call *call, const struct token_row *old, struct token_new *ret)
{
    *ret = (struct token_new){.name = old->name};
    if (old->expires_at_ms)
        ret->expires_at_ms = clock_now_ms() + (old->expires_at_ms - old->created_at_ms);
    int error = rights_parse(call, old->rights, &ret->rights);
    if (!error)
        error = confirm_parse(call, old->confirm, &ret->confirm);
    if (!error)
        error = token_options_parse(call, old->options, &ret->options);
    return error ? error : copy_sites(call, old, ret);
}

static int end_old(struct call *call, struct token_row *old, int64_t ends_at_ms)
{
    char mac[MAC_HEX_BYTES];
    int64_t n_revoked;
    if (!ends_at_ms)
        return store_tokens_revoke(call, old->id, &n_revoked);
    if (old->expires_at_ms && old->expires_at_ms <= ends_at_ms)
        return OK;
    old->expires_at_ms = ends_at_ms;
    const struct token_claims claims = token_claims_of(old);
    token_mac(call, &claims, mac);
    return store_tokens_set_expiry(call, old->id, ends_at_ms, str_from(mac));
}

static int record(struct call *call, const struct token_row *old, const struct token_made *made, int64_t ends_at_ms)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, AUDIT_BYTES_MAX);
    json_write_init(&w, &text);
    json_object(&w);
    json_member_str(&w, "token_last4", made->last4);
    json_member_str(&w, "before_last4", old->last4);
    if (ends_at_ms)
        json_member_i64(&w, "before_ends_at", ends_at_ms);
    json_end(&w);
    const struct audit_event event = {.user_id = old->user_id,
                                      .connection_id = old->connection_id,
                                      .token_id = made->token_id,
                                      .action = STR("tokens.rotate"),
                                      .data_json = buf_str(&text)};
    return audit_record(call, &event);
}

static int rotate(struct call *call, struct token_row *old, const struct token_new *new, int64_t *ends_at_ms,
                  struct token_made *ret)
{
    struct connection_row connection;
    char hash[MAC_HEX_BYTES];
    int64_t live;
    int error = end_old(call, old, *ends_at_ms);
    if (*ends_at_ms)
        *ends_at_ms = old->expires_at_ms;
    if (!error && *ends_at_ms)
        error = note_replaced(call, old);
    if (!error)
        error = store_tokens_count_live(call, old->connection_id, &live);
    if (!error && live >= TOKENS_PER_CONNECTION_MAX)
        return fail(call, E_LIMIT, "A connection may have %d tokens. Revoke some that are not used any more.",
                    TOKENS_PER_CONNECTION_MAX);
    if (!error)
        error = token_insert(call, old->connection_id, new, "token", ret);
    if (!error && new->n_sites)
        error = store_connections_get(call, old->user_id, old->connection_id, &connection);
    if (!error && new->n_sites)
        error = token_add_sites(call, &connection, new, ret);
    if (!error && old->is_primary) {
        token_hash(ret->token, hash);
        error = store_connections_set_token(call, old->connection_id, str_from(hash), ret->last4);
    }
    return error ? error : record(call, old, ret, *ends_at_ms);
}

static int in_transaction(struct call *call, int64_t user_id, int64_t token_id, int64_t *ends_at_ms,
                          struct token_made *ret, int64_t *ret_expires_at_ms)
{
    struct token_row old;
    struct token_new new;
    int error = get_active(call, user_id, token_id, &old);
    if (!error)
        error = copy_terms(call, &old, &new);
    if (!error)
        error = rotate(call, &old, &new, ends_at_ms, ret);
    if (!error)
        *ret_expires_at_ms = new.expires_at_ms;
    return error;
}

int token_rotate(struct call *call, int64_t user_id, int64_t token_id, int64_t *old_ends_at_ms, struct token_made *ret,
                 int64_t *ret_expires_at_ms)
{
    bool mine;
    if (*old_ends_at_ms > clock_now_ms() + TOKEN_OVERLAP_MAX_MS)
        return fail(call, E_INVALID, "The old token may go on for at most 7 days.");
    int error = store_begin(call, &mine);
    if (!error)
        error = store_end(call, mine, in_transaction(call, user_id, token_id, old_ends_at_ms, ret, ret_expires_at_ms));
    if (!error)
        generation_tell(call);
    return error;
}

/* Bearer tokens of connections. */
#include "accounts/tokens.h"

#include "accounts/generation.h"
#include "accounts/grants.h"
#include "accounts/token_make.h"
#include "audit/audit.h"
#include "crypto/token.h"
#include "json/json_write.h"
#include "store/keys.h"
#include "store/oauth_grants.h"

static const struct str confirm_words[] = {
    [CONFIRM_NONE] = STR_INIT("none"), [CONFIRM_MODEL] = STR_INIT("model"), [CONFIRM_HUMAN] = STR_INIT("human")};

int confirm_parse(struct call *call, struct str word, enum confirm *ret)
{
    for (size_t i = 0; i < ARRAY_LENGTH(confirm_words); i++)
        if (str_eq(word, confirm_words[i])) {
            *ret = (enum confirm)i;
            return OK;
        }
    return fail(call, E_INVALID, "'%.*s' is no kind of confirmation. There are: none, model, human.", STR_ARG(word));
}

struct str confirm_format(enum confirm confirm)
{
    return confirm_words[confirm];
}

int tokens_parse_expiry(struct call *call, struct str text, int64_t *ret_expires_at_ms)
{
    enum { YEARS_MAX = 10 };
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'m', 60 * 1000}, {'h', 3600 * 1000}, {'d', 24 * 3600 * 1000}};
    const int64_t longest_ms = (int64_t)YEARS_MAX * 366 * 24 * 3600 * 1000;
    text = str_trim(text);
    if (str_eq(text, STR("never")) || str_eq(text, STR("none"))) {
        *ret_expires_at_ms = 0;
        return OK;
    }
    int64_t count;
    for (size_t i = 0; i < ARRAY_LENGTH(units); i++)
        if (text.len > 1 && text.ptr[text.len - 1] == units[i].unit &&
            str_to_i64(str_sub(text, 0, text.len - 1), &count) && count > 0 && count <= longest_ms / units[i].ms) {
            *ret_expires_at_ms = clock_now_ms() + count * units[i].ms;
            return OK;
        }
    return fail(call, E_INVALID, "'%.*s' is no time of expiry: write 90d, 12h, 30m (at most %d years), or never.",
                STR_ARG(text), YEARS_MAX);
}

struct token_claims token_claims_of(const struct token_row *row)
{
    return (struct token_claims){
        .token_id = row->id,
        .token_hash = row->token_hash,
        .connection_ids = &row->connection_id,
        .n_connections = 1,
        .rights = row->rights,
        .confirm = row->confirm,
        .expires_at_ms = row->expires_at_ms,
        .audience = row->audience,
    };
}

int token_insert(struct call *call, int64_t connection_id, const struct token_new *token, const char *name_if_empty,
                 struct token_made *ret)
{
    char hash[MAC_HEX_BYTES], mac[MAC_HEX_BYTES], rights[RIGHTS_TEXT_BYTES], options[TOKEN_OPTIONS_TEXT_BYTES];
    struct str text = token->access_token.len ? token->access_token : token_make(call, TOKEN_PAT);
    struct str name = str_trim(token->name);
    if (name.len == 0)
        name = str_from(name_if_empty);
    if (name.len > TOKEN_NAME_BYTES_MAX || !str_is_utf8(name))
        return fail(call, E_INVALID, "The token's name may have at most %d bytes of text.", TOKEN_NAME_BYTES_MAX);
    if (token->expires_at_ms && token->expires_at_ms <= clock_now_ms())
        return fail(call, E_INVALID, "The token's expiry lies in the past.");
    token_hash(text, hash);
    struct token_row row = {
        .connection_id = connection_id,
        .token_hash = str_from(hash),
        .name = name,
        .last4 = token_last4(text),
        .rights = rights_format(token->rights | RIGHT_READ, rights),
        .confirm = confirm_format(token->confirm),
        .options = token_options_format(token->options, options),
        .expires_at_ms = token->expires_at_ms,
        .audience = token->access_token.len ? token->audience : STR_EMPTY,
    };
    int error = store_tokens_insert(call, connection_id, row.token_hash, row.expires_at_ms, &row.id);
    if (error)
        return error;
    const struct token_claims claims = token_claims_of(&row);
    token_mac(call, &claims, mac);
    row.mac = str_from(mac);
    error = store_tokens_insert_details(call, &row);
    if (!error && row.audience.len)
        error = store_oauth_tokens_insert(call, row.id, token->grant_id, row.audience);
    if (!error)
        *ret = (struct token_made){connection_id, row.id, text, row.last4, STR_EMPTY};
    return error;
}

struct str token_audit_json(struct call *call, const struct token_made *made, const struct token_new *token)
{
    struct buf text;
    struct json_writer w;
    char rights[RIGHTS_TEXT_BYTES], options[TOKEN_OPTIONS_TEXT_BYTES];
    buf_init(&text, call->arena, 1024);
    json_write_init(&w, &text);
    json_object(&w);
    json_member_str(&w, "token_last4", made->last4);
    json_member_str(&w, "rights", rights_format(token->rights | RIGHT_READ, rights));
    json_member_str(&w, "confirm", confirm_format(token->confirm));
    if (token->options)
        json_member_str(&w, "options", token_options_format(token->options, options));
    if (made->sites.len)
        json_member_str(&w, "sites", made->sites);
    if (token->expires_at_ms)
        json_member_i64(&w, "expires_at", token->expires_at_ms);
    json_end(&w);
    return buf_str(&text);
}

int token_unset_primary(struct call *call, int64_t connection_id)
{
    char hash[MAC_HEX_BYTES];
    token_hash_of_nobody(hash);
    return store_connections_set_token(call, connection_id, str_from(hash), (struct str){NULL, 0});
}

int token_add_sites(struct call *call, const struct connection_row *home, const struct token_new *token,
                    struct token_made *made)
{
    struct token_row row;
    if (token->n_sites > TOKEN_SITES_MAX)
        return fail(call, E_LIMIT, "A token may have %d further connections.", TOKEN_SITES_MAX);
    int error = store_tokens_get(call, home->user_id, made->token_id, &row);
    return error ? error : grants_add(call, home, row.rights, token, &row, &made->sites);
}

/* The connection, with its owner's things locked. */
static int lock_connection(struct call *call, int64_t user_id, int64_t connection_id, struct connection_row *ret)
{
    int error = store_connections_get(call, user_id, connection_id, ret);
    if (!error)
        error = store_keys_lock(call, ret->user_id);
    if (!error) /* again: it may have been revoked while we waited for the lock */
        error = store_connections_get(call, user_id, connection_id, ret);
    if (!error && str_eq(ret->status, STR(CONNECTION_REVOKED)))
        return fail(call, E_CONFLICT,
                    "The connection is revoked: its tokens have ended, and it gets no new ones. "
                    "Make a new connection.");
    return error;
}

static int add(struct call *call, int64_t user_id, int64_t connection_id, const struct token_new *token,
               struct token_made *ret)
{
    struct connection_row connection;
    int64_t live;
    int error = lock_connection(call, user_id, connection_id, &connection);
    if (!error)
        error = store_tokens_count_live(call, connection_id, &live);
    if (!error && live >= TOKENS_PER_CONNECTION_MAX)
        return fail(call, E_LIMIT, "A connection may have %d tokens. Revoke some that are not used any more.",
                    TOKENS_PER_CONNECTION_MAX);
    if (!error)
        error = token_insert(call, connection_id, token, "token", ret);
    if (!error && token->n_sites)
        error = token_add_sites(call, &connection, token, ret);
    if (error)
        return error;
    const struct audit_event event = {
        .user_id = connection.user_id,
        .connection_id = connection_id,
        .token_id = ret->token_id,
        .action = STR("tokens.create"),
        .data_json = token_audit_json(call, ret, token),
    };
    return audit_record(call, &event);
}

int tokens_add(struct call *call, int64_t user_id, int64_t connection_id, const struct token_new *token,
               struct token_made *ret)
{
    bool mine;
    int error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, add(call, user_id, connection_id, token, ret));
}

int tokens_add_access(struct call *call, int64_t user_id, int64_t connection_id, const struct token_new *token,
                      struct token_made *ret)
{
    struct connection_row connection;
    int error = lock_connection(call, user_id, connection_id, &connection);
    if (!error)
        error = token_insert(call, connection_id, token, "app", ret);
    return !error && token->n_sites ? token_add_sites(call, &connection, token, ret) : error;
}

int tokens_list(struct call *call, int64_t user_id, int64_t connection_id, struct token_rows *ret)
{
    return store_tokens_list(call, user_id, connection_id, ret);
}

const char *token_state(const struct token_row *token)
{
    if (token->revoked_at_ms)
        return "revoked";
    if (!token->has_details)
        return "earlier";
    return token->expires_at_ms && token->expires_at_ms <= clock_now_ms() ? "expired" : "active";
}

static int revoke(struct call *call, int64_t user_id, int64_t token_id)
{
    struct token_row token;
    int64_t revoked;
    int error = store_tokens_get(call, user_id, token_id, &token);
    if (!error)
        error = store_keys_lock(call, token.user_id);
    if (!error) /* again: it may have been rotated while we waited for the lock */
        error = store_tokens_get(call, user_id, token_id, &token);
    if (!error)
        error = store_tokens_revoke(call, token_id, &revoked);
    if (error || !revoked)
        return error;
    if (token.audience.len)
        error = store_oauth_grants_end_of_token(call, token_id, STR("owner"));
    if (!error && token.is_primary)
        error = token_unset_primary(call, token.connection_id);
    if (error)
        return error;
    const struct audit_event event = {
        .user_id = token.user_id,
        .connection_id = token.connection_id,
        .token_id = token_id,
        .action = STR("tokens.revoke"),
        .data_json = call_format(call, "{\"token_last4\":%.*s}", STR_ARG(json_quote(call->arena, token.last4))),
    };
    return audit_record(call, &event);
}

int tokens_revoke(struct call *call, int64_t user_id, int64_t token_id)
{
    bool mine;
    int error = store_begin(call, &mine);
    if (!error)
        error = store_end(call, mine, revoke(call, user_id, token_id));
    if (!error)
        generation_tell(call);
    return error;
}

/* Codes, refresh tokens and clients' own credentials: what is given for them, and what happens when one comes twice. */
#include <sodium.h> /* before base/banned.h: it names what is banned there */

#include "oauth/grants.h"

#include "accounts/consent.h"
#include "accounts/generation.h"
#include "accounts/mail.h"
#include "accounts/tokens.h"
#include "base/log.h"
#include "crypto/token.h"
#include "oauth/clients.h"
#include "oauth/family.h"
#include "store/keys.h"
#include "store/profiles.h"

static int64_t grace_ms = GRANT_GRACE_MS;

void grants_init(int64_t grace)
{
    grace_ms = grace ? grace : GRANT_GRACE_MS;
}

/* ---- PKCE */

bool pkce_is_challenge(struct str challenge)
{
    for (size_t i = 0; i < challenge.len; i++)
        if (!ascii_is_alnum(challenge.ptr[i]) && challenge.ptr[i] != '-' && challenge.ptr[i] != '_')
            return false;
    return challenge.len == PKCE_CHALLENGE_CHARS;
}

bool pkce_is_answered(struct str challenge, struct str verifier)
{
    enum { VERIFIER_CHARS_MIN = 43, VERIFIER_CHARS_MAX = 128 };
    unsigned char digest[crypto_hash_sha256_BYTES];
    char text[PKCE_CHALLENGE_CHARS + 1];
    if (verifier.len < VERIFIER_CHARS_MIN || verifier.len > VERIFIER_CHARS_MAX || challenge.len != PKCE_CHALLENGE_CHARS)
        return false;
    for (size_t i = 0; i < verifier.len; i++)
        if (!ascii_is_alnum(verifier.ptr[i]) && str_find_char(STR("-._~"), verifier.ptr[i]) == STR_NOT_FOUND)
            return false;
    crypto_hash_sha256(digest, (const unsigned char *)verifier.ptr, verifier.len);
    sodium_bin2base64(text, sizeof text, digest, sizeof digest, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return sodium_memcmp(text, challenge.ptr, PKCE_CHALLENGE_CHARS) == 0;
}

/*
 * How an attempt ended. A refusal is a result and not an error here: what it changed (a code that is used up, a family that
 * ended) must be committed.
 */
struct verdict {
    const char *code; /* NULL: tokens were given */
    const char *text;
    bool ended; /* the family did, just now */
};

static int refuse(struct verdict *verdict, const char *code, const char *text)
{
    verdict->code = code;
    verdict->text = text;
    return OK;
}

/* ---- giving tokens */

/* Of the further connections those that are still there. */
static int other_sites(struct call *call, const struct oauth_grant_row *grant, struct token_new *token)
{
    struct token_site *sites = arena_array_of(call->arena, struct token_site, GRANT_SITES_MAX);
    struct str rest = grant->connections, word;
    token->sites = sites;
    while (grant->connections.len && str_next(&rest, ',', &word) && token->n_sites < GRANT_SITES_MAX) {
        struct connection_row row;
        int64_t id;
        if (!str_to_i64(word, &id))
            continue;
        int error = store_connections_get(call, grant->user_id, id, &row);
        if (error && error != E_NOT_FOUND)
            return error;
        if (!error && !str_eq(row.status, STR(CONNECTION_REVOKED)))
            sites[token->n_sites++].connection_id = id;
        call_clear_error(call);
    }
    return OK;
}

static int insert_refresh(struct call *call, const struct oauth_grant_row *grant, struct str refresh, int64_t now_ms)
{
    char hash[MAC_HEX_BYTES];
    token_hash(refresh, hash);
    struct oauth_refresh_row row = {.hash = str_from(hash), .grant_id = grant->id, .created_at_ms = now_ms};
    row.mac = family_mac_of_refresh(call, &row);
    return store_oauth_refresh_insert(call, &row);
}

/* What the access token before it was in the middle of goes on under this one. */
static int take_over(struct call *call, const struct oauth_grant_row *grant, bool stands, int64_t token_id)
{
    int64_t before;
    if (stands) /* each run of such a client has its own */
        return store_oauth_tokens_thin(call, grant->id, GRANT_STANDING_TOKENS_MAX);
    int error = store_oauth_tokens_before(call, grant->id, token_id, &before);
    if (!error && before)
        error = store_oauth_tokens_carry(call, before, token_id);
    return error ? error : store_oauth_tokens_thin(call, grant->id, GRANT_TOKENS_MAX);
}

static int keep_alive(struct call *call, const struct oauth_grant_row *grant, int64_t now_ms, int64_t expires_at_ms)
{
    struct oauth_grant_row used = *grant;
    used.state = STR(GRANT_ACTIVE);
    used.expires_at_ms = expires_at_ms;
    return store_oauth_grants_use(call, grant->id, now_ms, expires_at_ms, consent_mac(call, &used));
}

/* ret->access, and ret->refresh unless empty, are there. */
static int give(struct call *call, const struct oauth_grant_row *grant, struct str resource, unsigned rights,
                struct grant_tokens *ret, int64_t *ret_token_id, struct verdict *verdict)
{
    int64_t now_ms = clock_now_ms(), left_ms = grant->ends_at_ms - now_ms;
    int64_t life_ms = left_ms < GRANT_ACCESS_MS ? left_ms : GRANT_ACCESS_MS;
    int64_t idle_ms = left_ms < GRANT_IDLE_MS ? left_ms : GRANT_IDLE_MS;
    struct token_new token = {
        .name = grant->client_name,
        .rights = rights,
        .expires_at_ms = now_ms + life_ms,
        .access_token = ret->access,
        .audience = resource,
        .grant_id = grant->id,
    };
    struct token_made made;
    bool stands = grant->resource.len == 0; /* of a client with credentials of its own */
    int error = other_sites(call, grant, &token);
    if (!error)
        error = tokens_add_access(call, grant->user_id, grant->connection_id, &token, &made);
    if (error == E_CONFLICT) {
        call_clear_error(call);
        return refuse(verdict, "invalid_grant", "The connection that this was for was revoked.");
    }
    if (!error)
        error = take_over(call, grant, stands, made.token_id);
    if (!error && ret->refresh.len)
        error = insert_refresh(call, grant, ret->refresh, now_ms);
    /* Without a refresh token the family is over with its access token. */
    if (!error)
        error = keep_alive(call, grant, now_ms,
                           stands             ? grant->expires_at_ms
                           : ret->refresh.len ? now_ms + idle_ms
                                              : now_ms + life_ms);
    if (!error)
        error = family_record(call, "oauth.token", grant, made.token_id, NULL);
    if (error)
        return error;
    ret->expires_in_s = life_ms / 1000;
    ret->rights = rights | RIGHT_READ;
    *ret_token_id = made.token_id;
    return OK;
}

/* ---- a token or code that came again: somebody has it who should not */

static int tell_owner(struct call *call, const struct oauth_grant_row *grant)
{
    struct user_row user;
    struct profile_row profile;
    int error = store_users_by_id(call, grant->user_id, &user);
    if (!error)
        error = store_profiles_get(call, grant->user_id, &profile);
    if (error)
        return error;
    const struct mail mail = {.kind = MAIL_APP_ENDED,
                              .user_id = grant->user_id,
                              .to = user.email,
                              .name = user.name,
                              .language = profile.language,
                              .link = STR_EMPTY};
    return mail_queue(call, &mail);
}

static int end_family(struct call *call, const struct oauth_grant_row *grant, const char *why, struct verdict *verdict)
{
    int64_t ended;
    int error = store_oauth_grants_end(call, grant->id, STR("replay"), &ended);
    if (error || !ended)
        return error;
    verdict->ended = true;
    if (str_eq(grant->state, STR(GRANT_ACTIVE)))
        error = tell_owner(call, grant);
    return error ? error : family_record(call, "oauth.replay", grant, 0, why);
}

/* The grant as it is while we hold its owner's lock. *ret_found false: it is gone. */
static int lock_grant(struct call *call, struct str grant_id, struct oauth_grant_row *ret, bool *ret_found)
{
    int error = store_oauth_grants_get(call, USER_ANY, grant_id, ret);
    if (!error)
        error = store_keys_lock(call, ret->user_id);
    if (!error)
        error = store_oauth_grants_get(call, USER_ANY, grant_id, ret);
    *ret_found = !error;
    if (error == E_NOT_FOUND) {
        call_clear_error(call);
        return OK;
    }
    return error;
}

/* Ends the transaction and says how it ended. */
static int conclude(struct call *call, bool mine, int error, const struct verdict *verdict, const char **ret_code)
{
    error = store_end(call, mine, error);
    if (error)
        return error;
    if (verdict->ended) {
        generation_tell(call);
        mail_wake();
    }
    *ret_code = verdict->code;
    return verdict->code ? fail(call, E_DENIED, "%s", verdict->text) : OK;
}

/* ---- a code */

#define BAD_CODE "This code is not good: it is unknown, too old, used before, or not for this client and address."

static const char *judge_code(struct call *call, const struct oauth_code_row *code, const struct oauth_grant_row *grant,
                              const struct oauth_client_row *client, const struct redemption *asked)
{
    if (!str_eq(grant->state, STR(GRANT_PENDING)) || code->expires_at_ms <= clock_now_ms())
        return "too old";
    if (!str_eq(code->mac, family_mac_of_code(call, code)) || !consent_is_right(call, grant))
        return "its rows were changed";
    if (!str_eq(grant->client_id, client->id))
        return "of another client";
    if (asked->redirect_uri.ptr && !str_eq(code->redirect_uri, asked->redirect_uri))
        return "redirect_uri differs";
    return pkce_is_answered(code->challenge, asked->verifier) ? NULL : "code_verifier does not fit";
}

static int redeem(struct call *call, const struct oauth_client_row *client, const struct redemption *asked,
                  struct str hash, struct grant_tokens *ret, struct verdict *verdict)
{
    struct oauth_code_row code;
    struct oauth_grant_row grant;
    unsigned rights;
    int64_t token_id;
    bool first, found;
    int error = store_oauth_codes_get(call, hash, &code);
    if (error == E_NOT_FOUND) {
        call_clear_error(call);
        return refuse(verdict, "invalid_grant", BAD_CODE);
    }
    if (!error)
        error = lock_grant(call, code.grant_id, &grant, &found);
    if (!error && !found)
        return refuse(verdict, "invalid_grant", BAD_CODE);
    if (!error)
        error = store_oauth_codes_use(call, hash, clock_now_ms(), &first);
    if (error)
        return error;
    if (!first) {
        refuse(verdict, "invalid_grant", BAD_CODE);
        return end_family(call, &grant, "a code came twice", verdict);
    }
    const char *why = judge_code(call, &code, &grant, client, asked);
    if (why) {
        log_warning("call %s: OAuth code refused: %s", call->id, why);
        return refuse(verdict, "invalid_grant", BAD_CODE);
    }
    if (asked->resource.ptr && !str_eq(asked->resource, grant.resource))
        return refuse(verdict, "invalid_target", "The code was given for another resource.");
    error = rights_parse(call, grant.rights, &rights);
    if (error)
        return error;
    ret->access = token_make(call, TOKEN_OAT);
    ret->refresh = client_may(client, "refresh_token") ? token_make(call, TOKEN_ORT) : STR_EMPTY;
    return give(call, &grant, grant.resource, rights, ret, &token_id, verdict);
}

int grants_redeem(struct call *call, const struct oauth_client_row *client, const struct redemption *asked,
                  struct grant_tokens *ret, const char **ret_code)
{
    struct verdict verdict = {0};
    char hash[MAC_HEX_BYTES];
    enum token_type type;
    bool mine;
    *ret_code = "invalid_grant";
    if (!token_check(asked->code, &type) || type != TOKEN_OAC)
        return fail(call, E_DENIED, BAD_CODE);
    token_hash(asked->code, hash);
    int error = store_begin(call, &mine);
    if (error)
        return error;
    error = redeem(call, client, asked, str_from(hash), ret, &verdict);
    return conclude(call, mine, error, &verdict, ret_code);
}

/* ---- a refresh token */

#define BAD_REFRESH                                                                                                    \
    "This refresh token is not good: it is unknown, was used before, or its access was ended. Log in again."

/* Somebody asks again for what was given moments ago: the same once more. */
static int give_again(struct call *call, const struct oauth_refresh_row *row, struct str refresh,
                      struct grant_tokens *ret)
{
    struct token_row token;
    int error = store_tokens_get(call, USER_ANY, row->next_token_id, &token);
    if (error)
        return error;
    ret->access = token_successor(call, TOKEN_OAT, refresh);
    ret->refresh = token_successor(call, TOKEN_ORT, refresh);
    ret->expires_in_s = (token.expires_at_ms - clock_now_ms()) / 1000;
    return rights_parse(call, token.rights, &ret->rights);
}

struct refreshing {
    const struct oauth_client_row *client;
    struct str refresh, hash, resource;
    unsigned rights;
};

static int refresh_first(struct call *call, const struct refreshing *r, const struct oauth_grant_row *grant,
                         struct grant_tokens *ret, struct verdict *verdict)
{
    unsigned rights;
    int64_t token_id;
    int error = rights_parse(call, grant->rights, &rights);
    if (error)
        return error;
    if (r->rights & ~rights)
        return refuse(verdict, "invalid_scope", "The scope is wider than what was agreed to.");
    ret->access = token_successor(call, TOKEN_OAT, r->refresh);
    ret->refresh = token_successor(call, TOKEN_ORT, r->refresh);
    error = give(call, grant, grant->resource, r->rights ? r->rights : rights, ret, &token_id, verdict);
    return error || verdict->code ? error : store_oauth_refresh_use(call, r->hash, clock_now_ms(), token_id);
}

static int refresh_locked(struct call *call, const struct refreshing *r, struct grant_tokens *ret,
                          struct verdict *verdict)
{
    struct oauth_refresh_row row;
    struct oauth_grant_row grant;
    bool found = false;
    int64_t now_ms;
    int error = store_oauth_refresh_get(call, r->hash, &row);
    if (!error)
        error = lock_grant(call, row.grant_id, &grant, &found);
    if (!error && found) /* again: others may have used it while we waited */
        error = store_oauth_refresh_get(call, r->hash, &row);
    if (error && error != E_NOT_FOUND)
        return error;
    call_clear_error(call);
    now_ms = clock_now_ms();
    if (error || !found || !str_eq(row.mac, family_mac_of_refresh(call, &row)) || !consent_is_right(call, &grant) ||
        !str_eq(grant.client_id, r->client->id) || !str_eq(grant.state, STR(GRANT_ACTIVE)) ||
        grant.expires_at_ms <= now_ms)
        return refuse(verdict, "invalid_grant", BAD_REFRESH);
    if (row.used_at_ms && now_ms - row.used_at_ms > grace_ms) {
        refuse(verdict, "invalid_grant", BAD_REFRESH);
        return end_family(call, &grant, "an old refresh token came again", verdict);
    }
    if (r->resource.ptr && !str_eq(r->resource, grant.resource))
        return refuse(verdict, "invalid_target", "The refresh token was given for another resource.");
    if (!row.used_at_ms)
        return refresh_first(call, r, &grant, ret, verdict);
    error = give_again(call, &row, r->refresh, ret);
    if (error != E_NOT_FOUND)
        return error;
    call_clear_error(call);
    return refuse(verdict, "invalid_grant", BAD_REFRESH);
}

int grants_refresh(struct call *call, const struct oauth_client_row *client, struct str refresh, unsigned rights,
                   struct str resource, struct grant_tokens *ret, const char **ret_code)
{
    struct verdict verdict = {0};
    char hash[MAC_HEX_BYTES];
    enum token_type type;
    bool mine;
    *ret_code = "invalid_grant";
    if (!token_check(refresh, &type) || type != TOKEN_ORT)
        return fail(call, E_DENIED, BAD_REFRESH);
    token_hash(refresh, hash);
    const struct refreshing r = {client, refresh, str_from(hash), resource, rights};
    int error = store_begin(call, &mine);
    if (error)
        return error;
    error = refresh_locked(call, &r, ret, &verdict);
    return conclude(call, mine, error, &verdict, ret_code);
}

/* ---- credentials of its own */

static int give_standing(struct call *call, const struct oauth_client_row *client, unsigned rights, struct str resource,
                         struct grant_tokens *ret, struct verdict *verdict)
{
    struct connection_row connection;
    struct oauth_grant_row grant;
    unsigned allowed;
    int64_t token_id;
    bool found;
    int error = store_connections_get(call, USER_ANY, client->connection_id, &connection);
    if (!error)
        error = store_keys_lock(call, connection.user_id);
    if (!error)
        error = grants_remembered(call, connection.user_id, client->id, &grant, &found);
    if (!error && !found)
        return refuse(verdict, "invalid_grant", "What this client was made for was ended. Make a new client.");
    if (!error)
        error = rights_parse(call, grant.rights, &allowed);
    if (error)
        return error;
    if (rights & ~allowed)
        return refuse(verdict, "invalid_scope", "The scope is wider than what this client was made for.");
    ret->access = token_make(call, TOKEN_OAT);
    ret->refresh = STR_EMPTY;
    return give(call, &grant, resource, rights ? rights : allowed, ret, &token_id, verdict);
}

int grants_give_standing(struct call *call, const struct oauth_client_row *client, unsigned rights, struct str resource,
                         struct grant_tokens *ret, const char **ret_code)
{
    struct verdict verdict = {0};
    bool mine;
    int error = store_begin(call, &mine);
    if (error)
        return error;
    error = give_standing(call, client, rights, resource, ret, &verdict);
    return conclude(call, mine, error, &verdict, ret_code);
}

/* ---- giving back */

static int revoke_access(struct call *call, const struct oauth_client_row *client, struct str hash, bool *ret_changed)
{
    struct oauth_grant_row grant;
    struct str grant_id;
    int64_t token_id, revoked;
    bool found;
    int error = store_oauth_tokens_find(call, hash, &token_id, &grant_id);
    if (!error)
        error = lock_grant(call, grant_id, &grant, &found);
    if (error || !found || !str_eq(grant.client_id, client->id))
        return error;
    error = store_tokens_revoke(call, token_id, &revoked);
    *ret_changed = !error && revoked;
    return !*ret_changed ? error : family_record(call, "oauth.revoke", &grant, token_id, "by its client");
}

static int revoke_refresh(struct call *call, const struct oauth_client_row *client, struct str hash, bool *ret_changed)
{
    struct oauth_refresh_row row;
    struct oauth_grant_row grant;
    int64_t ended;
    bool found;
    int error = store_oauth_refresh_get(call, hash, &row);
    if (!error)
        error = lock_grant(call, row.grant_id, &grant, &found);
    if (error || !found || !str_eq(grant.client_id, client->id) || !str_eq(row.mac, family_mac_of_refresh(call, &row)))
        return error;
    error = store_oauth_grants_end(call, grant.id, STR("client"), &ended);
    *ret_changed = !error && ended;
    return !*ret_changed ? error : family_record(call, "oauth.end", &grant, 0, "by its client");
}

int grants_revoke_token(struct call *call, const struct oauth_client_row *client, struct str token, bool *ret_changed)
{
    char hash[MAC_HEX_BYTES];
    enum token_type type;
    bool mine;
    *ret_changed = false;
    if (!token_check(token, &type) || (type != TOKEN_OAT && type != TOKEN_ORT))
        return OK;
    token_hash(token, hash);
    int error = store_begin(call, &mine);
    if (error)
        return error;
    error = type == TOKEN_OAT ? revoke_access(call, client, str_from(hash), ret_changed)
                              : revoke_refresh(call, client, str_from(hash), ret_changed);
    if (error == E_NOT_FOUND) {
        call_clear_error(call);
        error = OK;
    }
    error = store_end(call, mine, error);
    if (!error && *ret_changed) /* only then: anybody may ask, and each move makes all authentications be looked up */
        generation_tell(call);
    return error;
}

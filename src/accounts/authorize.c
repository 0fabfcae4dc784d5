/* Connecting by a click at the service. */
#include "accounts/authorize.h"

#include "accounts/connect.h"
#include "accounts/owner.h"
#include "accounts/registration.h"
#include "crypto/token.h"
#include "json/json_write.h"
#include "net/url.h"
#include "store/keys.h"
#include "store/proofs.h"

enum { VALUE_BYTES_MAX = 64 * 1024, ID_CHARS = 16 };

static const struct str app_id = STR_INIT("6f0b4c52-7d0a-4f7e-9a53-0b6f5a7c1d20"); /* of this program, everywhere */

/* ---- what is carried along */

static struct str write_new(struct call *call, const struct connection_new *new)
{
    char rights[RIGHTS_TEXT_BYTES];
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, VALUE_BYTES_MAX);
    json_write_init(&w, &text);
    json_object(&w);
    json_member_str(&w, "provider", new->provider_key);
    json_member_str(&w, "name", new->name);
    json_member_str(&w, "rights", rights_format(new->token.rights, rights));
    json_member_str(&w, "confirm", confirm_format(new->token.confirm));
    json_member_i64(&w, "expires_at", new->token.expires_at_ms);
    json_member_raw(&w, "config", new->config_json);
    if (new->secret_json.len)
        json_member_raw(&w, "secret", new->secret_json);
    json_end(&w);
    return buf_str(&text);
}

static int read_new(struct call *call, int64_t user_id, struct str text, struct connection_new *ret)
{
    const struct json *json;
    if (json_parse(call->arena, text, NULL, &json, NULL) < 0)
        return fail(call, E_INTERNAL, "What was carried along cannot be read.");
    *ret = (struct connection_new){
        .user_id = user_id,
        .provider_key = json_str(json_get(json, STR("provider"))),
        .name = json_str(json_get(json, STR("name"))),
        .config_json = json_raw(json_get(json, STR("config"))),
        .secret_json = json_raw(json_get(json, STR("secret"))),
        .token = {.name = STR_EMPTY, .expires_at_ms = json_i64_or(json_get(json, STR("expires_at")), 0)},
    };
    int error = rights_parse(call, json_str(json_get(json, STR("rights"))), &ret->token.rights);
    return error ? error : confirm_parse(call, json_str(json_get(json, STR("confirm"))), &ret->token.confirm);
}

static int carry(struct call *call, int64_t user_id, const char *kind, struct str id, struct str value,
                 struct str *ret_token)
{
    char *hash = arena_alloc(call->arena, MAC_HEX_BYTES);
    *ret_token = token_make(call, TOKEN_LNK);
    token_hash(*ret_token, hash);
    int64_t now = clock_now_ms();
    const struct proof_row proof = {.id = id,
                                    .user_id = user_id,
                                    .kind = str_from(kind),
                                    .hash = str_from(hash),
                                    .value = value,
                                    .created_at_ms = now,
                                    .expires_at_ms = now + AUTHORIZE_LIFE_MS};
    return store_proofs_insert(call, &proof);
}

static int find(struct call *call, int64_t user_id, const char *kind, struct str token, bool uses_up,
                struct proof_row *ret)
{
    enum token_type type;
    char hash[MAC_HEX_BYTES];
    int error = E_NOT_FOUND;
    if (token_check(token, &type) && type == TOKEN_LNK) {
        token_hash(token, hash);
        error = store_proofs_look(call, str_from(kind), str_from(hash), clock_now_ms(), ret);
        if (!error && ret->user_id == user_id && uses_up)
            error = store_proofs_use(call, str_from(kind), str_from(hash), clock_now_ms(), ret);
    }
    if (error == E_NOT_FOUND || (!error && ret->user_id != user_id))
        return fail(call, E_DENIED, "This took longer than ten minutes, or was begun by somebody else. Begin again.");
    return error;
}

static struct seal_place place_of(int64_t user_id, struct str id)
{
    return (struct seal_place){user_id, STR("mcp_proofs"), id, STR("value")};
}

/* ---- the three steps */

/*
 * As the password is called at the service: WordPress refuses a second one of the same name, and its owner wants to
 * tell one from another.
 */
static struct str app_name(struct call *call, struct str connection_name)
{
    enum { MINUTES = 16 /* of "2026-01-31 12:34:56.789" */ };
    char now[CLOCK_TEXT_BYTES];
    clock_format(clock_now_ms(), now);
    return call_format(call, "porteiro: %.*s (%.*s)", STR_ARG(connection_name), MINUTES, now);
}

int authorize_begin(struct call *call, const struct connection_new *new, struct str return_url,
                    struct site_check *ret_check, struct str *ret_url)
{
    const struct provider *provider;
    const struct site site = {
        .user_id = new->user_id, .name = new->name, .provider_key = new->provider_key, .config_json = new->config_json};
    struct str state;
    int error = connect_provider(call, new->provider_key, &provider);
    if (!error && !provider->authorize_begin)
        return fail(call, E_INVALID, "%.*s has no page for letting programs in.", STR_ARG(provider->name));
    if (!error)
        error = connections_may_add(call, new->user_id, new->provider_key, new->name);
    if (error)
        return error;
    registration_forget_expired(call); /* those who went there and did not finish left a password here */
    error = carry(call, new->user_id, PROOF_AUTHORIZE, token_word(call, ID_CHARS), write_new(call, new), &state);
    if (error)
        return error;
    const struct authorize_offer offer = {
        .app_name = app_name(call, new->name),
        .app_id = app_id,
        .return_url = call_format(call, "%.*s?state=%.*s", STR_ARG(return_url), STR_ARG(state)),
    };
    error = provider->authorize_begin(call, &site, &offer, ret_check, ret_url);
    if (error || ret_check->ok)
        return error;
    fail_detail(call, "%.*s", STR_ARG(ret_check->error_code));
    return fail(call, E_UPSTREAM, "%.*s", STR_ARG(ret_check->error_text));
}

static struct str state_of(struct call *call, struct str query)
{
    struct str name, value;
    while (url_query_next(call->arena, &query, true, &name, &value))
        if (str_eq(name, STR("state")))
            return value;
    return STR_EMPTY;
}

static int keep(struct call *call, int64_t user_id, const struct connection_new *new, struct str *ret_token)
{
    struct str id = token_word(call, ID_CHARS), wrapped, sealed;
    const struct seal_place place = place_of(user_id, id);
    int error = owner_lock(call, user_id, &wrapped);
    if (!error)
        error = seal_make_at(call, &place, wrapped, write_new(call, new), &sealed);
    return error ? error : carry(call, user_id, PROOF_AUTHORIZED, id, sealed, ret_token);
}

int authorize_return(struct call *call, int64_t user_id, struct str query, struct str *ret_token)
{
    const struct provider *provider;
    struct connection_new new;
    struct proof_row proof;
    bool mine;
    int error = find(call, user_id, PROOF_AUTHORIZE, state_of(call, query), true, &proof);
    if (!error)
        error = read_new(call, user_id, proof.value, &new);
    if (!error)
        error = connect_provider(call, new.provider_key, &provider);
    if (!error)
        error = provider->authorize_end(call, query, &new.config_json, &new.secret_json);
    if (!error)
        error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, keep(call, user_id, &new, ret_token));
}

static int open_kept(struct call *call, int64_t user_id, struct str token, bool uses_up, struct connection_new *ret)
{
    struct proof_row proof;
    struct str wrapped, text;
    int error = find(call, user_id, PROOF_AUTHORIZED, token, uses_up, &proof);
    if (!error)
        error = store_keys_of_user(call, user_id, &wrapped);
    if (error)
        return error;
    const struct seal_place place = place_of(user_id, proof.id);
    error = seal_open_at(call, &place, wrapped, proof.value, &text);
    return error ? error : read_new(call, user_id, text, ret);
}

int authorize_look(struct call *call, int64_t user_id, struct str token, struct authorize_shown *ret)
{
    const struct provider *provider;
    struct connection_new new;
    int error = open_kept(call, user_id, token, false, &new);
    if (!error)
        error = connect_provider(call, new.provider_key, &provider);
    if (error)
        return error;
    *ret = (struct authorize_shown){
        .provider_name = provider->name,
        .name = new.name,
        .address = connect_address(call->arena, provider, new.config_json),
    };
    return OK;
}

int authorize_finish(struct call *call, int64_t user_id, struct str token, struct site_check *ret_check,
                     struct token_made *ret_made)
{
    struct connection_new new;
    int error = open_kept(call, user_id, token, true, &new);
    return error ? error : connect_add(call, &new, ret_check, ret_made);
}

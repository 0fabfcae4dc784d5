/* What people agreed to: agreeing, listing, ending. What is given for it: oauth/redeem.c. */
#include "oauth/grants.h"

#include "accounts/consent.h"
#include "accounts/generation.h"
#include "accounts/owner.h"
#include "audit/audit.h"
#include "crypto/token.h"
#include "json/json_write.h"
#include "oauth/family.h"
#include "store/connections.h"

enum { ID_CHARS = 20, AUDIT_BYTES_MAX = 4096, IDS_BYTES_MAX = 1024 };

/* ---- MACs: whoever can only write rows cannot hand a family to a code or token of his own (of grants: accounts/consent.h) */

struct str family_mac_of_code(struct call *call, const struct oauth_code_row *row)
{
    char *mac = arena_alloc(call->arena, MAC_HEX_BYTES);
    keyring_mac(KEYRING_TOKEN_MAC,
                call_format(call, "oauth-code|v1|%.*s|%.*s|%.*s|%.*s", STR_ARG(row->hash), STR_ARG(row->grant_id),
                            STR_ARG(row->challenge), STR_ARG(row->redirect_uri)),
                mac);
    return str_from(mac);
}

struct str family_mac_of_refresh(struct call *call, const struct oauth_refresh_row *row)
{
    char *mac = arena_alloc(call->arena, MAC_HEX_BYTES);
    keyring_mac(KEYRING_TOKEN_MAC,
                call_format(call, "oauth-refresh|v1|%.*s|%.*s", STR_ARG(row->hash), STR_ARG(row->grant_id)), mac);
    return str_from(mac);
}

/* ---- events */

int family_record(struct call *call, const char *action, const struct oauth_grant_row *grant, int64_t token_id,
                  const char *why)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, AUDIT_BYTES_MAX);
    json_write_init(&w, &text);
    json_object(&w);
    audit_write_origin(&w, call);
    json_member_str(&w, "grant", grant->id);
    json_member_str(&w, "app", grant->client_id); /* "client" is the address that it came from */
    json_member_str(&w, "rights", grant->rights);
    if (grant->redirect_host.len)
        json_member_str(&w, "host", grant->redirect_host);
    if (grant->connections.len)
        json_member_str(&w, "connections", grant->connections);
    if (why)
        json_member_str(&w, "why", str_from(why));
    json_end(&w);
    const struct audit_event event = {.user_id = grant->user_id,
                                      .connection_id = grant->connection_id,
                                      .token_id = token_id,
                                      .action = str_from(action),
                                      .data_json = buf_str(&text)};
    return audit_record(call, &event);
}

/* ---- agreeing */

static int insert(struct call *call, struct oauth_grant_row *row)
{
    row->id = token_word(call, ID_CHARS);
    row->mac = consent_mac(call, row);
    return store_oauth_grants_insert(call, row);
}

/* All of that person, usable, and of one kind of service. *ret_others: "7,9". */
static int check_connections(struct call *call, const struct grant_new *new, struct str *ret_others)
{
    struct connection_row home, other;
    struct buf others;
    buf_init(&others, call->arena, IDS_BYTES_MAX);
    if (new->n_connections == 0 || new->n_connections > GRANT_SITES_MAX)
        return fail(call, E_INVALID, "Choose 1 to %d connections.", GRANT_SITES_MAX);
    for (size_t i = 0; i < new->n_connections; i++) {
        int error = store_connections_get(call, new->user_id, new->connection_ids[i], i ? &other : &home);
        if (error)
            return error;
        const struct connection_row *row = i ? &other : &home;
        if (str_eq(row->status, STR(CONNECTION_REVOKED)))
            return fail(call, E_CONFLICT, "The connection %.*s was revoked.", STR_ARG(row->name));
        if (!str_eq(row->provider_key, home.provider_key))
            return fail(call, E_INVALID, "Choose connections to one kind of service at a time.");
        if (i)
            buf_add_format(&others, "%s%lld", others.len ? "," : "", (long long)row->id);
    }
    *ret_others = buf_str(&others);
    return OK;
}

/* A client that logs in again and again leaves families behind that nobody uses. */
static int make_room(struct call *call, const struct grant_new *new, int64_t now_ms)
{
    struct oauth_grant_rows rows;
    int64_t ended;
    int error = store_oauth_grants_list(call, new->user_id, new->client->id, now_ms, &rows);
    if (error || rows.count < GRANTS_PER_CLIENT_MAX)
        return error;
    const struct oauth_grant_row *oldest = &rows.items[0];
    for (size_t i = 1; i < rows.count; i++)
        if (rows.items[i].last_used_at_ms < oldest->last_used_at_ms)
            oldest = &rows.items[i];
    error = store_oauth_grants_end(call, oldest->id, STR("too many"), &ended);
    return error ? error : family_record(call, "oauth.end", oldest, 0, "too many of this client");
}

static int agree(struct call *call, const struct grant_new *new, struct str code)
{
    char rights[RIGHTS_TEXT_BYTES], hash[MAC_HEX_BYTES];
    int64_t now_ms = clock_now_ms();
    struct str wrapped;
    struct oauth_grant_row row = {
        .user_id = new->user_id,
        .client_id = new->client->id,
        .connection_id = new->n_connections ? new->connection_ids[0] : 0,
        .rights = rights_format(new->rights | RIGHT_READ, rights),
        .resource = new->resource,
        .redirect_host = new->redirect_host,
        .state = STR(GRANT_PENDING),
        .created_at_ms = now_ms,
        .expires_at_ms = now_ms + GRANT_CODE_MS,
        .ends_at_ms = now_ms + GRANT_LIFE_MS,
    };
    int error = owner_lock(call, new->user_id, &wrapped);
    if (!error)
        error = check_connections(call, new, &row.connections);
    if (!error)
        error = make_room(call, new, now_ms);
    if (!error)
        error = insert(call, &row);
    token_hash(code, hash);
    struct oauth_code_row pending = {
        .hash = str_from(hash),
        .grant_id = row.id,
        .redirect_uri = new->redirect_uri,
        .challenge = new->challenge,
        .created_at_ms = now_ms,
        .expires_at_ms = now_ms + GRANT_CODE_MS,
    };
    if (error)
        return error;
    pending.mac = family_mac_of_code(call, &pending);
    error = store_oauth_codes_insert(call, &pending);
    if (!error)
        error = store_oauth_clients_used(call, new->client->id, now_ms);
    return error ? error : family_record(call, "oauth.consent", &row, 0, NULL);
}

int grants_agree(struct call *call, const struct grant_new *new, struct str *ret_code)
{
    bool mine;
    *ret_code = token_make(call, TOKEN_OAC);
    int error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, agree(call, new, *ret_code));
}

int grants_add_standing(struct call *call, const struct oauth_client_row *client, int64_t user_id)
{
    static const int64_t long_ms = INT64_C(100) * 366 * 24 * 3600 * 1000;
    int64_t now_ms = clock_now_ms();
    struct oauth_grant_row row = {
        .user_id = user_id,
        .client_id = client->id,
        .connection_id = client->connection_id,
        .connections = STR_EMPTY,
        .rights = client->rights,
        .resource = STR_EMPTY,
        .redirect_host = STR_EMPTY,
        .state = STR(GRANT_ACTIVE),
        .created_at_ms = now_ms,
        .expires_at_ms = now_ms + long_ms,
        .ends_at_ms = now_ms + long_ms,
    };
    return insert(call, &row);
}

/* ---- the person's view */

int grants_list(struct call *call, int64_t user_id, struct oauth_grant_rows *ret)
{
    return store_oauth_grants_list(call, user_id, STR_EMPTY, clock_now_ms(), ret);
}

int grants_remembered(struct call *call, int64_t user_id, struct str client_id, struct oauth_grant_row *ret,
                      bool *ret_found)
{
    struct oauth_grant_rows rows;
    *ret_found = false;
    int error = store_oauth_grants_list(call, user_id, client_id, clock_now_ms(), &rows);
    for (size_t i = 0; !error && i < rows.count && !*ret_found; i++)
        if (consent_is_right(call, &rows.items[i])) {
            *ret = rows.items[i];
            *ret_found = true;
        }
    return error;
}

static int end(struct call *call, int64_t user_id, struct str id, int64_t *ret_ended)
{
    struct oauth_grant_row row;
    struct str wrapped;
    int error = store_oauth_grants_get(call, user_id, id, &row);
    if (!error)
        error = owner_lock(call, row.user_id, &wrapped);
    if (!error)
        error = store_oauth_grants_end(call, id, STR("owner"), ret_ended);
    return error || !*ret_ended ? error : family_record(call, "oauth.end", &row, 0, "by its owner");
}

int grants_end(struct call *call, int64_t user_id, struct str id)
{
    int64_t ended = 0;
    bool mine;
    int error = store_begin(call, &mine);
    if (!error)
        error = store_end(call, mine, end(call, user_id, id, &ended));
    if (!error && ended)
        generation_tell(call);
    return error;
}

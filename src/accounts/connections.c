/* People's connections to services. */
#include "accounts/connections.h"

#include "accounts/alert.h"
#include "accounts/authenticate.h"

#include "accounts/generation.h"
#include "accounts/mail.h"
#include "accounts/owner.h"
#include "accounts/token_make.h"
#include "audit/audit.h"
#include "json/json_write.h"
#include "store/keys.h"
#include "store/profiles.h"
#include "store/providers.h"
#include "store/users.h"

enum { CONFIG_BYTES_MAX = 64 * 1024 };

static int revoked(struct call *call)
{
    return fail(call, E_CONFLICT, "The connection is revoked for good. Make a new one.");
}

static int record(struct call *call, const struct connection_row *connection, int64_t token_id, const char *action,
                  struct str data_json)
{
    const struct audit_event event = {
        .user_id = connection->user_id,
        .connection_id = connection->id,
        .token_id = token_id,
        .action = str_from(action),
        .data_json = data_json,
    };
    return audit_record(call, &event);
}

/* The connection as it is once nobody else can change it. */
static int get_locked(struct call *call, int64_t user_id, int64_t id, struct connection_row *ret,
                      struct str *ret_wrapped)
{
    int error = store_connections_get(call, user_id, id, ret);
    if (!error)
        error = owner_lock(call, ret->user_id, ret_wrapped);
    return error ? error : store_connections_get(call, user_id, id, ret);
}

static int clean_name(struct call *call, struct str text, struct str *ret_name)
{
    struct str name = str_trim(text);
    size_t chars = 0;
    for (size_t i = 0; i < name.len; i++) {
        chars += ((unsigned char)name.ptr[i] & 0xC0) != 0x80;
        if ((unsigned char)name.ptr[i] < ' ')
            return fail(call, E_INVALID, "The connection's name may not have control characters.");
    }
    if (chars == 0 || chars > CONNECTION_NAME_CHARS_MAX || !str_is_utf8(name))
        return fail(call, E_INVALID, "The connection's name needs 1 to %d characters.", CONNECTION_NAME_CHARS_MAX);
    *ret_name = name;
    return OK;
}

static int check_object(struct call *call, struct str text, const char *what)
{
    const struct json *value;
    if (text.len > CONFIG_BYTES_MAX)
        return fail(call, E_LIMIT, "The connection's %s is larger than %d bytes.", what, CONFIG_BYTES_MAX);
    if (json_parse(call->arena, text, NULL, &value, NULL) < 0 || !json_is(value, JSON_OBJECT))
        return fail(call, E_INVALID, "The connection's %s is no JSON object.", what);
    return OK;
}

static int check_name_is_free(struct call *call, int64_t user_id, struct str name)
{
    int64_t all, of_name;
    int error = store_connections_count(call, user_id, name, &all, &of_name);
    if (!error && of_name)
        return fail(call, E_CONFLICT, "There is a connection with the name '%.*s' already.", STR_ARG(name));
    if (!error && all >= CONNECTIONS_PER_USER_MAX)
        return fail(call, E_LIMIT, "An account may have %d connections.", CONNECTIONS_PER_USER_MAX);
    return error;
}

static int find_provider(struct call *call, struct str key, struct provider_row *ret)
{
    int error = store_providers_by_key(call, key, ret);
    if (!error && !ret->enabled)
        return fail(call, E_DENIED, "The provider '%.*s' is disabled on this server.", STR_ARG(ret->key));
    return error;
}

/* ---- making */

int connections_may_add(struct call *call, int64_t user_id, struct str provider_key, struct str name)
{
    struct provider_row provider;
    struct str cleaned;
    int error = clean_name(call, name, &cleaned);
    if (!error)
        error = find_provider(call, provider_key, &provider);
    return error ? error : check_name_is_free(call, user_id, cleaned);
}

static int insert_connection(struct call *call, const struct connection_new *connection, struct str name,
                             struct token_made *ret)
{
    struct str wrapped, sealed;
    struct provider_row provider;
    char nobody[MAC_HEX_BYTES], token_hash_text[MAC_HEX_BYTES];
    int64_t id;
    int error = owner_lock(call, connection->user_id, &wrapped);
    if (!error)
        error = find_provider(call, connection->provider_key, &provider);
    if (!error)
        error = check_name_is_free(call, connection->user_id, name);
    token_hash_of_nobody(nobody);
    if (!error)
        error = store_connections_insert(call, connection->user_id, provider.id, name, connection->config_json,
                                         str_from(nobody), &id);
    if (!error)
        error = seal_make(call, connection->user_id, id, wrapped, connection->secret_json, &sealed);
    if (!error)
        error = store_connections_set_secret(call, connection->user_id, id, sealed);
    if (!error)
        error = token_insert(call, id, &connection->token, "primary", ret);
    if (error)
        return error;
    token_hash(ret->token, token_hash_text);
    error = store_connections_set_token(call, id, str_from(token_hash_text), ret->last4);
    if (error)
        return error;
    const struct audit_event event = {
        .user_id = connection->user_id,
        .connection_id = id,
        .token_id = ret->token_id,
        .action = STR("connections.create"),
        .data_json =
            call_format(call, "{\"provider\":%.*s,\"token_last4\":%.*s,\"token\":%.*s}",
                        STR_ARG(json_quote(call->arena, provider.key)), STR_ARG(json_quote(call->arena, ret->last4)),
                        STR_ARG(token_audit_json(call, ret, &connection->token))),
    };
    return audit_record(call, &event);
}

int connections_add(struct call *call, const struct connection_new *connection, struct token_made *ret)
{
    struct str name;
    bool mine;
    int error = clean_name(call, connection->name, &name);
    if (!error)
        error = check_object(call, connection->config_json, "config");
    if (!error)
        error = check_object(call, connection->secret_json, "secret");
    if (!error)
        error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, insert_connection(call, connection, name, ret));
}

/* ---- looking */

int connections_list(struct call *call, int64_t user_id, struct connection_rows *ret)
{
    return store_connections_list(call, user_id, ret);
}

int connections_show(struct call *call, int64_t user_id, int64_t id, struct connection_row *ret)
{
    return store_connections_get(call, user_id, id, ret);
}

int connections_site(struct call *call, int64_t user_id, int64_t id, struct site *ret)
{
    struct connection_secret secret;
    int error = store_connections_secret(call, user_id, id, &secret);
    if (error)
        return error;
    *ret = (struct site){
        .connection_id = id,
        .user_id = secret.user_id,
        .name = secret.name,
        .config_json = secret.config_json,
        .secret = {secret.secret_json, secret.wrapped_key, secret.user_id, id},
    };
    return OK;
}

/* ---- the primary token */

/* What the new primary token may do: as the old one, whether that still works or not; without one, the default. */
static int rights_of_primary(struct call *call, const struct connection_row *connection, struct token_new *ret)
{
    struct token_row old;
    *ret = (struct token_new){.rights = RIGHTS_DEFAULT};
    int error = store_tokens_primary(call, connection->id, &old);
    if (error == E_NOT_FOUND || (!error && !old.has_details)) {
        call_clear_error(call);
        return OK;
    }
    if (error)
        return error;
    const struct token_claims claims = token_claims_of(&old);
    if (!token_mac_is_right(call, &claims, old.mac))
        return OK; /* somebody edited the row: its rights are not to be believed */
    ret->name = old.name;
    if (old.expires_at_ms) /* as long a life */
        ret->expires_at_ms = clock_now_ms() + (old.expires_at_ms - old.created_at_ms);
    error = rights_parse(call, old.rights, &ret->rights);
    if (!error)
        error = token_options_parse(call, old.options, &ret->options);
    return error ? error : confirm_parse(call, old.confirm, &ret->confirm);
}

/* Without one that is fine: it was revoked by itself. */
static int end_primary(struct call *call, int64_t connection_id)
{
    struct token_row old;
    int64_t n_revoked;
    int error = store_tokens_primary(call, connection_id, &old);
    if (error == E_NOT_FOUND) {
        call_clear_error(call);
        return OK;
    }
    return error ? error : store_tokens_revoke(call, old.id, &n_revoked);
}

static int rotate(struct call *call, int64_t user_id, int64_t id, struct token_made *ret)
{
    struct connection_row connection;
    struct token_new token;
    struct str wrapped;
    char hash[MAC_HEX_BYTES];
    int error = get_locked(call, user_id, id, &connection, &wrapped);
    if (!error && str_eq(connection.status, STR(CONNECTION_REVOKED)))
        return revoked(call);
    if (!error)
        error = rights_of_primary(call, &connection, &token);
    if (!error)
        error = end_primary(call, id);
    if (!error)
        error = token_insert(call, id, &token, "primary", ret);
    if (error)
        return error;
    token_hash(ret->token, hash);
    error = store_connections_set_token(call, id, str_from(hash), ret->last4);
    return error ? error
                 : record(call, &connection, ret->token_id, "connections.rotate_token",
                          token_audit_json(call, ret, &token));
}

int connections_rotate_token(struct call *call, int64_t user_id, int64_t id, struct token_made *ret)
{
    bool mine;
    int error = store_begin(call, &mine);
    if (!error)
        error = store_end(call, mine, rotate(call, user_id, id, ret));
    if (!error)
        generation_tell(call);
    return error;
}

/* ---- changing. Each step is a function of this form, run in a transaction. */

struct change {
    int64_t user_id, id;
    struct str name, config_json, secret_json;
    const char *from, *to, *action;
    const struct site_check *check;
    const struct site *looked_at; /* NULL: what is there */
    bool refused;
    bool once; /* nothing when the connection rests for this already */
    bool *ret_kept;
};

static int run(struct call *call, int (*step)(struct call *call, const struct change *change),
               const struct change *change)
{
    bool mine;
    int error = store_begin(call, &mine);
    if (!error)
        error = store_end(call, mine, step(call, change));
    if (!error)
        generation_tell(call);
    return error;
}

static int set_secret(struct call *call, const struct change *change)
{
    struct connection_row connection;
    struct str wrapped, sealed;
    bool changed;
    int error = get_locked(call, change->user_id, change->id, &connection, &wrapped);
    if (!error && str_eq(connection.status, STR(CONNECTION_REVOKED)))
        return revoked(call);
    if (!error)
        error = seal_make(call, connection.user_id, change->id, wrapped, change->secret_json, &sealed);
    if (!error)
        error = store_connections_set_secret(call, change->user_id, change->id, sealed);
    if (!error)
        error = store_connections_set_config(call, change->user_id, change->id, change->config_json);
    if (!error)
        error = store_connections_set_status(call, change->user_id, change->id, CONNECTION_ERROR, CONNECTION_ACTIVE,
                                             &changed);
    return error ? error : record(call, &connection, 0, "connections.set_secret", STR("{}"));
}

int connections_set_secret(struct call *call, int64_t user_id, int64_t id, struct str config_json,
                           struct str secret_json)
{
    const struct change change = {.user_id = user_id, .id = id, .config_json = config_json, .secret_json = secret_json};
    int error = check_object(call, config_json, "config");
    if (!error)
        error = check_object(call, secret_json, "secret");
    return error ? error : run(call, set_secret, &change);
}

static int rename_to(struct call *call, const struct change *change)
{
    struct connection_row connection;
    struct str wrapped;
    int error = get_locked(call, change->user_id, change->id, &connection, &wrapped);
    if (error || str_eq(connection.name, change->name))
        return error;
    error = check_name_is_free(call, connection.user_id, change->name);
    if (!error)
        error = store_connections_set_name(call, change->user_id, change->id, change->name);
    return error ? error
                 : record(call, &connection, 0, "connections.rename",
                          call_format(call, "{\"name\":%.*s}", STR_ARG(json_quote(call->arena, change->name))));
}

int connections_rename(struct call *call, int64_t user_id, int64_t id, struct str name)
{
    struct change change = {.user_id = user_id, .id = id};
    int error = clean_name(call, name, &change.name);
    return error ? error : run(call, rename_to, &change);
}

static int set_status(struct call *call, const struct change *change)
{
    struct connection_row connection;
    struct str wrapped;
    bool changed;
    int error = get_locked(call, change->user_id, change->id, &connection, &wrapped);
    if (!error && str_eq(connection.status, STR(CONNECTION_REVOKED)))
        return revoked(call);
    if (error || str_eq(connection.status, str_from(change->to)))
        return error;
    error = store_connections_set_status(call, change->user_id, change->id, change->from, change->to, &changed);
    return error || !changed ? error : record(call, &connection, 0, change->action, STR("{}"));
}

int connections_pause(struct call *call, int64_t user_id, int64_t id)
{
    const struct change change = {.user_id = user_id, .id = id, .to = CONNECTION_PAUSED, .action = "connections.pause"};
    return run(call, set_status, &change);
}

int connections_resume(struct call *call, int64_t user_id, int64_t id)
{
    const struct change change = {
        .user_id = user_id, .id = id, .to = CONNECTION_ACTIVE, .action = "connections.resume"};
    return run(call, set_status, &change);
}

static int revoke(struct call *call, const struct change *change)
{
    struct connection_row connection;
    struct str wrapped;
    int64_t n_revoked;
    bool changed;
    int error = get_locked(call, change->user_id, change->id, &connection, &wrapped);
    if (error || str_eq(connection.status, STR(CONNECTION_REVOKED)))
        return error;
    error = store_connections_set_status(call, change->user_id, change->id, NULL, CONNECTION_REVOKED, &changed);
    if (!error)
        error = store_tokens_revoke_all(call, change->id, &n_revoked);
    if (!error)
        error = token_unset_primary(call, change->id);
    return error ? error
                 : record(call, &connection, 0, "connections.revoke",
                          call_format(call, "{\"tokens\":%lld}", (long long)n_revoked));
}

int connections_revoke(struct call *call, int64_t user_id, int64_t id)
{
    const struct change change = {.user_id = user_id, .id = id};
    return run(call, revoke, &change);
}

static int delete_it(struct call *call, const struct change *change)
{
    struct connection_row connection;
    struct str wrapped;
    int error = get_locked(call, change->user_id, change->id, &connection, &wrapped);
    if (!error)
        error = store_connections_delete(call, change->user_id, change->id);
    return error ? error
                 : record(call, &connection, 0, "connections.delete",
                          call_format(call, "{\"name\":%.*s}", STR_ARG(json_quote(call->arena, connection.name))));
}

int connections_delete(struct call *call, int64_t user_id, int64_t id)
{
    const struct change change = {.user_id = user_id, .id = id};
    return run(call, delete_it, &change);
}

/* ---- checks */

/* Once: the connection rests from now on. */
static int tell_owner(struct call *call, const struct connection_row *connection)
{
    struct user_row user;
    struct profile_row profile;
    int error = store_users_by_id(call, connection->user_id, &user);
    if (!error)
        error = store_profiles_get(call, connection->user_id, &profile);
    if (error)
        return error;
    const struct mail mail = {.kind = MAIL_SITE_REFUSED,
                              .user_id = user.id,
                              .to = user.email,
                              .name = user.name,
                              .language = profile.language,
                              .details = connection->name};
    return mail_queue(call, &mail);
}

/* A look takes seconds, and an answer may come late: is it of what the connection is now? */
static int is_of_now(struct call *call, const struct change *change, bool *ret)
{
    struct connection_secret now;
    *ret = true;
    if (!change->looked_at)
        return OK;
    int error = store_connections_secret(call, USER_ANY, change->id, &now);
    *ret = !error && str_eq(now.secret_json, change->looked_at->secret.sealed_json) &&
           str_eq(now.config_json, change->looked_at->config_json);
    return error;
}

static int record_check(struct call *call, const struct change *change)
{
    const struct site_check *found = change->check;
    struct connection_row connection;
    const struct check_row check = {
        .ok = found->ok,
        .checked_at_ms = clock_now_ms(),
        .latency_ms = found->latency_ms,
        .error_code = found->error_code,
        .error_text = found->error_text,
        .site_name = found->site_name,
        .site_version = found->site_version,
        .site_user = found->site_user,
        .site_role = found->site_role,
        .details_json = found->details_json.len ? found->details_json : STR("{}"),
    };
    struct str wrapped;
    bool changed = false;
    int error = get_locked(call, USER_ANY, change->id, &connection, &wrapped);
    if (!error)
        error = is_of_now(call, change, change->ret_kept);
    if (!error && change->once && str_eq(connection.status, STR(CONNECTION_ERROR)))
        *change->ret_kept = false;
    if (error || !*change->ret_kept)
        return error;
    error = store_checks_put(call, change->id, &check);
    if (!error && found->ok && found->config_json.len)
        error = store_connections_set_config(call, USER_ANY, change->id, found->config_json);
    if (!error && change->refused)
        error = store_connections_set_status(call, USER_ANY, change->id, CONNECTION_ACTIVE, CONNECTION_ERROR, &changed);
    else if (!error && found->ok)
        error = store_connections_set_status(call, USER_ANY, change->id, CONNECTION_ERROR, CONNECTION_ACTIVE, &changed);
    if (!error && changed && change->refused)
        error = tell_owner(call, &connection);
    if (error)
        return error;
    return record(call, &connection, 0, "connections.check",
                  call_format(call, "{\"ok\":%s,\"error\":%.*s,\"ms\":%lld}", found->ok ? "true" : "false",
                              STR_ARG(json_quote(call->arena, found->error_code.ptr ? found->error_code : STR_EMPTY)),
                              (long long)found->latency_ms));
}

int connections_record_check(struct call *call, int64_t id, const struct site *looked_at,
                             const struct site_check *check, bool is_refused)
{
    bool kept;
    const struct change change = {
        .id = id, .check = check, .looked_at = looked_at, .refused = is_refused, .ret_kept = &kept};
    int error = check->config_json.len ? check_object(call, check->config_json, "config") : OK;
    return error ? error : run(call, record_check, &change);
}

int connections_refused(struct call *call, const struct site *site, struct str why)
{
    const struct site_check check = {.error_code = STR("wrong_password"), .error_text = why, .is_refused = true};
    int64_t id = site->connection_id;
    bool kept = false;
    const struct change change = {
        .id = id, .check = &check, .looked_at = site, .refused = true, .once = true, .ret_kept = &kept};
    int error = run(call, record_check, &change);
    if (!error && kept)
        alert_raise("site_refused",
                    call_format(call,
                                "Connection %lld: its site refuses the stored password, so the connection rests "
                                "until its owner enters a new one.",
                                (long long)id),
                    STR_EMPTY, call->who ? call->who->user_id : 0, id);
    return error;
}

/* ---- providers */

int providers_sync(struct call *call, const struct provider_entry *entries, size_t count)
{
    struct provider_rows rows;
    int error = store_providers_list(call, &rows);
    for (size_t i = 0; !error && i < count; i++) {
        bool same = false;
        for (size_t k = 0; k < rows.count; k++)
            same = same || (str_eq(rows.items[k].key, entries[i].key) && str_eq(rows.items[k].name, entries[i].name) &&
                            str_eq(rows.items[k].version, entries[i].version));
        if (!same)
            error = store_providers_put(call, entries[i].key, entries[i].name, entries[i].version);
    }
    return error;
}

int providers_set_enabled(struct call *call, struct str key, bool enabled)
{
    bool mine;
    int error = store_begin(call, &mine);
    if (error)
        return error;
    error = store_providers_set_enabled(call, key, enabled);
    if (!error) {
        const struct audit_event event = {
            .action = enabled ? STR("providers.enable") : STR("providers.disable"),
            .data_json = call_format(call, "{\"provider\":%.*s}", STR_ARG(json_quote(call->arena, key))),
        };
        error = audit_record(call, &event);
    }
    error = store_end(call, mine, error);
    if (!error)
        generation_tell(call);
    return error;
}

/* A token over several connections. */
#include "accounts/grants.h"

#include "base/buf.h"
#include "crypto/token.h"

enum { ALIAS_CHARS_MAX = 40 };

static struct token_claims claims_of(struct call *call, const struct token_row *token, const struct grant_row *grant)
{
    return (struct token_claims){
        .token_id = token->id,
        .token_hash = token->token_hash,
        .connection_ids = &grant->connection_id,
        .n_connections = 1,
        .rights = grant->rights,
        /* No word of confirmation has a space: this is no MAC of a token's own details. */
        .confirm = call_format(call, "site %.*s", STR_ARG(grant->alias)),
    };
}

bool grant_is_right(struct call *call, const struct token_row *token, const struct grant_row *grant)
{
    const struct token_claims claims = claims_of(call, token, grant);
    return token_mac_is_right(call, &claims, grant->mac);
}

/* "My Blog!" to "my-blog". */
static struct str alias_of(struct call *call, const struct connection_row *connection)
{
    struct buf alias;
    buf_init(&alias, call->arena, ALIAS_CHARS_MAX);
    for (size_t i = 0; i < connection->name.len && alias.len < ALIAS_CHARS_MAX; i++) {
        char c = connection->name.ptr[i];
        if (ascii_is_alnum(c))
            buf_add_char(&alias, (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c));
        else if (alias.len && alias.ptr[alias.len - 1] != '-')
            buf_add_char(&alias, '-');
    }
    while (alias.len && alias.ptr[alias.len - 1] == '-')
        alias.len--;
    return alias.len ? buf_str(&alias) : call_format(call, "site-%lld", (long long)connection->id);
}

static int insert(struct call *call, const struct token_row *token, const struct connection_row *connection,
                  struct str rights, struct str *names)
{
    char mac[MAC_HEX_BYTES];
    struct grant_row grant = {.connection_id = connection->id, .alias = alias_of(call, connection), .rights = rights};
    struct str rest = *names, name;
    while (str_next(&rest, ',', &name))
        if (str_eq(str_trim(name), grant.alias))
            grant.alias = call_format(call, "%.*s-%lld", STR_ARG(grant.alias), (long long)connection->id);
    const struct token_claims claims = claims_of(call, token, &grant);
    token_mac(call, &claims, mac);
    grant.mac = str_from(mac);
    *names = names->len ? call_format(call, "%.*s, %.*s", STR_ARG(*names), STR_ARG(grant.alias)) : grant.alias;
    return store_grants_insert(call, token->id, &grant);
}

static int add_other(struct call *call, const struct connection_row *home, const struct token_new *token,
                     const struct token_row *row, size_t index, struct str *names)
{
    struct connection_row other;
    char rights[RIGHTS_TEXT_BYTES];
    const struct token_site *site = &token->sites[index];
    for (size_t i = 0; i < index; i++)
        if (token->sites[i].connection_id == site->connection_id)
            return fail(call, E_INVALID, "Connection %lld is named twice.", (long long)site->connection_id);
    if (site->connection_id == home->id)
        return fail(call, E_INVALID, "Connection %lld is named twice.", (long long)home->id);
    int error = store_connections_get(call, home->user_id, site->connection_id, &other);
    if (error)
        return error;
    if (!str_eq(other.provider_key, home->provider_key))
        return fail(call, E_INVALID,
                    "The connections of one token are to the same kind of service; %.*s is %.*s, %.*s is %.*s.",
                    STR_ARG(home->name), STR_ARG(home->provider_key), STR_ARG(other.name), STR_ARG(other.provider_key));
    if (str_eq(other.status, STR(CONNECTION_REVOKED)))
        return fail(call, E_CONFLICT, "Connection %lld is revoked, and gets no new tokens.", (long long)other.id);
    return insert(call, row, &other, rights_format((site->rights ? site->rights : token->rights) | RIGHT_READ, rights),
                  names);
}

int grants_add(struct call *call, const struct connection_row *home, struct str home_rights,
               const struct token_new *token, const struct token_row *row, struct str *ret_names)
{
    *ret_names = STR_EMPTY;
    if (token->n_sites == 0)
        return OK;
    int error = insert(call, row, home, home_rights, ret_names);
    for (size_t i = 0; !error && i < token->n_sites; i++)
        error = add_other(call, home, token, row, i, ret_names);
    return error;
}

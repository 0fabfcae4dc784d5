/* Clients. */
#include <sodium.h> /* before base/banned.h: it names what is banned there */

#include "oauth/clients.h"

#include "accounts/generation.h"
#include "audit/audit.h"
#include "crypto/token.h"
#include "json/json_write.h"
#include "limits/tries.h"
#include "oauth/document.h"
#include "oauth/grants.h"
#include "oauth/redirect.h"
#include "store/connections.h"

enum { ID_CHARS = 24, CLAIMS_BYTES_MAX = 64 * 1024, AUDIT_BYTES_MAX = 4096 };

/* ---- what a row allows, under a MAC: who can only write rows makes no client, and sends nobody elsewhere */

static void client_mac(struct call *call, const struct oauth_client_row *row, char out[MAC_HEX_BYTES])
{
    struct str text =
        call_format(call, "oauth-client|v1|%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%lld|%.*s", STR_ARG(row->id),
                    STR_ARG(row->kind), STR_ARG(row->redirect_uris), STR_ARG(row->grant_types),
                    STR_ARG(row->auth_method), STR_ARG(row->secret_hash.ptr ? row->secret_hash : STR_EMPTY),
                    (long long)row->connection_id, STR_ARG(row->rights.ptr ? row->rights : STR_EMPTY));
    keyring_mac(KEYRING_TOKEN_MAC, text, out);
}

static void sign(struct call *call, struct oauth_client_row *row)
{
    char *mac = arena_alloc(call->arena, MAC_HEX_BYTES);
    client_mac(call, row, mac);
    row->mac = str_from(mac);
}

/* ---- finding */

int clients_find(struct call *call, struct str id, struct oauth_client_row *ret)
{
    char mac[MAC_HEX_BYTES];
    if (!str_is_utf8(id) || str_find_char(id, '\0') != STR_NOT_FOUND)
        return fail(call, E_NOT_FOUND, "There is no such client.");
    int error = store_oauth_clients_get(call, id, ret);
    if (error)
        return error;
    client_mac(call, ret, mac);
    if (ret->mac.len == MAC_HEX_BYTES - 1 && sodium_memcmp(mac, ret->mac.ptr, ret->mac.len) == 0)
        return OK;
    fail_detail(call, "the row of client %.*s was changed: its MAC does not fit", STR_ARG(id));
    return fail(call, E_NOT_FOUND, "There is no such client.");
}

int clients_find_for(struct call *call, struct str id, int64_t user_id, struct oauth_client_row *ret)
{
    bool is_document = document_is_id(call->arena, id);
    int error = clients_find(call, id, ret);
    if (!is_document || (error && error != E_NOT_FOUND) || (!error && ret->fresh_until_ms > clock_now_ms()))
        return error;
    call_clear_error(call);
    error = document_read(call, id, user_id, ret);
    if (error)
        return error;
    sign(call, ret);
    return store_oauth_clients_put_document(call, ret);
}

/* ---- registering */

static int record(struct call *call, const char *action, const struct oauth_client_row *row, int64_t by)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, AUDIT_BYTES_MAX);
    json_write_init(&w, &text);
    json_object(&w);
    audit_write_origin(&w, call);
    json_member_str(&w, "app", row->id); /* "client" is the address that it came from */
    json_member_str(&w, "name", row->name);
    json_member_str(&w, "kind", row->kind);
    if (row->rights.ptr)
        json_member_str(&w, "rights", row->rights);
    json_end(&w);
    const struct audit_event event = {.user_id = by > 0 ? by : 0,
                                      .connection_id = row->connection_id,
                                      .action = str_from(action),
                                      .data_json = buf_str(&text)};
    return audit_record(call, &event);
}

static int insert_dynamic(struct call *call, const struct oauth_client_row *row)
{
    int error = store_oauth_clients_forget_unused(call, row->created_at_ms - CLIENTS_UNUSED_MS, CLIENTS_UNUSED_MAX - 1);
    if (!error)
        error = store_oauth_clients_insert(call, row);
    return error ? error : record(call, "oauth.register", row, 0);
}

int clients_register(struct call *call, const struct json *description, struct str address,
                     struct oauth_client_row *ret, const char **ret_code)
{
    static const struct tries_rule of_address = {"oauth register", 10, 6 * 60 * 1000};
    struct client_words words;
    bool mine;
    int error = client_words_read(call, description, &words, ret_code);
    if (!error)
        error = tries_take_address(call, &of_address, address);
    if (error)
        return error;
    *ret = (struct oauth_client_row){
        .id = call_format(call, "prc_%.*s", STR_ARG(token_word(call, ID_CHARS))),
        .kind = STR(CLIENT_DYNAMIC),
        .name = words.name.len ? words.name : STR("an app without a name"),
        .redirect_uris = words.redirect_uris,
        .grant_types = words.wants_refresh ? STR("authorization_code,refresh_token") : STR("authorization_code"),
        .auth_method = STR("none"),
        .created_at_ms = clock_now_ms(),
    };
    sign(call, ret);
    error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, insert_dynamic(call, ret));
}

/* ---- an administrator's */

static int write_redirects(struct call *call, const struct client_new *new, struct str *ret)
{
    struct buf text;
    struct json_writer w;
    buf_init(&text, call->arena, CLAIMS_BYTES_MAX);
    json_write_init(&w, &text);
    json_array(&w);
    for (size_t i = 0; i < new->n_redirect_uris; i++) {
        if (redirect_judge(call->arena, new->redirect_uris[i]).kind == REDIRECT_BAD)
            return fail(call, E_INVALID,
                        "'%.*s' cannot be sent back to. Give https://..., or http:// on 127.0.0.1, [::1] or localhost, "
                        "without user name and fragment.",
                        STR_ARG(str_sub(new->redirect_uris[i], 0, 200)));
        json_string(&w, new->redirect_uris[i]);
    }
    json_end(&w);
    *ret = buf_str(&text);
    return OK;
}

static int check_new(struct call *call, const struct client_new *new)
{
    struct oauth_client_rows rows;
    struct str name = str_trim(new->name);
    if (!name.len || name.len > CLIENT_NAME_BYTES_MAX || !str_is_utf8(name))
        return fail(call, E_INVALID, "The client needs a name of at most %d bytes: people see it.",
                    CLIENT_NAME_BYTES_MAX);
    if (new->connection_id && (new->n_redirect_uris || new->is_public))
        return fail(
            call, E_INVALID,
            "A client for a connection of yours asks nobody: it has a secret, and no address to send people to.");
    if (!new->connection_id && (new->n_redirect_uris == 0 || new->n_redirect_uris > REDIRECTS_MAX))
        return fail(call, E_INVALID, "Give 1 to %d addresses that people are sent back to, or a connection.",
                    REDIRECTS_MAX);
    int error = store_oauth_clients_list(call, STR(CLIENT_MANUAL), &rows);
    if (!error && rows.count >= CLIENTS_MANUAL_MAX)
        return fail(call, E_LIMIT, "There may be %d such clients. Delete some that are not used.", CLIENTS_MANUAL_MAX);
    return error;
}

/* With client credentials nobody is asked later, so what it may do is agreed to here. */
static int insert_manual(struct call *call, const struct client_new *new, const struct oauth_client_row *row)
{
    struct connection_row connection = {0};
    int error = check_new(call, new);
    if (!error && new->connection_id)
        error = store_connections_get(call, new->made_by, new->connection_id, &connection);
    if (!error && new->connection_id && str_eq(connection.status, STR(CONNECTION_REVOKED)))
        error = fail(call, E_CONFLICT, "The connection is revoked. Make a new connection.");
    if (!error)
        error = store_oauth_clients_insert(call, row);
    if (!error && new->connection_id)
        error = grants_add_standing(call, row, connection.user_id);
    return error ? error : record(call, "oauth.client.create", row, new->made_by);
}

int clients_add(struct call *call, const struct client_new *new, struct oauth_client_row *ret, struct str *ret_secret)
{
    char *rights = arena_alloc(call->arena, RIGHTS_TEXT_BYTES), *hash = arena_alloc(call->arena, MAC_HEX_BYTES);
    bool mine;
    *ret_secret = new->is_public ? STR_EMPTY : token_make(call, TOKEN_OCS);
    *ret = (struct oauth_client_row){
        .id = call_format(call, "prc_%.*s", STR_ARG(token_word(call, ID_CHARS))),
        .kind = STR(CLIENT_MANUAL),
        .name = str_trim(new->name),
        .grant_types = new->connection_id ? STR("client_credentials") : STR("authorization_code,refresh_token"),
        .auth_method = new->is_public ? STR("none") : STR("client_secret"),
        .connection_id = new->connection_id,
        .made_by = new->made_by > 0 ? new->made_by : 0,
        .created_at_ms = clock_now_ms(),
    };
    if (ret_secret->len) {
        token_hash(*ret_secret, hash);
        ret->secret_hash = str_from(hash);
    }
    if (new->connection_id)
        ret->rights = rights_format((new->rights ? new->rights : RIGHTS_DEFAULT) | RIGHT_READ, rights);
    int error = write_redirects(call, new, &ret->redirect_uris);
    sign(call, ret);
    if (!error)
        error = store_begin(call, &mine);
    return error ? error : store_end(call, mine, insert_manual(call, new, ret));
}

int clients_list(struct call *call, struct oauth_client_rows *ret)
{
    return store_oauth_clients_list(call, STR(CLIENT_MANUAL), ret);
}

static int delete (struct call *call, struct str id, int64_t by)
{
    struct oauth_client_row row;
    int error = store_oauth_clients_get(call, id, &row);
    if (!error)
        error = store_oauth_clients_delete(call, id, STR(CLIENT_MANUAL));
    return error ? error : record(call, "oauth.client.delete", &row, by);
}

int clients_delete(struct call *call, struct str id, int64_t by)
{
    bool mine;
    int error = store_begin(call, &mine);
    if (!error)
        error = store_end(call, mine, delete (call, id, by));
    if (!error)
        generation_tell(call);
    return error;
}

/* ---- what a client may */

bool client_redirects_to(struct call *call, const struct oauth_client_row *client, struct str redirect_uri)
{
    const struct json *list;
    if (json_parse(call->arena, client->redirect_uris, NULL, &list, NULL) != OK)
        return false;
    for (size_t i = 0; i < json_count(list); i++)
        if (redirect_matches(json_str(json_at(list, i)), redirect_uri))
            return true;
    return false;
}

bool client_may(const struct oauth_client_row *client, const char *grant_type)
{
    struct str rest = client->grant_types, word;
    while (str_next(&rest, ',', &word))
        if (str_eq(word, str_from(grant_type)))
            return true;
    return false;
}

bool client_secret_is_right(const struct oauth_client_row *client, struct str secret)
{
    char hash[MAC_HEX_BYTES];
    enum token_type type;
    if (!client->secret_hash.ptr || !token_check(secret, &type) || type != TOKEN_OCS)
        return false;
    token_hash(secret, hash);
    return client->secret_hash.len == MAC_HEX_BYTES - 1 &&
           sodium_memcmp(hash, client->secret_hash.ptr, client->secret_hash.len) == 0;
}

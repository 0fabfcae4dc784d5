/* Clients: what they may say of themselves, who is believed, what an administrator may make, and a database that fails meanwhile. */
#include "accounts/accounts_test_help.h"

#include "accounts/generation.h"
#include "crypto/token.h"
#include "limits/limits.h"
#include "oauth/clients.h"
#include "oauth/document.h"
#include "oauth/forget.h"
#include "oauth/redirect.h"
#include "store/db_fault_test_help.h"

#define REDIRECT "https://app.example/cb"
#define DOCUMENT "https://app.example/client.json"

static const struct json *parsed(struct fixture *f, struct str text)
{
    const struct json *value;
    assert_int_equal(json_parse(f->call.arena, text, NULL, &value, NULL), OK);
    return value;
}

static int registers(struct fixture *f, struct str text, struct oauth_client_row *ret, const char **ret_code)
{
    call_clear_error(&f->call);
    return clients_register(&f->call, parsed(f, text), STR("192.0.2.1"), ret, ret_code);
}

static struct oauth_client_row registered(struct fixture *f)
{
    struct oauth_client_row row;
    const char *code;
    assert_ok(&f->call,
              registers(f, STR("{\"client_name\":\"App\",\"redirect_uris\":[\"" REDIRECT "\"]}"), &row, &code));
    return row;
}

/* ---- what a description says */

static void descriptions_that_are_none(void **state)
{
    static const struct {
        const char *text, *code, *says;
    } cases[] = {
        {"[]", "invalid_client_metadata", "JSON object"},
        {"{\"client_name\":7,\"redirect_uris\":[\"" REDIRECT "\"]}", "invalid_client_metadata", "client_name"},
        {"{\"grant_types\":[\"implicit\"],\"redirect_uris\":[\"" REDIRECT "\"]}", "invalid_client_metadata",
         "grant_types"},
        {"{\"grant_types\":[],\"redirect_uris\":[\"" REDIRECT "\"]}", "invalid_client_metadata", "grant_types"},
        {"{\"response_types\":[\"token\"],\"redirect_uris\":[\"" REDIRECT "\"]}", "invalid_client_metadata",
         "response_types"},
        {"{}", "invalid_redirect_uri", "1 to 10"},
        {"{\"redirect_uris\":\"" REDIRECT "\"}", "invalid_redirect_uri", "1 to 10"},
        {"{\"redirect_uris\":[]}", "invalid_redirect_uri", "1 to 10"},
        {"{\"redirect_uris\":[1,2,3,4,5,6,7,8,9,10,11]}", "invalid_redirect_uri", "1 to 10"},
        {"{\"redirect_uris\":[\"" REDIRECT "\",7]}", "invalid_redirect_uri", "address 2"},
        {"{\"redirect_uris\":[\"javascript:alert(1)\"]}", "invalid_redirect_uri", "address 1"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct oauth_client_row row;
        const char *code = NULL;
        assert_int_equal(registers(f, str_from(cases[i].text), &row, &code), E_INVALID);
        assert_string_equal(code, cases[i].code);
        assert_says(&f->call, cases[i].says);
    }
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_oauth_clients"), 0);
}

static void what_a_description_says(void **state)
{
    struct fixture *f = *state;
    struct oauth_client_row row;
    const char *code;
    assert_ok(&f->call, registers(f, STR("{\"redirect_uris\":[\"http://127.0.0.1/cb\"]}"), &row, &code));
    assert_text(row.name, "an app without a name");
    assert_text(row.grant_types, "authorization_code,refresh_token");
    assert_text(row.auth_method, "none");
    assert_ok(&f->call,
              registers(f,
                        STR("{\"redirect_uris\":[\"" REDIRECT "\"],\"grant_types\":[\"x\",\"authorization_code\"],"
                            "\"response_types\":[\"code\"]}"),
                        &row, &code));
    assert_text(row.grant_types, "authorization_code");
    assert_true(client_may(&row, "authorization_code"));
    assert_false(client_may(&row, "refresh_token"));
    /* A long name is cut between characters, and found in the database as it was answered. */
    struct str a63 = STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_int_equal(a63.len, 63);
    struct str text = call_format(&f->call,
                                  "{\"client_name\":\" %.*s\xC3\xA9z \",\"redirect_uris\":[\"" REDIRECT "\"],"
                                  "\"grant_types\":[\"refresh_token\",\"authorization_code\"]}",
                                  STR_ARG(a63));
    assert_ok(&f->call, registers(f, text, &row, &code));
    assert_true(str_eq(row.name, a63));
    assert_true(client_may(&row, "refresh_token"));
    struct oauth_client_row found;
    assert_ok(&f->call, clients_find(&f->call, row.id, &found));
    assert_true(str_eq(found.name, a63));
}

/* Ten addresses of 2,000 bytes fit, with what JSON makes of them. */
static void the_longest_description(void **state)
{
    struct fixture *f = *state;
    struct oauth_client_row row;
    const char *code;
    char path[REDIRECT_BYTES_MAX];
    memset(path, 'a', sizeof path);
    struct str uri = call_format(&f->call, "https://app.example/%.*s", REDIRECT_BYTES_MAX - 20, path);
    struct buf text;
    buf_init(&text, f->call.arena, 64 * 1024);
    buf_add(&text, STR("{\"redirect_uris\":["));
    for (size_t i = 0; i < REDIRECTS_MAX; i++)
        buf_add_format(&text, "%s\"%.*s\"", i ? "," : "", STR_ARG(uri));
    buf_add(&text, STR("]}"));
    assert_int_equal(uri.len, REDIRECT_BYTES_MAX);
    assert_ok(&f->call, registers(f, buf_str(&text), &row, &code));
    assert_true(client_redirects_to(&f->call, &row, uri));
    assert_false(client_redirects_to(&f->call, &row, str_sub(uri, 0, uri.len - 1)));
}

static void registering_is_limited_by_address(void **state)
{
    struct fixture *f = *state;
    static const struct limits_settings none = {0};
    struct oauth_client_row row;
    const char *code;
    assert_true(limits_open(-1, &none));
    for (int i = 0; i < 10; i++)
        registered(f);
    int error = registers(f, STR("{\"redirect_uris\":[\"" REDIRECT "\"]}"), &row, &code);
    int64_t after_s = f->call.retry_after_s;
    limits_close();
    assert_int_equal(error, E_LIMIT);
    assert_in_range(after_s, 1, 360);
}

/* ---- finding */

static void edited_rows_are_no_clients(void **state)
{
    static const char *const edits[] = {
        "kind = 'manual'",
        "redirect_uris = '[\"https://evil.example/cb\"]'",
        "grant_types = 'client_credentials'",
        "auth_method = 'client_secret'",
        "secret_hash = 'x'",
        "connection_id = 1",
        "rights = 'read,admin'",
        "mac = ''",
        "mac = replace(mac, substr(mac, 1, 1), 'x')",
    };
    struct fixture *f = *state;
    struct oauth_client_row row = registered(f), found;
    add_connection(f, add_user(f, "ana@example.test", "+5511999990001"), "site");
    assert_ok(&f->call, clients_find(&f->call, row.id, &found));
    sql(f, "CREATE TABLE kept AS SELECT * FROM mcp_oauth_clients");
    for (size_t i = 0; i < ARRAY_LENGTH(edits); i++) {
        char statement[200];
        snprintf(statement, sizeof statement, "UPDATE mcp_oauth_clients SET %s", edits[i]);
        sql(f, statement);
        assert_int_equal(clients_find(&f->call, row.id, &found), E_NOT_FOUND);
        assert_true(str_contains(f->call.error_detail, STR("MAC")));
        call_clear_error(&f->call);
        sql(f, "DELETE FROM mcp_oauth_clients");
        sql(f, "INSERT INTO mcp_oauth_clients SELECT * FROM kept");
    }
    assert_ok(&f->call, clients_find(&f->call, row.id, &found));
    assert_int_equal(clients_find(&f->call, STR("prc_nobody"), &found), E_NOT_FOUND);
    assert_int_equal(clients_find(&f->call, STR("\xff"), &found), E_NOT_FOUND);
    assert_int_equal(clients_find(&f->call, str_of("prc\0x", 5), &found), E_NOT_FOUND);
    assert_int_equal(clients_find_for(&f->call, STR("prc_nobody"), 1, &found), E_NOT_FOUND);
    call_clear_error(&f->call);
    sql(f, "DROP TABLE kept");
}

static void addresses_of_documents(void **state)
{
    static const struct {
        const char *id;
        bool is_one;
    } cases[] = {
        {DOCUMENT, true},
        {"https://app.example:8443/a/client?v=1", true},
        {"https://app.example/", false},
        {"https://app.example", false},
        {"http://127.0.0.1/client.json", false},
        {"cursor://anysphere.cursor-mcp/oauth/callback", false},
        {"prc_0123456789", false},
        {"", false},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_int_equal(document_is_id(f->call.arena, str_from(cases[i].id)), cases[i].is_one);
    char path[1024];
    memset(path, 'a', sizeof path);
    struct str longest = call_format(&f->call, "https://app.example/%.*s", 1024 - 20, path);
    assert_true(document_is_id(f->call.arena, longest));
    assert_false(document_is_id(f->call.arena, call_format(&f->call, "%.*sa", STR_ARG(longest))));
}

/* ---- an administrator's */

static int adds(struct fixture *f, const struct client_new *new)
{
    struct oauth_client_row row;
    struct str secret;
    call_clear_error(&f->call);
    return clients_add(&f->call, new, &row, &secret);
}

static void what_an_administrator_may_make(void **state)
{
    static const struct str redirect = STR_INIT(REDIRECT), bad = STR_INIT("ftp://app.example/"),
                            many[REDIRECTS_MAX + 1] = {STR_INIT(REDIRECT), STR_INIT(REDIRECT), STR_INIT(REDIRECT),
                                                       STR_INIT(REDIRECT), STR_INIT(REDIRECT), STR_INIT(REDIRECT),
                                                       STR_INIT(REDIRECT), STR_INIT(REDIRECT), STR_INIT(REDIRECT),
                                                       STR_INIT(REDIRECT), STR_INIT(REDIRECT)};
    struct fixture *f = *state;
    int64_t ana = add_user(f, "ana@example.test", "+5511999990001"),
            bia = add_user(f, "bia@example.test", "+5511999990002");
    int64_t mine = add_connection(f, ana, "site").connection_id;
    const struct client_new good = {
        .name = STR(" App "), .redirect_uris = &redirect, .n_redirect_uris = 1, .made_by = ana};
    struct client_new new = good;
    new.name = STR("  ");
    assert_int_equal(adds(f, &new), E_INVALID);
    new.name = STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"); /* 65 */
    assert_int_equal(adds(f, &new), E_INVALID);
    new.name = STR("\xff");
    assert_int_equal(adds(f, &new), E_INVALID);
    assert_says(&f->call, "a name");
    new = good;
    new.redirect_uris = &bad;
    assert_int_equal(adds(f, &new), E_INVALID);
    assert_says(&f->call, "ftp://app.example/");
    new.n_redirect_uris = 0;
    assert_int_equal(adds(f, &new), E_INVALID);
    new.redirect_uris = many;
    new.n_redirect_uris = REDIRECTS_MAX + 1;
    assert_int_equal(adds(f, &new), E_INVALID);
    assert_says(&f->call, "1 to 10");
    new.n_redirect_uris = REDIRECTS_MAX;
    assert_ok(&f->call, adds(f, &new));
    new = good;
    new.connection_id = mine;
    assert_int_equal(adds(f, &new), E_INVALID);
    assert_says(&f->call, "asks nobody");
    new.n_redirect_uris = 0;
    new.is_public = true;
    assert_int_equal(adds(f, &new), E_INVALID);
    new.is_public = false;
    new.made_by = bia;
    assert_int_equal(adds(f, &new), E_NOT_FOUND);
    new.made_by = ana;
    sql(f, "UPDATE mcp_service_connections SET status = 'revoked'");
    assert_int_equal(adds(f, &new), E_CONFLICT);
    sql(f, "UPDATE mcp_service_connections SET status = 'active'");
    assert_ok(&f->call, adds(f, &new));
    /* What it may is agreed to here: reading, unless more is said. */
    assert_text(sql_text(f, "SELECT rights FROM mcp_oauth_clients WHERE connection_id IS NOT NULL"), "read,draft");
    assert_text(sql_text(f, "SELECT rights FROM mcp_oauth_grants"), "read,draft");
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_oauth_clients"), 2);
    sql(f,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 198) INSERT INTO mcp_oauth_clients "
        "(id, kind, name, redirect_uris, grant_types, auth_method, mac, created_at) SELECT 'x' || i, 'manual', 'x', "
        "'[]', 'x', "
        "'none', '', '2026-01-01 00:00:00.000' FROM n");
    assert_int_equal(adds(f, &good), E_LIMIT);
    assert_says(&f->call, "200");
    sql(f, "DELETE FROM mcp_oauth_clients WHERE id = 'x1'");
    assert_ok(&f->call, adds(f, &good));
}

static void secrets_of_clients(void **state)
{
    static const struct str redirects[] = {STR_INIT(REDIRECT), STR_INIT("http://localhost/cb")};
    struct fixture *f = *state;
    struct client_new new = {.name = STR("App"), .redirect_uris = redirects, .n_redirect_uris = 2, .made_by = USER_ANY};
    struct oauth_client_row row, found;
    struct oauth_client_rows list;
    struct str secret;
    assert_ok(&f->call, clients_add(&f->call, &new, &row, &secret));
    assert_true(str_starts_with(secret, STR("prt_ocs_")));
    assert_ok(&f->call, clients_find(&f->call, row.id, &found));
    assert_int_equal(found.made_by, 0);
    assert_true(client_secret_is_right(&found, secret));
    assert_false(client_secret_is_right(&found, token_make(&f->call, TOKEN_OCS)));
    assert_false(client_secret_is_right(&found, token_make(&f->call, TOKEN_PAT)));
    assert_false(client_secret_is_right(&found, str_sub(secret, 0, secret.len - 1)));
    assert_false(client_secret_is_right(&found, STR_EMPTY));
    struct oauth_client_row cut = found;
    cut.secret_hash = str_sub(found.secret_hash, 0, found.secret_hash.len - 1);
    assert_false(client_secret_is_right(&cut, secret));
    assert_true(client_redirects_to(&f->call, &found, STR(REDIRECT)));
    assert_true(client_redirects_to(&f->call, &found, STR("http://localhost:1234/cb")));
    assert_false(client_redirects_to(&f->call, &found, STR("http://localhost:1234/other")));
    cut.redirect_uris = STR("[");
    assert_false(client_redirects_to(&f->call, &cut, STR(REDIRECT)));
    new.is_public = true;
    assert_ok(&f->call, clients_add(&f->call, &new, &row, &secret));
    assert_int_equal(secret.len, 0);
    assert_ok(&f->call, clients_find(&f->call, row.id, &found));
    assert_false(client_secret_is_right(&found, STR_EMPTY));
    assert_ok(&f->call, clients_list(&f->call, &list));
    assert_int_equal(list.count, 2);
    /* Those that registered themselves are not an administrator's to delete. */
    struct oauth_client_row dynamic = registered(f);
    assert_int_equal(clients_delete(&f->call, dynamic.id, 1), E_NOT_FOUND);
    assert_int_equal(clients_delete(&f->call, STR("nobody"), 1), E_NOT_FOUND);
    call_clear_error(&f->call);
    uint64_t generation = generation_now();
    assert_ok(&f->call, clients_delete(&f->call, row.id, 0));
    assert_true(generation_now() != generation); /* what is remembered of its tokens is worth nothing */
    assert_int_equal(clients_find(&f->call, row.id, &found), E_NOT_FOUND);
    call_clear_error(&f->call);
}

/* What a client was made for stands in the log; one that registered itself was made for nothing yet. */
static void the_log_says_what_an_administrator_made_a_client_for(void **state)
{
    struct fixture *f = *state;
    struct oauth_client_row row;
    struct str secret;
    int64_t ana = add_user(f, "ana@example.test", "+5511999990001");
    const struct client_new new = {.name = STR("Own"),
                                   .connection_id = add_connection(f, ana, "site").connection_id,
                                   .rights = RIGHT_PUBLISH,
                                   .made_by = ana};
    struct oauth_client_row dynamic = registered(f);
    const struct json *data = parsed(f, sql_text(f, "SELECT data FROM mcp_audit_logs WHERE action = 'oauth.register'"));
    assert_true(str_eq(json_str(json_get(data, STR("app"))), dynamic.id));
    assert_true(json_is(json_get(data, STR("rights")), JSON_MISSING));
    assert_ok(&f->call, clients_add(&f->call, &new, &row, &secret));
    data = parsed(f, sql_text(f, "SELECT data FROM mcp_audit_logs WHERE action = 'oauth.client.create'"));
    assert_true(str_eq(json_str(json_get(data, STR("app"))), row.id));
    assert_text(json_str(json_get(data, STR("name"))), "Own");
    assert_text(json_str(json_get(data, STR("rights"))), "read,publish");
}

/* ---- a database that fails in the middle */

static struct oauth_client_row client;

static int does_register(struct fixture *f)
{
    const char *code;
    return registers(f, STR("{\"redirect_uris\":[\"" REDIRECT "\"]}"), &client, &code);
}

static int does_find(struct fixture *f)
{
    struct oauth_client_row row;
    return clients_find_for(&f->call, client.id, 1, &row);
}

static int does_find_document(struct fixture *f)
{
    struct oauth_client_row row;
    return clients_find_for(&f->call, STR(DOCUMENT), 1, &row);
}

static int does_add(struct fixture *f)
{
    const struct client_new new = {.name = STR("App"), .connection_id = 1, .rights = RIGHT_PUBLISH, .made_by = 1};
    struct str secret;
    return clients_add(&f->call, &new, &client, &secret);
}

static int does_delete(struct fixture *f)
{
    return clients_delete(&f->call, client.id, 1);
}

static void the_database_fails(void **state)
{
    struct fixture *f = *state;
    add_connection(f, add_user(f, "ana@example.test", "+5511999990001"), "site");
    assert_int_equal(while_others_hold_it(f, db_begin, does_register), E_TIMEOUT);
    assert_true(each_statement_fails(f, does_register) >= 4);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_oauth_clients"), 1);
    assert_true(each_statement_fails(f, does_find) >= 1);
    assert_int_equal(while_others_hold_it(f, db_begin, does_add), E_TIMEOUT);
    assert_true(each_statement_fails(f, does_add) >= 6);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_oauth_clients"), 2);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_oauth_grants"), 1);
    /* A document is not read anew because the row of it could not be read: nothing is sent anywhere. */
    assert_int_equal(while_others_hold_it(f, db_begin_snapshot, does_find_document), E_TIMEOUT);
    assert_int_equal(while_others_hold_it(f, db_begin, does_delete), E_TIMEOUT);
    assert_true(each_statement_fails(f, does_delete) >= 4);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_oauth_clients"), 1);
    assert_int_equal(sql_int(f, "SELECT count(*) FROM mcp_oauth_grants"), 0);
    /* Forgetting is tried again later; whoever asked for something else does not hear of it. */
    one_statement_fails(f, 1, forget_old);
    assert_int_equal(f->call.error, OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_SQLITE(descriptions_that_are_none),
        ON_SQLITE(what_a_description_says),
        ON_SQLITE(the_longest_description),
        ON_SQLITE(registering_is_limited_by_address),
        ON_SQLITE(edited_rows_are_no_clients),
        ON_SQLITE(addresses_of_documents),
        ON_SQLITE(what_an_administrator_may_make),
        ON_SQLITE(secrets_of_clients),
        ON_SQLITE(the_log_says_what_an_administrator_made_a_client_for),
        ON_SQLITE(the_database_fails),
    };
    return cmocka_run_group_tests(tests, test_folder_start, test_folder_stop);
}

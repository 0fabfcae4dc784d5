/* Whom a token stands for: each reason to refuse one, tokens over several sites of which some rest, and a database that fails. */
#include "accounts/accounts_test_help.h"

#include "accounts/token_make.h"
#include "crypto/token.h"
#include "store/db_fault_test_help.h"

static struct token_made single, several;
static const struct principal *who;

static int asks(struct fixture *f, struct str token)
{
    call_clear_error(&f->call);
    authenticate_done(); /* nothing is remembered */
    return authenticate(&f->call, token, &who);
}

static void ready(struct fixture *f)
{
    int64_t ana = add_user(f, "ana@example.test", "+5511999990001");
    single = add_connection(f, ana, "one");
    struct token_site sites[] = {{add_connection(f, ana, "two").connection_id, RIGHT_PUBLISH},
                                 {add_connection(f, ana, "three").connection_id, 0}};
    struct token_new new = {.rights = RIGHT_DRAFT, .sites = sites, .n_sites = ARRAY_LENGTH(sites)};
    assert_ok(&f->call, tokens_add(&f->call, ana, single.connection_id, &new, &several));
    assert_int_equal(single.connection_id, 1);
    assert_int_equal(sites[0].connection_id, 2);
    assert_int_equal(sites[1].connection_id, 3);
}

/* As if we had made the token as its rows are now. */
static void seal(struct fixture *f, int64_t token_id)
{
    struct token_row row;
    char mac[MAC_HEX_BYTES];
    assert_ok(&f->call, store_tokens_get(&f->call, USER_ANY, token_id, &row));
    const struct token_claims claims = token_claims_of(&row);
    token_mac(&f->call, &claims, mac);
    assert_ok(&f->call, db_query(&f->call, f->db, NULL, "UPDATE mcp_token_details SET mac = $1 WHERE token_id = $2",
                                 DB_TEXT(str_from(mac)), DB_INT(token_id)));
}

static void each_refusal_says_why(void **state)
{
#define TOKEN "UPDATE mcp_tokens SET "
#define DETAILS "UPDATE mcp_token_details SET "
#define CONNECTION "UPDATE mcp_service_connections SET status = "
    static const struct {
        const char *edit, *undo, *says;
        bool is_sealed;
    } cases[] = {
        {TOKEN "revoked_at = '2026-01-01 00:00:00.000'", TOKEN "revoked_at = NULL", "was revoked", false},
        {TOKEN "expires_at = '2026-01-01 00:00:00.000'", TOKEN "expires_at = NULL", "has expired", true},
        {CONNECTION "'paused'", CONNECTION "'active'", "is paused", false},
        {CONNECTION "'error'", CONNECTION "'active'", "refuses the password", false},
        {CONNECTION "'revoked'", CONNECTION "'active'", "Make a new connection", false},
        {"UPDATE mcp_service_providers SET enabled = 0", "UPDATE mcp_service_providers SET enabled = 1", "switched off",
         false},
        {"INSERT INTO mcp_user_profiles (user_id, is_admin, language, stopped_at, totp_step, updated_at) "
         "VALUES (1, 0, 'en', '2026-01-01 00:00:00.000', 0, '2026-01-01 00:00:00.000')",
         "DELETE FROM mcp_user_profiles", "stopped everything", false},
        {DETAILS "rights = 'nonsense'", DETAILS "rights = 'read,publish'", "not valid any more", true},
        {DETAILS "confirm = 'nonsense'", DETAILS "confirm = 'none'", "not valid any more", true},
        {DETAILS "mac = ''", DETAILS "name = name", "not valid any more", false},
    };
    struct fixture *f = *state;
    const struct principal *by_id;
    ready(f);
    assert_ok(&f->call, tokens_revoke(&f->call, 1, several.token_id));
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_ok(&f->call, asks(f, single.token));
        sql(f, cases[i].edit);
        if (cases[i].is_sealed)
            seal(f, single.token_id);
        bool rests = strstr(cases[i].says, "stopped everything") || strstr(cases[i].says, "paused");
        assert_int_equal(asks(f, single.token), rests ? E_DENIED : E_UNAUTHENTICATED);
        assert_says(&f->call, cases[i].says);
        call_clear_error(&f->call);
        assert_int_equal(authenticate_token(&f->call, single.token_id, &by_id), E_UNAUTHENTICATED);
        assert_says(&f->call, cases[i].says);
        sql(f, cases[i].undo);
        seal(f, single.token_id);
    }
    /* Options are not sealed, and give no rights: what is none is passed over. */
    sql(f, DETAILS "options = 'nonsense'");
    assert_ok(&f->call, asks(f, single.token));
    assert_int_equal(who->options, 0);
    sql(f, "DELETE FROM mcp_token_details");
    assert_int_equal(asks(f, single.token), E_UNAUTHENTICATED);
    assert_says(&f->call, "earlier system");
    assert_int_equal(asks(f, token_make(&f->call, TOKEN_PAT)), E_UNAUTHENTICATED);
    assert_says(&f->call, "not known");
    call_clear_error(&f->call);
    assert_int_equal(authenticate_token(&f->call, 99, &by_id), E_UNAUTHENTICATED);
    assert_says(&f->call, "not known");
    char longest[TOKEN_CHARS_MAX + 1];
    memset(longest, 'a', sizeof longest);
    assert_int_equal(asks(f, str_of(longest, sizeof longest)), E_UNAUTHENTICATED);
    assert_says(&f->call, "cut or mistyped");
}

/* ---- several sites */

static void assert_sites(struct fixture *f, size_t n, int64_t home)
{
    assert_ok(&f->call, asks(f, several.token));
    assert_int_equal(who->n_grants, n);
    assert_int_equal(who->connection_id, home);
    assert_int_equal(who->site.connection_id, home);
    assert_int_equal(who->grants[0].site.connection_id, home);
}

static void sites_that_rest_drop_out(void **state)
{
    struct fixture *f = *state;
    const struct principal *there;
    ready(f);
    assert_sites(f, 3, 1);
    assert_ok(&f->call, principal_for(&f->call, who, 1, &there));
    assert_ptr_equal(there, who);
    assert_ok(&f->call, principal_for(&f->call, who, 2, &there));
    assert_int_equal(there->rights, RIGHT_READ | RIGHT_PUBLISH);
    assert_int_equal(there->site.connection_id, 2);
    assert_ok(&f->call, principal_for(&f->call, who, 3, &there));
    assert_int_equal(there->rights, RIGHT_READ | RIGHT_DRAFT);
    assert_int_equal(principal_for(&f->call, who, 99, &there), E_DENIED);
    sql(f, "UPDATE mcp_service_connections SET status = 'revoked' WHERE id = 2");
    assert_sites(f, 2, 1);
    assert_int_equal(principal_for(&f->call, who, 2, &there), E_DENIED);
    call_clear_error(&f->call);
    assert_ok(&f->call, authenticate_token(&f->call, several.token_id, &there));
    assert_int_equal(there->n_grants, 2);
    /* The first that can be used is whom it stands for. */
    sql(f, "UPDATE mcp_service_connections SET status = 'paused' WHERE id = 1");
    assert_sites(f, 1, 3);
    assert_text(who->site.name, "three");
    sql(f, "UPDATE mcp_service_connections SET status = 'error' WHERE id = 3");
    assert_int_equal(asks(f, several.token), E_DENIED);
    assert_says(&f->call, "is paused"); /* of the first */
    call_clear_error(&f->call);
    assert_int_equal(authenticate_token(&f->call, several.token_id, &there), E_UNAUTHENTICATED);
}

static void sites_whose_rows_were_changed(void **state)
{
    struct fixture *f = *state;
    char mac[MAC_HEX_BYTES];
    ready(f);
    /* Another's rights, of another kind of service, and words that are none though we had sealed them. */
    sql(f, "UPDATE mcp_token_grants SET rights = 'read,admin' WHERE connection_id = 3");
    assert_sites(f, 2, 1);
    sql(f, "INSERT INTO mcp_service_providers (\"key\", name, enabled, version) VALUES ('other', "
           "'Other', 1, '1')");
    sql(f, "UPDATE mcp_service_connections SET provider_id = (SELECT id FROM mcp_service_providers WHERE \"key\" = "
           "'other') "
           "WHERE id = 2");
    assert_sites(f, 1, 1);
    struct token_row row;
    const int64_t id = 3;
    assert_ok(&f->call, store_tokens_get(&f->call, USER_ANY, several.token_id, &row));
    const struct token_claims claims = {.token_id = row.id,
                                        .token_hash = row.token_hash,
                                        .connection_ids = &id,
                                        .n_connections = 1,
                                        .rights = STR("nonsense"),
                                        .confirm = STR("site three")};
    token_mac(&f->call, &claims, mac);
    assert_ok(&f->call, db_query(&f->call, f->db, NULL,
                                 "UPDATE mcp_token_grants SET rights = 'nonsense', mac = $1 WHERE connection_id = 3",
                                 DB_TEXT(str_from(mac))));
    assert_sites(f, 1, 1);
    sql(f, "UPDATE mcp_token_grants SET mac = ''");
    assert_int_equal(asks(f, several.token), E_UNAUTHENTICATED);
    assert_says(&f->call, "not valid any more");
    /* None is left that is that person's. */
    add_user(f, "bia@example.test", "+5511999990002");
    sql(f, "DELETE FROM mcp_token_grants WHERE connection_id <> 2");
    sql(f, "UPDATE mcp_service_connections SET user_id = 2 WHERE id = 2");
    assert_int_equal(asks(f, several.token), E_UNAUTHENTICATED);
    assert_says(&f->call, "not valid any more");
}

/* ---- what is remembered */

static void what_is_remembered_ends_in_time(void **state)
{
    struct fixture *f = *state;
    struct token_made brief;
    ready(f);
    const struct token_new new = {.rights = RIGHT_READ, .expires_at_ms = clock_now_ms() + 400};
    assert_ok(&f->call, tokens_add(&f->call, 1, 1, &new, &brief));
    assert_ok(&f->call, asks(f, brief.token));
    assert_ok(&f->call, asks(f, several.token));
    assert_ok(&f->call, authenticate(&f->call, brief.token, &who));
    while (authenticate(&f->call, brief.token, &who) == OK)
        usleep(20 * 1000);
    assert_says(&f->call, "has expired");
    /* Who asks again, and has less time than that takes at most, has it all the same. */
    assert_ok(&f->call, asks(f, several.token));
    usleep((AUTH_FRESH_MS + 50) * 1000);
    int64_t deadline_ms = f->call.deadline_ms;
    f->call.deadline_ms = clock_monotonic_ms() + AUTH_QUERY_MS / 2;
    int error = authenticate(&f->call, several.token, &who);
    f->call.deadline_ms = deadline_ms;
    assert_ok(&f->call, error);
}

/* ---- a database that fails in the middle */

static int asks_and_writes_use(struct fixture *f)
{
    int error = asks(f, several.token);
    return error ? error : authenticate_flush(&f->call);
}

static int asks_by_id(struct fixture *f)
{
    return authenticate_token(&f->call, several.token_id, &who);
}

static void the_database_fails(void **state)
{
    struct fixture *f = *state;
    ready(f);
    assert_true(each_statement_fails(f, asks_and_writes_use) >= 5);
    assert_int_equal(who->n_grants, 3);
    assert_true(sql_int(f, "SELECT count(last_used_at) FROM mcp_token_details") == 1);
    assert_true(each_statement_fails(f, asks_by_id) >= 2);
    /* What is no pause is an error, and nothing is believed meanwhile. */
    sql(f, "ALTER TABLE mcp_token_grants RENAME TO away");
    assert_int_equal(asks(f, several.token), E_INTERNAL);
    sql(f, "ALTER TABLE away RENAME TO mcp_token_grants");
    assert_ok(&f->call, asks(f, several.token));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_SQLITE(each_refusal_says_why),
        ON_SQLITE(sites_that_rest_drop_out),
        ON_SQLITE(sites_whose_rows_were_changed),
        ON_SQLITE(what_is_remembered_ends_in_time),
        ON_SQLITE(the_database_fails),
    };
    return cmocka_run_group_tests(tests, test_folder_start, test_folder_stop);
}

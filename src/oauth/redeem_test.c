/* PKCE, and what an access token leaves to the next one of its family. */
#include "accounts/accounts_test_help.h"

#include "accounts/consent.h"
#include "crypto/token.h"
#include "oauth/clients.h"
#include "oauth/family.h"
#include "oauth/forget.h"
#include "oauth/grants.h"
#include "store/confirmations.h"
#include "store/db_fault_test_help.h"

/* RFC 7636, appendix B. */
#define VERIFIER "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define REDIRECT "https://app.example/cb"
#define RESOURCE "https://mcp.example/mcp"

static void the_rfcs_example(void **state)
{
    (void)state;
    assert_true(pkce_is_challenge(STR(CHALLENGE)));
    assert_true(pkce_is_answered(STR(CHALLENGE), STR(VERIFIER)));
    assert_false(pkce_is_answered(STR(CHALLENGE), STR(CHALLENGE)));
    assert_false(pkce_is_answered(STR(CHALLENGE), STR("dBjftJeZ4CVP")));
    assert_false(pkce_is_challenge(STR(CHALLENGE "x")));
    assert_false(pkce_is_challenge(STR("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM")));
}

/* The only grant there is, as it lies in its row. */
static struct oauth_grant_row the_grant(struct fixture *f)
{
    struct oauth_grant_row row;
    assert_ok(&f->call,
              store_oauth_grants_get(&f->call, USER_ANY, sql_text(f, "SELECT id FROM mcp_oauth_grants"), &row));
    return row;
}

/* As we would, were it so. */
static void seal(struct fixture *f, struct str mac)
{
    assert_ok(&f->call, db_query(&f->call, f->db, NULL, "UPDATE mcp_oauth_grants SET mac = $1", DB_TEXT(mac)));
}

/* From registering to tokens. life_ms: what the family has before its code is redeemed; 0: as usual. */
static struct oauth_client_row log_in(struct fixture *f, const struct token_made *connection, int64_t life_ms,
                                      struct grant_tokens *ret)
{
    struct oauth_client_row client;
    const struct json *description;
    const char *error;
    struct str code;
    assert_int_equal(json_parse(f->call.arena, STR("{\"client_name\":\"App\",\"redirect_uris\":[\"" REDIRECT "\"]}"),
                                NULL, &description, NULL),
                     OK);
    assert_ok(&f->call, clients_register(&f->call, description, STR("192.0.2.1"), &client, &error));
    const struct grant_new new = {.user_id = 1,
                                  .client = &client,
                                  .connection_ids = &connection->connection_id,
                                  .n_connections = 1,
                                  .rights = RIGHT_READ,
                                  .resource = STR(RESOURCE),
                                  .redirect_uri = STR(REDIRECT),
                                  .redirect_host = STR("app.example"),
                                  .challenge = STR(CHALLENGE)};
    assert_ok(&f->call, grants_agree(&f->call, &new, &code));
    if (life_ms) {
        struct oauth_grant_row row = the_grant(f);
        row.ends_at_ms = clock_now_ms() + life_ms;
        assert_ok(&f->call,
                  db_query(&f->call, f->db, NULL, "UPDATE mcp_oauth_grants SET ends_at = $1", DB_TIME(row.ends_at_ms)));
        seal(f, consent_mac(&f->call, &row));
    }
    const struct redemption asked = {
        .code = code, .verifier = STR(VERIFIER), .redirect_uri = STR(REDIRECT), .resource = STR(RESOURCE)};
    assert_ok(&f->call, grants_redeem(&f->call, &client, &asked, ret, &error));
    return client;
}

static struct token_made ready(struct fixture *f)
{
    int64_t user_id = add_user(f, "ana@example.test", "+5511999990001");
    assert_int_equal(user_id, 1);
    return add_connection(f, user_id, "site");
}

static void what_waits_goes_over_to_the_next_token(void **state)
{
    struct fixture *f = *state;
    struct token_made connection = ready(f);
    struct grant_tokens first, next;
    const struct principal *before, *after;
    const char *error;
    struct oauth_client_row client = log_in(f, &connection, 0, &first);
    assert_ok(&f->call, authenticate(&f->call, first.access, &before));
    assert_text(before->audience, RESOURCE);
    assert_int_equal(before->rights, RIGHT_READ);
    const struct confirmation_row waits = {.id = STR("c"),
                                           .user_id = 1,
                                           .connection_id = connection.connection_id,
                                           .token_id = before->token_id,
                                           .kind = STR("human"),
                                           .tool = STR("wp_delete"),
                                           .digest = STR("d"),
                                           .what = STR("w"),
                                           .state = STR("pending"),
                                           .created_at_ms = clock_now_ms(),
                                           .expires_at_ms = clock_now_ms() + 60000};
    assert_ok(&f->call, store_confirmations_insert(&f->call, &waits, 0));
    assert_ok(&f->call, grants_refresh(&f->call, &client, first.refresh, 0, (struct str){NULL, 0}, &next, &error));
    assert_ok(&f->call, authenticate(&f->call, next.access, &after));
    assert_true(after->token_id != before->token_id);
    assert_int_equal(sql_int(f, "SELECT token_id FROM mcp_confirmations"), after->token_id);
    assert_ok(&f->call, authenticate(&f->call, first.access, &before)); /* until it expires */
}

/* An hour is short for a job: behind its request a token is good as long as its family is. */
static void work_outlives_its_token(void **state)
{
    struct fixture *f = *state;
    struct token_made connection = ready(f);
    struct grant_tokens tokens;
    const struct principal *who;
    log_in(f, &connection, 2000, &tokens);
    int64_t id = sql_int(f, "SELECT max(token_id) FROM mcp_oauth_tokens");
    struct oauth_grant_row row = the_grant(f);
    row.expires_at_ms = clock_now_ms() + 3600 * 1000;
    assert_ok(&f->call, db_query(&f->call, f->db, NULL, "UPDATE mcp_oauth_grants SET expires_at = $1",
                                 DB_TIME(row.expires_at_ms)));
    seal(f, consent_mac(&f->call, &row));
    while (authenticate(&f->call, tokens.access, &who) == OK)
        usleep(50 * 1000);
    assert_says(&f->call, "expired");
    call_clear_error(&f->call);
    assert_ok(&f->call, authenticate_token(&f->call, id, &who));
    assert_int_equal(who->token_id, id);
    sql(f, "UPDATE mcp_oauth_grants SET state = 'ended'");
    assert_int_equal(authenticate_token(&f->call, id, &who), E_UNAUTHENTICATED);
    assert_says(&f->call, "expired");
    sql(f, "UPDATE mcp_oauth_grants SET state = 'active', expires_at = '2099-01-01 00:00:00.000'");
    assert_int_equal(authenticate_token(&f->call, id, &who), E_UNAUTHENTICATED); /* nobody agreed to that */
    /* Sealed as it is, and over, or not the family of this token's person and connection. */
    const struct oauth_grant_row good = row;
    int64_t bia = add_user(f, "bia@example.test", "+5511999990002");
    int64_t another = add_connection(f, 1, "another").connection_id;
    for (int i = 0; i < 4; i++) {
        row = good;
        if (i == 1)
            row.expires_at_ms = clock_now_ms() - 1000;
        if (i == 2)
            row.user_id = bia;
        if (i == 3)
            row.connection_id = another;
        assert_ok(&f->call, db_query(&f->call, f->db, NULL,
                                     "UPDATE mcp_oauth_grants SET expires_at = $1, user_id = $2, connection_id = $3",
                                     DB_TIME(row.expires_at_ms), DB_INT(row.user_id), DB_INT(row.connection_id)));
        seal(f, consent_mac(&f->call, &row));
        call_clear_error(&f->call);
        assert_int_equal(authenticate_token(&f->call, id, &who), i ? E_UNAUTHENTICATED : OK);
        if (i)
            assert_says(&f->call, "expired");
    }
}

static int64_t working_token;

static int works_on(struct fixture *f)
{
    const struct principal *who;
    return authenticate_token(&f->call, working_token, &who);
}

static int forgets(struct fixture *f)
{
    forget_old(&f->call);
    return f->call.error;
}

static void the_database_fails(void **state)
{
    struct fixture *f = *state;
    struct token_made connection = ready(f);
    struct grant_tokens tokens;
    log_in(f, &connection, 0, &tokens);
    working_token = sql_int(f, "SELECT max(token_id) FROM mcp_oauth_tokens");
    assert_true(each_statement_fails(f, works_on) >= 2);
    /* Forgetting what is over is nothing that whoever asked for something else hears of. */
    assert_ok(&f->call, while_others_hold_it(f, db_begin, forgets));
}

static int refresh(struct fixture *f, const struct oauth_client_row *client, struct str token)
{
    struct grant_tokens tokens;
    const char *error;
    call_clear_error(&f->call);
    return grants_refresh(&f->call, client, token, 0, (struct str){NULL, 0}, &tokens, &error);
}

/* Whoever writes rows makes no family last longer, and brings none back. */
static void times_and_ends_are_sealed(void **state)
{
    static const char *const edits[] = {
        "UPDATE mcp_oauth_grants SET ends_at = '2099-01-01 00:00:00.000'",
        "UPDATE mcp_oauth_grants SET expires_at = '2099-01-01 00:00:00.000'",
        "UPDATE mcp_oauth_grants SET state = 'pending'",
        "UPDATE mcp_oauth_grants SET mac = ''",
    };
    struct fixture *f = *state;
    struct token_made connection = ready(f);
    struct grant_tokens tokens;
    struct oauth_client_row client = log_in(f, &connection, 0, &tokens);
    const struct oauth_grant_row row = the_grant(f);
    for (size_t i = 0; i < ARRAY_LENGTH(edits); i++) {
        sql(f, edits[i]);
        assert_int_equal(refresh(f, &client, tokens.refresh), E_DENIED);
        assert_ok(&f->call,
                  db_query(&f->call, f->db, NULL,
                           "UPDATE mcp_oauth_grants SET ends_at = $1, expires_at = $2, state = 'active', mac = $3",
                           DB_TIME(row.ends_at_ms), DB_TIME(row.expires_at_ms), DB_TEXT(row.mac)));
    }
    assert_ok(&f->call, refresh(f, &client, tokens.refresh)); /* each of them was what refused it */
    assert_ok(&f->call, grants_end(&f->call, 1, row.id));
    assert_text(the_grant(f).mac, "");
    sql(f, "UPDATE mcp_oauth_grants SET state = 'active'");
    assert_int_equal(refresh(f, &client, tokens.refresh), E_DENIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rfcs_example), ON_BOTH(what_waits_goes_over_to_the_next_token),
        ON_BOTH(work_outlives_its_token),   ON_BOTH(times_and_ends_are_sealed),
        ON_SQLITE(the_database_fails),
    };
    return cmocka_run_group_tests(tests, test_server_start, test_server_stop);
}

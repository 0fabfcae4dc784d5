/* PKCE, and what an access token leaves to the next one of its family. */
#include "accounts/accounts_test_help.h"

#include "crypto/token.h"
#include "oauth/clients.h"
#include "oauth/family.h"
#include "oauth/grants.h"
#include "store/confirmations.h"

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

/* From registering to tokens. `life`: SQL that changes the family before its code is redeemed, or NULL. */
static struct oauth_client_row log_in(struct fixture *f, const struct token_made *connection, const char *life,
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
    if (life)
        sql(f, life);
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
    struct oauth_client_row client = log_in(f, &connection, NULL, &first);
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
    char life[CLOCK_TEXT_BYTES];
    clock_format(clock_now_ms() + 2000, life);
    struct str change = call_format(&f->call, "UPDATE mcp_oauth_grants SET ends_at = '%s'", life);
    log_in(f, &connection, str_copy_cstr(f->call.arena, change), &tokens);
    int64_t id = sql_int(f, "SELECT max(token_id) FROM mcp_oauth_tokens");
    sql(f, "UPDATE mcp_oauth_grants SET expires_at = '2099-01-01 00:00:00.000'");
    while (authenticate(&f->call, tokens.access, &who) == OK)
        usleep(50 * 1000);
    assert_says(&f->call, "expired");
    call_clear_error(&f->call);
    assert_ok(&f->call, authenticate_token(&f->call, id, &who));
    assert_int_equal(who->token_id, id);
    sql(f, "UPDATE mcp_oauth_grants SET state = 'ended'");
    assert_int_equal(authenticate_token(&f->call, id, &who), E_UNAUTHENTICATED);
    assert_says(&f->call, "expired");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rfcs_example),
        ON_BOTH(what_waits_goes_over_to_the_next_token),
        ON_BOTH(work_outlives_its_token),
    };
    return cmocka_run_group_tests(tests, test_server_start, test_server_stop);
}
